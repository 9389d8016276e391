"""The recent events of one topic: read once, however many watch it in this process."""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import NamedTuple

from realtime.cursor import NO_EPOCH
from realtime.log import Event, Position
from realtime.pump import Pump
from realtime.seat import Seat
from realtime.tasks import Tasks, shared

logger = logging.getLogger(__name__)

BUFFER = 512
"""Recent events kept for each watched topic."""

PAGE, PAGES_KEPT = 100, 16
"""Who is further behind reads pages, numbers `100 n + 1 .. 100 n + 100`. A full one never changes, so it is shared.

A herd is spread out: with fewer pages than it spans those in front push out what those behind are about to need."""

SLICE = 10
"""Events handed out at a time. A client that has stopped reading holds on to no more."""


class Mark(NamedTuple):
    """What a tail knew when a read began. The answer is judged by it, since the tail may have moved meanwhile."""

    era: int
    epoch: str
    last: int


class Tail:
    """A watcher holds a number; `after(number)` gives what comes next, and `changed` is set when there is more.

    `last` is the newest number known here. `era` counts how often the numbers known here stopped counting, because a
    backup was restored: a watcher of an earlier era cannot go on.

    Who sits in a `Seat` is called instead of waiting for `changed`.
    """

    def __init__(self, topic: str, pump: Pump, tasks: Tasks) -> None:
        self.topic = topic
        self.epoch = NO_EPOCH
        self.last = 0
        self.era = 0
        self.watchers = 0
        self._changed = asyncio.Event()
        self._is_awaited = False
        self.seats: dict[Seat, None] = {}
        self._pump = pump
        self._log = pump.log
        self._tasks = tasks
        self._ready = False
        self._recent: deque[Event] = deque(maxlen=BUFFER)
        self._pages: OrderedDict[int, list[Event]] = OrderedDict()
        self._loading: dict[int, asyncio.Task[list[Event]]] = {}
        self._locating: asyncio.Task[Position] | None = None
        self._next_locating: asyncio.Task[Position] | None = None
        self._wanted = 0

    # ---- finding out where the stream stands ----

    async def locate(self) -> Position:
        """The stream's position, by a read that begins after this call. Those who ask at the same time share it."""
        if self._next_locating is None:
            self._next_locating = self._tasks.start(self._locate(after=self._locating))
        return await shared(self._next_locating)

    async def _locate(self, *, after: "asyncio.Task[Position] | None") -> Position:
        if after is not None:
            await asyncio.wait({after})
        self._locating, self._next_locating = self._next_locating, None
        return await self._look()

    async def _look(self) -> Position:
        began = self.mark()
        position = await self._log.position(self.topic)
        self.observe(position, began)
        return position

    @property
    def stopped(self) -> bool:
        return not self._tasks.is_open

    def mark(self) -> Mark:
        return Mark(self.era, self.epoch, self.last)

    def observe(self, at: Position, began: Mark) -> None:
        """Take in the stream's position, as answered to a read that began at `began`."""
        if began.era != self.era:
            return
        if not self._ready:
            self._ready, self.epoch, self.last = True, at.epoch, at.head
            self._want_more()
        elif at.epoch != self.epoch and began.epoch != self.epoch:
            return  # Another read has told the epoch meanwhile, and began later than this one for all we know.
        elif at.epoch != self.epoch and self.epoch == NO_EPOCH:
            self.epoch = at.epoch
        elif at.epoch != self.epoch or at.head < began.last:
            logger.warning("stream %s was set back to %s: its watchers start anew", self.topic, at)
            self.era += 1
            self._restart(at)
        if at.floor > self.last:
            self._restart(at)
        self.kick(at.head)

    def _restart(self, at: Position) -> None:
        self._recent.clear()
        self._pages.clear()
        self._loading.clear()
        self.epoch, self.last, self._wanted = at.epoch, at.head, at.head
        self.wake()

    # ---- keeping up with it ----

    def kick(self, seq: int) -> None:
        """Somebody says that event `seq` is committed. It may be old news, and it may be wrong."""
        if seq > self.last:
            self._wanted = max(self._wanted, seq)
            self._want_more()

    @property
    def wants_more(self) -> bool:
        """Whether something was rung for that is not here."""
        return self._wanted > self.last

    def _want_more(self) -> None:
        if self._ready and self.wants_more:
            self._pump.want(self)

    async def take(self, events: list[Event], began: Mark, *, are_all: bool) -> None:
        """Take in what a read found after the last event; `are_all` where it would have found more."""
        if events and self.epoch == NO_EPOCH:
            await self._look()  # Now that there are events, it has an epoch. Asked before, it might not have.
        if (began.era, began.last) == (self.era, self.last):
            self._extend(events)
        if not are_all or self.last != began.last + len(events):
            self._want_more()

    def forget_rings(self) -> None:
        """What was rung for and is not there was no event, or will be rung for again."""
        self._wanted = self.last

    def _extend(self, events: list[Event]) -> None:
        run = run_after(events, self.last)
        if events and not run:
            # The log was compacted beyond what was read here. Who stands before the gap will find it and be reset.
            self._recent.clear()
            run = run_after(events, events[0].seq - 1)
        if run:
            self._recent.extend(run)
            self.last = run[-1].seq
            self.wake()

    def wake(self) -> None:
        """Let every watcher look again."""
        if self._is_awaited:
            self._changed.set()
            self._changed, self._is_awaited = asyncio.Event(), False
        for seat in tuple(self.seats):
            seat.on_news()

    @property
    def changed(self) -> asyncio.Event:
        """What is set as soon as there is more than now."""
        self._is_awaited = True
        return self._changed

    # ---- handing it out ----

    def recent(self, seq: int) -> Event | None:
        """The event of this number, if it is among the recent ones."""
        at = seq - self._recent[0].seq if self._recent else -1
        return self._recent[at] if 0 <= at < len(self._recent) else None

    async def after(self, seq: int) -> Sequence[Event]:
        """The next events after `seq`, without a gap and at most `SLICE`; none if they are no longer in the log.

        To be asked when `seq < last`.
        """
        number = seq // PAGE
        while True:
            if kept := self._kept(seq):
                return kept
            joined = number in self._loading
            if not joined:
                self._loading[number] = self._tasks.start(self._load(number))
            events = run_after(await shared(self._loading[number]), seq)
            if events or not joined:
                return self._kept(seq) or events[:SLICE]
            # Somebody else's read may have begun before the event was there: only our own can say that it is gone.

    def _kept(self, seq: int) -> Sequence[Event]:
        if self._recent and 0 <= (first := seq + 1 - self._recent[0].seq) < len(self._recent):
            return [self._recent[i] for i in range(first, min(first + SLICE, len(self._recent)))]
        return run_after(self._pages.get(seq // PAGE, []), seq)[:SLICE]

    async def _load(self, number: int) -> list[Event]:
        try:
            era = self.era
            events = await self._pump.permitted(self._log.page(self.topic, after=number * PAGE, limit=PAGE))
            events = [event for event in events if event.seq <= (number + 1) * PAGE]
            if era == self.era:
                self._keep(number, events)
            return events
        finally:
            if self._loading.get(number) is asyncio.current_task():
                del self._loading[number]

    def _keep(self, number: int, events: list[Event]) -> None:
        """Share a page that is complete at its end; join one that ends where the recent events begin to them."""
        if events and events[-1].seq == (number + 1) * PAGE:
            self._pages[number] = events
            if len(self._pages) > PAGES_KEPT:
                self._pages.popitem(last=False)
            return
        first = self.last - len(self._recent) + 1
        older = [event for event in events if event.seq < first]
        fits = len(older) + len(self._recent) <= BUFFER
        if older and fits and len(run_after(older, older[0].seq - 1)) == len(older) == first - older[0].seq:
            self._recent.extendleft(reversed(older))


def run_after(events: Sequence[Event], seq: int) -> Sequence[Event]:
    """The events numbered `seq + 1`, `seq + 2`, … as far as there is no gap. `events` are in order."""
    if events and events[0].seq == seq + 1 and events[-1].seq == seq + len(events):
        return events
    start = 0
    while start < len(events) and events[start].seq <= seq:
        start += 1
    end = start
    while end < len(events) and events[end].seq == seq + 1 + end - start:
        end += 1
    return events[start:end]
