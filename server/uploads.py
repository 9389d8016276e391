"""The attachments' two routes: `PUT` takes the bytes of an announced file, `GET` hands them out.

Both are by signed address alone: no cookie, no header. Bytes are held until all have come and are what they should be,
at most 512,000 of them; then they are stored in one piece. So nothing is ever half there.
"""

import hmac
from hashlib import sha256

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from domain import attachments as rules
from domain.errors import FileTooLarge, Invalid, NotFound
from domain.policy import ANONYMOUS
from models import Attachment
from resolvers import attachments
from resolvers.context import Context, Services
from resolvers.links import GET, PATH, PUT
from server.signed import LOCKED_DOWN, answering, permitted, to_be_saved
from server.sniffing import agrees
from server.storage import Storage

logger = structlog.get_logger("casewire.uploads")


def attachment_routes(services: Services, storage: Storage) -> list[Route]:
    async def respond(request: Request) -> Response:
        if request.method == "PUT":
            return await take(services, storage, request)
        return await hand_out(services, storage, request)

    return [Route(PATH.format("{key}"), answering(respond), methods=["GET", "PUT"])]


async def take(services: Services, storage: Storage, request: Request) -> Response:
    """Store the bytes that were announced.

    Raises:
        Forbidden, NotFound: the address is no good, has expired, or nobody waits for the file any more.
        FileTooLarge, Invalid: these are not as many bytes as were announced, or other ones.
        FileTypeNotAllowed: the content is not what the file's name says (S53).
        Conflict: other bytes were sent before.
    """
    permit = await permitted(services, request, PUT)
    file = await attachments.announced(permit.key)
    if file is None:
        raise NotFound("file")
    content = await body_of(request, file.size_bytes)
    checksum = sha256(content).hexdigest()
    check(file, content, checksum)
    await storage.put(f"{file.id}-{checksum}", content)
    try:
        stored = await attachments.mark_stored(Context(ANONYMOUS, services), file.id, checksum=checksum)
    except Exception:
        await storage.delete(f"{file.id}-{checksum}")
        raise
    return JSONResponse({"sizeBytes": stored.size_bytes, "checksum": checksum}, 201, headers=LOCKED_DOWN)


def check(file: Attachment, content: bytes, checksum: str) -> None:
    if len(content) != file.size_bytes:
        raise Invalid(
            "{announced} bytes were announced, and {come} have come.", announced=file.size_bytes, come=len(content)
        )
    if file.checksum and file.stored_at is None and not hmac.compare_digest(file.checksum, checksum):
        raise Invalid("These bytes have another checksum than was announced.")
    if not agrees(rules.extension_of(file.file_name), content):
        raise rules.not_what_it_says(file.file_name)


async def body_of(request: Request, announced: int) -> bytes:
    """The body, read no further than what was announced.

    Raises:
        FileTooLarge: there is more of it.
    """
    found = bytearray()
    async for piece in request.stream():
        found += piece
        if len(found) > announced:
            raise FileTooLarge("{announced} bytes were announced, and more have come.", announced=announced)
    return bytes(found)


async def hand_out(services: Services, storage: Storage, request: Request) -> Response:
    """A file, to be saved under its name, if the one the address was made for sees it still (S07, J4).

    Raises:
        Forbidden, NotFound: the address is no good or has expired, or there is no such file for this person.
    """
    permit = await permitted(services, request, GET)
    file = await attachments.downloadable(Context(permit.viewer, services), permit.key)
    if file is None:
        raise NotFound("file")
    try:
        pieces = await storage.read(file.blob_key)
    except FileNotFoundError:
        logger.error("the bytes of a file are not in the store", attachment=str(file.id))
        raise NotFound("file") from None
    return StreamingResponse(pieces, headers=to_be_saved(file.file_name, file.size_bytes), media_type=file.media_type)
