"""Looking at things: the schema, the settings, a token for a script."""

import asyncio
from datetime import timedelta
from typing import Annotated

import typer

from models import User
from models.database import open_database
from schema.build import sdl
from server.auth import mint_access_token
from server.commands.common import check_migrated, fail, the_settings
from server.setting_kinds import parse_duration
from server.settings import settings_table


def schema() -> None:
    """Print the GraphQL schema; `make schema` writes it to schema.graphql."""
    typer.echo(sdl(), nl=False)


def settings() -> None:
    """Print every setting with its default and meaning, as Markdown."""
    typer.echo(settings_table())


def token(
    user: Annotated[str, typer.Option(help="The e-mail address of whom it speaks for.")],
    ttl: Annotated[str | None, typer.Option(help="How long it lasts, like 15m or 8h; at most 24h.")] = None,
) -> None:
    """Print a bearer token for a script."""
    current = the_settings()

    async def find() -> User | None:
        await check_migrated(current)
        async with open_database(current.database_url):
            return await User.get_or_none(email=user.strip().lower(), is_active=True)

    found = asyncio.run(find())
    if found is None:
        raise fail(f"There is no active account with the address {user}.")
    try:
        typer.echo(mint_access_token(current, found.id, lifetime(ttl)))
    except ValueError as error:
        raise fail(f"--ttl: {error}") from None


def lifetime(given: str | None) -> timedelta | None:
    """
    Raises:
        ValueError: no duration.
    """
    span = parse_duration(given)
    return span if isinstance(span, timedelta) else None
