"""What a service plan gives a room or desk a right to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from domain.enums import ServiceLevel, TicketChannel


@dataclass(frozen=True, slots=True)
class Coverage:
    level: ServiceLevel
    benefits: tuple[str, ...]
    response_target: timedelta | None
    channels: tuple[TicketChannel, ...]


WRITTEN = (TicketChannel.PORTAL, TicketChannel.EMAIL)
SPOKEN = (*WRITTEN, TicketChannel.CHAT, TicketChannel.PHONE)

COVERAGE = {
    ServiceLevel.BASIC: Coverage(ServiceLevel.BASIC, ("Support in writing",), None, WRITTEN),
    ServiceLevel.ESSENTIAL: Coverage(
        ServiceLevel.ESSENTIAL,
        ("Support in writing, by chat and by phone", "First answer within 8 hours"),
        timedelta(hours=8),
        SPOKEN,
    ),
    ServiceLevel.SELECT: Coverage(
        ServiceLevel.SELECT,
        ("Support in writing, by chat, by phone and in calls", "First answer within 1 hour", "A named engineer"),
        timedelta(hours=1),
        (*SPOKEN, TicketChannel.CONFERENCE_CALL),
    ),
}
"""What the shipped plans include (S90, S92)."""

_RANK = (ServiceLevel.BASIC, ServiceLevel.ESSENTIAL, ServiceLevel.SELECT)


def coverage_on(day: date, licences: Iterable[tuple[ServiceLevel, date, date]]) -> Coverage:
    """The best of the plans (level, first day, last day) that are in force on that day; BASIC without one (S90)."""
    levels = [level for level, first, last in licences if first <= day <= last]
    return COVERAGE[max(levels, key=_RANK.index, default=ServiceLevel.BASIC)]
