"""Roles in an organization: given by whom, and never the last owner's lost (S03)."""

import pytest

from domain.enums import OrganizationRole
from domain.errors import Conflict, Forbidden
from domain.membership import EVERY_ROLE, GIVES, check_keeps_an_owner, check_may_give, check_may_remove

OWNER, ADMIN, REQUESTS, LICENCES, MEMBER, READ_ONLY = OrganizationRole

GIVEN = {
    OWNER: {OWNER, ADMIN, REQUESTS, LICENCES, MEMBER, READ_ONLY},
    ADMIN: {REQUESTS, LICENCES, MEMBER, READ_ONLY},
    REQUESTS: {MEMBER, READ_ONLY},
}


@pytest.mark.parametrize("giver", GIVEN)
@pytest.mark.parametrize("role", OrganizationRole)
def test_a_role_is_given_only_by_those_above_it(giver: OrganizationRole, role: OrganizationRole) -> None:
    if role in GIVEN[giver]:
        check_may_give(role, of=GIVES[giver])
    else:
        with pytest.raises(Forbidden):
            check_may_give(role, of=GIVES[giver])


@pytest.mark.parametrize("giver", GIVEN)
@pytest.mark.parametrize("role", OrganizationRole)
def test_a_role_is_taken_only_by_those_who_could_give_it(giver: OrganizationRole, role: OrganizationRole) -> None:
    if role in GIVEN[giver]:
        check_may_give(READ_ONLY, of=GIVES[giver], instead_of=role)
        check_may_remove(role, of=GIVES[giver], is_self=False)
    else:
        with pytest.raises(Forbidden):
            check_may_give(READ_ONLY, of=GIVES[giver], instead_of=role)
        with pytest.raises(Forbidden):
            check_may_remove(role, of=GIVES[giver], is_self=False)


def test_roles_that_manage_nobody_give_nothing() -> None:
    assert GIVES.keys() == GIVEN.keys()
    assert set(OrganizationRole) == EVERY_ROLE


def test_oneself_may_leave_in_any_role() -> None:
    check_may_remove(ADMIN, of=GIVES[ADMIN], is_self=True)


@pytest.mark.parametrize("becomes", [None, *OrganizationRole])
def test_the_last_owner_stays_one(becomes: OrganizationRole | None) -> None:
    check_keeps_an_owner(OWNER, others=1, becomes=becomes)
    check_keeps_an_owner(ADMIN, others=0, becomes=becomes)
    if becomes is OWNER:
        check_keeps_an_owner(OWNER, others=0, becomes=becomes)
    else:
        with pytest.raises(Conflict, match="Make somebody else its owner first"):
            check_keeps_an_owner(OWNER, others=0, becomes=becomes)
