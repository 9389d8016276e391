"""What an organization has, as it is entered."""

from datetime import date
from uuid import UUID

import pytest

from domain.errors import Conflict, Invalid, Required
from domain.placing import (
    MOST_LEVELS,
    MOST_OPEN_TICKETS,
    check_may_be_deleted,
    check_may_be_inside,
    check_may_cover,
    seats,
    serial_number,
)

GROUPS = [UUID(int=n) for n in range(1, 20)]


def test_a_room_seats_somebody_and_no_city() -> None:
    assert [seats(each) for each in (None, 1, 100_000)] == [None, 1, 100_000]
    for wrong in (0, -1, 100_001):
        with pytest.raises(Invalid, match="between 1 and 100,000"):
            seats(wrong)


def test_a_serial_number_is_kept_in_capitals() -> None:  # S27
    assert serial_number("  ob2-48a1 ") == "OB2-48A1"
    with pytest.raises(Required):
        serial_number(" ")
    with pytest.raises(Invalid):
        serial_number("x" * 101)


def test_a_group_is_not_inside_of_itself() -> None:  # S93
    check_may_be_inside(GROUPS[0], [])
    check_may_be_inside(GROUPS[0], GROUPS[1:3])
    for parents in (GROUPS[:1], [GROUPS[1], GROUPS[0]]):
        with pytest.raises(Invalid, match="inside of itself"):
            check_may_be_inside(GROUPS[0], parents)


def test_groups_are_inside_of_each_other_ten_deep() -> None:  # S93
    check_may_be_inside(None, GROUPS[: MOST_LEVELS - 1])
    check_may_be_inside(None, GROUPS[:4], levels=MOST_LEVELS - 4)
    for parents, levels in ((GROUPS[:MOST_LEVELS], 1), (GROUPS[:4], MOST_LEVELS - 3)):
        with pytest.raises(Invalid, match="At most 10 groups"):
            check_may_be_inside(None, parents, levels=levels)


def test_a_licence_can_be_assigned_up_to_its_last_day() -> None:  # S90
    check_may_cover(date(2026, 3, 2), today=date(2026, 3, 2))
    with pytest.raises(Conflict, match="has ended"):
        check_may_cover(date(2026, 3, 1), today=date(2026, 3, 2))


def test_a_place_with_too_many_open_tickets_stays() -> None:
    check_may_be_deleted(MOST_OPEN_TICKETS)
    with pytest.raises(Conflict, match="More than 100 requests"):
        check_may_be_deleted(MOST_OPEN_TICKETS + 1)
