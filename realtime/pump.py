"""Keeping tails up with the log: all topics that were rung for in one turn of the loop are read by one statement."""

import logging
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import TYPE_CHECKING

from realtime.log import Batch, Event
from realtime.reader import OUTAGES, LogReader
from realtime.tasks import Tasks

if TYPE_CHECKING:
    from realtime.tail import Tail

logger = logging.getLogger(__name__)

TOPICS = 100
"""Topics in one read."""

ALONE, TOGETHER = 200, 50
"""Events of a topic in one read: of one topic, and of each of several."""


class Pump:
    """Events that were read are handed on only when `reach` has returned: see `realtime.access`."""

    def __init__(self, log: LogReader, tasks: Tasks, reach: Callable[[int], Awaitable[None]] | None = None) -> None:
        self.log = log
        self._tasks = tasks
        self._reach = reach
        self._waiting: dict[Tail, None] = {}
        self._running = False

    def want(self, tail: "Tail") -> None:
        """Soon read what comes after the tail's last event. To be said again for a ring that comes during the read: it
        may be for an event that the read did not see."""
        if not self._tasks.is_open:
            return
        self._waiting[tail] = None
        if not self._running:
            self._running = True
            self._tasks.launch(self._run())

    async def permitted(self, read: Awaitable[Batch]) -> list[Event]:
        """The events of a read, once all are told whom the changes of access before them concern."""
        events, access = await read
        await self._reached(access)
        return events

    async def _run(self) -> None:
        try:
            while self._waiting:
                taken = list(islice(self._waiting, TOPICS))
                for tail in taken:
                    del self._waiting[tail]
                if tails := [tail for tail in taken if tail.wants_more]:
                    await self._bring_up(tails)
        finally:
            self._running = False

    async def _bring_up(self, tails: "list[Tail]") -> None:
        began = [tail.mark() for tail in tails]
        try:
            found, limit = await self._read(tails)
            for tail, mark in zip(tails, began, strict=True):
                events = found.get(tail.topic, [])
                await tail.take(events, mark, are_all=len(events) < limit)
        except OUTAGES as problem:
            topics = f"{tails[0].topic} and {len(tails) - 1} more"
            logger.warning("reading %s failed, the sweep will ring again: %s", topics, type(problem).__name__)
        finally:
            for tail in tails:
                if tail not in self._waiting:
                    tail.forget_rings()

    async def _read(self, tails: "list[Tail]") -> tuple[dict[str, list[Event]], int]:
        """The next events by topic, and how many there may be of each."""
        if len(tails) == 1:
            (tail,) = tails
            return {tail.topic: await self.permitted(self.log.events(tail.topic, after=tail.last, limit=ALONE))}, ALONE
        batches = await self.log.events_of({tail.topic: tail.last for tail in tails}, limit=TOGETHER)
        await self._reached(batches.access)
        return batches.events, TOGETHER

    async def _reached(self, access: int) -> None:
        if access and self._reach:
            await self._reach(access)
