"""The real application under a real server in the test's own loop, and clients that speak to it over TCP.

Every wait has an end: nothing that a test waits for here may take longer than `PATIENCE`.
"""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

import httpx2
from pydantic import SecretStr
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

import models
import server.app
import server.auth
from domain.enums import Visibility
from realtime.hub import Hub
from resolvers import messages
from resolvers.context import Context
from resolvers.viewers import load_viewer
from server.app import Casewire, create_app
from server.auth import Passwords, mint_access_token
from server.settings import Settings
from server.transport.endpoint import Endpoint
from server.transport.fanout import Fanout
from server.transport.uvicorn_server import DrainingServer, configure, listen
from tests.server.auth.helpers import CHEAP

PATIENCE = 25.0
SECRET = "a secret of the tests, longer than thirty-two bytes"

_key = count(1)


class Ended(AssertionError):
    """The server ended an operation, or its socket, where more was expected."""


def settings_for(url: str, folder: Path, **given: Any) -> Settings:
    """Settings for a database, whatever this machine's environment and `.env` say of the rest."""
    values = {"env": "test", "data_dir": folder, "secret_key": SecretStr(SECRET), "database_url": url, **given}
    with mock.patch.dict(os.environ, clear=True):
        return Settings(**{"_env_file": None, **values})


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - what is waited for is not ours to set an event at
            await asyncio.sleep(0.005)


@dataclass(slots=True)
class Served:
    """A running application. Rows can be written by the models: its database is the open one."""

    casewire: Casewire
    settings: Settings
    server: DrainingServer
    address: str

    @property
    def endpoint(self) -> Endpoint:
        (found,) = [r.endpoint for r in self.casewire.app.routes if isinstance(r, WebSocketRoute)]
        assert isinstance(found, Endpoint)
        return found

    @property
    def fanout(self) -> Fanout:
        assert self.endpoint.fanout is not None
        return self.endpoint.fanout

    def token(self, user: models.User) -> str:
        return mint_access_token(self.settings, user.id)

    @asynccontextmanager
    async def socket(self, user: models.User, **given: Any) -> AsyncIterator["Socket"]:
        async with open_socket(self.address, self.token(user), **given) as opened:
            yield opened

    async def say(self, user: models.User, ticket: models.Ticket, *texts: str, **given: Any) -> list[models.Message]:
        """Write in a ticket the way the API does, and ring for it."""
        viewer = await load_viewer(user.id)
        assert viewer is not None
        context = Context(viewer, self.casewire.services)
        said = []
        for text in texts:
            key = given.pop("key", None) or f"key-{next(_key)}"
            message, _ = await messages.send_message(context, ticket.id, body=text, client_message_id=key, **given)
            said.append(message)
        return said

    async def whisper(self, user: models.User, ticket: models.Ticket, *texts: str) -> None:
        """As `say`, for support alone."""
        await self.say(user, ticket, *texts, visibility=Visibility.INTERNAL)


@asynccontextmanager
async def serving(
    settings: Settings,
    *,
    recheck: float | None = None,
    send_buffer: int | None = None,
    drain_seconds: float = 0.0,
    quiet: bool = False,
) -> AsyncIterator[Served]:
    """The application on a free port. `recheck`: seconds after which access is asked again; `send_buffer`: bytes that
    the system takes for a client that does not read; `quiet`: it looks for nothing that it was not rung for."""
    hub = Hub if recheck is None else partial(Hub, recheck=recheck)
    if quiet:
        hub = partial(hub, sweep_every=3600, sweep_every_when_deaf=3600, poll=3600)
    passwords = partial(Passwords, CHEAP)
    with mock.patch.object(server.app, "Hub", hub), mock.patch.object(server.auth, "Passwords", passwords):
        casewire = create_app(settings)
    config = configure(casewire.app, host="127.0.0.1", port=0, log_level="critical")
    running = DrainingServer(config, casewire.sockets, drain_seconds)
    listening = listen(config)
    if send_buffer is not None:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    serving = asyncio.create_task(running.serve([listening]))
    try:
        await until(lambda: running.started or serving.done())
        assert running.started
        yield Served(casewire, settings, running, f"127.0.0.1:{listening.getsockname()[1]}")
    finally:
        running.should_exit = True
        async with asyncio.timeout(PATIENCE):
            await serving


# --- clients


@asynccontextmanager
async def http(address: str, token: str | None = None, **headers: str) -> AsyncIterator[httpx2.AsyncClient]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token is not None:
        sent["authorization"] = f"Bearer {token}"
    # `verify=False`: there is no TLS here, and loading certificates takes a quarter of a second.
    async with httpx2.AsyncClient(base_url=f"http://{address}", headers=sent, timeout=PATIENCE, verify=False) as client:
        yield client


