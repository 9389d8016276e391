"""Tickets that a regulation keeps from an organization's people: they are told so, where others are told of nothing."""

from uuid import UUID

from tortoise.expressions import Q

from domain import policy
from domain.errors import DomainError, HistoryUnavailable, NotFound
from domain.policy import Viewer
from models import Ticket


async def why_not_there(viewer: Viewer, sought: Q, *, field: tuple[str, ...] | None = None) -> DomainError:
    """The answer about a ticket that is not shown to the viewer: as for one that does not exist (S07), unless a
    regulation alone withholds it (S11)."""
    if viewer.is_kept_from_history:
        reader = policy.as_if_history_were_available(viewer)
        if await Ticket.visible_to(reader).filter(sought).exists():
            return HistoryUnavailable(field=field)
    return NotFound("ticket", field=field)


async def check_not_withheld(viewer: Viewer, sought: Q) -> None:
    """
    Raises:
        HistoryUnavailable: there is such a ticket, and a regulation alone withholds it.
    """
    refusal = await why_not_there(viewer, sought)
    if isinstance(refusal, HistoryUnavailable):
        raise refusal


def check_history_of(viewer: Viewer, organization_id: UUID | None) -> None:
    """For lists: of one organization, or of all of the viewer's.

    Raises:
        HistoryUnavailable: there is nothing to list that may be shown (S11).
    """
    membership = viewer.membership_in(organization_id)
    asked = [membership] if membership else [] if organization_id else list(viewer.memberships)
    if viewer.is_kept_from_history and asked and not any(each.history_is_available for each in asked):
        raise HistoryUnavailable(field=("organizationId",) if organization_id else None)
