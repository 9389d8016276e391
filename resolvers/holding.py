"""Putting a ticket on hold: nothing happens to it by itself until then. `resolvers.sweeps` ends it."""

from datetime import datetime
from uuid import UUID

from domain import lifecycle, policy
from domain.enums import TicketStatus
from domain.naming import line
from engine.instants import instant_text
from models import Ticket
from resolvers import timeline
from resolvers.context import Context
from resolvers.tickets import lock_ticket
from resolvers.transaction import Work, unit_of_work


@unit_of_work
async def hold_ticket(
    work: Work, ctx: Context, ticket_id: UUID, *, until: datetime, reason: str | None = None
) -> Ticket:
    """Put a ticket on hold, or move the end of its hold; with the same end, nothing happens.

    It is not resolved for inactivity meanwhile. A reply of either side ends it early. The reason is for everybody to
    read on the timeline.

    Raises:
        NotFound, Forbidden: as for every change of a ticket.
        TicketClosed, Conflict, Invalid: see `domain.lifecycle.check_may_hold`, or the reason cannot be stored.

    Source: S63, S67.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    policy.check(ctx.viewer, policy.HOLD_TICKET, facts, "Only support staff put a ticket on hold.")
    lifecycle.check_may_hold(ticket.status, until=until, now=work.now)
    why = line(reason, field="reason") if reason and not reason.isspace() else None
    before, ticket.hold_until = ticket.hold_until, until
    if ticket.status is not TicketStatus.ON_HOLD:
        await timeline.set_status(work, ctx, ticket, TicketStatus.ON_HOLD, reason=why)
    elif before != until:
        old = instant_text(before) if before else None
        await timeline.set_field(work, ctx, ticket, "holdUntil", old=old, new=instant_text(until))
    else:
        return ticket
    timeline.touch(work, ticket, activity=False)
    await ticket.save()
    return ticket
