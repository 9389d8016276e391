"""Who is asking: passwords, our own tokens, those of an outside provider, and the routes to sign in and out."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from starlette.routing import Route

from resolvers.context import Services
from server.auth.access import AccessTokens
from server.auth.authenticator import Authenticator, bearer_token
from server.auth.brake import Brake
from server.auth.jwks import KeySource
from server.auth.jwt import Clock, utc_now
from server.auth.outside import OutsideTokens
from server.auth.passwords import Passwords
from server.auth.refresh import RefreshTokens
from server.auth.routes import auth_routes
from server.auth.sessions import EndedSessions
from server.auth.sign_in import SignIn
from server.settings import Settings

__all__ = ["Auth", "Authenticator", "Passwords", "auth_from", "auth_routes", "bearer_token", "mint_access_token"]


@dataclass(frozen=True, slots=True)
class Auth:
    """What a server needs of this package, put together once."""

    authenticator: Authenticator
    passwords: Passwords
    ended: EndedSessions
    routes: list[Route]


def auth_from(settings: Settings, services: Services, *, now: Clock = utc_now) -> Auth:
    access = access_tokens(settings, now=now)
    passwords = Passwords()
    sign_in = SignIn(passwords, access, RefreshTokens(services, ttl=settings.refresh_token_ttl, now=now))
    ended = EndedSessions(kept=settings.access_token_ttl, now=now)
    return Auth(
        authenticator=Authenticator(access, outside_tokens(settings, now=now), ended=ended),
        passwords=passwords,
        ended=ended,
        routes=auth_routes(sign_in, Brake(), now=now),
    )


def mint_access_token(settings: Settings, user_id: UUID, ttl: timedelta | None = None) -> str:
    """An access token for the command line. Whether the user exists is asked when it is used.

    Raises:
        ValueError: `ttl` is longer than any access token may last (`server.auth.jwt.MAX_LIFETIME`).
    """
    return access_tokens(settings).mint(user_id, ttl)


def access_tokens(settings: Settings, *, now: Clock = utc_now) -> AccessTokens:
    return AccessTokens(settings.key_for("access token"), ttl=settings.access_token_ttl, now=now)


def outside_tokens(settings: Settings, *, now: Clock = utc_now) -> OutsideTokens | None:
    if settings.jwks_url is None or settings.token_issuer is None or settings.token_audience is None:
        return None
    return OutsideTokens(
        KeySource(settings.jwks_url, now=now), issuer=settings.token_issuer, audience=settings.token_audience, now=now
    )
