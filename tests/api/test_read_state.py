"""Unread counts and read receipts: each in the numbering of who asks, and nothing internal in any of them (J7)."""

import asyncio
from typing import Any

import pytest

import models
from domain.enums import OrganizationRole, Visibility
from engine.instants import instant_text
from resolvers.context import Services
from tests.api.operations import mutate, note, on_ticket, refusal, send
from tests.api.test_list_cost import counted
from tests.api.world import codes, gid, nothing_changes
from tests.client import Client, Refused, Stream
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import (
    LONG_AGO,
    make_member,
    make_message,
    make_organization,
    make_participant,
    make_staff,
    make_ticket,
)

pytestmark = pytest.mark.anyio

STATE = "query($t: ID!) { ticket(id: $t) { unreadCount viewerLastReadSequence version updatedAt } }"
READERS = """query($t: ID!) { ticket(id: $t) { messages { nodes { body readBy { totalCount nodes {
  lastReadSequence readAt reader { displayName } } } } } } }"""
READ_STATE = """subscription($t: ID!) { readState(ticketId: $t) {
  ticketId unreadCount receipt { lastReadSequence readAt reader { displayName } } } }"""


class Desk:
    """Ann's ticket, in which Bob takes part; Sam handles it, Pat is from support too."""

    def __init__(self, as_user: AsUser, people: dict[str, models.User], ticket: models.Ticket) -> None:
        self.people, self.ticket = people, ticket
        self.ann, self.bob, self.sam, self.pat = (as_user(each) for each in people.values())

    async def talk(self) -> None:
        """For staff 1 to 4, for customers 1 to 3: Ann, Sam, Pat (internal), Sam."""
        await make_message(self.ticket, self.people["Ann"], "one")
        await make_message(self.ticket, self.people["Sam"], "two")
        await make_message(self.ticket, self.people["Pat"], "hidden", Visibility.INTERNAL)
        await make_message(self.ticket, self.people["Sam"], "three")

    async def reads(self, client: Client, up_to: int) -> Any:
        selection = "ticket { unreadCount viewerLastReadSequence }"
        return await mutate(client, "ticketMarkRead", selection, ticketId=gid(self.ticket), upToSequence=up_to)

    async def unreads(self, client: Client, since: int) -> Any:
        selection = "ticket { unreadCount viewerLastReadSequence }"
        return await mutate(client, "ticketMarkUnread", selection, ticketId=gid(self.ticket), fromSequence=since)

    async def unread(self, client: Client) -> tuple[int, int]:
        """The count, and the place read up to."""
        found = (await client.ask(STATE, t=gid(self.ticket)))["ticket"]
        return found["unreadCount"], found["viewerLastReadSequence"]

    async def readers(self, client: Client) -> dict[str, list[tuple[str, int]]]:
        nodes = (await client.ask(READERS, t=gid(self.ticket)))["ticket"]["messages"]["nodes"]
        for each in nodes:
            assert each["readBy"]["totalCount"] == len(each["readBy"]["nodes"])
        return {
            each["body"]: [(by["reader"]["displayName"], by["lastReadSequence"]) for by in each["readBy"]["nodes"]]
            for each in nodes
        }


@pytest.fixture
async def desk(as_user: AsUser) -> Desk:
    acme = await make_organization("Acme")
    people = {name: await make_member(acme, name=name) for name in ("Ann", "Bob")}
    people |= {name: await make_staff(name=name) for name in ("Sam", "Pat")}
    ticket = await make_ticket(acme, people["Ann"], assignee=people["Sam"])
    await make_participant(ticket, people["Bob"])
    return Desk(as_user, people, ticket)


async def told(stream: Stream) -> tuple[str, int, int]:
    """Who, how far, and what is unread for who watches."""
    event = await stream.next()
    return event["receipt"]["reader"]["displayName"], event["receipt"]["lastReadSequence"], event["unreadCount"]


async def test_what_others_wrote_is_unread_until_it_is_read(desk: Desk) -> None:
    """J7: one's own is read by oneself, and a customer counts nothing internal."""
    await desk.talk()

    assert await desk.unread(desk.ann) == (2, 0)
    assert await desk.unread(desk.bob) == (3, 0)
    assert await desk.unread(desk.sam) == (2, 0)
    assert await desk.unread(desk.pat) == (3, 0)

    assert await desk.reads(desk.ann, 2) == {"ticket": {"unreadCount": 1, "viewerLastReadSequence": 2}, "errors": []}
    assert (await desk.reads(desk.sam, 3))["ticket"] == {"unreadCount": 0, "viewerLastReadSequence": 3}
    assert await desk.unread(desk.bob) == (3, 0), "everybody has a place of their own"


