"""The way from a plan to the database.

SQLite is read in the loop's own thread, on a read-only connection: a bounded statement there costs half of what a hop
to another thread costs, and does not make others wait. A statement that runs for some 20 ms is cut, and the whole
plan is run again in a thread, on a connection of its own. PostgreSQL is read on a pool with prepared statements.
On both, the statements of one plan read one state of the database.

A plan that waits for a resolver gives SQLite's connection back meanwhile: it reads one state of the database up to
there, and another afterwards. What the resolver reads itself is read on connections of its own.
"""

import asyncio
import sqlite3
import types
from collections.abc import Callable, Coroutine, Generator
from contextlib import closing, suppress
from contextvars import ContextVar
from math import inf
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import asyncpg

from engine.statements import Dialect

Result = TypeVar("Result")

STEPS_BEFORE_CUT = 400_000
"""Instructions of SQLite's machine that one statement may take in the loop; about 20 ms."""

TICKS = 20
"""Into how many parts they are counted."""


class Reads(Protocol):
    dialect: Dialect

    async def fetch(self, sql: str, values: tuple[Any, ...]) -> list[Any]:
        """The rows of a statement."""

    async def once(self, run: Any, plan: Any) -> dict[str, Any]:
        """The data of a plan by a `Run`, all of it read from one state of the database where that is cheap to have."""

    async def close(self) -> None: ...


class SqliteReads:
    dialect: Dialect = "sqlite"

    def __init__(self, path: str, *, steps_before_cut: int = STEPS_BEFORE_CUT) -> None:
        self._path = path
        self._db = connect(path)
        self._ticks_left = inf
        self._db.set_progress_handler(self._tick, max(1, steps_before_cut // TICKS))
        self.cut = 0

    async def fetch(self, sql: str, values: tuple[Any, ...]) -> list[Any]:
        self._ticks_left = TICKS
        return self._db.execute(sql, values).fetchall()

    def _tick(self) -> bool:
        # SQLite counts the steps of a prepared statement over its whole life, not from where it begins again: after
        # enough runs the handler is called however short the last one was. So one call says nothing, and many do.
        self._ticks_left -= 1
        return self._ticks_left < 0

    async def once(self, run: Any, plan: Any) -> dict[str, Any]:
        try:
            found: dict[str, Any] = await self._stepped(run.data(plan), together=not plan.is_single)
            return found
        except sqlite3.OperationalError as error:
            if "interrupted" not in str(error):
                raise
        self.cut += 1
        db = connect(self._path)
        try:
            return await asyncio.to_thread(in_thread, db, run, plan)
        except asyncio.CancelledError:
            with suppress(sqlite3.ProgrammingError):  # closed already
                db.interrupt()
            raise

    @types.coroutine
    def _stepped(self, coroutine: Coroutine[Any, Any, Any], *, together: bool) -> Generator[Any, Any, Any]:
        """The coroutine's result; between two of its waits it has the connection for itself.

        `together`: its statements read one state of the database. A single one needs no transaction for that.
        """
        step: Callable[[Any], Any] = coroutine.send
        given: Any = None
        while True:
            if together:
                self._ticks_left = inf
                self._db.execute("BEGIN")
            try:
                waited = step(given)
            except StopIteration as done:
                return done.value
            finally:
                self._ticks_left = inf  # a COMMIT that is cut would leave the transaction open for good
                if together and self._db.in_transaction:  # some errors end it by themselves
                    self._db.execute("COMMIT")
            try:
                step, given = coroutine.send, (yield waited)
            except BaseException as error:
                step, given = coroutine.throw, error

    async def close(self) -> None:
        self._db.close()


class PostgresReads:
    dialect: Dialect = "postgres"

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._taken: ContextVar[Any] = ContextVar("connection", default=None)

    @classmethod
    async def open(cls, url: str, *, size: int = 8) -> "PostgresReads":
        plain = urlsplit(url)._replace(query="").geturl()  # what follows is for the pool that writes
        pool = await asyncpg.create_pool(plain, min_size=1, max_size=size, statement_cache_size=512, command_timeout=30)
        return cls(pool)

    async def fetch(self, sql: str, values: tuple[Any, ...]) -> list[Any]:
        found: list[Any] = await (self._taken.get() or self._pool).fetch(sql, *values)
        return found

    async def once(self, run: Any, plan: Any) -> dict[str, Any]:
        """Several statements share a connection and a snapshot: that costs less than a connection for each of them."""
        if plan.is_single:
            return await self._data(run, plan)
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            token = self._taken.set(connection)
            try:
                return await self._data(run, plan)
            finally:
                self._taken.reset(token)

    async def _data(self, run: Any, plan: Any) -> dict[str, Any]:
        found: dict[str, Any] = await run.data(plan)
        return found

    async def close(self) -> None:
        await self._pool.close()


def connect(path: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=1024)
    for pragma in ("query_only=ON", "cache_size=-65536", "busy_timeout=10000"):
        db.execute(f"PRAGMA {pragma}")
    return db


def in_thread(db: sqlite3.Connection, run: Any, plan: Any) -> dict[str, Any]:
    """The data of a plan, on a connection of its own that is closed afterwards."""

    async def fetch(sql: str, values: tuple[Any, ...]) -> list[Any]:
        return db.execute(sql, values).fetchall()

    with closing(db):
        db.execute("BEGIN")
        run.fetch = fetch
        return finish(run.data(plan))


def finish(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """The result of a coroutine that never waits: in a thread there is no loop that a resolver could wait on."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: Result = done.value
        return result
    coroutine.close()
    raise RuntimeError("a plan waited for something other than the database")
