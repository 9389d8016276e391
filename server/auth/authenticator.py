"""From a bearer token to the viewer it speaks for, the same way for HTTP requests and for `connection_init`."""

from collections import OrderedDict
from collections.abc import Container
from uuid import UUID

from domain.errors import Unauthenticated
from domain.policy import ANONYMOUS, Viewer
from resolvers.viewers import LoadViewer, load_viewer
from server.auth.access import AccessTokens, Identity
from server.auth.jwt import peek
from server.auth.outside import OutsideTokens
from server.settings import OWN_ISSUER

MOST_REMEMBERED = 10_000
"""Verified tokens of our own. Their signature cannot go bad; their end is looked at every time."""


class Authenticator:
    def __init__(
        self,
        access: AccessTokens,
        outside: OutsideTokens | None = None,
        load: LoadViewer = load_viewer,
        *,
        ended: Container[UUID] = (),
    ) -> None:
        """`ended` has the sign-ins whose tokens are good no longer."""
        self._access = access
        self._outside = outside
        self._ended = ended
        self._verified: OrderedDict[str, Identity] = OrderedDict()
        self.load = load

    async def __call__(self, token: str | None) -> Viewer:
        """The viewer, whose `expires_at` is the token's; ANONYMOUS without a token.

        Raises:
            Unauthenticated: there is a token and it is no good, its sign-in has ended, or its account is gone or
                inactive. A bad token is never taken for none.
        """
        if token is None:
            return ANONYMOUS
        known = self._verified.get(token)
        identity = known if known is not None and self._access.is_current(known) else await self._identify(token)
        if identity.session_id is not None and identity.session_id in self._ended:
            raise Unauthenticated
        viewer = await self.load(identity.user_id, expires_at=identity.expires_at, session_id=identity.session_id)
        if viewer is None:
            raise Unauthenticated
        return viewer

    async def _identify(self, token: str) -> Identity:
        unverified = peek(token)
        issuer = unverified.claims.get("iss")
        if issuer == OWN_ISSUER:
            return self._remembered(token, self._access.verify(token, unverified))
        if self._outside and issuer == self._outside.issuer:
            return await self._outside.verify(token, unverified)
        raise Unauthenticated

    def _remembered(self, token: str, identity: Identity) -> Identity:
        self._verified[token] = identity
        if len(self._verified) > MOST_REMEMBERED:
            self._verified.popitem(last=False)
        return identity


def bearer_token(authorization: str | None) -> str | None:
    """The token of an `Authorization` header or of the parameter of that name in `connection_init`; None without one.

    Raises:
        Unauthenticated: it is something else than `Bearer <token>`.
    """
    if authorization is None:
        return None
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated
    return token.strip()
