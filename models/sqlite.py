"""Our own Tortoise engine for SQLite: transactions take the write lock first, and a failed BEGIN frees it.

Stock Tortoise begins DEFERRED (a transaction that reads, then writes, fails with "database is locked" without
waiting as soon as a second process writes) and never releases its process-wide lock when entering a
transaction is cancelled or fails. Tortoise loads this module by name: `"engine": "models.sqlite"`.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tortoise.backends.base.client import TransactionalDBClient, TransactionContext
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionContext, SqliteTransactionWrapper
from tortoise.connection import get_connections

from engine.instants import instant_text
from engine.reads import connect

# The stock backend, imported above, has an adapter that keeps whatever offset it is given: such text does not sort.
sqlite3.register_adapter(datetime, instant_text)


class ImmediateTransaction(SqliteTransactionWrapper):
    async def begin(self) -> None:
        await self._connection.execute("BEGIN IMMEDIATE")


class SafeTransactionContext(SqliteTransactionContext):
    async def __aenter__(self) -> TransactionalDBClient:
        await self._trxlock.acquire()
        try:
            await self.ensure_connection()
            await self.connection.begin()
        except BaseException:
            try:
                if self.connection._connection:
                    with contextlib.suppress(Exception):
                        await asyncio.shield(self.connection._connection.rollback())
            finally:
                self._trxlock.release()
            raise
        self.token = get_connections().set(self.connection_name, self.connection)
        return self.connection  # type: ignore[no-any-return]


class CasewireSqliteClient(SqliteClient):
    def _in_transaction(self) -> TransactionContext:
        return SafeTransactionContext(ImmediateTransaction(self), self._lock)

    async def create_connection(self, with_db: bool) -> None:
        """As the stock one, but a connection that cannot be opened is given up, not kept half-made."""
        try:
            await super().create_connection(with_db)
        except BaseException:
            if self._connection:
                await self._connection.close()
                self._connection = None
            raise


client_class = CasewireSqliteClient


class LoopClient:
    """A reading connection that answers in the loop's own thread, for statements that are known to be short.

    It has what the log is read with. A hop to another thread would cost ten times the statement.
    """

    immediate = True
    capabilities = SqliteClient.capabilities

    def __init__(self, path: str) -> None:
        self._db = connect(path)
        self._db.row_factory = sqlite3.Row

    async def execute_query_dict(self, query: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        return self._db.execute(query, values).fetchall()  # these know their columns by name: no dicts are made

    def close(self) -> None:
        self._db.close()
