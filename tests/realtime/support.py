"""What the tests of the log and its watchers share: a database with two tables, and a client that follows."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tortoise.backends.asyncpg.client import AsyncpgDBClient
from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient

from models.sqlite import CasewireSqliteClient
from realtime import log
from realtime.cursor import Cursor
from realtime.hub import CaughtUp, Delivered, Hub, Reset, Step
from realtime.log import Draft, Event, Position

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PATIENCE = 10.0

SQLITE_TABLES = """
    CREATE TABLE feed_stream (topic varchar(120) NOT NULL PRIMARY KEY, epoch char(8) NOT NULL, head bigint NOT NULL,
        floor bigint NOT NULL DEFAULT 0) WITHOUT ROWID;
    CREATE TABLE feed_event (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
        topic varchar(120) NOT NULL, seq bigint NOT NULL, key varchar(80) NOT NULL,
        kind varchar(40) NOT NULL, data text NOT NULL, at text NOT NULL,
        UNIQUE (topic, seq), UNIQUE (topic, key));
    CREATE TABLE change (name text NOT NULL PRIMARY KEY) WITHOUT ROWID;
"""

POSTGRES_TABLES = """
    CREATE TABLE feed_stream (topic varchar(120) PRIMARY KEY, epoch char(8) NOT NULL, head bigint NOT NULL,
        floor bigint NOT NULL DEFAULT 0);
    CREATE TABLE feed_event (topic varchar(120), seq bigint, key varchar(80) NOT NULL, kind varchar(40) NOT NULL,
        data text NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (topic, seq), UNIQUE (topic, key));
    CREATE TABLE change (name text PRIMARY KEY);
"""


class RollBack(Exception):
    pass


@dataclass
class Store:
    """A database. `reader` is the hubs' connection; each `writer` stands for a process of its own."""

    open_client: Callable[[str], BaseDBAsyncClient]
    reader: BaseDBAsyncClient
    writers: list[BaseDBAsyncClient]
    extra: list[BaseDBAsyncClient] = field(default_factory=list)

    @property
    def is_sqlite(self) -> bool:
        return self.reader.capabilities.dialect == "sqlite"

    def another_reader(self) -> BaseDBAsyncClient:
        """A connection for the hub of a second process."""
        self.extra.append(self.open_client("other"))
        return self.extra[-1]

    @asynccontextmanager
    async def transaction(self, writer: int = 0) -> AsyncIterator[TransactionalDBClient]:
        async with self.writers[writer]._in_transaction() as conn:
            yield conn

    async def append(self, *drafts: Draft, writer: int = 0) -> dict[str, int]:
        """Commit events. Nobody is told."""
        async with self.transaction(writer) as conn:
            return await log.append(conn, drafts, at=NOON)

    async def roll_back(self, *drafts: Draft, before: Callable[[dict[str, int]], None] = lambda _: None) -> None:
        """Write a row and events, call `before` with the numbers they had, and take it all back."""
        with contextlib.suppress(RollBack):
            async with self.transaction() as conn:
                await conn.execute_query("INSERT INTO change (name) VALUES ('lost')")
                before(await log.append(conn, drafts, at=NOON))
                raise RollBack

    async def fill(self, topic: str, first: int, last: int, writer: int = 0) -> None:
        """Commit events `first .. last`, of which the topic has those before `first`, in one transaction."""
        heads = await self.append(*drafts(topic, first, last), writer=writer)
        assert heads == {topic: last}

    async def compact(self, topic: str, *, keep: int) -> int:
        async with self.transaction() as conn:
            return await log.compact(conn, topic, keep=keep, batch=10_000)

    async def read_all(self, topic: str) -> list[Event]:
        return (await log.read(self.reader, topic, after=0, limit=100_000)).events

    async def position(self, topic: str) -> Position:
        return await log.position(self.reader, topic)

    async def cursor(self, topic: str, seq: int) -> Cursor:
        return Cursor((await self.position(topic)).epoch, seq)

    async def close(self) -> None:
        for client in (self.reader, *self.writers, *self.extra):
            await client.close()


