"""Watchers from a process of its own: any number of sockets that subscribe over graphql-transport-ws and count.

Each message posted carries the instant it was posted at, `t=` and twenty digits of the monotonic clock that all
processes of a machine share; a watcher takes the difference. How many have been delivered is in a small shared file,
so that whoever posts can keep a bounded number under way.
"""

import json
import mmap
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any

from bench.processes import ROOT


def stamp() -> str:
    return f"t={time.monotonic_ns():020d}"


@dataclass
class WatchReport:
    deliveries: int
    seconds: float
    """From the reset to the last delivery."""
    p50_ms: float
    p99_ms: float
    resets: int
    closed: int
    cpu_seconds: float


class Watchers:
    """The process of watchers; `subscriptions` are the variables of one watcher each, `tokens` and `ports` are used in
    turn. `at_a_time` of them subscribe together, and all have caught up within `patience` seconds."""

    def __init__(
        self,
        port: int | list[int],
        document: str,
        subscriptions: list[dict[str, Any]],
        tokens: list[str],
        *,
        at_a_time: int = 50,
        patience: float = 120.0,
    ) -> None:
        self._shared = tempfile.NamedTemporaryFile()  # noqa: SIM115  (closed in `close`)
        self._shared.truncate(8)
        self._counter = mmap.mmap(self._shared.fileno(), 8)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.watching"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        spec = {"document": document, "subscriptions": subscriptions, "tokens": tokens, "counter": self._shared.name}
        ports = [port] if isinstance(port, int) else port
        self._say({**spec, "ports": ports, "at_a_time": at_a_time, "patience": patience})
        if (answer := self._line()) != "ready":
            raise RuntimeError(f"the watchers could not subscribe: {answer}")

    @property
    def delivered(self) -> int:
        """Since the last reset."""
        found: int = struct.unpack("Q", self._counter[:8])[0]
        return found

    def reset(self) -> None:
        self._say("reset")
        self._line()

    def report(self) -> WatchReport:
        self._say("report")
        return WatchReport(**json.loads(self._line()))

    def wait_for(self, deliveries: int, *, timeout: float) -> bool:
        """Whether there have been that many in time."""
        deadline = time.monotonic() + timeout
        while self.delivered < deliveries:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        return True

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._counter.close()
        self._shared.close()

    def _say(self, line: Any) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()

    def _line(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline().strip()
        if not line:
            raise RuntimeError("the watchers' process ended early")
        return line
