"""People on one ticket at the same time, on a real server: what they see of each other, and customers do not (J7)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

import models
from tests.server.desk import Desk, running_desk
from tests.server.running import PATIENCE, Socket, Watch, ask, http, until

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

FOLLOWED = {
    "messages": "messages(ticketId: $t) { __typename ... on MessageChange { message { body sequence } } }",
    "ticket": "ticket(ticketId: $t) { __typename ... on TicketChange { changedFields item { sequence visibility } "
    "ticket { version updatedAt lastSequence unreadCount viewers { actor { displayName } state since } } } }",
    "typing": "typing(ticketId: $t) { isTyping visibility actor { displayName } }",
    "presence": "presence(ticketId: $t) { viewers { state since actor { displayName } } }",
    "readState": "readState(ticketId: $t) { unreadCount receipt { lastReadSequence readAt reader { displayName } } }",
    "notifications": "notifications { __typename ... on NotificationChange { unreadCount notification { text } } }",
}
"""Everything that can be followed of a ticket, and of oneself."""

MARKED = ("typing", "presence", "readState")
"""Those without markers: they begin with how things stand, where there is something."""


class Person:
    """Somebody with the ticket open: every stream on one socket, and each frame that came on any."""

    def __init__(self, desk: Desk, client: httpx2.AsyncClient, socket: Socket) -> None:
        self.desk, self.client, self.socket = desk, client, socket
        self.watches: dict[str, Watch] = {}

    async def follow(self) -> None:
        for name, selection in FOLLOWED.items():
            takes = "" if name == "notifications" else "($t: ID!)"
            variables = {} if name == "notifications" else {"t": self.desk.id}
            self.watches[name] = await self.socket.watch(f"subscription{takes} {{ {selection} }}", **variables)
        for name in self.watches.keys() - set(MARKED):
            await self.watches[name].caught_up()
        await self.watches["presence"].next()

    async def does(self, mutation: str, given: str) -> None:
        document = f"mutation($t: ID!) {{ {mutation}(input: {{ticketId: $t, {given}}}) {{ errors {{ code }} }} }}"
        answer = await ask(self.client, document, t=self.desk.id)
        assert answer[mutation]["errors"] == []

    async def next(self, name: str) -> Any:
        return await self.watches[name].next()

    def waiting(self) -> dict[str, int]:
        """Frames that came and were not looked at, by stream."""
        found = {name: watch.frames.qsize() for name, watch in self.watches.items()}
        return {name: count for name, count in found.items() if count}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with running_desk("sqlite", tmp_path) as desk:
        async with asyncio.timeout(PATIENCE):
            while await models.PendingNotice.exists():  # noqa: ASYNC110 - the first message is told to nobody yet
                await asyncio.sleep(0.01)
        desk.ticket.assignee = desk.sam
        await desk.ticket.save(update_fields=["assignee_id"])
        yield desk


@pytest.fixture
async def people(desk: Desk) -> AsyncIterator[dict[str, Person]]:
    async with AsyncExitStack() as stack:
        found = {}
        for name in ("ann", "bob", "sam", "kim"):
            user = getattr(desk, name)
            client = await stack.enter_async_context(http(desk.served.address, desk.served.token(user)))
            found[name] = Person(desk, client, await desk.socket(user))
        yield found


async def names(person: Person) -> list[str]:
    """Who is there, by the next event that says so."""
    return [each["actor"]["displayName"] for each in (await person.next("presence"))["viewers"]]


async def test_nothing_that_support_does_among_itself_reaches_a_customer_on_any_way(
    desk: Desk, people: dict[str, Person]
) -> None:
    """J7: Ann has everything open that she can; a colleague of the handler looks in, and both write to each other."""
    ann, sam, kim = people["ann"], people["sam"], people["kim"]
    await models.Participant.create(
        ticket=desk.ticket, user=desk.kim, role="PARTICIPANT", added_at=desk.ticket.created_at
    )
    await sam.does("presenceSet", "state: VIEWING")
    await sam.does("ticketMarkRead", "upToSequence: 1")
    for person in (ann, kim):
        await person.follow()
    assert (await ann.next("readState"))["receipt"]["lastReadSequence"] == 1
    before = await asked(ann)

    await kim.does("presenceSet", "state: VIEWING")
    await kim.does("typingSet", "isTyping: true, visibility: INTERNAL")
    await kim.does("noteAdd", 'body: "A known defect", visibility: INTERNAL')
    await sam.does("presenceSet", "state: TYPING")
    await sam.does("typingSet", "isTyping: true, visibility: INTERNAL")
    await sam.does("messageSend", 'clientMessageId: "1", message: {body: "Say nothing", visibility: INTERNAL}')
    await sam.does("typingSet", "isTyping: false")
    await sam.does("ticketMarkRead", "upToSequence: 3")
    for name in ("messages", "ticket", "typing", "presence", "readState", "notifications"):
        await kim.next(name)  # Each of them is told to the colleague, so it had been on its way.
    assert await asked(ann) == before

    await sam.does("messageSend", 'clientMessageId: "2", message: {body: "Please restart it"}')
    assert (await ann.next("messages"))["message"] == {"body": "Please restart it", "sequence": 3}
    assert (await ann.next("notifications"))["notification"] == {"text": f"Sam wrote on {desk.ticket.reference}."}
    status, message = await ann.next("ticket"), await ann.next("ticket")

    assert [each["item"] for each in (status, message)] == [
        {"sequence": 2, "visibility": "PUBLIC"},
        {"sequence": 3, "visibility": "PUBLIC"},
    ]
    assert [(each["actor"]["displayName"], each["state"]) for each in message["ticket"]["viewers"]] == [
        ("Sam", "VIEWING")
    ]
    assert ann.waiting() == {}, "of what came before there was nothing"


async def asked(person: Person) -> Any:
    """All that a customer can ask of the same."""
    document = """query($t: ID!) { ticket(id: $t) { version updatedAt lastActivityAt lastSequence unreadCount feedCursor
      viewers { actor { displayName } state since }
      messages(first: 9) { totalCount nodes { body sequence
        readBy(first: 9) { totalCount nodes { readAt lastReadSequence } } } } }
      viewer { unreadTicketCount notifications { totalCount nodes { text } } } }"""
    return await ask(person.client, document, t=person.desk.id)


async def test_people_see_each_other_come_write_read_and_go(desk: Desk, people: dict[str, Person]) -> None:
    """J7, S97: with the socket that is cut, its person is gone for the others."""
    ann, sam = people["ann"], people["sam"]
    for person in (ann, sam):
        await person.follow()
    await ann.does("presenceSet", "state: VIEWING")
    assert await names(sam) == await names(ann) == ["Ann"]
    await sam.does("presenceSet", "state: VIEWING")
    assert await names(sam) == await names(ann) == ["Ann", "Sam"]

    await ann.does("typingSet", "isTyping: true")
    assert await sam.next("typing") == {"isTyping": True, "visibility": "PUBLIC", "actor": {"displayName": "Ann"}}
    await ann.does("messageSend", 'clientMessageId: "1", message: {body: "Still black"}')
    assert (await sam.next("messages"))["message"]["body"] == "Still black"
    assert (await sam.next("notifications"))["unreadCount"] == 1
    await sam.does("ticketMarkRead", "upToSequence: 2")
    state = await ann.next("readState")
    assert (state["receipt"]["reader"]["displayName"], state["receipt"]["lastReadSequence"]) == ("Sam", 2)
    async with asyncio.timeout(PATIENCE):
        assert (await sam.next("typing"))["isTyping"] is False, "by itself, after five seconds"

    ann.socket.connection.transport.abort()

    assert await names(sam) == ["Sam"]
    await until(lambda: len(desk.served.casewire.services.ephemeral.said(f"ticket:{desk.ticket.id}", "presence")) == 1)
