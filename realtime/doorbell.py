"""Telling other processes that there is something to read. It carries hints, never content.

One channel and one subscription a process, whatever it watches. A ring that is lost, late, early, doubled or made up
changes how soon a watcher is served, never with what.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

import orjson
from broadcaster import Broadcast, Event

from realtime.backends import LOCAL_SCHEMES, make_broadcast, scheme_of
from realtime.tasks import Tasks, jittered

logger = logging.getLogger(__name__)

CHANNEL = "casewire.doorbell"
RESYNC = "resync"
"""A backend puts this into the channel itself when it may have missed messages."""

COALESCE = 0.003
"""Seconds that a ring waits for others to share its message."""

TOPICS_A_MESSAGE = 40
"""Of 120 characters each: within the 8,000 bytes that PostgreSQL lets a notification have."""

CANARY = 1.0
"""Each process sends something at least this often, in seconds, and hears itself."""

UNHEALTHY_AFTER, REBUILD_AFTER = 3, 10
"""Canaries in a row that were not heard."""

IO_TIMEOUT, CONNECT_TIMEOUT = 1.0, 5.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0


@dataclass(slots=True)
class DoorbellStats:
    sent: int = 0
    failed: int = 0
    heard: int = 0
    rebuilt: int = 0


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
        connect(url)  # An unknown scheme is refused now, not in the background.
        self.stats = DoorbellStats()
        self.reaches_others = scheme_of(url) not in LOCAL_SCHEMES
        self._url = url
        self._kick = kick
        self._resync = resync
        self._tasks = tasks
        self._clock = clock
        self._canary = canary
        self._connect = connect
        self._broadcast: Broadcast | None = None
        self._heard_at: float | None = None
        self._pending: dict[str, int] = {}
        self._rung = asyncio.Event()

    @property
    def healthy(self) -> bool:
        """Whether something came through lately: our own canary at least."""
        return self._heard_at is not None and self._clock() - self._heard_at < UNHEALTHY_AFTER * self._canary

    def start(self) -> None:
        self._tasks.launch(self._supervise())
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

    # ---- out ----

    async def _send(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._canary):
                    await self._rung.wait()
                await asyncio.sleep(COALESCE)
            self._rung.clear()
            await self._send_pending(at_least="[]")

    async def _send_pending(self, at_least: str | None = None) -> None:
        rings, self._pending = list(self._pending.items()), {}
        messages = list(messages_for(rings))
        for message in messages or ([at_least] if at_least else []):
            await self._publish(message)

    async def _publish(self, message: str) -> None:
        """A message that cannot be sent is dropped: the other processes find out by looking."""
        try:
            if self._broadcast is None:
                raise ConnectionError("the doorbell is not connected")
            async with asyncio.timeout(IO_TIMEOUT):
                await self._broadcast.publish(CHANNEL, message)
            self.stats.sent += 1
        except Exception:
            self.stats.failed += 1

    # ---- in ----

    async def _supervise(self) -> None:
        """Keep a connection; build a new one when it breaks or has gone silent."""
        pause = FIRST_PAUSE
        while True:
            heard = self.stats.heard
            try:
                await self._session()
            except Exception as problem:
                logger.warning("the doorbell is rebuilt after %s", type(problem).__name__)
            self.stats.rebuilt += 1
            pause = FIRST_PAUSE if self.stats.heard > heard else min(2 * pause, LONGEST_PAUSE)
            await asyncio.sleep(jittered(pause))

    async def _session(self) -> None:
        broadcast = self._connect(self._url)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await broadcast.connect()
            async with broadcast.subscribe(CHANNEL) as subscriber:
                self._broadcast = broadcast
                self._resync()  # For what was rung while nobody listened.
                self._rung.set()
                await self._listen(subscriber.get)
        finally:
            self._broadcast, self._heard_at = None, None
            with contextlib.suppress(Exception):
                async with asyncio.timeout(IO_TIMEOUT):
                    await broadcast.disconnect()

    async def _listen(self, hear: Callable[[], Awaitable[Event]]) -> None:
        """Raises: TimeoutError, when nothing was heard for too long: only a canary notices a broker that is frozen."""
        last = self._clock()
        while self._clock() - last < REBUILD_AFTER * self._canary:
            try:
                async with asyncio.timeout(self._canary):
                    message = (await hear()).message
            except TimeoutError:
                continue
            last = self._heard_at = self._clock()
            self.stats.heard += 1
            self._take(message)
        raise TimeoutError

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
