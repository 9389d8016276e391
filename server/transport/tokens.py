"""What a client may put into `connection_init`: its token, and the languages it accepts.

What is there but is no token is refused: it is never an anonymous caller.
"""

from collections.abc import Mapping

from domain.errors import Unauthenticated
from server.auth.authenticator import bearer_token

LANGUAGES = ("acceptlanguage", "accept-language")


def token_of_socket(params: Mapping[str, object], headers: Mapping[str, str]) -> str | None:
    """The token of `connection_init`'s payload, else of the upgrade's header; None if there is neither.

    Browsers cannot set headers on a WebSocket, hence the payload: `{"authorization": "Bearer …"}` or `{"token": "…"}`,
    in any case.

    Raises: Unauthenticated: there is one, and it is no string or no bearer token.
    """
    given = {name.lower(): value for name, value in params.items() if value is not None}
    if "authorization" in given:
        if not isinstance(given["authorization"], str):
            raise Unauthenticated
        return bearer_token(given["authorization"])
    if "token" in given:
        if not isinstance(given["token"], str) or not given["token"]:
            raise Unauthenticated
        return given["token"]
    return bearer_token(headers.get("authorization"))


def languages_of_socket(params: Mapping[str, object], headers: Mapping[str, str]) -> str | None:
    """The `Accept-Language` of `connection_init`'s payload, else of the upgrade; None if there is neither.

    It is a wish: what is no string is passed over.
    """
    given = next((value for name, value in params.items() if name.lower() in LANGUAGES), None)
    return given if isinstance(given, str) and given else headers.get("accept-language")