async def ask(client: httpx2.AsyncClient, document: str, **variables: Any) -> Any:
    """The data of an operation that has no errors."""
    response = await client.post("/graphql", json={"query": document, "variables": variables})
    answer = response.json()
    assert response.status_code == 200, answer
    assert "errors" not in answer, answer
    return answer["data"]


class Watch:
    """One operation of a socket. What has come and was not asked for yet waits in `frames`; None is the end."""

    def __init__(self, socket: "Socket", id: str) -> None:
        self.socket, self.id = socket, id
        self.frames: asyncio.Queue[str | None] = asyncio.Queue()
        self.cursor: str | None = None

    async def frame(self) -> str:
        """The next frame as it came."""
        async with asyncio.timeout(PATIENCE):
            frame = await self.frames.get()
        if frame is None:
            raise Ended(f"the socket is closed: {self.socket.connection.close_code}")
        return frame

    async def message(self) -> Any:
        return json.loads(await self.frame())

    async def next(self) -> Any:
        """The next item; its cursor is the place to resume from."""
        message = await self.message()
        if message["type"] != "next" or message["payload"].get("errors"):
            raise Ended(message)
        (item,) = message["payload"]["data"].values()
        self.cursor = item.get("cursor", self.cursor)
        return item

    async def caught_up(self) -> "Watch":
        item = await self.next()
        assert item["__typename"] == "StreamCaughtUp"
        return self

    async def bodies(self, number: int) -> list[str]:
        return [(await self.next())["message"]["body"] for _ in range(number)]

    async def refused(self) -> list[str]:
        """The codes with which the server ended it."""
        message = await self.message()
        assert message["type"] == "error", message
        return [error["extensions"]["code"] for error in message["payload"]]

    async def stop(self) -> None:
        self.socket.watches.pop(self.id, None)
        await self.socket.send(type="complete", id=self.id)


class Socket:
    """A graphql-transport-ws client that reads at once, unless it is told to `stall`."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.watches: dict[str, Watch] = {}
        self._numbers = count(1)
        self._reads = asyncio.Event()
        self._reads.set()
        self.reading = asyncio.create_task(self._read())

    async def send(self, **message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def watch(self, document: str, *, id: str | None = None, **variables: Any) -> Watch:
        watch = Watch(self, id or str(next(self._numbers)))
        self.watches[watch.id] = watch
        await self.send(type="subscribe", id=watch.id, payload={"query": document, "variables": variables})
        return watch

    def stall(self) -> None:
        """Take nothing more from the network, as a laptop that sleeps."""
        self._reads.clear()
        self.connection.transport.pause_reading()

    def wake(self) -> None:
        self.connection.transport.resume_reading()
        self._reads.set()

    async def closed(self) -> int | None:
        """Waits until the server has closed the socket: the code."""
        async with asyncio.timeout(PATIENCE):
            await self.connection.wait_closed()
        return self.connection.close_code

    async def _read(self) -> None:
        try:
            with suppress(ConnectionClosed):
                while True:
                    await self._reads.wait()
                    frame = await self.connection.recv(decode=True)
                    message = json.loads(frame)
                    if message["type"] == "ping":
                        await self.send(type="pong")
                    elif watch := self.watches.get(message.get("id")):
                        watch.frames.put_nowait(frame)
        finally:
            for watch in self.watches.values():
                watch.frames.put_nowait(None)


@asynccontextmanager
async def open_socket(
    address: str,
    token: str | None = None,
    *,
    receive_buffer: int | None = None,
    headers: Mapping[str, str] | None = None,
    init: Mapping[str, Any] | None = None,
) -> AsyncIterator[Socket]:
    """An acknowledged socket. `receive_buffer`: bytes that the system takes while the client does not read; `init` is
    said in `connection_init` besides the token."""
    given = await _small(address, receive_buffer) if receive_buffer else None
    connection = await connect(
        f"ws://{address}/graphql",
        sock=given,
        subprotocols=[Subprotocol("graphql-transport-ws")],
        compression=None,
        open_timeout=PATIENCE,
        close_timeout=1,
        ping_interval=None,
        additional_headers=headers,
    )
    opened: Socket | None = None
    try:
        payload = {**({"authorization": f"Bearer {token}"} if token else {}), **(init or {})}
        await connection.send(json.dumps({"type": "connection_init", "payload": payload}))
        async with asyncio.timeout(PATIENCE):
            assert json.loads(await connection.recv()) == {"type": "connection_ack"}
        opened = Socket(connection)
        yield opened
    finally:
        if opened is not None:
            opened.reading.cancel()
        connection.transport.abort()
        await connection.wait_closed()


async def _small(address: str, receive_buffer: int) -> socket.socket:
    host, _, port = address.partition(":")
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    await asyncio.get_running_loop().sock_connect(made, (host, int(port)))
    return made
