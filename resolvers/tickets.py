"""Tickets: finding, opening, and moving them through their life."""

from uuid import UUID

from tortoise.expressions import Q

from domain import actions, lifecycle, policy
from domain.actions import Asked, TicketState
from domain.enums import ACTIVE_STATUSES, ClosureReason, EscalationStage, ResolutionReason, TicketStatus
from domain.errors import NotFound, StaleVersion
from domain.lifecycle import DEFAULT_WINDOWS
from domain.naming import quoted, text
from domain.policy import TicketFacts
from engine.prepared import Prepared
from models import Escalation, Feedback, Message, Ticket, User
from resolvers import timeline
from resolvers.context import Context
from resolvers.conversation import Saying, say
from resolvers.history import check_not_withheld, found_unless_withheld, why_not_there
from resolvers.ticket_facts import as_fact, facts_of, with_facts
from resolvers.transaction import Work, remember, unit_of_work
from resolvers.windows import windows_of, with_windows

LOCKED = Prepared(Ticket, {"id": UUID}, lambda rows: with_windows(with_facts(rows)).select_for_update())


async def get_ticket(ctx: Context, ticket_id: UUID) -> Ticket | None:
    """The ticket as the viewer may see it, or None: not visible answers like not existing (S07).

    Raises:
        HistoryUnavailable: a regulation alone withholds it (S11).
    """
    policy.check_authenticated(ctx.viewer)
    return await found_unless_withheld(ctx, Ticket, ticket_id)


async def get_ticket_by_reference(ctx: Context, reference: str) -> Ticket | None:
    """As `get_ticket`, by what people quote."""
    policy.check_authenticated(ctx.viewer)
    wanted = quoted(reference)
    if not wanted:
        return None
    ticket = await Ticket.shown_to(ctx.viewer).get_or_none(reference=wanted)
    if ticket is None:
        await check_not_withheld(ctx.viewer, Q(reference=wanted))
    return ticket


async def lock_for_sweep(ticket_id: UUID) -> Ticket:
    """A ticket locked for what happens by itself, whoever may see it."""
    ticket = await LOCKED.first(ticket_id)
    assert ticket is not None, "tickets are never deleted"
    remember(ticket, facts_of(ticket))
    return ticket


async def lock_ticket(ctx: Context, ticket_id: UUID, *, field: str = "ticketId") -> tuple[Ticket, TicketFacts]:
    """A visible ticket, locked until the end of the unit of work, with the facts that policies decide by.

    `field` is the argument that names it.

    Raises:
        Unauthenticated: nobody is signed in.
        NotFound: there is none that the viewer may see.
        HistoryUnavailable: a regulation alone withholds it.
    """
    policy.check_authenticated(ctx.viewer)
    ticket = await LOCKED.first(ticket_id)
    if ticket is None:
        raise NotFound("ticket", field=(field,))
    known = facts_of(ticket)
    facts = ticket.facts(is_participant=as_fact(ctx.user_id) in known["participant_ids"])
    if not policy.may_read_ticket(ctx.viewer, facts):
        raise await why_not_there(ctx.viewer, Q(id=ticket_id), field=(field,))
    remember(ticket, known)
    return ticket, facts


async def ask(
    work: Work, ctx: Context, ticket: Ticket, facts: TicketFacts, *, offers_appointments: bool = False
) -> Asked:
    """What the functions of `domain.actions` decide by, about a locked ticket.

    Whether its issue type `offers_appointments` is looked up by whoever makes one.
    """
    state = TicketState(
        status=ticket.status,
        locked=ticket.locked,
        resolved_at=ticket.resolved_at,
        windows=windows_of(ticket) if ticket.status is TicketStatus.RESOLVED else DEFAULT_WINDOWS,
        stage=await _active_stage(ticket) if ticket.is_escalated else None,
        has_feedback=ticket.status not in ACTIVE_STATUSES and await Feedback.exists(ticket_id=ticket.id),
        offers_appointments=offers_appointments,
    )
    return Asked(ctx.viewer, facts, state, work.now)


async def _active_stage(ticket: Ticket) -> EscalationStage | None:
    found = await Escalation.get_or_none(~Q(stage=EscalationStage.RESOLVED), ticket_id=ticket.id)
    return found.stage if found else None


