"""Who is shown to whom as having a ticket open or typing in it, and for how long."""

from datetime import timedelta
from uuid import UUID

from domain.enums import PresenceState
from domain.policy import Viewer

TYPING_LASTS = timedelta(seconds=5)
TYPING_SPACING = timedelta(seconds=2)
"""Of one person on one ticket, typing is announced at most this often."""

PRESENCE_LASTS = timedelta(seconds=45)
"""Without a subscription that keeps it."""


def sees_presence(viewer: Viewer, person: UUID, *, is_staff: bool, assignee_id: UUID | None) -> bool:
    """Whether the viewer, who may read the ticket, is shown that this person has it open.

    Staff sees everybody. Customers see their own side, and of support the assigned agent alone: who else looks at a
    ticket tells that it was handed on, asked about or escalated, which is internal.

    Source: J7.
    """
    return viewer.is_staff or not is_staff or person == assignee_id


def shown_state(viewer: Viewer, state: PresenceState, *, is_staff: bool) -> PresenceState:
    """What the viewer is told that this person does. Customers are not told that an agent writes: it may be a note.

    That an agent types a message to them is told apart, with its visibility.

    Source: J7.
    """
    if viewer.is_staff or not is_staff or state in (PresenceState.IDLE, PresenceState.OFFLINE):
        return state
    return PresenceState.VIEWING
