"""Load over HTTP from a process of its own: a number of connections, each of which asks again when it is answered.

`run_load` starts it and takes its report. It sends ready-made bytes and reads lengths, so that it stays far below one
core while a server uses a whole one; its own processor time is in the report.
"""

import asyncio
import json
import subprocess
import sys
import time
from array import array
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import uvloop

from bench.processes import ROOT

WARM_UP = 0.3
"""Seconds before the measurement begins, and as many requests as come in them."""

LEAST, LONGEST = 40, 20.0
"""A slow server is measured on until it has answered so many requests, but not for more than so many seconds."""


def request_bytes(path: str, body: dict[str, Any], token: str) -> str:
    text = json.dumps(body, ensure_ascii=True)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(text)}\r\n\r\n"
    )
    return head + text


@dataclass
class LoadReport:
    requests: int
    failures: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu_seconds: float
    """Of the process that makes the load."""


class Load:
    """A load that is under way; `begun` and `report` are the two edges between which a server is looked at."""

    def __init__(self, port: int, requests: list[str], *, connections: int, seconds: float) -> None:
        self._seconds = seconds
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.load"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin
        spec = {"port": port, "requests": requests, "connections": connections, "seconds": seconds}
        self._process.stdin.write(json.dumps(spec) + "\n")
        self._process.stdin.flush()

    def begun(self) -> None:
        """Waits until the warm-up is over."""
        self._line()

    def report(self) -> LoadReport:
        return LoadReport(**json.loads(self._line()))

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load generator ended early")
        return line


class Connection(asyncio.Protocol):
    def __init__(self, requests: list[bytes], first: int, tally: "Tally") -> None:
        self._requests, self._next, self._tally = requests, first, tally
        self._buffer = b""
        self._began = 0.0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        length = answer_length(self._buffer)
        if length is None or len(self._buffer) < length:
            return
        good = self._buffer.startswith(b"HTTP/1.1 200") and b'"errors":[{' not in self._buffer
        self._buffer = self._buffer[length:]
        self._tally.answered(good, time.perf_counter() - self._began)
        if not self._tally.over:
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._tally.over:
            self._tally.failures += 1

    def _ask(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self._requests[self._next % len(self._requests)])
        self._next += 1


def answer_length(buffer: bytes) -> int | None:
    """How long the answer at the start of the buffer is; None while that is not known."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = buffer[:end].lower()
    at = head.find(b"content-length:")
    if at >= 0:
        return end + 4 + int(head[at + 15 : end].partition(b"\r\n")[0])
    last = buffer.find(b"\r\n0\r\n\r\n", end)
    return None if last < 0 else last + 7


class Tally:
    def __init__(self) -> None:
        self.over = False
        self.restart()

    def restart(self) -> None:
        self.requests = self.failures = 0
        self.times = array("d")
        self.enough = asyncio.Event()

    def answered(self, good: bool, seconds: float) -> None:
        self.requests += 1
        self.failures += not good
        self.times.append(seconds)
        if self.requests == LEAST:
            self.enough.set()

    def quantile_ms(self, part: float) -> float:
        ordered = sorted(self.times)
        return 1000 * ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else float("nan")


async def drive(spec: dict[str, Any]) -> None:
    tally = Tally()
    requests = [each.encode() for each in spec["requests"]]
    loop = asyncio.get_running_loop()
    transports = []
    for n in range(spec["connections"]):
        transport, _ = await loop.create_connection(
            lambda n=n: Connection(requests, n, tally),  # type: ignore[misc]
            "127.0.0.1",
            spec["port"],
        )
        transports.append(transport)
    await asyncio.sleep(WARM_UP)
    print("begun", flush=True)
    tally.restart()
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.sleep(spec["seconds"])
    with suppress(TimeoutError):
        async with asyncio.timeout(LONGEST):
            await tally.enough.wait()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    tally.over = True
    report = {"requests": tally.requests, "failures": tally.failures, "seconds": seconds, "cpu_seconds": cpu}
    print(json.dumps({**report, "p50_ms": tally.quantile_ms(0.5), "p99_ms": tally.quantile_ms(0.99)}), flush=True)
    for transport in transports:
        transport.abort()


if __name__ == "__main__":
    uvloop.run(drive(json.loads(sys.stdin.readline())))