def open_sqlite(path: str) -> BaseDBAsyncClient:
    return CasewireSqliteClient(path, connection_name="test", busy_timeout=5000, synchronous="OFF")


def open_postgres(database: str, application_name: str) -> BaseDBAsyncClient:
    return AsyncpgDBClient(
        user="postgres",
        host="127.0.0.1",
        port=5432,
        database=database,
        connection_name="test",
        minsize=1,
        maxsize=4,
        command_timeout=5,
        application_name=application_name,
    )


def draft(topic: str, key: str, kind: str = "note", **data: object) -> Draft:
    return Draft(topic, kind, data, key)


def drafts(topic: str, first: int, last: int) -> Iterable[Draft]:
    return [draft(topic, f"k{n}", n=n) for n in range(first, last + 1)]


async def welcome() -> None:
    """A guard that lets everybody in."""


Follow = AsyncGenerator[Step, None]


def follow(
    hub: Hub, topic: str, after: Cursor | None = None, *, guard: Callable[[], Awaitable[None]] = welcome
) -> Follow:
    return hub.follow(topic, after, guard=guard)


async def next_step(stream: Follow) -> Step:
    async with asyncio.timeout(PATIENCE):
        return await anext(stream)


async def take(stream: Follow, number: int) -> list[Step]:
    return [await next_step(stream) for _ in range(number)]


async def take_until_caught_up(stream: Follow) -> list[Step]:
    steps = [await next_step(stream)]
    while not isinstance(steps[-1], CaughtUp):
        steps.append(await next_step(stream))
    return steps


async def take_until(stream: Follow, seq: int) -> list[Step]:
    steps: list[Step] = []
    while not steps or steps[-1].cursor.seq < seq:
        steps.append(await next_step(stream))
    return steps


def told(steps: Iterable[Step]) -> list[int | str]:
    """A number for each event, a word for everything else: `[6, 7, "caught up at 7"]`."""
    words: list[int | str] = []
    for step in steps:
        match step:
            case Delivered(event, cursor):
                assert cursor.seq == event.seq
                words.append(event.seq)
            case CaughtUp(cursor):
                words.append(f"caught up at {cursor.seq}")
            case Reset(reason, cursor):
                words.append(f"{reason} at {cursor.seq}")
    return words


async def eventually(holds: Callable[[], bool]) -> None:
    """Return as soon as it holds; fail if it does not in time."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 (what is waited for has no event of its own)
            await asyncio.sleep(0.002)


async def leaves_no_task(before: set[asyncio.Task[Any]]) -> None:
    """Nothing runs now that did not run `before`.

    But for what asyncpg itself runs, shielded from who is cancelled, to put a connection back into its pool. That
    belongs to the pool, which waits for it when it is closed; it has to come to its end too.
    """
    left = asyncio.all_tasks() - before
    assert [task for task in left if not _is_of_asyncpg(task)] == []
    await eventually(lambda: all(task.done() for task in left))


def _is_of_asyncpg(task: asyncio.Task[Any]) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and "asyncpg" in Path(code.co_filename).parts


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Turnstile:
    """A connection whose reads can be held up, failed or left without an answer."""

    def __init__(self, conn: BaseDBAsyncClient) -> None:
        self._conn = conn
        self.capabilities = conn.capabilities
        self.away = False
        self.refused = 0
        self.before: Callable[[str], Awaitable[None]] | None = None
        self.after: Callable[[str], Awaitable[None]] | None = None

    async def execute_query_dict(self, query: str, values: list[object] | None = None) -> list[dict[str, object]]:
        subject = next(name for name in ("feed_event", "feed_stream", "data_version") if name in query)
        if self.before:
            await self.before(subject)
        if self.away:
            self.refused += 1
            raise ConnectionRefusedError("the database is away")
        rows = await self._conn.execute_query_dict(query, values)
        if self.after:
            await self.after(subject)
        return rows
