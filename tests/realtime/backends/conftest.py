import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from realtime.backends import reconnecting
from realtime.backends.postgres import PostgresBackend
from realtime.backends.redis import RedisBackend
from tests.realtime.backends.brokers import Breakable, Broker, RedisServer, answers, cut_in_postgres, unavailable

KINDS = [pytest.param("redis", marks=pytest.mark.redis), pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture
def channel() -> str:
    """Nobody else's, since others use the servers too."""
    return f"test.{uuid.uuid4().hex[:12]}"


@pytest.fixture
async def redis_url() -> str:
    if not await answers(6379):
        unavailable("no Redis on 127.0.0.1:6379")
    return "redis://127.0.0.1:6379"


@pytest.fixture
async def redis_server(tmp_path: Path) -> AsyncIterator[RedisServer]:
    server = RedisServer(tmp_path)
    try:
        await server.start()
        yield server
    finally:
        await server.kill()


@pytest.fixture
def postgres_url(postgres_database: str) -> str:
    return f"postgres://postgres@127.0.0.1:5432/{postgres_database}"


@pytest.fixture(params=KINDS)
def broker(request: pytest.FixtureRequest) -> Broker:
    if request.param == "redis":
        return Broker(request.getfixturevalue("redis_url"), RedisBackend)
    return Broker(request.getfixturevalue("postgres_url"), PostgresBackend)


@pytest.fixture(params=KINDS)
def breakable(request: pytest.FixtureRequest) -> Breakable:
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        return Breakable(server.url, server.restart)
    database: str = request.getfixturevalue("postgres_database")

    async def cut() -> None:
        assert await cut_in_postgres(database, "LISTEN") > 0

    return Breakable(request.getfixturevalue("postgres_url"), cut)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were taken between attempts; none takes any time."""
    taken: list[float] = []

    def at_once(seconds: float) -> float:
        taken.append(seconds)
        return 0.0

    monkeypatch.setattr(reconnecting, "jittered", at_once)
    return taken
