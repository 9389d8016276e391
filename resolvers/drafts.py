"""Drafts: saving, listing, discarding, submitting them, and keeping what could not be opened."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from domain import policy
from domain.enums import DraftOrigin
from domain.errors import DomainError, Invalid, NotFound, RateLimited, Required
from domain.naming import line, quoted, text
from engine.keyset import LazyPage, Order, PageArgs
from models import (
    Attachment,
    Classification,
    Device,
    IssueType,
    Organization,
    Product,
    ProductUpdate,
    ProductVersion,
    RequestType,
    ServiceCertificate,
    Space,
    Ticket,
    TicketDraft,
    User,
)
from models.base import BaseModel
from resolvers.attaching import keep_in_draft
from resolvers.context import Context
from resolvers.draft_extras import all_told, changed, extras_of
from resolvers.reading import found, listing
from resolvers.ticket_creation import NewTicket, create_ticket, opened_with
from resolvers.transaction import Work, unit_of_work

logger = logging.getLogger(__name__)

LATEST_FIRST = Order("drafts", "updated_at").flipped()
MOST_DRAFTS = 100
MOST_DEVICES = 100

FAILED = "It could not be stored for a fault on our side. Nothing is lost: submit it again from your drafts."


@dataclass(frozen=True, slots=True)
class DraftForm:
    """A form as it is left; the ids are checked one by one, and together only when it is submitted."""

    organization_id: UUID | None = None
    request_type_key: str | None = None
    subject: str | None = None
    description: str | None = None
    product_id: UUID | None = None
    product_version_id: UUID | None = None
    product_update_id: UUID | None = None
    classification_id: UUID | None = None
    issue_type_id: UUID | None = None
    certificate_id: UUID | None = None
    space_id: UUID | None = None
    device_ids: tuple[UUID, ...] = ()
    attachment_ids: tuple[UUID, ...] = ()
    extras: Mapping[str, Any] = field(default_factory=dict)
    """What of `draft_extras.EXTRAS` is chosen, or taken back with None; what is not in it stays."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What became of a new ticket: either it is there, or it is kept as a draft because something broke."""

    ticket: Ticket | None = None
    draft: TicketDraft | None = None


async def get_draft(ctx: Context, draft_id: UUID) -> TicketDraft | None:
    policy.check_authenticated(ctx.viewer)
    return await found(ctx, TicketDraft, draft_id)


def list_drafts(ctx: Context, args: PageArgs) -> LazyPage[TicketDraft]:
    """The viewer's own, the one last saved first (S30); none for nobody."""
    return listing(ctx, TicketDraft.shown_to(ctx.viewer), LATEST_FIRST, args)


@unit_of_work
async def save_draft(
    work: Work, ctx: Context, form: DraftForm, *, draft_id: UUID | None = None, origin: DraftOrigin
) -> TicketDraft:
    """Keep a form, as a new draft or in place of what the draft of that id said before; saving again changes nothing.

    Raises:
        NotFound: no such draft of the viewer's, or something chosen does not exist for the viewer.
        Invalid: a text cannot be stored.
        TooManyFiles, RateLimited: more files than a message has, or more drafts than a person needs.

    Source: S29, S30.
    """
    if origin is DraftOrigin.TECHNICAL_FAILURE:
        raise Invalid("Only the desk itself says that something failed.", field=("origin",))
    draft = await _to_be_saved(work, ctx, draft_id)
    draft.origin, draft.failure_reason, draft.updated_at = origin, None, work.now
    subject, description = form.subject or "", form.description or ""
    draft.subject = line(subject, field="subject") if subject.strip() else None
    draft.description = text(description, field="description") if description.strip() else None
    draft.request_type_id = await _type_id(form.request_type_key)
    if form.request_type_key and draft.request_type_id is None:
        raise NotFound("request type", field=("requestTypeKey",))
    for model, name, column in CHOICES:
        key = getattr(form, column)
        await _check_seen(ctx, model, [key] if key else [], name)
        setattr(draft, column, key)
    draft.more = await changed(ctx, draft.more, form.extras)
    if len(form.device_ids) > MOST_DEVICES:
        raise Invalid("At most {limit} devices.", field=("deviceIds",), limit=MOST_DEVICES)
    devices = await _check_seen(ctx, Device, form.device_ids, "deviceIds")
    return await _store(ctx, draft, devices, form.attachment_ids)


