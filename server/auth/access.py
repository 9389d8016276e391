"""The access tokens that this server signs: short-lived, read without a look into the database."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import OctKey

from domain.errors import Unauthenticated
from server.auth.jwt import MAX_LIFETIME, Clock, Unverified, utc_now, verified_claims
from server.settings import OWN_ISSUER

ALGORITHM = "HS256"
TYPE = "at+jwt"
CLAIMS = {"iss", "aud", "sub", "iat", "exp", "jti"}
SESSION = "sid"
"""The sign-in that a token is of; those of the command line are of none."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a token speaks for, until when, and the sign-in that it is of."""

    user_id: UUID
    expires_at: datetime
    session_id: UUID | None = None


class AccessTokens:
    """Mints and verifies, `key` being 32 bytes that nothing else uses."""

    def __init__(self, key: bytes, *, ttl: timedelta, now: Clock = utc_now) -> None:
        self._key = OctKey.import_key(key)
        self._now = now
        self.ttl = ttl

    def mint(self, user_id: UUID, ttl: timedelta | None = None, *, session_id: UUID | None = None) -> str:
        """A token for `user_id` that is valid for `ttl`, in whole seconds, or until the sign-in of that id ends.

        Raises:
            ValueError: `ttl` is under a second or over `MAX_LIFETIME`, and the token would be refused.
        """
        ttl = self.ttl if ttl is None else ttl
        if not timedelta(seconds=1) <= ttl <= MAX_LIFETIME:
            raise ValueError(f"an access token lasts between a second and {MAX_LIFETIME}, not {ttl}")
        issued = int(self._now().timestamp())
        claims = {
            "iss": OWN_ISSUER,
            "aud": OWN_ISSUER,
            "sub": str(user_id),
            "iat": issued,
            "exp": issued + int(ttl.total_seconds()),
            "jti": secrets.token_urlsafe(16),
        } | ({SESSION: str(session_id)} if session_id else {})
        return jwt.encode({"alg": ALGORITHM, "typ": TYPE}, claims, self._key, algorithms=[ALGORITHM])

    def is_current(self, identity: Identity) -> bool:
        """Whether an identity that was verified before has not run out since."""
        return identity.expires_at > self._now()

    def verify(self, token: str, unverified: Unverified) -> Identity:
        """Whom the token speaks for; it ends exactly at its `exp`.

        Raises:
            Unauthenticated: it is not a token of ours, or no longer.
        """
        now = self._now()
        if unverified.header != {"alg": ALGORITHM, "typ": TYPE}:
            raise Unauthenticated
        claims = verified_claims(token, self._key, [ALGORITHM], issuer=OWN_ISSUER, audience=OWN_ISSUER, now=now)
        # The leeway is for the clocks of others, and for an `iat` a little ahead; our own `exp` is exact.
        if claims.keys() - {SESSION} != CLAIMS or claims["exp"] <= now.timestamp() or claims["exp"] <= claims["iat"]:
            raise Unauthenticated
        try:
            session = UUID(claims[SESSION]) if SESSION in claims else None
            return Identity(UUID(claims["sub"]), datetime.fromtimestamp(claims["exp"], UTC), session)
        except (ValueError, AttributeError):
            raise Unauthenticated from None
