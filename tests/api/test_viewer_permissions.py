"""`viewerPermissions` says before what the mutations say after: every viewer, every state of a ticket (S52, J4)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import models
from domain.actions import ACTIONS
from domain.enums import (
    AppointmentBlockedReason,
    Confidentiality,
    EscalationStage,
    MemberVisibility,
    ReplyBlockedReason,
    TicketChannel,
    TicketStatus,
)
from domain.policy import ANONYMOUS
from resolvers.context import Context, Services
from resolvers.transaction import Work, work_in_transaction
from tests.api.world import VIEWERS, World, gid, make_world
from tests.client import Client, schema
from tests.clock import Clock
from tests.conftest import AsUser
from tests.engine.desk import planned_desk, viewer_of
from tests.factories import make_escalation, make_participant, make_ticket

pytestmark = pytest.mark.anyio

FIELDS = [*ACTIONS, "reply_blocked_reason", "appointment_blocked_reason"]


def in_api(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(each.title() for each in others)


ASK = "query($t: ID!) { ticket(id: $t) { viewerPermissions { " + " ".join(map(in_api, FIELDS)) + " } } }"

STATES: dict[str, Callable[[World, Clock], dict[str, Any]]] = {
    "open": lambda world, clock: {},
    "new, by e-mail": lambda world, clock: {"status": TicketStatus.NEW, "channel": TicketChannel.EMAIL},
    "waiting": lambda world, clock: {"status": TicketStatus.PENDING_CUSTOMER, "waiting_since": clock()},
    "on hold": lambda world, clock: {"status": TicketStatus.ON_HOLD, "hold_until": clock()},
    "assigned": lambda world, clock: {"assignee": world["agent"]},
    "for an appointment": lambda world, clock: {"assignee": world["agent"], "issue_type": "offering"},
    "for an appointment, unassigned": lambda world, clock: {"issue_type": "offering"},
    "for an appointment, closed": lambda world, clock: {
        "assignee": world["agent"],
        "issue_type": "offering",
        "status": TicketStatus.CLOSED,
        "closed_at": clock(),
    },
    "locked": lambda world, clock: {"locked": True},
    "resolved": lambda world, clock: {"status": TicketStatus.RESOLVED, "resolved_at": clock()},
    "resolved, locked": lambda world, clock: {"status": TicketStatus.RESOLVED, "resolved_at": clock(), "locked": True},
    "resolved at the end of the window": lambda world, clock: {
        "status": TicketStatus.RESOLVED,
        "resolved_at": clock() - timedelta(days=7),
    },
    "resolved too long ago": lambda world, clock: {
        "status": TicketStatus.RESOLVED,
        "resolved_at": clock() - timedelta(days=7, microseconds=1),
    },
    "closed": lambda world, clock: {"status": TicketStatus.CLOSED, "closed_at": clock(), "assignee": world["agent"]},
    "unclaimed": lambda world, clock: {"requester": None, "owner": None},
    "unclaimed, closed": lambda world, clock: {
        "requester": None,
        "owner": None,
        "status": TicketStatus.CLOSED,
        "closed_at": clock(),
    },
    "private": lambda world, clock: {"confidentiality": Confidentiality.AUTHOR_ONLY, "assignee": world["agent"]},
    "judged, closed": lambda world, clock: {"status": TicketStatus.CLOSED, "closed_at": clock()},
    "escalated": lambda world, clock: {"is_escalated": True},
    "to be confirmed": lambda world, clock: {"is_escalated": True},
}

MUTATIONS = {
    "can_reply": 'messageSend(input: {ticketId: $t, clientMessageId: "1", message: {body: "x"}})',
    "can_add_note": 'noteAdd(input: {ticketId: $t, body: "x"})',
    "can_resolve": "ticketResolve(input: {ticketId: $t})",
    "can_close": "ticketClose(input: {ticketId: $t})",
    "can_reopen": 'ticketReopen(input: {ticketId: $t, comment: "x"})',
    "can_follow": "ticketFollow(input: {ticketId: $t})",
    "can_add_followers": "ticketFollowersAdd(input: {ticketId: $t, userIds: [$u]})",
    "can_add_contact": "ticketContactAdd(input: {ticketId: $t, userId: $u})",
    "can_share": "ticketShare(input: {ticketId: $t, userIds: [$u]})",
    "can_claim": "ticketClaim(input: {ticketId: $t})",
    "can_confirm_resolution": "escalationConfirmResolution(input: {escalationId: $e})",
    "can_create_linked_ticket": 'ticketCreateLinked(input: {sourceTicketId: $t, body: "x"})',
    "can_leave_feedback": "feedbackSubmit(input: {ticketId: $t, rating: 5})",
    "can_export": "ticketExport(input: {ticketId: $t})",
    "can_schedule_appointment": "appointmentSchedule(input: {ticketId: $t, "
    'startsAt: "2026-06-01T10:00:00Z", endsAt: "2026-06-01T11:00:00Z"})',
    "can_see_internal": 'noteAdd(input: {ticketId: $t, body: "x", visibility: INTERNAL})',
}
"""What a field promises; each is tried and taken back."""


class TakenBack(Exception):
    """Ends a unit of work without a trace."""


def test_every_action_is_tried() -> None:
    assert MUTATIONS.keys() | {"can_update_status", "can_attach"} == ACTIONS.keys()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("preset", MemberVisibility)
async def test_a_field_and_its_mutation_never_disagree(
    as_user: AsUser, services: Services, clock: Clock, preset: MemberVisibility, state: str
) -> None:
    world = await make_world(preset)
    ticket, escalation = await make(world, clock, state)
    given = {"t": gid(ticket), "e": gid(escalation), "u": gid(world["author"])}

    for name in VIEWERS[:-1]:
        client = as_user(world.people[name])
        told = await told_to(client, ticket)
        if told is None:
            continue
        refusals = {action: await tried(client, services, call, given) for action, call in MUTATIONS.items()}
        if told["canSeeInternal"] and ticket.status is TicketStatus.CLOSED:
            # Nothing is written on a closed ticket, whoever reads it.
            assert refusals.pop("can_see_internal") == "TICKET_CLOSED", name
        wrong = {each: refusal for each, refusal in refusals.items() if told[in_api(each)] is not (refusal is None)}
        assert wrong == {}, name

        changes = [told[in_api(each)] for each in ("can_resolve", "can_close", "can_reopen")]
        assert told["canUpdateStatus"] is any(changes), name
        assert told["canAttach"] is (told["canReply"] or told["canAddNote"]), name
        assert told["replyBlockedReason"] in REASONS[refusals["can_reply"]], (name, refusals["can_reply"])
        assert (told["replyBlockedReason"] == "READ_ONLY_ROLE") is (name in ("reader", "helper")), name
        appointment = refusals["can_schedule_appointment"]
        if appointment != "FORBIDDEN":
            reason = told["appointmentBlockedReason"]
            assert appointment == ("APPOINTMENT_NOT_AVAILABLE" if reason else None), (name, reason)


REASONS: dict[str | None, set[str | None]] = {
    None: {None},
    "FORBIDDEN": {"READ_ONLY_ROLE", "NOT_SUBMITTER_OR_ORG_ADMIN"},
    "CONFLICT": {"LOCKED"},
    "TICKET_CLOSED": {"TICKET_CLOSED"},
    "REOPEN_WINDOW_EXPIRED": {"TICKET_CLOSED"},
}
"""What an editor that is not shown says instead, by the code that `messageSend` is refused with."""


async def test_among_these_states_and_viewers_is_every_answer_and_every_reason(as_user: AsUser, clock: Clock) -> None:
    world = await make_world()
    answers: set[tuple[str, bool]] = set()
    reasons: set[str | None] = set()
    no_appointment: set[str | None] = set()

    for state in STATES:
        ticket, _ = await make(world, clock, state)
        for name in VIEWERS[:-1]:
            told = await told_to(as_user(world.people[name]), ticket)
            if told is not None:
                answers |= {(action, told[in_api(action)]) for action in ACTIONS}
                reasons.add(told["replyBlockedReason"])
                no_appointment.add(told["appointmentBlockedReason"])

    never = {("can_export", False)}  # whoever sees a ticket may take it away (S72)
    assert answers == {(action, answer) for action in ACTIONS for answer in (True, False)} - never
    assert reasons == {None, *ReplyBlockedReason} - {ReplyBlockedReason.HISTORY_UNAVAILABLE}
    assert no_appointment == {None, *AppointmentBlockedReason}


async def told_to(client: Client, ticket: models.Ticket) -> Any:
    found = (await client.ask(ASK, t=gid(ticket)))["ticket"]
    return found and found["viewerPermissions"]


async def test_both_ways_to_an_answer_say_the_same_in_a_few_statements(db: str, clock: Clock) -> None:  # J5
    world = await make_world()
    for state in STATES:
        await make(world, clock, state)
    ask = "{ tickets(scope: ALL, filter: {}, first: 50) { nodes { viewerIsFollowing viewerPermissions { "
    document = ask + " ".join(map(in_api, FIELDS)) + " } } } }"

    async with planned_desk(db) as desk:
        for name in ("author", "helper", "agent"):
            found = await desk.agreed(document, await viewer_of(world[name]))
            assert found is not None, name
            assert len(found["tickets"]["nodes"]) > 5, name


async def make(world: World, clock: Clock, state: str) -> tuple[models.Ticket, models.Escalation]:
    given = STATES[state](world, clock)
    if given.get("issue_type"):
        given["issue_type"] = await models.IssueType.create(
            request_type=world.request_type, name=state, appointments_available=True
        )
    ticket = await make_ticket(world.acme, given.pop("requester", world["author"]), **given)
    await make_participant(ticket, world["helper"])
    if state == "judged, closed":
        await models.Feedback.create(ticket=ticket, rating=3, submitted_at=clock())
    stage = EscalationStage.VERIFYING_RESOLUTION if state == "to be confirmed" else EscalationStage.IN_REVIEW
    if not ticket.is_escalated:
        ended = {"stage": EscalationStage.RESOLVED, "resolved_at": clock()}
        return ticket, await make_escalation(ticket, **ended)
    return ticket, await make_escalation(ticket, stage=stage)


async def tried(client: Client, services: Services, call: str, given: dict[str, str]) -> str | None:
    """The code that the mutation is refused with; it is taken back in any case."""
    used = [name for name in given if f"${name}" in call]
    document = f"mutation({', '.join(f'${name}: ID!' for name in used)}) {{ {call} {{ errors {{ code }} }} }}"
    context = Context(await client.viewer(), services)
    codes: list[str | None] = []

    async def body(work: Work) -> None:
        values = {name: given[name] for name in used}
        result = await schema().execute(document, variable_values=values, context_value=context)
        if result.errors:
            codes.append(str((result.errors[0].extensions or {}).get("code")))
        else:
            assert result.data is not None
            (payload,) = result.data.values()
            codes.append(payload["errors"][0]["code"] if payload["errors"] else None)
        raise TakenBack

    with pytest.raises(TakenBack):
        await work_in_transaction(Context(ANONYMOUS, services), body)
    return codes[0]
