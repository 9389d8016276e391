"""Refresh tokens: one use each; a second use ends everything that came from that sign-in."""

from datetime import timedelta
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

import models
from server.auth.refresh import Issued, RefreshTokens, token_hash
from tests.server.auth.helpers import Clock

pytestmark = pytest.mark.anyio


async def rotated(refresh: RefreshTokens, token: str) -> Issued:
    issued = await refresh.rotate(token)
    assert issued is not None
    return issued


async def live_tokens() -> int:
    return await models.RefreshToken.filter(used_at=None, revoked_at=None).count()


async def test_each_use_gives_a_successor_for_the_same_user(refresh: RefreshTokens, ann: models.User) -> None:
    first = await refresh.issue(ann.id)

    second = await rotated(refresh, first.token)
    third = await rotated(refresh, second.token)

    assert (second.user_id, third.user_id) == (ann.id, ann.id)
    assert len({first.token, second.token, third.token}) == 3
    assert await live_tokens() == 1


async def test_a_second_use_ends_the_family(refresh: RefreshTokens, ann: models.User) -> None:
    first = await refresh.issue(ann.id)
    second = await rotated(refresh, first.token)

    assert await refresh.rotate(first.token) is None

    assert await refresh.rotate(second.token) is None
    assert await live_tokens() == 0


async def test_a_second_use_ends_no_other_sign_in(refresh: RefreshTokens, ann: models.User) -> None:
    phone, laptop = await refresh.issue(ann.id), await refresh.issue(ann.id)
    await rotated(refresh, phone.token)

    assert await refresh.rotate(phone.token) is None

    assert (await rotated(refresh, laptop.token)).user_id == ann.id


async def test_a_used_token_ends_the_family_long_after_it_expired(
    refresh: RefreshTokens, ann: models.User, clock: Clock
) -> None:
    first = await refresh.issue(ann.id)
    clock.advance(days=29)
    second = await rotated(refresh, first.token)
    clock.advance(days=2)

    assert await refresh.rotate(first.token) is None

    assert await refresh.rotate(second.token) is None


async def test_it_works_until_the_last_moment_and_not_at_it(
    refresh: RefreshTokens, ann: models.User, clock: Clock
) -> None:
    early, late = await refresh.issue(ann.id), await refresh.issue(ann.id)

    clock.advance(days=30, microseconds=-1)
    assert (await rotated(refresh, early.token)).user_id == ann.id

    clock.advance(microseconds=1)
    assert await refresh.rotate(late.token) is None


async def test_each_use_starts_the_time_anew(refresh: RefreshTokens, ann: models.User, clock: Clock) -> None:
    token = (await refresh.issue(ann.id)).token

    for _ in range(3):
        clock.advance(days=20)
        token = (await rotated(refresh, token)).token

    row = await models.RefreshToken.get(token_hash=token_hash(token))
    assert row.expires_at == clock() + timedelta(days=30)


async def test_an_unknown_token_is_refused(refresh: RefreshTokens, ann: models.User) -> None:
    await refresh.issue(ann.id)

    assert await refresh.rotate("A" * 43) is None

    assert await live_tokens() == 1


async def test_an_account_that_was_switched_off_gets_no_successor(refresh: RefreshTokens, ann: models.User) -> None:
    first = await refresh.issue(ann.id)
    ann.is_active = False
    await ann.save()

    assert await refresh.rotate(first.token) is None


async def test_revoking_by_an_old_token_ends_the_newest(refresh: RefreshTokens, ann: models.User) -> None:
    first = await refresh.issue(ann.id)
    second = await rotated(refresh, first.token)

    await refresh.revoke(first.token)

    assert await refresh.rotate(second.token) is None
    assert await live_tokens() == 0


async def test_revoking_what_does_not_exist_is_no_error(refresh: RefreshTokens, ann: models.User) -> None:
    kept = await refresh.issue(ann.id)

    await refresh.revoke("A" * 43)

    assert (await rotated(refresh, kept.token)).user_id == ann.id


async def test_only_a_hash_is_stored(refresh: RefreshTokens, ann: models.User) -> None:
    issued = await refresh.issue(ann.id)

    (row,) = await models.RefreshToken.all().values()

    assert row["token_hash"] == token_hash(issued.token)
    assert issued.token not in str(row)


async def test_reuse_is_logged_once_and_without_the_token(refresh: RefreshTokens, ann: models.User) -> None:
    first = await refresh.issue(ann.id)
    second = await rotated(refresh, first.token)

    with capture_logs() as logs:
        await refresh.rotate(first.token)
        await refresh.rotate(first.token)

    assert [(line["event"], line["user_id"]) for line in logs] == [("refresh_token_reused", str(ann.id))]
    assert first.token not in str(logs)
    assert second.token not in str(logs)


def test_a_token_is_not_in_the_repr_of_what_was_issued() -> None:
    assert "s3cret" not in repr(Issued(uuid4(), uuid4(), "s3cret"))
