"""Writes one file: records come in as lines of JSON, the file goes out. Started by `server.exports.process`.

It has no database, no settings and no secrets; it sees what it is sent and nothing else. It yields to whatever else the
machine has to do, and ends when nobody sends any more.
"""

import contextlib
import os
import resource
import sys
from collections.abc import Callable, Iterator
from typing import BinaryIO

import orjson

from server.exports.manner import Manner, Record

MOST_MEMORY = 2 * 1024**3
"""Bytes of addresses; a document of ten thousand pages takes a tenth of it."""

Write = Callable[[Manner, Record, Iterator[Record], BinaryIO], None]


def writer_of(format: str) -> Write:
    """Each is imported when it is wanted: what a document is drawn with takes a while."""
    match format:
        case "PDF":
            from server.exports.document import write_document

            return write_document
        case "CSV":
            from server.exports.csv_file import write_csv

            return write_csv
        case "XLSX":
            from server.exports.xlsx_file import write_xlsx

            return write_xlsx
        case "TXT":
            from server.exports.text_file import write_text

            return write_text
        case _:
            from server.exports.json_file import write_json

            return write_json


def main() -> None:
    with contextlib.suppress(OSError, ValueError):
        os.nice(10)
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    records = map(orjson.loads, sys.stdin.buffer)
    manner = Manner(**next(records))
    head = next(records)
    with open(sys.stdout.fileno(), "wb", closefd=False) as out:
        writer_of(manner.format)(manner, head, records, out)


main()
