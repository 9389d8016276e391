"""Opening a ticket."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain import policy
from domain.enums import (
    Confidentiality,
    MessageSource,
    ParticipantRole,
    ServiceLevel,
    TicketChannel,
    TicketPriority,
    TicketSeverity,
)
from domain.errors import Forbidden, IdempotencyMismatch, Invalid, NotFound
from domain.naming import line, locale, quoted, subject_of, text, ticket_reference
from models import (
    Classification,
    Device,
    IssueType,
    Organization,
    Participant,
    Product,
    ProductUpdate,
    ProductVersion,
    RequestType,
    ServiceCertificate,
    Space,
    Ticket,
    User,
)
from models.base import BaseModel
from resolvers.context import Context
from resolvers.conversation import Saying, say
from resolvers.counters import next_number
from resolvers.entitlements import check_entitled
from resolvers.inventory import coverages
from resolvers.streams import TICKET_CREATED, streams_of
from resolvers.transaction import Work, unit_of_work


@dataclass(frozen=True, slots=True)
class NewTicket:
    """What a ticket is opened with; the ids are checked against the organization they must belong to."""

    organization_id: UUID
    request_type_key: str
    subject: str
    description: str
    channel: TicketChannel = TicketChannel.PORTAL
    language: str | None = None
    priority: TicketPriority = TicketPriority.NORMAL
    severity: TicketSeverity = TicketSeverity.UNKNOWN
    confidentiality: Confidentiality | None = None
    project_id: UUID | None = None
    on_behalf_of_id: UUID | None = None
    classification_id: UUID | None = None
    issue_type_id: UUID | None = None
    product_id: UUID | None = None
    product_version_id: UUID | None = None
    product_update_id: UUID | None = None
    certificate_id: UUID | None = None
    space_id: UUID | None = None
    device_ids: tuple[UUID, ...] = ()
    attachment_ids: tuple[UUID, ...] = ()
    quotes_id: UUID | None = None
    draft_id: UUID | None = None
    client_mutation_id: str | None = None


@unit_of_work
async def create_ticket(work: Work, ctx: Context, new: NewTicket) -> Ticket:
    """Open a ticket in an organization; its description is the first message of its conversation (S58).

    The same `client_mutation_id` by the same person returns the ticket of the first time and announces nothing.
    What support opens for an organization has no requester until one is set.

    Raises:
        NotFound: no such organization, request type, product, room, desk or device for this organization.
        Forbidden: the viewer's role is READ_ONLY (S15), or the organization is no partner of the other (S08).
        Required, Invalid: something is missing or cannot be stored, or two choices contradict each other.
        CertificateRequired, CertificateInactive: the organization is not entitled to this today (S18, S19, S20).
        TooManyFiles, Conflict: its files cannot be attached.
        IdempotencyMismatch: the `client_mutation_id` was used before for another ticket.
        NotFound: it was used for one that the viewer may no longer see.

    Source: S16, S19, S20, S22, S23, S25, S27, S28, S31, S32, S33.
    """
    policy.check_authenticated(ctx.viewer)
    organization = await _organization(ctx, new.organization_id)
    policy.check(
        ctx.viewer,
        policy.CREATE_TICKET,
        organization.facts(),
        "Your role in this organization only lets you read.",
    )
    # One person opens one ticket at a time: so the second try of the same one finds the first.
    user = await User.select_for_update().get(id=ctx.user_id)
    subject = subject_of(new.channel, new.subject, username=user.username, language=ctx.viewer.language)
    earlier = await _opened_before(ctx, new, subject)
    if earlier:
        return earlier
    request_type = await _request_type(new)
    await _check_partner(ctx, new, organization)
    await _check_choices(new, organization, request_type)
    await check_entitled(ctx, request_type, new)
    await _check_quoted(ctx, new)
    columns = {
        **_columns(new, request_type),
        "subject": subject,
        "description": text(new.description, field="description"),
        "requester_id": _requester(ctx, new),
        "owner_id": _requester(ctx, new),
    }
    return await enter(work, ctx, columns, device_ids=new.device_ids, attachment_ids=new.attachment_ids)


async def enter(
    work: Work,
    ctx: Context,
    columns: dict[str, Any],
    *,
    people: Sequence[UUID] = (),
    device_ids: Sequence[UUID] = (),
    attachment_ids: tuple[UUID, ...] = (),
    is_said: bool = True,
) -> Ticket:
    """Number, store and announce a new ticket whose `columns` have been checked.

    `people` take part in it from the beginning, besides its requester. Its description is its first message, unless
    whoever calls puts there what was said (`is_said`).
    """
    number = await next_number("ticket")
    ticket = await Ticket.create(
        number=number,
        reference=ticket_reference(number),
        **columns,
        service_level=await _service_level(ctx, columns.get("space_id")),
        opened_by_id=ctx.user_id,
        created_at=work.now,
        updated_at=work.now,
        last_activity_at=work.now,
        status_changed_at=work.now,
    )
    await _put_people(work, ctx, ticket, people)
    if device_ids:
        await ticket.devices.add(*await Device.filter(id__in=device_ids))
    work.emit(streams_of(ticket.id), TICKET_CREATED, {"fields": []}, key=f"ticket:{ticket.id}")
    if is_said:
        await say(work, ctx, ticket, _first_message(ticket, attachment_ids))
    await ticket.save()
    return ticket


async def _service_level(ctx: Context, space_id: UUID | None) -> ServiceLevel:
    """The plan that covers the room or desk today: the ticket keeps it, whatever becomes of the plan (S90, S92)."""
    space = await Space.get_or_none(id=space_id) if space_id else None
    return (await coverages(ctx, [(space.id,)]))[0].level if space else ServiceLevel.BASIC


def _first_message(ticket: Ticket, attachment_ids: tuple[UUID, ...]) -> Saying:
    return Saying(
        body=ticket.description,
        source=_source(ticket.channel),
        language=ticket.language,
        attachment_ids=attachment_ids,
    )


def _requester(ctx: Context, new: NewTicket) -> UUID | None:
    return ctx.user_id if ctx.viewer.membership_in(new.organization_id) else None


def _source(channel: TicketChannel) -> MessageSource:
    return MessageSource.API if channel is TicketChannel.API else MessageSource.PORTAL


def _columns(new: NewTicket, request_type: RequestType) -> dict[str, Any]:
    return {
        "organization_id": new.organization_id,
        "on_behalf_of_id": new.on_behalf_of_id,
        "request_type_id": request_type.id,
        "project_id": request_type.project_id,
        "classification_id": new.classification_id,
        "issue_type_id": new.issue_type_id,
        "product_id": new.product_id,
        "product_version_id": new.product_version_id,
        "product_update_id": new.product_update_id,
        "certificate_id": new.certificate_id,
        "space_id": new.space_id,
        "quotes_id": new.quotes_id,
        "language": locale(new.language) if new.language is not None else None,
        "channel": new.channel,
        "priority": new.priority,
        "severity": new.severity,
        "confidentiality": new.confidentiality or request_type.default_confidentiality,
        "client_mutation_id": new.client_mutation_id,
    }


async def _request_type(new: NewTicket) -> RequestType:
    found = await RequestType.get_or_none(key=quoted(new.request_type_key) or "")
    if found is None:
        raise NotFound("request type", field=("requestTypeKey",))
    if new.project_id not in (None, found.project_id):
        raise NotFound("request type in this project", field=("projectId",))
    return found


async def _check_quoted(ctx: Context, new: NewTicket) -> None:
    """A quoted ticket is one that the viewer may read (S32, S07)."""
    if new.quotes_id and not await Ticket.visible_to(ctx.viewer).filter(id=new.quotes_id).exists():
        raise NotFound("ticket", field=("referencesTicketId",))


async def _organization(ctx: Context, organization_id: UUID) -> Organization:
    organization = await Organization.get_or_none(Organization.seen_by(ctx.viewer), id=organization_id)
    if organization is None:
        raise NotFound("organization", field=("organizationId",))
    return organization


async def _opened_before(ctx: Context, new: NewTicket, subject: str) -> Ticket | None:
    if new.client_mutation_id is None:
        return None
    line(new.client_mutation_id, field="clientMutationId", limit=100)
    earlier = await opened_with(ctx, new.client_mutation_id)
    given = (new.organization_id, subject, text(new.description, field="description"))
    if earlier and (earlier.organization_id, earlier.subject, earlier.description) != given:
        raise IdempotencyMismatch(
            "You opened another ticket with this clientMutationId. Give every new ticket an id of its own.",
            field=("clientMutationId",),
        )
    return earlier


async def opened_with(ctx: Context, key: str, *, field: str = "clientMutationId") -> Ticket | None:
    """The ticket that the viewer opened with this `client_mutation_id`, if there is one: for who tries again.

    What a regulation alone withholds is given once more: the first answer may have been lost (S11, S25).

    Raises:
        NotFound: it is no longer the viewer's to see (S07, J3).
    """
    earlier = await Ticket.get_or_none(opened_by_id=ctx.user_id, client_mutation_id=key)
    seen = Ticket.visible_to(policy.as_if_history_were_available(ctx.viewer))
    if earlier and not await seen.filter(id=earlier.id).exists():
        raise NotFound("ticket", field=(field,))
    return earlier


async def _put_people(work: Work, ctx: Context, ticket: Ticket, people: Sequence[UUID]) -> None:
    if ticket.requester_id:
        await Participant.create(
            ticket_id=ticket.id,
            user_id=ticket.requester_id,
            added_by_id=ticket.requester_id,
            role=ParticipantRole.SUBMITTER,
            added_at=work.now,
        )
    for user_id in dict.fromkeys(people):
        if user_id != ticket.requester_id:
            await Participant.create(
                ticket_id=ticket.id,
                user_id=user_id,
                added_by_id=ctx.user_id,
                role=ParticipantRole.PARTICIPANT,
                added_at=work.now,
            )


async def _check_partner(ctx: Context, new: NewTicket, organization: Organization) -> None:
    """An organization is a partner by having customers, and files for those alone (S08).

    Raises:
        Forbidden: it is no partner.
        NotFound: the other is no customer of it.
    """
    if new.on_behalf_of_id is None:
        return
    if not await Organization.filter(partner_id=organization.id).exists():
        raise Forbidden("Only a partner files for other organizations.", field=("onBehalfOfOrganizationId",))
    customer = {"partner_id": organization.id}
    await _check(Organization, new.on_behalf_of_id, "customer organization", "onBehalfOfOrganizationId", **customer)


async def _check_choices(new: NewTicket, organization: Organization, request_type: RequestType) -> None:
    """
    Raises:
        NotFound: a chosen thing does not exist for this organization, request type or product.
        Invalid: a version without its product, or an update without its version.
    """
    here = {"organization_id": organization.id}
    asked = {"request_type_id": request_type.id}
    if new.product_version_id and not new.product_id:
        raise Invalid("Choose the product of this version.", field=("productId",))
    if new.product_update_id and not new.product_version_id:
        raise Invalid("Choose the version of this update.", field=("productVersionId",))
    await _check(Classification, new.classification_id, "classification", "classificationId", **asked)
    await _check(IssueType, new.issue_type_id, "issue type", "issueTypeId", **asked)
    await _check(Product, new.product_id, "product", "productId")
    await _check(ProductVersion, new.product_version_id, "version", "productVersionId", product_id=new.product_id)
    await _check(ProductUpdate, new.product_update_id, "update", "productUpdateId", version_id=new.product_version_id)
    await _check(ServiceCertificate, new.certificate_id, "certificate", "certificateId", **here)
    await _check(Space, new.space_id, "room or desk", "spaceId", **here)
    for device_id in new.device_ids:
        in_space = {"space_id": new.space_id} if new.space_id else {}
        await _check(Device, device_id, "device", "deviceIds", **here, **in_space)


async def _check(model: type[BaseModel], row_id: UUID | None, what: str, field: str, **must: object) -> None:
    if row_id is not None and not await model.filter(id=row_id, **must).exists():
        raise NotFound(what, field=(field,))
