"""Several processes on one database, and one that dies: what a watcher gets is decided by the log alone."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import models
from models.database import open_database
from schema.node import global_id
from server.auth import mint_access_token
from tests.databases import ENGINES, fresh_database
from tests.factories import make_member, make_organization, make_staff, make_ticket
from tests.server.desk import MESSAGES
from tests.server.patient import SEND, Journal, send_all
from tests.server.processes import Server, server_process, variables
from tests.server.running import PATIENCE, ask, http, open_socket, settings_for, until

pytestmark = pytest.mark.anyio

LIST = """subscription { tickets(scope: MINE) { __typename ... on StreamCaughtUp { cursor }
  ... on TicketChange { cursor ticket { id } } } }"""
BODIES = "query($t: ID!) { ticket(id: $t) { messages(first: 100) { nodes { body } } } }"


@dataclass(slots=True)
class Room:
    """A database with a ticket that Ann opened and Sam answers."""

    url: str
    folder: Path
    ticket: str
    ann: str
    sam: str

    @asynccontextmanager
    async def processes(self, *names: str) -> AsyncIterator[list[Server]]:
        """Servers that start together, each with a folder of its own."""
        async with AsyncExitStack() as stack:
            made = [server_process(variables(self.url, self.folder / name), self.folder / name) for name in names]
            yield await asyncio.gather(*(stack.enter_async_context(each) for each in made))


@pytest.fixture(params=ENGINES)
async def room(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Room]:
    async with fresh_database(request.param, tmp_path) as url:
        async with open_database(url):
            acme = await make_organization("Acme")
            ann, sam = await make_member(acme, name="Ann"), await make_staff(name="Sam")
            ticket = await make_ticket(acme, ann)
        yield Room(url, tmp_path, global_id("Ticket", ticket.id), token(url, tmp_path, ann), token(url, tmp_path, sam))


def token(url: str, folder: Path, user: models.User) -> str:
    return mint_access_token(settings_for(url, folder), user.id)


async def test_what_one_process_is_told_the_watchers_of_another_get(room: Room) -> None:
    """Without a common doorbell: the second process finds by looking that something was committed."""
    async with room.processes("one", "two") as (one, two):
        async with open_socket(two.address, room.ann) as socket, http(one.address, room.sam) as client:
            watch = await (await socket.watch(MESSAGES, t=room.ticket)).caught_up()
            listed = await (await socket.watch(LIST)).caught_up()  # S99

            for key in ("a", "b", "c"):
                await ask(client, SEND, t=room.ticket, key=key, body=key)

            assert await watch.bodies(3) == ["a", "b", "c"]
            assert [(await listed.next())["ticket"] for _ in range(3)] == [{"id": room.ticket}] * 3
        assert await two.kill(signal.SIGTERM) == -signal.SIGTERM
        assert "Application shutdown complete" in two.said()


@pytest.mark.timeout(120)
async def test_a_process_that_is_killed_in_the_middle_loses_and_doubles_nothing(room: Room) -> None:
    texts = [f"{number}" for number in range(60)]
    async with room.processes("one") as (server,):
        journal = Journal(server.address, room.ann, room.ticket)
        following = asyncio.create_task(journal.follow(texts[-1]))
        await asyncio.wait_for(journal.begun.wait(), PATIENCE)
        sending = asyncio.create_task(send_all(server.address, room.sam, room.ticket, texts))
        try:
            await until(lambda: len(journal.seen) >= 20)
            assert await server.kill() == -signal.SIGKILL
            await server.start()
            await asyncio.wait_for(asyncio.gather(sending, following), 3 * PATIENCE)
        finally:
            sending.cancel()
            following.cancel()
        async with http(server.address, room.sam) as client:
            stored = (await ask(client, BODIES, t=room.ticket))["ticket"]["messages"]["nodes"]

    assert journal.seen == texts
    assert [node["body"] for node in stored] == texts
    assert journal.connections == 2
