"""Servers as processes: started, asked what they have used, and ended."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
START_SECONDS = 30.0


class ServerFailed(Exception):
    """A server did not start, or died; the message ends with the last of what it wrote."""


class Process:
    """A server on a port of 127.0.0.1. `extra` are processes that work for it without being its children."""

    def __init__(self, name: str, command: Sequence[str], env: dict[str, str], port: int, log: Path) -> None:
        self.name, self.port = name, port
        self._log = log
        self._began = time.monotonic()
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_listening(self) -> float:
        """Seconds from the start of the process to the first connection it takes.

        Raises:
            ServerFailed: it ended, or took longer than `START_SECONDS`.
        """
        while time.monotonic() - self._began < START_SECONDS:
            self.check_alive()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return time.monotonic() - self._began
            time.sleep(0.005)
        raise ServerFailed(f"{self.name} did not listen within {START_SECONDS:.0f} seconds: {self._last_words()}")

    def check_alive(self) -> None:
        """
        Raises:
            ServerFailed: it has ended.
        """
        if self._process.poll() is not None:
            raise ServerFailed(f"{self.name} ended with {self._process.returncode}: {self._last_words()}")

    def cpu_seconds(self) -> float:
        """Processor time used so far by the process and its descendants, in user mode and in the kernel."""
        return sum(cpu_seconds_of(pid) for pid in tree_of(self.pid))

    def resident_bytes(self) -> int:
        return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE for pid in tree_of(self.pid))

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, signal.SIGKILL)
                self._process.wait()

    def _last_words(self) -> str:
        return self._log.read_text(errors="replace")[-1500:].strip()


def tree_of(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in children.read_text().split():
                yield from tree_of(int(child))


def cpu_seconds_of(pid: int) -> float:
    """0 for a process that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port
