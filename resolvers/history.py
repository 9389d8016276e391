"""Tickets that a regulation keeps from an organization's people: they are told so, where others are told of nothing."""

from typing import TypeVar
from uuid import UUID

from tortoise.expressions import Q

from domain import policy
from domain.errors import DomainError, HistoryUnavailable, NotFound
from domain.policy import Viewer
from models import Ticket
from models.base import BaseModel
from resolvers.context import Context
from resolvers.reading import found

Row = TypeVar("Row", bound=BaseModel)


async def why_not_there(viewer: Viewer, sought: Q, *, field: tuple[str, ...] | None = None) -> DomainError:
    """The answer about a ticket that is not shown to the viewer: as for one that does not exist (S07), unless a
    regulation alone withholds it (S11)."""
    if await _is_withheld(viewer, Ticket, sought):
        return HistoryUnavailable(field=field)
    return NotFound("ticket", field=field)


async def check_not_withheld(viewer: Viewer, sought: Q, model: type[BaseModel] = Ticket) -> None:
    """
    Raises:
        HistoryUnavailable: there is such a ticket, or such a thing on one, and a regulation alone withholds it.
    """
    if await _is_withheld(viewer, model, sought):
        raise HistoryUnavailable


async def found_unless_withheld(ctx: Context, model: type[Row], row_id: UUID) -> Row | None:
    """As `reading.found`.

    Raises:
        HistoryUnavailable: a regulation alone withholds it (S11).
    """
    row = await found(ctx, model, row_id)
    if row is None:
        await check_not_withheld(ctx.viewer, Q(id=row_id), model)
    return row


async def _is_withheld(viewer: Viewer, model: type[BaseModel], sought: Q) -> bool:
    if not viewer.is_kept_from_history:
        return False
    reader = policy.as_if_history_were_available(viewer)
    return await model.filter(model.found_for(reader)).filter(sought).exists()


def check_history_of(viewer: Viewer, organization_id: UUID | None) -> None:
    """For lists: of one organization, or of all of the viewer's.

    Raises:
        HistoryUnavailable: there is nothing to list that may be shown (S11).
    """
    membership = viewer.membership_in(organization_id)
    asked = [membership] if membership else [] if organization_id else list(viewer.memberships)
    if viewer.is_kept_from_history and asked and not any(each.history_is_available for each in asked):
        raise HistoryUnavailable(field=("organizationId",) if organization_id else None)
