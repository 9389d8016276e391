"""What is worth a notification, and who is told."""

from dataclasses import dataclass, field
from uuid import UUID

from domain.enums import NotificationKind, TicketStatus, Visibility

OF_STATUS = {TicketStatus.RESOLVED: NotificationKind.RESOLVED, TicketStatus.CLOSED: NotificationKind.CLOSED}
"""The statuses that everybody on a ticket is told of."""

ALWAYS_TOLD = frozenset({NotificationKind.ASSIGNED, NotificationKind.INVITED})
"""What gives somebody work to do or rights to use is told whatever the preferences say, also of a muted ticket."""

MOST_MUTED = 1_000
"""Tickets that one person can mute."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened on a ticket. `concerns` is whom alone it is about; without it, everybody on the ticket.

    `values` are what its text is made of, later and in the reader's language: names of enum members, never text.
    """

    kind: NotificationKind
    actor_id: UUID | None
    visibility: Visibility = Visibility.PUBLIC
    concerns: UUID | None = None
    values: dict[str, str] = field(default_factory=dict)


def whom_to_tell(happening: Happening, on_ticket: frozenset[UUID]) -> frozenset[UUID]:
    """The people to tell of it, of those on the ticket: all but who did it. Whether each may read it is asked apart."""
    told = on_ticket if happening.concerns is None else frozenset({happening.concerns})
    return told - {happening.actor_id} if happening.actor_id else told


def is_heard(kind: NotificationKind, *, in_app: bool, muted: bool) -> bool:
    """Whether somebody who chose this is told of it in the application; `muted` is the ticket it is about."""
    return kind in ALWAYS_TOLD or (in_app and not muted)
