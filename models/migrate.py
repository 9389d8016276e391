"""Bring a database up to date: one process at a time, each migration whole or not at all, no row lost.

Tortoise describes the changes (`models/migrations/`); this runs them. The stock runner will not do: two of it at once
break each other, it takes an unreadable history for an empty one, it notes what it did after the commit, and on
SQLite a rebuilt table takes along the rows that refer to it (see `models.schema_editors` for what else it loses).
"""

import asyncio
import contextlib
import pkgutil
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import import_module
from pathlib import Path

from tortoise import connections
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import TortoiseContext
from tortoise.exceptions import BaseORMException
from tortoise.migrations.executor import MigrationExecutor
from tortoise.migrations.graph import MigrationKey
from tortoise.migrations.migration import Migration
from tortoise.migrations.recorder import MigrationRecorder
from tortoise.migrations.schema_generator.state import State
from tortoise.transactions import in_transaction

from models.database import APP, WRITER, database_config, is_sqlite, sqlite_path
from models.planner import assume_sizes
from models.schema_editors import schema_editor

PACKAGE = "models.migrations"

LOCK_KEY = 0x63617365
"""PostgreSQL's advisory locks are numbers, one set of them per database."""
LOCK_SECONDS = 300.0
POLL_SECONDS = 0.1


class MigrationRefused(Exception):
    """What was refused left the database as it was; the message says why, and what to do."""


async def migrate(url: str, *, report: Callable[[str], None], package: str = PACKAGE) -> list[str]:
    """Apply what is missing, in order, and return the names; an empty list when the database is up to date.

    Creates an SQLite database and its folder. Of two processes that migrate one database, the second waits.

    Raises:
        MigrationRefused: the database is newer than this version, its history cannot be read, another process has
            been migrating it for `LOCK_SECONDS`, or a migration would leave rows that refer to nothing.
    """
    if is_sqlite(url):
        Path(sqlite_path(url)).parent.mkdir(parents=True, exist_ok=True)
    if not await pending(url, package=package):
        return []
    async with _alone(url, report), _connection(url) as client:
        executor = MigrationExecutor(client, {APP: {"migrations": package, "default_connection": WRITER}})
        await executor.recorder.ensure_schema(schema_editor(client, atomic=False))
        applied = {MigrationKey(APP, name) for name in await _applied(client)}
        plan = await executor.plan()
        state = await executor._project_state(applied)
        for step in plan:
            report(f"Applying {step.migration.name}.")
            await _apply(client, step.migration, state)
        return [step.migration.name for step in plan]


async def pending(url: str, *, package: str = PACKAGE) -> list[str]:
    """The migrations that the database lacks. Changes nothing, and creates no file.

    Raises:
        MigrationRefused: the database is newer than this version, or its history cannot be read.
    """
    known = sorted(module.name for module in pkgutil.iter_modules(import_module(package).__path__))
    if is_sqlite(url) and not _file_exists(url):
        return known
    async with _connection(url) as client:
        applied = await _applied(client)
    if newer := sorted(applied - set(known)):
        raise MigrationRefused(
            f"The database was migrated by a newer version ({', '.join(newer)}). "
            "Start that version, or restore a backup made before its migration."
        )
    return [name for name in known if name not in applied]


def _file_exists(url: str) -> bool:
    return Path(sqlite_path(url)).exists()


async def _apply(client: BaseDBAsyncClient, migration: Migration, state: State) -> None:
    """Apply one migration and note that it was, in one transaction; `state` moves on with it."""
    editor = schema_editor(client, atomic=migration.atomic)
    if not editor.atomic_migration:
        await migration.apply(state, schema_editor=editor)
        await MigrationRecorder(client).record_applied(APP, migration.name)
        return
    async with in_transaction(WRITER) as transaction:
        editor.client = transaction
        await migration.apply(state, schema_editor=editor)
        if transaction.capabilities.dialect == "sqlite":
            await _check_references(transaction, migration.name)
            await assume_sizes(transaction)
        await MigrationRecorder(transaction).record_applied(APP, migration.name)


async def _check_references(client: BaseDBAsyncClient, name: str) -> None:
    """What PostgreSQL checks by itself: SQLite migrates with its foreign keys switched off."""
    orphans = await client.execute_query_dict("PRAGMA foreign_key_check")
    if orphans:
        where = sorted({f"{row['table']} → {row['parent']}" for row in orphans})
        raise MigrationRefused(f"{name} was undone: it leaves rows that refer to nothing ({', '.join(where)}).")


async def _applied(client: BaseDBAsyncClient) -> set[str]:
    if client.capabilities.dialect == "sqlite":
        exists = "SELECT 1 FROM sqlite_master WHERE name = 'tortoise_migrations'"
    else:
        exists = "SELECT 1 WHERE to_regclass('tortoise_migrations') IS NOT NULL"
    try:
        if not await client.execute_query_dict(exists):
            return set()
        rows = await client.execute_query_dict(f"SELECT name FROM tortoise_migrations WHERE app = '{APP}'")
    except BaseORMException as error:
        raise MigrationRefused(f"The table tortoise_migrations cannot be read: {error}") from error
    return {row["name"] for row in rows}


@contextlib.asynccontextmanager
async def _connection(url: str) -> AsyncIterator[BaseDBAsyncClient]:
    """A connection for this alone, which loads no models; on SQLite with its foreign keys switched off."""
    writer = database_config(url)["connections"][WRITER]
    if is_sqlite(url):
        writer["credentials"]["foreign_keys"] = "OFF"
    async with TortoiseContext() as context:
        # Not `init`, which would prepare the models, shared by the whole process, for this connection.
        await context.connections._init({WRITER: writer}, create_db=False)
        yield connections.get(WRITER)


@contextlib.asynccontextmanager
async def _alone(url: str, report: Callable[[str], None]) -> AsyncIterator[None]:
    """Keep other processes from migrating this database meanwhile. The lock of a process that dies is free at once."""
    async with _sqlite_lock(url) if is_sqlite(url) else _postgres_lock(url) as take:
        deadline = time.monotonic() + LOCK_SECONDS
        if not await take():
            report("Another process is migrating the database. Waiting for it.")
            # Asked again and again: a query that waits would keep CREATE INDEX CONCURRENTLY waiting for itself.
            while not await take():
                if time.monotonic() > deadline:
                    raise MigrationRefused(f"Another process has been migrating for {LOCK_SECONDS:.0f} seconds.")
                await asyncio.sleep(POLL_SECONDS)
        yield


@contextlib.asynccontextmanager
async def _sqlite_lock(url: str) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
    """A file next to the database, locked the way SQLite locks on every system."""
    lock = sqlite3.connect(f"{sqlite_path(url)}.migrating", isolation_level=None, timeout=0)

    async def take() -> bool:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            return False
        return True

    with contextlib.closing(lock):
        yield take


@contextlib.asynccontextmanager
async def _postgres_lock(url: str) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
    async with _connection(url) as client, client.acquire_connection() as session:

        async def take() -> bool:
            return bool(await session.fetchval("SELECT pg_try_advisory_lock($1)", LOCK_KEY))

        yield take
