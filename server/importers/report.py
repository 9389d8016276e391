"""What an import could not take: a CSV file with line, key, outcome and reason."""

import csv
from pathlib import Path
from typing import Self, TextIO

from server.importers.column_map import ImportRefused

HEADER = ("line", "key", "outcome", "reason")


class Report:
    """Written as the import goes on, so that one that is cut off leaves what it knew. Without a line there is no file.

    Raises:
        ImportRefused: the file cannot be written, or it is the one that the report is about.
    """

    def __init__(self, path: Path, *, about: Path) -> None:
        if path.resolve() == about.resolve():
            raise ImportRefused([f"the report {path} would overwrite the file itself"])
        self.path = path
        self.lines = 0
        try:
            self._file: TextIO = path.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise ImportRefused([f"the report {path}: {error.strerror}"]) from None
        self._writer = csv.writer(self._file)
        self._writer.writerow(HEADER)

    def add(self, line: int, key: str, outcome: str, reason: str) -> None:
        self.lines += 1
        self._writer.writerow((line, key, outcome, reason))

    def flush(self) -> None:
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if not self.lines:
            self.path.unlink(missing_ok=True)
