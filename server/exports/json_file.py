"""A ticket for programs. The shape is documented in docs/export.md, and only ever grows within a version."""

from collections.abc import Iterator
from typing import BinaryIO

import orjson

from server.exports.manner import Manner, Record


def write_json(manner: Manner, head: Record, items: Iterator[Record], out: BinaryIO) -> None:
    """One object: the head's fields, and `timeline` with the items, each on a line of its own."""
    out.write(orjson.dumps(head, option=orjson.OPT_INDENT_2)[:-2])
    out.write(b',\n  "timeline": [')
    for number, item in enumerate(items):
        out.write(b",\n    " if number else b"\n    ")
        out.write(orjson.dumps(item))
    out.write(b"\n  ]\n}\n")
