"""Escalations: handing a ticket to engineering, moving it on, and following it stage by stage."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tortoise.expressions import Q

from domain import escalation as stages
from domain import lifecycle, policy
from domain.enums import EscalationStage
from domain.errors import NotFound, Required
from domain.naming import escalation_reference, quoted, text
from domain.words import Text
from engine.keyset import LazyPage, Order, PageArgs
from models import Escalation, EscalationEntry, Ticket
from models.tickets import of_visible_tickets
from realtime.cursor import Cursor
from realtime.hub import CaughtUp, Delivered, Reset
from resolvers import timeline
from resolvers.context import Context
from resolvers.counters import next_number
from resolvers.history import check_history_of, check_not_withheld, found_unless_withheld
from resolvers.reading import listing
from resolvers.streams import ESCALATION_CHANGED, ESCALATION_ENTERED, follow, streams_of
from resolvers.tickets import lock_ticket
from resolvers.transaction import Work, unit_of_work

BY_SUBMITTED = Order("escalations", "submitted_at", descending=True)


async def get_escalation(ctx: Context, escalation_id: UUID) -> Escalation | None:
    """The escalation, if the viewer sees its ticket.

    Raises:
        HistoryUnavailable: a regulation alone withholds it (S11).
    """
    policy.check_authenticated(ctx.viewer)
    return await found_unless_withheld(ctx, Escalation, escalation_id)


async def get_escalation_by_reference(ctx: Context, reference: str) -> Escalation | None:
    """As `get_escalation`, by what people quote."""
    policy.check_authenticated(ctx.viewer)
    wanted = quoted(reference)
    if not wanted:
        return None
    escalation = await Escalation.shown_to(ctx.viewer).get_or_none(reference=wanted)
    if escalation is None:
        await check_not_withheld(ctx.viewer, Q(reference=wanted), Escalation)
    return escalation


def list_escalations(
    ctx: Context, args: PageArgs, *, wanted: list[EscalationStage] | None = None, organization_id: UUID | None = None
) -> LazyPage[Escalation]:
    """Those of the tickets that the viewer may see, newest first.

    Raises:
        HistoryUnavailable: a regulation forbids to show those of this organization, or of all of the viewer's (S11).
        Invalid: a paging argument cannot be used.
    """
    policy.check_authenticated(ctx.viewer)
    check_history_of(ctx.viewer, organization_id)
    query = Escalation.filter(of_visible_tickets(ctx.viewer))
    if wanted is not None:
        query = query.filter(stage__in=wanted)
    if organization_id is not None:
        query = query.filter(ticket__organization_id=organization_id)
    return listing(ctx, query, BY_SUBMITTED, args)


@dataclass(frozen=True, slots=True)
class Step:
    """What is said about a stage as it is entered."""

    note: str | None = None
    internal_note: str | None = None
    is_override: bool = False


@unit_of_work
async def submit_escalation(
    work: Work, ctx: Context, ticket_id: UUID, *, issue_description: str
) -> tuple[Escalation, Ticket]:
    """Hand a ticket to engineering (S73-S75).

    Raises:
        NotFound, Forbidden: as for every change of a ticket.
        TicketClosed: closed is final.
        Conflict: an escalation of the ticket is under way.
        Required, Invalid: the description cannot be stored.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    policy.check(ctx.viewer, policy.SUBMIT_ESCALATION, facts, "Only support staff escalate a ticket.")
    lifecycle.check_not_closed(ticket.status)
    stages.check_submit(has_active=ticket.is_escalated)
    number = await next_number("escalation")
    escalation = await Escalation.create(
        ticket_id=ticket.id,
        number=number,
        reference=escalation_reference(number),
        issue_description=text(issue_description, field="issueDescription"),
        submitted_by_id=ctx.user_id,
        submitted_at=work.now,
        updated_at=work.now,
    )
    await _enter(work, ctx, ticket, escalation, EscalationStage.SUBMITTED, Step())
    return escalation, ticket


@unit_of_work
async def advance_escalation(
    work: Work,
    ctx: Context,
    escalation_id: UUID,
    *,
    stage: EscalationStage,
    note: str | None = None,
    internal_note: str | None = None,
    estimate: datetime | None = None,
) -> tuple[Escalation, EscalationEntry]:
    """Move an escalation one stage on (S76). Resolving it for a silent customer is recorded as an override (S78).

    Raises:
        NotFound, Forbidden: as for every change of a ticket.
        InvalidStageTransition: anything but the next stage.
        Required, Invalid: a note cannot be stored, or the estimate is in the past.
    """
    ticket, escalation = await _lock(ctx, escalation_id, policy.ADVANCE_ESCALATION, Text("Only support staff do this."))
    stages.check_advance(escalation.stage, stage)
    if estimate is not None:
        stages.check_estimate(escalation.stage, estimate, now=work.now)
        escalation.estimated_resolution_at = estimate
    step = Step(
        note=text(note, field="note") if note else None,
        internal_note=text(internal_note, field="internalNote") if internal_note else None,
        is_override=stages.is_override(escalation.stage, stage),
    )
    entry = await _enter(work, ctx, ticket, escalation, stage, step)
    return escalation, entry


