"""Escalations from the customer's side and from support's: every stage, live and in order (S73-S82)."""

from typing import Any

import pytest

import models
from domain.enums import EscalationStage, TicketStatus
from tests.api.operations import mutate, refusal
from tests.api.world import gid, nothing_changes
from tests.client import Client
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import make_escalation, make_member, make_organization, make_staff, make_ticket

pytestmark = pytest.mark.anyio

SUBMITTED, IN_REVIEW, IN_PROGRESS, VERIFYING, RESOLVED = EscalationStage

WATCH = """subscription($ticketId: ID, $escalationId: ID, $after: Cursor) {
  escalationTimeline(ticketId: $ticketId, escalationId: $escalationId, after: $after) {
    __typename
    ... on StreamCaughtUp { cursor }
    ... on EscalationTimelineChange { changeType cursor escalation { id stage requiresCustomerAction resolvedAt }
      entry { stage sequence enteredAt note isOverride actor { displayName } } } } }"""

DETAIL = """query($id: ID!) { escalation(id: $id) {
  reference issueDescription stage requiresCustomerAction estimatedResolutionAt estimateIsGuaranteed resolvedAt
  submittedAt createdAt submittedBy { displayName }
  ticket { isEscalated displayStatus activeEscalation { id } escalations { totalCount } }
  timeline { totalCount nodes { stage sequence enteredAt note internalNote isOverride actor { displayName } } } } }"""


class Case:
    """Ann's ticket, Sam from support, and what they do with its escalation."""

    def __init__(self, as_user: AsUser, ann: models.User, sam: models.User, ticket: models.Ticket) -> None:
        self.ann, self.sam, self.ticket = as_user(ann), as_user(sam), ticket

    async def submit(self, text: str = "The sensor is dead") -> Any:
        selection = "escalation { id reference stage } ticket { isEscalated displayStatus activeEscalation { id } }"
        return await mutate(self.sam, "escalationSubmit", selection, ticketId=gid(self.ticket), issueDescription=text)

    async def advance(self, escalation: str, stage: EscalationStage, **given: Any) -> Any:
        selection = "escalation { stage } entry { stage sequence isOverride note internalNote }"
        return await mutate(
            self.sam, "escalationAdvance", selection, escalationId=escalation, stage=stage.value, **given
        )

    async def advance_to(self, escalation: str, *stages: EscalationStage) -> None:
        for stage in stages:
            assert (await self.advance(escalation, stage))["errors"] == []

    async def confirm(self, escalation: str, **given: Any) -> Any:
        return await mutate(
            self.ann, "escalationConfirmResolution", "escalation { stage }", escalationId=escalation, **given
        )

    async def reject(self, escalation: str, comment: str) -> Any:
        return await mutate(
            self.ann,
            "escalationRejectResolution",
            "escalation { stage }",
            escalationId=escalation,
            comment=comment,
        )

    async def estimate(self, escalation: str, at: str | None) -> Any:
        return await mutate(
            self.sam,
            "escalationSetEstimate",
            "escalation { estimatedResolutionAt estimateIsGuaranteed }",
            escalationId=escalation,
            estimatedResolutionAt=at,
        )

    async def detail(self, reader: Client, escalation: str) -> Any:
        return (await reader.ask(DETAIL, id=escalation))["escalation"]


@pytest.fixture
async def case(as_user: AsUser) -> Case:
    acme = await make_organization("Acme")
    ann = await make_member(acme, name="Ann")
    return Case(as_user, ann, await make_staff(name="Sam"), await make_ticket(acme, ann))


