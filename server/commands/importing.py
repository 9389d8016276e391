"""Bringing history from an earlier system."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from domain.errors import DomainError
from server.commands.common import complaints, console, desk, fail, the_settings
from server.commands.data import migrate_database
from server.importers.column_map import ImportRefused, load_column_map
from server.importers.csv_import import BATCH_SIZE, ImportSummary, import_csv

importing = typer.Typer(help="Bring history from an earlier system.", no_args_is_help=True)


@importing.callback()
def group() -> None:
    """Bring history from an earlier system."""


@importing.command("csv")
def csv(
    file: Annotated[Path, typer.Argument(help="The file, one ticket a record, with a header line.", dir_okay=False)],
    organization: Annotated[str, typer.Option(help="Whose tickets they are; made where there is none of that name.")],
    column_map: Annotated[
        Path, typer.Option("--map", help="What the columns mean, as TOML; see examples/.", dir_okay=False)
    ],
    report: Annotated[
        Path | None, typer.Option(help="Where to write the records that did not land; beside the file unless given.")
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Records in one transaction.", min=1, max=5000)] = BATCH_SIZE,
) -> None:
    """Import tickets from a CSV file. Run again, it goes on where it stopped, and changes nothing that is there."""
    settings = the_settings()
    asyncio.run(migrate_database(settings))

    async def bring() -> ImportSummary:
        columns = (TextColumn("Importing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        async with desk(settings) as services:
            with Progress(*columns, console=complaints, transient=True) as bar:
                task = bar.add_task("Importing", total=None)
                return await import_csv(
                    file,
                    organization=organization,
                    column_map=load_column_map(column_map),
                    services=services,
                    report_path=report,
                    batch_size=batch_size,
                    progress=lambda done, total: bar.update(task, completed=done, total=total),
                )

    try:
        tell(asyncio.run(bring()))
    except (ImportRefused, DomainError) as error:
        raise fail(str(error)) from None


def tell(summary: ImportSummary) -> None:
    made = " (a new organization)" if summary.organization_created else ""
    console.print(f"{summary.organization}{made}: {summary.created} imported, {summary.unchanged} there already")
    if not summary.created and not summary.changed and not summary.bad:
        console.print("Nothing was changed.")
    if summary.changed:
        console.print(f"{summary.changed} differ from what was imported before and were left as they are")
    if summary.bad:
        console.print(f"{summary.bad} could not be imported")
    if summary.report:
        console.print(f"Lines and reasons: {summary.report}", markup=False)
