"""Conference calls and appointments about a ticket: who proposes, who answers, what is told (S55, S94, S95)."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

import models
from domain.enums import OrganizationRole
from domain.policy import ANONYMOUS
from resolvers import notices
from resolvers.context import Context, Services
from resolvers.sweeps import end_meetings
from tests.api.operations import mutate, refusal
from tests.api.world import codes, gid, nothing_changes
from tests.client import Client
from tests.clock import Clock
from tests.conftest import AsUser
from tests.engine.desk import planned_desk, viewer_of
from tests.factories import (
    make_appointment,
    make_call,
    make_member,
    make_organization,
    make_participant,
    make_staff,
    make_ticket,
)

pytestmark = pytest.mark.anyio

CALL = "conferenceCall { id status scheduledFor joinUrl passcode scheduledBy { displayName } }"
APPOINTMENT = "appointment { id status startsAt endsAt engineer { displayName } }"
WHY = "errors { ... on AppointmentNotAvailableError { code reason field } }"
JUNE = "2026-06-01T10:00:00.000000Z"
LATER = "2026-06-02T10:00:00.000000Z"
HOUR_LONG = timedelta(hours=1)
HOUR: dict[str, Any] = {"startsAt": JUNE, "endsAt": "2026-06-01T11:00:00Z"}
WATCH = """subscription($t: ID!) { ticket(ticketId: $t) { ... on StreamCaughtUp { cursor } ... on TicketChange {
  changedFields ticket { version conferenceCall { status } appointment { status } }
  item { __typename actor { displayName } ... on CallChangedEvent { callStatus appointmentStatus } } } } }"""
TOLD = "{ viewer { notifications(first: 20) { nodes { kind text } } } }"


@dataclass(slots=True)
class Desk:
    acme: models.Organization
    ann: models.User
    sam: models.User
    ticket: models.Ticket
    kind: models.IssueType


@pytest.fixture
async def desk(db: str) -> Desk:
    acme = await make_organization()
    ann, sam = await make_member(acme, name="Ann"), await make_staff(name="Sam")
    project = await models.SupportProject.create(name="Support")
    made = {"project": project, "key": "ON_SITE", "name": "On site", "handler_label": "Support"}
    request_type = await models.RequestType.create(**made)
    kind = await models.IssueType.create(request_type=request_type, name="Fitting", appointments_available=True)
    return Desk(acme, ann, sam, await make_ticket(acme, ann, assignee=sam, issue_type=kind), kind)


async def propose(client: Client, desk: Desk, at: str = JUNE, **given: Any) -> Any:
    return await mutate(client, "conferenceCallSchedule", CALL, ticketId=gid(desk.ticket), scheduledFor=at, **given)


async def answer(client: Client, call_id: str, accept: bool) -> Any:
    return await mutate(client, "conferenceCallRespond", CALL, conferenceCallId=call_id, accept=accept)


async def book(client: Client, desk: Desk, **given: Any) -> Any:
    return await mutate(client, "appointmentSchedule", APPOINTMENT, ticketId=gid(desk.ticket), **{**HOUR, **given})


async def cancel(client: Client, appointment_id: str) -> Any:
    return await mutate(client, "appointmentCancel", APPOINTMENT, appointmentId=appointment_id)


async def history(client: Client, desk: Desk, kind: str) -> list[Any]:
    """What the timeline tells of calls or appointments: who, and what it became."""
    document = """query($t: ID!, $k: [TimelineKind!]) { ticket(id: $t) { timeline(kinds: $k) { nodes {
      actor { displayName } ... on CallChangedEvent { callStatus appointmentStatus } } } } }"""
    found = (await client.ask(document, t=gid(desk.ticket), k=[kind]))["ticket"]["timeline"]["nodes"]
    return [(each["actor"]["displayName"], each["callStatus"] or each["appointmentStatus"]) for each in found]


async def test_support_proposes_a_call_and_the_customer_accepts_it(desk: Desk, as_user: AsUser) -> None:  # S55
    ann, sam = as_user(desk.ann), as_user(desk.sam)
    async with ann.watch(WATCH, t=gid(desk.ticket)) as stream:
        assert "cursor" in await stream.next()
        made = (await propose(sam, desk, joinUrl="https://meet.example/1", passcode="4711"))["conferenceCall"]
        accepted = (await answer(ann, made["id"], accept=True))["conferenceCall"]
        events = await stream.take(2)

    assert made["status"] == "PENDING"
    assert (accepted["id"], accepted["status"], accepted["scheduledFor"]) == (made["id"], "ACCEPTED", JUNE)
    assert (accepted["joinUrl"], accepted["passcode"]) == ("https://meet.example/1", "4711")
    assert [each["item"]["callStatus"] for each in events] == ["PENDING", "ACCEPTED"]
    assert {tuple(each["changedFields"]) for each in events} == {("conferenceCall", "lastSequence")}
    assert await history(ann, desk, "CALLS") == [("Sam", "PENDING"), ("Ann", "ACCEPTED")]
    assert await history(ann, desk, "APPOINTMENTS") == []


async def test_a_call_at_another_time_is_the_same_call_asked_for_again(desk: Desk, as_user: AsUser) -> None:  # S55
    ann, sam = as_user(desk.ann), as_user(desk.sam)
    first = (await propose(sam, desk))["conferenceCall"]
    await answer(ann, first["id"], accept=True)

    async with nothing_changes():
        assert (await propose(sam, desk))["conferenceCall"]["status"] == "ACCEPTED"
        assert (await answer(ann, first["id"], accept=True))["conferenceCall"]["status"] == "ACCEPTED"
    moved = (await propose(sam, desk, LATER))["conferenceCall"]

    assert (moved["id"], moved["status"], moved["scheduledFor"]) == (first["id"], "PENDING", LATER)
    assert await models.ConferenceCall.all().count() == 1


async def test_where_to_join_may_follow_and_stays_when_the_call_is_moved(desk: Desk, as_user: AsUser) -> None:
    """S55: nobody is asked again, or told that somebody accepted, because an address came."""
    ann, sam = as_user(desk.ann), as_user(desk.sam)
    first = (await propose(sam, desk))["conferenceCall"]
    await answer(ann, first["id"], accept=True)

    async with ann.watch(WATCH, t=gid(desk.ticket)) as stream:
        assert "cursor" in await stream.next()
        followed = (await propose(sam, desk, joinUrl="https://meet.example/1", passcode="4711"))["conferenceCall"]
        event = await stream.next()
    told = await history(ann, desk, "CALLS")
    moved = (await propose(sam, desk, LATER))["conferenceCall"]
    without = (await propose(sam, desk, LATER, passcode=None))["conferenceCall"]

    assert (followed["status"], followed["joinUrl"], followed["passcode"]) == (
        "ACCEPTED",
        "https://meet.example/1",
        "4711",
    )
    assert (event["changedFields"], event["item"]) == (["conferenceCall"], None)
    assert told == [("Sam", "PENDING"), ("Ann", "ACCEPTED")]
    assert (moved["status"], moved["joinUrl"], moved["passcode"]) == ("PENDING", "https://meet.example/1", "4711")
    assert (without["joinUrl"], without["passcode"]) == ("https://meet.example/1", None)


async def test_the_passcode_reaches_nobody_but_who_takes_part_and_support(desk: Desk, as_user: AsUser) -> None:
    """S55: on a running stream, in what is told of it and in a search neither; and nobody who was taken off again."""
    owner, bob = await make_member(desk.acme, OrganizationRole.OWNER), await make_member(desk.acme)
    guest = await make_participant(desk.ticket, bob)
    watch = """subscription($t: ID!) { ticket(ticketId: $t) { ... on StreamCaughtUp { cursor } ... on TicketChange {
      ticket { conferenceCall { passcode } } item { ... on CallChangedEvent { conferenceCall { joinUrl } } } } } }"""
    readers = {"ann": desk.ann, "bob": bob, "sam": desk.sam, "owner": owner}
    secret = {"joinUrl": "https://meet.example/tango", "passcode": "tango4711"}

    seen = {}
    async with AsyncExitStack() as stack:
        streams = {
            name: await stack.enter_async_context(as_user(who).watch(watch, t=gid(desk.ticket)))
            for name, who in readers.items()
        }
        for stream in streams.values():
            assert "cursor" in await stream.next()
        made = (await propose(as_user(desk.sam), desk, **secret))["conferenceCall"]
        for name, stream in streams.items():
            data, _ = await stream.result()
            change = data["ticket"]
            seen[name] = (change["ticket"]["conferenceCall"]["passcode"], change["item"]["conferenceCall"]["joinUrl"])
    shown = ("tango4711", "https://meet.example/tango")
    assert seen == {"ann": shown, "bob": shown, "sam": shown, "owner": (None, None)}

    await guest.delete()
    call = "query($c: ID!) { node(id: $c) { ... on ConferenceCall { joinUrl passcode } } }"
    for who, given in ((desk.ann, secret), (bob, None), (owner, None)):
        data, errors = await as_user(who).answer(call, c=made["id"])
        assert data["node"] == (given or {"joinUrl": None, "passcode": None})
        assert codes(errors) == ([] if given else ["FORBIDDEN", "FORBIDDEN"])
    find = 'query { search(text: "tango4711") { totalCount } }'
    for who in (*readers.values(),):
        assert (await as_user(who).ask(find))["search"] == {"totalCount": 0}


async def test_who_takes_part_is_told_that_a_call_is_agreed_on(desk: Desk, as_user: AsUser, services: Services) -> None:
    """S55: the confirmation; who only manages the organization, and who accepted, are told nothing."""
    owner, bob = await make_member(desk.acme, OrganizationRole.OWNER), await make_member(desk.acme)
    await make_participant(desk.ticket, bob)
    call = (await propose(as_user(desk.sam), desk, joinUrl="https://meet.example/1", passcode="4711"))["conferenceCall"]
    await answer(as_user(desk.ann), call["id"], accept=True)
    await notices.tell_pending(Context(ANONYMOUS, services))

    told = {}
    for name, who in (("bob", bob), ("sam", desk.sam), ("ann", desk.ann), ("owner", owner)):
        nodes = (await as_user(who).ask(TOLD))["viewer"]["notifications"]["nodes"]
        told[name] = sorted(each["text"] for each in nodes)

    proposed = f"Sam proposes a conference call about {desk.ticket.reference}."
    agreed = f"Ann accepted the conference call about {desk.ticket.reference}."
    assert told == {"bob": [agreed, proposed], "sam": [agreed], "ann": [proposed], "owner": []}


async def test_either_side_calls_a_call_off_and_there_may_be_another(desk: Desk, as_user: AsUser) -> None:  # S55
    for person in (desk.ann, desk.sam):
        made = (await propose(as_user(desk.sam), desk))["conferenceCall"]
        gone = (await answer(as_user(person), made["id"], accept=False))["conferenceCall"]

        assert gone["status"] == "CANCELLED"
        async with nothing_changes():
            for accept in (True, False):
                assert refusal(await answer(as_user(person), made["id"], accept))[0] == "CONFLICT"
        shown = "query($t: ID!) { ticket(id: $t) { conferenceCall { id } } }"
        assert (await as_user(desk.ann).ask(shown, t=gid(desk.ticket)))["ticket"] == {"conferenceCall": None}
    assert await models.ConferenceCall.all().count() == 2


async def test_calls_that_cannot_be_are_refused_and_leave_no_trace(
    desk: Desk, as_user: AsUser, clock: Clock
) -> None:  # S55, S66
    sam = as_user(desk.sam)
    call = await make_call(await make_ticket(desk.acme, desk.ann, status="CLOSED", closed_at=clock()))
    other = as_user(await make_member(await make_organization("Other")))

    async with nothing_changes():
        assert refusal(await propose(sam, desk, "2026-01-01T00:00:00Z")) == ("INVALID", ["input", "scheduledFor"])
        assert refusal(await propose(sam, desk, joinUrl="javascript:alert(1)")) == ("INVALID", ["input", "joinUrl"])
        assert refusal(await propose(sam, desk, passcode="x" * 101)) == ("INVALID", ["input", "passcode"])
        assert refusal(await answer(other, gid(call), accept=True)) == ("NOT_FOUND", ["input", "conferenceCallId"])
        assert refusal(await answer(sam, gid(desk.ticket), accept=True)) == ("INVALID", ["input", "conferenceCallId"])
        assert refusal(await answer(as_user(desk.ann), gid(call), accept=True))[0] == "TICKET_CLOSED"
        desk.ticket = await models.Ticket.get(id=call.ticket_id)
        assert refusal(await propose(sam, desk))[0] == "TICKET_CLOSED"

    assert (await answer(as_user(desk.ann), gid(call), accept=False))["conferenceCall"]["status"] == "CANCELLED"


async def test_the_customer_asks_for_an_appointment_and_support_confirms_it(desk: Desk, as_user: AsUser) -> None:  # S94
    ann, sam = as_user(desk.ann), as_user(desk.sam)
    asked = (await book(ann, desk))["appointment"]
    confirmed = (await book(sam, desk))["appointment"]
    async with nothing_changes():
        again = (await book(ann, desk))["appointment"]
    moved = (await book(ann, desk, startsAt=LATER, endsAt="2026-06-02T10:30:00Z"))["appointment"]
    gone = (await cancel(sam, asked["id"]))["appointment"]

    assert [each["status"] for each in (asked, confirmed, again, moved, gone)] == [
        *("REQUESTED", "CONFIRMED", "CONFIRMED", "REQUESTED", "CANCELLED")
    ]
    assert {each["id"] for each in (asked, confirmed, again, moved, gone)} == {asked["id"]}
    assert asked["engineer"] == {"displayName": "Sam"}
    assert moved["startsAt"] == LATER
    told = [("Ann", "REQUESTED"), ("Sam", "CONFIRMED"), ("Ann", "REQUESTED"), ("Sam", "CANCELLED")]
    assert await history(ann, desk, "APPOINTMENTS") == told
    async with nothing_changes():
        assert refusal(await cancel(ann, asked["id"]))[0] == "CONFLICT"


async def test_an_appointment_is_refused_with_the_reason_that_the_ticket_shows(
    desk: Desk, as_user: AsUser, clock: Clock
) -> None:  # S94
    ann = as_user(desk.ann)
    show = "query($t: ID!) { ticket(id: $t) { viewerPermissions { canScheduleAppointment appointmentBlockedReason } } }"
    schedule = f"mutation($i: AppointmentScheduleInput!) {{ appointmentSchedule(input: $i) {{ {WHY} }} }}"

    for reason, change in (
        ("NO_ENGINEER_ASSIGNED", {"assignee_id": None}),
        ("ISSUE_TYPE_NOT_ELIGIBLE", {"issue_type_id": None}),
        ("TICKET_CLOSED", {"status": "CLOSED", "closed_at": clock()}),
    ):
        await models.Ticket.filter(id=desk.ticket.id).update(**change)
        async with nothing_changes():
            found = await ann.ask(schedule, i={"ticketId": gid(desk.ticket), **HOUR})
        (error,) = found["appointmentSchedule"]["errors"]
        told = (await ann.ask(show, t=gid(desk.ticket)))["ticket"]["viewerPermissions"]

        assert error == {"code": "APPOINTMENT_NOT_AVAILABLE", "reason": reason, "field": ["input", "ticketId"]}
        assert told == {"canScheduleAppointment": False, "appointmentBlockedReason": reason}


async def test_an_issue_type_without_appointments_offers_none(desk: Desk, as_user: AsUser) -> None:  # S94
    await models.IssueType.filter(id=desk.kind.id).update(appointments_available=False)

    assert refusal(await book(as_user(desk.ann), desk))[0] == "APPOINTMENT_NOT_AVAILABLE"


async def test_times_that_cannot_be_are_refused(desk: Desk, as_user: AsUser) -> None:  # S94
    ann = as_user(desk.ann)
    async with nothing_changes():
        assert refusal(await book(ann, desk, startsAt="2026-01-01T00:00:00Z")) == ("INVALID", ["input", "startsAt"])
        assert refusal(await book(ann, desk, endsAt=JUNE)) == ("INVALID", ["input", "endsAt"])
        assert refusal(await book(ann, desk, endsAt="2026-06-01T18:00:01Z")) == ("INVALID", ["input", "endsAt"])


async def test_the_other_side_is_told_of_calls_and_appointments(
    desk: Desk, as_user: AsUser, services: Services
) -> None:  # S55, S94
    ann, sam = as_user(desk.ann), as_user(desk.sam)
    call = (await propose(sam, desk))["conferenceCall"]
    await answer(ann, call["id"], accept=True)
    await book(ann, desk)
    await book(sam, desk)
    await notices.tell_pending(Context(ANONYMOUS, services))

    reference = desk.ticket.reference
    told = [[each["text"] for each in (await who.ask(TOLD))["viewer"]["notifications"]["nodes"]] for who in (ann, sam)]
    assert sorted(told[0]) == [
        f"Sam confirmed the appointment about {reference}.",
        f"Sam proposes a conference call about {reference}.",
    ]
    assert sorted(told[1]) == [
        f"Ann accepted the conference call about {reference}.",
        f"Ann asks for an appointment about {reference}.",
    ]


async def test_what_was_to_be_is_over_by_itself_and_once(
    desk: Desk, as_user: AsUser, services: Services, clock: Clock
) -> None:  # S55, S94
    await models.ConferenceCall.create(
        ticket=desk.ticket,
        scheduled_for=clock(),
        status="ACCEPTED",
        created_at=clock(),
        updated_at=clock(),
    )
    other = await make_ticket(desk.acme, desk.ann)
    await make_call(other, scheduled_for=clock())
    await make_appointment(other, status="CONFIRMED", starts_at=clock(), ends_at=clock() + HOUR_LONG)
    context = Context(ANONYMOUS, services)

    clock.advance(minutes=59)
    assert await end_meetings(context) == 0
    clock.advance(minutes=1)
    assert [await end_meetings(context) for _ in range(2)] == [3, 0]

    calls = {each.ticket_id: each.status for each in await models.ConferenceCall.all()}
    assert calls == {desk.ticket.id: "COMPLETED", other.id: "CANCELLED"}
    assert (await models.Appointment.get(ticket=other)).status == "COMPLETED"
    assert await history(as_user(desk.ann), desk, "CALLS") == [("Casewire", "COMPLETED")]


async def test_lists_show_what_is_coming_without_a_statement_more(db: str, desk: Desk) -> None:  # S34, S95, J5
    await make_appointment(desk.ticket, status="CANCELLED")
    await make_appointment(desk.ticket, engineer=desk.sam)
    await make_call(desk.ticket, status="CANCELLED")
    await make_call(desk.ticket)
    bare = await make_ticket(desk.acme, desk.ann)
    document = """{{ tickets(scope: ALL, filter: {{}}, first: 50) {{ nodes {{ id {} }} }} }}"""
    with_both = document.format("appointment { status engineer { displayName } } conferenceCall { status }")
    viewer = await viewer_of(desk.ann)

    async with planned_desk(db) as planned:
        await planned.agreed(document.format(""), viewer)
        alone = planned.engine.stats["statements"]
        found = await planned.agreed(with_both, viewer)
        assert planned.engine.stats["statements"] == 2 * alone == 2

    assert found is not None
    assert {each["id"]: (each["appointment"], each["conferenceCall"]) for each in found["tickets"]["nodes"]} == {
        gid(desk.ticket): ({"status": "REQUESTED", "engineer": {"displayName": "Sam"}}, {"status": "PENDING"}),
        gid(bare): (None, None),
    }
