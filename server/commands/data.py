"""The database: its tables, and a world to try things in."""

import asyncio

from models.database import open_database
from models.migrate import MigrationRefused
from models.migrate import migrate as apply_migrations
from resolvers.catalog import ship_request_types
from resolvers.context import utc_now
from server.auth import Passwords
from server.commands.common import console, desk, fail, the_settings
from server.commands.welcome import log_ins
from server.demo import DemoRefused, DemoSummary, load_demo
from server.settings import Settings


def migrate() -> None:
    """Bring the database's tables up to date. Safe to run again, and from several machines at once."""
    asyncio.run(migrate_database(the_settings()))


def demo() -> None:
    """Load a believable world: organizations, people of every role, tickets in every state. Not in production."""
    settings = the_settings()
    asyncio.run(migrate_database(settings))
    log_ins(asyncio.run(load_demo_world(settings)))


async def migrate_database(settings: Settings) -> None:
    try:
        applied = await apply_migrations(settings.database_url, report=lambda line: console.print(line, markup=False))
    except MigrationRefused as error:
        raise fail(str(error)) from None
    if not applied:
        console.print("The database is up to date.")
    async with open_database(settings.database_url):
        if await ship_request_types():
            console.print("Request types are entered that tickets can be opened with; change them as you need.")


async def load_demo_world(settings: Settings) -> DemoSummary:
    passwords = Passwords()
    try:
        async with desk(settings) as services:
            return await load_demo(services, passwords, utc_now(), settings=settings)
    except DemoRefused as error:
        raise fail(str(error)) from None
    finally:
        passwords.close()