@unit_of_work
async def set_estimate(work: Work, ctx: Context, escalation_id: UUID, *, estimate: datetime | None) -> Escalation:
    """Set, move or take back the estimated resolution date; it is never guaranteed (S79).

    Raises:
        NotFound, Forbidden: as for every change of a ticket.
        InvalidStageTransition: the escalation is resolved.
        Invalid: the date is in the past.
    """
    ticket, escalation = await _lock(ctx, escalation_id, policy.ADVANCE_ESCALATION, Text("Only support staff do this."))
    stages.check_estimate(escalation.stage, estimate, now=work.now)
    if escalation.estimated_resolution_at == estimate:
        return escalation
    escalation.estimated_resolution_at = estimate
    escalation.updated_at = work.now
    await escalation.save()
    work.emit(streams_of(ticket.id), ESCALATION_CHANGED, {"escalation": str(escalation.id)})
    timeline.touch(work, ticket, activity=False)
    await ticket.save()
    return escalation


@unit_of_work
async def confirm_resolution(
    work: Work, ctx: Context, escalation_id: UUID, *, comment: str | None = None
) -> Escalation:
    """The customer confirms that the solution works: the escalation is over (S78).

    Raises:
        NotFound, Forbidden: the customer's side of the ticket decides, support does not.
        InvalidStageTransition: nobody asked.
    """
    step = Step(note=text(comment, field="comment") if comment else None)
    return await _decide(work, ctx, escalation_id, step, confirmed=True)


@unit_of_work
async def reject_resolution(work: Work, ctx: Context, escalation_id: UUID, *, comment: str) -> Escalation:
    """The customer says why the solution does not work: back to engineering (S78).

    Raises:
        NotFound, Forbidden: the customer's side of the ticket decides, support does not.
        InvalidStageTransition: nobody asked.
        Required: no reason is given.
    """
    if not comment.strip():
        raise Required("Say what does not work yet.", field=("comment",))
    return await _decide(work, ctx, escalation_id, Step(note=text(comment, field="comment")), confirmed=False)


@dataclass(frozen=True, slots=True)
class EscalationChange:
    escalation: Escalation
    entry: EscalationEntry | None
    cursor: Cursor


async def watch_escalations(
    ctx: Context, ticket_id: UUID, *, escalation_id: UUID | None = None, after: Cursor | None
) -> AsyncGenerator[EscalationChange | CaughtUp | Reset, None]:
    """Stages entered and estimates changed, of one escalation or of all of a ticket's (S82): as `watch_messages`."""
    policy.check_authenticated(ctx.viewer)
    async with aclosing(follow(ctx, ticket_id, after)) as steps:
        async for step in steps:
            match step:
                case Delivered(event, cursor) if event.kind in (ESCALATION_ENTERED, ESCALATION_CHANGED):
                    if escalation_id in (None, UUID(event.data["escalation"])):
                        entry = event.data.get("entry")
                        yield EscalationChange(
                            escalation=await Escalation.get(id=UUID(event.data["escalation"])),
                            entry=await EscalationEntry.get(id=UUID(entry)) if entry else None,
                            cursor=cursor,
                        )
                case Delivered():
                    continue
                case _:
                    yield step


async def _decide(work: Work, ctx: Context, escalation_id: UUID, step: Step, *, confirmed: bool) -> Escalation:
    message = Text("The customer confirms or rejects a resolution.")
    ticket, escalation = await _lock(ctx, escalation_id, policy.DECIDE_RESOLUTION, message)
    stage = stages.after_customer_verdict(escalation.stage, confirmed=confirmed)
    timeline.hear(work, ctx, ticket)
    await _enter(work, ctx, ticket, escalation, stage, step)
    return escalation


async def _lock(ctx: Context, escalation_id: UUID, rule: policy.Rule, message: Text) -> tuple[Ticket, Escalation]:
    """An escalation and its ticket, both locked: the ticket first, as everywhere.

    Raises:
        NotFound: there is none that the viewer may see.
        HistoryUnavailable: a regulation alone withholds it.
        Forbidden: the rule does not hold.
    """
    policy.check_authenticated(ctx.viewer)
    seen = await Escalation.get_or_none(Escalation.seen_by(ctx.viewer), id=escalation_id)
    if seen is None:
        await check_not_withheld(ctx.viewer, Q(id=escalation_id), Escalation)
        raise NotFound("escalation", field=("escalationId",))
    ticket, facts = await lock_ticket(ctx, seen.ticket_id)
    policy.check(ctx.viewer, rule, facts, message)
    return ticket, await Escalation.select_for_update().get(id=escalation_id)


async def _enter(
    work: Work, ctx: Context, ticket: Ticket, escalation: Escalation, stage: EscalationStage, step: Step
) -> EscalationEntry:
    """Date the stage, put it on both timelines and announce it; saves the escalation and the ticket."""
    escalation.stage = stage
    escalation.entry_count += 1
    escalation.updated_at = work.now
    escalation.resolved_at = None if stages.is_active(stage) else work.now
    await escalation.save()
    entry = await EscalationEntry.create(
        escalation_id=escalation.id,
        sequence=escalation.entry_count,
        stage=stage,
        entered_at=work.now,
        actor_id=ctx.viewer.user_id,
        note=step.note,
        internal_note=step.internal_note,
        is_override=step.is_override,
        estimated_resolution_at=escalation.estimated_resolution_at,
    )
    ticket.is_escalated = stages.is_active(stage)
    data = {"escalation": str(escalation.id), "entry": str(entry.id)}
    work.emit(streams_of(ticket.id), ESCALATION_ENTERED, data, key=f"entry:{entry.id}")
    await timeline.enter_stage(work, ctx, ticket, entry)
    timeline.touch(work, ticket)
    await ticket.save()
    return entry
