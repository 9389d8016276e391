"""Organizations and what can be asked of support."""

from uuid import UUID

from domain import policy
from engine.keyset import LazyPage, Order, PageArgs
from models import Organization, SupportProject
from resolvers.context import Context
from resolvers.reading import found, listing

BY_NAME = Order("organizations", "name", kind="text")


async def get_organization(ctx: Context, organization_id: UUID) -> Organization | None:
    policy.check_authenticated(ctx.viewer)
    return await found(ctx, Organization, organization_id)


def list_organizations(ctx: Context, args: PageArgs) -> LazyPage[Organization]:
    """The viewer's own, by name; all of them for support staff (S10)."""
    policy.check_authenticated(ctx.viewer)
    return listing(ctx, Organization.filter(Organization.of_member(ctx.viewer)), BY_NAME, args)


async def list_support_projects(ctx: Context) -> list[SupportProject]:
    """By name (S16)."""
    policy.check_authenticated(ctx.viewer)
    return await SupportProject.shown_to(ctx.viewer).order_by("name", "id")
