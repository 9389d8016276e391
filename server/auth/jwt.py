"""The form of a JSON Web Token, and the checks that every kind of token shares.

Each failure raises the same `Unauthenticated`: an answer that said which part was wrong would help only a forger.
"""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry
from joserfc.util import urlsafe_b64decode

from domain.errors import Unauthenticated

Clock = Callable[[], datetime]
"""The present in UTC."""

MAX_TOKEN_BYTES = 8 * 1024
LEEWAY = timedelta(seconds=30)
"""How far the clocks of two machines may be apart."""

MAX_LIFETIME = timedelta(hours=24)
"""A token that lasts longer is refused, whoever signed it: it cannot be taken back before it expires."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Unverified:
    """What a token says of itself. Good for choosing who verifies it, and for nothing else."""

    header: dict[str, Any]
    claims: dict[str, Any]


def peek(token: str) -> Unverified:
    """Take a token apart without believing it.

    Raises:
        Unauthenticated: not three parts of base64url of which the first two are JSON objects; or too long.
    """
    parts = token.split(".")
    if len(parts) != 3 or len(token) > MAX_TOKEN_BYTES:
        raise Unauthenticated
    try:
        header, claims = (json.loads(urlsafe_b64decode(part.encode("ascii"))) for part in parts[:2])
    except (ValueError, RecursionError):
        raise Unauthenticated from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise Unauthenticated
    return Unverified(header, claims)


def verified_claims(
    token: str, key: Key, algorithms: Collection[str], *, issuer: str, audience: str, now: datetime
) -> dict[str, Any]:
    """The claims of a token that `key` signed for `audience`, and that is valid `now`, give or take `LEEWAY`.

    `token` has gone through `peek`.

    Raises:
        Unauthenticated: anything is wrong, or it would be valid for more than `MAX_LIFETIME` from now.
    """
    try:
        claims = jwt.decode(token, key, registry=JWSRegistry(algorithms=algorithms)).claims
        JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=int(LEEWAY.total_seconds()),
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
        ).validate(claims)
    except (JoseError, ValueError, TypeError):
        raise Unauthenticated from None
    if claims["exp"] > (now + MAX_LIFETIME + LEEWAY).timestamp():
        raise Unauthenticated
    return claims
