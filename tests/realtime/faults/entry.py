"""A process of the product as the fault suite starts it: the same command, with what the test breaks broken before.

Nothing in the product knows of this. `FAULTS_MUTANT` names a safeguard to take out (`mutants.py`), `FAULTS_NOISE`
makes doorbells lose, double, delay and make up messages (`noise.py`), `FAULTS_CLOCK` lets the wall clock jump.
`FAULTS_MAX_LAG` and `FAULTS_SEND_BUFFER` make a client slow sooner: events it may be behind, bytes the system takes for
it. A server has one route more, `/faults/stats`.
"""

import dataclasses
import os
import random
import socket
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from unittest import mock

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import server.app
from server.app import Casewire, create_app
from server.commands import app
from server.settings import Settings
from server.transport import uvicorn_server
from tests.realtime.faults import mutants, noise
from tests.server.processes import Server, context
from tests.server.running import http

FARTHEST_JUMP = timedelta(hours=20)
"""Below the shortest window after which something happens to a ticket by itself."""

BETWEEN_JUMPS = 1.0
"""Seconds."""


class JumpingClock:
    """The wall clock of a machine whose time is set forth and back, up to a day, about once a second."""

    def __init__(self) -> None:
        self._off = timedelta()
        self._until = 0.0

    def __call__(self) -> datetime:
        if time.monotonic() >= self._until:
            self._off = random.uniform(-1, 1) * FARTHEST_JUMP
            self._until = time.monotonic() + random.uniform(0, 2 * BETWEEN_JUMPS)
        return datetime.now(UTC) + self._off


def begin(
    environment: Mapping[str, str], folder: Path, run: Callable[..., None], *given: Any
) -> tuple[BaseProcess, Path]:
    """Start `run(*given)` in a process of its own; its output goes to the file that is returned."""
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / f"output-{random.randrange(10**9)}"
    process = context().Process(
        target=_begun, args=(dict(environment), str(folder), str(output), run, given), daemon=True
    )
    process.start()
    return process, output


def _begun(
    environment: dict[str, str], folder: str, output: str, run: Callable[..., None], given: tuple[Any, ...]
) -> None:
    opened = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(opened, 1)
    os.dup2(opened, 2)
    for name in [name for name in os.environ if name.startswith(("CASEWIRE_", "FAULTS_")) or name == "PORT"]:
        del os.environ[name]
    os.environ.update(environment)
    os.chdir(folder)
    break_what_is_to_be_broken()
    run(*given)


def break_what_is_to_be_broken() -> None:
    """Patches stay for the life of the process."""
    if name := os.environ.get("FAULTS_MUTANT"):
        mutants.MUTANTS[name].apply()
    if os.environ.get("FAULTS_NOISE"):
        noise.apply()
    if os.environ.get("FAULTS_CLOCK"):
        mock.patch("server.app.utc_now", JumpingClock()).start()
    if lag := os.environ.get("FAULTS_MAX_LAG"):
        mock.patch("server.app.Hub", partial(server.app.Hub, max_lag=int(lag))).start()
    if size := os.environ.get("FAULTS_SEND_BUFFER"):
        mock.patch.object(uvicorn_server, "listen", partial(listen_with, uvicorn_server.listen, int(size))).start()


def listen_with(listen: Callable[[uvicorn.Config], socket.socket], size: int, config: uvicorn.Config) -> socket.socket:
    listening = listen(config)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
    return listening


def create_app_with_stats(settings: Settings) -> Casewire:
    casewire = create_app(settings)

    async def stats(request: Request) -> Response:
        return JSONResponse(dataclasses.asdict(casewire.services.hub.stats))

    casewire.app.router.routes.append(Route("/faults/stats", stats))
    return casewire


def serve(port: int) -> None:
    """What `python -m server serve --port …` does."""
    words = ["serve", "--port", str(port)]
    sys.argv = ["server", *words]
    mock.patch("server.commands.serving.create_app", create_app_with_stats).start()
    app(words, prog_name="python -m server")


@dataclasses.dataclass(slots=True)
class FaultyServer(Server):
    """A server process of the suite."""

    def begin(self) -> tuple[BaseProcess, Path]:
        return begin(self.environment, self.folder, serve, self.port)

    async def stats(self) -> dict[str, int]:
        """What its hub has counted since it was started: see `realtime.reader.Stats`."""
        async with http(self.address) as client:
            answer: dict[str, int] = (await client.get("/faults/stats")).json()
        return answer

    def most_memory(self) -> int:
        """The largest resident size since it was forgotten last, in bytes."""
        return self._status("VmHWM")

    def forget_most_memory(self) -> None:
        assert self.process is not None
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def memory(self) -> int:
        return self._status("VmRSS")

    def _status(self, name: str) -> int:
        assert self.process is not None
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        (found,) = [line for line in lines if line.startswith(name)]
        return int(found.split()[1]) * 1024
