"""What can be agreed on about a ticket, and what becomes of it."""

from datetime import timedelta

import pytest

from domain.addresses import web_address
from domain.enums import AppointmentBlockedReason, AppointmentStatus, ConferenceCallStatus, TicketStatus
from domain.errors import Conflict, Invalid, Required
from domain.scheduling import (
    FARTHEST,
    LONGEST_APPOINTMENT,
    appointment_after_its_time,
    appointment_blocked_reason,
    appointment_made,
    call_after_answer,
    call_after_its_time,
    check_appointment_times,
    check_call_time,
    check_may_cancel_appointment,
)
from tests.factories import LONG_AGO as NOW

MOMENT = timedelta(microseconds=1)
PENDING, ACCEPTED, CANCELLED, COMPLETED = ConferenceCallStatus


def test_a_call_is_to_come_within_a_year() -> None:  # S55
    check_call_time(NOW + MOMENT, now=NOW)
    check_call_time(NOW + FARTHEST, now=NOW)
    for at in (NOW, NOW - MOMENT, NOW + FARTHEST + MOMENT):
        with pytest.raises(Invalid) as refused:
            check_call_time(at, now=NOW)
        assert refused.value.field == ("scheduledFor",)


def test_an_appointment_is_to_come_and_takes_eight_hours_at_most() -> None:  # S94
    start = NOW + MOMENT
    check_appointment_times(start, start + LONGEST_APPOINTMENT, now=NOW)
    check_appointment_times(start, start + MOMENT, now=NOW)
    for starts, ends, field in (
        (NOW, NOW + MOMENT, "startsAt"),
        (NOW + FARTHEST + MOMENT, NOW + FARTHEST + 2 * MOMENT, "startsAt"),
        (start, start, "endsAt"),
        (start, start + LONGEST_APPOINTMENT + MOMENT, "endsAt"),
    ):
        with pytest.raises(Invalid) as refused:
            check_appointment_times(starts, ends, now=NOW)
        assert refused.value.field == (field,)


def test_the_customer_accepts_a_call_and_either_side_calls_it_off() -> None:  # S55
    for status in (PENDING, ACCEPTED):
        assert call_after_answer(status, accept=True, by_staff=False) is ACCEPTED
        for by_staff in (True, False):
            assert call_after_answer(status, accept=False, by_staff=by_staff) is CANCELLED
        with pytest.raises(Conflict):
            call_after_answer(status, accept=True, by_staff=True)
    for status in (CANCELLED, COMPLETED):
        for accept in (True, False):
            with pytest.raises(Conflict):
                call_after_answer(status, accept=accept, by_staff=False)


def test_what_nobody_agreed_to_did_not_take_place() -> None:  # S55, S94
    assert call_after_its_time(ACCEPTED) is COMPLETED
    assert call_after_its_time(PENDING) is CANCELLED
    assert appointment_after_its_time(AppointmentStatus.CONFIRMED) is AppointmentStatus.COMPLETED
    assert appointment_after_its_time(AppointmentStatus.REQUESTED) is AppointmentStatus.CANCELLED


def test_support_confirms_an_appointment_by_making_it() -> None:  # S94
    assert appointment_made(by_staff=True) is AppointmentStatus.CONFIRMED
    assert appointment_made(by_staff=False) is AppointmentStatus.REQUESTED


def test_only_an_appointment_that_is_coming_is_called_off() -> None:  # S94
    for status in (AppointmentStatus.REQUESTED, AppointmentStatus.CONFIRMED):
        check_may_cancel_appointment(status)
    for status in (AppointmentStatus.CANCELLED, AppointmentStatus.COMPLETED):
        with pytest.raises(Conflict):
            check_may_cancel_appointment(status)


def test_there_is_no_appointment_where_none_is_offered_or_nobody_is_assigned_or_it_is_closed() -> None:  # S94
    def reason(
        status: TicketStatus = TicketStatus.OPEN, *, offered: bool = True, assigned: bool = True
    ) -> AppointmentBlockedReason | None:
        return appointment_blocked_reason(status, is_offered=offered, is_assigned=assigned)

    assert reason() is None
    assert reason(TicketStatus.RESOLVED) is None
    assert reason(TicketStatus.CLOSED, offered=False, assigned=False) is AppointmentBlockedReason.TICKET_CLOSED
    assert reason(offered=False, assigned=False) is AppointmentBlockedReason.ISSUE_TYPE_NOT_ELIGIBLE
    assert reason(assigned=False) is AppointmentBlockedReason.NO_ENGINEER_ASSIGNED


@pytest.mark.parametrize(
    "address",
    [
        "https://help.example/a?b=c#d",
        "http://help.example:8080",
        "HTTPS://Help.Example/Камера",
        "https://[2001:db8::1]/",
    ],
)
def test_addresses_of_the_web_are_taken_as_they_are(address: str) -> None:  # S44
    assert web_address(f" {address} ", field="url") == address


@pytest.mark.parametrize(
    "address",
    [
        *(
            "javascript:alert(1)",
            "JaVaScRiPt://x/%0aalert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "ftp://a.example",
        ),
        *(
            "//help.example",
            "help.example",
            "https://",
            "https:///a",
            "https://a.example:0/",
            "https://a.example:99999/",
        ),
        *("https://ann:secret@a.example/", "https://a.example@b.example/", "https://a.example\\@b.example/"),
        *("https://a.example/ b", 'https://a.example/"onload="x', "https://a.example/<script>", "https://[::1"),
        *("mailto:ann@example.com", "vbscript:x", "blob:https://a.example/1", "https://a.example/" + "x" * 1_000),
    ],
)
def test_anything_else_is_refused(address: str) -> None:  # S44
    with pytest.raises(Invalid) as refused:
        web_address(address, field="url")

    assert refused.value.field == ("url",)


def test_no_address_is_asked_for() -> None:  # S44
    with pytest.raises(Required):
        web_address("  ", field="url")
