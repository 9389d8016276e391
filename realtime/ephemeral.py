"""What passes: who is typing, who is looking. A second channel between processes, unlogged; nothing in it is the truth.

An entry says something of a user under a topic, for a while. A process tells the others what changes, and every 20
seconds what it keeps; what is not told again is forgotten after 45 seconds. So a process that dies without a word is
forgotten too, and a message that is lost is made up for.
"""

import asyncio
import contextlib
import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from uuid import uuid4

import orjson
from broadcaster import Broadcast

from realtime.backends import make_broadcast
from realtime.entries import MOST_ENTRIES, Entries, Entry, Key, Watch, let_oldest_go, put_last
from realtime.line import IO_TIMEOUT, RESYNC, Line
from realtime.tasks import Tasks

logger = logging.getLogger(__name__)

CHANNEL = "casewire.ephemeral"
RENEW = 20.0
"""Seconds after which a process tells again what it keeps."""

FORGET = 45.0
"""Seconds that an entry lasts at most when it is not told again: two renewals may be lost."""

TICK = 0.25
"""Seconds between two looks at what has run out."""

CANARY = 5.0
MOST_PENDING = 1_000
"""Entries that wait to be sent; beyond it the oldest go."""

MESSAGE_BYTES = 7_000
"""PostgreSQL takes less than 8,000 in a notification."""