async def test_an_escalation_is_an_object_of_its_own_on_the_ticket(case: Case) -> None:  # S73, S74, S75, S77
    submitted = await case.submit()

    escalation = submitted["escalation"]
    assert submitted["errors"] == []
    assert submitted["ticket"] == {
        "isEscalated": True,
        "displayStatus": "ESCALATED",
        "activeEscalation": {"id": escalation["id"]},
    }
    assert escalation["reference"].startswith("CP-")
    assert await case.detail(case.ann, escalation["id"]) == {
        "reference": escalation["reference"],
        "issueDescription": "The sensor is dead",
        "stage": "SUBMITTED",
        "requiresCustomerAction": False,
        "estimatedResolutionAt": None,
        "estimateIsGuaranteed": False,
        "resolvedAt": None,
        "submittedAt": "2026-03-02T09:00:00.000000Z",
        "createdAt": "2026-03-02T09:00:00.000000Z",
        "submittedBy": {"displayName": "Sam"},
        "ticket": {
            "isEscalated": True,
            "displayStatus": "ESCALATED",
            "activeEscalation": {"id": escalation["id"]},
            "escalations": {"totalCount": 1},
        },
        "timeline": {
            "totalCount": 1,
            "nodes": [
                {
                    "stage": "SUBMITTED",
                    "sequence": 1,
                    "enteredAt": "2026-03-02T09:00:00.000000Z",
                    "note": None,
                    "internalNote": None,
                    "isOverride": False,
                    "actor": {"displayName": "Sam"},
                }
            ],
        },
    }


async def test_a_watching_customer_sees_every_stage_live_and_in_order(case: Case, clock: Clock) -> None:
    """S76, S77, S78, S82: rejected once with a reason, then confirmed."""
    async with case.ann.watch(WATCH, ticketId=gid(case.ticket)) as stream:
        assert (await stream.next())["__typename"] == "StreamCaughtUp"
        escalation = (await case.submit())["escalation"]["id"]
        clock.advance(hours=1)
        await case.advance(escalation, IN_REVIEW, note="We are looking")
        await case.advance_to(escalation, IN_PROGRESS, VERIFYING)
        await case.reject(escalation, "Still black")
        await case.advance_to(escalation, VERIFYING)
        await case.confirm(escalation, comment="Thank you")

        told = await stream.take(7)

    assert {each["changeType"] for each in told} == {"ADDED"}
    assert len({each["cursor"] for each in told}) == 7
    entries = [each["entry"] for each in told]
    assert [(e["sequence"], e["stage"], e["note"], e["actor"]["displayName"]) for e in entries] == [
        (1, "SUBMITTED", None, "Sam"),
        (2, "IN_REVIEW", "We are looking", "Sam"),
        (3, "ENGINEERING_IN_PROGRESS", None, "Sam"),
        (4, "VERIFYING_RESOLUTION", None, "Sam"),
        (5, "ENGINEERING_IN_PROGRESS", "Still black", "Ann"),
        (6, "VERIFYING_RESOLUTION", None, "Sam"),
        (7, "RESOLVED", "Thank you", "Ann"),
    ]
    assert [e["enteredAt"][11:16] for e in entries] == ["09:00", *["10:00"] * 6]
    assert {each["escalation"]["id"] for each in told} == {escalation}
    assert told[-1]["escalation"] == {
        "id": escalation,
        "stage": "RESOLVED",
        "requiresCustomerAction": False,
        "resolvedAt": "2026-03-02T10:00:00.000000Z",
    }
    shown = await case.detail(case.ann, escalation)
    assert [e["stage"] for e in shown["timeline"]["nodes"]] == [e["stage"] for e in entries]
    assert shown["ticket"] == {
        "isEscalated": False,
        "displayStatus": "OPEN",
        "activeEscalation": None,
        "escalations": {"totalCount": 1},
    }


async def test_the_customer_is_asked_when_there_is_a_solution(case: Case) -> None:  # S78
    escalation = (await case.submit())["escalation"]["id"]
    await case.advance_to(escalation, IN_REVIEW, IN_PROGRESS)

    before = (await case.detail(case.ann, escalation))["requiresCustomerAction"]
    await case.advance_to(escalation, VERIFYING)
    after = (await case.detail(case.ann, escalation))["requiresCustomerAction"]

    assert (before, after) == (False, True)


