"""A ticket's timeline: everything of it in one order, for each reader with the numbers of its audience (S47-S49)."""

from dataclasses import dataclass
from typing import Any

import pytest

import models
from domain.enums import ChangeType, MessageKind, TicketLinkKind, TimelineEventKind, TimelineKind, Visibility
from models.base import BaseModel
from tests.api.operations import note, send
from tests.api.world import gid
from tests.client import Client, Refused
from tests.conftest import AsUser
from tests.engine.desk import planned_desk, viewer_of
from tests.factories import (
    LONG_AGO,
    make_appointment,
    make_article,
    make_call,
    make_escalation,
    make_event,
    make_follower,
    make_member,
    make_message,
    make_organization,
    make_resource,
    make_staff,
    make_ticket,
)

pytestmark = pytest.mark.anyio

PAGE = """query($t: ID!, $kinds: [TimelineKind!], $first: Int, $after: Cursor, $last: Int, $before: Cursor) {
  ticket(id: $t) { lastSequence
    timeline(kinds: $kinds, first: $first, after: $after, last: $last, before: $before) {
      totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      edges { cursor node { __typename id sequence cursor visibility ... on Message { body } } } } } }"""
WHOLE = """query($t: ID!) { ticket(id: $t) { timeline(first: 100) { nodes { __typename id sequence cursor occurredAt
  ticket { reference } actor { displayName } visibility
  ... on Message { body attachments { fileName } }
  ... on EmailMessage { subject sender: from } ... on Note { source }
  ... on StatusChangedEvent { from to reason } ... on FieldChangedEvent { field oldValue newValue }
  ... on ParticipantChangedEvent { change user { displayName } participant { role } follower { kind } }
  ... on EscalationStageChangedEvent { escalation { reference stage } entry { sequence note } }
  ... on FeedbackSubmittedEvent { feedback { rating } }
  ... on TicketLinkedEvent { change link { kind target { reference } } }
  ... on ResourceSharedEvent { resource { title url article { title } sharedBy { displayName } } }
  ... on CallChangedEvent { callStatus conferenceCall { status joinUrl } appointmentStatus appointment { status } }
} } } }"""


@dataclass(slots=True)
class Desk:
    acme: models.Organization
    ann: models.User
    agent: models.User
    ticket: models.Ticket


@pytest.fixture
async def desk(db: str) -> Desk:
    """A ticket with one item of every kind, in the order of `TimelineKind`, and an internal note after each."""
    acme = await make_organization()
    ann, agent = await make_member(acme, name="Ann"), await make_staff(name="Sam")
    desk = Desk(acme, ann, agent, await make_ticket(acme, ann, assignee=agent))
    for kind in TimelineKind:
        await make_item(desk, kind)
        await make_message(desk.ticket, agent, f"After {kind}", Visibility.INTERNAL, kind=MessageKind.NOTE)
    return desk


