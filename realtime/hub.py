"""Following topics: every event after a cursor, in commit order, none twice, none missed, to any number of watchers.

The log decides what is delivered. Rings, the doorbell and the sweep only decide how soon.
"""

import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import aclosing
from typing import Any

from broadcaster import Broadcast
from tortoise.backends.base.client import BaseDBAsyncClient

from realtime.access import RECHECK, AccessTail, Guard, Moved, Pass
from realtime.backends import make_broadcast
from realtime.cursor import NO_SUCH_EPOCH, Cursor
from realtime.doorbell import CANARY, Doorbell
from realtime.pump import Pump
from realtime.reader import READ_TIMEOUT, LogReader, Stats
from realtime.seat import Seat
from realtime.sweep import EVERY, EVERY_WHEN_DEAF, POLL, Sweep
from realtime.tail import Tail
from realtime.tasks import Stopped, Tasks
from realtime.watcher import MAX_LAG, CaughtUp, Delivered, Reset, ResetReason, Rules, Step, Watcher

__all__ = ["CaughtUp", "Delivered", "Guard", "Hub", "Moved", "Pass", "Reset", "ResetReason", "Step"]


class Hub:
    """One a process. `reader` gives the connection to read the log on, one that no transaction uses.

    `doorbell_url` says how processes ring each other: `memory://` reaches this process alone, and others are found by
    looking. Times are in seconds.

    Raises:
        ValueError: there is no doorbell for such a URL.
    """

    def __init__(
        self,
        reader: Callable[[], BaseDBAsyncClient],
        doorbell_url: str = "memory://",
        *,
        clock: Callable[[], float] = time.monotonic,
        max_lag: int = MAX_LAG,
        recheck: float = RECHECK,
        sweep_every: float = EVERY,
        sweep_every_when_deaf: float = EVERY_WHEN_DEAF,
        poll: float = POLL,
        read_timeout: float = READ_TIMEOUT,
        canary: float = CANARY,
        connect: Callable[[str], Broadcast] = make_broadcast,
    ) -> None:
        self.stats = Stats()
        self._tasks = Tasks()
        self._rules = Rules(clock, max_lag, recheck)
        self._log = LogReader(reader, self._tasks, self.stats, read_timeout)
        self._access_log = LogReader(reader, self._tasks, Stats(), read_timeout)
        self.access = AccessTail(self._access_log, self._tasks)
        self._pump = Pump(self._log, self._tasks, self.access.reach)
        self._tails: dict[str, Tail] = {self.access.topic: self.access}
        self.doorbell = Doorbell(
            doorbell_url, self._kick, self._resync, self._tasks, clock=clock, canary=canary, connect=connect
        )
        self._sweep = Sweep(
            self._log, self._tails, self.doorbell, every=sweep_every, when_deaf=sweep_every_when_deaf, poll=poll
        )

    def read_by(self, reader: Callable[[], Any]) -> None:
        """Read the log on another connection from now on: `reader()` has `capabilities` and `execute_query_dict`."""
        self._log.read_by(reader)
        self._access_log.read_by(reader)

    async def start(self) -> None:
        """Begin to listen and to look. Call it outside of any transaction: the hub's tasks keep this context."""
        self._tasks.open()
        self.doorbell.start()
        self._tasks.launch(self._sweep.run())

    async def stop(self) -> None:
        """Ring out what was rung, end all streams and tasks. Close the clients' sockets before, so that they resume."""
        await self.doorbell.stop()
        await self._tasks.close()
        for tail in self._tails.values():
            tail.wake()

    def ring(self, heads: Mapping[str, int]) -> None:
        """Say that the events up to these numbers are committed. Call it after the commit; it never fails or waits."""
        for topic, head in heads.items():
            self._kick(topic, head)
        if self.doorbell.reaches_others:
            self.doorbell.ring(heads)

    async def place_of(self, topic: str, keys: Collection[str]) -> Cursor:
        """The place after the event of one of these keys: to go on from what an event told of.

        Where there is none the place is one that cannot be resumed: too old where events have been let go of, and
        none of this stream's otherwise. Whoever follows from it gets a `Reset` that says so.
        """
        at = await self._log.position(topic)
        seq = await self._log.find(topic, keys)
        if seq is not None:
            return Cursor(at.epoch, seq)
        return Cursor(at.epoch, at.floor - 1) if at.floor else Cursor(NO_SUCH_EPOCH, 0)

    def admit(self, guard: Guard) -> Pass:
        """A permission to watch, for a caller that wants to know whether it is out of date. To be closed."""
        return Pass(guard, self.access, self._rules.clock, self._rules.recheck)

    async def follow(
        self, topic: str, after: Cursor | None, *, guard: Guard | Pass, lost: ResetReason | None = None
    ) -> AsyncGenerator[Step, None]:
        """The events of `topic` after `after`, without end: the stored ones, `CaughtUp`, then each as it is committed.

        Without `after` it begins at the head. A place that cannot be resumed gives a `Reset`, and the stream goes on at
        its cursor; nothing is skipped without one. `lost` is a reason of the caller's to begin with one.

        `guard` is asked first; again as soon as a change of access concerns one of the subjects that it answered with,
        before each event of kind "acl", and at least every 30 seconds. What it raises ends the stream before the next
        event, and before any that was committed after the change. While the database is away the stream is silent,
        and goes on later. It ends by itself only when the hub stops.
        """
        tail = self._enter(topic)
        permission = guard if isinstance(guard, Pass) else self.admit(guard)
        try:
            async with aclosing(Watcher(tail, permission, self._rules).steps(after, lost)) as steps:
                async for step in steps:
                    self.stats.resets += isinstance(step, Reset)
                    yield step
        except Stopped:
            return
        finally:
            if permission is not guard:
                permission.close()
            self._leave(topic)

    def sit(self, topic: str, at: Cursor, on_news: Callable[[], None]) -> Seat | None:
        """A seat at a place where a stream of `follow` has come to; None where that is no place of the topic any more.

        Whoever sits asks about access by itself. Rings count until it is given back by `rise`.
        """
        tail = self._tails.get(topic)
        if tail is None or at.epoch != tail.epoch or at.seq > tail.last:
            return None
        self._enter(topic)
        return Seat(tail, at.seq, self._rules.max_lag, on_news)

    def rise(self, topic: str, seat: Seat) -> None:
        seat.leave()
        self._leave(topic)

    @property
    def recheck(self) -> float:
        """Seconds after which access is asked about again, even if nothing says that it changed."""
        return self._rules.recheck

    def _enter(self, topic: str) -> Tail:
        """The topic's tail. From here on rings for it count, so the head may be read. To be undone by `_leave`."""
        tail = self._tails.get(topic)
        if tail is None:
            tail = self._tails[topic] = Tail(topic, self._pump, self._tasks)
        tail.watchers += 1
        self.stats.watchers += 1
        return tail

    def _leave(self, topic: str) -> None:
        tail = self._tails[topic]
        self.stats.watchers -= 1
        tail.watchers -= 1
        if tail.watchers == 0:
            del self._tails[topic]

    def _kick(self, topic: str, seq: int) -> None:
        if tail := self._tails.get(topic):
            tail.kick(seq)

    def _resync(self) -> None:
        self._sweep.look_now()
