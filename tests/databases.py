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
async def fresh_database(engine: str, folder: Path) -> AsyncIterator[str]:
    """The URL of a database for one test, on "sqlite" (a file in `folder`) or on "postgres"."""
    if engine == "sqlite":
        yield await fresh_sqlite(folder)
    else:
        async with fresh_postgres() as url:
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
async def fresh_postgres(*, migrated: bool = True) -> AsyncIterator[str]:
    """A database that is dropped afterwards. Skips the test when no server answers; with CI=true fails it."""
    EXECUTOR_CACHE.clear()
    name = f"casewire_test_{uuid4().hex[:12]}"
    async with _server() as server:
        # Held until the copy is made: a run of another version of the schema replaces the template.
        await server.execute("SELECT pg_advisory_lock(hashtext('casewire_template'))")
        template = await _postgres_template(server) if migrated else "template0"
        await server.execute(f"CREATE DATABASE {name} TEMPLATE {template} {await _quickest_copy(server)}")
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
