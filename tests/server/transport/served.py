"""The endpoint on a real server of its own, on a free port of this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute

from server.transport.endpoint import Endpoint
from server.transport.sockets import Sockets
from server.transport.uvicorn_server import DrainingServer, configure, listen
from tests.server.transport.support import Wire, make_endpoint, within


class Running:
    def __init__(self, server: DrainingServer, port: int) -> None:
        self.server = server
        self.port = port

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx2.AsyncClient]:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{self.port}") as client:
            yield client

    @asynccontextmanager
    async def wire(self, *, protocol: str = "graphql-transport-ws", **headers: str) -> AsyncIterator[Wire]:
        address = f"ws://127.0.0.1:{self.port}/graphql"
        async with (
            self.client() as client,
            client.websocket(
                address,
                subprotocols=[protocol],
                headers={"sec-websocket-extensions": "permessage-deflate", **headers},
            ) as session,
        ):
            yield Wire(session)


@asynccontextmanager
async def running(
    endpoint: Endpoint | None = None, *, drain_seconds: float = 0.0, ping: float = 20.0
) -> AsyncIterator[Running]:
    found: Any = endpoint or make_endpoint(sockets=Sockets())
    routes = [Route("/graphql", found), WebSocketRoute("/graphql", found)]
    async with serving(Starlette(routes=routes), found.sockets, drain_seconds=drain_seconds, ping=ping) as app:
        yield app


@asynccontextmanager
async def serving(
    app: Any, sockets: Sockets, *, drain_seconds: float = 0.0, ping: float = 20.0
) -> AsyncIterator[Running]:
    config = configure(app, host="127.0.0.1", port=0, log_level="critical")
    config.ws_ping_interval = config.ws_ping_timeout = ping
    server = DrainingServer(config, sockets, drain_seconds)
    listening = listen(config)
    serving = asyncio.create_task(server.serve([listening]))
    try:
        while not server.started:
            await asyncio.sleep(0.01)
            assert not serving.done()
        yield Running(server, listening.getsockname()[1])
    finally:
        server.should_exit = True
        await within(serving, 15)


@asynccontextmanager
async def wire_of_our_server(endpoint: Endpoint, **given: str) -> AsyncIterator[Wire]:
    """As `wire`, by the server and the protocol of the product."""
    async with running(endpoint) as app, app.wire(**given) as client:
        yield client
