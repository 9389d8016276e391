"""The scalars of the API: how each is written on the wire, and what is refused."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, NewType, TypeVar

import strawberry
from strawberry.types.scalar import ScalarDefinition

from domain.errors import Invalid
from domain.naming import email
from engine.instants import instant_text

Parsed = TypeVar("Parsed")

_SPAN = re.compile(
    r"P(?:(\d{1,5})D)?(?:(\d{1,4})W)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?", re.ASCII
)

Cursor = NewType("Cursor", str)
Markdown = NewType("Markdown", str)
URL = NewType("URL", str)
EmailAddress = NewType("EmailAddress", str)
Locale = NewType("Locale", str)
TimeZone = NewType("TimeZone", str)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Invalid("This is written as a string.")
    return value


def _instant(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(value))
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid("An instant is written like 2026-11-22T09:30:00Z.") from None
    raise Invalid("An instant needs its offset from UTC, like 2026-11-22T09:30:00Z or …+01:00.")


def _date(value: object) -> date:
    try:
        return date.fromisoformat(_text(value))
    except ValueError:
        raise Invalid("A date is written like 2026-11-22.") from None


def duration_text(span: timedelta) -> str:
    """ISO 8601 with days, hours, minutes and seconds: `P7D`, `PT15M`, `P1DT12H`."""
    minutes, seconds = divmod(int(span.total_seconds()) - span.days * 86_400, 60)
    hours, minutes = divmod(minutes, 60)
    time = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if n)
    day = f"{span.days}D" if span.days else ""
    return f"P{day}" + (f"T{time}" if time else "") if day or time else "PT0S"


def _duration(value: object) -> timedelta:
    """A span of whole seconds up to some years, as `duration_text` writes it; weeks too."""
    found = _SPAN.fullmatch(_text(value))
    if not found or not any(found.groups()):
        raise Invalid("A span of time is written like P7D, PT15M or PT1H30M.")
    days, weeks, hours, minutes, seconds = (int(each or 0) for each in found.groups())
    return timedelta(days=days, weeks=weeks, hours=hours, minutes=minutes, seconds=seconds)


def _define(
    name: str,
    description: str,
    *,
    parse: Callable[[Any], Any] = _text,
    serialize: Callable[[Any], Any] = str,
    specified_by: str | None = None,
) -> ScalarDefinition:
    return strawberry.scalar(
        name=name, description=description, parse_value=parse, serialize=serialize, specified_by_url=specified_by
    )


ChosenLocale = Annotated[
    Locale | None,
    strawberry.argument(
        description="The language to tell it in; yours, if left out or not one of `ServerInfo.locales`."
    ),
]

SCALARS: dict[object, ScalarDefinition] = {
    datetime: _define(
        "DateTime",
        "An instant in UTC, as RFC 3339 writes it: `2026-11-22T09:30:00.000000Z`. Inputs need an offset.",
        parse=_instant,
        serialize=instant_text,
        specified_by="https://scalars.graphql.org/andimarek/date-time",
    ),
    date: _define("Date", "A calendar date: `2026-11-22`.", parse=_date, serialize=lambda value: value.isoformat()),
    timedelta: _define(
        "Duration",
        "A span of time, as ISO 8601 writes it: `P7D`, `PT15M`.",
        parse=_duration,
        serialize=duration_text,
    ),
    Cursor: _define(
        "Cursor", "A place in a list or in a stream. Opaque: store it, send it back, do not take it apart."
    ),
    Markdown: _define("Markdown", "Text in Markdown (CommonMark), as its author wrote it."),
    URL: _define("URL", "An absolute address on the web."),
    EmailAddress: _define("EmailAddress", "An e-mail address.", parse=lambda value: email(_text(value))),
    Locale: _define("Locale", "A language, as BCP 47 writes it: `en`, `pt-BR`."),
    TimeZone: _define("TimeZone", "A time zone of the IANA database: `Europe/Rome`."),
}
