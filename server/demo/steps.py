"""What can happen in a story. Each step goes through the operation that the API calls, where there is one.

The first value of a step is how many hours after the one before it happens.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from domain import policy
from domain.enums import (
    ConferenceCallStatus,
    EscalationStage,
    ParticipantRole,
    ResolutionReason,
    TicketStatus,
    Visibility,
)
from models import ConferenceCall, Escalation, Feedback, Participant, Ticket
from resolvers import timeline
from resolvers.context import Context
from resolvers.escalations import (
    advance_escalation,
    confirm_resolution,
    reject_resolution,
    set_estimate,
    submit_escalation,
)
from resolvers.messages import add_note, send_message
from resolvers.resources import share_resource
from resolvers.scheduling import answer_call, schedule_appointment, schedule_call
from resolvers.tickets import assign_ticket, close_ticket, lock_ticket, reopen_ticket, resolve_ticket
from resolvers.transaction import Work, unit_of_work
from server.demo.stage import Stage


@dataclass(frozen=True, slots=True)
class Step(ABC):
    after: float
    by: str

    @abstractmethod
    async def play(self, stage: Stage, ticket: UUID) -> None: ...


@dataclass(frozen=True, slots=True)
class Says(Step):
    body: str

    async def play(self, stage: Stage, ticket: UUID) -> None:
        key = f"demo:{stage.now.isoformat()}"
        await send_message(await stage.acting_as(self.by), ticket, body=self.body, client_message_id=key)


@dataclass(frozen=True, slots=True)
class Notes(Step):
    """For colleagues in support only."""

    body: str

    async def play(self, stage: Stage, ticket: UUID) -> None:
        await add_note(await stage.acting_as(self.by), ticket, body=self.body, visibility=Visibility.INTERNAL)


@dataclass(frozen=True, slots=True)
class Adds(Step):
    """A note for support by somebody from the customer's side (S04)."""

    body: str

    async def play(self, stage: Stage, ticket: UUID) -> None:
        await add_note(await stage.acting_as(self.by), ticket, body=self.body, visibility=Visibility.PUBLIC)


@dataclass(frozen=True, slots=True)
class Assigns(Step):
    to: str

    async def play(self, stage: Stage, ticket: UUID) -> None:
        await assign_ticket(await stage.acting_as(self.by), ticket, assignee_id=stage.people[self.to].id)


@dataclass(frozen=True, slots=True)
class Resolves(Step):
    message: str | None = None
    reason: ResolutionReason | None = None

    async def play(self, stage: Stage, ticket: UUID) -> None:
        await resolve_ticket(await stage.acting_as(self.by), ticket, message=self.message, reason=self.reason)


@dataclass(frozen=True, slots=True)
class Reopens(Step):
    comment: str

    async def play(self, stage: Stage, ticket: UUID) -> None:
        await reopen_ticket(await stage.acting_as(self.by), ticket, comment=self.comment)


@dataclass(frozen=True, slots=True)
class Closes(Step):
    async def play(self, stage: Stage, ticket: UUID) -> None:
        await close_ticket(await stage.acting_as(self.by), ticket)


@dataclass(frozen=True, slots=True)
class Escalates(Step):
    issue: str

    async def play(self, stage: Stage, ticket: UUID) -> None:
        await submit_escalation(await stage.acting_as(self.by), ticket, issue_description=self.issue)


@dataclass(frozen=True, slots=True)
class Advances(Step):
    """`estimate` is in days from then."""

    to: EscalationStage
    note: str | None = None
    internal_note: str | None = None
    estimate: float | None = None

    async def play(self, stage: Stage, ticket: UUID) -> None:
        estimate = stage.now + timedelta(days=self.estimate) if self.estimate else None
        await advance_escalation(
            await stage.acting_as(self.by),
            await _escalation_of(ticket),
            stage=self.to,
            note=self.note,
            internal_note=self.internal_note,
            estimate=estimate,
        )


