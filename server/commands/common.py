"""What the commands share: settings that explain themselves, and a running desk without a server."""

import contextlib
from collections.abc import AsyncIterator

import typer
from rich.console import Console

from models.database import open_database
from models.migrate import MigrationRefused, pending
from resolvers.context import Services
from resolvers.transaction import settle
from server.app import services_from
from server.logs import set_up_logs
from server.setting_errors import SettingsError
from server.settings import Settings, load_settings

console = Console(soft_wrap=True, highlight=False)
complaints = Console(stderr=True, soft_wrap=True, highlight=False)


def the_settings(**overrides: object) -> Settings:
    """The settings of this run; a wrong one is named, with what was expected, and the command ends with 2."""
    try:
        settings = load_settings(**{name: value for name, value in overrides.items() if value is not None})
    except SettingsError as error:
        complaints.print("[red]These settings cannot be used:[/]")
        for problem in error.problems:
            complaints.print(f"  {problem}", markup=False)
        raise typer.Exit(2) from None
    set_up_logs(settings)
    return settings


def fail(message: str) -> typer.Exit:
    """`raise fail(…)`: say why, and end with 1."""
    complaints.print(message, style="red", markup=False)
    return typer.Exit(1)


async def check_migrated(settings: Settings) -> None:
    """End the command, saying what to do, where the database's tables are not those of this version."""
    try:
        waiting = await pending(settings.database_url)
    except MigrationRefused as error:
        raise fail(str(error)) from None
    if waiting:
        raise fail("The database is not up to date. Run `python -m server migrate` first.")


@contextlib.asynccontextmanager
async def desk(settings: Settings) -> AsyncIterator[Services]:
    """The database open and the hub ringing, for a command that reads or writes."""
    await check_migrated(settings)
    services = services_from(settings)
    async with open_database(settings.database_url):
        await services.hub.start()
        try:
            yield services
        finally:
            await settle()
            await services.hub.stop()
