"""Who may follow a ticket, and how many addresses (S83-S85)."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain import following
from domain.enums import OrganizationRole
from domain.errors import Conflict, Forbidden, Invalid, Required
from tests.domain.test_policy import ANN, BOB, PRIVATE, TICKET, member, staff


def test_each_is_named_once_and_an_address_in_lower_case() -> None:
    wanted = following.wanted([ANN, BOB, ANN], ["A@b.example", "a@B.example"])

    assert (wanted.user_ids, wanted.addresses) == ((ANN, BOB), ("a@b.example",))


def test_nobody_and_too_many_at_once_are_refused() -> None:
    ids = [UUID(int=n) for n in range(1, 52)]

    with pytest.raises(Required):
        following.wanted([], [])
    with pytest.raises(Invalid):
        following.wanted(ids, [])
    with pytest.raises(Invalid):
        following.wanted(ids[:50], ["a@b.example"])
    assert len(following.wanted(ids[:50], []).user_ids) == following.MOST_AT_ONCE


@pytest.mark.parametrize("role", OrganizationRole)
def test_a_follower_reads_the_ticket_and_does_more_than_read(role: OrganizationRole) -> None:  # S84
    may = role not in (OrganizationRole.READ_ONLY, OrganizationRole.LICENSE_MANAGER)

    assert (following.person(member(role), TICKET) is None) is may
    assert isinstance(following.person(member(role), PRIVATE), Invalid)
    assert following.person(staff(), PRIVATE) is None


def test_addresses_follow_up_to_a_limit_and_nothing_that_is_for_its_author() -> None:  # S07, S85
    assert following.address(TICKET, there=following.MOST_ADDRESSES) is None
    assert isinstance(following.address(TICKET, there=following.MOST_ADDRESSES + 1), Invalid)
    assert isinstance(following.address(PRIVATE, there=1), Conflict)


def test_who_takes_a_follower_off() -> None:  # S83
    def refused(viewer: object, **given: UUID | None) -> object:
        return following.removal(viewer, TICKET, **{"user_id": None, "added_by_id": None, **given})  # type: ignore[arg-type]

    assert refused(member(who=ANN)) is None
    assert refused(member(OrganizationRole.ADMIN)) is None
    assert refused(staff()) is None
    assert refused(member(), user_id=BOB) is None
    assert refused(member(), added_by_id=BOB) is None
    assert isinstance(refused(member()), Forbidden)
    assert isinstance(refused(member(OrganizationRole.READ_ONLY), added_by_id=BOB), Forbidden)
    assert isinstance(
        following.removal(member(), replace(TICKET, requester_id=None), user_id=ANN, added_by_id=None), Forbidden
    )
