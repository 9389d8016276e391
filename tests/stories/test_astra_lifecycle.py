"""Astra's portal, a request from its live chat to its end and what comes after: resolved ones reopen within 72 hours
(S26, S48, S53, S58, S59, S61-S63, S65, S66, S68-S71, S73-S80, S82).
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.enums import LifecyclePreset
from tests.databases import ENGINES
from tests.factories import make_member, make_request_type, make_staff
from tests.stories.portal import Portal, open_portal, until

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

WEEK, HOUR, SECOND, LIMIT = timedelta(days=7), timedelta(hours=1), timedelta(seconds=1), 512_000

TICKET = """subscription($t: ID!) { ticket(ticketId: $t) { __typename ... on TicketChange { changedFields
  ticket { status displayStatus resolutionReason closureReason } } } }"""
CHAT = """subscription($t: ID!) { messages(ticketId: $t) { __typename
  ... on MessageChange { message { body actor { displayName } attachments { fileName } } } } }"""
STAGES = """subscription($t: ID!) { escalationTimeline(ticketId: $t) { __typename
  ... on EscalationTimelineChange { changeType escalation { reference stage requiresCustomerAction resolvedAt
    estimatedResolutionAt } entry { note isOverride } } } }"""
RAISED = """query($r: String!) { escalationByReference(reference: $r) { issueDescription ticket { displayStatus }
  timeline(first: 9) { nodes { stage enteredAt } } } }"""
LIST = """subscription { tickets(scope: MINE) { __typename ... on TicketChange { changeType ticket { subject } } } }"""
DETAIL = """query($t: ID!) { ticket(id: $t) { reference status description closureReason
  notice { text offersLinkedTicket referenceToQuote } followUps { reference } followUpOf { reference }
  viewerPermissions { canReply replyBlockedReason canReopen canLeaveFeedback }
  feedback { rating comment }
  messages(first: 20) { nodes { __typename body attachments { fileName downloadUrl } } } } }"""


@pytest.fixture(params=ENGINES)
async def portal(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Portal]:
    async with open_portal(request.param, tmp_path, monkeypatch, lifecycle_preset=LifecyclePreset.HOURS_72) as portal:
        portal.people |= {name: await make_member(portal.acme, name=name) for name in ("Ann", "Bob")}
        portal.people |= {"Sam": await make_staff(name="Sam")}
        await make_request_type()
        yield portal


async def test_a_created_request_is_a_live_chat_with_support_and_files_within_limits(portal: Portal) -> None:
    """S26, S48, S53, S58, S62."""
    mine = await portal.watches("Ann", LIST)
    log = await portal.attaches("Ann", "log.txt", b"Nothing on the screen\n")
    ticket = await portal.opens("Ann", "No picture", attachmentIds=[log])
    assert await mine.next() == {
        "__typename": "TicketChange",
        "changeType": "ADDED",
        "ticket": {"subject": "No picture"},
    }
    chat = await portal.watches("Ann", CHAT, t=ticket)
    state = await portal.watches("Ann", TICKET, t=ticket)
    await portal.did("Sam", "ticketAssign", ticketId=ticket, assigneeId=portal.id("Sam"))

    await portal.says("Sam", ticket, "Please send a picture of it")
    assert (await chat.next())["message"]["actor"] == {"displayName": "Sam"}
    await until(state, status="PENDING_CUSTOMER")
    picture = await portal.attaches("Ann", "screen.txt", b"x" * LIMIT)
    await portal.says("Ann", ticket, "Here it is", attachmentIds=[picture])
    assert (await chat.next())["message"]["attachments"] == [{"fileName": "screen.txt"}]
    await until(state, status="OPEN")
    await portal.did("Ann", "noteAdd", ticketId=ticket, body="It is the room on the left")

    six = [await portal.attaches("Ann", f"{n}.txt", b"x\n") for n in range(6)]
    many = {"ticketId": ticket, "clientMessageId": "6", "message": {"body": "All of it", "attachmentIds": six}}
    large = {"fileName": "log.txt", "mediaType": "text/plain", "sizeBytes": LIMIT + 1}
    assert await portal.code("Ann", "messageSend", **many) == "TOO_MANY_FILES"
    assert await portal.code("Ann", "attachmentUploadCreate", **large) == "FILE_TOO_LARGE"
    program = {"fileName": "tool.exe", "mediaType": "application/octet-stream", "sizeBytes": 1}
    assert await portal.code("Ann", "attachmentUploadCreate", **program) == "FILE_TYPE_NOT_ALLOWED"
    found = (await portal.asks("Ann", DETAIL, t=ticket))["ticket"]["messages"]["nodes"]
    assert [each["body"] for each in found][-3:] == [
        "Please send a picture of it",
        "Here it is",
        "It is the room on the left",
    ]


async def test_a_silent_customer_a_late_one_and_the_ticket_that_goes_on(portal: Portal) -> None:
    """S59, S63, S65, S66, S68-S71: 7 days of silence, 72 hours to reopen, and the linked ticket after it."""
    ticket = await portal.opens("Ann", "No picture")
    await portal.says("Sam", ticket, "Does it work now?")
    state = await portal.watches("Ann", TICKET, t=ticket)

    assert (await portal.sweeps(WEEK - SECOND)).resolved == 0
    assert (await portal.sweeps(SECOND)).resolved == 1
    assert (await state.next())["ticket"] == {
        "status": "RESOLVED",
        "displayStatus": "RESOLVED",
        "resolutionReason": "INACTIVITY",
        "closureReason": None,
    }
    assert (await portal.sweeps(timedelta(hours=71, minutes=59))).closed == 0
    assert (await portal.says("Ann", ticket, "No, still black"))["errors"] == []
    await until(state, status="OPEN")

    await portal.did("Sam", "ticketResolve", ticketId=ticket, message="The cable was loose")
    await until(state, status="RESOLVED")
    portal.clock.now += timedelta(hours=72, minutes=1)
    reference = (await portal.asks("Ann", DETAIL, t=ticket))["ticket"]["reference"]
    late = await portal.says("Ann", ticket, "It is back")
    assert [(e["code"], e["ticket"], e["offersLinkedTicket"]) for e in late["errors"]] == [
        ("REOPEN_WINDOW_EXPIRED", {"reference": reference}, True)
    ]
    assert (await portal.sweeps(timedelta())).closed == 1
    await until(state, closureReason="AUTO_AFTER_RESOLVED")
    final = await portal.says("Ann", ticket, "It is back!")
    assert [(e["code"], e["ticket"], e["offersLinkedTicket"]) for e in final["errors"]] == [
        ("TICKET_CLOSED", {"reference": reference}, True)
    ]
    assert await portal.code("Sam", "ticketReopen", ticketId=ticket, comment="For Ann") == "TICKET_CLOSED"

    linked = (await portal.did("Ann", "ticketCreateLinked", "ticket { id reference }", sourceTicketId=ticket,
                               body="It is back, since today"))["ticket"]  # fmt: skip
    await portal.did("Ann", "feedbackSubmit", ticketId=ticket, rating=4, comment="Quick")
    assert await portal.code("Ann", "feedbackSubmit", ticketId=ticket, rating=1) == "FEEDBACK_ALREADY_SUBMITTED"
    closed = (await portal.asks("Ann", DETAIL, t=ticket))["ticket"]
    assert closed["notice"]["referenceToQuote"] == reference
    assert closed["followUps"] == [{"reference": linked["reference"]}]
    assert (await portal.asks("Ann", DETAIL, t=linked["id"]))["ticket"]["followUpOf"] == {"reference": reference}
    assert closed["feedback"] == {"rating": 4, "comment": "Quick"}
    assert closed["viewerPermissions"] == {
        "canReply": False,
        "replyBlockedReason": "TICKET_CLOSED",
        "canReopen": False,
        "canLeaveFeedback": False,
    }
    assert closed["description"] == "It stays black."
    said = [each["body"] for each in closed["messages"]["nodes"] if each["__typename"] == "ChatMessage"]
    assert said == ["It stays black.", "Does it work now?", "No, still black", "The cable was loose"]


async def test_an_escalation_is_followed_stage_by_stage_by_everybody_who_watches(portal: Portal) -> None:
    """S73-S80, S82."""
    ticket = await portal.opens("Ann", "No picture")
    await portal.did("Ann", "ticketShare", ticketId=ticket, userIds=[portal.id("Bob")])
    watches = [await portal.watches(who, STAGES, t=ticket) for who in ("Ann", "Bob")]
    issue = {"ticketId": ticket, "issueDescription": "The firmware drops the signal"}
    made = (await portal.did("Sam", "escalationSubmit", "escalation { id reference }", **issue))["escalation"]
    assert made["reference"].startswith("CP-")

    async def told(**expected: Any) -> None:
        for watch in watches:
            escalation = (await watch.next())["escalation"]
            assert {name: escalation[name] for name in expected} == expected

    async def moves(stage: str, note: str) -> None:
        portal.clock.now += HOUR
        await portal.did("Sam", "escalationAdvance", escalationId=made["id"], stage=stage, note=note)

    await told(stage="SUBMITTED", requiresCustomerAction=False)
    skipped = {"escalationId": made["id"], "stage": "VERIFYING_RESOLUTION"}
    assert await portal.code("Sam", "escalationAdvance", **skipped) == "INVALID_STAGE_TRANSITION"
    await moves("IN_REVIEW", "We look at it")
    await told(stage="IN_REVIEW")
    await moves("ENGINEERING_IN_PROGRESS", "Found it")
    await told(stage="ENGINEERING_IN_PROGRESS", estimatedResolutionAt=None)
    soon = (portal.clock.now + WEEK).isoformat(timespec="microseconds").replace("+00:00", "Z")
    await portal.did("Sam", "escalationSetEstimate", escalationId=made["id"], estimatedResolutionAt=soon)
    await told(stage="ENGINEERING_IN_PROGRESS", estimatedResolutionAt=soon)  # S79
    await moves("VERIFYING_RESOLUTION", "Please try 2.5.2")
    await told(stage="VERIFYING_RESOLUTION", requiresCustomerAction=True)
    await portal.did("Ann", "escalationRejectResolution", escalationId=made["id"], comment="Still black")
    await told(stage="ENGINEERING_IN_PROGRESS", requiresCustomerAction=False)
    await moves("VERIFYING_RESOLUTION", "Please try 2.5.3")
    await told(stage="VERIFYING_RESOLUTION", requiresCustomerAction=True)

    # It is found by its own reference, with the day of every step; the ticket says that it is escalated.
    found = (await portal.asks("Bob", RAISED, r=made["reference"].lower()))["escalationByReference"]
    assert (found["issueDescription"], found["ticket"]["displayStatus"]) == (issue["issueDescription"], "ESCALATED")
    entered = [(each["stage"], each["enteredAt"]) for each in found["timeline"]["nodes"]]
    assert [stage for stage, _ in entered] == [
        *("SUBMITTED", "IN_REVIEW", "ENGINEERING_IN_PROGRESS", "VERIFYING_RESOLUTION"),
        *("ENGINEERING_IN_PROGRESS", "VERIFYING_RESOLUTION"),
    ]
    assert entered[-1][1] == portal.clock.now.isoformat(timespec="microseconds").replace("+00:00", "Z")  # S77
    assert [each for _, each in entered] == sorted(each for _, each in entered)

    # Meanwhile everything else goes through the ticket and whoever handles it, as it did before (S80).
    assert (await portal.says("Ann", ticket, "Trying it tonight"))["errors"] == []
    await portal.did("Ann", "escalationConfirmResolution", escalationId=made["id"], comment="It works")
    for watch in watches:
        change = await watch.next()
        assert (change["escalation"]["stage"], change["escalation"]["requiresCustomerAction"]) == ("RESOLVED", False)
        assert change["escalation"]["resolvedAt"] is not None
        assert change["entry"] == {"note": "It works", "isOverride": False}


async def test_support_ends_an_escalation_that_its_customer_does_not_answer_and_that_is_kept(portal: Portal) -> None:
    """S78, J7: the customer reads that it was so, and nothing of what engineers told each other."""
    ticket = await portal.opens("Ann", "No picture")
    issue = {"ticketId": ticket, "issueDescription": "The firmware drops the signal"}
    made = (await portal.did("Sam", "escalationSubmit", "escalation { id }", **issue))["escalation"]
    stages = await portal.watches("Ann", STAGES, t=ticket)
    step = {"escalationId": made["id"], "internalNote": "Defect 17"}
    for stage in ("IN_REVIEW", "ENGINEERING_IN_PROGRESS", "VERIFYING_RESOLUTION"):
        await portal.did("Sam", "escalationAdvance", stage=stage, **step)
        assert (await stages.next())["escalation"]["stage"] == stage
    assert await portal.code("Bob", "escalationConfirmResolution", escalationId=made["id"], comment="?") == "FORBIDDEN"

    portal.clock.now += WEEK
    await portal.did("Sam", "escalationAdvance", stage="RESOLVED", note="No answer for a week", **step)

    frame = await stages.frame()
    assert '"stage":"RESOLVED"' in frame
    assert '"entry":{"note":"No answer for a week","isOverride":true}' in frame
    notes = (
        "query($t: ID!) { ticket(id: $t) { escalations { nodes { timeline(first: 9) { nodes { internalNote } } } } } }"
    )
    (seen,) = (await portal.asks("Ann", notes, t=ticket))["ticket"]["escalations"]["nodes"]
    assert [each["internalNote"] for each in seen["timeline"]["nodes"]] == [None] * 5
