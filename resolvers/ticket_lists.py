"""Lists of tickets: which ones, narrowed how, in what order."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise.expressions import Q, Subquery
from tortoise.queryset import QuerySet

from domain import policy
from domain.enums import (
    ACTIVE_STATUSES,
    TicketChannel,
    TicketDisplayStatus,
    TicketListScope,
    TicketPriority,
    TicketStatus,
)
from domain.errors import Forbidden, Invalid, NotFound, Required
from domain.naming import quoted
from engine.keyset import LazyPage, Order, PageArgs
from models import Escalation, RequestType, Ticket
from resolvers.context import Context
from resolvers.reading import listing

ORDERS = {
    "LAST_ACTIVITY_AT": Order("tickets by activity", "last_activity_at"),
    "CREATED_AT": Order("tickets by creation", "created_at"),
    "UPDATED_AT": Order("tickets by update", "updated_at"),
    "REFERENCE": Order("tickets by reference", "number", kind="bigint"),
}

DEFAULT_ORDER = ORDERS["LAST_ACTIVITY_AT"].flipped()


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """Conditions that all have to hold; None asks nothing, an empty list lets nothing through."""

    all_of: "list[TicketFilter] | None" = None
    any_of: "list[TicketFilter] | None" = None
    none_of: "TicketFilter | None" = None
    statuses: list[TicketStatus] | None = None
    display_statuses: list[TicketDisplayStatus] | None = None
    is_active: bool | None = None
    is_escalated: bool | None = None
    channels: list[TicketChannel] | None = None
    priorities: list[TicketPriority] | None = None
    organization_ids: list[UUID] | None = None
    requester_ids: list[UUID] | None = None
    assignee_ids: list[UUID] | None = None
    has_requester: bool | None = None
    space_ids: list[UUID] | None = None
    device_ids: list[UUID] | None = None
    request_type_keys: list[str] | None = None
    product_ids: list[UUID] | None = None
    references: list[str] | None = None
    escalation_references: list[str] | None = None
    created_at: tuple[datetime | None, datetime | None] | None = None
    last_activity_at: tuple[datetime | None, datetime | None] | None = None


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
        Forbidden: the viewer's role does not open this list.
        Invalid: a paging argument cannot be used.

    Source: S01, S02, S03, S10, S14, S36.
    """
    policy.check_authenticated(ctx.viewer)
    query = in_scope(ctx, scope, organization_id)
    if filter is not None:
        query = query.filter(condition(filter))
    return listing(ctx, query, order, args)


def in_scope(ctx: Context, scope: TicketListScope, organization_id: UUID | None) -> QuerySet[Ticket]:
    """The visible tickets of a scope; see `list_tickets`."""
    viewer = ctx.viewer
    if organization_id is not None and not viewer.is_staff and viewer.membership_in(organization_id) is None:
        raise NotFound("organization", field=("organizationId",))
    query = Ticket.shown_to(viewer)
    if organization_id is not None:
        query = query.filter(organization_id=organization_id)
    match scope:
        case TicketListScope.MINE:
            return query.filter(requester_id=viewer.user_id)
        case TicketListScope.ORGANIZATION | TicketListScope.UNCLAIMED:
            if organization_id is None:
                raise Required(f"Say which organization: {scope} needs organizationId.", field=("organizationId",))
            _check_sees_organization(ctx, organization_id)
            return query if scope is TicketListScope.ORGANIZATION else query.filter(requester_id=None)
        case TicketListScope.ASSIGNED_TO_ME:
            policy.check(viewer, policy.STAFF_ONLY, None, "Only support staff are assigned tickets.")
            return query.filter(assignee_id=viewer.user_id)
        case TicketListScope.ALL:
            return query


def condition(wanted: TicketFilter) -> Q:
    """The filter as SQL.

    Raises:
        Invalid: more than 100 values in one list, or filters nested deeper than 5.
    """
    return _condition(wanted, depth=0)