async def make_item(desk: Desk, kind: TimelineKind) -> BaseModel:
    ticket, ann, agent = desk.ticket, desk.ann, desk.agent
    match kind:
        case TimelineKind.MESSAGES:
            return await make_message(ticket, ann, "Hello")
        case TimelineKind.EMAILS:
            return await make_message(ticket, ann, "Dear", kind=MessageKind.EMAIL, email_subject="Re: it")
        case TimelineKind.NOTES:
            return await make_message(ticket, ann, "Beside", kind=MessageKind.NOTE)
        case TimelineKind.STATUS:
            return await make_event(ticket, TimelineEventKind.STATUS, old_value="NEW", new_value="OPEN")
        case TimelineKind.ASSIGNMENT:
            return await make_event(ticket, TimelineEventKind.FIELD, field="assignee", new_value="Sam")
        case TimelineKind.FIELDS:
            return await make_event(ticket, TimelineEventKind.FIELD, field="priority", new_value="HIGH")
        case TimelineKind.ESCALATION:
            escalation = await make_escalation(ticket, entry_count=1)
            stage = {"sequence": 1, "stage": "SUBMITTED", "entered_at": LONG_AGO}
            entry = await models.EscalationEntry.create(escalation=escalation, **stage)
            return await make_event(ticket, TimelineEventKind.ESCALATION, entry=entry)
        case TimelineKind.FOLLOWERS:
            follower = await make_follower(ticket, agent)
            change = {"new_value": ChangeType.ADDED, "follower": follower, "user": agent}
            return await make_event(ticket, TimelineEventKind.PARTICIPANT, **change)
        case TimelineKind.LINKS:
            other = await make_ticket(desk.acme, ann)
            both = {"source": ticket, "target": other, "created_at": LONG_AGO}
            link = await models.TicketLink.create(kind=TicketLinkKind.RELATED_TO, **both)
            return await make_event(ticket, TimelineEventKind.LINK, new_value=ChangeType.ADDED, link=link)
        case TimelineKind.CALLS:
            call = await make_call(ticket, join_url="https://meet.example/1")
            return await make_event(ticket, TimelineEventKind.CALL, new_value="PENDING", conference_call=call)
        case TimelineKind.APPOINTMENTS:
            booked = await make_appointment(ticket, engineer=agent)
            return await make_event(ticket, TimelineEventKind.CALL, new_value="REQUESTED", appointment=booked)
        case TimelineKind.FEEDBACK:
            feedback = await models.Feedback.create(ticket=ticket, rating=4, submitted_at=LONG_AGO)
            return await make_event(ticket, TimelineEventKind.FEEDBACK, feedback=feedback)
        case TimelineKind.RESOURCES:
            article = await make_article("Black camera")
            resource = await make_resource(ticket, title="How to", article=article, shared_by=agent)
            return await make_event(ticket, TimelineEventKind.RESOURCE, resource=resource)


TYPES = {
    TimelineKind.MESSAGES: "ChatMessage",
    TimelineKind.EMAILS: "EmailMessage",
    TimelineKind.NOTES: "Note",
    TimelineKind.STATUS: "StatusChangedEvent",
    TimelineKind.ASSIGNMENT: "FieldChangedEvent",
    TimelineKind.ESCALATION: "EscalationStageChangedEvent",
    TimelineKind.FOLLOWERS: "ParticipantChangedEvent",
    TimelineKind.LINKS: "TicketLinkedEvent",
    TimelineKind.CALLS: "CallChangedEvent",
    TimelineKind.APPOINTMENTS: "CallChangedEvent",
    TimelineKind.FEEDBACK: "FeedbackSubmittedEvent",
    TimelineKind.RESOURCES: "ResourceSharedEvent",
    TimelineKind.FIELDS: "FieldChangedEvent",
}


async def page(client: Client, ticket: models.Ticket, **given: Any) -> Any:
    return (await client.ask(PAGE, t=gid(ticket), **given))["ticket"]["timeline"]


def nodes(found: Any) -> list[Any]:
    return [each["node"] for each in found["edges"]]


async def test_everything_of_a_ticket_stands_on_one_timeline_in_the_order_it_happened(
    desk: Desk, as_user: AsUser
) -> None:  # S47, S48, S49
    for person, numbers in ((desk.ann, range(1, 14)), (desk.agent, range(1, 27))):
        whole = await page(as_user(person), desk.ticket, first=50)

        assert [each["sequence"] for each in nodes(whole)] == list(numbers)
        assert whole["totalCount"] == len(numbers)
        assert [each["cursor"] for each in whole["edges"]] == [each["cursor"] for each in nodes(whole)]
        types = [each["__typename"] for each in nodes(whole) if each["visibility"] == "PUBLIC"]
        assert types == [TYPES[kind] for kind in TimelineKind]


