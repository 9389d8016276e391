"""The lists of an organization that can be narrowed: its members, its rooms and desks, its devices, its tickets.

Whole lists are planned, those of a group, and those of devices by anything but their number. Where the viewer's role in
the organization has a say (addresses, serial numbers) an ordinary resolver is asked, which reads the lists of all
organizations that are asked for alike in one statement.
"""

from collections.abc import Callable
from typing import Annotated, Any

import strawberry
from strawberry import ID, Info, Parent
from tortoise import Model
from tortoise.expressions import Q

import models
from domain import policy
from domain.errors import Invalid
from engine.declare import PLAN, Merged, Pages
from engine.keyset import Order
from models.base import BaseModel
from resolvers import inventory
from resolvers.members import matching_members
from resolvers.reading import children, every_child
from resolvers.ticket_lists import DEFAULT_ORDER
from schema.access import guarded
from schema.inputs import TicketFilter, TicketOrder
from schema.node import key_of, keys_or_none
from schema.paging import After, Before, First, Last, page_args

GroupId = Annotated[ID | None, strawberry.argument(description="Only those of this group of its own.")]
Search = Annotated[
    str | None,
    strawberry.argument(
        description="Only those whose name, user name or, for who is shown it, address contains this; at most 200 "
        "characters."
    ),
]


@strawberry.input(description="Which devices to show: what meets every one of these.")
class DeviceFilter:
    serial_number: str | None = strawberry.field(description="With this number printed on it.", default=None)
    space_ids: list[ID] | None = strawberry.field(description="In one of these rooms or desks.", default=None)
    product_ids: list[ID] | None = strawberry.field(description="Of one of these products.", default=None)
    text: str | None = strawberry.field(description="With this in its name; at most 200 characters.", default=None)

    def plain(self) -> inventory.DeviceFilter:
        """
        Raises:
            Invalid: an id is none, or of another type.
        """
        return inventory.DeviceFilter(
            serial_number=self.serial_number,
            space_ids=keys_or_none(self.space_ids, "Room", "Desk", field="spaceIds"),
            product_ids=keys_or_none(self.product_ids, "Product", field="productIds"),
            text=self.text,
        )


Tickets = Annotated[
    TicketFilter | None, strawberry.argument(description="What to show of them; everything if left out.")
]
TicketsOrder = Annotated[
    TicketOrder | None, strawberry.argument(description="Their order; latest activity first if left out.")
]
Devices = Annotated[DeviceFilter | None, strawberry.argument(description="Which of them; all if left out.")]


def members(order: Order, description: str) -> Any:
    """Who belongs to it, by part of a name or address."""

    def resolve(
        root: Parent[models.Organization],
        info: Info,
        search: Search = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Any:
        wanted = None if search is None else matching_members(info.context.viewer, root.id, search)
        args = page_args(first, after, last, before)
        return _pages(info, root, models.Membership, wanted, order, args)

    return _planned(resolve, models.Membership, order, "search", description, guarded(policy.SEE_MEMBERS))


def places(order: Order, description: str, where: Q | None = None) -> Any:
    """Its rooms, desks, or both, by their group."""

    def resolve(
        root: Parent[models.Organization],
        info: Info,
        group_id: GroupId = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Any:
        group = None if group_id is None else Q(group_id=key_of(group_id, "SpaceGroup", field="groupId"))
        wanted = [each for each in (where, group) if each is not None]
        args = page_args(first, after, last, before)
        return _pages(info, root, models.Space, Q(*wanted) if wanted else None, order, args)

    return _planned(resolve, models.Space, order, "groupId", description, where=where, narrow=_of_group)


def devices(order: Order, description: str) -> Any:
    """Its devices, by number, place, product or part of their name."""

    def resolve(
        root: Parent[models.Organization],
        info: Info,
        filter: Devices = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Any:
        wanted = None if filter is None else inventory.device_condition(info.context.viewer, root.id, filter.plain())
        return _pages(info, root, models.Device, wanted, order, page_args(first, after, last, before))

    return _planned(resolve, models.Device, order, "filter", description, narrow=_of_devices)


def tickets(description: str) -> Any:
    """Its tickets, narrowed and ordered like every list of tickets."""

    def resolve(
        root: Parent[models.Organization],
        info: Info,
        filter: Tickets = None,
        order_by: TicketsOrder = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Any:
        args = page_args(first, after, last, before)
        wanted = filter.plain() if filter else None
        order = order_by.plain() if order_by else DEFAULT_ORDER
        return inventory.tickets_of(info.context, root.id, args, filter=wanted, order=order)

    return strawberry.field(resolver=resolve, description=description)


def certificates(description: str) -> Any:
    """Its certificates, all of them or those in force today."""

    async def resolve(
        root: Parent[models.Organization],
        info: Info,
        active_only: Annotated[
            bool | None, strawberry.argument(description="Only those that today is a day of.")
        ] = False,
    ) -> Any:
        query = models.ServiceCertificate.shown_to(info.context.viewer).order_by("ends_at", "id")
        if active_only:
            today = info.context.now().date()
            query = query.filter(starts_at__lte=today, ends_at__gte=today)
        return await every_child(info.context, query, "organization_id", root.id)

    return strawberry.field(resolver=resolve, description=description)


def _pages(
    info: Info, root: models.Organization, model: type[BaseModel], wanted: Q | None, order: Order, args: Any
) -> Any:
    query = model.shown_to(info.context.viewer)
    narrowed = query if wanted is None else query.filter(wanted)
    # Conditions are told apart by their SQL: two that ask the same share a statement.
    variant = "" if wanted is None else narrowed.sql(params_inline=True)
    return children(info.context, narrowed, "organization_id", root.id, order, args, variant=variant)


def _left_to_resolver(table: type[Model], given: Any) -> Q | None:
    """
    Raises:
        ValueError: always.
    """
    raise ValueError("what is found depends on the organization")


def _of_group(table: type[Model], given: Any) -> Q | None:
    try:
        return Q(group_id=key_of(given, "SpaceGroup", field="groupId"))
    except Invalid as error:
        raise ValueError(str(error)) from None


def _of_devices(table: type[Model], given: Any) -> Q | None:
    if given.get("serialNumber") is not None:
        return _left_to_resolver(table, given)
    wanted = DeviceFilter(
        space_ids=given.get("spaceIds"), product_ids=given.get("productIds"), text=given.get("text"), serial_number=None
    )
    try:
        return inventory.open_condition(wanted.plain())
    except Invalid as error:
        raise ValueError(str(error)) from None


def _planned(
    resolve: Any,
    model: type[BaseModel],
    order: Order,
    argument: str,
    description: str,
    directives: list[object] | None = None,
    where: Q | None = None,
    narrow: Callable[[type[Model], Any], Q | None] = _left_to_resolver,
) -> Any:
    """`narrow` makes a condition of the argument as it was sent; where it raises, the resolver is asked."""

    def seen(viewer: policy.Viewer) -> Q:
        shown = model.seen_by(viewer)
        return shown & where if where else shown

    part = Pages(model, "organization_id", lambda viewer: order, seen)
    return strawberry.field(
        resolver=resolve,
        description=description,
        directives=directives or [],
        metadata={PLAN: Merged((part,), argument, narrow)},
    )
