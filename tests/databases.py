"""A migrated, empty database per test, on either engine: a copy of a template that is migrated once per schema.

Tortoise keeps the SQL of a model's INSERT by table name, for the life of the process and for whichever engine came
first. Both helpers clear that, so that one process can test both engines, one after the other.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from tortoise.backends.base.executor import EXECUTOR_CACHE

from models.migrate import migrate

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / ".pytest_cache" / "databases"
SERVER = os.environ.get("TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")

KEPT = 12
"""PostgreSQL templates of other versions of the schema that are kept."""

ENGINES = [pytest.param("sqlite", id="sqlite"), pytest.param("postgres", id="postgres", marks=pytest.mark.postgres)]
"""For `@pytest.fixture(params=ENGINES)`, with `fresh_database(request.param, tmp_path)` in the fixture's body."""


@contextlib.asynccontextmanager
async def fresh_database(engine: str, folder: Path, *, lent: bool = True) -> AsyncIterator[str]:
    """The URL of a database for one test, on "sqlite" (a file in `folder`) or on "postgres"."""
    if engine == "sqlite":
        yield await fresh_sqlite(folder)
    else:
        async with fresh_postgres(lent=lent) as url:
            yield url


async def fresh_sqlite(folder: Path) -> str:
    EXECUTOR_CACHE.clear()
    template = TEMPLATES / f"{fingerprint()}.db"
    if not template.exists():
        TEMPLATES.mkdir(parents=True, exist_ok=True)
        for outdated in TEMPLATES.iterdir():
            outdated.unlink(missing_ok=True)
        draft = folder / "template.db"
        await migrate(f"sqlite://{draft}", report=quiet)
        shutil.copyfile(draft, own := template.with_suffix(f".{uuid4().hex}"))
        own.rename(template)
    path = folder / f"{uuid4().hex}.db"
    shutil.copyfile(template, path)
    return f"sqlite://{path}"


@contextlib.asynccontextmanager
async def fresh_postgres(*, migrated: bool = True, lent: bool = True) -> AsyncIterator[str]:
    """A database of the test's own. Skips the test when no server answers; with CI=true fails it.

    A migrated one is emptied afterwards and lent again, unless its tables have been changed: making one takes longer
    than most tests. One that is to hold very much, or whose tables are to be changed, is better not `lent`.
    """
    EXECUTOR_CACHE.clear()
    if not migrated or not lent:
        async with _new_postgres(migrated=migrated) as url:
            yield url
        return
    name = _IDLE.pop() if _IDLE else await _make_postgres()
    try:
        yield postgres_url(name)
    finally:
        if await _emptied(name):
            _IDLE.append(name)
        else:
            await _drop(name)


async def drop_idle() -> None:
    """Drop the databases that were lent; to be called when the last test has ended."""
    while _IDLE:
        await _drop(_IDLE.pop())


_IDLE: list[str] = []
_AS_MADE: dict[str, str] = {}
"""What tells the tables of a database that was lent, by its name: as they were when it was made."""

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'tortoise%' ORDER BY 1"
_SHAPE = """
    SELECT md5(string_agg(concat_ws(' ', c.relname, a.attname, a.atttypid, a.attnotnull, i.n), ',' ORDER BY 1)) || (
        SELECT count(*) FROM tortoise_migrations)::text
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    CROSS JOIN LATERAL (SELECT count(*) AS n FROM pg_index x WHERE x.indrelid = c.oid) i
    WHERE c.relnamespace = 'public'::regnamespace"""


async def _make_postgres() -> str:
    name = f"casewire_test_{uuid4().hex[:12]}"
    async with _server() as server:
        await server.execute("SELECT pg_advisory_lock(hashtext('casewire_template'))")
        template = await _postgres_template(server)
        await _copy(server, name, template)
    connection = await asyncpg.connect(postgres_url(name), timeout=10)
    try:
        _AS_MADE[name] = await connection.fetchval(_SHAPE)
        await connection.execute("CREATE SCHEMA as_made")
        for row in await connection.fetch(_TABLES):
            if await connection.fetchval(f'SELECT EXISTS (SELECT 1 FROM "{row[0]}")'):
                await connection.execute(f'CREATE TABLE as_made."{row[0]}" AS TABLE public."{row[0]}"')
    finally:
        await connection.close()
    return name


