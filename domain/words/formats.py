"""Numbers, days and instants as a language writes them (S40).

On the wire instants are UTC. A zone has its say only here, where text for a person is made: e-mails, exports, notices.
"""

from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from babel import Locale

WRITTEN_AS = {"pt": "pt_PT"}
"""Whose ways a language follows, where they are not those of most who speak it: our Portuguese is the European one."""

DAYS = {"ru": "d MMMM y 'года'"}
"""How a day is written, where the long form of the CLDR ends in a full stop that would meet one of ours ("2026 г.")."""


def number(value: int, language: str) -> str:
    """A whole number, its thousands grouped."""
    if -1000 < value < 1000:
        return str(value)
    from babel.numbers import format_decimal

    return format_decimal(value, locale=_ways(language))


def day(value: date, language: str) -> str:
    """A calendar day, in words: `November 22, 2026`."""
    from babel.dates import format_date

    return format_date(value, DAYS.get(language, "long"), locale=_ways(language))


def instant(value: datetime, language: str, zone: str | None = None) -> str:
    """An instant by the clock of a zone of the IANA database, or of UTC; the zone is named too: `(CET)`, `(UTC-03)`."""
    from babel.dates import format_time

    there = value.astimezone(zone_of(zone))
    clock = format_time(there, "short", locale=_ways(language))
    name = there.tzname() or "UTC"
    return f"{day(there.date(), language)}, {clock} ({name if name.isalpha() else f'UTC{name}'})"


@lru_cache(maxsize=1000)
def zone_of(name: str | None) -> tzinfo:
    """UTC where there is none of that name, or none is given."""
    try:
        return ZoneInfo(name) if name else UTC
    except (KeyError, ValueError, OSError):  # none of that name; or it is no name, or leads out of its folder
        return UTC


@lru_cache(maxsize=20)
def _ways(language: str) -> "Locale":
    from babel import Locale

    return Locale.parse(WRITTEN_AS.get(language, language))
