"""A channel between processes: messages out, messages in, and a new connection when it breaks or has gone silent.

One subscription a process. Nothing that happens to the connection is raised at who uses the line: a message that cannot
be sent is dropped, and whoever listens is told each time that it may have missed some.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from broadcaster import Broadcast, Event

from realtime.backends import make_broadcast
from realtime.tasks import Tasks, jittered

logger = logging.getLogger(__name__)

RESYNC = "resync"
"""A backend puts this into the channel itself when it may have missed messages."""

UNHEALTHY_AFTER, REBUILD_AFTER = 3, 10
"""Canaries in a row that were not heard."""

IO_TIMEOUT, CONNECT_TIMEOUT = 1.0, 5.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0


@dataclass(slots=True)
class LineStats:
    sent: int = 0
    failed: int = 0
    heard: int = 0
    rebuilt: int = 0


class Line:
    """`hear(message)` is called for each message, our own too, and `connected()` for each new connection.

    The owner publishes something at least every `canary` seconds, and so hears itself: nothing else notices a broker
    that is frozen.

    Raises:
        ValueError: no backend for the URL.
    """

    def __init__(
        self,
        url: str,
        channel: str,
        hear: Callable[[str], None],
        connected: Callable[[], None],
        *,
        canary: float,
        clock: Callable[[], float] = time.monotonic,
        connect: Callable[[str], Broadcast] = make_broadcast,
    ) -> None:
        connect(url)  # An unknown scheme is refused now, not in the background.
        self.stats = LineStats()
        self._url = url
        self._channel = channel
        self._hear = hear
        self._connected = connected
        self._clock = clock
        self._canary = canary
        self._connect = connect
        self._broadcast: Broadcast | None = None
        self._heard_at: float | None = None

    @property
    def healthy(self) -> bool:
        """Whether something came through lately: our own canary at least."""
        return self._heard_at is not None and self._clock() - self._heard_at < UNHEALTHY_AFTER * self._canary

    def start(self, tasks: Tasks) -> None:
        tasks.launch(self._supervise())

    async def publish(self, message: str) -> None:
        """Send a message, or drop it."""
        try:
            if self._broadcast is None:
                raise ConnectionError("the line is not connected")
            async with asyncio.timeout(IO_TIMEOUT):
                await self._broadcast.publish(self._channel, message)
            self.stats.sent += 1
        except Exception:
            self.stats.failed += 1

    async def _supervise(self) -> None:
        """Keep a connection; build a new one when it breaks or has gone silent."""
        pause = FIRST_PAUSE
        while True:
            heard = self.stats.heard
            try:
                await self._session()
            except Exception as problem:
                logger.warning("%s is rebuilt after %s", self._channel, type(problem).__name__)
            self.stats.rebuilt += 1
            pause = FIRST_PAUSE if self.stats.heard > heard else min(2 * pause, LONGEST_PAUSE)
            await asyncio.sleep(jittered(pause))

    async def _session(self) -> None:
        broadcast = self._connect(self._url)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await broadcast.connect()
            async with broadcast.subscribe(self._channel) as subscriber:
                self._broadcast = broadcast
                self._connected()
                await self._listen(subscriber.get)
        finally:
            self._broadcast, self._heard_at = None, None
            with contextlib.suppress(Exception):
                async with asyncio.timeout(IO_TIMEOUT):
                    await broadcast.disconnect()

    async def _listen(self, next_message: Callable[[], Awaitable[Event]]) -> None:
        """Raises: TimeoutError, when nothing was heard for too long."""
        last = self._clock()
        while self._clock() - last < REBUILD_AFTER * self._canary:
            try:
                async with asyncio.timeout(self._canary):
                    message = (await next_message()).message
            except TimeoutError:
                continue
            last = self._heard_at = self._clock()
            self.stats.heard += 1
            self._hear(message)
        raise TimeoutError
