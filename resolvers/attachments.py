"""Files of a ticket: announcing one, taking its bytes, handing it out, taking it back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain import attachments, lifecycle, policy
from domain.enums import ScanState, Visibility
from domain.errors import Conflict, Forbidden, Invalid, NotFound, RateLimited
from domain.naming import line
from models import Attachment
from resolvers.context import Context
from resolvers.streams import TICKET_CHANGED, streams_of
from resolvers.tickets import lock_ticket
from resolvers.transaction import Work, unit_of_work

UPLOAD_WITHIN = timedelta(minutes=15)
DOWNLOAD_WITHIN = timedelta(minutes=5)
LONGEST_DOWNLOAD = timedelta(hours=1)

MOST_WAITING = 50
"""Files that one person may have uploaded and not attached: 25 MB, and no more by asking again and again."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was announced, and where its bytes go until `expires_at`."""

    attachment: Attachment
    upload_url: str
    expires_at: datetime


@unit_of_work
async def create_upload(
    work: Work, ctx: Context, *, file_name: str, media_type: str, size_bytes: int, checksum: str | None
) -> Upload:
    """Announce a file; its bytes are then sent to the signed address, by whoever has it.

    What it is follows from its name: `media_type` is only looked at for being one.

    Raises:
        Forbidden: the viewer only reads, everywhere (S15).
        Required, Invalid: the name, media type, size or checksum is none.
        FileTypeNotAllowed, FileTooLarge: see `domain.attachments` (S53).
        RateLimited: too many files of the viewer wait to be attached.
    """
    policy.check_authenticated(ctx.viewer)
    if not policy.conceivable(ctx.viewer, policy.UPLOAD_FILE):
        raise Forbidden("Your role only lets you read.")
    name = attachments.file_name(file_name)
    line(media_type, field="mediaType", limit=100)
    attachments.check_size(size_bytes)
    waiting = await Attachment.filter(
        uploaded_by_id=ctx.user_id, message_id=None, draft_id=None, deleted_at=None
    ).count()
    if waiting >= MOST_WAITING:
        raise RateLimited(
            "{count} of your files wait to be attached. Attach or delete some of them first.", count=waiting
        )
    attachment = await Attachment.create(
        uploaded_by_id=ctx.user_id,
        file_name=name,
        media_type=attachments.media_type_of(name),
        size_bytes=size_bytes,
        checksum=attachments.checksum(checksum) if checksum is not None else "",
        created_at=work.now,
    )
    expires_at = work.now + UPLOAD_WITHIN
    return Upload(attachment, ctx.services.links.upload(attachment.id, ctx.user_id, expires_at), expires_at)


async def announced(attachment_id: UUID) -> Attachment | None:
    """The file that bytes are sent for; None where nobody waits for them any more."""
    return await Attachment.get_or_none(id=attachment_id, deleted_at=None)


@unit_of_work
async def mark_stored(work: Work, ctx: Context, attachment_id: UUID, *, checksum: str) -> Attachment:
    """Its bytes have arrived, all of them, and are what they should be.

    Raises:
        NotFound: it was deleted meanwhile.
        Conflict: other bytes have arrived for it before; they stay.
    """
    attachment = await Attachment.select_for_update().get_or_none(id=attachment_id, deleted_at=None)
    if attachment is None:
        raise NotFound("file")
    if attachment.stored_at is not None:
        if attachment.checksum != checksum:
            raise Conflict("This file was uploaded before. Announce another one for other content.")
        return attachment
    attachment.checksum, attachment.stored_at = checksum, work.now
    await attachment.save(update_fields=["checksum", "stored_at"])
    return attachment


def download_url(ctx: Context, attachment: Attachment, expires_in: timedelta | None) -> str | None:
    """A signed address of a file that the viewer sees, good for 5 minutes unless said otherwise, and for the viewer.

    None where there is nothing to hand out: its bytes never came, or the scan found something in them.

    Raises:
        Invalid: a span that is not more than nothing and at most an hour.
    """
    span = DOWNLOAD_WITHIN if expires_in is None else expires_in
    if not timedelta() < span <= LONGEST_DOWNLOAD:
        raise Invalid("A download address is good for at most an hour: PT1H.", field=("expiresIn",))
    if attachment.stored_at is None or attachment.scan_state is ScanState.INFECTED:
        return None
    return ctx.services.links.download(attachment.id, ctx.user_id, ctx.now() + span)


async def downloadable(ctx: Context, attachment_id: UUID) -> Attachment | None:
    """The file, if the viewer sees it now: an address may be older than a change of rights (J3, J4, S07)."""
    seen = Attachment.filter(Attachment.seen_by(ctx.viewer), id=attachment_id, stored_at__isnull=False)
    return await seen.exclude(scan_state=ScanState.INFECTED).first()


@unit_of_work
async def delete_attachment(work: Work, ctx: Context, attachment_id: UUID) -> UUID:
    """Take a file back: shown to nobody from now on, its bytes are deleted by the next sweep.

    A file that waits belongs to whoever uploaded it. One on a ticket is taken off by support, or by the ticket's author
    if it is the author's own, while the ticket is not closed.

    Raises:
        NotFound: there is none that the viewer may see.
        Forbidden: it is somebody else's.
        TicketClosed: closed is final.
    """
    policy.check_authenticated(ctx.viewer)
    here = Attachment.filter(Attachment.seen_by(ctx.viewer), id=attachment_id)
    attachment = await here.first()
    if attachment is None:
        raise NotFound("file", field=("attachmentId",))
    if attachment.ticket_id is not None:
        await _check_may_take_off(ctx, attachment, attachment.ticket_id)
    if not await here.filter(message_id=attachment.message_id).update(deleted_at=work.now):
        raise NotFound("file", field=("attachmentId",))
    if attachment.ticket_id is not None:
        visibility = attachment.visibility or Visibility.INTERNAL
        data = {"fields": ["attachments", "messages"], "item": None}
        work.emit(streams_of(attachment.ticket_id, visibility), TICKET_CHANGED, data)
    return attachment.id


async def _check_may_take_off(ctx: Context, attachment: Attachment, ticket_id: UUID) -> None:
    ticket, facts = await lock_ticket(ctx, ticket_id)
    policy.check(ctx.viewer, policy.DELETE_ATTACHMENT, facts, "You may see this file, but not take it off.")
    if ctx.viewer.is_staff:
        return
    if attachment.uploaded_by_id != ctx.user_id:
        raise Forbidden("This file is not yours to take off.")
    lifecycle.check_not_closed(ticket.status)
