"""Changes of access: a topic of its own, which each process follows once for all of its watchers.

Who may watch is changed by transactions that need not touch what is watched. Each of them appends an event here, in
the same commit. Whoever reads events of any topic learns in the same statement how far this topic had come; those
events are handed out only when everybody whom the changes up to there concern has been told. So nothing that was
committed after a change of access reaches somebody whom it concerns before that person's guard was asked again.
"""

import random
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Self

from realtime.log import ACCESS, Event, Position
from realtime.pump import Pump
from realtime.reader import LogReader, patiently
from realtime.tail import Mark, Tail
from realtime.tasks import Tasks

ACCESS_CHANGE = "acl"
"""The kind of event that says that who may watch has changed: all of `access`, and any that another topic has."""

RECHECK = 30.0
"""Seconds after which access is asked again, even if no event says that it changed."""

REMEMBERED = 1_000
"""Changes that whoever asks its guard meanwhile can look back upon."""

Guard = Callable[[], Awaitable[Collection[str] | None]]
"""Raises what ends the stream when the viewer may not watch, or no longer. Answers with the subjects that this rests
on, such as `user:…`: it is asked again as soon as one of them changes."""


class Moved(Exception):
    """A guard's word that the viewer may watch still, but now follows another topic."""


def subjects_in(event: Event) -> Iterator[str]:
    """What a change of access is about: `{"user": "1"}` is about `user:1`."""
    return (f"{kind}:{of}" for kind, of in event.data.items())


@dataclass(eq=False, slots=True)
class Interest:
    """Somebody whose access rests on these subjects; `on_change` is called when one of them changes."""

    subjects: frozenset[str]
    on_change: Callable[[], None]


class AccessTail(Tail):
    """The process's place in the topic, and everybody who is to be told."""

    def __init__(self, log: LogReader, tasks: Tasks) -> None:
        super().__init__(ACCESS, Pump(log, tasks), tasks)
        self.watchers = 1  # it is never given up
        self.listeners: list[Callable[[Event | None], None]] = []
        """Called with each change of access; with None when some may have been missed."""
        self._interests: dict[str, set[Interest]] = {}
        self._changes: deque[tuple[int, str]] = deque(maxlen=REMEMBERED)

    @property
    def interested(self) -> int:
        """How many subjects somebody's access rests on."""
        return len(self._interests)

    def add(self, interest: Interest) -> Interest:
        for subject in interest.subjects:
            self._interests.setdefault(subject, set()).add(interest)
        return interest

    def discard(self, interest: Interest) -> None:
        for subject in interest.subjects:
            interested = self._interests.get(subject, set())
            interested.discard(interest)
            if not interested:
                self._interests.pop(subject, None)

    async def begin(self) -> None:
        """Know where the topic stands: from here on no change is missed."""
        if not self._ready:
            await self.locate()

    async def reach(self, seq: int) -> None:
        """Until everybody has been told whom the changes up to `seq` concern."""
        await self.begin()
        era = self.era
        while self.last < seq and self.era == era and not self.stopped:
            changed = self.changed
            self.kick(seq)
            await changed.wait()

    def concerned(self, subjects: frozenset[str], since: Mark) -> bool:
        """Whether one of `subjects` may have changed since the mark was taken."""
        if since.era != self.era or (self._changes and since.last < self._changes[0][0] - 1):
            return True
        return any(seq > since.last and subject in subjects for seq, subject in self._changes)

    def _extend(self, events: list[Event]) -> None:
        if events and events[0].seq != self.last + 1:
            self._changes.clear()
            self._tell_everybody()  # The log was compacted beyond what was read here.
        for event in events:
            for subject in subjects_in(event):
                self._changes.append((event.seq, subject))
                for interest in list(self._interests.get(subject, ())):
                    interest.on_change()
            for listener in self.listeners:
                listener(event)
        super()._extend(events)

    def _restart(self, at: Position) -> None:
        self._changes.clear()
        super()._restart(at)
        self._tell_everybody()

    def _tell_everybody(self) -> None:
        for interest in {each for interested in self._interests.values() for each in interested}:
            interest.on_change()
        for listener in self.listeners:
            listener(None)


class Pass:
    """A viewer's permission to watch: asked for at first, when a change concerns it, and every 30 seconds."""

    __slots__ = ("_access", "_clock", "_due_at", "_guard", "_interest", "_recheck", "is_stale", "on_stale")

    def __init__(self, guard: Guard, access: AccessTail, clock: Callable[[], float], recheck: float) -> None:
        self._guard = guard
        self._access = access
        self._clock = clock
        self._recheck = recheck
        self._due_at = 0.0
        self._interest = Interest(frozenset(), self._concerned)
        self.is_stale = True
        self.on_stale: Callable[[], None] = nothing

    @property
    def subjects(self) -> frozenset[str]:
        return self._interest.subjects

    @property
    def seconds_left(self) -> float:
        return 0.0 if self.is_stale else self._due_at - self._clock()

    @property
    def is_due(self) -> bool:
        return self.is_stale or self._clock() >= self._due_at

    async def check(self) -> None:
        """Ask the guard. While it cannot be asked, this waits."""
        await patiently(self._access.begin)
        asking = True
        while asking:
            self.is_stale = False
            began = self._access.mark()
            subjects = await patiently(self._guard)
            asking = self._rest_on(frozenset(subjects or ()), began)
        self._due_at = self._clock() + self._recheck * random.uniform(0.8, 1.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        self._access.discard(self._interest)

    def _rest_on(self, subjects: frozenset[str], began: Mark) -> bool:
        """Be told of changes of these subjects from now on; whether one has changed while the guard was asked."""
        if subjects == self.subjects:
            return False  # It was told all the time.
        self._access.discard(self._interest)
        self._interest = self._access.add(Interest(subjects, self._concerned))
        return self._access.concerned(subjects, began)

    def _concerned(self) -> None:
        self.is_stale = True
        self.on_stale()


def nothing() -> None:
    """Somebody is told, and has nothing to do."""
