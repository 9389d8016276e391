"""Conference calls and appointments about a ticket (S55, S94, S95). A ticket has one of each that is coming, at most:
naming another time moves it."""

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from tortoise.expressions import Q

from domain import actions, lifecycle, policy, scheduling
from domain.addresses import web_address
from domain.enums import ACTIVE_APPOINTMENTS, ACTIVE_CALLS, AppointmentStatus, ConferenceCallStatus
from domain.errors import NotFound
from domain.naming import line
from domain.policy import TicketFacts
from models import Appointment, ConferenceCall, IssueType, Ticket
from models.base import BaseModel
from resolvers import timeline
from resolvers.catalog import LEFT_OUT
from resolvers.context import Context
from resolvers.history import check_not_withheld
from resolvers.tickets import ask, lock_for_sweep, lock_ticket
from resolvers.transaction import Work, unit_of_work

Meeting = TypeVar("Meeting", ConferenceCall, Appointment)


@unit_of_work
async def schedule_call(
    work: Work,
    ctx: Context,
    ticket_id: UUID,
    *,
    scheduled_for: datetime,
    join_url: str | None = LEFT_OUT,
    passcode: str | None = LEFT_OUT,
) -> ConferenceCall:
    """Propose a call, or move the one that is coming: the customer is then asked again. The same again does nothing.

    Where to join may follow later, or change: whoever accepted is not asked again for that. What is left out stays.

    Raises:
        NotFound, Forbidden: as for every change of a ticket.
        TicketClosed: closed is final.
        Invalid: the time is not to come, or the address or the passcode cannot be used.

    Source: S55.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    policy.check(ctx.viewer, policy.SCHEDULE_CALL, facts, "Only support staff schedule calls.")
    lifecycle.check_not_closed(ticket.status)
    scheduling.check_call_time(scheduled_for, now=work.now)
    given: dict[str, Any] = {"scheduled_for": scheduled_for}
    if join_url is not LEFT_OUT:
        given["join_url"] = web_address(join_url, field="joinUrl") if join_url else None
    if passcode is not LEFT_OUT:
        given["passcode"] = line(passcode, field="passcode", limit=100) if passcode else None
    call = await ConferenceCall.get_or_none(ticket_id=ticket.id, status__in=ACTIVE_CALLS)
    if call is None:
        made: dict[str, Any] = {"scheduled_by_id": ctx.user_id, "created_at": work.now, "updated_at": work.now}
        call = await ConferenceCall.create(ticket_id=ticket.id, status=ConferenceCallStatus.PENDING, **given, **made)
        await timeline.change_call(work, ctx, ticket, call, old=None)
        await ticket.save()
        return call
    if all(getattr(call, name) == value for name, value in given.items()):
        return call
    is_moved = call.scheduled_for != scheduled_for
    call.update_from_dict(given)
    if is_moved:
        return await _become(work, ctx, ticket, call, ConferenceCallStatus.PENDING)
    call.updated_at = work.now
    await call.save()
    timeline.announce_detail(work, ticket, "conferenceCall")
    return call


@unit_of_work
async def answer_call(work: Work, ctx: Context, call_id: UUID, *, accept: bool) -> ConferenceCall:
    """Accept a call that support proposed, or call it off. What is accepted already stays so, and nothing is told.

    Raises:
        NotFound, Forbidden: as for every change of a ticket.
        TicketClosed: no call of a closed ticket is accepted; it can be called off.
        Conflict: see `domain.scheduling.call_after_answer`.

    Source: S55.
    """
    ticket, facts, call = await _lock(ctx, ConferenceCall, call_id, "conference call", "conferenceCallId")
    policy.check(ctx.viewer, policy.ANSWER_CALL, facts, "Who takes part in this ticket, and support, answer its calls.")
    status = scheduling.call_after_answer(call.status, accept=accept, by_staff=ctx.viewer.is_staff)
    if accept:
        lifecycle.check_not_closed(ticket.status)
    return call if status is call.status else await _become(work, ctx, ticket, call, status)


@unit_of_work
async def schedule_appointment(
    work: Work, ctx: Context, ticket_id: UUID, *, starts_at: datetime, ends_at: datetime
) -> Appointment:
    """Ask for an appointment with the ticket's agent, or move the one that is coming; support confirms by doing so.

    Raises:
        NotFound, Forbidden: as for every change of a ticket.
        AppointmentNotAvailable: it is closed, its issue type offers none, or nobody has been given it.
        Invalid: the times are not to come, or no span.

    Source: S94.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    offered = ticket.issue_type_id and await IssueType.exists(id=ticket.issue_type_id, appointments_available=True)
    asked = await ask(work, ctx, ticket, facts, offers_appointments=bool(offered))
    actions.check(actions.schedule_appointment, asked)
    scheduling.check_appointment_times(starts_at, ends_at, now=work.now)
    given: dict[str, Any] = {"starts_at": starts_at, "ends_at": ends_at, "engineer_id": ticket.assignee_id}
    status = scheduling.appointment_made(by_staff=ctx.viewer.is_staff)
    appointment = await Appointment.get_or_none(ticket_id=ticket.id, status__in=ACTIVE_APPOINTMENTS)
    if appointment is None:
        made: dict[str, Any] = {"requested_by_id": ctx.user_id, "created_at": work.now, "updated_at": work.now}
        appointment = await Appointment.create(ticket_id=ticket.id, status=status, **given, **made)
        await timeline.change_appointment(work, ctx, ticket, appointment, old=None)
        timeline.hear(work, ctx, ticket)
        await ticket.save()
        return appointment
    is_same = all(getattr(appointment, name) == value for name, value in given.items())
    # What support has confirmed stays confirmed when the customer asks for the same again.
    if is_same and appointment.status in (status, AppointmentStatus.CONFIRMED):
        return appointment
    appointment.update_from_dict(given)
    return await _become(work, ctx, ticket, appointment, status)


