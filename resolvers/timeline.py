"""What happened on a ticket, put on its timeline and announced. Called inside a unit of work, the ticket locked."""

from collections.abc import Sequence
from typing import Any

from domain.enums import (
    ACTIVE_STATUSES,
    AppointmentStatus,
    ChangeType,
    ClosureReason,
    ConferenceCallStatus,
    ResolutionReason,
    TicketStatus,
    TimelineEventKind,
    Visibility,
)
from models import (
    Appointment,
    ConferenceCall,
    EscalationEntry,
    Feedback,
    Follower,
    Participant,
    SharedResource,
    Ticket,
    TimelineEvent,
)
from resolvers.context import Context
from resolvers.streams import TICKET_CHANGED, item_key, streams_of
from resolvers.transaction import Work
from resolvers.windows import preset_now


async def set_status(
    work: Work,
    ctx: Context,
    ticket: Ticket,
    status: TicketStatus,
    *,
    reason: ResolutionReason | ClosureReason | str | None = None,
    automatic: bool = False,
) -> None:
    """Give a ticket the status, with all that goes with it, and tell; nothing where it has it already.

    Every other status ends a hold. A `reason` in free words is one of the kind that only the timeline keeps.
    """
    old = ticket.status
    if status is old:
        return
    ticket.status = status
    ticket.status_changed_at = work.now
    ticket.waiting_since = work.now if status is TicketStatus.PENDING_CUSTOMER else None
    if status is not TicketStatus.ON_HOLD:
        ticket.hold_until = None
    if status is TicketStatus.RESOLVED:
        ticket.resolved_at, ticket.resolution_reason = work.now, ResolutionReason(reason) if reason else None
        ticket.resolved_under = preset_now(ticket)
    elif status is TicketStatus.CLOSED:
        ticket.closed_at, ticket.closure_reason = work.now, ClosureReason(reason) if reason else None
    elif status in ACTIVE_STATUSES:
        ticket.resolved_at, ticket.resolution_reason, ticket.resolved_under = None, None, None
    event = await _record(
        work, ctx, ticket, TimelineEventKind.STATUS, automatic=automatic, old=old, new=status, reason=reason
    )
    held = ["holdUntil"] if TicketStatus.ON_HOLD in (old, status) else []
    announce(work, ticket, ["status", "displayStatus", "statusChangedAt", *held], event)


async def set_assignee(work: Work, ctx: Context, ticket: Ticket, *, old: str | None, new: str | None) -> None:
    """Tell that a ticket has another handler, by their names."""
    event = await _record(work, ctx, ticket, TimelineEventKind.FIELD, field="assignee", old=old, new=new)
    announce(work, ticket, ["assignee"], event)


async def set_field(
    work: Work, ctx: Context, ticket: Ticket, field: str, *, old: str | None, new: str | None, also: Sequence[str] = ()
) -> None:
    """Tell that a field of a ticket, by its name in the API, has another value: both in words. `also` names other
    fields that changed with it."""
    event = await _record(work, ctx, ticket, TimelineEventKind.FIELD, field=field, old=old, new=new)
    announce(work, ticket, [field, *also], event)


async def change_participant(
    work: Work, ctx: Context, ticket: Ticket, participant: Participant, change: ChangeType
) -> None:
    """Tell that somebody was put on a ticket, is something else on it, or was taken off it."""
    event = await _record(
        work,
        ctx,
        ticket,
        TimelineEventKind.PARTICIPANT,
        new=change,
        user_id=participant.user_id,
        participant_id=None if change is ChangeType.REMOVED else participant.id,
    )
    announce_people(work, ticket, "participants", event)


async def change_follower(work: Work, ctx: Context, ticket: Ticket, follower: Follower, change: ChangeType) -> None:
    """Tell that a ticket has a follower more or less."""
    event = await _record(
        work,
        ctx,
        ticket,
        TimelineEventKind.PARTICIPANT,
        new=change,
        user_id=follower.user_id,
        follower_id=None if change is ChangeType.REMOVED else follower.id,
    )
    announce_people(work, ticket, "followers", event)


async def enter_stage(work: Work, ctx: Context, ticket: Ticket, entry: EscalationEntry) -> None:
    """Tell that the ticket's escalation entered a stage."""
    event = await _record(work, ctx, ticket, TimelineEventKind.ESCALATION, entry_id=entry.id)
    announce(work, ticket, ["isEscalated", "displayStatus", "activeEscalation", "escalations"], event)


async def leave_feedback(work: Work, ctx: Context, ticket: Ticket, feedback: Feedback) -> None:
    """Tell what the customer thought of the support."""
    event = await _record(work, ctx, ticket, TimelineEventKind.FEEDBACK, feedback_id=feedback.id)
    announce_people(work, ticket, "feedback", event)


async def share_resource(work: Work, ctx: Context, ticket: Ticket, resource: SharedResource) -> None:
    """Tell that support shared something."""
    event = await _record(work, ctx, ticket, TimelineEventKind.RESOURCE, resource_id=resource.id)
    announce_people(work, ticket, "resources", event)


async def change_call(
    work: Work,
    ctx: Context,
    ticket: Ticket,
    call: ConferenceCall,
    *,
    old: ConferenceCallStatus | None,
    automatic: bool = False,
) -> None:
    """Tell of a call that was proposed, moved, answered or called off, or that is over."""
    event = await _record(
        work,
        ctx,
        ticket,
        TimelineEventKind.CALL,
        automatic=automatic,
        old=old,
        new=call.status,
        conference_call_id=call.id,
    )
    announce_people(work, ticket, "conferenceCall", event)


async def change_appointment(
    work: Work,
    ctx: Context,
    ticket: Ticket,
    appointment: Appointment,
    *,
    old: AppointmentStatus | None,
    automatic: bool = False,
) -> None:
    """The same of an appointment."""
    event = await _record(
        work,
        ctx,
        ticket,
        TimelineEventKind.CALL,
        automatic=automatic,
        old=old,
        new=appointment.status,
        appointment_id=appointment.id,
    )
    announce_people(work, ticket, "appointment", event)


def announce(work: Work, ticket: Ticket, fields: list[str], event: TimelineEvent | None = None) -> None:
    """Tell the ticket's watchers which of its fields changed."""
    data = {"fields": [*fields, "version", "updatedAt"], "item": str(event.id) if event else None}
    work.emit(streams_of(ticket.id), TICKET_CHANGED, data, key=item_key(event.id) if event else None)


def announce_people(work: Work, ticket: Ticket, field: str, event: TimelineEvent) -> None:
    """As `announce`, for what nobody could overwrite: the version stays as it is."""
    data = {"fields": [field, "lastSequence"], "item": str(event.id)}
    work.emit(streams_of(ticket.id), TICKET_CHANGED, data, key=item_key(event.id))


def announce_detail(work: Work, ticket: Ticket, field: str) -> None:
    """Tell the ticket's watchers that something of what is in a field is another, which the timeline does not tell."""
    work.emit(streams_of(ticket.id), TICKET_CHANGED, {"fields": [field], "item": None})


def hear(work: Work, ctx: Context, ticket: Ticket) -> None:
    """The customer's side did something that moves no status: what waits for it begins to wait anew (S63)."""
    if ticket.status is TicketStatus.PENDING_CUSTOMER and not ctx.viewer.is_staff:
        ticket.waiting_since = work.now


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
    automatic: bool = False,
    **about: Any,
) -> TimelineEvent:
    """Put it on the timeline. `about` are the columns of what it is about."""
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
        **about,
    )
