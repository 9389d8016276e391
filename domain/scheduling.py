"""When people speak to each other about a ticket: what can be agreed on, and what becomes of it."""

from datetime import datetime, timedelta

from domain.enums import (
    ACTIVE_APPOINTMENTS,
    ACTIVE_CALLS,
    AppointmentBlockedReason,
    AppointmentStatus,
    ConferenceCallStatus,
    TicketStatus,
)
from domain.errors import Conflict, Invalid

FARTHEST = timedelta(days=366)
LONGEST_APPOINTMENT = timedelta(hours=8)
CALL_LENGTH = timedelta(hours=1)
"""How long after its beginning a call is over: nobody says when it ended."""


def check_call_time(at: datetime, *, now: datetime) -> None:
    """
    Raises:
        Invalid: it is not in the future, or more than `FARTHEST` away.
    """
    if not now < at <= now + FARTHEST:
        raise Invalid("Name a moment in the future, at most a year away.", field=("scheduledFor",))


def check_appointment_times(starts_at: datetime, ends_at: datetime, *, now: datetime) -> None:
    """
    Raises:
        Invalid: it begins in the past or more than `FARTHEST` away, ends before it begins, or is too long.
    """
    if not now < starts_at <= now + FARTHEST:
        raise Invalid("Name a moment in the future, at most a year away.", field=("startsAt",))
    if not starts_at < ends_at <= starts_at + LONGEST_APPOINTMENT:
        raise Invalid("An appointment ends after it begins, and takes 8 hours at most.", field=("endsAt",))


def call_after_answer(status: ConferenceCallStatus, *, accept: bool, by_staff: bool) -> ConferenceCallStatus:
    """What a call becomes when one side answers. The customer accepts it; either side calls it off.

    Raises:
        Conflict: it is over or called off; or support accepts what it has proposed itself.

    Source: S55.
    """
    if status not in ACTIVE_CALLS:
        raise Conflict("This call is over or was called off. Support can schedule another.")
    if not accept:
        return ConferenceCallStatus.CANCELLED
    if by_staff:
        raise Conflict("The customer accepts a call that support has proposed.")
    return ConferenceCallStatus.ACCEPTED


def call_after_its_time(status: ConferenceCallStatus) -> ConferenceCallStatus:
    """What a call becomes that was to be: one that nobody accepted did not take place."""
    return ConferenceCallStatus.COMPLETED if status is ConferenceCallStatus.ACCEPTED else ConferenceCallStatus.CANCELLED


def appointment_made(*, by_staff: bool) -> AppointmentStatus:
    """What an appointment is once somebody has named its time: support confirms by that."""
    return AppointmentStatus.CONFIRMED if by_staff else AppointmentStatus.REQUESTED


def check_may_cancel_appointment(status: AppointmentStatus) -> None:
    """
    Raises:
        Conflict: it is over or was called off.
    """
    if status not in ACTIVE_APPOINTMENTS:
        raise Conflict("This appointment is over or was called off.")


def appointment_after_its_time(status: AppointmentStatus) -> AppointmentStatus:
    """What an appointment becomes that was to be: one that support did not confirm did not take place."""
    return AppointmentStatus.COMPLETED if status is AppointmentStatus.CONFIRMED else AppointmentStatus.CANCELLED


def appointment_blocked_reason(
    status: TicketStatus, *, is_offered: bool, is_assigned: bool
) -> AppointmentBlockedReason | None:
    """Why there can be no appointment about a ticket; None where there can. `is_offered`: by its issue type.

    Source: S94.
    """
    if status is TicketStatus.CLOSED:
        return AppointmentBlockedReason.TICKET_CLOSED
    if not is_offered:
        return AppointmentBlockedReason.ISSUE_TYPE_NOT_ELIGIBLE
    return None if is_assigned else AppointmentBlockedReason.NO_ENGINEER_ASSIGNED
