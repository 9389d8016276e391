"""Messages posted to a server that is watched: one by one through its API, or many tickets' at a stroke."""

import asyncio
import http.client
import itertools
import re
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from queue import Empty, Queue
from threading import Thread
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from uuid_utils.compat import uuid7

from bench.contestants import CASEWIRE, Contestant, token_for
from bench.documents import SEND, send_input
from bench.processes import Process
from bench.watchers import stamp
from bench.world import World

BATCHES_AHEAD = 2

TEXT = " Could you look at the camera in the small room again? It turned black after the update."


class Poster:
    """Posts as the manager of organization 0, over one connection that stays open."""

    def __init__(self, contestant: Contestant, process: Process, world: World) -> None:
        self._contestant = contestant
        self._connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=30)
        self._author = str(world.manager)
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token_for(world.manager)}"}
        self._numbers = itertools.count(1)
        self._run = uuid7().hex

    def send(self, ticket: UUID) -> None:
        """One message through the API.

        Raises:
            AssertionError: it was refused.
        """
        variables = send_input(ticket, stamp() + TEXT, f"{self._run}-{next(self._numbers)}")
        answer = self._post("send", {"query": SEND, "variables": variables})
        assert "errors" not in answer, answer
        assert answer["data"]["messageSend"]["message"], answer

    def publish(self, tickets: list[UUID], writer: "LogWriter | PostgresLogWriter | None") -> None:
        """A message on each of these tickets, which is in the database already when the server hears of it."""
        if writer is None:
            self._post("publish", [self._message(each) for each in tickets])
        else:
            self._post("publish", writer.write(tickets, self._author))

    def ring(self, heads: dict[str, int]) -> None:
        """Tell the server of what has been written to the log."""
        self._post("publish", heads)

    def close(self) -> None:
        self._connection.close()

    def _message(self, ticket: UUID) -> dict[str, Any]:
        number = next(self._numbers)
        at = datetime.now(UTC).isoformat()
        key, body = str(uuid7()), stamp() + TEXT
        return {"ticket": str(ticket), "id": key, "sequence": number, "at": at, "body": body, "actor": self._author}

    def _post(self, operation: str, body: Any) -> Any:
        self._connection.request("POST", self._contestant.path(operation), orjson.dumps(body), self._headers)
        response = self._connection.getresponse()
        text = response.read()
        assert response.status in (200, 204), f"{self._contestant.name} answers {response.status}: {text[:300]!r}"
        return orjson.loads(text) if text else None


class LogWriter:
    """Writes messages and their events as `messageSend` does, from another process: what a second server would do."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False)
        self._connection.execute("PRAGMA synchronous=OFF")  # whatever is measured, it is not this machine's disk
        self._prepared: dict[str, str] = {}

    def write(self, tickets: list[UUID], author: str) -> dict[str, int]:
        """The streams that were written to, with their heads: what is to be rung."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        heads: dict[str, int] = {}
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        for ticket in map(str, tickets):
            key = str(uuid7())
            ((sequence, public),) = run(_NUMBER, (ticket,)).fetchall()
            for topic in topics_of(ticket):
                ((heads[topic],),) = run(_HEAD, (topic,)).fetchall()
                run(_EVENT, (topic, heads[topic], f"message:{key}", told(key), now))
            run(_STORE, (key, ticket, sequence, public, now, stamp() + TEXT, key, author))
        run("COMMIT")
        return heads

    def prepare(self, tickets: list[UUID], author: str) -> None:
        """Store a message on each of these tickets, of which nobody is told."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        for ticket in map(str, tickets):
            key = self._prepared[ticket] = str(uuid7())
            ((sequence, public),) = run(_NUMBER, (ticket,)).fetchall()
            run(_STORE, (key, ticket, sequence, public, now, stamp() + TEXT, key, author))
        run("COMMIT")

    def announce(self, tickets: list[UUID]) -> dict[str, int]:
        """Tell of the messages that were prepared, each as often as it is asked for; returns what is to be rung."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        messages = {topic: self._prepared[ticket] for ticket in map(str, tickets) for topic in topics_of(ticket)}
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        heads = dict(run(_HEADS, (orjson.dumps(list(messages)).decode(),)).fetchall())
        events = (
            (topic, heads[topic], f"message:{message}:{heads[topic]}", told(message), now)
            for topic, message in messages.items()
        )
        self._connection.executemany(_EVENT, events)
        run("COMMIT")
        return heads

    def close(self) -> None:
        self._connection.close()