async def test_each_item_tells_what_it_is_about(desk: Desk, as_user: AsUser) -> None:  # S41, S49
    found = (await as_user(desk.ann).ask(WHOLE, t=gid(desk.ticket)))["ticket"]["timeline"]["nodes"]
    by_kind = dict(zip(TimelineKind, found, strict=True))

    def told(kind: TimelineKind, *names: str) -> Any:
        return [by_kind[kind][name] for name in names]

    assert told(TimelineKind.EMAILS, "subject", "body") == ["Re: it", "Dear"]
    assert told(TimelineKind.STATUS, "from", "to") == ["NEW", "OPEN"]
    assert told(TimelineKind.ASSIGNMENT, "field", "newValue") == ["assignee", "Sam"]
    assert by_kind[TimelineKind.ESCALATION]["escalation"]["stage"] == "SUBMITTED"
    assert by_kind[TimelineKind.ESCALATION]["entry"] == {"sequence": 1, "note": None}
    assert told(TimelineKind.FOLLOWERS, "change", "user") == ["ADDED", {"displayName": "Sam"}]
    assert by_kind[TimelineKind.LINKS]["change"] == "ADDED"
    assert by_kind[TimelineKind.LINKS]["link"]["kind"] == "RELATED_TO"
    assert told(TimelineKind.CALLS, "callStatus", "appointmentStatus", "appointment") == ["PENDING", None, None]
    assert by_kind[TimelineKind.CALLS]["conferenceCall"]["joinUrl"] == "https://meet.example/1"
    assert told(TimelineKind.APPOINTMENTS, "callStatus", "appointmentStatus") == [None, "REQUESTED"]
    assert by_kind[TimelineKind.APPOINTMENTS]["appointment"] == {"status": "REQUESTED"}
    assert by_kind[TimelineKind.FEEDBACK]["feedback"] == {"rating": 4}
    assert by_kind[TimelineKind.RESOURCES]["resource"] == {
        "title": "How to",
        "url": None,
        "article": {"title": "Black camera"},
        "sharedBy": {"displayName": "Sam"},
    }


async def test_a_timeline_is_narrowed_to_kinds_in_any_combination(desk: Desk, as_user: AsUser) -> None:  # S49
    for kind in TimelineKind:
        found = await page(as_user(desk.ann), desk.ticket, kinds=[kind.value])
        assert ([each["__typename"] for each in nodes(found)], found["totalCount"]) == ([TYPES[kind]], 1)

    some = [TimelineKind.STATUS, TimelineKind.MESSAGES, TimelineKind.FIELDS]
    mixed = await page(as_user(desk.ann), desk.ticket, kinds=[each.value for each in some])
    everything = await page(as_user(desk.ann), desk.ticket, kinds=list(TimelineKind), first=50)
    nothing = await page(as_user(desk.ann), desk.ticket, kinds=[])
    internal = await page(as_user(desk.agent), desk.ticket, kinds=["NOTES"], first=50)
    literal = "query($t: ID!) { ticket(id: $t) { timeline(kinds: NOTES) { nodes { sequence } totalCount } } }"

    assert [each["sequence"] for each in nodes(mixed)] == [1, 4, 13]
    assert everything["totalCount"] == 13
    assert (nothing["edges"], nothing["totalCount"]) == ([], 0)
    assert internal["totalCount"] == 14
    alone = (await as_user(desk.ann).ask(literal, t=gid(desk.ticket)))["ticket"]["timeline"]
    assert alone == {"nodes": [{"sequence": 3}], "totalCount": 1}


@pytest.mark.parametrize("kinds", [None, ["NOTES", "STATUS", "FIELDS", "EMAILS"]])
async def test_pages_both_ways_leave_nothing_out_and_show_nothing_twice(
    desk: Desk, as_user: AsUser, kinds: list[str] | None
) -> None:  # S49, J5
    for person in (desk.ann, desk.agent):
        whole = [e["id"] for e in nodes(await page(as_user(person), desk.ticket, kinds=kinds, first=50))]
        for size in (1, 3, len(whole) - 1, len(whole), 50):
            forwards: list[str] = []
            at: Any = {"hasNextPage": True, "endCursor": None}
            while at["hasNextPage"]:
                found = await page(as_user(person), desk.ticket, kinds=kinds, first=size, after=at["endCursor"])
                forwards, at = forwards + [e["id"] for e in nodes(found)], found["pageInfo"]
            backwards: list[str] = []
            at = {"hasPreviousPage": True, "startCursor": None}
            while at["hasPreviousPage"]:
                found = await page(as_user(person), desk.ticket, kinds=kinds, last=size, before=at["startCursor"])
                backwards, at = [e["id"] for e in nodes(found)] + backwards, found["pageInfo"]

            assert forwards == backwards == whole


async def test_a_page_stays_right_while_items_are_added(desk: Desk, as_user: AsUser) -> None:  # S49, J5
    first = await page(as_user(desk.ann), desk.ticket, first=12)
    await send(as_user(desk.ann), desk.ticket, "One more")

    rest = await page(as_user(desk.ann), desk.ticket, first=12, after=first["pageInfo"]["endCursor"])

    assert [each["sequence"] for each in nodes(rest)] == [13, 14]
    assert rest["pageInfo"]["hasPreviousPage"] is True
    assert rest["pageInfo"]["hasNextPage"] is False