@unit_of_work
async def discard_draft(work: Work, ctx: Context, draft_id: UUID) -> UUID:
    """Delete a draft and its files.

    Raises:
        NotFound: the viewer has no such draft.
    """
    draft = await _lock(ctx, draft_id)
    await Attachment.filter(draft_id=draft.id).update(deleted_at=work.now)
    await draft.delete()
    return draft.id


async def submit_draft(ctx: Context, draft_id: UUID) -> Opened:
    """Open the ticket that a draft describes; the draft goes in the same step, or stays if the ticket is refused.

    Submitting again, when the first answer was lost, gives the ticket of the first time.

    Raises:
        NotFound: the viewer has no such draft.
        Required: the organization or the kind of request is not chosen yet.
        And what `resolvers.ticket_creation.create_ticket` raises.
    """
    policy.check_authenticated(ctx.viewer)
    draft = await TicketDraft.get_or_none(id=draft_id, author_id=ctx.user_id).prefetch_related("devices")
    if draft is None:
        opened = await opened_with(ctx, _key(draft_id), field="draftId")
        if opened is None:
            raise NotFound("draft", field=("draftId",))
        return Opened(ticket=opened)
    return await open_ticket(ctx, await _described(draft))


async def open_ticket(ctx: Context, new: NewTicket) -> Opened:
    """Open a ticket; what fails for a fault of ours is kept as a draft with everything that was said, and its files,
    unless the ticket is there all the same.

    Raises:
        NotFound: `new.draft_id` is no draft of the viewer's.
        And what `resolvers.ticket_creation.create_ticket` raises: a refusal is the person's to mend, and keeps nothing.

    Source: S30.
    """
    try:
        return Opened(ticket=await _open(ctx, new))
    except DomainError:
        raise
    except Exception:
        # The fault may have come after the commit: then it is there, and a draft would open it twice.
        opened = await opened_with(ctx, new.client_mutation_id) if new.client_mutation_id else None
        logger.exception("opening a ticket failed; it is kept as a %s", "ticket" if opened else "draft")
        return Opened(ticket=opened) if opened else Opened(draft=await _keep(ctx, new))


@unit_of_work
async def _open(work: Work, ctx: Context, new: NewTicket) -> Ticket:
    draft = await _own(ctx, new.draft_id) if new.draft_id else None
    key = new.client_mutation_id
    if new.draft_id and draft is None and not (key and await opened_with(ctx, key)):
        raise NotFound("draft", field=("draftId",))
    ticket = await create_ticket(ctx, new)
    if draft:
        await Attachment.filter(draft_id=draft.id).update(deleted_at=work.now)
        await draft.delete()
    if new.client_mutation_id:
        await TicketDraft.filter(author_id=ctx.user_id, client_mutation_id=new.client_mutation_id).delete()
    return ticket


@unit_of_work
async def _keep(work: Work, ctx: Context, new: NewTicket) -> TicketDraft:
    """The draft of a ticket that could not be opened. What of it cannot be kept is left out rather than all lost."""
    draft = await _of_failure(work, ctx, new)
    draft.origin, draft.failure_reason, draft.updated_at = DraftOrigin.TECHNICAL_FAILURE, FAILED, work.now
    draft.client_mutation_id = new.client_mutation_id
    draft.subject, draft.description = _kept(line, new.subject), _kept(text, new.description)
    draft.request_type_id = await _type_id(new.request_type_key)
    for model, _, column in CHOICES:
        key = getattr(new, column)
        setattr(draft, column, key if key and await _seen(ctx, model, [key]) else None)
    draft.more = extras_of(new)
    files = await Attachment.filter(id__in=new.attachment_ids, uploaded_by_id=ctx.user_id, message_id=None)
    return await _store(ctx, draft, await _seen(ctx, Device, new.device_ids), [file.id for file in files])


