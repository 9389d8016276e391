"""`POST /auth/token` and `POST /auth/revoke`, in the shapes of RFC 6749 § 5 and RFC 7009."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.credentials import canonical_email
from server.auth.brake import Attempt, Brake
from server.auth.jwt import Clock, utc_now
from server.auth.sign_in import Grant, SignIn

MAX_BODY_BYTES = 16 * 1024
BODY_TIMEOUT_SECONDS = 10
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class Refused(Exception):
    """An error answer: RFC 6749's code, and a sentence for whoever builds the client."""

    def __init__(
        self, error: str, description: str, *, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(description)
        self.response = JSONResponse(
            {"error": error, "error_description": description}, status, headers={**NO_STORE, **(headers or {})}
        )


def auth_routes(sign_in: SignIn, brake: Brake, *, now: Clock = utc_now) -> list[Route]:
    async def token(parameters: dict[str, str], address: str) -> Response:
        match parameters.get("grant_type"):
            case "password":
                return granted(await password_grant(parameters, address))
            case "refresh_token":
                return granted(await sign_in.with_refresh_token(required(parameters, "refresh_token")))
            case None:
                raise Refused("invalid_request", "grant_type is missing.")
            case _:
                raise Refused("unsupported_grant_type", "grant_type is password or refresh_token.")

    async def password_grant(parameters: dict[str, str], address: str) -> Grant | None:
        email = required(parameters, "username" if "username" in parameters else "email")
        password = required(parameters, "password")
        attempt = Attempt(address, canonical_email(email) or "")
        if wait := brake.take(attempt, now()):
            seconds = math.ceil(wait.total_seconds())
            raise Refused(
                "slow_down",
                f"Too many attempts. Try again in {seconds} seconds.",
                status=429,
                headers={"Retry-After": str(seconds)},
            )
        grant = await sign_in.with_password(email, password)
        if grant:
            brake.forgive(attempt)
        return grant

    async def revoke(parameters: dict[str, str], address: str) -> Response:
        await sign_in.out(required(parameters, "refresh_token"))
        return JSONResponse({}, headers=NO_STORE)

    return [
        Route("/auth/token", endpoint(token), methods=["POST"]),
        Route("/auth/revoke", endpoint(revoke), methods=["POST"]),
    ]


def endpoint(
    handle: Callable[[dict[str, str], str], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that hands the request's parameters and the client's address to `handle`."""

    async def respond(request: Request) -> Response:
        try:
            return await handle(await read_parameters(request), request.client.host if request.client else "")
        except Refused as refused:
            return refused.response

    return respond


def granted(grant: Grant | None) -> Response:
    if grant is None:
        raise Refused("invalid_grant", "These credentials are no good, or no longer. Sign in again.")
    return JSONResponse(
        {
            "access_token": grant.access_token,
            "token_type": "Bearer",
            "expires_in": int(grant.expires_in.total_seconds()),
            "refresh_token": grant.refresh_token,
            "refresh_expires_in": int(grant.refresh_expires_in.total_seconds()),
        },
        headers=NO_STORE,
    )


def required(parameters: dict[str, str], name: str) -> str:
    if not (value := parameters.get(name)):
        raise Refused("invalid_request", f"{name} is missing.")
    return value


async def read_parameters(request: Request) -> dict[str, str]:
    """The parameters of a JSON object or a form, each a string and given once.

    Raises:
        Refused: 400 for anything else; 413 or 408 for a body that is too large or does not come.
    """
    body = await read_body(request)
    match request.headers.get("content-type", "").partition(";")[0].strip().lower():
        case "application/json":
            return from_json(body)
        case "application/x-www-form-urlencoded":
            return from_form(body)
        case _:
            raise Refused("invalid_request", "Send application/json or application/x-www-form-urlencoded.")


def from_json(body: bytes) -> dict[str, str]:
    try:
        given: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refused("invalid_request", "The body is not JSON.") from None
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise Refused("invalid_request", "The body is not an object of strings.")
    return given


def from_form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=16)
    except ValueError:
        raise Refused("invalid_request", "The body is not a form.") from None
    if len(pairs) != len(dict(pairs)):
        raise Refused("invalid_request", "A parameter is given more than once.")
    return dict(pairs)


async def read_body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise Refused("invalid_request", "The body is too large.", status=413)
    except TimeoutError:
        raise Refused("invalid_request", "The body did not come in time.", status=408) from None
    except ClientDisconnect:
        raise Refused("invalid_request", "The body did not come.") from None
    return bytes(body)
