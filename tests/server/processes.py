"""Processes of the product: the command line run in a process of its own, a server among them, to be killed and rung.

A new interpreter takes seconds to import everything. So there is one, from which each process is forked at once.
"""

import asyncio
import multiprocessing
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx2

from tests.server.running import SECRET, http

STARTS_WITHIN = 45.0
"""Seconds; the first process waits for the imports."""


@cache
def context() -> ForkServerContext:
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(["server.commands"])
    return made


def variables(database_url: str, folder: Path, **more: str) -> dict[str, str]:
    given = {"ENV": "test", "SECRET_KEY": SECRET, "DATABASE_URL": database_url, "DATA_DIR": str(folder), **more}
    return {f"CASEWIRE_{name}": value for name, value in given.items()}


def free_port() -> int:
    """A port below those that the system hands out by itself."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as attempt:
            try:
                attempt.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


@dataclass(slots=True)
class Done:
    code: int | None
    output: str


async def command(environment: Mapping[str, str], folder: Path, *words: str) -> Done:
    """Run `python -m server` with these words, to its end; both outputs are one text."""
    process, output = begin(environment, folder, *words)
    try:
        async with asyncio.timeout(STARTS_WITHIN):
            await asyncio.to_thread(process.join)
    finally:
        process.kill()
    return Done(process.exitcode, output.read_text())


def begin(environment: Mapping[str, str], folder: Path, *words: str) -> tuple[BaseProcess, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / f"output-{random.randrange(10**9)}"
    process = context().Process(target=_main, args=(dict(environment), str(folder), str(output), words), daemon=True)
    process.start()
    return process, output


def _main(environment: dict[str, str], folder: str, output: str, words: tuple[str, ...]) -> None:
    """What `python -m server` does, with its output in a file and in a folder without any `.env`."""
    opened = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(opened, 1)
    os.dup2(opened, 2)
    for name in [name for name in os.environ if name.startswith("CASEWIRE_") or name == "PORT"]:
        del os.environ[name]
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["server", *words]
    from server.commands import app

    app(list(words), prog_name="python -m server")


@dataclass(slots=True)
class Server:
    """A server process, which can be killed and started again on the same port."""

    environment: dict[str, str]
    folder: Path
    port: int
    process: BaseProcess | None = None
    output: Path | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        self.process, self.output = self.begin()
        async with asyncio.timeout(STARTS_WITHIN), http(self.address) as client:
            while not await self._ready(client):
                assert self.process.is_alive(), self.said()
                await asyncio.sleep(0.05)

    def begin(self) -> tuple[BaseProcess, Path]:
        return begin(self.environment, self.folder, "serve", "--port", str(self.port))

    def said(self) -> str:
        """The lines of its log since it was last started."""
        return self.output.read_text() if self.output else ""

    async def _ready(self, client: httpx2.AsyncClient) -> bool:
        try:
            return (await client.get("/readyz")).status_code == 200
        except httpx2.TransportError:
            return False

    async def kill(self, how: int = signal.SIGKILL) -> int | None:
        """End it, by default as the power does; returns what it ended with."""
        if self.process is not None and self.process.pid is not None:
            if self.process.is_alive():
                os.kill(self.process.pid, how)
            async with asyncio.timeout(STARTS_WITHIN):
                await asyncio.to_thread(self.process.join)
            return self.process.exitcode
        return None


@asynccontextmanager
async def server_process(environment: dict[str, str], folder: Path) -> AsyncIterator[Server]:
    server = Server(environment, folder, free_port())
    try:
        await server.start()
        yield server
    finally:
        await server.kill()
