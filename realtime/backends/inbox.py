"""What was heard and is waiting to be read."""

import asyncio
from collections import deque
from collections.abc import Collection

from broadcaster import Event

from realtime.line import RESYNC

SIZE = 1000
"""Messages that may wait. They wait for one turn of the event loop as a rule; beyond it, looking is cheaper."""


class Inbox:
    """A queue with an end: when it is full, or when something may have been missed, one resync stands for all.

    Whoever takes the resync looks at everything, and so sees what any message that came before that could have told.
    `channels` may change while the inbox is in use.
    """

    def __init__(self, channels: Collection[str], size: int = SIZE) -> None:
        self._channels = channels
        self._size = size
        self._waiting: deque[Event] = deque()
        self._missed: set[str] = set()
        self._arrived = asyncio.Event()

    def put(self, channel: str, message: str) -> None:
        if channel in self._missed:
            return
        if len(self._waiting) == self._size:
            self.resync()
            return
        self._waiting.append(Event(channel, message))
        self._arrived.set()

    def resync(self) -> None:
        """Tell each channel that messages may be missing."""
        self._missed = set(self._channels)
        self._waiting = deque(Event(channel, RESYNC) for channel in self._missed)
        self._arrived.set()

    async def take(self) -> Event:
        """The next message, in the order in which they came; waits for one."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        event = self._waiting.popleft()
        if event.message == RESYNC:
            self._missed.discard(event.channel)
        return event
