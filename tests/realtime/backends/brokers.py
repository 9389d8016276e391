"""What carries a doorbell in these tests: shared servers, ones of our own to kill and freeze, one that says nothing."""

import asyncio
import os
import shutil
import signal
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import asyncpg
import pytest
from broadcaster import Broadcast
from broadcaster._base import Subscriber

from realtime.backends import make_broadcast
from realtime.backends.postgres import APPLICATION
from realtime.backends.reconnecting import ReconnectingBackend
from realtime.hub import Hub
from realtime.line import RESYNC
from tests.realtime.conftest import MakeHub, make_silent_hub
from tests.realtime.support import PATIENCE, Store


@dataclass(frozen=True)
class Broker:
    url: str
    backend: type[ReconnectingBackend]


@dataclass(frozen=True)
class Breakable:
    """A broker and a way to end the connections that listen to it."""

    url: str
    cut: Callable[[], Awaitable[None]]


class RedisServer:
    """A server of the test's own, which keeps nothing."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self._folder = folder
        self._options = options or ("--port", str(self.port))
        self._process: Process | None = None

    async def start(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            unavailable("no redis-server to start")
        keep_nothing = ("--save", "", "--appendonly", "no")
        self._process = await asyncio.create_subprocess_exec(
            program, *self._options, "--bind", "127.0.0.1", *keep_nothing, cwd=self._folder, stdout=DEVNULL
        )
        async with asyncio.timeout(PATIENCE):
            while not await answers(self.port):
                assert self._process.returncode is None, "the server ended at once"
                await asyncio.sleep(0.01)

    async def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            async with asyncio.timeout(PATIENCE):
                await process.wait()

    async def restart(self) -> None:
        await self.kill()
        await self.start()

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)


@asynccontextmanager
async def mute_server() -> AsyncIterator[tuple[int, list[asyncio.StreamWriter]]]:
    """The port of a server that takes connections and never says a word, and the connections it has taken."""
    taken: list[asyncio.StreamWriter] = []

    async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(writer)

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], taken
    finally:
        server.close()
        for writer in taken:
            writer.close()


async def cut_in_postgres(database: str, doing: str) -> int:
    """End the doorbell's connections whose last statement contains `doing`; returns how many there were."""
    conn = await asyncpg.connect(host="127.0.0.1", user="postgres", database=database, timeout=3)
    try:
        rows = await conn.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = $1 AND datname = $2 AND query LIKE '%' || $3 || '%'",
            APPLICATION,
            database,
            doing,
        )
    finally:
        await conn.close()
    return len(rows)


@asynccontextmanager
async def listening(url: str, channel: str) -> AsyncIterator[tuple[Broadcast, Subscriber]]:
    """A process that listens for sure: the server has confirmed it."""
    broadcast = make_broadcast(url)
    await broadcast.connect()
    try:
        async with broadcast.subscribe(channel) as subscriber:
            assert await hear(subscriber) == RESYNC
            yield broadcast, subscriber
    finally:
        await broadcast.disconnect()


async def two_processes(store: Store, make_hub: MakeHub, url: str) -> tuple[Hub, Hub]:
    """Two hubs that look for nothing by themselves, and whose doorbells are not rebuilt during the test."""
    other_reader = store.another_reader()
    here = await make_silent_hub(make_hub, doorbell_url=url, canary=30)
    there = await make_silent_hub(make_hub, lambda: other_reader, doorbell_url=url, canary=30)
    return here, there


async def hear(subscriber: Subscriber) -> str:
    async with asyncio.timeout(PATIENCE):
        return (await subscriber.get()).message


async def answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def unavailable(reason: str) -> NoReturn:
    """Skip the test; where all servers have to be there, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
