"""Entering what an organization has: rooms and desks in groups, devices in them, and which of them a licence covers.

Its managers do it, one at a time for an organization; licences are assigned by those who manage them (S91).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from tortoise.queryset import QuerySet

from domain import placing, policy
from domain.enums import TicketStatus
from domain.errors import Duplicate, NotFound
from domain.naming import line
from domain.policy import OrganizationFacts
from models import Device, Organization, Product, ServiceLicense, Space, SpaceGroup, SpaceKind, Ticket
from models.base import BaseModel
from resolvers import timeline
from resolvers.catalog import LEFT_OUT
from resolvers.context import Context
from resolvers.reading import found
from resolvers.ticket_choices import choose_place
from resolvers.tickets import lock_for_sweep
from resolvers.transaction import Work, unit_of_work

Row = TypeVar("Row", bound=BaseModel)

NAME_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Placing:
    """A room or desk as it is to be; without an id a new one. What is left out stays, or is nothing in a new one."""

    organization_id: UUID
    kind: SpaceKind
    name: str
    space_id: UUID | None = None
    group_id: UUID | None = LEFT_OUT
    capacity: int | None = LEFT_OUT


@dataclass(frozen=True, slots=True)
class Installing:
    """A device as it is to be; as `Placing`. A new one without a name is called like its product."""

    organization_id: UUID
    product_id: UUID
    serial_number: str
    device_id: UUID | None = None
    name: str | None = None
    space_id: UUID | None = LEFT_OUT
    firmware_version: str | None = LEFT_OUT


@unit_of_work
async def save_space(work: Work, ctx: Context, given: Placing) -> Space:
    """Enter a room or a desk, or change one; it stays its organization's, and of its kind.

    Raises:
        NotFound: no such organization, or no such place or group of it.
        Forbidden: not the viewer's to do.
        Required, Invalid: the name cannot be stored, or nobody has so many seats.

    Source: S93.
    """
    await _lock(ctx, given.organization_id)
    field = "roomId" if given.kind is SpaceKind.ROOM else "deskId"
    space = Space(organization_id=given.organization_id, kind=given.kind)
    if given.space_id:
        space = await _own(Space.filter(kind=given.kind), given.organization_id, given.space_id, "room or desk", field)
    space.name = line(given.name, field="name", limit=NAME_LIMIT)
    if given.group_id is not LEFT_OUT:
        if given.group_id:
            await _own(SpaceGroup.all(), given.organization_id, given.group_id, "group", "groupId")
        space.group_id = given.group_id
    if given.capacity is not LEFT_OUT:
        space.capacity = placing.seats(given.capacity)
    await space.save()
    return space


@unit_of_work
async def save_group(
    work: Work,
    ctx: Context,
    organization_id: UUID,
    group_id: UUID | None,
    *,
    name: str,
    parent_id: UUID | None = LEFT_OUT,
) -> SpaceGroup:
    """Enter a group of rooms and desks, or change one; with None as its parent it stands by itself.

    Raises:
        NotFound, Forbidden, Required: as for `save_space`.
        Invalid: the name cannot be stored, or it would be inside of itself or too deep.

    Source: S93.
    """
    await _lock(ctx, organization_id)
    group = SpaceGroup(organization_id=organization_id)
    if group_id:
        group = await _own(SpaceGroup.all(), organization_id, group_id, "group", "groupId")
    group.name = line(name, field="name", limit=NAME_LIMIT)
    if parent_id is not LEFT_OUT:
        if parent_id:
            parents = await _parents(organization_id, parent_id)
            placing.check_may_be_inside(group_id, parents, levels=await _levels(group_id))
        group.parent_id = parent_id
    await group.save()
    return group


@unit_of_work
async def save_device(work: Work, ctx: Context, given: Installing) -> Device:
    """Enter a device, or change one; tickets about it go on being about it, wherever it stands.

    Raises:
        NotFound, Forbidden, Required, Invalid: as for `save_space`; or no such product.
        Duplicate: the organization has another device of that number.

    Source: S27, S93.
    """
    await _lock(ctx, given.organization_id)
    product = await Product.get_or_none(id=given.product_id)
    if product is None:
        raise NotFound("product", field=("productId",))
    device = Device(organization_id=given.organization_id, name=product.name)
    if given.device_id:
        device = await _own(Device.all(), given.organization_id, given.device_id, "device", "deviceId")
    number = placing.serial_number(given.serial_number)
    if number != device.serial_number and await Device.exists(
        organization_id=given.organization_id, serial_number=number
    ):
        raise Duplicate("There is a device of this serial number already.", field=("serialNumber",))
    device.product_id, device.serial_number = product.id, number
    if given.name is not None:
        device.name = line(given.name, field="name", limit=NAME_LIMIT)
    if given.space_id is not LEFT_OUT:
        if given.space_id:
            await _own(Space.all(), given.organization_id, given.space_id, "room or desk", "spaceId")
        device.space_id = given.space_id
    if given.firmware_version is not LEFT_OUT:
        version = given.firmware_version
        device.firmware_version = line(version, field="firmwareVersion", limit=50) if version is not None else None
    await device.save()
    return device


@unit_of_work
async def delete_space(work: Work, ctx: Context, space_id: UUID) -> None:
    """Take a room or desk away. Its devices and licences stay the organization's, and stand nowhere; so do its tickets,
    and those that are not closed are told of it.

    Raises:
        NotFound: no such place that the viewer may see.
        Forbidden: not the viewer's to do.
        Conflict: too many tickets about it are not closed.
    """
    policy.check_authenticated(ctx.viewer)
    space = await found(ctx, Space, space_id)
    if space is None:
        raise NotFound("room or desk", field=("spaceId",))
    await _lock(ctx, space.organization_id)
    there = Ticket.filter(space_id=space_id).exclude(status=TicketStatus.CLOSED).order_by("id")
    some = there.limit(placing.MOST_OPEN_TICKETS + 1)
    tickets: Sequence[UUID] = await some.values_list("id", flat=True)  # type: ignore[assignment]
    placing.check_may_be_deleted(len(tickets))
    for ticket_id in tickets:
        await _leave(work, ctx, ticket_id, space_id)
    await Space.filter(id=space_id).delete()


@unit_of_work
async def assign_license(work: Work, ctx: Context, license_id: UUID, space_id: UUID | None) -> ServiceLicense:
    """Let a licence cover a room or desk of its organization, or none.

    Raises:
        NotFound: no such licence that the viewer may see, or no such place of its organization.
        Forbidden: not for the viewer to assign.
        Conflict: it has ended.

    Source: S90, S91.
    """
    policy.check_authenticated(ctx.viewer)
    licence = await found(ctx, ServiceLicense, license_id)
    if licence is None:
        raise NotFound("licence", field=("licenseId",))
    policy.check(ctx.viewer, policy.ASSIGN_LICENSE, OrganizationFacts(licence.organization_id))
    await _keep(licence.organization_id)
    licence = await ServiceLicense.select_for_update().get(id=license_id)
    if space_id:
        placing.check_may_cover(licence.ends_at, today=work.now.date())
        await _own(Space.all(), licence.organization_id, space_id, "room or desk", "spaceId")
    licence.space_id = space_id
    await licence.save(update_fields=["space_id"])
    return licence


async def _lock(ctx: Context, organization_id: UUID) -> None:
    """As `_keep`, for whoever manages what the organization has."""
    policy.check_authenticated(ctx.viewer)
    if await found(ctx, Organization, organization_id) is None:
        raise NotFound("organization", field=("organizationId",))
    policy.check(ctx.viewer, policy.MANAGE_INVENTORY, OrganizationFacts(organization_id))
    await _keep(organization_id)


async def _keep(organization_id: UUID) -> None:
    """Keep others from changing what the organization has meanwhile."""
    await Organization.select_for_update(no_key=True).get(id=organization_id)


async def _own(rows: QuerySet[Row], organization_id: UUID, row_id: UUID, what: str, field: str) -> Row:
    row = await rows.get_or_none(id=row_id, organization_id=organization_id)
    if row is None:
        raise NotFound(what, field=(field,))
    return row


async def _parents(organization_id: UUID, parent_id: UUID | None) -> list[UUID]:
    """The ids of a group and of those around it, from the inside."""
    parents: list[UUID] = []
    while parent_id is not None:
        parent = await _own(SpaceGroup.all(), organization_id, parent_id, "group", "parentId")
        parents.append(parent.id)
        parent_id = parent.parent_id
    return parents


async def _levels(group_id: UUID | None) -> int:
    """How deep a group is, counting itself."""
    deep, here = 1, [group_id] if group_id else []
    while here:
        here = await SpaceGroup.filter(parent_id__in=here).values_list("id", flat=True)  # type: ignore[assignment]
        deep += bool(here)
    return deep


async def _leave(work: Work, ctx: Context, ticket_id: UUID, space_id: UUID) -> None:
    """Take a ticket out of a place, whoever may see it, unless it was moved or closed meanwhile."""
    ticket = await lock_for_sweep(ticket_id)
    if ticket.space_id != space_id or ticket.status is TicketStatus.CLOSED:
        return
    for field, old, new in await choose_place(ticket, None, None):
        await timeline.set_field(work, ctx, ticket, field, old=old, new=new)
    timeline.touch(work, ticket, activity=False)
    await ticket.save()