@dataclass(frozen=True, slots=True)
class Estimates(Step):
    days: float

    async def play(self, stage: Stage, ticket: UUID) -> None:
        estimate = stage.now + timedelta(days=self.days)
        await set_estimate(await stage.acting_as(self.by), await _escalation_of(ticket), estimate=estimate)


@dataclass(frozen=True, slots=True)
class Confirms(Step):
    comment: str

    async def play(self, stage: Stage, ticket: UUID) -> None:
        await confirm_resolution(await stage.acting_as(self.by), await _escalation_of(ticket), comment=self.comment)


@dataclass(frozen=True, slots=True)
class Rejects(Step):
    comment: str

    async def play(self, stage: Stage, ticket: UUID) -> None:
        await reject_resolution(await stage.acting_as(self.by), await _escalation_of(ticket), comment=self.comment)


@dataclass(frozen=True, slots=True)
class Holds(Step):
    """`days` from then until it is looked at again."""

    days: float

    async def play(self, stage: Stage, ticket: UUID) -> None:
        await _hold(await stage.acting_as(self.by), ticket, timedelta(days=self.days))


@dataclass(frozen=True, slots=True)
class AddsContact(Step):
    """The assigned agent adds somebody to be kept informed (S06)."""

    contact: str

    async def play(self, stage: Stage, ticket: UUID) -> None:
        await Participant.create(
            ticket_id=ticket,
            user=stage.people[self.contact],
            added_by=stage.people[self.by],
            role=ParticipantRole.CONTACT,
            added_at=stage.now,
        )


@dataclass(frozen=True, slots=True)
class SharesLink(Step):
    title: str
    url: str

    async def play(self, stage: Stage, ticket: UUID) -> None:
        await share_resource(await stage.acting_as(self.by), ticket, title=self.title, url=self.url)


@dataclass(frozen=True, slots=True)
class ProposesCall(Step):
    """`days` from then."""

    days: float
    join_url: str
    passcode: str

    async def play(self, stage: Stage, ticket: UUID) -> None:
        at = stage.now + timedelta(days=self.days)
        by = await stage.acting_as(self.by)
        await schedule_call(by, ticket, scheduled_for=at, join_url=self.join_url, passcode=self.passcode)


@dataclass(frozen=True, slots=True)
class AcceptsCall(Step):
    async def play(self, stage: Stage, ticket: UUID) -> None:
        call = await ConferenceCall.get(ticket_id=ticket, status=ConferenceCallStatus.PENDING)
        await answer_call(await stage.acting_as(self.by), call.id, accept=True)


@dataclass(frozen=True, slots=True)
class Books(Step):
    """An appointment of an hour, `days` from then; support confirms one by booking it again."""

    days: float

    async def play(self, stage: Stage, ticket: UUID) -> None:
        starts = stage.now + timedelta(days=self.days)
        by = await stage.acting_as(self.by)
        await schedule_appointment(by, ticket, starts_at=starts, ends_at=starts + timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class Rates(Step):
    rating: int
    comment: str | None = None

    async def play(self, stage: Stage, ticket: UUID) -> None:
        await Feedback.create(
            ticket_id=ticket,
            submitted_by=stage.people[self.by],
            rating=self.rating,
            comment=self.comment,
            submitted_at=stage.now,
        )


@unit_of_work
async def _hold(work: Work, ctx: Context, ticket_id: UUID, time: timedelta) -> Ticket:
    ticket, facts = await lock_ticket(ctx, ticket_id)
    policy.check(ctx.viewer, policy.STAFF_ONLY, facts)
    ticket.hold_until = work.now + time
    await timeline.set_status(work, ctx, ticket, TicketStatus.ON_HOLD)
    timeline.touch(work, ticket)
    await ticket.save()
    return ticket


async def _escalation_of(ticket: UUID) -> UUID:
    """The one that is under way."""
    return (await Escalation.exclude(stage=EscalationStage.RESOLVED).get(ticket_id=ticket)).id