@unit_of_work
async def cancel_appointment(work: Work, ctx: Context, appointment_id: UUID) -> Appointment:
    """Call an appointment off; also on a closed ticket.

    Raises:
        NotFound, Forbidden: as for every change of a ticket.
        Conflict: it is over or was called off.
    """
    ticket, facts, appointment = await _lock(ctx, Appointment, appointment_id, "appointment", "appointmentId")
    policy.check(
        ctx.viewer, policy.SCHEDULE_APPOINTMENT, facts, "Who takes part in this ticket, and support, cancel it."
    )
    scheduling.check_may_cancel_appointment(appointment.status)
    return await _become(work, ctx, ticket, appointment, AppointmentStatus.CANCELLED)


@unit_of_work
async def end_call(work: Work, ctx: Context, call_id: UUID) -> bool:
    """Say of a call whose time has passed what became of it; False where somebody was faster. For the sweep."""
    ticket, call = await _lock_due(ConferenceCall, call_id)
    if call.status not in ACTIVE_CALLS or work.now < call.scheduled_for + scheduling.CALL_LENGTH:
        return False
    await _become(work, ctx, ticket, call, scheduling.call_after_its_time(call.status), automatic=True)
    return True


@unit_of_work
async def end_appointment(work: Work, ctx: Context, appointment_id: UUID) -> bool:
    """The same of an appointment."""
    ticket, appointment = await _lock_due(Appointment, appointment_id)
    if appointment.status not in ACTIVE_APPOINTMENTS or work.now < appointment.ends_at:
        return False
    status = scheduling.appointment_after_its_time(appointment.status)
    await _become(work, ctx, ticket, appointment, status, automatic=True)
    return True


async def due_calls(now: datetime, most: int) -> list[UUID]:
    """The calls whose time has passed, the oldest first."""
    due = Q(status__in=ACTIVE_CALLS, scheduled_for__lte=now - scheduling.CALL_LENGTH)
    rows: Any = ConferenceCall.filter(due).order_by("scheduled_for", "id").limit(most)
    return list(await rows.values_list("id", flat=True))


async def due_appointments(now: datetime, most: int) -> list[UUID]:
    rows: Any = Appointment.filter(status__in=ACTIVE_APPOINTMENTS, ends_at__lte=now).order_by("ends_at", "id")
    return list(await rows.limit(most).values_list("id", flat=True))


async def _become(
    work: Work, ctx: Context, ticket: Ticket, what: Meeting, status: Any, *, automatic: bool = False
) -> Meeting:
    """Save a call or an appointment with its new status, and tell of it; saves the ticket."""
    old: Any = what.status
    what.status, what.updated_at = status, work.now
    await what.save()
    change: Any = timeline.change_call if isinstance(what, ConferenceCall) else timeline.change_appointment
    await change(work, ctx, ticket, what, old=old, automatic=automatic)
    if not automatic:
        timeline.hear(work, ctx, ticket)
    await ticket.save()
    return what


async def _lock(
    ctx: Context, model: type[BaseModel], row_id: UUID, what: str, field: str
) -> tuple[Ticket, TicketFacts, Any]:
    """What is on a ticket that the viewer may see, and the ticket, locked.

    Raises:
        Unauthenticated: nobody is signed in.
        NotFound: there is none that the viewer may see.
        HistoryUnavailable: a regulation alone withholds it (S11).
    """
    policy.check_authenticated(ctx.viewer)
    seen: Any = await model.get_or_none(model.seen_by(ctx.viewer), id=row_id)
    if seen is None:
        await check_not_withheld(ctx.viewer, Q(id=row_id), model)
        raise NotFound(what, field=(field,))
    ticket, facts = await lock_ticket(ctx, seen.ticket_id, field=field)
    return ticket, facts, await model.get(id=row_id)


async def _lock_due(model: type[BaseModel], row_id: UUID) -> tuple[Ticket, Any]:
    """For the sweep, which sees everything."""
    ticket_id = (await model.get(id=row_id)).ticket_id  # type: ignore[attr-defined]
    ticket = await lock_for_sweep(ticket_id)
    return ticket, await model.get(id=row_id)
