"""Importing tickets from a CSV file: in batches, again from where it stopped, bad records beside the good ones."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from domain.errors import DomainError
from resolvers.context import Context, Services
from resolvers.imports import COMMAND_LINE, Outcome, import_ticket, organization_named
from resolvers.transaction import Work, work_in_transaction
from server.importers.column_map import ColumnMap
from server.importers.records import Record, Unreadable, count_records, open_records
from server.importers.report import Report
from server.importers.rows import RowReader

BATCH_SIZE = 200
"""Records in one transaction. While it runs, nobody else can be given a ticket number: some seconds would be felt."""

Progress = Callable[[int, int], None]
"""Called with the records dealt with and those that there are."""


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """How an import ended, in records; `report` is the file about the `changed` and the `bad`, if there are any."""

    organization: str
    organization_created: bool
    created: int
    unchanged: int
    changed: int
    bad: int
    report: Path | None


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a record, to be written down once its batch is committed."""

    line: int
    key: str
    outcome: str
    reason: str = ""


async def import_csv(
    path: Path,
    *,
    organization: str,
    column_map: ColumnMap,
    services: Services,
    report_path: Path | None = None,
    batch_size: int = BATCH_SIZE,
    progress: Progress = lambda done, total: None,
) -> ImportSummary:
    """Import the tickets of a CSV file into the organization of that name, which is made where it is missing.

    A batch is committed as a whole; what was committed before an interruption is found again by its keys. A record
    that cannot be taken, and one that differs from what was imported before, stands in the report with its line, by
    default `<name>.report.csv` beside the file. The file is read twice, and never held in memory.

    Raises:
        ImportRefused: the file, the map or the report cannot be used; nothing was written.
        Required, Invalid: the organization's name cannot be stored.
    """
    total = await asyncio.to_thread(count_records, path, column_map)
    ctx = Context(COMMAND_LINE, services)
    counts: Counter[str] = Counter()
    file, records = open_records(path, column_map)
    with file, Report(report_path or path.with_suffix(".report.csv"), about=path) as report:
        found, made = await organization_named(ctx, organization)
        reader = RowReader(column_map, found.id)
        progress(0, total)
        while batch := await asyncio.to_thread(records.take, batch_size):
            for told in await _import_batch(ctx, reader, batch):
                counts[told.outcome] += 1
                if told.reason:
                    report.add(told.line, told.key, told.outcome, told.reason)
            report.flush()
            progress(counts.total(), total)
    return ImportSummary(
        organization=found.name,
        organization_created=made,
        created=counts["created"],
        unchanged=counts["unchanged"],
        changed=counts["changed"],
        bad=counts["bad"],
        report=report.path if report.lines else None,
    )


async def _import_batch(ctx: Context, reader: RowReader, batch: list[Record | Unreadable]) -> list[Told]:
    async def body(work: Work) -> list[Told]:
        return [await _import_one(ctx, reader, record) for record in batch]

    return await work_in_transaction(ctx, body)


async def _import_one(ctx: Context, reader: RowReader, record: Record | Unreadable) -> Told:
    """Import a record inside the batch's transaction; one that is refused leaves no trace in it."""
    if isinstance(record, Unreadable):
        return Told(record.line, "", "bad", record.reason)
    key = reader.key(record.values)
    try:
        _, outcome = await import_ticket(ctx, reader.ticket(record.values))
    except DomainError as error:
        where = f"{'.'.join(error.field)}: " if error.field else ""
        return Told(record.line, key, "bad", where + error.message)
    if outcome is Outcome.CHANGED:
        return Told(record.line, key, outcome.value, "differs from what was imported before; the ticket was left as is")
    return Told(record.line, key, outcome.value)
