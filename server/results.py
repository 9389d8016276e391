"""The route that hands out what a job has made, by signed address."""

from uuid import UUID

import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from domain.enums import JobKind
from domain.errors import NotFound
from resolvers import results, tickets_export
from resolvers.context import Context, Services
from resolvers.links import RESULT, RESULT_PATH
from server.signed import answering, permitted, to_be_saved
from server.storage import Storage

logger = structlog.get_logger("casewire.results")


def result_routes(services: Services, storage: Storage) -> list[Route]:
    async def respond(request: Request) -> Response:
        return await hand_out(services, storage, request)

    return [Route(RESULT_PATH.format("{key}"), answering(respond), methods=["GET"])]


def tickets_of(key: str) -> str:
    """The key of the ids of the tickets that are in a list."""
    return f"{key}-tickets"


async def delete_result(storage: Storage, key: str) -> None:
    await storage.delete(key)
    await storage.delete(tickets_of(key))


async def check_still_shown(context: Context, storage: Storage, key: str) -> None:
    """
    Raises:
        NotFound: one of the tickets in a list is no longer shown to the viewer.
    """
    try:
        ids = b"".join([piece async for piece in await storage.read(tickets_of(key))])
    except FileNotFoundError:
        raise NotFound("file") from None
    tickets = [UUID(bytes=ids[start : start + 16]) for start in range(0, len(ids), 16)]
    if not await tickets_export.are_still_exportable(context, tickets):
        raise NotFound("file")


async def hand_out(services: Services, storage: Storage, request: Request) -> Response:
    """The file, if the one the address was made for may see now all that is in it (S07, J4).

    Raises:
        Forbidden, NotFound: the address is no good or has expired, or there is no such file for this person.
    """
    permit = await permitted(services, request, RESULT)
    context = Context(permit.viewer, services)
    job = await results.downloadable(context, permit.key)
    if job is None or job.blob_key is None or job.size_bytes is None or not job.file_name:
        raise NotFound("file")
    if job.kind is JobKind.TICKETS_EXPORT:
        await check_still_shown(context, storage, job.blob_key)
    try:
        pieces = await storage.read(job.blob_key)
    except FileNotFoundError:
        logger.error("what a job has made is not in the store", job=str(job.id))
        raise NotFound("file") from None
    return StreamingResponse(pieces, headers=to_be_saved(job.file_name, job.size_bytes), media_type=job.media_type)
