"""One watcher of a topic: a number, a permission, and the rules for what it is told."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from domain.enums import StreamResetReason
from realtime.access import ACCESS_CHANGE, RECHECK, Pass
from realtime.cursor import NO_EPOCH, Cursor
from realtime.log import Event, Position
from realtime.reader import patiently
from realtime.tail import Tail

ResetReason = StreamResetReason

MAX_LAG = 5_000
"""Events that a watcher may be behind; beyond that it is cheaper for everybody to load the page again."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The next event; `cursor` is the place after it."""

    event: Event
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What was committed before the watcher came has been delivered; said once."""

    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Reset:
    """The watcher's place is lost: what lies between it and `cursor`, where it goes on, must be fetched otherwise."""

    reason: ResetReason
    cursor: Cursor


Step = Delivered | CaughtUp | Reset


@dataclass(frozen=True, slots=True)
class Rules:
    clock: Callable[[], float]
    max_lag: int = MAX_LAG
    recheck: float = RECHECK


class Watcher:
    """Its whole memory is `seq`: all events up to there are delivered, or were given up by a reset.

    The tail must be registered with the hub before, so that no ring is missed while the first reads run.
    """

    __slots__ = ("_caught_up", "_era", "_pass", "_rules", "_tail", "_wait_ends", "seq")

    def __init__(self, tail: Tail, permission: Pass, rules: Rules) -> None:
        self._tail = tail
        self._pass = permission
        self._rules = rules
        self._era = 0
        self._wait_ends: asyncio.Timeout | None = None
        self._caught_up = False
        self.seq = 0

    async def steps(self, after: Cursor | None, lost: ResetReason | None = None) -> AsyncGenerator[Step, None]:
        """`lost` is why the watcher begins at the head although it was elsewhere before."""
        self._pass.on_stale = self._end_wait
        await self._pass.check()
        start = await patiently(self._tail.locate)
        self._era = self._tail.era
        lost = self._take_place(after, start) or lost
        if lost:
            yield Reset(lost, self._cursor())
        while not self._tail.stopped:
            if lost := self._lost_place():
                yield self._reset(lost)
            elif self.seq >= start.head and not self._caught_up:
                self._caught_up = True
                yield CaughtUp(self._cursor())
            elif self.seq >= self._tail.last:
                await self._wait()
            else:
                events = await patiently(self._next_events)
                if not events and self._era == self._tail.era:
                    yield self._reset(ResetReason.CURSOR_TOO_OLD)
                for event in events:
                    if event.kind == ACCESS_CHANGE or self._pass.is_due:
                        await self._pass.check()
                    self.seq = event.seq
                    yield Delivered(event, self._cursor())
                await asyncio.sleep(0)  # Nothing else here suspends when the client keeps up: others want their turn.

    def _take_place(self, after: Cursor | None, at: Position) -> ResetReason | None:
        """Stand after `after`, or at the head when that is impossible: then say why."""
        self.seq = at.head
        if after is None:
            return None
        if after.epoch not in (at.epoch, NO_EPOCH) or after.seq > at.head:
            return ResetReason.CURSOR_INVALID
        if after.seq < at.floor:
            return ResetReason.CURSOR_TOO_OLD
        self.seq = after.seq
        return None

    def _lost_place(self) -> ResetReason | None:
        if self._era != self._tail.era:
            return ResetReason.CURSOR_INVALID
        if self._tail.last - self.seq > self._rules.max_lag:
            return ResetReason.SLOW_CONSUMER
        return None

    def _reset(self, reason: ResetReason) -> Reset:
        self._era, self.seq = self._tail.era, self._tail.last
        return Reset(reason, self._cursor())

    def _cursor(self) -> Cursor:
        return Cursor(self._tail.epoch, self.seq)

    async def _next_events(self) -> list[Event]:
        """Up to a slice of events; none when they are gone, or when the tail has begun another era meanwhile."""
        events = await self._tail.after(self.seq)
        return list(events) if self._era == self._tail.era else []

    async def _wait(self) -> None:
        """Until there is more, or until access is to be checked again."""
        changed = self._tail.changed
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._pass.seconds_left) as self._wait_ends:
                await changed.wait()
        self._wait_ends = None
        if self._pass.is_due:
            await self._pass.check()

    def _end_wait(self) -> None:
        if self._wait_ends is not None:
            with contextlib.suppress(RuntimeError):  # It has come to its end already.
                self._wait_ends.reschedule(0)
