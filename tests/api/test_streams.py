"""Following a ticket: replay, then live, resumed by the last cursor, ended for who may no longer watch (J1, J3)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

import models
from domain.enums import OrganizationRole
from models.database import reader, writer
from realtime.hub import Hub
from realtime.log import Draft, append
from resolvers import sweeps
from resolvers.context import Context, Services
from resolvers.transaction import settle
from tests.api.operations import note, on_ticket, reopen, send
from tests.api.world import codes, gid
from tests.client import Client, Stream
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import make_member, make_organization, make_staff, make_ticket

pytestmark = pytest.mark.anyio

MESSAGES = """subscription($t: ID!, $after: Cursor) { messages(ticketId: $t, after: $after) { __typename
  ... on MessageChange { changeType cursor message { body sequence actor { displayName } } }
  ... on StreamCaughtUp { cursor } ... on StreamReset { reason cursor } } }"""

TICKET = """subscription($t: ID!, $after: Cursor) { ticket(ticketId: $t, after: $after) { __typename
  ... on TicketChange { changeType cursor changedFields ticket { status version lastSequence }
    item { __typename sequence visibility } }
  ... on StreamCaughtUp { cursor } ... on StreamReset { reason cursor } } }"""

DETAIL = "query($t: ID!) { ticket(id: $t) { feedCursor messages { nodes { body } } } }"


class Desk:
    def __init__(self, as_user: AsUser, ann: models.User, sam: models.User, ticket: models.Ticket) -> None:
        self.as_user, self.ann_row, self.sam_row, self.ticket = as_user, ann, sam, ticket
        self.ann, self.sam = as_user(ann), as_user(sam)

    async def say(self, *texts: str, **given: Any) -> None:
        for text in texts:
            assert (await send(self.sam, self.ticket, text, **given))["errors"] == []

    async def cursor(self, client: Client) -> str:
        place: str = (await client.ask(DETAIL, t=gid(self.ticket)))["ticket"]["feedCursor"]
        return place


@pytest.fixture
async def desk(as_user: AsUser) -> Desk:
    acme = await make_organization("Acme")
    ann = await make_member(acme, name="Ann")
    return Desk(as_user, ann, await make_staff(name="Sam"), await make_ticket(acme, ann))


async def bodies(stream: Stream, count: int) -> list[str]:
    return [each["message"]["body"] for each in await stream.take(count)]


async def test_a_page_and_its_stream_together_miss_nothing(desk: Desk) -> None:
    """J1: `feedCursor` is the place before what came after the page was read: old, caught up, live, each once."""
    await desk.say("one")
    page = (await desk.ann.ask(DETAIL, t=gid(desk.ticket)))["ticket"]
    await desk.say("two", "three")

    async with desk.ann.watch(MESSAGES, t=gid(desk.ticket), after=page["feedCursor"]) as stream:
        assert await bodies(stream, 2) == ["two", "three"]
        assert (await stream.next())["__typename"] == "StreamCaughtUp"
        await desk.say("four")
        live = await stream.next()

    assert [each["body"] for each in page["messages"]["nodes"]] == ["one"]
    assert live["changeType"] == "ADDED"
    assert live["message"] == {"body": "four", "sequence": 5, "actor": {"displayName": "Sam"}}


async def test_without_a_cursor_a_stream_begins_now(desk: Desk) -> None:
    await desk.say("one")

    async with desk.ann.watch(MESSAGES, t=gid(desk.ticket)) as stream:
        caught_up = await stream.next()
        assert caught_up == {"__typename": "StreamCaughtUp", "cursor": await desk.cursor(desk.ann)}
        await desk.say("two")
        assert await bodies(stream, 1) == ["two"]


async def test_a_ticket_that_nothing_has_happened_to_can_be_followed_from_its_page(desk: Desk) -> None:
    """Its stream does not exist yet; its place is before the first event."""
    place = await desk.cursor(desk.ann)
    await desk.say("one")

    async with desk.ann.watch(MESSAGES, t=gid(desk.ticket), after=place) as stream:
        assert await bodies(stream, 1) == ["one"]


async def test_a_client_that_comes_back_goes_on_where_it_was(desk: Desk) -> None:
    """J1: again and again, at every place, with nothing lost, doubled or reordered."""
    place = await desk.cursor(desk.ann)
    await desk.say(*"abcde")
    got: list[str] = []

    for _ in range(5):
        async with desk.ann.watch(MESSAGES, t=gid(desk.ticket), after=place) as stream:
            each = await stream.next()
        got, place = [*got, each["message"]["body"]], each["cursor"]
    async with desk.ann.watch(MESSAGES, t=gid(desk.ticket), after=place) as stream:
        end = await stream.next()

    assert got == list("abcde")
    # The first reply moved the status as well: five messages and one change are behind the cursor.
    assert end == {"__typename": "StreamCaughtUp", "cursor": await desk.cursor(desk.ann)}


async def test_several_watchers_get_the_same_in_the_same_order(desk: Desk) -> None:  # J1
    async with (
        desk.ann.watch(MESSAGES, t=gid(desk.ticket)) as one,
        desk.ann.watch(MESSAGES, t=gid(desk.ticket)) as other,
        desk.sam.watch(MESSAGES, t=gid(desk.ticket)) as support,
    ):
        for stream in (one, other, support):
            assert (await stream.next())["__typename"] == "StreamCaughtUp"
        await asyncio.gather(*(send(desk.ann, desk.ticket, f"{n}") for n in range(6)))

        heard = [await bodies(stream, 6) for stream in (one, other, support)]

    stored = [each.body for each in await models.Message.filter(ticket=desk.ticket).order_by("sequence")]
    assert heard == [stored] * 3


async def test_a_retried_message_is_heard_once(desk: Desk) -> None:  # J2
    async with desk.ann.watch(MESSAGES, t=gid(desk.ticket)) as stream:
        await stream.next()
        for _ in range(3):
            await desk.say("one", clientMessageId="key")
        await desk.say("two")

        assert await bodies(stream, 2) == ["one", "two"]


async def test_what_is_refused_or_rolled_back_is_not_heard(desk: Desk) -> None:
    async with desk.ann.watch(TICKET, t=gid(desk.ticket)) as stream:
        await stream.next()
        assert (await send(desk.ann, desk.ticket, "\x00"))["errors"]
        assert (await on_ticket(desk.sam, "ticketAssign", desk.ticket, expectedVersion=99))["errors"]
        await desk.say("one")

        assert (await stream.next())["item"]["__typename"] == "StatusChangedEvent"


async def test_the_stream_of_a_ticket_tells_all_that_happens_to_it(desk: Desk) -> None:  # S41, S49
    async with desk.ann.watch(TICKET, t=gid(desk.ticket)) as stream:
        await stream.next()
        await desk.say("one")
        await on_ticket(desk.sam, "ticketAssign", desk.ticket, assigneeId=gid(desk.sam_row))
        await on_ticket(desk.ann, "ticketResolve", desk.ticket)
        await reopen(desk.ann, desk.ticket)

        told = await stream.take(6)

    assert {each["changeType"] for each in told} == {"UPDATED"}
    assert [(each["item"]["__typename"], each["item"]["sequence"]) for each in told] == [
        ("StatusChangedEvent", 1),
        ("ChatMessage", 2),
        ("FieldChangedEvent", 3),
        ("StatusChangedEvent", 4),
        ("StatusChangedEvent", 5),
        ("ChatMessage", 6),
    ]
    assert told[-1]["ticket"] == {"status": "OPEN", "version": 5, "lastSequence": 6}
    assert told[2]["changedFields"] == ["assignee", "version", "updatedAt"]
    assert {field for each in told for field in each["changedFields"]} <= await ticket_fields(desk.ann)


async def ticket_fields(client: Client) -> set[str]:
    found = await client.ask('{ __type(name: "Ticket") { fields { name } } }')
    return {each["name"] for each in found["__type"]["fields"]}


async def test_what_is_internal_reaches_support_alone(desk: Desk) -> None:
    """J7: no event, no gap and no cursor tells a customer of it."""
    async with (
        desk.ann.watch(TICKET, t=gid(desk.ticket)) as customer,
        desk.sam.watch(TICKET, t=gid(desk.ticket)) as support,
    ):
        await customer.next()
        await support.next()
        await desk.say("hidden", message={"visibility": "INTERNAL"})
        await note(desk.sam, desk.ticket, "aside", visibility="INTERNAL")
        await send(desk.ann, desk.ticket, "seen")

        heard = await customer.next()
        assert (heard["item"]["__typename"], heard["item"]["sequence"]) == ("ChatMessage", 1)
        assert heard["ticket"]["lastSequence"] == 1
        told = await support.take(3)

    assert [(each["item"]["visibility"], each["item"]["sequence"]) for each in told] == [
        ("INTERNAL", 1),
        ("INTERNAL", 2),
        ("PUBLIC", 3),
    ]
    public = await models.FeedStream.get(topic=f"ticket:{desk.ticket.id}:pub")
    assert public.head == 1


async def test_a_place_in_another_stream_resets(desk: Desk) -> None:
    """J1: also support's place in the same ticket's stream is none of a customer's. Then it goes on, live."""
    other = await make_ticket(await models.Organization.get(), desk.ann_row)
    await send(desk.ann, other, "elsewhere")
    await desk.say("one", "two")
    foreign = (await desk.ann.ask(DETAIL, t=gid(other)))["ticket"]["feedCursor"]

    for place in (foreign, await desk.cursor(desk.sam)):
        async with desk.ann.watch(MESSAGES, t=gid(desk.ticket), after=place) as stream:
            reset = await stream.next()
            assert reset == {
                "__typename": "StreamReset",
                "reason": "CURSOR_INVALID",
                "cursor": await desk.cursor(desk.ann),
            }
            assert (await stream.next())["__typename"] == "StreamCaughtUp"
            await desk.say("live")
            assert await bodies(stream, 1) == ["live"]


