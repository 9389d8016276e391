"""A doorbell that cannot be relied on: its messages are lost, doubled, late, overtaken, or made up.

Rings within a process suffer the same as those between processes. What a backend says by itself (that it has
connected again) is left alone.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any
from unittest import mock

import orjson
from broadcaster import Broadcast, BroadcastBackend, Event

from realtime.backends import make_broadcast
from realtime.hub import Hub

LOST, DOUBLED, MADE_UP = 0.3, 0.2, 0.1
"""Parts of the messages."""

LATEST = 0.4
"""Seconds by which half of the messages are late, so that others overtake them."""

RUBBISH = ("", "[", "{}", "null", '[["no such topic",7]]', "[[1]]", '[["t","x"]]', "resync?")


def apply() -> None:
    """Every hub that this process makes from now on is a noisy one."""
    mock.patch("server.app.Hub", partial(NoisyHub, connect=noisy_broadcast)).start()


def noisy_broadcast(url: str) -> Broadcast:
    made = make_broadcast(url)
    made._backend = NoisyBackend(made._backend)
    return made


class NoisyHub(Hub):
    def ring(self, heads: Mapping[str, int]) -> None:
        for topic, head in heads.items():
            disturbed(partial(self._kick, topic), head)
            if random.random() < MADE_UP:
                self._kick(topic, head + random.randint(1, 300))
        self.doorbell.ring(heads)


class NoisyBackend(BroadcastBackend):
    def __init__(self, backend: BroadcastBackend) -> None:
        self._backend = backend
        self._sending: set[asyncio.Task[None]] = set()

    async def connect(self) -> None:
        await self._backend.connect()

    async def disconnect(self) -> None:
        await self._backend.disconnect()

    async def subscribe(self, group: str) -> None:
        await self._backend.subscribe(group)

    async def unsubscribe(self, group: str) -> None:
        await self._backend.unsubscribe(group)

    async def next_published(self) -> Event:
        return await self._backend.next_published()

    async def publish(self, channel: str, message: Any) -> None:
        disturbed(partial(self._launch, channel), message)
        if random.random() < MADE_UP:
            self._launch(channel, made_up(message))

    def _launch(self, channel: str, message: Any) -> None:
        task = asyncio.ensure_future(self._quietly(self._backend.publish(channel, message)))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _quietly(self, sending: Awaitable[None]) -> None:
        try:
            await sending
        except Exception:  # a doorbell that is away is no news here
            return


def disturbed(send: Callable[[Any], None], message: Any) -> None:
    """Send a message never, once or twice; now or later."""
    if random.random() < LOST:
        return
    for _ in range(1 + (random.random() < DOUBLED)):
        late = random.uniform(0, LATEST) if random.random() < 0.5 else 0.0
        asyncio.get_running_loop().call_later(late, send, message)


def made_up(message: str) -> str:
    """Rubbish, or rings that promise events which do not exist."""
    rings = orjson.loads(message)
    if not rings or random.random() < 0.3:
        return random.choice(RUBBISH)
    return orjson.dumps([[topic, seq + random.randint(1, 300)] for topic, seq in rings]).decode()
