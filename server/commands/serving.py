"""Running the server, and one round of what it does by itself."""

import asyncio
from typing import Annotated

import typer

from server.app import create_app
from server.commands.common import console, desk, the_settings
from server.commands.data import load_demo_world, migrate_database
from server.commands.welcome import welcome
from server.sweeps import sweep_once
from server.transport import uvicorn_server


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of CASEWIRE_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, instead of CASEWIRE_PORT or PORT.")] = None,
    with_demo: Annotated[
        bool, typer.Option("--with-demo", help="Migrate first, load the demo world, and say how to begin.")
    ] = False,
) -> None:
    """Serve the API until SIGTERM or Ctrl-C."""
    settings = the_settings(host=host, port=port)
    if with_demo:
        asyncio.run(migrate_database(settings))
        summary = asyncio.run(load_demo_world(settings))
        welcome(settings, summary)
    casewire = create_app(settings)
    uvicorn_server.run(
        casewire.app,
        sockets=casewire.sockets,
        host=settings.host,
        port=settings.port,
        drain_seconds=settings.drain_seconds,
        log_level=settings.log_level,
        max_message_bytes=settings.max_message_bytes,
        trusted_proxies=list(settings.trusted_proxies),
    )


def sweep() -> None:
    """One round of what happens by itself: resolve, close, let old things go. The server does it every 30 seconds."""
    settings = the_settings()

    async def once() -> None:
        async with desk(settings) as services:
            swept = await sweep_once(services, settings)
        console.print(
            f"{swept.resolved} resolved for inactivity, {swept.closed} closed, "
            f"{swept.events_let_go} events let go, {swept.tokens_forgotten} expired tokens forgotten, "
            f"{swept.files_deleted} files deleted"
        )

    asyncio.run(once())
