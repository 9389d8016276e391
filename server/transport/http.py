"""The GraphQL-over-HTTP rules that Strawberry's view does not keep: media types, bodies, refusals, cross-site calls."""

import asyncio
from collections.abc import Mapping

from cross_web import HTTPException, StarletteRequestAdapter
from starlette.requests import Request
from strawberry.http import GraphQLRequestData
from strawberry.http.parse_content_type import parse_content_type

from server.transport.limits import Limits

LEGACY_JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"

PREFLIGHT_HEADERS = ("graphql-require-preflight", "apollo-require-preflight")

CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    408: "REQUEST_TIMEOUT",
    413: "LIMIT_EXCEEDED",
    415: "UNSUPPORTED_MEDIA_TYPE",
    503: "TIMEOUT",
}


MOST_DISCARDED = 32_000_000
"""Bytes of a body too large that are still taken from the network, and dropped."""


class Refused(HTTPException):
    """A request that is answered before, or instead of, executing it. `reason` is said to the client."""

    def __init__(self, status_code: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status_code, reason)
        self.headers = dict(headers or {})


class BoundedRequest(StarletteRequestAdapter):
    """Keeps no more of a body, and reads no longer, than the limits allow: Starlette and uvicorn have no bound.

    What is too much is read to its end and dropped, within reason: who is cut off while sending never sees the answer.
    """

    def __init__(self, request: Request, limits: Limits) -> None:
        super().__init__(request)
        self.limits = limits

    async def get_body(self) -> bytes:
        limit = self.limits.max_body_bytes
        too_large = Refused(413, f"The body of a request may be at most {limit} bytes.", {"Connection": "close"})
        declared = self._declared()
        if declared > MOST_DISCARDED or (declared > limit and "expect" in self.headers):
            raise too_large
        body, size = bytearray(), 0
        try:
            async with asyncio.timeout(self.limits.body_timeout):
                async for chunk in self._request.stream():
                    size += len(chunk)
                    if max(size, declared) <= limit:
                        body += chunk
                    elif size > MOST_DISCARDED:
                        raise too_large
        except TimeoutError:
            if max(size, declared) > limit:
                raise too_large from None
            raise Refused(408, "The body of this request did not arrive in time.", {"Connection": "close"}) from None
        if max(size, declared) > limit:
            raise too_large
        return bytes(body)

    def _declared(self) -> int:
        """The bytes that are said to come; none where nothing is said."""
        given = self.headers.get("content-length", "")
        return int(given) if given.isdecimal() and len(given) <= 15 else MOST_DISCARDED + 1 if given else 0


def negotiate(accept: str | None) -> str | None:
    """The media type of ours that an Accept header likes best; None if it takes neither.

    Without a preference it is `application/json`, which every client reads.
    """
    if not accept or not accept.strip():
        return LEGACY_JSON
    ranges = [media_range(part, position) for position, part in enumerate(accept.split(","))]
    best: tuple[float, int] | None = None
    chosen = None
    for ours in (LEGACY_JSON, GRAPHQL_JSON):
        for pattern in (ours, "application/*", "*/*"):  # the most specific range decides for a type
            wishes = [(quality, -position) for name, quality, position in ranges if name == pattern]
            if wishes:
                wish = max(wishes)
                if wish[0] > 0 and (best is None or wish > best):
                    best, chosen = wish, ours
                break
    return chosen


def media_range(text: str, position: int) -> tuple[str, float, int]:
    """Name, quality (0 to 1, 1 unless it says otherwise, 0 if it cannot be read) and position of one range."""
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    quality = 1.0
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                quality = float(parameter[2:])
            except ValueError:
                quality = 0.0
    return name, quality if 0 <= quality <= 1 else 0.0, position


def check_json(content_type: str | None, content_encoding: str | None) -> None:
    """Strawberry takes every type that has "application/json" somewhere in it, also those sent without a preflight."""
    name, parameters = parse_content_type(content_type or "")
    charset = parameters.get("charset", "utf-8").strip('"').lower()
    if name.lower() != LEGACY_JSON or charset not in ("utf-8", "utf8"):
        raise Refused(415, "Send the operation as application/json, in UTF-8.")
    if (content_encoding or "identity").lower() != "identity":
        raise Refused(415, "Send the operation uncompressed.")


def check_not_cross_site(headers: Mapping[str, str]) -> None:
    """A page of another site can make a browser send a plain GET, but none of these headers without asking us first."""
    name, _ = parse_content_type(headers.get("content-type", ""))
    if name.lower() != LEGACY_JSON and not any(header in headers for header in PREFLIGHT_HEADERS):
        raise Refused(403, "A GET request needs the header GraphQL-Require-Preflight, with any value.")


def as_operation(message: object) -> GraphQLRequestData:
    """Raises: Refused: `message` is not the request object of the GraphQL-over-HTTP draft."""
    if isinstance(message, list):
        raise Refused(400, "Batching is not enabled: send one operation per request.")
    if not isinstance(message, dict):
        raise Refused(400, "The body of the request must be a JSON object.")
    for name, kind, wanted in (
        ("query", str, "a string"),
        ("operationName", str, "a string or null"),
        ("variables", dict, "an object or null"),
        ("extensions", dict, "an object or null"),
    ):
        if not isinstance(message.get(name), kind | None):
            raise Refused(400, f"The `{name}` of the request must be {wanted}.")
    return GraphQLRequestData(
        query=message.get("query"),
        variables=message.get("variables"),
        operation_name=message.get("operationName"),
        extensions=message.get("extensions"),
    )
