"""Lists of tickets: which ones, narrowed how, in what order."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from domain import policy
from domain.enums import ACTIVE_STATUSES, TicketListScope, TicketStatus
from domain.errors import Forbidden, Required
from engine.keyset import LazyPage, Order, PageArgs
from models import Ticket
from models.followers import followed_by
from models.tickets import RANKED, taking_part
from resolvers.context import Context
from resolvers.history import check_history_of
from resolvers.reading import listing
from resolvers.ticket_filters import TicketFilter, condition

ORDERS = {
    "LAST_ACTIVITY_AT": Order("tickets by activity", "last_activity_at"),
    "CREATED_AT": Order("tickets by creation", "created_at"),
    "UPDATED_AT": Order("tickets by update", "updated_at"),
    "REFERENCE": Order("tickets by reference", "number", kind="bigint"),
    "STATUS": Order("tickets by status", "sort_status", kind="int"),
    "PRIORITY": Order("tickets by priority", "sort_priority", kind="int"),
    "SERVICE_LEVEL": Order("tickets by service level", "sort_service_level", kind="int"),
    "ISSUE_TYPE": Order("tickets by issue type", "sort_issue_type", kind="text"),
    "REQUESTER_NAME": Order("tickets by requester", "sort_requester", kind="text"),
}

DEFAULT_ORDER = ORDERS["LAST_ACTIVITY_AT"].flipped()


def list_tickets(
    ctx: Context,
    args: PageArgs,
    *,
    scope: TicketListScope = TicketListScope.MINE,
    organization_id: UUID | None = None,
    filter: TicketFilter | None = None,
    order: Order = DEFAULT_ORDER,
) -> LazyPage[Ticket]:
    """A page of the tickets of a scope.

    Raises:
        Unauthenticated: nobody is signed in.
        Required: the scope needs an organization.
        NotFound: it is not one of the viewer's.
        HistoryUnavailable: a regulation forbids to show its tickets, or those of all of the viewer's organizations.
        Forbidden: the viewer's role does not open this list.
        Invalid: a paging argument cannot be used.

    Source: S01, S02, S03, S10, S11, S14, S36, S72, S83.
    """
    policy.check_authenticated(ctx.viewer)
    query = in_scope(ctx, scope, organization_id)
    if filter is not None:
        query = query.filter(condition(filter, ctx.viewer), within_ranks(filter, order))
    return listing(ctx, query, order, args)


def within_ranks(wanted: TicketFilter, order: Order) -> Q:
    """The part of a list that is ordered by what it is filtered by: the rest would be walked through in vain.

    It asks nothing that the filter does not ask. Where something else is asked too, few may have it: SQLite would take
    this for the narrower condition.
    """
    if replace(wanted, statuses=None, is_active=None, priorities=None, service_levels=None) != TicketFilter():
        return Q()
    asked: dict[str, list[str] | None] = {
        "sort_status": [*wanted.statuses] if wanted.statuses is not None else None,
        "sort_priority": [*wanted.priorities] if wanted.priorities is not None else None,
        "sort_service_level": [*wanted.service_levels] if wanted.service_levels is not None else None,
    }
    if wanted.statuses is None and wanted.is_active is not None:
        asked["sort_status"] = [each for each in TicketStatus if (each in ACTIVE_STATUSES) is wanted.is_active]
    among = asked.get(order.column)
    if not among:
        return Q()
    ranks = [RANKED[order.column].index(each) + 1 for each in among]
    return Q(**_bounds(order.column, min(ranks), max(ranks)))


def _bounds(column: str, least: int, most: int) -> dict[str, Any]:
    """None where there is nothing beyond: SQLite takes each for a narrow one, and would prefer it to a better way."""
    if least == most:
        return {column: least}
    lower = {f"{column}__gte": least} if least > 1 else {}
    return lower | ({f"{column}__lte": most} if most < len(RANKED[column]) else {})


def in_scope(ctx: Context, scope: TicketListScope, organization_id: UUID | None) -> QuerySet[Ticket]:
    """The visible tickets of a scope; see `list_tickets`."""
    viewer = ctx.viewer
    if organization_id is not None:
        policy.check_belongs(viewer, organization_id)
    check_history_of(viewer, organization_id)
    query = Ticket.shown_to(viewer)
    if organization_id is not None:
        query = query.filter(organization_id=organization_id)
    match scope:
        case TicketListScope.MINE:
            return query.filter(requester_id=viewer.user_id)
        case TicketListScope.FOLLOWING:
            return query.filter(id__in=followed_by([ctx.user_id]))
        case TicketListScope.SHARED_WITH_ME:
            others = Q(requester_id__isnull=True) | ~Q(requester_id=ctx.user_id)
            return query.filter(others, id__in=taking_part(ctx.user_id))
        case TicketListScope.ORGANIZATION | TicketListScope.UNCLAIMED:
            if organization_id is None:
                raise Required(
                    "Say which organization: {scope} needs organizationId.", field=("organizationId",), scope=scope
                )
            if scope is TicketListScope.ORGANIZATION:
                _check_sees_organization(ctx, organization_id)
                return query
            facts = policy.OrganizationFacts(organization_id)
            policy.check(viewer, policy.SEE_UNCLAIMED, facts, "Your role in this organization only lets you read.")
            return query.filter(requester_id=None)
        case TicketListScope.ASSIGNED_TO_ME:
            policy.check(viewer, policy.STAFF_ONLY, None, "Only support staff are assigned tickets.")
            return query.filter(assignee_id=viewer.user_id)
        case TicketListScope.ALL:
            return query


def _check_sees_organization(ctx: Context, organization_id: UUID) -> None:
    facts = policy.OrganizationFacts(organization_id)
    if not policy.allows(ctx.viewer, policy.SEE_ORGANIZATION_LIST, facts):
        raise Forbidden("Your role in this organization shows your own requests only.", field=("organizationId",))
