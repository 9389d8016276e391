"""Telling other processes that there is something to read. It carries hints, never content.

One channel and one subscription a process, whatever it watches. A ring that is lost, late, early, doubled or made up
changes how soon a watcher is served, never with what.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping

import orjson
from broadcaster import Broadcast

from realtime.backends import LOCAL_SCHEMES, make_broadcast, scheme_of
from realtime.line import IO_TIMEOUT, RESYNC, Line, LineStats
from realtime.tasks import Tasks

logger = logging.getLogger(__name__)

CHANNEL = "casewire.doorbell"

COALESCE = 0.003
"""Seconds that a ring waits for others to share its message."""

TOPICS_A_MESSAGE = 40
"""Of 120 characters each: within the 8,000 bytes that PostgreSQL lets a notification have."""

CANARY = 1.0
"""Each process sends something at least this often, in seconds, and hears itself."""


class Doorbell:
    """`kick(topic, seq)` is called for what other processes ring, `resync()` when rings may have been missed.

    Raises:
        ValueError: no backend for the URL.
    """

    def __init__(
        self,
        url: str,
        kick: Callable[[str, int], None],
        resync: Callable[[], None],
        tasks: Tasks,
        *,
        clock: Callable[[], float] = time.monotonic,
        canary: float = CANARY,
        connect: Callable[[str], Broadcast] = make_broadcast,
    ) -> None:
        self.reaches_others = scheme_of(url) not in LOCAL_SCHEMES
        self._kick = kick
        self._resync = resync
        self._tasks = tasks
        self._canary = canary
        self._line = Line(url, CHANNEL, self._take, self._connected, canary=canary, clock=clock, connect=connect)
        self._pending: dict[str, int] = {}
        self._rung = asyncio.Event()

    @property
    def healthy(self) -> bool:
        return self._line.healthy

    @property
    def stats(self) -> LineStats:
        return self._line.stats

    def start(self) -> None:
        self._line.start(self._tasks)
        self._tasks.launch(self._send())

    async def stop(self) -> None:
        """Send what was rung. The tasks end with their owner's."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IO_TIMEOUT):
                await self._send_pending()

    def ring(self, heads: Mapping[str, int]) -> None:
        """Soon tell every process that these topics have events up to these numbers. Never fails, never waits."""
        if not self._tasks.is_open:
            return
        for topic, head in heads.items():
            self._pending[topic] = max(head, self._pending.get(topic, 0))
        self._rung.set()

    async def _send(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._canary):
                    await self._rung.wait()
                await asyncio.sleep(COALESCE)
            self._rung.clear()
            await self._send_pending(at_least="[]")

    async def _send_pending(self, at_least: str | None = None) -> None:
        """A message that cannot be sent is dropped: the other processes find out by looking."""
        rings, self._pending = list(self._pending.items()), {}
        messages = list(messages_for(rings))
        for message in messages or ([at_least] if at_least else []):
            await self._line.publish(message)

    def _connected(self) -> None:
        self._resync()  # For what was rung while nobody listened.
        self._rung.set()

    def _take(self, message: str) -> None:
        if message == RESYNC:
            self._resync()
            return
        try:
            rings = [(str(topic), int(seq)) for topic, seq in orjson.loads(message)]
        except (ValueError, TypeError):
            logger.warning("a doorbell message that is not one of ours was ignored")
            return
        for topic, seq in rings:
            self._kick(topic, seq)


def messages_for(rings: list[tuple[str, int]]) -> Iterator[str]:
    for start in range(0, len(rings), TOPICS_A_MESSAGE):
        yield orjson.dumps(rings[start : start + TOPICS_A_MESSAGE]).decode()