async def test_support_resolves_for_a_silent_customer_and_it_is_recorded(case: Case) -> None:  # S78
    escalation = (await case.submit())["escalation"]["id"]
    await case.advance_to(escalation, IN_REVIEW, IN_PROGRESS, VERIFYING)

    done = await case.advance(escalation, RESOLVED, note="No answer for two weeks")

    assert done["entry"] == {
        "stage": "RESOLVED",
        "sequence": 5,
        "isOverride": True,
        "note": "No answer for two weeks",
        "internalNote": None,
    }
    entries = (await case.detail(case.ann, escalation))["timeline"]["nodes"]
    assert [e["isOverride"] for e in entries] == [False, False, False, False, True]


async def test_what_is_noted_for_staff_is_shown_to_staff_alone(case: Case) -> None:  # J7
    escalation = (await case.submit())["escalation"]["id"]

    done = await case.advance(escalation, IN_REVIEW, note="On it", internalNote="Known defect 17")

    assert done["entry"]["internalNote"] == "Known defect 17"
    notes = [(e["note"], e["internalNote"]) for e in (await case.detail(case.ann, escalation))["timeline"]["nodes"]]
    assert notes == [(None, None), ("On it", None)]


async def test_no_stage_is_skipped_repeated_or_gone_back_to(case: Case, clock: Clock) -> None:
    """S76: each of the 21 forbidden pairs is refused and leaves no trace; the four others are not."""
    stages = list(EscalationStage)
    for here in stages:
        await models.Escalation.filter(ticket=case.ticket).delete()
        given = {"resolved_at": clock()} if here is RESOLVED else {}
        escalation = gid(await make_escalation(case.ticket, stage=here, **given))
        allowed = stages[stages.index(here) + 1 :][:1]

        async with nothing_changes():
            for there in stages:
                if there not in allowed:
                    refused = await case.advance(escalation, there)
                    assert refusal(refused) == ("INVALID_STAGE_TRANSITION", ["input", "stage"]), (here, there)
            if here is not VERIFYING:
                assert refusal(await case.confirm(escalation))[0] == "INVALID_STAGE_TRANSITION"
                assert refusal(await case.reject(escalation, "No"))[0] == "INVALID_STAGE_TRANSITION"
        for there in allowed:
            assert (await case.advance(escalation, there))["errors"] == []


async def test_a_rejection_says_why(case: Case) -> None:  # S78
    escalation = gid(await make_escalation(case.ticket, stage=VERIFYING))

    async with nothing_changes():
        for comment, code in (("  ", "REQUIRED"), ("a\x00", "INVALID"), ("x" * 64_001, "INVALID")):
            assert refusal(await case.reject(escalation, comment)) == (code, ["input", "comment"])


async def test_an_estimate_is_set_moved_and_taken_back_and_never_guaranteed(case: Case) -> None:
    """S79: each change is told, setting the same again is none."""
    escalation = (await case.submit())["escalation"]["id"]
    async with case.ann.watch(WATCH, escalationId=escalation) as stream:
        await stream.next()
        for at in ("2026-03-09T12:00:00Z", "2026-03-09T13:00:00+01:00", "2026-03-10T00:00:00Z", None):
            done = await case.estimate(escalation, at)
            assert done["errors"] == []
            assert done["escalation"]["estimateIsGuaranteed"] is False
        await case.advance_to(escalation, IN_REVIEW)

        told = await stream.take(4)

    assert [(each["changeType"], bool(each["entry"])) for each in told] == [*[("UPDATED", False)] * 3, ("ADDED", True)]
    assert (await case.detail(case.ann, escalation))["estimatedResolutionAt"] is None


async def test_an_estimate_in_the_past_or_after_the_end_is_refused(case: Case, clock: Clock) -> None:  # S79
    escalation = gid(await make_escalation(case.ticket))
    over = gid(await make_escalation(case.ticket, stage=RESOLVED, resolved_at=clock()))

    async with nothing_changes():
        past = await case.estimate(escalation, "2026-03-02T09:00:00Z")
        late = await case.estimate(over, "2026-03-09T12:00:00Z")

    assert refusal(past) == ("INVALID", ["input", "estimatedResolutionAt"])
    assert refusal(late) == ("INVALID_STAGE_TRANSITION", None)


