"""What a reply, a resolution, a closure and the passing of time make of a ticket: both sides of every edge."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.enums import ACTIVE_STATUSES, LifecyclePreset, TicketDisplayStatus, TicketStatus
from domain.errors import Conflict, DomainError, ReopenNotAllowed, ReopenWindowExpired, TicketClosed
from domain.lifecycle import (
    DEFAULT_WINDOWS,
    PRESETS,
    Windows,
    auto_close_due,
    auto_resolve_due,
    check_may_close,
    check_may_reopen,
    check_may_resolve,
    check_not_closed,
    display_status,
    preset_of,
    status_after_customer_reply,
    status_after_question,
    status_after_staff_reply,
    windows_of,
)

NEW, OPEN, PENDING, ON_HOLD, RESOLVED, CLOSED = TicketStatus
THEN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WEEKLY, IN_72H = LifecyclePreset
HOURS_72, WEEK = timedelta(hours=72), timedelta(days=7)

WINDOWS = [
    pytest.param(PRESETS[LifecyclePreset.HOURS_72], HOURS_72, id="72h"),  # S65
    pytest.param(PRESETS[LifecyclePreset.WEEK], WEEK, id="week"),  # S64
]


def test_a_question_of_support_makes_it_the_customers_turn() -> None:  # S62
    for status in (TicketStatus.NEW, TicketStatus.OPEN, TicketStatus.ON_HOLD, TicketStatus.PENDING_CUSTOMER):
        asked = status_after_question(status, resolved_at=None, now=THEN)
        assert asked is TicketStatus.PENDING_CUSTOMER


def test_a_question_opens_a_resolved_ticket_as_long_as_a_reply_would() -> None:  # S64, S65, S66
    windows = PRESETS[LifecyclePreset.HOURS_72]
    resolved_at = THEN - windows.reopen

    asked = status_after_question(TicketStatus.RESOLVED, resolved_at=resolved_at, now=THEN, windows=windows)

    assert asked is TicketStatus.PENDING_CUSTOMER
    late = resolved_at - timedelta(microseconds=1)
    with pytest.raises(ReopenWindowExpired):
        status_after_question(TicketStatus.RESOLVED, resolved_at=late, now=THEN, windows=windows)
    with pytest.raises(TicketClosed):
        status_after_question(TicketStatus.CLOSED, resolved_at=resolved_at, now=THEN, windows=windows)


def test_the_default_is_the_week() -> None:
    assert Windows(reopen=WEEK, auto_close_after=WEEK, auto_resolve_after=WEEK) == DEFAULT_WINDOWS


@pytest.mark.parametrize(
    ("organization", "request_type", "resolved_under", "counts"),
    [
        (WEEKLY, None, None, WEEKLY),
        (IN_72H, None, None, IN_72H),
        (WEEKLY, IN_72H, None, IN_72H),
        (IN_72H, WEEKLY, None, WEEKLY),
        (WEEKLY, None, IN_72H, IN_72H),
        (IN_72H, IN_72H, WEEKLY, WEEKLY),
    ],
)
def test_what_was_chosen_at_the_resolution_counts_then_the_request_type_then_the_organization(
    organization: LifecyclePreset,
    request_type: LifecyclePreset | None,
    resolved_under: LifecyclePreset | None,
    counts: LifecyclePreset,
) -> None:
    """S64, S65."""
    found = windows_of(organization=organization, request_type=request_type, resolved_under=resolved_under)

    assert found == PRESETS[counts]
    if resolved_under is None:
        assert preset_of(organization=organization, request_type=request_type) is counts


def test_every_preset_has_its_windows() -> None:
    assert PRESETS.keys() == set(LifecyclePreset)


@pytest.mark.parametrize(("windows", "span"), WINDOWS)
@pytest.mark.parametrize("early", [timedelta(0), SECOND, WEEK])
def test_a_reply_up_to_the_end_of_the_window_reopens(windows: Windows, span: timedelta, early: timedelta) -> None:
    """S64, S65: at 71:59:59 and at 72:00:00 sharp; at 6 days 23:59:59 and at 7 days sharp."""
    now = max(THEN, THEN + span - early)

    assert status_after_customer_reply(RESOLVED, resolved_at=THEN, now=now, windows=windows) is OPEN
    check_may_reopen(RESOLVED, resolved_at=THEN, now=now, windows=windows)


@pytest.mark.parametrize(("windows", "span"), WINDOWS)
@pytest.mark.parametrize("late", [timedelta(microseconds=1), SECOND, WEEK])
def test_a_reply_after_the_end_of_the_window_does_not(windows: Windows, span: timedelta, late: timedelta) -> None:
    """S64, S65: at 72:00:01; at 7 days and a second."""
    now = THEN + span + late

    with pytest.raises(ReopenWindowExpired, match="Open a linked ticket instead"):
        status_after_customer_reply(RESOLVED, resolved_at=THEN, now=now, windows=windows)
    with pytest.raises(ReopenWindowExpired):
        check_may_reopen(RESOLVED, resolved_at=THEN, now=now, windows=windows)


@pytest.mark.parametrize(
    ("status", "after_customer", "after_staff"),
    [
        (NEW, NEW, PENDING),
        (OPEN, OPEN, PENDING),
        (PENDING, OPEN, PENDING),
        (ON_HOLD, OPEN, PENDING),
        (RESOLVED, OPEN, RESOLVED),
        (CLOSED, TicketClosed, TicketClosed),
    ],
)
def test_a_reply_moves_every_status_as_agreed(
    status: TicketStatus,
    after_customer: TicketStatus | type[DomainError],
    after_staff: TicketStatus | type[DomainError],
) -> None:
    """S62, S66."""
    assert outcome(lambda: status_after_customer_reply(status, resolved_at=THEN, now=THEN)) is after_customer
    assert outcome(lambda: status_after_staff_reply(status)) is after_staff


@pytest.mark.parametrize(
    ("status", "resolve", "close", "reopen", "anything"),
    [
        (NEW, None, None, ReopenNotAllowed, None),
        (OPEN, None, None, ReopenNotAllowed, None),
        (PENDING, None, None, ReopenNotAllowed, None),
        (ON_HOLD, None, None, ReopenNotAllowed, None),
        (RESOLVED, Conflict, None, None, None),
        (CLOSED, TicketClosed, TicketClosed, TicketClosed, TicketClosed),
    ],
)
def test_every_status_allows_what_it_should(
    status: TicketStatus,
    resolve: type[DomainError] | None,
    close: type[DomainError] | None,
    reopen: type[DomainError] | None,
    anything: type[DomainError] | None,
) -> None:
    """S60, S61, S66."""
    assert outcome(lambda: check_may_resolve(status)) is resolve
    assert outcome(lambda: check_may_close(status)) is close
    assert outcome(lambda: check_may_reopen(status, resolved_at=THEN, now=THEN)) is reopen
    assert outcome(lambda: check_not_closed(status)) is anything


@pytest.mark.parametrize(
    ("waited", "due"),
    [(WEEK - SECOND, False), (WEEK, True), (WEEK + SECOND, True), (timedelta(0), False)],
)
def test_a_ticket_that_waits_for_its_customer_is_resolved_after_seven_days(waited: timedelta, due: bool) -> None:  # S63
    assert auto_resolve_due(PENDING, waiting_since=THEN, now=THEN + waited) is due


@pytest.mark.parametrize("status", [each for each in TicketStatus if each is not PENDING])
def test_nothing_else_is_resolved_by_itself(status: TicketStatus) -> None:  # S63, S67 (ON_HOLD)
    assert not auto_resolve_due(status, waiting_since=THEN, now=THEN + 52 * WEEK)


@pytest.mark.parametrize(("windows", "span"), WINDOWS)
def test_a_resolved_ticket_closes_once_a_reply_would_no_longer_reopen_it(windows: Windows, span: timedelta) -> None:
    """S64, S65: never while a reply could still reopen it, and at once when none can."""
    for off in (-SECOND, timedelta(0), timedelta(microseconds=1), SECOND):
        now = THEN + span + off
        reply = outcome(lambda now=now: check_may_reopen(RESOLVED, resolved_at=THEN, now=now, windows=windows))

        due = auto_close_due(RESOLVED, resolved_at=THEN, now=now, windows=windows)

        assert due is (off > timedelta(0))
        assert due is (reply is ReopenWindowExpired)


@pytest.mark.parametrize("status", [each for each in TicketStatus if each is not RESOLVED])
def test_nothing_else_closes_by_itself(status: TicketStatus) -> None:
    assert not auto_close_due(status, resolved_at=THEN, now=THEN + 52 * WEEK)


@pytest.mark.parametrize("status", TicketStatus)
def test_escalated_is_shown_over_the_open_states_alone(status: TicketStatus) -> None:  # S62
    expected = TicketDisplayStatus.ESCALATED if status in ACTIVE_STATUSES else TicketDisplayStatus(status.value)

    assert display_status(status, is_escalated=True) is expected
    assert display_status(status, is_escalated=False).value == status.value


def test_the_active_states_are_those_before_the_resolution() -> None:  # S35
    assert ACTIVE_STATUSES == (NEW, OPEN, PENDING, ON_HOLD)


def outcome(decide: object) -> object:
    """What it returns, or the class of what it raises."""
    assert callable(decide)
    try:
        return decide()
    except DomainError as error:
        return type(error)
