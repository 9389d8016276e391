"""A list of tickets as a table: asking for it, its rows, and whether it may still be handed out."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from tortoise.expressions import Q

from domain import lifecycle, policy
from domain.enums import ExportFormat, JobKind
from domain.errors import Forbidden, Invalid
from domain.exporting import MOST_TICKETS, OF_A_LIST, check_format
from domain.policy import OrganizationFacts, Viewer
from engine.keyset import Order, PageArgs, page
from models import IssueType, Job, Organization, Product, RequestType, Space, Ticket, User
from models.base import BaseModel, nothing
from resolvers.context import Context
from resolvers.exported import at
from resolvers.history import check_history_of
from resolvers.jobs import ask_for
from resolvers.ticket_filters import TicketFilter, condition
from resolvers.ticket_people import usernames_of
from resolvers.transaction import Work, unit_of_work

PAGE = 200
"""Rows that are read at a time."""

OLDEST_FIRST = Order("exported tickets", "created_at")

COLUMNS = (
    *("reference", "subject", "status", "displayStatus", "priority", "severity", "channel", "organization"),
    *("onBehalfOf", "requester", "owner", "assignee", "usernames", "requestType", "issueType", "product", "space"),
    *("createdAt", "lastActivityAt", "firstRespondedAt", "resolvedAt", "closedAt", "isEscalated"),
)
"""Named as in the API. New ones are put at the end."""

INSTANTS = ("createdAt", "lastActivityAt", "firstRespondedAt", "resolvedAt", "closedAt")
"""Columns that are a point in time, in UTC."""

Row = list[str | bool | None]


@dataclass(slots=True)
class TicketTable:
    """The rows of a table, a page at a time: the ids of their tickets, and a value for each of `COLUMNS`."""

    total: int
    pages: AsyncIterator[tuple[list[UUID], list[Row]]] = field(repr=False)


async def export_tickets(
    ctx: Context, filter: TicketFilter, *, format: ExportFormat, client_mutation_id: str | None = None
) -> Job:
    """Have the tickets that a filter means made into a table: of the organizations that the viewer manages, or of all
    for support.

    Raises:
        Forbidden: the viewer manages no organization.
        HistoryUnavailable: a regulation forbids to show the tickets of all of the viewer's (S11).
        Invalid: a format that is not offered of a list; a filter that cannot be used.
        RateLimited, IdempotencyMismatch: see `resolvers.jobs.ask_for`.
    """
    policy.check_authenticated(ctx.viewer)
    if not policy.conceivable(ctx.viewer, policy.EXPORT_TICKETS):
        raise Forbidden("Those who manage an organization's requests export its list.")
    check_history_of(ctx.viewer, None)
    check_format(format, OF_A_LIST)
    condition(filter, ctx.viewer)
    given = {"format": format.value, "filter": _packed().dump_python(filter, mode="json", exclude_none=True)}
    job = await _ask_for_tickets(ctx, given, client_mutation_id)
    ctx.services.jobs.set()
    return job


@unit_of_work
async def _ask_for_tickets(work: Work, ctx: Context, given: dict[str, Any], client_mutation_id: str | None) -> Job:
    return await ask_for(work, ctx, JobKind.TICKETS_EXPORT, given, client_mutation_id=client_mutation_id)


async def open_ticket_table(ctx: Context, job: Job) -> TicketTable:
    """
    Raises:
        Invalid: it would have too many rows.
    """
    wanted = _packed().validate_python(job.given["filter"])
    rows = Q(exportable_by(ctx.viewer), condition(wanted, ctx.viewer))
    total = await Ticket.filter(rows).count()
    if total > MOST_TICKETS:
        raise Invalid(
            "These are {count} tickets, and a table has at most {most}. Narrow the filter, by `createdAt` for example.",
            field=("filter",),
            count=total,
            most=MOST_TICKETS,
        )
    return TicketTable(total, _pages(ctx, rows))


def exportable_by(viewer: Viewer) -> Q:
    """Visible tickets of the organizations whose requests the viewer manages; all of them for support."""
    if viewer.is_staff:
        return Q()
    managed = [
        each.organization_id
        for each in viewer.memberships
        if policy.allows(viewer, policy.EXPORT_TICKETS, OrganizationFacts(each.organization_id))
    ]
    return Ticket.seen_by(viewer) & Q(organization_id__in=managed) if managed else nothing()


async def are_still_exportable(ctx: Context, ticket_ids: Sequence[UUID]) -> bool:
    """Whether the viewer may still export every one of them."""
    allowed = exportable_by(ctx.viewer)
    for start in range(0, len(ticket_ids), PAGE):
        some = list(ticket_ids[start : start + PAGE])
        if await Ticket.filter(allowed, id__in=some).count() < len(some):
            return False
    return True


async def _pages(ctx: Context, rows: Q) -> AsyncIterator[tuple[list[UUID], list[Row]]]:
    after, more = None, True
    while more:
        found = await page(Ticket.filter(rows), OLDEST_FIRST, PageArgs(first=PAGE, after=after))
        tickets, more = found.rows, found.has_next_page
        if tickets:
            after = found.cursor(tickets[-1])
            yield [each.id for each in tickets], await _table(ctx, tickets)


async def _table(ctx: Context, tickets: Sequence[Ticket]) -> list[Row]:
    places = [each.organization_id for each in tickets] + [each.on_behalf_of_id for each in tickets]
    organizations = await _names(ctx, Organization, places)
    people = await _people(tickets)
    usernames = await usernames_of(ctx, [(each.id, each.requester_id, each.owner_id) for each in tickets])
    kinds = await _names(ctx, RequestType, [each.request_type_id for each in tickets])
    issues = await _names(ctx, IssueType, [each.issue_type_id for each in tickets])
    products = await _names(ctx, Product, [each.product_id for each in tickets])
    spaces = await _names(ctx, Space, [each.space_id for each in tickets])
    return [
        [
            *(ticket.reference, ticket.subject, ticket.status),
            lifecycle.display_status(ticket.status, is_escalated=ticket.is_escalated),
            *(ticket.priority, ticket.severity, ticket.channel),
            *(organizations.get(ticket.organization_id), organizations.get(ticket.on_behalf_of_id)),
            *(people.get(each) for each in (ticket.requester_id, ticket.owner_id, ticket.assignee_id)),
            "; ".join(names),
            *(kinds.get(ticket.request_type_id), issues.get(ticket.issue_type_id)),
            *(products.get(ticket.product_id), spaces.get(ticket.space_id)),
            *(at(ticket.created_at), at(ticket.last_activity_at), at(ticket.first_responded_at)),
            *(at(ticket.resolved_at), at(ticket.closed_at)),
            ticket.is_escalated,
        ]
        for ticket, names in zip(tickets, usernames, strict=True)
    ]


async def _names(ctx: Context, model: type[BaseModel], ids: Sequence[UUID | None]) -> dict[UUID | None, str]:
    wanted = {each for each in ids if each}
    if not wanted:
        return {}
    return dict(await model.filter(model.seen_by(ctx.viewer), id__in=list(wanted)).values_list("id", "name"))


async def _people(tickets: Sequence[Ticket]) -> dict[UUID | None, str]:
    wanted = {who for each in tickets for who in (each.requester_id, each.owner_id, each.assignee_id) if who}
    return dict(await User.filter(id__in=list(wanted)).values_list("id", "display_name"))


@cache
def _packed() -> TypeAdapter[TicketFilter]:
    """Filters as they are kept in a job."""
    return TypeAdapter(TicketFilter)
