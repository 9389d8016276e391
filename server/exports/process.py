"""A process of its own that writes a file, so that drawing pages holds up nobody's chat.

It is sent one record after another and takes the next when it has written the last; so neither side holds more than a
few. What it writes goes into a file that has no name, and what it puts aside meanwhile into a folder that is removed
with it: nothing is left behind, however it ends.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

import orjson

ROOT = Path(__file__).resolve().parents[2]
LONGEST_COMPLAINT = 2_000
PIPE = 64 * 1024


class NotWritten(Exception):
    """The process ended before the file was whole; what it said is in the message."""


class FileWriter:
    """Takes records; `finish` waits until the file is whole."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def send(self, record: Any) -> None:
        """
        Raises:
            NotWritten: nobody takes it.
        """
        assert self._process.stdin
        try:
            self._process.stdin.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            await self.finish()

    async def finish(self) -> None:
        """
        Raises:
            NotWritten: it did not work.
        """
        assert self._process.stdin
        self._process.stdin.close()
        complaint = await self._complaint()
        if code := await self._process.wait():
            raise NotWritten(f"ended with {code}: {complaint.decode(errors='replace')[-LONGEST_COMPLAINT:]}")

    async def _complaint(self) -> bytes:
        assert self._process.stderr
        return await self._process.stderr.read()


@asynccontextmanager
async def file_writer(out: IO[bytes]) -> AsyncIterator[FileWriter]:
    """A process that writes into `out`; it is gone at the end in any case."""
    with tempfile.TemporaryDirectory(prefix="casewire-export-") as aside:
        async with _started(out, aside) as process:
            yield FileWriter(process)


@asynccontextmanager
async def _started(out: IO[bytes], aside: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "server.exports",
        stdin=asyncio.subprocess.PIPE,
        stdout=out,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        | {"LANG": "C.UTF-8", "TMPDIR": aside},
        limit=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