async def test_a_place_goes_forward_by_reading_and_back_by_marking_as_unread_and_never_beyond_the_end(
    desk: Desk,
) -> None:  # J7
    await desk.talk()
    await desk.reads(desk.bob, 2)
    await desk.reads(desk.bob, 1)
    assert await desk.unread(desk.bob) == (1, 2)
    await desk.reads(desk.bob, 2**31 - 1)
    assert await desk.unread(desk.bob) == (0, 3)
    await desk.unreads(desk.bob, 2**31 - 1)
    assert await desk.unread(desk.bob) == (0, 3)
    await send(desk.sam, desk.ticket, "four")
    assert await desk.unread(desk.bob) == (1, 3), "what comes later is unread, however far was said"

    assert (await desk.unreads(desk.bob, 2))["ticket"] == {"unreadCount": 3, "viewerLastReadSequence": 1}
    assert (await desk.unreads(desk.bob, 1))["ticket"] == {"unreadCount": 4, "viewerLastReadSequence": 0}


async def test_reading_changes_nothing_of_the_ticket(desk: Desk, clock: Clock) -> None:  # J7
    await desk.talk()
    before = await models.Ticket.get(id=desk.ticket.id).values()
    streams = await models.FeedStream.all().count()
    clock.advance(hours=1)
    await desk.reads(desk.ann, 3)
    await desk.unreads(desk.ann, 1)

    assert await models.Ticket.get(id=desk.ticket.id).values() == before
    assert await models.FeedStream.all().count() == streams


async def test_each_reader_is_shown_in_the_numbering_of_who_asks(desk: Desk) -> None:  # J7
    await desk.talk()
    await desk.reads(desk.ann, 3)
    await desk.reads(desk.sam, 3)

    assert await desk.readers(desk.bob) == {
        "one": [("Sam", 2)],
        "two": [("Ann", 3)],
        "three": [("Ann", 3)],
    }
    assert await desk.readers(desk.pat) == {
        "one": [("Sam", 3)],
        "two": [("Ann", 4)],
        "hidden": [("Ann", 4), ("Sam", 3)],
        "three": [("Ann", 4)],
    }


async def test_a_customer_is_told_of_its_own_side_and_the_handler_alone(desk: Desk) -> None:  # J7
    await desk.talk()
    await desk.reads(desk.pat, 4)
    assert await desk.readers(desk.ann) == {"one": [], "two": [], "three": []}
    assert await desk.readers(desk.sam) == {
        "one": [("Pat", 4)],
        "two": [("Pat", 4)],
        "hidden": [],
        "three": [("Pat", 4)],
    }

    await on_ticket(desk.sam, "ticketAssign", desk.ticket, assigneeId=gid(desk.people["Pat"]))

    assert (await desk.readers(desk.ann))["three"] == [("Pat", 3)]


async def test_that_support_reads_among_internal_notes_is_not_told_to_customers(desk: Desk, clock: Clock) -> None:
    """J7: neither a number nor an instant moves."""
    await desk.talk()
    await desk.reads(desk.sam, 2)
    read_at = instant_text(clock())
    async with (
        desk.ann.watch(READ_STATE, t=gid(desk.ticket)) as customer,
        desk.pat.watch(READ_STATE, t=gid(desk.ticket)) as support,
    ):
        first = await customer.next()
        assert first["receipt"] == {"lastReadSequence": 2, "readAt": read_at, "reader": {"displayName": "Sam"}}
        assert await told(support) == ("Sam", 2, 3)
        clock.advance(hours=1)
        await desk.reads(desk.sam, 3)
        assert await told(support) == ("Sam", 3, 3)
        nodes = (await desk.ann.ask(READERS, t=gid(desk.ticket)))["ticket"]["messages"]["nodes"]
        assert nodes[0]["readBy"]["nodes"] == [first["receipt"]]
        await desk.reads(desk.bob, 1)

        assert await told(customer) == ("Bob", 1, 2), "the first that a customer is told after that"


async def test_who_follows_is_told_how_things_stand_and_then_who_reads_on(desk: Desk) -> None:  # J7
    await desk.talk()
    await desk.reads(desk.bob, 1)
    async with desk.ann.watch(READ_STATE, t=gid(desk.ticket)) as stream:
        assert await told(stream) == ("Bob", 1, 2)
        await desk.reads(desk.sam, 4)
        assert await told(stream) == ("Sam", 3, 2)
        await desk.reads(desk.ann, 3)
        assert await told(stream) == ("Ann", 3, 0), "one's own place, for one's other windows"
        await desk.unreads(desk.ann, 1)
        assert await told(stream) == ("Ann", 0, 2)


async def test_what_was_deleted_or_came_from_somebody_who_is_gone_counts_rightly(desk: Desk) -> None:
    await desk.talk()
    await models.Message.filter(body="two").update(deleted_at=LONG_AGO)
    await models.Message.filter(body="three").update(actor_id=None)

    assert await desk.unread(desk.ann) == (1, 0)


async def test_a_note_of_support_is_unread_for_support_alone(desk: Desk) -> None:  # J7
    await note(desk.sam, desk.ticket, "aside", visibility="INTERNAL")

    assert (await desk.unread(desk.pat), await desk.unread(desk.ann)) == ((1, 0), (0, 0))


