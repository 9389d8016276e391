"""Rooms, desks, devices and what covers them."""

from uuid import UUID

from domain import policy
from domain.coverage import Coverage, coverage_on
from domain.errors import NotFound
from domain.naming import quoted
from models import Device, ServiceLicense, Space, SpaceKind
from resolvers.context import Context
from resolvers.reading import every_child, found


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
    if not ctx.viewer.is_staff and ctx.viewer.membership_in(organization_id) is None:
        raise NotFound("organization", field=("organizationId",))
    facts = policy.OrganizationFacts(organization_id)
    policy.check(ctx.viewer, policy.SEE_SERIAL_NUMBER, facts, "Your role in this organization does not show devices.")
    wanted = quoted(serial_number)
    return await Device.get_or_none(organization_id=organization_id, serial_number=wanted) if wanted else None


async def coverage_of(ctx: Context, space: Space) -> Coverage:
    """What support a place has a right to today (S92): shown to everybody who sees the place."""
    licences = await every_child(ctx, ServiceLicense.all().order_by("ends_at"), "space_id", space.id)
    return coverage_on(ctx.now().date(), [(each.level, each.starts_at, each.ends_at) for each in licences])