async def test_a_ticket_has_one_escalation_under_way(case: Case) -> None:
    first = (await case.submit())["escalation"]["id"]
    async with nothing_changes():
        assert refusal(await case.submit("Again")) == ("CONFLICT", None)
    await case.advance_to(first, IN_REVIEW, IN_PROGRESS, VERIFYING, RESOLVED)

    second = await case.submit("Again")

    assert second["errors"] == []
    shown = await case.detail(case.ann, second["escalation"]["id"])
    assert shown["ticket"]["escalations"] == {"totalCount": 2}


async def test_a_closed_ticket_is_escalated_no_more(case: Case, clock: Clock) -> None:  # S66, S69
    case.ticket.status, case.ticket.closed_at = TicketStatus.CLOSED, clock()
    await case.ticket.save()

    async with nothing_changes():
        refused = await case.submit()

    assert refusal(refused) == ("TICKET_CLOSED", None)
    assert refused["errors"][0]["ticket"]["reference"] == case.ticket.reference


async def test_a_description_has_to_be_there_and_to_be_storable(case: Case) -> None:  # S74
    async with nothing_changes():
        for text, code in ((" ", "REQUIRED"), ("\ud800", "INVALID"), ("x" * 64_001, "INVALID")):
            assert refusal(await case.submit(text)) == (code, ["input", "issueDescription"])


async def test_every_stage_stands_on_the_tickets_timeline_too(case: Case) -> None:  # S49, S77
    document = """subscription($t: ID!, $a: Cursor) { ticket(ticketId: $t, after: $a) { ... on TicketChange {
      changedFields item { sequence ... on EscalationStageChangedEvent { entry { stage } } } } } }"""
    escalation = (await case.submit())["escalation"]["id"]
    await case.advance_to(escalation, IN_REVIEW)

    async with case.ann.watch(document, t=gid(case.ticket), a="LTow") as stream:
        told = await stream.take(2)

    assert [each["item"] for each in told] == [
        {"sequence": 1, "entry": {"stage": "SUBMITTED"}},
        {"sequence": 2, "entry": {"stage": "IN_REVIEW"}},
    ]
    assert told[0]["changedFields"][:4] == ["isEscalated", "displayStatus", "activeEscalation", "escalations"]


async def test_one_escalation_or_all_of_a_ticket_are_followed_not_both(case: Case) -> None:
    escalation = (await case.submit())["escalation"]["id"]

    for given in ({}, {"ticketId": gid(case.ticket), "escalationId": escalation}):
        async with case.ann.watch(WATCH, **given) as stream:
            _, errors = await stream.result()
        assert [e.extensions["code"] for e in errors] == ["INVALID"]


async def test_the_list_of_escalations_is_narrowed_by_stage_and_organization(case: Case, as_user: AsUser) -> None:
    other = await make_organization("Other")
    bob = await make_member(other)
    elsewhere = await make_escalation(await make_ticket(other, bob), stage=IN_REVIEW)
    here = await make_escalation(case.ticket)
    ask = """query($s: [EscalationStage!], $o: ID) {
      escalations(stages: $s, organizationId: $o) { totalCount nodes { id } } }"""

    async def listed(reader: Client, **given: Any) -> list[str]:
        found = (await reader.ask(ask, **given))["escalations"]
        assert found["totalCount"] == len(found["nodes"])
        return sorted(each["id"] for each in found["nodes"])

    assert await listed(case.sam) == sorted([gid(here), gid(elsewhere)])
    assert await listed(case.sam, s=["IN_REVIEW"]) == [gid(elsewhere)]
    assert await listed(case.sam, s=[]) == []
    assert await listed(case.sam, o=gid(other)) == [gid(elsewhere)]
    assert await listed(case.ann) == [gid(here)]
    assert await listed(case.ann, o=gid(other)) == []
    assert await listed(as_user(bob)) == [gid(elsewhere)]
