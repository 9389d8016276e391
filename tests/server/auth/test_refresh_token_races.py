"""Two requests at once cannot both be the first, on either database."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

import models
from models.database import open_database
from server.auth.refresh import RefreshTokens, token_hash
from tests.databases import ENGINES, fresh_database
from tests.server.auth.helpers import Clock, make_user

pytestmark = pytest.mark.anyio

ROUNDS = 15


@pytest.fixture(params=ENGINES)
async def user_id(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[UUID]:
    async with fresh_database(request.param, tmp_path) as url, open_database(url):
        yield (await make_user("ann@example.com", clock)).id


async def live_tokens(token: str) -> int:
    """How many tokens of the same family are still good."""
    row = await models.RefreshToken.get(token_hash=token_hash(token))
    return await models.RefreshToken.filter(family=row.family, used_at=None, revoked_at=None).count()


async def test_of_several_uses_at_once_one_wins_and_the_family_ends(user_id: UUID, refresh: RefreshTokens) -> None:
    async with asyncio.timeout(20):
        for _ in range(ROUNDS):
            first = await refresh.issue(user_id)

            answers = await asyncio.gather(*(refresh.rotate(first.token) for _ in range(5)))

            assert sum(answer is not None for answer in answers) == 1
            assert await live_tokens(first.token) == 0


async def test_an_old_token_ends_the_family_even_while_the_newest_is_being_used(
    user_id: UUID, refresh: RefreshTokens
) -> None:
    """The successor that is being made at that moment must not survive."""
    async with asyncio.timeout(20):
        for _ in range(ROUNDS):
            first = await refresh.issue(user_id)
            second = await refresh.rotate(first.token)
            assert second is not None

            await asyncio.gather(refresh.rotate(second.token), refresh.rotate(first.token))

            assert await live_tokens(first.token) == 0
