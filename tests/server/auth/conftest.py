from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import models
from models.database import open_database, reader
from realtime.hub import Hub
from resolvers.context import Services
from server.auth.access import AccessTokens
from server.auth.passwords import Passwords
from server.auth.refresh import RefreshTokens
from tests.databases import fresh_database
from tests.server.auth.helpers import CHEAP, Clock, make_user


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[None]:
    async with fresh_database("sqlite", tmp_path) as url, open_database(url):
        yield


@pytest.fixture
async def ann(db: None, clock: Clock) -> models.User:
    return await make_user("ann@example.com", clock)


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    passwords = Passwords(CHEAP)
    yield passwords
    passwords.close()


@pytest.fixture
def access(clock: Clock) -> AccessTokens:
    return AccessTokens(b"k" * 32, ttl=timedelta(minutes=15), now=clock)


@pytest.fixture
def refresh(clock: Clock) -> RefreshTokens:
    return RefreshTokens(Services(hub=Hub(reader)), ttl=timedelta(days=30), now=clock)
