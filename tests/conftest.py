"""What every test may ask for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

import models
from models.database import open_database, reader
from realtime.ephemeral import Ephemeral
from realtime.hub import Hub
from resolvers.context import Services
from resolvers.transaction import settle
from tests.both_ways import ASKED, BothWays
from tests.client import Client
from tests.clock import Clock
from tests.databases import ENGINES, drop_idle, fresh_database

AsUser = Callable[[models.User | None], Client]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=ENGINES)
async def db(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A migrated, empty database, open as the server opens it; each test runs on SQLite and on PostgreSQL."""
    async with fresh_database(request.param, tmp_path) as url, open_database(url):
        yield url


@pytest.fixture
async def services(db: str, clock: Clock) -> AsyncIterator[Services]:
    hub = Hub(reader)
    ephemeral = Ephemeral(clock=lambda: clock().timestamp(), tick=0.01)
    await hub.start()
    await ephemeral.start()
    try:
        yield Services(hub=hub, clock=clock, ephemeral=ephemeral)
    finally:
        await settle()
        await ephemeral.stop()
        await hub.stop()


@pytest.fixture
async def both(db: str) -> AsyncIterator[BothWays]:
    both = BothWays(db)
    try:
        yield both
    finally:
        await both.close()


@pytest.fixture
def as_user(services: Services, both: BothWays) -> AsUser:
    """`as_user(ann)` asks the API as Ann; `as_user(None)` as nobody. Whatever is asked is asked both ways."""
    return lambda user: Client(services, user, both)


def pytest_sessionfinish() -> None:
    asyncio.run(drop_idle())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for what in ("queries", "mutations"):
        if ASKED[what]:
            terminalreporter.write_line(
                f"{ASKED[f'{what} answered by the engine too']} of {ASKED[what]} {what} both ways"
            )
