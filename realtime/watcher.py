"""One watcher of a topic: a number, a guard, and the rules for what it is told."""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from domain.enums import StreamResetReason
from realtime.cursor import NO_EPOCH, Cursor
from realtime.log import Event, Position
from realtime.reader import patiently
from realtime.tail import Tail

ResetReason = StreamResetReason

ACCESS_CHANGE = "acl"
"""The kind of event that says that who may watch has changed."""

MAX_LAG = 5_000
"""Events that a watcher may be behind; beyond that it is cheaper for everybody to load the page again."""

RECHECK = 30.0
"""Seconds after which access is asked again, even if no event says that it changed."""

Guard = Callable[[], Awaitable[None]]
"""Raises a DomainError when the viewer may not watch, or no longer."""


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

    __slots__ = ("_caught_up", "_check_at", "_era", "_guard", "_rules", "_tail", "seq")

    def __init__(self, tail: Tail, guard: Guard, rules: Rules) -> None:
        self._tail = tail
        self._guard = guard
        self._rules = rules
        self._era = 0
        self._check_at = 0.0
        self._caught_up = False
        self.seq = 0

    async def steps(self, after: Cursor | None) -> AsyncGenerator[Step, None]:
        await self._check_access()
        start = await patiently(self._tail.locate)
        self._era = self._tail.era
        lost = self._take_place(after, start)
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
                    await self._check_access_before(event)
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
            async with asyncio.timeout(self._check_at - self._rules.clock()):
                await changed.wait()
        if self._rules.clock() >= self._check_at:
            await self._check_access()

    async def _check_access_before(self, event: Event) -> None:
        if event.kind == ACCESS_CHANGE or self._rules.clock() >= self._check_at:
            await self._check_access()

    async def _check_access(self) -> None:
        """While the guard cannot be asked, nothing is delivered."""
        await patiently(self._guard)
        self._check_at = self._rules.clock() + self._rules.recheck * random.uniform(0.8, 1.0)