async def test_lists_and_counts_of_what_is_unread(desk: Desk) -> None:
    """J7: the filter, alone and negated, and the number of one's own tickets with something unread."""
    await desk.talk()
    quiet = await make_ticket(await models.Organization.get(name="Acme"), desk.people["Ann"])
    await make_message(quiet, desk.people["Sam"], "hidden", Visibility.INTERNAL)
    lists = """query($f: TicketFilter) { tickets(scope: ALL, filter: $f) { totalCount nodes { reference } }
      viewer { unreadTicketCount } }"""

    async def found(client: Client, **wanted: Any) -> tuple[set[str], int]:
        data = await client.ask(lists, f=wanted)
        names = {each["reference"] for each in data["tickets"]["nodes"]}
        assert data["tickets"]["totalCount"] == len(names)
        return names, data["viewer"]["unreadTicketCount"]

    both = {desk.ticket.reference, quiet.reference}
    assert await found(desk.ann, unreadOnly=True) == ({desk.ticket.reference}, 1)
    assert await found(desk.ann, unreadOnly=False) == await found(desk.ann) == (both, 1)
    assert await found(desk.ann, **{"not": {"unreadOnly": True}}) == ({quiet.reference}, 1)
    assert await found(desk.bob, unreadOnly=True) == ({desk.ticket.reference}, 1)
    assert await found(desk.pat, unreadOnly=True) == (both, 0), "neither is Pat's"
    assert (await found(desk.sam, unreadOnly=True))[1] == 1

    await desk.reads(desk.ann, 3)
    assert await found(desk.ann, unreadOnly=True) == (set(), 0)
    assert (await desk.ann.ask("{ viewer { unreadTicketCount } }"))["viewer"] == {"unreadTicketCount": 0}


async def test_nobody_has_nothing_unread(as_user: AsUser) -> None:
    assert await as_user(None).ask("{ viewer { unreadTicketCount } }") == {"viewer": {"unreadTicketCount": 0}}


async def test_unread_counts_of_a_page_take_one_statement(services: Services) -> None:
    """J5: and so do the places."""
    acme = await make_organization("Acme")
    ann, sam = await make_member(acme), await make_staff()
    for _ in range(50):
        await make_message(await make_ticket(acme, ann), sam)
    page = "query($n: Int) { tickets(first: $n) { nodes { unreadCount viewerLastReadSequence } } }"

    taken = {}
    for first in (5, 50):
        with counted() as sent:
            data = await Client(services, ann).ask(page, n=first)
        assert data["tickets"]["nodes"] == [{"unreadCount": 1, "viewerLastReadSequence": 0}] * first
        taken[first] = len([each for each in sent if "SELECT topic" not in each])  # not the hub's looks

    assert taken[5] == taken[50] == 4, "the viewer, the page, the counts, the places"


@pytest.mark.parametrize(
    ("mark", "number"), [("ticketMarkRead", -1), ("ticketMarkUnread", 0), ("ticketMarkUnread", -5)]
)
async def test_a_number_that_no_item_has_is_refused(desk: Desk, mark: str, number: int) -> None:
    field = "upToSequence" if mark == "ticketMarkRead" else "fromSequence"
    async with nothing_changes():
        payload = await mutate(desk.ann, mark, "ticket { id }", ticketId=gid(desk.ticket), **{field: number})

    assert refusal(payload) == ("INVALID", ["input", field])


async def test_who_may_not_see_the_ticket_learns_nothing_of_its_readers(desk: Desk, as_user: AsUser) -> None:
    """J3, J7."""
    stranger = as_user(await make_member(await make_organization("Other"), OrganizationRole.OWNER))
    async with nothing_changes():
        assert refusal(await desk.reads(stranger, 1)) == ("NOT_FOUND", ["input", "ticketId"])
        for client, code in ((stranger, "NOT_FOUND"), (as_user(None), "UNAUTHENTICATED")):
            async with client.watch(READ_STATE, t=gid(desk.ticket)) as stream:
                assert codes((await stream.result())[1]) == [code]

    await desk.talk()
    await desk.reads(desk.sam, 1)
    async with desk.bob.watch(READ_STATE, t=gid(desk.ticket)) as stream:
        assert await told(stream) == ("Sam", 1, 3)
        await models.Membership.filter(user=desk.people["Bob"]).delete()
        await desk.reads(desk.sam, 2)
        with pytest.raises(Refused) as refused:
            await stream.next()
        assert refused.value.codes == ["NOT_FOUND"]


async def test_two_windows_that_read_at_once_end_at_the_furthest(desk: Desk) -> None:
    """The race is one on PostgreSQL; on SQLite one comes after the other."""
    await desk.talk()
    await asyncio.gather(*(desk.reads(desk.pat, place) for place in (2, 4, 1, 3)))

    assert await desk.unread(desk.pat) == (0, 4)
    assert await models.ReadMark.filter(ticket=desk.ticket).count() == 1
