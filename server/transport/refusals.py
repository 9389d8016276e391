"""How the endpoint says no outside of an operation: over HTTP as GraphQL clients read errors, and to a socket."""

from collections.abc import Mapping
from typing import Any

from cross_web import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket
from strawberry.types.graphql import OperationType

from server.transport.http import CODES, LEGACY_JSON, Refused, negotiate


def refused(accepting: Mapping[str, str], refusal: HTTPException) -> Response:
    """The answer to a request that is not executed; `accepting` are the request's headers."""
    code = CODES.get(refusal.status_code, "BAD_REQUEST")
    headers = dict(getattr(refusal, "headers", {}))
    if refusal.status_code == 405:
        headers.setdefault("Allow", "GET, POST")
    return failed(accepting, refusal.status_code, {"message": refusal.reason, "extensions": {"code": code}}, headers)


def failed(
    accepting: Mapping[str, str], status: int, error: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Response:
    media_type = negotiate(accepting.get("accept")) or LEGACY_JSON
    return JSONResponse({"errors": [error]}, status, headers, f"{media_type}; charset=utf-8")


def wrong_method(kind: OperationType, method: str) -> Refused:
    if kind is OperationType.SUBSCRIPTION:
        return Refused(400, "A subscription needs a WebSocket: connect to this address with graphql-transport-ws.")
    return Refused(405, f"A {kind.value} cannot be sent with {method}.", {"Allow": "POST"})


async def deny(websocket: WebSocket, status: int, reason: str) -> None:
    """Refuse a socket before it is accepted."""
    if "websocket.http.response" in websocket.scope.get("extensions", {}):
        await websocket.send_denial_response(Response(reason, status, media_type="text/plain"))
    else:
        await websocket.close()
