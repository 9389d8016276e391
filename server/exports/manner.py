"""How a file is written: its kind, and whose language and clock it goes by."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_decimal

from domain.words import Text

Record = dict[str, Any]


@dataclass(frozen=True)
class Manner:
    """`locale` is as `pt_BR`, `time_zone` a name of the IANA database."""

    format: str
    locale: str = "en"
    time_zone: str = "UTC"

    def say(self, text: Text) -> str:
        """One of our own texts, in the language of the file."""
        return text.in_(self.locale.replace("_", "-"))

    def day(self, instant: str) -> str:
        """The day of an instant, by the clock of the zone: `November 22, 2026`."""
        return format_date(self._there(instant), "long", locale=self._ways)

    def moment(self, instant: str) -> str:
        """A day and a time, short: `22 Nov 2026, 10:30`."""
        there = self._there(instant)
        return f"{format_date(there, 'medium', locale=self._ways)}, {format_time(there, 'short', locale=self._ways)}"

    def number(self, value: float) -> str:
        """With at most one place after the point."""
        return format_decimal(value, format="#,##0.#", locale=self._ways)

    def offset(self, instant: str) -> str:
        """How far the zone was from UTC at an instant: `UTC+01:00`."""
        seconds = self._there(instant).utcoffset()
        minutes = int(seconds.total_seconds()) // 60 if seconds else 0
        return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}" if minutes else "UTC"

    def _there(self, instant: str) -> datetime:
        return datetime.fromisoformat(instant).astimezone(self._zone)

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @cached_property
    def _ways(self) -> Locale:
        """Our Portuguese is the European one, where no country is given."""
        return Locale.parse("pt_PT" if self.locale == "pt" else self.locale)