CHOICES: tuple[tuple[type[BaseModel], str, str], ...] = (
    (Organization, "organizationId", "organization_id"),
    (Product, "productId", "product_id"),
    (ProductVersion, "productVersionId", "product_version_id"),
    (ProductUpdate, "productUpdateId", "product_update_id"),
    (Classification, "classificationId", "classification_id"),
    (IssueType, "issueTypeId", "issue_type_id"),
    (ServiceCertificate, "certificateId", "certificate_id"),
    (Space, "spaceId", "space_id"),
)
"""What a draft refers to: the table, the argument and the column."""


async def _to_be_saved(work: Work, ctx: Context, draft_id: UUID | None) -> TicketDraft:
    policy.check_authenticated(ctx.viewer)
    if draft_id is not None:
        return await _lock(ctx, draft_id)
    await User.select_for_update().get(id=ctx.user_id)
    if await TicketDraft.filter(author_id=ctx.user_id).count() >= MOST_DRAFTS:
        raise RateLimited("You have {limit} drafts. Submit or discard some of them first.", limit=MOST_DRAFTS)
    return TicketDraft(author_id=ctx.user_id, created_at=work.now)


async def _of_failure(work: Work, ctx: Context, new: NewTicket) -> TicketDraft:
    """The draft that was being submitted, the one of an earlier try, or a new one."""
    draft = await _own(ctx, new.draft_id) if new.draft_id else None
    if draft is None and new.client_mutation_id:
        earlier = TicketDraft.filter(author_id=ctx.user_id, client_mutation_id=new.client_mutation_id)
        draft = await earlier.select_for_update().first()
    return draft or TicketDraft(author_id=ctx.user_id, created_at=work.now)


async def _lock(ctx: Context, draft_id: UUID) -> TicketDraft:
    policy.check_authenticated(ctx.viewer)
    draft = await _own(ctx, draft_id)
    if draft is None:
        raise NotFound("draft", field=("draftId",))
    return draft


async def _own(ctx: Context, draft_id: UUID) -> TicketDraft | None:
    return await TicketDraft.select_for_update().get_or_none(id=draft_id, author_id=ctx.user_id)


async def _store(
    ctx: Context, draft: TicketDraft, devices: Sequence[BaseModel], attachment_ids: Sequence[UUID]
) -> TicketDraft:
    await draft.save()
    await draft.devices.clear()
    await draft.devices.add(*devices)  # type: ignore[arg-type]
    await keep_in_draft(ctx, draft.id, attachment_ids)
    return draft


async def _described(draft: TicketDraft) -> NewTicket:
    """The ticket that a draft describes.

    Raises:
        Required: the organization or the kind of request is missing: without them nothing can be asked of the rest.
    """
    if draft.organization_id is None:
        raise Required("Choose the organization.", field=("organizationId",))
    if draft.request_type_id is None:
        raise Required("Choose what kind of request it is.", field=("requestTypeKey",))
    chosen = {column: getattr(draft, column) for _, _, column in CHOICES}
    new = NewTicket(
        **chosen,
        request_type_key=(await RequestType.get(id=draft.request_type_id)).key,
        subject=draft.subject or "",
        description=draft.description or "",
        device_ids=tuple(each.id for each in draft.devices),
        attachment_ids=tuple(
            each.id for each in await Attachment.filter(draft_id=draft.id).order_by("created_at", "id")
        ),
        client_mutation_id=draft.client_mutation_id or _key(draft.id),
        draft_id=draft.id,
    )
    return replace(new, **all_told(draft.more))


async def _type_id(key: str | None) -> UUID | None:
    found = await RequestType.get_or_none(key=quoted(key) or "") if key else None
    return found.id if found else None


async def _check_seen(ctx: Context, model: type[BaseModel], ids: Sequence[UUID], field: str) -> list[BaseModel]:
    rows = await _seen(ctx, model, ids)
    if len(rows) < len(set(ids)):
        raise NotFound(field.removesuffix("Ids").removesuffix("Id"), field=(field,))
    return rows


async def _seen(ctx: Context, model: type[BaseModel], ids: Sequence[UUID]) -> list[BaseModel]:
    return list(await model.filter(model.seen_by(ctx.viewer), id__in=list(ids))) if ids else []


def _key(draft_id: UUID) -> str:
    return f"draft:{draft_id}"


def _kept(read: Any, given: str) -> str | None:
    try:
        kept: str = read(given, field="draft")
    except DomainError:
        return None
    return kept
