"""The process that `bench.watchers` starts: raw sockets, frames taken apart by hand, nothing kept but figures."""

import asyncio
import json
import mmap
import struct
import sys
import time
from array import array
from typing import Any

import uvloop

PER_ADDRESS = 500
"""Sockets from one local address: a server may bound how many it takes from each."""

UPGRADE = (
    "GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)


class Figures:
    def __init__(self, counter: mmap.mmap) -> None:
        self._counter = counter
        self.resets = self.closed = 0
        self.reset()

    def reset(self) -> None:
        self.deliveries = 0
        self.times = array("q")
        self.began = self.last = time.monotonic_ns()
        self.cpu = time.process_time()
        self._counter[:8] = struct.pack("Q", 0)

    def took(self, times: list[int], now: int) -> None:
        self.deliveries += len(times)
        self.times.extend(times)
        self.last = now
        self._counter[:8] = struct.pack("Q", self.deliveries)

    def report(self) -> dict[str, Any]:
        ordered = sorted(self.times)

        def quantile(part: float) -> float:
            return ordered[min(len(ordered) - 1, int(part * len(ordered)))] / 1e6 if ordered else -1.0

        return {
            "deliveries": self.deliveries,
            "seconds": (self.last - self.began) / 1e9,
            "p50_ms": quantile(0.5),
            "p99_ms": quantile(0.99),
            "resets": self.resets,
            "closed": self.closed,
            "cpu_seconds": time.process_time() - self.cpu,
        }


class Watcher(asyncio.Protocol):
    def __init__(self, number: int, spec: dict[str, Any], figures: Figures) -> None:
        self._figures = figures
        self.port = spec["ports"][number % len(spec["ports"])]
        token = spec["tokens"][number % len(spec["tokens"])]
        payload = {"query": spec["document"], "variables": spec["subscriptions"][number]}
        self._init = frame({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
        self._subscribe = frame({"id": f"{number:036d}", "type": "subscribe", "payload": payload})
        self._buffer = b""
        self._upgraded = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(UPGRADE.format(port=self.port).encode())

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        if not self._upgraded:
            head, found, buffer = buffer.partition(b"\r\n\r\n")
            if not found:
                self._buffer = head
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self._fail(head)
                return
            self._upgraded = True
            self._transport.write(self._init)
        self._buffer = self._frames(buffer)

    def _frames(self, buffer: bytes) -> bytes:
        """Takes whole frames off the buffer, and returns the rest."""
        now = time.monotonic_ns()
        times: list[int] = []
        at, size = 0, len(buffer)
        while size - at >= 2:
            length, start = buffer[at + 1], at + 2
            if length == 126 and size - at >= 4:
                length, start = int.from_bytes(buffer[at + 2 : at + 4], "big"), at + 4
            elif length >= 126:
                break
            end = start + length
            if end > size:
                break
            posted = buffer.find(b'"t=', start, end)
            if posted >= 0:
                times.append(now - int(buffer[posted + 3 : posted + 23]))
            else:
                self._other(buffer[at] & 15, buffer[start:end])
            at = end
        if times:
            self._figures.took(times, now)
        return buffer[at:]

    def _other(self, opcode: int, payload: bytes) -> None:
        if opcode == 9:
            self._transport.write(bytes((0x8A, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
        elif opcode == 8 or b'"type":"error"' in payload or b'"errors"' in payload:
            self._fail(payload)
        elif b"connection_ack" in payload:
            self._transport.write(self._subscribe)
        elif b"StreamReset" in payload:
            self._figures.resets += 1
        elif b"StreamCaughtUp" in payload and not self.ready.done():
            self.ready.set_result(None)

    def _fail(self, what: bytes) -> None:
        self._figures.closed += 1
        if not self.ready.done():
            self.ready.set_exception(RuntimeError(what[:300].decode(errors="replace")))

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(b"the connection was lost")


def frame(message: dict[str, Any]) -> bytes:
    """A text frame as clients send it: masked, with a mask that changes nothing."""
    payload = json.dumps(message).encode()
    length = bytes((0x80 | len(payload),)) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
    return b"\x81" + length + b"\0\0\0\0" + payload


async def subscribe_all(spec: dict[str, Any], figures: Figures) -> None:
    loop = asyncio.get_running_loop()
    gate = asyncio.Semaphore(spec["at_a_time"])

    async def one(number: int) -> None:
        async with gate:
            local = (f"127.0.0.{1 + number // PER_ADDRESS}", 0)
            make = Watcher(number, spec, figures)
            await loop.create_connection(lambda: make, "127.0.0.1", make.port, local_addr=local)
            await make.ready

    async with asyncio.timeout(spec["patience"]):
        await asyncio.gather(*(one(number) for number in range(len(spec["subscriptions"]))))


def shared_counter(path: str) -> mmap.mmap:
    with open(path, "r+b") as shared:
        return mmap.mmap(shared.fileno(), 8)


async def main() -> None:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader(limit=1 << 24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    spec = json.loads(await lines.readline())
    figures = Figures(shared_counter(spec["counter"]))
    try:
        await subscribe_all(spec, figures)
    except (RuntimeError, OSError, TimeoutError) as problem:
        print(f"{type(problem).__name__}: {problem}", flush=True)
        return
    print("ready", flush=True)
    while line := await lines.readline():
        if json.loads(line) == "reset":
            figures.reset()
            print("reset", flush=True)
        else:
            print(json.dumps(figures.report()), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
