"""Rooms, desks, devices and what covers them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from tortoise.expressions import Q

from domain import policy
from domain.coverage import Coverage, coverage_on
from domain.enums import ServiceLevel
from domain.naming import line, quoted
from domain.policy import Viewer
from engine.keyset import LazyPage, Order, PageArgs
from models import Device, ServiceLicense, Space, SpaceKind, Ticket
from resolvers.context import Context
from resolvers.reading import children, found, listing
from resolvers.ticket_filters import TicketFilter, condition

LONGEST_SEARCH = 200


@dataclass(frozen=True, slots=True)
class DeviceFilter:
    """Which devices are wanted: what meets everything that is said."""

    serial_number: str | None = None
    space_ids: list[UUID] | None = None
    product_ids: list[UUID] | None = None
    text: str | None = None


def device_condition(viewer: Viewer, organization_id: UUID, filter: DeviceFilter) -> Q:
    """The filter as SQL, for devices of an organization. What is foreign finds nothing.

    Raises:
        Forbidden: the viewer's role there does not show serial numbers, so none can be looked for.
        Invalid: a text is too long, or cannot be stored.
    """
    numbered = Q()
    if filter.serial_number is not None:
        facts = policy.OrganizationFacts(organization_id)
        policy.check(viewer, policy.SEE_SERIAL_NUMBER, facts, "Your role in this organization does not show devices.")
        numbered = Q(serial_number=quoted(filter.serial_number) or "")
    return numbered & open_condition(filter)


def open_condition(filter: DeviceFilter) -> Q:
    """What of the filter is the same whoever asks, wherever: everything but the serial number.

    Raises:
        Invalid: a text is too long, or cannot be stored.
    """
    wanted: list[Q] = []
    if filter.space_ids is not None:
        wanted.append(Q(space_id__in=filter.space_ids))
    if filter.product_ids is not None:
        wanted.append(Q(product_id__in=filter.product_ids))
    if filter.text and filter.text.strip():
        wanted.append(Q(name__icontains=line(filter.text, field="text", limit=LONGEST_SEARCH)))
    return Q(*wanted)


async def get_space(ctx: Context, space_id: UUID, kind: SpaceKind) -> Space | None:
    policy.check_authenticated(ctx.viewer)
    space = await found(ctx, Space, space_id)
    return space if space and space.kind is kind else None


async def get_device(ctx: Context, device_id: UUID) -> Device | None:
    policy.check_authenticated(ctx.viewer)
    return await found(ctx, Device, device_id)


async def get_device_by_serial_number(ctx: Context, organization_id: UUID, serial_number: str) -> Device | None:
    """The organization's device with that number, as printed on it; upper and lower case alike (S27).

    Raises:
        NotFound: the organization is not one of the viewer's.
        Forbidden: the viewer's role there does not show serial numbers.
    """
    policy.check_authenticated(ctx.viewer)
    policy.check_belongs(ctx.viewer, organization_id)
    facts = policy.OrganizationFacts(organization_id)
    policy.check(ctx.viewer, policy.SEE_SERIAL_NUMBER, facts, "Your role in this organization does not show devices.")
    wanted = quoted(serial_number)
    return await Device.get_or_none(organization_id=organization_id, serial_number=wanted) if wanted else None


async def coverages(ctx: Context, spaces: Sequence[tuple[UUID]]) -> list[Coverage]:
    """What support places have a right to today (S92), by their ids: shown to everybody who sees the place."""
    found: dict[UUID, list[tuple[ServiceLevel, date, date]]] = {space_id: [] for (space_id,) in spaces}
    licences = ServiceLicense.filter(space_id__in=list(found))
    for space_id, *licence in await licences.values_list("space_id", "level", "starts_at", "ends_at"):
        found[space_id].append((licence[0], licence[1], licence[2]))
    today = ctx.now().date()
    return [coverage_on(today, found[space_id]) for (space_id,) in spaces]


def within_days(ctx: Context, days: Sequence[tuple[date, date]]) -> list[bool]:
    """Whether today is one of the days from a first to a last one."""
    today = ctx.now().date()
    return [first <= today <= last for first, last in days]


def tickets_of(
    ctx: Context, organization_id: UUID, args: PageArgs, *, filter: TicketFilter | None, order: Order
) -> LazyPage[Ticket]:
    """The tickets of an organization that the viewer may see; organizations asked together share a statement.

    Raises:
        Invalid: a paging argument or the filter cannot be used.
    """
    return _tickets_below(ctx, "organization_id", organization_id, args, filter, order)


def tickets_in(
    ctx: Context, space_id: UUID, args: PageArgs, *, filter: TicketFilter | None, order: Order
) -> LazyPage[Ticket]:
    """The same of a room or desk (S37, S39)."""
    return _tickets_below(ctx, "space_id", space_id, args, filter, order)


def _tickets_below(
    ctx: Context, by: str, parent_id: UUID, args: PageArgs, filter: TicketFilter | None, order: Order
) -> LazyPage[Ticket]:
    query = Ticket.shown_to(ctx.viewer)
    narrowed = query.filter(condition(filter, ctx.viewer)) if filter else query
    return children(ctx, narrowed, by, parent_id, order, args, variant=repr(filter))


def tickets_about(
    ctx: Context, device_id: UUID, args: PageArgs, *, filter: TicketFilter | None, order: Order
) -> LazyPage[Ticket]:
    """The tickets of a device that the viewer may see (S37, S39).

    Raises:
        Invalid: a paging argument or the filter cannot be used.
    """
    about = TicketFilter(device_ids=[device_id], all_of=[filter] if filter else None)
    return listing(ctx, Ticket.shown_to(ctx.viewer).filter(condition(about, ctx.viewer)), order, args)
