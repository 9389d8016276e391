"""Reading a CSV file a few records at a time: it is never in memory as a whole."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from server.importers.column_map import ColumnMap, ImportRefused


@dataclass(frozen=True, slots=True)
class Record:
    """A record of the file by column, and the line that it begins on (the header is line 1)."""

    line: int
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that is none: its line, and why."""

    line: int
    reason: str


class Records:
    """The records of an open file, in order. Not safe to read from two threads at once."""

    def __init__(self, file: TextIO, column_map: ColumnMap) -> None:
        # Strict: a lenient reader would take the rest of a file that was cut off for one huge cell.
        self._reader = csv.reader(file, delimiter=column_map.source.delimiter, strict=True)
        self._header = [name.strip() for name in next(self._reader, [])]
        column_map.check_header(self._header)
        self._rest = self._read()

    def take(self, count: int) -> list[Record | Unreadable]:
        """The next `count`; fewer at the end."""
        return list(islice(self._rest, count))

    def count(self) -> int:
        """How many there are from here on; they are read."""
        return sum(1 for _ in self._rest)

    def _read(self) -> Iterator[Record | Unreadable]:
        while True:
            line = self._reader.line_num + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Unreadable(line, f"not readable as CSV: {error}")
                continue
            if len(cells) == len(self._header):
                yield Record(line, dict(zip(self._header, cells, strict=True)))
            elif cells:
                yield Unreadable(line, f"has {len(cells)} cells where the header has {len(self._header)}")


def open_records(path: Path, column_map: ColumnMap) -> tuple[TextIO, Records]:
    """The open file, for the caller to close, and its records.

    Raises:
        ImportRefused: it cannot be read, or its columns are not those of the map.
    """
    try:
        file = path.open(encoding=column_map.source.encoding, newline="")
    except OSError as error:
        raise ImportRefused([f"{path}: {error.strerror}"]) from None
    try:
        return file, Records(file, column_map)
    except BaseException as error:
        file.close()
        if isinstance(error, UnicodeDecodeError):
            raise _wrong_encoding(path, column_map, error) from None
        if isinstance(error, csv.Error):
            raise ImportRefused([f"{path}: the first line cannot be read: {error}"]) from None
        raise


def count_records(path: Path, column_map: ColumnMap) -> int:
    """How many records the file has, the unreadable ones included; it is read through to the end.

    Raises:
        ImportRefused: as for `open_records`, or some of it is in another encoding than the map says.
    """
    file, records = open_records(path, column_map)
    with file:
        try:
            return records.count()
        except UnicodeDecodeError as error:
            raise _wrong_encoding(path, column_map, error) from None


def _wrong_encoding(path: Path, column_map: ColumnMap, error: UnicodeDecodeError) -> ImportRefused:
    encoding = column_map.source.encoding
    return ImportRefused([f"{path}: not all of it is {encoding} ({error.reason}); set source.encoding in the map"])
