"""Who may make whom a member of an organization, and in what role."""

from collections.abc import Collection

from domain.enums import OrganizationRole
from domain.errors import Conflict, Forbidden

GIVES: dict[OrganizationRole, frozenset[OrganizationRole]] = {
    OrganizationRole.OWNER: frozenset(OrganizationRole),
    OrganizationRole.ADMIN: frozenset(OrganizationRole) - {OrganizationRole.OWNER, OrganizationRole.ADMIN},
    OrganizationRole.SUPPORT_REQUEST_ADMIN: frozenset({OrganizationRole.MEMBER, OrganizationRole.READ_ONLY}),
}
"""The roles that each role gives and takes. Nobody gives more than they have: owners and administrators are made by
owners alone, who manages requests is made by an administrator (S03), and a manager of requests, who has nothing to do
with licences, makes no manager of licences."""

EVERY_ROLE = frozenset(OrganizationRole)
"""What an administrator of the desk gives: an organization whose owners have gone can be helped."""


def check_may_give(
    role: OrganizationRole, *, of: Collection[OrganizationRole], instead_of: OrganizationRole | None = None
) -> None:
    """Decide whether somebody who gives the roles `of` may give this one, to a member who has `instead_of` so far.

    Raises:
        Forbidden: this role, or the one that would be lost by it, is not theirs to give.
    """
    if role not in of or (instead_of is not None and instead_of not in of):
        raise Forbidden("This role is given and taken by an owner of the organization.", field=("role",))


def check_may_remove(role: OrganizationRole, *, of: Collection[OrganizationRole], is_self: bool) -> None:
    """Decide whether somebody who gives the roles `of` may remove a member of this role. Oneself may always leave.

    Raises:
        Forbidden: it is a role that is not theirs to take.
    """
    if role not in of and not is_self:
        raise Forbidden("A member of this role is removed by an owner of the organization.")


def check_keeps_an_owner(role: OrganizationRole, *, others: int, becomes: OrganizationRole | None = None) -> None:
    """Decide whether a member of `role` may become something else, or go (None), where the organization has so many
    `others` who own it and can sign in.

    Raises:
        Conflict: it is the last owner.
    """
    if role is OrganizationRole.OWNER and becomes is not OrganizationRole.OWNER and others < 1:
        raise Conflict("An organization keeps an owner. Make somebody else its owner first.")
