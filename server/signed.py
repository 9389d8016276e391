"""Routes by signed address: no cookie, no header, but the rights of now of whoever the address was made for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import UUID

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from domain.errors import DomainError, Forbidden
from domain.policy import Viewer
from domain.words.languages import SOURCE, accepted
from resolvers.context import Services
from resolvers.viewers import load_viewer

STATUS = {"FORBIDDEN": 403, "NOT_FOUND": 404, "CONFLICT": 409, "FILE_TOO_LARGE": 413, "FILE_TYPE_NOT_ALLOWED": 415}
"""HTTP's word for a refusal; 400 for every other."""

LOCKED_DOWN = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
}
"""A file is saved, never shown: whatever it is, it does nothing in the name of this site."""


@dataclass(frozen=True, slots=True)
class Permit:
    """What a checked address permits, and to whom."""

    key: UUID
    viewer: Viewer


def answering(respond: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """A route whose refusals are answered with their code and what to do next."""

    async def answer(request: Request) -> Response:
        try:
            return await respond(request)
        except DomainError as error:
            status = STATUS.get(error.code, 400)
            message = error.text.in_(accepted(request.headers.get("accept-language", "")) or SOURCE)
            return JSONResponse({"error": error.code, "message": message}, status, headers=LOCKED_DOWN)
        except ClientDisconnect:
            return Response(status_code=400)

    return answer


async def permitted(services: Services, request: Request, action: str) -> Permit:
    """What the address permits, for the person it was made for, with the rights of now.

    Raises:
        Forbidden: it was not made here for this, or it has expired, or the account is no longer active.
    """
    given = request.query_params
    try:
        key, viewer_id = UUID(request.path_params["key"]), UUID(given.get("viewer", ""))
        expires = int(given.get("expires", ""))
        until = datetime.fromtimestamp(expires, UTC)
    except (ValueError, OverflowError, OSError):
        raise _no_good() from None
    signature = given.get("signature", "")
    if not services.links.holds(action, key, viewer_id, expires, signature) or until <= services.clock():
        raise _no_good()
    viewer = await load_viewer(viewer_id)
    if viewer is None:
        raise _no_good()
    return Permit(key, viewer)


def to_be_saved(file_name: str, size_bytes: int) -> dict[str, str]:
    """Headers of a file that is saved under its name."""
    return {
        **LOCKED_DOWN,
        "Content-Length": str(size_bytes),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file_name, safe='')}",
    }


def _no_good() -> Forbidden:
    return Forbidden("This address is no good, or no longer. Ask for a new one.")
