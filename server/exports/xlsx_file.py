"""A list of tickets as a workbook. Each cell is of a kind, so nothing that somebody wrote is taken for a formula."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from tempfile import TemporaryDirectory
from typing import BinaryIO

from xlsxwriter import Workbook  # type: ignore[import-untyped]

from server.exports.manner import Manner, Record

WIDTHS = {"subject": 48, "usernames": 28, "organization": 24, "onBehalfOf": 24}
WIDTH, WIDTH_OF_INSTANTS = 18, 25
"""How wide columns are, in digits of the usual font."""

SHOWN_AS = 'yyyy-mm-dd hh:mm:ss "UTC"'


def write_xlsx(manner: Manner, head: Record, items: Iterator[Record], out: BinaryIO) -> None:
    """One sheet. Its rows are put aside on disk as they come, so that a long list takes no more memory than a short."""
    with TemporaryDirectory() as aside:
        book = Workbook(out, {"constant_memory": True, "tmpdir": aside})
        book.set_properties({"created": _instant(head["exportedAt"]), "author": "Casewire"})
        table = Table(book, head["columns"], head["instants"])
        for row in chain.from_iterable(item["rows"] for item in items):
            table.add(row)
        table.finish()
        book.close()


class Table:
    """A sheet whose first row has the names of the columns and stays in sight."""

    def __init__(self, book: Workbook, columns: list[str], instants: list[str]) -> None:
        self.sheet = book.add_worksheet("tickets")
        self.columns, self.instants = columns, {columns.index(each) for each in instants}
        self.rows = 0
        self.moment = book.add_format({"num_format": SHOWN_AS, "align": "left"})
        bold = book.add_format({"bold": True})
        self.sheet.freeze_panes(1, 1)
        for place, name in enumerate(columns):
            width = WIDTH_OF_INSTANTS if place in self.instants else WIDTHS.get(name, WIDTH)
            self.sheet.set_column(place, place, width)
            self.sheet.write_string(0, place, name, bold)

    def add(self, row: list[str | bool | None]) -> None:
        self.rows += 1
        for place, value in enumerate(row):
            if isinstance(value, bool):
                self.sheet.write_boolean(self.rows, place, value)
            elif value and place in self.instants:
                self.sheet.write_datetime(self.rows, place, _instant(value), self.moment)
            elif value:
                self.sheet.write_string(self.rows, place, value)

    def finish(self) -> None:
        self.sheet.autofilter(0, 0, self.rows, len(self.columns) - 1)


def _instant(value: str) -> datetime:
    """In UTC, and without saying so: a workbook knows no zones."""
    return datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None)
