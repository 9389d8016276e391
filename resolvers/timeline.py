"""What happened on a ticket, put on its timeline and announced. Called inside a unit of work, the ticket locked."""

from domain.enums import ACTIVE_STATUSES, ClosureReason, ResolutionReason, TicketStatus, TimelineEventKind, Visibility
from models import EscalationEntry, Ticket, TimelineEvent
from resolvers.context import Context
from resolvers.streams import TICKET_CHANGED, streams_of
from resolvers.transaction import Work


async def set_status(
    work: Work,
    ctx: Context,
    ticket: Ticket,
    status: TicketStatus,
    *,
    reason: ResolutionReason | ClosureReason | None = None,
    automatic: bool = False,
) -> None:
    """Give a ticket the status, with all that goes with it, and tell; nothing where it has it already."""
    old = ticket.status
    if status is old:
        return
    ticket.status = status
    ticket.status_changed_at = work.now
    ticket.waiting_since = work.now if status is TicketStatus.PENDING_CUSTOMER else None
    if status is TicketStatus.RESOLVED:
        ticket.resolved_at, ticket.resolution_reason = work.now, ResolutionReason(reason) if reason else None
    elif status is TicketStatus.CLOSED:
        ticket.closed_at, ticket.closure_reason = work.now, ClosureReason(reason) if reason else None
    elif status in ACTIVE_STATUSES:
        ticket.resolved_at, ticket.resolution_reason = None, None
    event = await _record(
        work, ctx, ticket, TimelineEventKind.STATUS, automatic=automatic, old=old, new=status, reason=reason
    )
    announce(work, ticket, ["status", "displayStatus", "statusChangedAt"], event)


async def set_assignee(work: Work, ctx: Context, ticket: Ticket, *, old: str | None, new: str | None) -> None:
    """Tell that a ticket has another handler, by their names."""
    event = await _record(work, ctx, ticket, TimelineEventKind.FIELD, field="assignee", old=old, new=new)
    announce(work, ticket, ["assignee"], event)


async def enter_stage(work: Work, ctx: Context, ticket: Ticket, entry: EscalationEntry) -> None:
    """Tell that the ticket's escalation entered a stage."""
    event = await _record(work, ctx, ticket, TimelineEventKind.ESCALATION, entry=entry)
    announce(work, ticket, ["isEscalated", "displayStatus", "activeEscalation", "escalations"], event)


def announce(work: Work, ticket: Ticket, fields: list[str], event: TimelineEvent | None = None) -> None:
    """Tell the ticket's watchers which of its fields changed."""
    data = {"fields": [*fields, "version", "updatedAt"], "item": str(event.id) if event else None}
    work.emit(streams_of(ticket.id), TICKET_CHANGED, data)


def touch(work: Work, ticket: Ticket, *, activity: bool = True) -> None:
    """A change that another person could overwrite: the version grows, and the times move.

    Not for anything internal: a customer must not see from them that something was written (J7).
    """
    ticket.version += 1
    ticket.updated_at = work.now
    if activity:
        ticket.last_activity_at = work.now


async def _record(
    work: Work,
    ctx: Context,
    ticket: Ticket,
    kind: TimelineEventKind,
    *,
    field: str | None = None,
    old: str | None = None,
    new: str | None = None,
    reason: str | None = None,
    entry: EscalationEntry | None = None,
    automatic: bool = False,
) -> TimelineEvent:
    sequence, public_sequence = ticket.number_item(Visibility.PUBLIC)
    return await TimelineEvent.create(
        ticket_id=ticket.id,
        sequence=sequence,
        public_sequence=public_sequence,
        visibility=Visibility.PUBLIC,
        actor_id=None if automatic else ctx.viewer.user_id,
        automatic=automatic,
        occurred_at=work.now,
        kind=kind,
        field=field,
        old_value=old,
        new_value=new,
        reason=reason,
        entry=entry,
    )
