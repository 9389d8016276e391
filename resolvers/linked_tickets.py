"""Tickets opened from others: how one goes on after a ticket is closed."""

from typing import Any
from uuid import UUID

from tortoise.expressions import Q

from domain import actions, entitlement, linking
from domain.enums import TicketLinkKind
from domain.errors import IdempotencyMismatch
from domain.naming import line, text
from models import RequestType, ServiceCertificate, Ticket, TicketLink, User
from resolvers.context import Context
from resolvers.link_events import link_and_tell, people_on
from resolvers.reading import whole_rows
from resolvers.ticket_creation import enter, opened_with
from resolvers.tickets import ask, lock_ticket
from resolvers.transaction import Work, unit_of_work

TAKEN_OVER = (
    *("organization_id", "on_behalf_of_id", "project_id", "request_type_id", "classification_id", "issue_type_id"),
    *("product_id", "product_version_id", "product_update_id", "certificate_id", "space_id"),
    *("language", "channel", "priority", "severity", "confidentiality"),
)
"""What a new ticket has from the one it is opened from: whose it is, what it is about, and who may see it."""


@unit_of_work
async def create_linked_ticket(
    work: Work,
    ctx: Context,
    source_id: UUID,
    *,
    kind: TicketLinkKind,
    body: str,
    subject: str | None = None,
    attachment_ids: tuple[UUID, ...] = (),
    client_mutation_id: str | None = None,
) -> TicketLink:
    """Open a ticket that goes on from another, in whatever status that is. The link leads from the new one to it.

    Whoever was on the other is on the new one, so nobody on it is told of a ticket that is not there for them. A
    customer becomes its requester; what support opens stays the request of whose the other was. A certificate that has
    ended is not taken over.

    The same `client_mutation_id` by the same person returns the link of the first time and announces nothing.

    Raises:
        NotFound, Forbidden: as for every change of a ticket.
        CertificateRequired, CertificateInactive: its organization may not ask for this today (S18).
        Required, Invalid, TooManyFiles, Conflict: the text cannot be stored, or the files not be attached.
        IdempotencyMismatch: the `client_mutation_id` was used before for another ticket.

    Source: S69, S70, S32.
    """
    source, facts = await lock_ticket(ctx, source_id, field="sourceTicketId")
    actions.check(actions.create_linked, await ask(work, ctx, source, facts))
    if kind is TicketLinkKind.MERGED_INTO:
        linking.check_may_be_linked(kind)
    said = text(body, field="body")
    earlier = await _opened_before(ctx, source, said, client_mutation_id)
    if earlier:
        return earlier
    certificate_id = await _certificate_today(work, source)
    requester_id = source.requester_id if ctx.viewer.is_staff else ctx.user_id
    columns = {name: getattr(source, name) for name in TAKEN_OVER} | {
        "subject": line(subject, field="subject") if subject and not subject.isspace() else source.subject,
        "description": said,
        "certificate_id": certificate_id,
        "quotes_id": source.id,
        "client_mutation_id": client_mutation_id,
        "requester_id": requester_id,
        "owner_id": requester_id,
    }
    opened = await enter(
        work,
        ctx,
        columns,
        people=await people_on(source),
        device_ids=[each.id for each in await source.devices.all()],
        attachment_ids=attachment_ids,
    )
    link = await link_and_tell(work, ctx, opened, source, kind)
    await opened.save()
    await source.save()
    return link


async def links_of(
    ctx: Context, ticket_ids: list[UUID], kinds: tuple[TicketLinkKind, ...] | None = None
) -> list[list[TicketLink]]:
    """For each ticket, the links to and from tickets that the viewer may see, of these kinds, first one first."""
    wanted = {} if kinds is None else {"kind__in": list(kinds)}
    links = await _links(ctx, ticket_ids, "source_id", "target_id", **wanted)
    return [[each for each in links if here in (each.source_id, each.target_id)] for here in ticket_ids]


