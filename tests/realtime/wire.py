"""A broker between processes that a test can cut, freeze or make refuse connections."""

import asyncio
from typing import Any

from broadcaster import Broadcast, BroadcastBackend, Event

from realtime.doorbell import CHANNEL


class Wire:
    """A broker between processes, which can be cut, frozen or made to refuse connections."""

    def __init__(self, channel: str = CHANNEL) -> None:
        self.channel = channel
        self.ends: set[WireEnd] = set()
        self.connected = 0
        self.frozen = False
        self.refuses = False
        self.messages: list[str] = []

    def connect(self, url: str) -> Broadcast:
        return Broadcast(backend=WireEnd(self))

    def say(self, message: str) -> None:
        self.messages.append(message)
        for end in self.ends:
            end.queue.put_nowait(Event(self.channel, message))


class WireEnd(BroadcastBackend):
    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.queue: asyncio.Queue[Event] = asyncio.Queue()

    async def connect(self) -> None:
        if self.wire.refuses:
            raise ConnectionRefusedError
        self.wire.connected += 1
        self.wire.ends.add(self)

    async def disconnect(self) -> None:
        self.wire.ends.discard(self)

    async def subscribe(self, group: str) -> None:
        assert group == self.wire.channel

    async def unsubscribe(self, group: str) -> None:
        pass

    async def publish(self, channel: str, message: Any) -> None:
        if self.wire.refuses:
            raise ConnectionResetError
        if self.wire.frozen:
            await asyncio.Event().wait()
        self.wire.say(message)

    async def next_published(self) -> Event:
        return await self.queue.get()
