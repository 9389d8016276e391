"""Clients as docs/clients.md wants them: they come back, resume by their cursor, and send again under the same key."""

import asyncio
from contextlib import suppress

import httpx2
from websockets.exceptions import WebSocketException

from tests.server.desk import MESSAGES
from tests.server.running import PATIENCE, Ended, ask, http, open_socket

SEND = """mutation($t: ID!, $key: String!, $body: Markdown!) {
  messageSend(input: {ticketId: $t, clientMessageId: $key, message: {body: $body}}) { errors { code } } }"""

PAUSE = 0.02
"""Seconds between two attempts."""


class Journal:
    """The messages of a ticket that a client has seen, and the place to go on from, kept together."""

    def __init__(self, address: str, token: str, ticket: str, after: str | None = None) -> None:
        self.address, self.token, self.ticket, self.after = address, token, ticket, after
        self.seen: list[str] = []
        self.connections = 0
        self.begun = asyncio.Event()

    async def follow(self, last: str) -> None:
        """Until `last` was seen. A connection that breaks is made again."""
        while self.seen[-1:] != [last]:
            with suppress(OSError, EOFError, WebSocketException, Ended):
                await self._read(last)
            await asyncio.sleep(PAUSE)

    async def _read(self, last: str) -> None:
        async with open_socket(self.address, self.token) as socket:
            watch = await socket.watch(MESSAGES, t=self.ticket, after=self.after)
            self.connections += 1
            while self.seen[-1:] != [last]:
                item = await watch.next()
                assert item["__typename"] != "StreamReset"
                self.after = watch.cursor
                self.seen += [item["message"]["body"]] if "message" in item else []
                self.begun.set()


async def send_all(address: str, token: str, ticket: str, texts: list[str]) -> None:
    """One after the other, each until there is an answer."""
    async with http(address, token) as client:
        for text in texts:
            async with asyncio.timeout(4 * PATIENCE):
                while not await _sent(client, ticket, text):  # noqa: ASYNC110 - the server may be away
                    await asyncio.sleep(PAUSE)


async def _sent(client: httpx2.AsyncClient, ticket: str, text: str) -> bool:
    with suppress(httpx2.TransportError):
        done = await ask(client, SEND, t=ticket, key=text, body=text)
        assert done["messageSend"]["errors"] == []
        return True
    return False