async def merged_into(ctx: Context, rows: list[tuple[UUID]]) -> list[Ticket | None]:
    """For each (ticket id,), the ticket that it was merged into, if the viewer may see it."""
    return await _targets(ctx, rows, TicketLinkKind.MERGED_INTO)


async def follow_up_of(ctx: Context, rows: list[tuple[UUID]]) -> list[Ticket | None]:
    """For each (ticket id,), the ticket that it goes on from, if the viewer may see it."""
    return await _targets(ctx, rows, TicketLinkKind.FOLLOW_UP_OF)


async def follow_ups(ctx: Context, rows: list[tuple[UUID]]) -> list[list[Ticket]]:
    """For each (ticket id,), the tickets that go on from it and that the viewer may see, first one first."""
    links = await _links(ctx, [ticket_id for (ticket_id,) in rows], "target_id", kind=TicketLinkKind.FOLLOW_UP_OF)
    later = await whole_rows(ctx, Ticket, [each.source_id for each in links])
    pairs = list(zip(links, later, strict=True))
    return [[ticket for link, ticket in pairs if link.target_id == ticket_id] for (ticket_id,) in rows]


async def _targets(ctx: Context, rows: list[tuple[UUID]], kind: TicketLinkKind) -> list[Ticket | None]:
    """For each (ticket id,), what its first link of this kind leads to."""
    links = await _links(ctx, [ticket_id for (ticket_id,) in rows], "source_id", kind=kind)
    tickets = await whole_rows(ctx, Ticket, [each.target_id for each in links])
    found: dict[UUID, Ticket] = {}
    for link, ticket in zip(links, tickets, strict=True):
        found.setdefault(link.source_id, ticket)
    return [found.get(ticket_id) for (ticket_id,) in rows]


async def _links(ctx: Context, ticket_ids: list[UUID], *sides: str, **where: Any) -> list[TicketLink]:
    asked: list[Any] = [{f"{side}__in": ticket_ids} for side in sides]
    here = Q(*(Q(**each) for each in asked), join_type=Q.OR)
    return await TicketLink.shown_to(ctx.viewer).filter(here, **where).order_by("created_at", "id")


async def _certificate_today(work: Work, source: Ticket) -> UUID | None:
    """What entitles to the same today, where the other ticket names a certificate. What comes from an earlier system
    has no request type, and nothing to be entitled to.

    Raises:
        CertificateRequired, CertificateInactive: the organization may not ask for this any more (S18).
    """
    request_type = await RequestType.get_or_none(id=source.request_type_id) if source.request_type_id else None
    if request_type is None:
        return source.certificate_id
    required, day = request_type.required_certificate_kind, work.now.date()
    rows = await ServiceCertificate.filter(organization_id=source.organization_id).prefetch_related("products")
    held = {each.id: each.terms(frozenset(product.id for product in each.products)) for each in rows}
    entitlement.check_available(required, list(held.values()), day)
    earlier = held.get(source.certificate_id) if source.certificate_id else None
    if earlier is None:
        return None
    chosen = entitlement.to_go_on_with(earlier, required, held.values(), product_id=source.product_id, day=day)
    return next((each_id for each_id, each in held.items() if each == chosen), None)


async def _opened_before(ctx: Context, source: Ticket, body: str, key: str | None) -> TicketLink | None:
    if key is None:
        return None
    line(key, field="clientMutationId", limit=100)
    # One person opens one ticket at a time: so the second try of the same one finds the first.
    await User.select_for_update().get(id=ctx.user_id)
    earlier = await opened_with(ctx, key)
    if earlier is None:
        return None
    link = await TicketLink.get_or_none(source_id=earlier.id, target_id=source.id).prefetch_related("source", "target")
    if link is None or earlier.description != body:
        raise IdempotencyMismatch(
            "You opened another ticket with this clientMutationId. Give every new ticket an id of its own.",
            field=("clientMutationId",),
        )
    return link
