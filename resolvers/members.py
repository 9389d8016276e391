"""Who belongs to an organization: inviting, changing a role, removing."""

from collections.abc import Collection
from uuid import UUID

from tortoise.expressions import Q, Subquery

from domain import membership, naming, policy
from domain.enums import NotificationKind, OrganizationRole, StaffRole
from domain.errors import Conflict, Duplicate, NotFound
from domain.notifying import Happening
from domain.policy import OrganizationFacts, Viewer
from models import Membership, Organization, User
from resolvers.access import announce_access
from resolvers.context import Context
from resolvers.notices import notify
from resolvers.reading import found
from resolvers.transaction import Work, unit_of_work
from resolvers.viewers import load_again

LONGEST_SEARCH = 200


def matching_members(viewer: Viewer, organization_id: UUID, search: str) -> Q:
    """Members whose name or user name contains a text, in upper or lower case; or whose address does, for a viewer who
    is shown the addresses there.

    Raises:
        Invalid: the text is longer than 200 characters, or cannot be stored.
    """
    if not search.strip():
        return Q()
    wanted = naming.line(search, field="search", limit=LONGEST_SEARCH)
    people = Q(display_name__icontains=wanted) | Q(username__icontains=wanted)
    if policy.allows(viewer, policy.SEE_EMAIL, OrganizationFacts(organization_id)):
        people |= Q(email__icontains=wanted)
    return Q(user_id__in=Subquery(User.filter(people).values("id")))


@unit_of_work
async def invite_member(
    work: Work, ctx: Context, organization_id: UUID, *, email: str, role: OrganizationRole
) -> Membership:
    """Make the person with that address a member. An address that nobody has becomes an account without a password.

    Raises:
        NotFound: no such organization that the viewer may see.
        Forbidden: not the viewer's to do, or not in this role: see `domain.membership.GIVES`.
        Invalid: not an address.
        Duplicate: this person is a member already.
        Conflict: the account is switched off.
    """
    policy.check_authenticated(ctx.viewer)
    if await found(ctx, Organization, organization_id) is None:
        raise NotFound("organization", field=("organizationId",))
    gives = await _lock(ctx, organization_id)
    membership.check_may_give(role, of=gives)
    address = naming.email(email)
    name = address.partition("@")[0]
    user, _ = await User.get_or_create(
        email=address, defaults={"username": name, "display_name": name, "created_at": work.now}
    )
    if await Membership.filter(organization_id=organization_id, user_id=user.id).exists():
        raise Duplicate("This person is a member already. Change the role instead.", field=("email",))
    if not user.is_active:
        raise Conflict("This account is switched off. Ask support to switch it on first.", field=("email",))
    made = await Membership.create(organization_id=organization_id, user_id=user.id, role=role, joined_at=work.now)
    announce_access(work, user_id=user.id)
    invited = Happening(NotificationKind.INVITED, ctx.user_id)
    await notify(work, user.id, invited, organization_id=organization_id, source=f"member:{made.id}")
    return made


@unit_of_work
async def set_role(work: Work, ctx: Context, membership_id: UUID, *, role: OrganizationRole) -> Membership:
    """Give a member another role.

    Raises:
        NotFound: no such membership that the viewer may see.
        Forbidden: not the viewer's to do: see `domain.membership.GIVES`.
        Conflict: the organization would be left without an owner.
    """
    row, gives = await _lock_member(ctx, membership_id)
    membership.check_may_give(role, of=gives, instead_of=None if row.user_id == ctx.viewer.user_id else row.role)
    membership.check_keeps_an_owner(row.role, others=await _other_owners(row), becomes=role)
    if row.role is not role:
        row.role = role
        await row.save(update_fields=["role"])
        await _changed(work, ctx, row)
    return row


@unit_of_work
async def remove_member(work: Work, ctx: Context, membership_id: UUID) -> UUID:
    """End a membership: its person loses the organization's tickets at once; returns the organization.

    Raises:
        NotFound: no such membership that the viewer may see.
        Forbidden: not the viewer's to do: see `domain.membership.GIVES`.
        Conflict: the organization would be left without an owner.
    """
    row, gives = await _lock_member(ctx, membership_id)
    membership.check_may_remove(row.role, of=gives, is_self=row.user_id == ctx.viewer.user_id)
    membership.check_keeps_an_owner(row.role, others=await _other_owners(row))
    await row.delete()
    await _changed(work, ctx, row)
    return row.organization_id


async def _lock(ctx: Context, organization_id: UUID) -> Collection[OrganizationRole]:
    """Keep others from changing the organization's members meanwhile; the roles that the viewer gives and takes there.

    Raises:
        Forbidden: the viewer manages no members there.
    """
    policy.check(ctx.viewer, policy.MANAGE_MEMBERS, OrganizationFacts(organization_id))
    await Organization.select_for_update(no_key=True).get(id=organization_id)
    if ctx.viewer.staff_role is StaffRole.ADMIN:
        return membership.EVERY_ROLE
    # Asked again behind the lock: the viewer may have been demoted by whoever had it.
    own = await Membership.get_or_none(organization_id=organization_id, user_id=ctx.user_id)
    return membership.GIVES.get(own.role, frozenset()) if own else frozenset()


async def _lock_member(ctx: Context, membership_id: UUID) -> tuple[Membership, Collection[OrganizationRole]]:
    policy.check_authenticated(ctx.viewer)
    row = await found(ctx, Membership, membership_id)
    if row is None:
        raise NotFound("membership", field=("membershipId",))
    gives = await _lock(ctx, row.organization_id)
    now = await Membership.get_or_none(id=membership_id)
    if now is None:
        raise NotFound("membership", field=("membershipId",))
    return now, gives


async def _other_owners(row: Membership) -> int:
    """Somebody whose account is switched off owns nothing that anybody could turn to."""
    owners = Membership.filter(organization_id=row.organization_id, role=OrganizationRole.OWNER, user__is_active=True)
    return await owners.exclude(id=row.id).count()


async def _changed(work: Work, ctx: Context, row: Membership) -> None:
    announce_access(work, user_id=row.user_id)
    if row.user_id == ctx.viewer.user_id:
        ctx.viewer = await load_again(ctx.viewer) or ctx.viewer
