"""Signing in, staying signed in and signing out: from credentials to tokens."""

from dataclasses import dataclass, field
from datetime import timedelta

import structlog

import models
from domain.credentials import canonical_email
from server.auth.access import AccessTokens
from server.auth.passwords import Passwords
from server.auth.refresh import Issued, RefreshTokens

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Grant:
    """A pair of tokens, with how long each lasts."""

    access_token: str = field(repr=False)
    expires_in: timedelta
    refresh_token: str = field(repr=False)
    refresh_expires_in: timedelta


class SignIn:
    def __init__(self, passwords: Passwords, access: AccessTokens, refresh: RefreshTokens) -> None:
        self._passwords = passwords
        self._access = access
        self._refresh = refresh

    async def with_password(self, email: str, password: str) -> Grant | None:
        """Tokens for the account; None for any reason that there are none, each of which takes the same time."""
        canonical = canonical_email(email)
        user = await models.User.filter(email=canonical, is_active=True).first() if canonical else None
        stored = user.password_hash if user else None
        if not await self._passwords.verify(stored, password) or user is None or stored is None:
            return None
        if self._passwords.is_outdated(stored):
            renewed = await self._passwords.hash(password)
            # Only over the hash that was verified: the password may have been changed in the meantime.
            await models.User.filter(id=user.id, password_hash=stored).update(password_hash=renewed)
        return self._grant(await self._refresh.issue(user.id))

    async def with_refresh_token(self, token: str) -> Grant | None:
        """New tokens for a refresh token, which is used up; None when it is no good."""
        issued = await self._refresh.rotate(token)
        return self._grant(issued) if issued else None

    async def out(self, token: str) -> None:
        """End the sign-in that the refresh token belongs to, with its access tokens and its sockets."""
        await self._refresh.revoke(token)

    def _grant(self, issued: Issued) -> Grant:
        return Grant(
            access_token=self._access.mint(issued.user_id, session_id=issued.family),
            expires_in=self._access.ttl,
            refresh_token=issued.token,
            refresh_expires_in=self._refresh.ttl,
        )
