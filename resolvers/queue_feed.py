"""Counting what waits at the desk: at most once a second in a process, however many look at it (S99)."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from domain.enums import ACTIVE_STATUSES, TicketChannel, TicketStatus
from models.database import reading
from realtime.ephemeral import Ephemeral
from realtime.hub import Hub
from realtime.reader import patiently
from resolvers.agents_online import comings_and_goings, count_agents
from resolvers.list_topics import DESK

Clock = Callable[[], datetime]
log = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds between two counts while things change."""


@dataclass(frozen=True, slots=True)
class QueueStats:
    """What waits, at an instant. A ticket can be in several of the numbers."""

    at: datetime
    open: int
    pending_customer: int
    on_hold: int
    escalated: int
    unassigned: int
    chats_waiting: int
    agents_online: int

    def says_the_same_as(self, other: "QueueStats | None") -> bool:
        return other is not None and replace(self, at=other.at) == other


class QueueFeed:
    """One a process. While somebody looks it counts when a ticket has changed, or who is there; then it pauses."""

    def __init__(self, pause: float = PAUSE) -> None:
        self.latest: QueueStats | None = None
        self.ended = False
        self.counts = 0
        self._pause = pause
        self._watchers: set[asyncio.Event] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._news = asyncio.Event()

    @contextmanager
    def watched(self, hub: Hub, ephemeral: Ephemeral, clock: Clock, woken: asyncio.Event) -> Iterator[None]:
        """`latest` is kept up for as long as this lasts; `woken` is set when it, or `ended`, has changed."""
        self._watchers.add(woken)
        if not self._tasks:
            self._begin(hub, ephemeral, clock)
        try:
            yield
        finally:
            self._watchers.remove(woken)
            if not self._watchers:
                self._end()

    def _begin(self, hub: Hub, ephemeral: Ephemeral, clock: Clock) -> None:
        self.latest, self.ended, self._news = None, False, asyncio.Event()
        work = (self._count(ephemeral, clock), self._follow_desk(hub), self._follow_agents(ephemeral))
        self._tasks = [asyncio.get_running_loop().create_task(each) for each in work]
        for task in self._tasks:
            task.add_done_callback(self._done)

    def _end(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        """The process stops, or something failed: then nobody is told anything more."""
        if not task.cancelled() and (problem := task.exception()):
            log.error("counting the queue failed", exc_info=problem)
        if task in self._tasks:
            self._end()
            self.ended = True
            self._wake()

    async def _count(self, ephemeral: Ephemeral, clock: Clock) -> None:
        """The first news is that the desk is followed: what changes from then on is counted again."""
        while True:
            await self._news.wait()
            self._news.clear()
            self.counts += 1
            stats = await patiently(lambda: count_queue(ephemeral, clock))
            if not stats.says_the_same_as(self.latest):
                self.latest = stats
                self._wake()
            await asyncio.sleep(self._pause)

    async def _follow_desk(self, hub: Hub) -> None:
        async with aclosing(hub.follow(DESK, None, guard=_anybody)) as steps:
            async for _ in steps:
                self._news.set()

    async def _follow_agents(self, ephemeral: Ephemeral) -> None:
        with comings_and_goings(ephemeral) as watch:
            while True:
                await watch.take()
                self._news.set()

    def _wake(self) -> None:
        for woken in self._watchers:
            woken.set()


async def count_queue(ephemeral: Ephemeral, clock: Clock) -> QueueStats:
    """One statement, over the tickets that are neither resolved nor closed."""
    at = clock()
    (row,) = await reading().execute_query_dict(_COUNT)
    return QueueStats(at=at, agents_online=count_agents(ephemeral), **row)


_ACTIVE = ", ".join(f"'{status.value}'" for status in sorted(ACTIVE_STATUSES))

_NUMBERS = {
    "open": f"status IN ('{TicketStatus.NEW}', '{TicketStatus.OPEN}')",
    "pending_customer": f"status = '{TicketStatus.PENDING_CUSTOMER}'",
    "on_hold": f"status = '{TicketStatus.ON_HOLD}'",
    "escalated": "is_escalated",
    "unassigned": "assignee_id IS NULL",
    "chats_waiting": f"status = '{TicketStatus.NEW}' AND channel = '{TicketChannel.CHAT}'",
}

_COUNT = f"""SELECT {", ".join(f'COUNT(*) FILTER (WHERE {each}) AS "{name}"' for name, each in _NUMBERS.items())}
    FROM "ticket" WHERE status IN ({_ACTIVE})"""


async def _anybody() -> Collection[str]:
    """The process follows for itself; each watcher has a guard of its own."""
    return ()