async def _emptied(name: str) -> bool:
    """Take out of a database what a test has put in; False where it cannot be lent again."""
    try:
        connection = await asyncpg.connect(postgres_url(name), timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False  # the test has dropped it
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        if await connection.fetchval(_SHAPE) != _AS_MADE[name]:
            return False
        tables = [row[0] for row in await connection.fetch(_TABLES)]
        kept = {
            row[0] for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'as_made'")
        }
        filled = await connection.fetch(
            " UNION ALL ".join(f"SELECT '{each}' WHERE EXISTS (SELECT 1 FROM \"{each}\")" for each in tables)
        )
        async with connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")  # no triggers, no foreign keys
            for each in {row[0] for row in filled} | kept:
                await connection.execute(f'DELETE FROM "{each}"')
            for each in kept:
                await connection.execute(f'INSERT INTO "{each}" SELECT * FROM as_made."{each}"')
            await connection.execute("SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'")
    except asyncpg.PostgresError:
        return False
    finally:
        await connection.close()
    return True


async def _drop(name: str) -> None:
    async with _server() as server:
        await server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextlib.asynccontextmanager
async def _new_postgres(*, migrated: bool) -> AsyncIterator[str]:
    name = f"casewire_test_{uuid4().hex[:12]}"
    async with _server() as server:
        # Held until the copy is made: a run of another version of the schema replaces the template.
        await server.execute("SELECT pg_advisory_lock(hashtext('casewire_template'))")
        template = await _postgres_template(server) if migrated else "template0"
        await _copy(server, name, template)
        await server.execute("SELECT pg_advisory_unlock_all()")
        try:
            yield postgres_url(name)
        finally:
            await server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def postgres_url(database: str) -> str:
    return urlsplit(SERVER)._replace(path=f"/{database}").geturl()


async def _postgres_template(server: asyncpg.Connection) -> str:
    name = f"casewire_template_{fingerprint()}"
    if await server.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
        return name
    # Several versions of the schema may be worked on side by side; the oldest templates go.
    outdated = await server.fetch(
        r"SELECT datname FROM pg_database WHERE datname LIKE 'casewire\_template\_%' ORDER BY oid DESC OFFSET $1", KEPT
    )
    for row in outdated:
        await server.execute(f"DROP DATABASE {row['datname']} WITH (FORCE)")
    # Renamed when it is done: one that was left half made has another name.
    await server.execute(f"CREATE DATABASE {name}_draft TEMPLATE template0")
    await migrate(postgres_url(f"{name}_draft"), report=quiet)
    await server.execute(f"ALTER DATABASE {name}_draft RENAME TO {name}")
    return name


async def _copy(server: asyncpg.Connection, name: str, template: str) -> None:
    await server.execute(f"CREATE DATABASE {name} TEMPLATE {template} {await _quickest_copy(server)}")
    await server.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")  # no commit waits for the disk


async def _quickest_copy(server: asyncpg.Connection) -> str:
    """Copying files needs two checkpoints: a server that waits for its disk is quicker by way of its log."""
    waits_for_disk = await server.fetchval("SHOW fsync") == "on"
    return "" if waits_for_disk or server.get_server_version().major < 15 else "STRATEGY file_copy"


@contextlib.asynccontextmanager
async def _server() -> AsyncIterator[asyncpg.Connection]:
    try:
        server = await asyncpg.connect(SERVER, timeout=3)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        reason = f"no PostgreSQL at {urlsplit(SERVER).hostname}:{urlsplit(SERVER).port}: {error}"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    try:
        yield server
    finally:
        await server.close()


@cache
def fingerprint() -> str:
    """Changes with anything that a migrated schema may depend on."""
    sources = [*sorted((ROOT / "models").rglob("*.py")), ROOT / "domain" / "enums.py"]
    return hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()[:16]


def quiet(line: str) -> None:
    """Tests do not read what `migrate` reports."""
