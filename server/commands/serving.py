"""Running the server, and one round of what it does by itself."""

import asyncio
from functools import partial
from typing import Annotated, Any

import typer

from server.app import create_app
from server.commands.common import console, desk, the_settings
from server.commands.data import load_demo_world, migrate_database
from server.commands.welcome import welcome
from server.settings import Settings
from server.sweeps import sweep_once
from server.transport import uvicorn_server
from server.transport.uvicorn_server import DrainingServer
from server.transport.workers import run_workers


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of CASEWIRE_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, instead of CASEWIRE_PORT or PORT.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that share the port; see CASEWIRE_BROADCAST_URL.")] = 1,
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
    if workers > 1:
        run_workers(workers, partial(server_of_worker, host, port), **transport_of(settings))
        return
    casewire = create_app(settings)
    uvicorn_server.run(
        casewire.app, sockets=casewire.sockets, drain_seconds=settings.drain_seconds, **transport_of(settings)
    )


def server_of_worker(host: str | None, port: int | None) -> DrainingServer:
    """The server of one of several processes, with the same settings as the others."""
    settings = the_settings(host=host, port=port)
    casewire = create_app(settings)
    config = uvicorn_server.configure(casewire.app, **transport_of(settings))
    return DrainingServer(config, casewire.sockets, settings.drain_seconds)


def transport_of(settings: Settings) -> dict[str, Any]:
    return {
        "host": settings.host,
        "port": settings.port,
        "log_level": settings.log_level,
        "max_message_bytes": settings.max_message_bytes,
        "trusted_proxies": list(settings.trusted_proxies),
    }


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
