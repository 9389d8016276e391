"""What is said for a while: which entries stand, and who is told when they change. Both are bounded."""

import asyncio
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

MOST_ENTRIES = 10_000
MOST_WAITING = 256
"""Entries of a process, and those that wait for one watcher. Beyond it the oldest go."""

OVER = -math.inf


class Key(NamedTuple):
    topic: str
    kind: str
    user: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What is said of a user, until an instant of this process's clock."""

    key: Key
    data: Mapping[str, Any]
    until: float

    @property
    def is_over(self) -> bool:
        """Whether watchers are told of its end."""
        return self.until == OVER


class Watch:
    """What one watcher has not taken yet: the latest of each user, and of no more than a bounded number of users."""

    def __init__(self) -> None:
        self._waiting: dict[Key, Entry] = {}
        self._arrived = asyncio.Event()

    def put(self, entry: Entry) -> None:
        put_last(self._waiting, entry.key, entry)
        let_oldest_go(self._waiting, MOST_WAITING)
        self._arrived.set()

    async def take(self) -> list[Entry]:
        """What changed since the last time; waits for something."""
        await self._arrived.wait()
        self._arrived.clear()
        taken, self._waiting = list(self._waiting.values()), {}
        return taken


class Entries:
    """`put` and `end` tell the watchers, and say whether there was something to tell."""

    def __init__(self) -> None:
        self._entries: dict[Key, Entry] = {}
        self._places: dict[tuple[str, str], dict[Key, None]] = {}
        self._watches: dict[tuple[str, str], set[Watch]] = {}
        self._next_end = math.inf

    def get(self, key: Key) -> Entry | None:
        return self._entries.get(key)

    def at(self, topic: str, kind: str, now: float) -> list[Entry]:
        found = [self._entries[key] for key in self._places.get((topic, kind), ())]
        return [entry for entry in found if entry.until > now]

    def put(self, entry: Entry, now: float) -> bool:
        """Put an entry in place of what was said before. What was said already is no news."""
        before = self._entries.get(entry.key)
        put_last(self._entries, entry.key, entry)
        self._places.setdefault(entry.key[:2], {})[entry.key] = None
        if len(self._entries) > MOST_ENTRIES:
            self.end(next(iter(self._entries)))
        self._next_end = min(self._next_end, entry.until)
        is_news = before is None or before.data != entry.data or before.until <= now
        if is_news:
            self._tell(entry)
        return is_news

    def end(self, key: Key) -> bool:
        entry = self._entries.pop(key, None)
        if entry is None:
            return False
        here = self._places[key[:2]]
        del here[key]
        if not here:
            del self._places[key[:2]]
        self._tell(Entry(key, entry.data, OVER))
        return True

    def forget(self, now: float) -> None:
        """End what has run out."""
        if now < self._next_end:
            return
        for key in [key for key, entry in self._entries.items() if entry.until <= now]:
            self.end(key)
        self._next_end = min((entry.until for entry in self._entries.values()), default=math.inf)

    @contextmanager
    def watching(self, topic: str, *kinds: str) -> Iterator[Watch]:
        watch = Watch()
        for kind in kinds:
            self._watches.setdefault((topic, kind), set()).add(watch)
        try:
            yield watch
        finally:
            for kind in kinds:
                watches = self._watches[topic, kind]
                watches.discard(watch)
                if not watches:
                    del self._watches[topic, kind]

    def _tell(self, entry: Entry) -> None:
        for watch in self._watches.get(entry.key[:2], ()):
            watch.put(entry)


def put_last(found: dict[Key, Any], key: Key, value: Any) -> None:
    found.pop(key, None)
    found[key] = value


def let_oldest_go(found: dict[Key, Any], most: int) -> None:
    while len(found) > most:
        del found[next(iter(found))]
