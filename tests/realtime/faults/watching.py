"""Watchers: clients of graphql-transport-ws that come, go at random, and come back after their cursor.

All of them live in one event loop. They keep what they were told, and nothing else: no watcher corrects what it hears.
"""

import asyncio
import base64
import json
import random
import time
from array import array
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from realtime.cursor import NO_EPOCH, Cursor
from resolvers.streams import MESSAGE_ADDED, streams_of
from tests.realtime.faults.desk import Desk, Logged, Person, gid

BEGINNING = str(Cursor(NO_EPOCH, 0))

MESSAGES = """subscription($t: ID!, $after: Cursor) { messages(ticketId: $t, after: $after) { __typename
  ... on MessageChange { cursor message { body } }
  ... on StreamCaughtUp { cursor } ... on StreamReset { reason cursor } } }"""

TICKET = """subscription($t: ID!, $after: Cursor) { ticket(ticketId: $t, after: $after) { __typename
  ... on TicketChange { cursor item { ... on Message { body } } }
  ... on StreamCaughtUp { cursor } ... on StreamReset { reason cursor } } }"""
"""Every event of a ticket. It goes the ordinary way; `MESSAGES` is fanned out to groups."""

STAYS = (0.1, 3.0)
"""Seconds that a watcher stays connected, while there are faults."""

AWAY = (0.0, 0.6)
"""Seconds that it stays away."""

RUDE = 0.7
"""Part of the departures without a close frame: the connection is cut."""

ANSWERS_WITHIN = 10.0


@dataclass(frozen=True)
class Told:
    """What a watcher was told of: the number of the event, and the text of its message if it has one."""

    seq: int
    body: str | None


@dataclass
class Counts:
    """What happened to all watchers of a run."""

    connections: int = 0
    refused: int = 0
    caught_up: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    """How subscriptions ended that the server ended, by the error's code or the close code."""
    delays: "array[int]" = field(default_factory=lambda: array("q"))
    """Nanoseconds from the first attempt to write until a watcher was told, time away included."""
    last_told: float = 0.0


@dataclass(eq=False)
class Watcher:
    """One client. It keeps its cursor together with what it has been told."""

    person: Person
    ticket: UUID
    document: str
    counts: Counts
    after: str | None = BEGINNING
    told: list[Told] = field(default_factory=list)
    resets: list[str] = field(default_factory=list)
    connected: bool = False
    live: bool = False
    caught_up: int = 0
    """Of this connection."""

    @property
    def topic(self) -> str:
        staff, public = streams_of(self.ticket)
        return staff if self.person.staff else public

    @property
    def last(self) -> int:
        return self.told[-1].seq if self.told else 0

    def expected(self, log: dict[str, list[Logged]]) -> list[Told]:
        everything = self.document == TICKET
        return [Told(event.seq, event.body) for event in log[self.topic] if everything or event.kind == MESSAGE_ADDED]

    async def come_and_go(self, addresses: list[str], leaving: Callable[[], bool]) -> None:
        """For ever. While `leaving()`, it stays for a moment only."""
        while True:
            with suppress(OSError, EOFError, TimeoutError, WebSocketException):
                await self.visit(random.choice(addresses), leaving)
            await asyncio.sleep(random.uniform(*AWAY) if leaving() else 0.2)

    async def visit(self, address: str, leaving: Callable[[], bool] = lambda: False) -> None:
        """One connection. Raises what the network, or the server by closing it, makes of it."""
        try:
            connection = await self.connect(address)
        except (OSError, EOFError, TimeoutError, WebSocketException):
            self.counts.refused += 1
            raise
        until = time.monotonic() + random.uniform(*STAYS)
        try:
            while True:
                if leaving() and time.monotonic() > until:
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.2):
                        if not self.take(json.loads(await connection.recv(decode=True))):
                            return
        except WebSocketException:
            self.counts.ended[f"closed with {connection.close_code}"] += 1
            raise
        finally:
            self.connected = self.live = False
            if random.random() < RUDE:
                connection.transport.abort()
            await connection.close()

    async def connect(self, address: str) -> ClientConnection:
        async with asyncio.timeout(ANSWERS_WITHIN):
            connection = await connect(
                f"ws://{address}/graphql",
                subprotocols=[Subprotocol("graphql-transport-ws")],
                compression=None,
                open_timeout=ANSWERS_WITHIN,
                close_timeout=0.5,
                ping_interval=None,
            )
            try:
                await self.subscribe(connection)
            except BaseException:
                connection.transport.abort()
                raise
        self.counts.connections += 1
        self.connected = True
        return connection

    async def subscribe(self, connection: ClientConnection) -> None:
        await connection.send(
            json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {self.person.token}"}})
        )
        assert json.loads(await connection.recv()) == {"type": "connection_ack"}
        variables = {"t": gid(self.ticket), "after": self.after}
        payload = {"query": self.document, "variables": variables}
        await connection.send(json.dumps({"id": "w", "type": "subscribe", "payload": payload}))
        self.caught_up = 0

    def take(self, message: dict[str, Any]) -> bool:
        """Whether the subscription goes on after this message."""
        if message["type"] == "next" and "errors" not in message["payload"]:
            (item,) = message["payload"]["data"].values()
            self.take_item(item)
            return True
        if message["type"] == "ping":
            return True
        problem = message.get("payload") or message["type"]
        for error in problem if isinstance(problem, list) else []:
            self.counts.ended[error.get("extensions", {}).get("code", "no code")] += 1
        if not isinstance(problem, list):
            self.counts.ended[f"{message['type']}"] += 1
        return False

    def take_item(self, item: dict[str, Any]) -> None:
        self.after = item["cursor"]
        match item["__typename"]:
            case "StreamCaughtUp":
                self.live = True
                self.caught_up += 1
                self.counts.caught_up += 1
            case "StreamReset":
                self.resets.append(item["reason"])
            case _:
                body = (item.get("message") or item.get("item") or {}).get("body")
                self.told.append(Told(number_in(item["cursor"]), body))
                self.counts.last_told = time.monotonic()
                if body and "t=" in body:
                    self.counts.delays.append(time.monotonic_ns() - int(body.rpartition("t=")[2]))


def number_in(cursor: str) -> int:
    """The number in a cursor, also in one that the product would not take back: the verdict is about what was told."""
    return int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).rpartition(b":")[2])


def crowd(desk: Desk, number: int, counts: Counts) -> list[Watcher]:
    """Watchers of every ticket, agents and members in turn; each fifth follows the ticket and not its messages."""
    made = []
    for n in range(number):
        person = desk.people[n % len(desk.people)]
        document = TICKET if n % 5 == 4 else MESSAGES
        made.append(Watcher(person, desk.tickets[(n // 2) % len(desk.tickets)], document, counts))
    return made