async def test_a_place_that_is_no_longer_kept_resets(desk: Desk, services: Services, clock: Clock) -> None:
    """J1: too old a cursor says so; one within what is kept still resumes."""
    early = await desk.cursor(desk.ann)
    await desk.say(*"abcd")
    clock.advance(days=8)
    await desk.say("e")
    recent = await desk.cursor(desk.ann)
    await desk.say("f")
    context = Context(await desk.sam.viewer(), services)

    # Four messages and a change of status, for support and for the customer; and four changes in each of four lists.
    assert await sweeps.compact_streams(context, keep=2, window=services.facts.replay_window) == 2 * 5 + 4 * 4

    async with desk.ann.watch(MESSAGES, t=gid(desk.ticket), after=early) as stream:
        reset = await stream.next()
        assert (reset["__typename"], reset["reason"]) == ("StreamReset", "CURSOR_TOO_OLD")
        assert reset["cursor"] == await desk.cursor(desk.ann)
    async with desk.ann.watch(MESSAGES, t=gid(desk.ticket), after=recent) as stream:
        assert await bodies(stream, 1) == ["f"]


async def test_a_round_lets_go_of_a_long_stream_in_steps(
    desk: Desk, services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """J6: what is old goes, in as many steps as it takes and a round may have; what is recent stays, however long."""
    monkeypatch.setattr(sweeps, "STEP", 2)
    monkeypatch.setattr(sweeps, "MOST_STEPS", 3)
    context, window = Context(await desk.sam.viewer(), services), services.facts.replay_window
    await append(writer(), [Draft("long", "kind", {}, f"old {n}") for n in range(9)], at=clock())
    await append(writer(), [Draft("long", "kind", {}, f"new {n}") for n in range(3)], at=clock() + window)
    clock.advance(seconds=(window + timedelta(microseconds=1)).total_seconds())

    gone = [await sweeps.compact_streams(context, keep=1, window=window) for _ in range(3)]

    assert gone == [6, 3, 0]
    assert await models.FeedEvent.filter(topic="long").order_by("seq").values_list("seq", flat=True) == [10, 11, 12]
    assert (await models.FeedStream.get(topic="long")).floor == 9


async def test_what_is_no_cursor_is_refused(desk: Desk) -> None:
    for place in ("", "garbage", "\x00", "x" * 10_000, "LTox"):
        async with desk.ann.watch(MESSAGES, t=gid(desk.ticket), after=place) as stream:
            _, errors = await stream.result()
        assert [e.extensions for e in errors] == [{"code": "INVALID", "field": ["after"]}], place


async def test_an_event_shows_the_row_as_it_is_when_it_is_told(desk: Desk) -> None:
    """Rows that were read for an earlier event are forgotten."""
    async with desk.ann.watch(TICKET, t=gid(desk.ticket)) as stream:
        await stream.next()
        await on_ticket(desk.ann, "ticketResolve", desk.ticket)
        assert (await stream.next())["ticket"]["status"] == "RESOLVED"
        await on_ticket(desk.ann, "ticketClose", desk.ticket)
        assert (await stream.next())["ticket"]["status"] == "CLOSED"


class Seconds:
    """The hub's clock, moved by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def patient(db: str, clock: Clock) -> AsyncIterator[tuple[Services, Seconds]]:
    """Services whose hub asks for access again when its clock says so."""
    seconds = Seconds()
    hub = Hub(reader, clock=seconds, recheck=30)
    await hub.start()
    try:
        yield Services(hub=hub, clock=clock), seconds
    finally:
        await settle()
        await hub.stop()


async def leave(ann: models.User) -> None:
    await models.Membership.filter(user=ann).delete()


async def lose_sight(ann: models.User) -> None:
    """Of a colleague's ticket: the organization shows its members their own alone."""
    membership = await models.Membership.get(user=ann).select_related("organization")
    membership.organization.member_visibility = membership.organization.member_visibility.OWN
    await membership.organization.save()


async def be_switched_off(ann: models.User) -> None:
    ann.is_active = False
    await ann.save()


@pytest.mark.parametrize("change", [leave, lose_sight, be_switched_off])
async def test_who_may_no_longer_watch_gets_nothing_more(patient: tuple[Services, Seconds], change: Any) -> None:
    """J3: after the next look at access the stream ends, before the next event; a colleague's goes on."""
    services, seconds = patient
    acme = await make_organization("Acme")
    author, ann = await make_member(acme), await make_member(acme, name="Ann")
    sam, ticket = Client(services, await make_staff()), await make_ticket(acme, author)
    manager = await make_member(acme, OrganizationRole.ADMIN)
    async with (
        Client(services, ann).watch(MESSAGES, t=gid(ticket)) as stream,
        Client(services, manager).watch(MESSAGES, t=gid(ticket)) as other,
    ):
        for each in (stream, other):
            assert (await each.next())["__typename"] == "StreamCaughtUp"
        await send(sam, ticket, "before")
        assert await bodies(stream, 1) == await bodies(other, 1) == ["before"]

        await change(ann)
        seconds.now += 30
        await send(sam, ticket, "after")

        data, errors = await stream.result()
        assert (data, codes(errors)) == (None, ["NOT_FOUND"])
        assert await bodies(other, 1) == ["after"]
    if change is be_switched_off:
        return  # Nobody is let in who is switched off: there is no viewer to watch as.
    async with Client(services, ann).watch(MESSAGES, t=gid(ticket)) as again:
        assert codes((await again.result())[1]) == ["NOT_FOUND"]


async def test_who_still_may_goes_on_after_every_look(patient: tuple[Services, Seconds]) -> None:  # J3
    services, seconds = patient
    acme = await make_organization("Acme")
    ann = await make_member(acme)
    ticket = await make_ticket(acme, ann)
    async with Client(services, ann).watch(MESSAGES, t=gid(ticket)) as stream:
        await stream.next()
        for text in "abc":
            seconds.now += 30
            await send(Client(services, ann), ticket, text)
            assert await bodies(stream, 1) == [text]
