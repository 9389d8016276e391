"""The SQLite connection that writes: in the loop's own thread, where a statement costs a tenth of a hop to another.

A write is a dozen short statements; sent to a thread one by one they cost several times themselves. What could keep the
loop waiting is kept out of it: for the lock of another process it is asked again and again, with pauses, and the log of
writes is brought into the file (a checkpoint) by a thread. Tortoise loads this module by name.
"""

import asyncio
import random
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import Any, TypeVar

from models.sqlite import CasewireSqliteClient

Result = TypeVar("Result")

COMMITS_BETWEEN_CHECKPOINTS = 50
"""Some 1,000 pages of ordinary writes, which is when SQLite would do it by itself, and keep the writer waiting."""

PAGES_BEFORE_OWN_CHECKPOINT = 20_000
"""If the thread cannot keep up, SQLite does it after all: the log of writes must not grow without end."""

PAUSES = 0.001, 0.02
"""Seconds between two attempts to get the lock, the shortest and the longest."""


class LoopConnection:
    """What Tortoise needs of aiosqlite's connection."""

    def __init__(self, path: str, patience: float) -> None:
        """`patience`: seconds to wait for the lock of another process."""
        self._conn = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=512, timeout=0
        )
        self._conn.row_factory = sqlite3.Row
        self._path, self._patience = path, patience
        self._commits = 0
        self._checkpoint: asyncio.Future[None] | None = None

    @property
    def total_changes(self) -> int:
        return self._conn.total_changes

    async def execute(self, sql: str, values: Iterable[Any] | None = None) -> None:
        await self._patiently(lambda: self._conn.execute(sql, tuple(values or ())).close())

    async def execute_insert(self, sql: str, values: Iterable[Any] | None = None) -> tuple[int | None]:
        return (await self._patiently(lambda: self._conn.execute(sql, tuple(values or ())).lastrowid),)

    async def execute_fetchall(self, sql: str, values: Iterable[Any] | None = None) -> list[Any]:
        return await self._patiently(lambda: self._conn.execute(sql, tuple(values or ())).fetchall())

    async def executemany(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        await self._patiently(lambda: self._conn.executemany(sql, values).close())

    async def executescript(self, script: str) -> None:
        await self._patiently(lambda: self._conn.executescript(script).close())

    async def commit(self) -> None:
        if not self._conn.in_transaction:
            return
        await self._patiently(self._conn.commit)
        self._commits += 1
        if self._commits >= COMMITS_BETWEEN_CHECKPOINTS and (self._checkpoint is None or self._checkpoint.done()):
            self._commits = 0
            self._checkpoint = asyncio.get_running_loop().run_in_executor(None, checkpoint, self._path)

    async def rollback(self) -> None:
        if self._conn.in_transaction:
            self._conn.rollback()

    async def close(self) -> None:
        if self._checkpoint is not None:
            await asyncio.wait([self._checkpoint])
        self._conn.close()

    async def _patiently(self, run: Callable[[], Result]) -> Result:
        """The result of a statement. Only the first of a transaction can meet somebody else's lock."""
        until = time.monotonic() + self._patience
        while True:
            try:
                return run()
            except sqlite3.OperationalError as error:
                if self._conn.in_transaction or not is_busy(error) or time.monotonic() >= until:
                    raise
            await asyncio.sleep(random.uniform(*PAUSES))


def is_busy(error: sqlite3.OperationalError) -> bool:
    """Whether another connection has the lock; the extended codes count too."""
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def checkpoint(path: str) -> None:
    """Bring what was written into the file, without keeping anybody waiting."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


class LoopSqliteClient(CasewireSqliteClient):
    """One connection, as the stock client has; the waiting is done by `LoopConnection`, hence no `busy_timeout`."""

    async def create_connection(self, with_db: bool) -> None:
        if self._connection:
            return
        pragmas = {**self.pragmas, "wal_autocheckpoint": PAGES_BEFORE_OWN_CHECKPOINT}
        patience = int(pragmas.pop("busy_timeout", 0)) / 1000
        connection = LoopConnection(self.filename, patience)
        try:
            for pragma, value in pragmas.items():
                await connection.execute(f"PRAGMA {pragma}={value}")
            self._connection = connection  # type: ignore[assignment]  # it stands in for aiosqlite's
            await self._post_connect()
        except BaseException:
            self._connection = None
            await connection.close()
            raise


client_class = LoopSqliteClient