async def test_what_is_internal_is_neither_shown_to_customers_nor_counted_nor_skipped(
    desk: Desk, as_user: AsUser
) -> None:  # S49, J7
    before = await page(as_user(desk.ann), desk.ticket, last=3)
    await note(as_user(desk.agent), desk.ticket, "Only for us", visibility="INTERNAL")
    after = await page(as_user(desk.ann), desk.ticket, last=3)
    staff = await page(as_user(desk.agent), desk.ticket, last=1)

    assert after == before
    assert [each["body"] for each in nodes(staff)] == ["Only for us"]


async def test_a_cursor_of_the_other_audience_or_of_another_list_is_refused(desk: Desk, as_user: AsUser) -> None:
    """S49: numbers of one audience are places of that audience alone."""
    theirs = (await page(as_user(desk.agent), desk.ticket, first=3))["pageInfo"]["endCursor"]
    people = """query($t: ID!) { ticket(id: $t) { followers { pageInfo { endCursor } } } }"""
    other = (await as_user(desk.ann).ask(people, t=gid(desk.ticket)))["ticket"]["followers"]["pageInfo"]["endCursor"]

    for given in ({"after": theirs}, {"before": other}, {"first": -1}, {"first": 101}, {"first": 1, "last": 1}):
        with pytest.raises(Refused) as refused:
            await page(as_user(desk.ann), desk.ticket, **given)
        assert refused.value.codes == ["INVALID"]


async def test_a_link_to_a_ticket_that_one_may_not_see_tells_nothing_of_it(desk: Desk, as_user: AsUser) -> None:
    """S07, S49: the change is told of this ticket; the other is not there."""
    link = await models.TicketLink.get(source=desk.ticket)
    await models.Ticket.filter(id=link.target_id).update(confidentiality="AUTHOR_ONLY", requester_id=None)

    links = {}
    for person in (desk.ann, desk.agent):
        found = (await as_user(person).ask(WHOLE, t=gid(desk.ticket)))["ticket"]["timeline"]["nodes"]
        links[person.display_name] = [each["link"] for each in found if each["__typename"] == "TicketLinkedEvent"]

    assert links["Ann"] == [None]
    assert links["Sam"][0]["kind"] == "RELATED_TO"


async def test_a_page_takes_as_many_statements_whatever_its_size_and_however_many_tickets(
    db: str, desk: Desk
) -> None:  # J5
    for _ in range(3):
        other = await make_ticket(desk.acme, desk.ann)
        for number in range(4):
            await make_message(other, desk.ann, f"Message {number}")
            await make_event(other, TimelineEventKind.STATUS, old_value="NEW", new_value="OPEN")
    one = "query($t: ID!, $n: Int) { ticket(id: $t) { timeline(last: $n) { nodes { id __typename sequence } } } }"
    many = """query($n: Int, $kinds: [TimelineKind!]) { tickets(scope: ALL, filter: {}, first: 50) { nodes {
      timeline(first: $n, kinds: $kinds) { totalCount nodes { id sequence ... on Message { body }
        ... on StatusChangedEvent { to } } } } } }"""
    viewer = await viewer_of(desk.ann)

    async with planned_desk(db) as planned:

        async def statements(document: str, **given: Any) -> int:
            before = planned.engine.stats["statements"]
            assert await planned.agreed(document, viewer, given) is not None, planned.engine.stats
            return planned.engine.stats["statements"] - before

        assert [await statements(one, t=gid(desk.ticket), n=n) for n in (1, 5, 50)] == [3, 3, 3]
        assert [await statements(many, n=n) for n in (1, 5, 50)] == [5, 5, 5]
        assert [await statements(many, n=n, kinds=["MESSAGES"]) for n in (1, 50)] == [3, 3]
        assert planned.engine.stats["fallbacks"] == 0


async def test_an_unknown_member_of_nothing_sees_no_timeline(desk: Desk, as_user: AsUser) -> None:  # S07
    stranger = await make_member(await make_organization("Other"))

    found = await as_user(stranger).ask(PAGE, t=gid(desk.ticket))

    assert found["ticket"] is None