class Ephemeral:
    """One a process. `clock` counts seconds and never stands for a date; `url` is as for the doorbell.

    Nothing here raises into who calls it, and everything works within the process while there is no broker, or before
    `start()`.

    Raises:
        ValueError: there is no backend for such a URL.
    """

    def __init__(
        self,
        url: str = "memory://",
        *,
        clock: Callable[[], float] = time.monotonic,
        tick: float = TICK,
        canary: float = CANARY,
        connect: Callable[[str], Broadcast] = make_broadcast,
    ) -> None:
        self.line = Line(url, CHANNEL, self._hear, self._connected, canary=canary, connect=connect)
        self._clock = clock
        self._tick = tick
        self._canary = canary
        self._me = uuid4().hex
        self._tasks = Tasks()
        self._entries = Entries()
        self._said_at: dict[Key, float] = {}
        self._keepers: Counter[Key] = Counter()
        self._pending: dict[Key, None] = {}
        self._asks = False
        self._woken = asyncio.Event()
        self._renew_at = clock() + RENEW

    async def start(self) -> None:
        """Begin to tell and to listen. Call it outside of any transaction: the tasks keep this context."""
        self._tasks.open()
        self.line.start(self._tasks)
        self._tasks.launch(self._run())

    async def stop(self) -> None:
        """Say that what this process keeps is over, and end."""
        for key in self._keepers:
            self.drop(key)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IO_TIMEOUT):
                await self._send()
        await self._tasks.close()

    # ---- saying ----

    def say(self, key: Key, data: Mapping[str, Any], *, ttl: float, spacing: float = 0.0) -> Entry | None:
        """Say something of a user for `ttl` seconds, and tell everybody; it replaces what was said before.

        Within `spacing` seconds of the last time nothing is said: then the answer is what stands, None for nothing.
        """
        now = self._clock()
        if now - self._said_at.get(key, -math.inf) < spacing:
            return self._entries.get(key)
        if spacing:
            put_last(self._said_at, key, now)
            let_oldest_go(self._said_at, MOST_ENTRIES)
        entry = Entry(key, data, now + min(ttl, FORGET))
        self._entries.put(entry, now)
        self._tell(key)
        return entry

    def drop(self, key: Key) -> None:
        """Say that it is over."""
        if self._entries.end(key):
            self._tell(key)

    @contextmanager
    def keeping(self, key: Key) -> Iterator[None]:
        """For as long as this lasts, whatever is said of the user under the topic does not run out; then it is over.

        It may be said here or by another process. Several may keep the same: within a process the last one ends it, and
        a process that still keeps it tells so at once.
        """
        self._keepers[key] += 1
        self._renew([key])
        try:
            yield
        finally:
            self._keepers[key] -= 1
            if not self._keepers[key]:
                del self._keepers[key]
                self.drop(key)

    # ---- hearing ----

    def said(self, topic: str, kind: str) -> list[Entry]:
        """What stands now; what is kept here stands, though its renewal may be late."""
        if self._clock() >= self._renew_at:
            self._look()
        return self._entries.at(topic, kind, self._clock())

    def seconds_left(self, entry: Entry) -> float:
        """How long an entry lasts if it is not said again."""
        return max(entry.until - self._clock(), 0.0)

    def watching(self, topic: str, *kinds: str) -> AbstractContextManager[Watch]:
        """From here on, what changes."""
        return self._entries.watching(topic, *kinds)

    # ---- what is due ----

    def _renew(self, keys: Iterable[Key]) -> None:
        """Say again what somebody here keeps."""
        now = self._clock()
        for key in keys:
            if entry := self._entries.get(key):
                self._entries.put(Entry(key, entry.data, now + FORGET), now)
                self._tell(key)

    def _look(self) -> None:
        now = self._clock()
        if now >= self._renew_at:
            self._renew_at = now + RENEW
            self._renew(self._keepers)
            self._said_at = {key: at for key, at in self._said_at.items() if now - at < RENEW}
        self._entries.forget(now)

    async def _run(self) -> None:
        sent_at = -math.inf
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._tick):
                    await self._woken.wait()
            self._woken.clear()
            self._look()
            if self._pending or self._asks or time.monotonic() >= sent_at + self._canary:
                sent_at = time.monotonic()
                await self._send()

    # ---- out ----

    def _tell(self, key: Key) -> None:
        if self._tasks.is_open:
            put_last(self._pending, key, None)
            let_oldest_go(self._pending, MOST_PENDING)
            self._woken.set()

    async def _send(self) -> None:
        pending, self._pending = list(self._pending), {}
        asks, self._asks = self._asks, False
        for message in messages_for(self._me, [self._as_told(key) for key in pending], asks=asks):
            await self.line.publish(message)

    def _as_told(self, key: Key) -> list[Any]:
        entry = self._entries.get(key)
        return [*key, entry.data, self.seconds_left(entry)] if entry else [*key, {}, 0]

    # ---- in ----

    def _connected(self) -> None:
        """Nobody heard us while we were away, and we heard nobody."""
        self._asks = True
        self._renew(self._keepers)
        self._woken.set()

    def _hear(self, message: str) -> None:
        if message == RESYNC:
            self._connected()
            return
        try:
            heard = orjson.loads(message)
            if heard["from"] == self._me:
                return
            entries = [self._heard(*each) for each in heard["said"]]
        except (ValueError, TypeError, KeyError):
            logger.warning("an ephemeral message that is not one of ours was ignored")
            return
        if heard.get("asks"):
            self._renew(self._keepers)
        for entry in entries:
            self._take(entry)

    def _heard(self, topic: str, kind: str, user: str, data: dict[str, Any], ttl: float) -> Entry:
        """
        Raises:
            ValueError: not something that one of us says.
        """
        given = ((topic, str), (kind, str), (user, str), (data, dict), (ttl, int | float))
        if not all(isinstance(value, expected) for value, expected in given):
            raise ValueError("not an entry")
        return Entry(Key(topic, kind, user), data, self._clock() + min(ttl, FORGET))

    def _take(self, entry: Entry) -> None:
        now = self._clock()
        if entry.until > now:
            self._entries.put(entry, now)
        elif entry.key in self._keepers:
            self._renew([entry.key])  # Over for whoever said so, not for who is here.
        else:
            self._entries.end(entry.key)


def messages_for(sender: str, told: list[list[Any]], *, asks: bool = False) -> Iterator[str]:
    """One at least: it is the canary."""
    batch: list[list[Any]] = []
    size = 0
    for each in told:
        length = len(orjson.dumps(each)) + 1
        if batch and size + length > MESSAGE_BYTES:
            yield _message(sender, batch)
            batch, size = [], 0
        batch.append(each)
        size += length
    yield _message(sender, batch, asks=asks)


def _message(sender: str, told: list[list[Any]], *, asks: bool = False) -> str:
    return orjson.dumps({"from": sender, "said": told, **({"asks": True} if asks else {})}).decode()
