"""What a service plan gives a room or desk a right to, and on which days."""

from datetime import date, timedelta

import pytest

from domain.coverage import COVERAGE, coverage_on
from domain.enums import ServiceLevel, TicketChannel

BASIC, ESSENTIAL, SELECT = ServiceLevel
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
DAY = timedelta(days=1)


@pytest.mark.parametrize(("day", "level"), [(FIRST - DAY, BASIC), (FIRST, SELECT), (LAST, SELECT), (LAST + DAY, BASIC)])
def test_a_plan_counts_from_its_first_to_its_last_day(day: date, level: ServiceLevel) -> None:  # S90, S92
    assert coverage_on(day, [(SELECT, FIRST, LAST)]).level is level


def test_a_place_without_a_plan_has_the_basic_one() -> None:  # S90
    assert coverage_on(FIRST, []) == COVERAGE[BASIC]


def test_the_best_of_the_plans_in_force_counts() -> None:  # S92
    plans = [(ESSENTIAL, FIRST, LAST), (SELECT, LAST, LAST), (ESSENTIAL, FIRST, LAST)]

    assert coverage_on(FIRST, plans).level is ESSENTIAL
    assert coverage_on(LAST, plans).level is SELECT
    assert coverage_on(LAST, reversed(plans)).level is SELECT


def test_a_better_plan_takes_nothing_away() -> None:
    """Every level has the channels of the one below, and aims to answer no later."""
    assert COVERAGE.keys() == set(ServiceLevel)
    assert set(COVERAGE[BASIC].channels) < set(COVERAGE[ESSENTIAL].channels) < set(COVERAGE[SELECT].channels)
    assert [COVERAGE[level].response_target for level in (BASIC, ESSENTIAL, SELECT)] == [
        None,
        timedelta(hours=8),
        timedelta(hours=1),
    ]
    assert TicketChannel.CONFERENCE_CALL in COVERAGE[SELECT].channels
