"""Looking for what nobody rang for: one query for all watched topics, always on. No ring is needed for correctness."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping

from realtime.cursor import NO_EPOCH
from realtime.doorbell import Doorbell
from realtime.log import NOWHERE
from realtime.reader import LONGEST_PAUSE, OUTAGES, LogReader
from realtime.tail import Tail
from realtime.tasks import Stopped, jittered

logger = logging.getLogger(__name__)

EVERY = 1.0
EVERY_WHEN_DEAF = 0.2
"""Seconds between two looks while the rings of other processes are heard, and while they are not."""

MOST_RECENT = 1_000
"""Events, or two for each watched topic, that are looked through for these; where there are more, it costs less to look
at the topics."""

POLL = 0.03
"""Seconds between two questions to SQLite whether another connection has committed (some 40 µs each)."""


class Sweep:
    def __init__(
        self,
        log: LogReader,
        tails: Mapping[str, Tail],
        doorbell: Doorbell,
        *,
        every: float = EVERY,
        when_deaf: float = EVERY_WHEN_DEAF,
        poll: float = POLL,
    ) -> None:
        self._log = log
        self._tails = tails
        self._doorbell = doorbell
        self._every = every
        self._when_deaf = when_deaf
        self._poll = poll
        self._now = asyncio.Event()
        self._due = 0.0
        self._version: int | None = None
        self._last_row: int | None = None
        self._away = False

    def look_now(self) -> None:
        """Rings may have been missed."""
        self._now.set()

    async def run(self) -> None:
        pause = 0.0
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._now.wait()
            try:
                pause = await self._look_if_due()
                self._away = False
            except Stopped:
                return
            except Exception as problem:
                self._report(problem)
                await asyncio.sleep(jittered(min(pause, LONGEST_PAUSE)))
                pause = min(max(2 * pause, self._when_deaf), LONGEST_PAUSE)

    def _report(self, problem: Exception) -> None:
        if not isinstance(problem, OUTAGES):
            logger.error("looking for new events failed", exc_info=problem)
        elif not self._away:
            logger.warning("the log cannot be read, streams wait: %s", type(problem).__name__)
        self._away = True

    async def _look_if_due(self) -> float:
        """Look, if there is a reason to; returns the seconds until the next time to ask for one."""
        counts_commits = self._log.counts_commits
        began = time.monotonic()
        version = await self._log.version() if counts_commits else None
        is_due = self._now.is_set() or began >= self._due
        if not is_due and version != self._version and await self._look_at_recent():
            self._version = version
        elif is_due or version != self._version:
            self._now.clear()
            try:
                await self._look()
            except BaseException:
                self._now.set()
                raise
            self._version = version
            self._due = time.monotonic() + jittered(self._interval(counts_commits))
        took = time.monotonic() - began
        if counts_commits:
            return max(self._poll, 4 * took)  # A look at very many topics takes its time: leave most of it to others.
        return max(self._due - time.monotonic(), 0.0)

    async def _look_at_recent(self) -> bool:
        """Ring for what was written since the last look; False where that cannot be told.

        However many topics are watched, it costs what was written. It is a ring like others: nothing depends on it.
        """
        if self._last_row is None:
            self._last_row = await self._log.last_row()
            return False
        most = max(MOST_RECENT, 2 * len(self._tails))
        events = await self._log.recent(self._last_row, limit=most)
        if len(events) == most:
            self._last_row = None
            return False
        for row, topic, seq in events:
            self._last_row = row
            if tail := self._tails.get(topic):
                if tail.epoch == NO_EPOCH:
                    return False  # its first event: where the stream stands has to be read
                tail.kick(seq)
        return True

    async def _look(self) -> None:
        marks = [(tail, tail.mark()) for tail in self._tails.values()]
        found = await self._log.positions([tail.topic for tail, _ in marks])
        for tail, began in marks:
            tail.observe(found.get(tail.topic, NOWHERE), began)

    def _interval(self, counts_commits: bool) -> float:
        heard = self._doorbell.healthy and (counts_commits or self._doorbell.reaches_others)
        return self._every if heard else self._when_deaf
