"""A list of tickets for spreadsheets: UTF-8 with its mark, so that they know it, and lines as RFC 4180 ends them."""

import csv
from collections.abc import Iterator
from io import TextIOWrapper
from typing import BinaryIO

from domain.exporting import cell
from server.exports.manner import Manner, Record


def write_csv(manner: Manner, head: Record, items: Iterator[Record], out: BinaryIO) -> None:
    text = TextIOWrapper(out, encoding="utf-8-sig", newline="")
    table = csv.writer(text)
    table.writerow(head["columns"])
    for item in items:
        table.writerows(map(said, row) for row in item["rows"])
    text.flush()
    text.detach()


def said(value: str | bool | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return cell(value or "")
