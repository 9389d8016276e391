"""Opening the database: SQLite in a file, or PostgreSQL. Reads outside a transaction go to a connection of their own.

On SQLite a second, read-only connection keeps reads from waiting for whatever transaction is open; on PostgreSQL the
pool does that and both names mean the same pool.
"""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tortoise import connections
from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient
from tortoise.context import TortoiseContext

WRITER = "default"
READER = "reader"
APP = "casewire"

SQLITE_DEFAULTS = {"journal_mode": "WAL", "synchronous": "NORMAL", "busy_timeout": "10000", "foreign_keys": "ON"}


class Router:
    """Writes, and reads inside a transaction, use the writer; all other reads the reader."""

    def db_for_read(self, model: type[Any]) -> str:
        return WRITER if in_transaction_now() else _reader_alias()

    def db_for_write(self, model: type[Any]) -> str:
        return WRITER


def in_transaction_now() -> bool:
    """Whether the running task is inside a unit of work."""
    return isinstance(connections.get(WRITER), TransactionalDBClient)


def reader() -> BaseDBAsyncClient:
    """The connection for reads that belong to no transaction."""
    connection: BaseDBAsyncClient = connections.get(_reader_alias())
    return connection


def reading() -> BaseDBAsyncClient:
    """Where a read of the running task belongs: its transaction, if it is in one, or else the reader."""
    return writer() if in_transaction_now() else reader()


def writer() -> BaseDBAsyncClient:
    """The writing connection; inside a unit of work, its transaction."""
    connection: BaseDBAsyncClient = connections.get(WRITER)
    return connection


def is_sqlite(url: str) -> bool:
    return url.startswith("sqlite:")


def sqlite_path(url: str) -> str:
    """`sqlite://var/casewire.db` is a relative path, `sqlite:////srv/casewire.db` an absolute one."""
    return unquote(url.removeprefix("sqlite://").partition("?")[0])


def database_config(url: str) -> dict[str, Any]:
    """Tortoise's configuration for a database URL. Query keys of an SQLite URL become PRAGMAs.

    Raises:
        ValueError: neither `sqlite://…` nor `postgres://…`.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        pragmas = {**SQLITE_DEFAULTS, **dict(parse_qsl(parts.query))}
        path = sqlite_path(url)
        connection = {"engine": "models.sqlite_loop", "credentials": {"file_path": path, **pragmas}}
        read_only = {"engine": "models.sqlite", "credentials": {"file_path": path, **pragmas, "query_only": "ON"}}
        aliases: dict[str, Any] = {WRITER: connection, READER: read_only}
    elif parts.scheme in ("postgres", "postgresql", "asyncpg"):
        aliases = {WRITER: url.replace(parts.scheme, "asyncpg", 1)}
    else:
        raise ValueError(f"a database URL starts with sqlite:// or postgres://, not {parts.scheme or 'nothing'!r}")
    return {
        "connections": aliases,
        "apps": {APP: {"models": ["models"], "default_connection": WRITER, "migrations": "models.migrations"}},
        "routers": [Router],
        "use_tz": True,
        "timezone": "UTC",
    }


@contextlib.asynccontextmanager
async def open_database(url: str) -> AsyncIterator[TortoiseContext]:
    """Connect for the life of a process (or a test), and close again.

    Raises:
        ValueError: the URL is not one of ours.
        tortoise.exceptions.DBConnectionError, OSError: the database does not answer.
    """
    if is_sqlite(url):
        Path(sqlite_path(url)).parent.mkdir(parents=True, exist_ok=True)
    async with TortoiseContext() as context:
        # Requests run in tasks that do not inherit the context variable of the lifespan: hence the fallback.
        await context.init(config=database_config(url), _enable_global_fallback=True)
        await writer().execute_query("SELECT 1")
        await reader().execute_query("SELECT 1")
        yield context


def _reader_alias() -> str:
    return READER if READER in connections.db_config else WRITER