class Ahead:
    """Tells of batches of prepared messages before they are asked for, in a thread: nobody waits for the writing."""

    def __init__(self, writer: LogWriter, parts: Iterator[list[UUID]]) -> None:
        self._written: Queue[dict[str, int]] = Queue(BATCHES_AHEAD)
        self._stopped = False
        self._thread = Thread(target=self._run, args=(writer, parts), daemon=True)
        self._thread.start()

    def next(self) -> dict[str, int]:
        """What is to be rung for the next batch."""
        return self._written.get(timeout=30)

    def stop(self) -> Iterator[dict[str, int]]:
        """Write no more; what was written and nobody has taken."""
        self._stopped = True
        while self._thread.is_alive() or not self._written.empty():
            with suppress(Empty):
                yield self._written.get(timeout=0.01)

    def _run(self, writer: LogWriter, parts: Iterator[list[UUID]]) -> None:
        while not self._stopped:
            self._written.put(writer.announce(next(parts)))


class PostgresLogWriter:
    """The same on PostgreSQL."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self._connection: asyncpg.Connection = self._runner.run(asyncpg.connect(url))

    def write(self, tickets: list[UUID], author: str) -> dict[str, int]:
        return self._runner.run(self._write(tickets, UUID(author)))

    async def _write(self, tickets: list[UUID], author: UUID) -> dict[str, int]:
        now = datetime.now(UTC)
        heads: dict[str, int] = {}
        async with self._connection.transaction():
            for ticket in tickets:
                key = uuid7()
                sequence, public = await self._connection.fetchrow(numbered(_NUMBER), ticket)
                for topic in topics_of(str(ticket)):
                    heads[topic] = await self._connection.fetchval(numbered(_HEAD), topic)
                    event = (topic, heads[topic], f"message:{key}", told(str(key)), now)
                    await self._connection.execute(numbered(_EVENT), *event)
                message = (key, ticket, sequence, public, now, stamp() + TEXT, str(key), author)
                await self._connection.execute(numbered(_STORE), *message)
        return heads

    def close(self) -> None:
        self._runner.run(self._connection.close())
        self._runner.close()


def topics_of(ticket: str) -> tuple[str, str]:
    return f"ticket:{ticket}", f"ticket:{ticket}:pub"


def told(message: str) -> str:
    return orjson.dumps({"message": message, "fields": ["messages", "lastSequence"]}).decode()


def numbered(statement: str) -> str:
    """With PostgreSQL's parameters."""
    numbers = itertools.count(1)
    return re.sub(r"\?", lambda _: f"${next(numbers)}", statement)


def log_writer(contestant: Contestant, path: str) -> LogWriter | None:
    """Only Casewire has a log; the others are told the message itself."""
    return LogWriter(path) if contestant is CASEWIRE else None


_NUMBER = """
    UPDATE ticket SET last_sequence = last_sequence + 1, last_public_sequence = last_public_sequence + 1
    WHERE id = ? RETURNING last_sequence, last_public_sequence"""
_STORE = """
    INSERT INTO message (id, ticket_id, sequence, public_sequence, visibility, automatic, occurred_at, kind, source,
                         delivery_state, body, client_message_id, actor_id)
    VALUES (?, ?, ?, ?, 'PUBLIC', FALSE, ?, 'CHAT', 'PORTAL', 'SENT', ?, ?, ?)"""
_HEAD = """
    INSERT INTO feed_stream (topic, epoch, head, floor) VALUES (?, '0000beef', 1, 0)
    ON CONFLICT (topic) DO UPDATE SET head = feed_stream.head + 1 RETURNING head"""
_HEADS = """
    INSERT INTO feed_stream (topic, epoch, head, floor) SELECT value, '0000beef', 1, 0 FROM json_each(?) WHERE true
    ON CONFLICT (topic) DO UPDATE SET head = feed_stream.head + 1 RETURNING topic, head"""
_EVENT = "INSERT INTO feed_event (topic, seq, key, kind, data, at) VALUES (?, ?, ?, 'message.added', ?, ?)"
