"""Rooms and desks, the devices in them, products, and the service plans that cover a place."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import strawberry
from strawberry import Info, Parent, lazy

import models
from domain import policy
from domain.coverage import Coverage
from domain.enums import ServiceLevel, TicketChannel
from engine.keyset import Order
from resolvers.context import Context
from resolvers.inventory import coverages, tickets_about, tickets_in, within_days
from resolvers.ticket_lists import DEFAULT_ORDER
from schema.access import guarded
from schema.inputs import TicketFilter, TicketOrder
from schema.node import Node, entity
from schema.paging import After, Before, Connection, First, Last, page_args
from schema.people import BY_NAME, Organization
from schema.relations import all_of, batched, pages_of, to_one

if TYPE_CHECKING:
    from schema.ticket import Ticket

BY_DEVICE_NAME = Order("devices", "name", kind="text")
Tickets = Connection[Annotated["Ticket", lazy("schema.ticket")]]
Filter: TypeAlias = Annotated[
    TicketFilter | None, strawberry.argument(description="What to show of them; everything if left out.")
]
OrderBy: TypeAlias = Annotated[
    TicketOrder | None, strawberry.argument(description="Their order; latest activity first if left out.")
]


def _narrowed(filter: TicketFilter | None, order_by: TicketOrder | None) -> dict[str, Any]:
    return {
        "filter": filter.plain() if filter else None,
        "order": order_by.plain() if order_by else DEFAULT_ORDER,
    }


@entity(models.ServiceLicense, description="A service plan that an organization bought.")
class ServiceLicense(Node):
    level: ServiceLevel = strawberry.field(description="Which plan.")
    space: Annotated["Space", lazy("schema.inventory")] | None = to_one(
        "space", "The room or desk it covers; null while it is not assigned."
    )
    starts_at: date = strawberry.field(description="Its first day.")
    ends_at: date = strawberry.field(description="Its last day.")

    is_active: bool = batched(within_days, "Whether today is within its days.", needs=("starts_at", "ends_at"))


@strawberry.type(description="What support a room or desk has a right to.")
class ServiceCoverage:
    level: ServiceLevel = strawberry.field(description="The plan in force; BASIC without one.")
    benefits: list[str] = strawberry.field(description="What the plan includes, in words.")
    response_target: timedelta | None = strawberry.field(description="How soon support aims to answer; null: no aim.")
    channels: list[TicketChannel] = strawberry.field(description="The ways to reach support.")


async def _levels(ctx: Context, rows: list[Any]) -> list[ServiceLevel]:
    return [each.level for each in await coverages(ctx, rows)]


async def _coverage(ctx: Context, rows: list[Any]) -> list[ServiceCoverage]:
    return [coverage_of(each) for each in await coverages(ctx, rows)]


def coverage_of(found: Coverage) -> ServiceCoverage:
    """What a plan includes, as the API says it."""
    return ServiceCoverage(
        level=found.level,
        benefits=list(found.benefits),
        response_target=found.response_target,
        channels=list(found.channels),
    )


@entity(models.SpaceGroup, description="A building, a floor, a team: rooms and desks that belong together.")
class SpaceGroup(Node):
    name: str = strawberry.field(description="Its name.")
    parent: "SpaceGroup | None" = to_one("parent", "The group it is part of.")
    spaces: Connection[Annotated["Space", lazy("schema.inventory")]] = pages_of(
        models.Space, "group_id", BY_NAME, "Its rooms and desks, by name."
    )


@strawberry.interface(description="A physical place that devices live in and service plans cover.")
class Space(Node):
    name: str = strawberry.field(description="Its name.")
    organization: Organization = to_one("organization", "Whose it is.", implied=True)
    group: SpaceGroup | None = to_one("group", "The group it belongs to.")
    devices: Connection[Annotated["Device", lazy("schema.inventory")]] = pages_of(
        models.Device, "space_id", BY_DEVICE_NAME, "The devices in it, by name."
    )

    @strawberry.field(description="Its tickets that you may see.")
    @staticmethod
    def tickets(
        root: Parent[models.Space],
        info: Info,
        filter: Filter = None,
        order_by: OrderBy = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Tickets:
        args = page_args(first, after, last, before)
        return tickets_in(info.context, root.id, args, **_narrowed(filter, order_by))  # type: ignore[return-value]

    service_level: ServiceLevel = batched(_levels, "The plan in force today; BASIC without one.")
    coverage: ServiceCoverage = batched(_coverage, "What support it has a right to today.")


@entity(models.Space, where=("kind", models.SpaceKind.ROOM), description="A meeting room (not a chat room).")
class Room(Space, Node):
    capacity: int | None = strawberry.field(description="How many people it seats; null where nobody said.")


@entity(models.Space, where=("kind", models.SpaceKind.DESK), description="A desk.")
class Desk(Space, Node):
    pass


@entity(models.Product, description="A product of the vendor.")
class Product(Node):
    name: str = strawberry.field(description="Its name.")
    versions: list["ProductVersion"] = all_of(models.ProductVersion, "product_id", "name", "Its versions, by name.")


@entity(models.ProductVersion, description="A version of a product.")
class ProductVersion(Node):
    product: Product = to_one("product", "Whose version it is.", implied=True)
    name: str = strawberry.field(description="What it is called.")
    supported_until: date | None = strawberry.field(description="The last day of its support; null: no end is set.")
    updates: list["ProductUpdate"] = all_of(models.ProductUpdate, "version_id", "name", "Its updates, by name.")


@entity(models.ProductUpdate, description="An update of a product's version.")
class ProductUpdate(Node):
    version: ProductVersion = to_one("version", "The version it updates.", implied=True)
    name: str = strawberry.field(description="What it is called.")
    released_at: date | None = strawberry.field(description="When it came out.")


@entity(models.Device, description="A device of an organization.")
class Device(Node):
    name: str = strawberry.field(description="Its name.")
    product: Product = to_one("product", "What it is.", implied=True)
    serial_number: str | None = strawberry.field(
        description="Its serial number.", directives=guarded(policy.SEE_SERIAL_NUMBER)
    )
    firmware_version: str | None = strawberry.field(description="The firmware last seen on it.")
    organization: Organization = to_one("organization", "Whose it is.", implied=True)
    space: Space | None = to_one("space", "The room or desk it stands in.")

    @strawberry.field(description="The tickets about it that you may see.")
    @staticmethod
    def tickets(
        root: Parent[models.Device],
        info: Info,
        filter: Filter = None,
        order_by: OrderBy = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Tickets:
        args = page_args(first, after, last, before)
        return tickets_about(info.context, root.id, args, **_narrowed(filter, order_by))  # type: ignore[return-value]