def _check_sees_organization(ctx: Context, organization_id: UUID) -> None:
    facts = policy.OrganizationFacts(organization_id)
    if not policy.allows(ctx.viewer, policy.SEE_ASSOCIATED_USERNAMES, facts):
        raise Forbidden("Your role in this organization shows your own requests only.", field=("organizationId",))


def _condition(wanted: TicketFilter, *, depth: int) -> Q:
    if depth > 5:
        raise Invalid("Filters are nested at most 5 deep.", field=("filter",))
    found = Q()
    for field in fields(wanted):
        value = getattr(wanted, field.name)
        if value is None:
            continue
        if isinstance(value, list) and len(value) > 100:
            raise Invalid("At most 100 values in one list of a filter.", field=("filter",))
        if field.name == "all_of":
            found &= Q(*[_condition(each, depth=depth + 1) for each in value])
        elif field.name == "any_of":
            found &= _any([_condition(each, depth=depth + 1) for each in value])
        elif field.name == "none_of":
            # By id: in SQL the negation of a condition about null is no better met than the condition itself.
            refused = Ticket.filter(_condition(value, depth=depth + 1))
            found &= ~Q(id__in=Subquery(refused.values("id")))
        else:
            found &= _CONDITIONS[field.name](value)
    return found


_NONE = Q(id__in=[])


def _any(conditions: list[Q]) -> Q:
    """At least one of them; one that asks nothing is met by everything, though Tortoise would leave it out."""
    if not conditions:
        return _NONE
    return Q(*conditions, join_type=Q.OR) if all(c.children or c.filters for c in conditions) else Q()


def _among(column: str) -> Callable[[list[Any]], Q]:
    def condition_of(values: list[Any]) -> Q:
        among: dict[str, Any] = {f"{column}__in": values}
        return Q(**among)

    return condition_of


def _between(column: str) -> Callable[[tuple[datetime | None, datetime | None]], Q]:
    def condition_of(span: tuple[datetime | None, datetime | None]) -> Q:
        since, until = span
        bounds: dict[str, Any] = {}
        if since is not None:
            bounds[f"{column}__gte"] = since
        if until is not None:
            bounds[f"{column}__lt"] = until
        return Q(**bounds)

    return condition_of


def _is_active(active: bool) -> Q:
    return Q(status__in=[status for status in TicketStatus if (status in ACTIVE_STATUSES) is active])


def _shows(wanted: list[TicketDisplayStatus]) -> Q:
    """ESCALATED wins over the open states, so each of those means: that status, and no escalation under way."""
    found = _NONE
    for display in wanted:
        if display is TicketDisplayStatus.ESCALATED:
            found |= Q(is_escalated=True, status__in=ACTIVE_STATUSES)
        elif display.value in ACTIVE_STATUSES:
            found |= Q(is_escalated=False, status=display.value)
        else:
            found |= Q(status=display.value)
    return found


_CONDITIONS: dict[str, Callable[[Any], Q]] = {
    "statuses": _among("status"),
    "display_statuses": _shows,
    "is_active": _is_active,
    "is_escalated": lambda value: Q(is_escalated=value),
    "channels": _among("channel"),
    "priorities": _among("priority"),
    "organization_ids": _among("organization_id"),
    "requester_ids": _among("requester_id"),
    "assignee_ids": _among("assignee_id"),
    "has_requester": lambda value: Q(requester_id__isnull=not value),
    "space_ids": _among("space_id"),
    "device_ids": lambda ids: Q(id__in=Subquery(Ticket.filter(devices__id__in=ids).values("id"))),
    "request_type_keys": lambda given: Q(
        request_type_id__in=Subquery(
            RequestType.filter(key__in=[each for each in map(quoted, given) if each]).values("id")
        )
    ),
    "product_ids": _among("product_id"),
    "references": lambda given: Q(reference__in=[each for each in map(quoted, given) if each]),
    "escalation_references": lambda given: Q(
        id__in=Subquery(
            Escalation.filter(reference__in=[each for each in map(quoted, given) if each]).values("ticket_id")
        )
    ),
    "created_at": _between("created_at"),
    "last_activity_at": _between("last_activity_at"),
}
