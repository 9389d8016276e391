"""Qualtrics, the support tickets of a brand: what its administrator sees of everybody's, how a member asks, and what is
kept of each channel (S01-S03, S09, S12, S14, S21, S22, S26, S31, S32, S34-S36, S38, S41, S43-S52, S54-S56, S58-S62,
S71).
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.enums import MemberVisibility, OrganizationRole, StaffRole, TicketChannel, TicketStatus
from domain.organizing import HISTORY_STARTS_ON
from tests.api.world import gid
from tests.databases import ENGINES
from tests.factories import LONG_AGO, make_article, make_member, make_request_type, make_staff, make_ticket
from tests.stories.portal import Portal, open_portal, until

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

TABS = """query($o: ID!) { tickets(scope: ORGANIZATION, organizationId: $o, filter: {}, orderBy: {
    field: CREATED_AT, direction: ASC}) { nodes { subject associatedUsernames channel displayStatus createdAt } }
  unclaimedTickets(organizationId: $o) { nodes { subject } } }"""
MINE = "{ tickets(scope: MINE, filter: {}) { nodes { subject associatedUsernames } } }"
ALL = "query($o: ID!) { tickets(scope: ORGANIZATION, organizationId: $o) { nodes { subject } } }"
LIVE = """subscription($o: ID!) { tickets(scope: ORGANIZATION, organizationId: $o) { __typename
  ... on TicketChange { changeType ticket { subject status } } } }"""
SUGGEST = """query($s: String!) { suggestedSolutions(subject: $s) { title article { id } ticket { id } } }"""
FIND = (
    "query($o: ID!, $text: String) { tickets(scope: ORGANIZATION, organizationId: $o, filter: {text: $text}) { %s } }"
)
TICKET = """subscription($t: ID!) { ticket(ticketId: $t) { __typename ... on TicketChange {
  ticket { status conferenceCall { status } resources { title } } item { __typename } } } }"""
CHAT = """subscription($t: ID!) { messages(ticketId: $t) { __typename ... on MessageChange { message {
  __typename body actor { displayName } } } } }"""
DETAIL = """query($t: ID!) { ticket(id: $t) { subject reference status createdAt updatedAt description
  assignee { displayName } requester { displayName } activeEscalation { stage } resources { title url }
  participants(first: 9) { nodes { role user { displayName } } } quotedTicket { subject }
  transcript { availability messages { nodes { body } } } emails { nodes { subject body } }
  conferenceCall { id status joinUrl passcode } feedback { rating }
  viewerPermissions { canReply replyBlockedReason canLeaveFeedback } } }"""
TIMELINE = """query($t: ID!) { ticket(id: $t) { timeline { nodes { __typename } }
  attachments { nodes { fileName } } } }"""


@pytest.fixture(params=ENGINES)
async def portal(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Portal]:
    """Members see their own tickets; Olga administers the brand."""
    begin = datetime.combine(HISTORY_STARTS_ON, datetime.min.time(), UTC)
    kept = {"member_visibility": MemberVisibility.OWN, "history_starts_at": begin}
    async with open_portal(request.param, tmp_path, monkeypatch, "Brand", **kept) as portal:
        for name, role in (("Ann", "MEMBER"), ("Bob", "MEMBER"), ("Olga", "ADMIN")):
            portal.people[name] = await make_member(portal.acme, OrganizationRole(role), name)
        portal.people |= {"Sam": await make_staff(name="Sam"), "Root": await make_staff(StaffRole.ADMIN)}
        await make_request_type()
        yield portal


async def detail(portal: Portal, name: str, ticket: str) -> Any:
    return (await portal.asks(name, DETAIL, t=ticket))["ticket"]


async def test_the_brand_administrator_sees_everybodys_tickets_since_july_2019(portal: Portal) -> None:
    """S01, S02, S03, S09, S12, S14, S34, S35, S36, S38, S43."""
    begin = portal.acme.history_starts_at
    assert begin is not None
    assert begin.isoformat() == "2019-07-15T00:00:00+00:00"
    before = {"created_at": begin - timedelta(microseconds=1), "status": TicketStatus.CLOSED, "closed_at": LONG_AGO}
    mail = {"channel": TicketChannel.EMAIL}
    await make_ticket(portal.acme, portal.people["Ann"], subject="Too old", **before)
    await make_ticket(portal.acme, portal.people["Ann"], subject="First day", **{**before, **mail, "created_at": begin})
    await make_ticket(portal.acme, portal.people["Bob"], subject="Survey is empty", **mail)
    await make_ticket(portal.acme, None, subject="Whose is it?", is_imported=True)
    here = gid(portal.acme)

    found = await portal.asks("Olga", TABS, o=here)

    assert [
        (row["subject"], row["associatedUsernames"], row["channel"], row["displayStatus"], row["createdAt"][:10])
        for row in found["tickets"]["nodes"]
    ] == [
        ("First day", ["ann"], "EMAIL", "CLOSED", "2019-07-15"),
        ("Survey is empty", ["bob"], "EMAIL", "OPEN", "2026-01-05"),
        ("Whose is it?", [], "CHAT", "OPEN", "2026-01-05"),
    ]
    assert found["unclaimedTickets"]["nodes"] == [{"subject": "Whose is it?"}]
    assert {row["subject"] for row in (await portal.asks("Olga", ALL, o=here))["tickets"]["nodes"]} == {
        "Survey is empty",
        "Whose is it?",
    }, "the closed ones when asked for"
    old = (await portal.asks("Olga", FIND % "totalCount", o=here, text="old"))["tickets"]
    one = (await portal.asks("Olga", FIND % "nodes { subject }", o=here, text="survey"))["tickets"]
    assert (old["totalCount"], one["nodes"]) == (0, [{"subject": "Survey is empty"}])
    assert (await portal.asks("Bob", MINE))["tickets"]["nodes"] == [
        {"subject": "Survey is empty", "associatedUsernames": []}
    ]
    assert await portal.refused("Bob", ALL, o=here) == "FORBIDDEN"


async def test_a_member_asks_after_the_suggestions_did_not_help_and_is_in_a_chat_at_once(portal: Portal) -> None:
    """S21, S22, S26, S31, S32, S44, S45, S46, S56, S58-S62, S71."""
    article = await make_article("Why a survey shows no answers", "Filters hide them.")
    live = await portal.watches("Olga", LIVE, o=gid(portal.acme))
    (suggested,) = (await portal.asks("Ann", SUGGEST, s="Survey shows no answers"))["suggestedSolutions"]
    assert (suggested["title"], suggested["article"]) == (article.title, {"id": gid(article)})
    form = {"organizationId": gid(portal.acme), "requestTypeKey": "TECHNICAL", "subject": "Survey shows no answers"}
    assert await portal.code("Ann", "ticketCreate", description=" ", **form) == "REQUIRED"

    ticket = await portal.opens("Ann", "Survey shows no answers", channel="CHAT")
    assert (await live.next())["ticket"] == {"subject": "Survey shows no answers", "status": "NEW"}
    chat, state = await portal.watches("Ann", CHAT, t=ticket), await portal.watches("Ann", TICKET, t=ticket)
    await portal.did("Sam", "ticketAssign", ticketId=ticket, assigneeId=portal.id("Sam"))
    await portal.says("Sam", ticket, "Which filter is on?")
    told = (await chat.next())["message"]
    assert (told["body"], told["actor"]) == ("Which filter is on?", {"displayName": "Sam"})
    await until(state, status="PENDING_CUSTOMER")
    await portal.says("Ann", ticket, "None")
    await until(state, status="OPEN")
    await portal.did("Sam", "ticketResourceShare", ticketId=ticket, title="Filters", url="https://help.example/f")
    await until(state, resources=[{"title": "Filters"}])

    # Everything about it on one page (S41), for Ann; Bob has none of it.
    shown = await detail(portal, "Ann", ticket)
    names = ("subject", "status", "assignee", "requester", "activeEscalation", "resources")
    assert {name: shown[name] for name in names} == {
        "subject": "Survey shows no answers",
        "status": "OPEN",
        "assignee": {"displayName": "Sam"},
        "requester": {"displayName": "Ann"},
        "activeEscalation": None,
        "resources": [{"title": "Filters", "url": "https://help.example/f"}],
    }
    assert shown["createdAt"] <= shown["updatedAt"]
    assert [(each["role"], each["user"]["displayName"]) for each in shown["participants"]["nodes"]] == [
        ("SUBMITTER", "Ann")
    ]
    assert await detail(portal, "Bob", ticket) is None

    # Ann says that it is solved, closes it, and rates it; all of it stays to be read.
    await portal.did("Ann", "ticketResolve", ticketId=ticket)  # S61
    await until(state, status="RESOLVED")
    await portal.did("Ann", "ticketClose", ticketId=ticket)  # S60
    await until(state, status="CLOSED")
    assert (await detail(portal, "Ann", ticket))["viewerPermissions"]["canLeaveFeedback"] is True
    await portal.did("Ann", "feedbackSubmit", ticketId=ticket, rating=4)
    assert await portal.code("Ann", "feedbackSubmit", ticketId=ticket, rating=5) == "FEEDBACK_ALREADY_SUBMITTED"
    closed = await detail(portal, "Ann", ticket)
    assert (closed["description"], closed["feedback"]) == ("It stays black.", {"rating": 4})
    assert [each["body"] for each in closed["transcript"]["messages"]["nodes"]] == [
        "It stays black.",
        "Which filter is on?",
        "None",
    ]
    assert closed["viewerPermissions"]["replyBlockedReason"] == "TICKET_CLOSED"
    here, what = gid(portal.acme), FIND % "nodes { subject }"
    said = [(await portal.asks("Olga", what, o=here, text=text))["tickets"] for text in ("which filter", "no filter")]
    assert [each["nodes"] for each in said] == [[{"subject": "Survey shows no answers"}], []]  # S38
    again = await portal.opens("Ann", "Again", referencesTicketId=ticket)
    assert (await detail(portal, "Ann", again))["quotedTicket"] == {"subject": "Survey shows no answers"}


async def test_an_email_ticket_shows_the_exchange_and_is_answered_by_its_submitter_and_the_administrator(
    portal: Portal,
) -> None:
    """S05, S47-S52: a colleague who follows it reads along and is told why there is no editor."""
    ticket = await portal.opens("Ann", "Export fails", channel="EMAIL")
    opened = {"organizationId": gid(portal.acme), "name": "Brand", "memberVisibility": "OPEN"}
    assert await detail(portal, "Bob", ticket) is None
    await portal.did("Root", "organizationSave", **opened)  # S03
    await portal.did("Bob", "ticketFollow", ticketId=ticket)
    await portal.says("Sam", ticket, "With which format?")
    chat = await portal.watches("Bob", CHAT, t=ticket)

    file = await portal.attaches("Ann", "export.csv", b"a,b\n1,2\n")
    await portal.says("Ann", ticket, "**CSV**, see [this](https://help.example)", attachmentIds=[file])
    assert (await chat.next())["message"]["__typename"] == "EmailMessage"
    await portal.says("Olga", ticket, "It is urgent for us")
    refused = await portal.says("Bob", ticket, "For me too")
    assert [each["code"] for each in refused["errors"]] == ["FORBIDDEN"]
    await portal.did("Sam", "noteAdd", ticketId=ticket, body="A known defect", visibility="INTERNAL")
    await portal.did("Olga", "noteAdd", ticketId=ticket, body="Our key account")

    shown = await detail(portal, "Bob", ticket)
    assert [(mail["subject"], mail["body"]) for mail in shown["emails"]["nodes"]] == [
        ("Export fails", "It stays black."),
        ("Export fails", "With which format?"),
        ("Export fails", "**CSV**, see [this](https://help.example)"),
        ("Export fails", "It is urgent for us"),
    ]
    assert shown["viewerPermissions"] == {
        "canReply": False,
        "replyBlockedReason": "NOT_SUBMITTER_OR_ORG_ADMIN",
        "canLeaveFeedback": False,
    }
    assert [each["user"]["displayName"] for each in shown["participants"]["nodes"]] == ["Ann"]
    kept = (await portal.asks("Bob", TIMELINE, t=ticket))["ticket"]
    assert [each["__typename"] for each in kept["timeline"]["nodes"]] == [
        "EmailMessage",
        "ParticipantChangedEvent",
        "StatusChangedEvent",
        "EmailMessage",
        "StatusChangedEvent",
        "EmailMessage",
        "EmailMessage",
        "Note",
    ]
    assert kept["attachments"]["nodes"] == [{"fileName": "export.csv"}]


async def test_calls_have_their_subjects_and_only_who_takes_part_is_told_where_to_dial_in(portal: Portal) -> None:
    """S31, S54, S55."""
    phone = await portal.opens("Ann", " ", channel="PHONE")
    call = await portal.opens("Ann", "Anything", channel="CONFERENCE_CALL")
    state = await portal.watches("Ann", TICKET, t=call)
    at = (portal.clock.now + timedelta(days=1)).isoformat()
    where = {"joinUrl": "https://meet.example/1", "passcode": "4711"}
    made = await portal.did(
        "Sam", "conferenceCallSchedule", "conferenceCall { id }", ticketId=call, scheduledFor=at, **where
    )
    await until(state, conferenceCall={"status": "PENDING"})
    await portal.did("Ann", "conferenceCallRespond", conferenceCallId=made["conferenceCall"]["id"], accept=True)
    await until(state, conferenceCall={"status": "ACCEPTED"})

    assert (await detail(portal, "Ann", phone))["subject"] == "Phone call – ann"
    assert (await detail(portal, "Ann", phone))["transcript"]["availability"] == "NOT_RECORDED_PHONE"
    mine = await detail(portal, "Ann", call)
    assert (mine["subject"], mine["transcript"]["availability"]) == ("Conference call – ann", "AVAILABLE")
    assert {name: mine["conferenceCall"][name] for name in ("joinUrl", "passcode")} == where
    assert await portal.refused("Olga", DETAIL, t=call) == "FORBIDDEN", "the administrator sees that there is a call"
