"""Refresh tokens: opaque, kept as hashes, good for one use each.

The tokens that follow from one sign-in are a family. `domain.credentials.judge_refresh_token` decides about each;
here its decision is carried out so that two requests at once cannot both be the first.
"""

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

import models
from domain.credentials import RefreshVerdict, judge_refresh_token
from domain.policy import ANONYMOUS
from resolvers.context import Context, Services
from resolvers.sessions import end_session
from resolvers.transaction import Work, work_in_transaction
from server.auth.jwt import Clock, utc_now

T = TypeVar("T")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Issued:
    """A new refresh token, whose it is and of which sign-in. The token is kept here and by the client, nowhere else."""

    user_id: UUID
    family: UUID
    token: str = field(repr=False)


class RefreshTokens:
    def __init__(self, services: Services, *, ttl: timedelta, now: Clock = utc_now) -> None:
        self._services = services
        self._now = now
        self.ttl = ttl

    async def issue(self, user_id: UUID) -> Issued:
        """The first token of a new family."""
        return await self._issue(user_id, family=uuid7(), now=self._now())

    async def rotate(self, token: str) -> Issued | None:
        """Use the token up and return its successor; None when it is no good (any more).

        A token that was used before ends its family, whose newest member then is no good either.
        """
        return await self._in_transaction(lambda work: self._rotate(work, token))

    async def revoke(self, token: str) -> None:
        """End the family of the token, used or not; an unknown one is no error. Every process hears of it."""

        async def end(work: Work) -> None:
            if row := await locked_row(token):
                await end_session(work, row.family)

        await self._in_transaction(end)

    async def _in_transaction(self, body: Callable[[Work], Awaitable[T]]) -> T:
        return await work_in_transaction(Context(ANONYMOUS, replace(self._services, clock=self._now)), body)

    async def _rotate(self, work: Work, token: str) -> Issued | None:
        # Answers None instead of raising: an exception would roll the end of the family back.
        row = await locked_row(token)
        if row is None:
            return None
        now = work.now
        match judge_refresh_token(used_at=row.used_at, revoked_at=row.revoked_at, expires_at=row.expires_at, now=now):
            case RefreshVerdict.ROTATE if row.user.is_active:
                row.used_at = now
                await row.save(update_fields=["used_at"])
                return await self._issue(row.user_id, family=row.family, now=now)
            case RefreshVerdict.END_FAMILY:
                if await end_session(work, row.family):
                    log.warning("refresh_token_reused", user_id=str(row.user_id), family=str(row.family))
        return None

    async def _issue(self, user_id: UUID, *, family: UUID, now: datetime) -> Issued:
        token = secrets.token_urlsafe(32)
        await models.RefreshToken.create(
            user_id=user_id, family=family, token_hash=token_hash(token), issued_at=now, expires_at=now + self.ttl
        )
        return Issued(user_id, family, token)


def token_hash(token: str) -> str:
    """64 hex digits. A plain hash is enough: 256 random bits cannot be guessed from it, unlike a password."""
    return hashlib.sha256(token.encode()).hexdigest()


async def locked_row(token: str) -> models.RefreshToken | None:
    """The row of the token, with its user, while nobody else can change any token of that user.

    The lock is on the user, not on the row: a rotation elsewhere in the family inserts a row, which a lock on
    the rows of today does not cover, and which the end of the family would miss.
    """
    found = await models.RefreshToken.get_or_none(token_hash=token_hash(token)).only("id", "user_id")
    if found is None:
        return None
    user = await models.User.select_for_update(no_key=True).get_or_none(id=found.user_id)
    row = await models.RefreshToken.get_or_none(id=found.id)
    if user is None or row is None:
        return None
    row.user = user
    return row
