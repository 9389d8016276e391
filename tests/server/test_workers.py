"""Several processes behind one port: what a single one does at SIGTERM, each of them does."""

import asyncio
import os
import re
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

import models
from models.database import open_database
from server.auth import mint_access_token
from tests.databases import fresh_database
from tests.factories import make_staff
from tests.server.processes import STARTS_WITHIN, free_port, variables
from tests.server.running import Socket, open_socket, settings_for

pytestmark = pytest.mark.anyio

SOCKETS = 30
DRAIN = 2.0


async def started(output: Path, workers: int) -> list[int]:
    """Waits until that many processes serve: their ids."""
    begun = "Application startup complete"
    async with asyncio.timeout(STARTS_WITHIN):
        while said(output).count(begun) < workers:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.1)
    return [int(pid) for pid in re.findall(r"Started server process \[(\d+)\]", said(output))]


def said(output: Path) -> str:
    return output.read_text()


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def test_workers_let_their_sockets_go_one_by_one_and_end(tmp_path: Path) -> None:
    output, port = tmp_path / "output", free_port()
    async with fresh_database("sqlite", tmp_path) as url:
        async with open_database(url):
            sam: models.User = await make_staff(name="Sam")
        given = variables(url, tmp_path, DRAIN_SECONDS=f"{DRAIN}", LOG_LEVEL="info")
        environment = {**{k: v for k, v in os.environ.items() if not k.startswith("CASEWIRE_")}, **given}
        with output.open("w") as log:
            words = ("-m", "server", "serve", "--workers", "2", "--port", f"{port}")
            server = await asyncio.create_subprocess_exec(
                sys.executable, *words, env=environment, stdout=log, stderr=log, stdin=asyncio.subprocess.DEVNULL
            )
        try:
            pids = await started(output, 2)
            token = mint_access_token(settings_for(url, tmp_path), sam.id)
            async with AsyncExitStack() as stack:
                address = f"127.0.0.1:{port}"
                sockets = [await stack.enter_async_context(open_socket(address, token)) for _ in range(SOCKETS)]

                server.send_signal(signal.SIGTERM)
                ends = await asyncio.gather(*(end_of(socket) for socket in sockets))
                async with asyncio.timeout(DRAIN + 15):
                    code = await server.wait()
        finally:
            if server.returncode is None:
                server.kill()
                await server.wait()

    assert code == 0, said(output)
    assert {code for code, _ in ends} == {1012}
    moments = sorted(moment for _, moment in ends)
    assert DRAIN / 2 < moments[-1] - moments[0] < DRAIN + 5
    assert (len(pids), [pid for pid in pids if is_running(pid)]) == (2, [])


async def end_of(socket: Socket) -> tuple[int | None, float]:
    code = await socket.closed()
    return code, asyncio.get_running_loop().time()
