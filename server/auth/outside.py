"""Tokens of an outside identity provider: whom they speak for is decided by a verified e-mail address."""

import warnings
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

import models
from domain.credentials import canonical_email
from domain.errors import Unauthenticated
from server.auth.access import Identity
from server.auth.jwks import KeySource
from server.auth.jwt import LEEWAY, Clock, Unverified, utc_now, verified_claims

# RFC 9864 renames EdDSA; providers still say it, and with Ed25519 keys alone (see `jwks`) there is nothing to warn of.
warnings.filterwarnings("ignore", "EdDSA is deprecated", SecurityWarning)

KEY_TYPES: dict[str, type[Key]] = {"RS256": RSAKey, "PS256": RSAKey, "ES256": ECKey, "EdDSA": OKPKey}
"""The algorithms that are taken, and the kind of key that each needs. Only asymmetric ones: a public key must not
pass as the secret of a symmetric one."""

HEADERS = {"alg", "kid", "typ", "x5t", "x5t#S256"}
"""Anything else is refused: `jwk`, `jku`, `x5c` and `x5u` bring a key of the sender's choice, `crit` and `b64` change
what is signed."""

TYPES = {"jwt", "at+jwt", "application/at+jwt"}
"""Not the other things that providers sign, such as logout tokens."""


class OutsideTokens:
    def __init__(self, keys: KeySource, *, issuer: str, audience: str, now: Clock = utc_now) -> None:
        self._keys = keys
        self._audience = audience
        self._now = now
        self.issuer = issuer

    async def verify(self, token: str, unverified: Unverified) -> Identity:
        """The account that the token speaks for; it ends at its `exp` plus the leeway for clocks.

        Raises:
            Unauthenticated: the token is no good, its address unverified, or nobody here has it.
        """
        algorithm, kid = checked_header(unverified.header)
        key = await self._keys.get(kid)
        # joserfc also refuses a key that says itself which other algorithm it is for.
        if not isinstance(key, KEY_TYPES[algorithm]):
            raise Unauthenticated
        claims = verified_claims(token, key, [algorithm], issuer=self.issuer, audience=self._audience, now=self._now())
        user_id = await user_by_verified_email(claims)
        return Identity(user_id, datetime.fromtimestamp(claims["exp"], UTC) + LEEWAY)


def checked_header(header: dict[str, Any]) -> tuple[str, str]:
    """The algorithm and the name of the key, out of a header that asks for nothing strange."""
    match header:
        case {"alg": str(algorithm), "kid": str(kid)} if algorithm in KEY_TYPES:
            usual = header.keys() <= HEADERS and str(header.get("typ", "JWT")).lower() in TYPES
            if usual:
                return algorithm, kid
    raise Unauthenticated


async def user_by_verified_email(claims: dict[str, Any]) -> UUID:
    match claims:
        case {"email": str(text), "email_verified": True} if email := canonical_email(text):
            user = await models.User.filter(email=email).only("id").first()
            if user:
                return user.id
    raise Unauthenticated
