"""The log as the read side sees it: each read has a time limit and is counted, and an outage is not an error."""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import DBConnectionError, OperationalError

from realtime import log
from realtime.tasks import Tasks, jittered

T = TypeVar("T")
logger = logging.getLogger(__name__)

OUTAGES = (
    OSError,
    TimeoutError,
    DBConnectionError,
    OperationalError,
    sqlite3.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What a database says when it is away, slow or shutting down. Tortoise does not translate all of asyncpg's."""

READ_TIMEOUT = 5.0
CATCH_UP_READS = 4
"""Pages that one process reads at once, whatever the number of clients that come back: the live events go first."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0


@dataclass(slots=True)
class Stats:
    """Counts since the process began, except `watchers`, the number there are now."""

    reads: int = 0
    pages: int = 0
    lookups: int = 0
    sweeps: int = 0
    resets: int = 0
    watchers: int = 0


class LogReader:
    """`reader` gives the connection to read on: one that no transaction uses.

    `reads` counts all reads of events, `pages` those among them that serve a catch-up; `lookups` and `sweeps` count the
    reads of one stream's position and of all the watched ones'.
    """

    def __init__(
        self, reader: Callable[[], BaseDBAsyncClient], tasks: Tasks, stats: Stats, timeout: float = READ_TIMEOUT
    ) -> None:
        self._reader = reader
        self._tasks = tasks
        self._stats = stats
        self._timeout = timeout
        self._catching_up = asyncio.Semaphore(CATCH_UP_READS)

    def read_by(self, reader: Callable[[], Any]) -> None:
        self._reader = reader

    @property
    def counts_commits(self) -> bool:
        """Whether `version()` tells that another connection has committed. SQLite does, cheaply."""
        return self._reader().capabilities.dialect == "sqlite"

    async def events(self, topic: str, *, after: int, limit: int) -> log.Batch:
        self._stats.reads += 1
        return await self._in_time(log.read(self._reader(), topic, after=after, limit=limit))

    async def events_of(self, after: Mapping[str, int], *, limit: int) -> log.Batches:
        """The next events of several topics, by one read."""
        self._stats.reads += 1
        return await self._in_time(log.read_many(self._reader(), after, limit=limit))

    async def page(self, topic: str, *, after: int, limit: int) -> log.Batch:
        async with self._catching_up:
            self._stats.pages += 1
            return await self.events(topic, after=after, limit=limit)

    async def position(self, topic: str) -> log.Position:
        self._stats.lookups += 1
        return await self._in_time(log.position(self._reader(), topic))

    async def find(self, topic: str, keys: Collection[str]) -> int | None:
        self._stats.lookups += 1
        return await self._in_time(log.find(self._reader(), topic, keys))

    async def positions(self, topics: Collection[str]) -> dict[str, log.Position]:
        self._stats.sweeps += 1
        return await self._in_time(log.positions(self._reader(), topics))

    async def recent(self, after: int, *, limit: int) -> list[tuple[int, str, int]]:
        return await self._in_time(log.recent(self._reader(), after, limit=limit))

    async def last_row(self) -> int:
        return await self._in_time(log.last_row(self._reader()))

    async def _in_time(self, read: Coroutine[Any, Any, T]) -> T:
        """A connection that answers in this very thread is done or it hangs us all: a time limit would only cost."""
        if getattr(self._reader(), "immediate", False):
            return await read
        return await self._tasks.within(self._timeout, read)

    async def version(self) -> int:
        rows = await self._in_time(self._reader().execute_query_dict("PRAGMA data_version"))
        return int(rows[0]["data_version"])


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """The answer of `ask`, asked again for as long as the database is away. Other errors pass through."""
    pause = FIRST_PAUSE
    while True:
        try:
            return await ask()
        except OUTAGES as problem:
            logger.warning("the log cannot be read, trying again: %s", type(problem).__name__)
        await asyncio.sleep(jittered(pause))
        pause = min(2 * pause, LONGEST_PAUSE)
