"""Casewire itself: the application and server of the product, and three more routes.

`POST /bench/ring` says that another process has written to the log, as the doorbell of several processes would, so
that delivery can be measured without what posting costs. `GET /bench/statements` gives the SQL executed since it was
asked last, when `BENCH_LISTEN` is set. `GET /bench/stats` gives how often the log was read.
"""

import gc

gc.disable()  # as `python -m server` does until the application is ready

import dataclasses
import os
import sqlite3
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from schema.access import Schema
from server.app import create_app
from server.settings import load_settings
from server.transport import uvicorn_server


def take_guards_off() -> None:
    """Leaves every guarded field open, to see what guarding costs."""
    Schema.get_fields = lambda self, type_definition: type_definition.fields  # type: ignore[method-assign]


def listen() -> list[str]:
    """Collects every statement of every SQLite connection that is opened from now on."""
    heard: list[str] = []

    class Listened(sqlite3.Connection):
        def __init__(self, *given: Any, **options: Any) -> None:
            super().__init__(*given, **options)
            self.set_trace_callback(heard.append)

    connect = sqlite3.connect
    sqlite3.connect = lambda *given, **options: connect(*given, **{"factory": Listened, **options})
    return heard


def main() -> None:
    heard = listen() if os.environ.get("BENCH_LISTEN") else []
    if os.environ.get("BENCH_GUARDS") == "off":
        take_guards_off()
    settings = load_settings()
    casewire = create_app(settings)

    async def ring(request: Request) -> Response:
        casewire.services.hub.ring(orjson.loads(await request.body()))
        return Response(status_code=204)

    async def statements(request: Request) -> Response:
        found, heard[:] = heard[:], []
        return JSONResponse(found)

    async def stats(request: Request) -> Response:
        return JSONResponse(dataclasses.asdict(casewire.services.hub.stats))

    casewire.app.router.routes += [
        Route("/bench/stats", stats),
        Route("/bench/ring", ring, methods=["POST"]),
        Route("/bench/statements", statements),
    ]
    uvicorn_server.run(
        casewire.app,
        sockets=casewire.sockets,
        host=settings.host,
        port=settings.port,
        drain_seconds=0,
        log_level=settings.log_level,
    )


if __name__ == "__main__":
    main()