@unit_of_work
async def resolve_ticket(
    work: Work,
    ctx: Context,
    ticket_id: UUID,
    *,
    reason: ResolutionReason | None = None,
    message: str | None = None,
    expected_version: int | None = None,
) -> Ticket:
    """Resolve a ticket, with a last word if there is one (S61).

    Raises:
        NotFound, Forbidden, StaleVersion: as for every change of a ticket.
        TicketClosed, Conflict: see `domain.lifecycle.check_may_resolve`.
        Invalid: the reason is not this person's to give.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    policy.check(ctx.viewer, policy.RESOLVE_TICKET, facts)
    check_version(ticket, expected_version)
    actions.check(actions.resolve, await ask(work, ctx, ticket, facts))
    by_staff = ctx.viewer.is_staff
    if reason:
        lifecycle.check_resolution_reason(reason, by_staff=by_staff)
    given = reason or (ResolutionReason.SUPPORT_RESOLVED if by_staff else ResolutionReason.CUSTOMER_RESOLVED)
    if message:
        actions.check(actions.reply, await ask(work, ctx, ticket, facts))
        await say(work, ctx, ticket, Saying(body=text(message, field="message")))
        _count_as_answer(work, ctx, ticket)
    await timeline.set_status(work, ctx, ticket, TicketStatus.RESOLVED, reason=given)
    timeline.touch(work, ticket)
    await ticket.save()
    return ticket


@unit_of_work
async def close_ticket(
    work: Work,
    ctx: Context,
    ticket_id: UUID,
    *,
    reason: ClosureReason | None = None,
    expected_version: int | None = None,
) -> Ticket:
    """Close a ticket for good (S60, S66).

    Raises:
        NotFound, Forbidden, StaleVersion: as for every change of a ticket.
        TicketClosed: it is closed already.
        Invalid: the reason is not this person's to give.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    policy.check(ctx.viewer, policy.CLOSE_TICKET, facts)
    check_version(ticket, expected_version)
    actions.check(actions.close, await ask(work, ctx, ticket, facts))
    own = _who_closed(ctx, ticket)
    if reason:
        lifecycle.check_closure_reason(reason, own=own)
    await timeline.set_status(work, ctx, ticket, TicketStatus.CLOSED, reason=own)
    timeline.touch(work, ticket)
    await ticket.save()
    return ticket


@unit_of_work
async def reopen_ticket(
    work: Work, ctx: Context, ticket_id: UUID, *, comment: str, attachment_ids: tuple[UUID, ...] = ()
) -> tuple[Ticket, Message]:
    """Reopen a resolved ticket with a comment that says why (S64, S65); returns it and the comment.

    Raises:
        NotFound, Forbidden: as for every change of a ticket.
        TicketClosed, ReopenNotAllowed, ReopenWindowExpired: see `domain.lifecycle.check_may_reopen`.
        TooManyFiles, Conflict: its files cannot be attached.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    actions.check(actions.reopen, await ask(work, ctx, ticket, facts))
    await timeline.set_status(work, ctx, ticket, TicketStatus.OPEN)
    saying = Saying(body=text(comment, field="comment"), attachment_ids=attachment_ids)
    message = await say(work, ctx, ticket, saying)
    _count_as_answer(work, ctx, ticket)
    timeline.touch(work, ticket)
    await ticket.save()
    return ticket, message


@unit_of_work
async def assign_ticket(
    work: Work, ctx: Context, ticket_id: UUID, *, assignee_id: UUID | None, expected_version: int | None = None
) -> Ticket:
    """Give a ticket to somebody from support, or to nobody (S46).

    Raises:
        NotFound: no such ticket, or no such person in support.
        Forbidden, StaleVersion: as for every change of a ticket.
        TicketClosed: closed is final.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    policy.check(ctx.viewer, policy.ASSIGN_TICKET, facts)
    check_version(ticket, expected_version)
    lifecycle.check_not_closed(ticket.status)
    old = await User.get_or_none(id=ticket.assignee_id) if ticket.assignee_id else None
    new = await User.get_or_none(id=assignee_id, is_active=True) if assignee_id else None
    if assignee_id and (new is None or new.staff_role is None):
        raise NotFound("person in support", field=("assigneeId",))
    if assignee_id == ticket.assignee_id:
        return ticket
    ticket.assignee_id = assignee_id
    await timeline.set_assignee(
        work, ctx, ticket, old=old.display_name if old else None, new=new.display_name if new else None
    )
    timeline.touch(work, ticket, activity=False)
    await ticket.save()
    return ticket


def check_version(ticket: Ticket, expected: int | None) -> None:
    """
    Raises:
        StaleVersion: somebody changed the ticket since the viewer read it (J8).
    """
    if expected is not None and expected != ticket.version:
        raise StaleVersion(ticket.version)


def _count_as_answer(work: Work, ctx: Context, ticket: Ticket) -> None:
    """What support says as it resolves or reopens a ticket answers it like any other public message."""
    if ctx.viewer.is_staff:
        ticket.first_responded_at = ticket.first_responded_at or work.now


def _who_closed(ctx: Context, ticket: Ticket) -> ClosureReason:
    if ctx.viewer.is_staff:
        return ClosureReason.SUPPORT_CLOSED
    if ctx.viewer.user_id in (ticket.requester_id, ticket.owner_id):
        return ClosureReason.CUSTOMER_CLOSED
    return ClosureReason.ORG_MANAGER_CLOSED
