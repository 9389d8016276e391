"""Files that tickets are taken away in: which ones there are, how much one may ask for, what a cell may hold."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError

from domain.enums import ExportFormat, JobStatus
from domain.errors import Invalid, RateLimited
from domain.words.languages import LOCALES, language

OF_A_TICKET = (ExportFormat.PDF, ExportFormat.JSON, ExportFormat.TXT)
OF_A_LIST = (ExportFormat.CSV, ExportFormat.XLSX)

MEDIA_TYPES = {
    ExportFormat.PDF: "application/pdf",
    ExportFormat.JSON: "application/json",
    ExportFormat.TXT: "text/plain; charset=utf-8",
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

MOST_UNFINISHED = 5
"""Jobs of one person that wait or are being done."""

MOST_IN_A_WHILE = 60
A_WHILE = timedelta(hours=1)

MOST_ATTEMPTS = 3
"""A job is begun so often: each time but the first because whoever did it has died, or something else broke."""

MOST_TICKETS = 100_000
"""Rows of one file."""

LONGEST_PDF = 30_000_000
"""Characters of one document: some ten thousand pages."""

DANGEROUS = tuple("=+-@\t\r\n＝＋－＠")
"""What a spreadsheet may take for the beginning of a formula."""

FINAL = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.EXPIRED})
"""States of a job in which nothing more is done; one that succeeded only expires."""


def check_format(given: ExportFormat, offered: tuple[ExportFormat, ...]) -> None:
    """
    Raises:
        Invalid: another kind of file is offered of this.
    """
    if given not in offered:
        raise Invalid("This is exported as {formats} only.", field=("format",), formats=", ".join(offered))


def check_how_many(*, unfinished: int, in_a_while: int) -> None:
    """
    Raises:
        RateLimited: the person has asked for enough, for now.
    """
    if unfinished >= MOST_UNFINISHED:
        raise RateLimited(
            "{count} of your exports are being made. Wait until one of them is done, then ask again.",
            count=unfinished,
        )
    if in_a_while >= MOST_IN_A_WHILE:
        raise RateLimited(
            "You have asked for {count} exports within an hour. Try again in some minutes.", count=in_a_while
        )


def locale_of(given: str, *, field: str = "locale") -> str:
    """The locale that labels and dates are written in, as `pt_BR`.

    Raises:
        Invalid: not a language tag, or one of a language that is not shipped (S42).
    """
    try:
        found = Locale.parse(given[:16], sep="-")
    except (ValueError, UnknownLocaleError):
        found = None
    if found is None or language(given) is None:
        raise Invalid(
            "Documents are written in {locales}, or as one country has it: pt-BR.",
            field=(field,),
            locales=", ".join(LOCALES),
        )
    return str(found)


def zone_of(given: str, *, field: str = "timeZone") -> str:
    """The name of a time zone (S40).

    Raises:
        Invalid: there is none of that name.
    """
    try:
        return ZoneInfo(given).key
    except (KeyError, ValueError, OSError):  # what it raises for a name that is none, or that leads out of its folder
        raise Invalid("A time zone is written like Europe/Rome, or UTC.", field=(field,)) from None


def cell(value: str) -> str:
    """A value of a CSV file that no spreadsheet takes for a formula: an apostrophe goes before one that begins so."""
    return f"'{value}" if value.startswith(DANGEROUS) else value
