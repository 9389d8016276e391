import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import TortoiseContext

from realtime.hub import Hub
from tests.realtime.support import POSTGRES_TABLES, SQLITE_TABLES, Store, eventually, open_postgres, open_sqlite

POSTGRES = {"host": "127.0.0.1", "port": 5432, "user": "postgres", "timeout": 3}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _in_postgres(statement: str) -> None:
    conn = await asyncpg.connect(**POSTGRES, database="postgres")
    try:
        await conn.execute(statement)
    finally:
        await conn.close()


@pytest.fixture(scope="session")
def postgres_database() -> Iterator[str]:
    """A database of this run's own, thrown away in the end."""
    name = f"casewire_realtime_{uuid.uuid4().hex[:12]}"
    try:
        asyncio.run(_in_postgres(f"CREATE DATABASE {name}"))
        asyncio.run(_in_postgres(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    except (OSError, asyncpg.PostgresError) as problem:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no PostgreSQL on 127.0.0.1:5432: {problem}")
    yield name
    asyncio.run(_in_postgres(f"DROP DATABASE {name} WITH (FORCE)"))


@dataclass(frozen=True)
class Database:
    open_client: Callable[[str], BaseDBAsyncClient]
    tables: str


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "sqlite":
        return Database(lambda _: open_sqlite(str(tmp_path / "log.db")), SQLITE_TABLES)
    name = request.getfixturevalue("postgres_database")
    return Database(
        lambda application: open_postgres(name, application),
        "DROP TABLE IF EXISTS feed_event, feed_stream, change;" + POSTGRES_TABLES,
    )


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    """An empty log, on either engine."""
    made = Store(database.open_client, database.open_client("reader"), [database.open_client("writer") for _ in "12"])
    async with TortoiseContext():
        try:
            await made.writers[0].execute_script(database.tables)
            yield made
        finally:
            await made.close()


MakeHub = Callable[..., Any]


@pytest.fixture
async def make_hub(store: Store) -> AsyncIterator[MakeHub]:
    """Hubs over the store, started, and stopped after the test."""
    async with AsyncExitStack() as stack:

        async def make(reader: Callable[[], Any] | None = None, **options: Any) -> Hub:
            made = Hub(reader or (lambda: store.reader), **options)
            await made.start()
            stack.push_async_callback(made.stop)
            return made

        yield make


@pytest.fixture
async def hub(make_hub: MakeHub) -> Hub:
    return await make_hub()  # type: ignore[no-any-return]


@pytest.fixture
async def silent_hub(make_hub: MakeHub) -> Hub:
    """A hub that looks for nothing by itself once it has begun: whatever it learns, it was rung for."""
    return await make_silent_hub(make_hub)


async def make_silent_hub(make_hub: MakeHub, reader: Callable[[], Any] | None = None, **options: Any) -> Hub:
    made: Hub = await make_hub(reader, sweep_every=3600, sweep_every_when_deaf=3600, poll=3600, **options)
    # It looks once when its doorbell is connected: what a test counts begins when that look has ended.
    await eventually(lambda: made.doorbell.healthy and waits(made._sweep._now))
    await made.access.begin()  # And once for changes of access, before anybody watches.
    return made


def waits(event: asyncio.Event) -> bool:
    """Whether somebody waits for it, and would not be woken now."""
    return bool(event._waiters) and not event.is_set()  # type: ignore[attr-defined]
