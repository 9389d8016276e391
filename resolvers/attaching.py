"""Putting uploaded files on what they belong to. Called inside a unit of work."""

from collections.abc import Sequence
from uuid import UUID

from domain.attachments import check_count
from domain.enums import ScanState
from domain.errors import Conflict, NotFound
from models import Attachment, Message
from resolvers.context import Context


async def attach(ctx: Context, message: Message, attachment_ids: Sequence[UUID]) -> list[Attachment]:
    """Put the viewer's uploaded files on a message that was just made; each file is on one message for good.

    Raises:
        TooManyFiles: more than 5 (S53).
        NotFound: the viewer uploaded no such file, or it is on a message already.
        Conflict: its bytes have not arrived, or the scan found something in them.
    """
    files = await waiting_files(ctx, attachment_ids)
    for file in files:
        if file.stored_at is None:
            raise Conflict(
                "Upload {file} first: its bytes have not arrived.", field=("attachmentIds",), file=file.file_name
            )
        if file.scan_state is ScanState.INFECTED:
            raise Conflict("{file} is infected and cannot be attached.", field=("attachmentIds",), file=file.file_name)
    for file in files:
        file.message_id, file.ticket_id, file.visibility = message.id, message.ticket_id, message.visibility
        file.draft_id = None
        await file.save(update_fields=["message_id", "ticket_id", "visibility", "draft_id"])
    return files


async def keep_in_draft(ctx: Context, draft_id: UUID, attachment_ids: Sequence[UUID]) -> None:
    """Let a draft have these of the viewer's files and no others; those it had before are left to the sweep.

    Raises:
        TooManyFiles, NotFound: as for `attach`.
    """
    files = await waiting_files(ctx, attachment_ids)
    left = Attachment.filter(draft_id=draft_id).exclude(id__in=[file.id for file in files])
    await left.update(draft_id=None)
    if files:
        await Attachment.filter(id__in=[file.id for file in files]).update(draft_id=draft_id)


async def waiting_files(ctx: Context, attachment_ids: Sequence[UUID]) -> list[Attachment]:
    """The viewer's files that are on no message yet, locked, in the given order.

    Raises:
        TooManyFiles, NotFound: as for `attach`.
    """
    wanted = list(dict.fromkeys(attachment_ids))
    check_count(len(wanted))
    if not wanted:
        return []
    own = Attachment.filter(id__in=wanted, uploaded_by_id=ctx.user_id, message_id=None, deleted_at=None)
    found = {file.id: file for file in await own.order_by("id").select_for_update()}
    if len(found) < len(wanted):
        raise NotFound("file of yours that waits to be attached", field=("attachmentIds",))
    return [found[each] for each in wanted]
