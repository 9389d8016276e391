"""The control: live updates as they are usually built on broadcaster, in place of the log and its hub.

A subscription subscribes to the channel of its topic, and a change is published there after its commit. Writing, the
schema and everything else is the product's. The suite has to find fault with it, or it proves nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson
from broadcaster import Broadcast, BroadcastBackend
from broadcaster import Event as Published
from redis.asyncio import Redis
from tortoise.backends.base.client import BaseDBAsyncClient

from realtime.cursor import NO_EPOCH, Cursor
from realtime.hub import CaughtUp, Delivered, Guard, Hub, Pass, ResetReason, Step
from realtime.log import Draft, Event
from resolvers import transaction
from server.transport.fanout import Fanout

EPOCH = "00000000"


class Heads(dict[str, int]):
    """What is rung, with the events themselves."""

    drafts: tuple[Draft, ...] = ()


def apply() -> None:
    from tests.realtime.faults.mutants import instead

    append = transaction._append

    async def append_and_keep(connection: BaseDBAsyncClient, work: transaction.Work) -> dict[str, int]:
        heads = Heads(await append(connection, work))
        heads.drafts = tuple(work.drafts)
        return heads

    instead(transaction, "_append", append_and_keep)
    instead(Hub, "start", start)
    instead(Hub, "stop", stop)
    instead(Hub, "ring", publish)
    instead(Hub, "follow", follow)
    instead(Fanout, "_joined", lambda *given: False)


STARTED, STOPPED = Hub.start, Hub.stop
CHANNELS: dict[int, tuple[Broadcast, set[asyncio.Task[None]]]] = {}


async def start(self: Hub) -> None:
    await STARTED(self)
    url = self.doorbell._line._url
    broadcast = Broadcast(backend=PlainRedis(url)) if url.startswith("redis") else Broadcast(url)
    await broadcast.connect()
    CHANNELS[id(self)] = (broadcast, set())


async def stop(self: Hub) -> None:
    broadcast, publishing = CHANNELS[id(self)]
    if publishing:
        await asyncio.wait(publishing)
    with suppress(Exception):  # what its listener died of
        async with asyncio.timeout(1):
            await broadcast.disconnect()
    await STOPPED(self)


def publish(self: Hub, heads: Mapping[str, int]) -> None:
    assert isinstance(heads, Heads)
    broadcast, publishing = CHANNELS[id(self)]

    async def send() -> None:
        last: dict[str, int] = {}
        for draft in heads.drafts:
            count = sum(other.topic == draft.topic for other in heads.drafts)
            seq = last.get(draft.topic, heads[draft.topic] - count) + 1
            last[draft.topic] = seq
            with suppress(Exception):  # nobody is told then
                async with asyncio.timeout(1):
                    await broadcast.publish(draft.topic, orjson.dumps([seq, draft.kind, draft.data]).decode())

    task = asyncio.get_running_loop().create_task(send())
    publishing.add(task)
    task.add_done_callback(publishing.discard)


async def follow(
    self: Hub, topic: str, after: Cursor | None, *, guard: Guard | Pass, lost: ResetReason | None = None
) -> AsyncGenerator[Step, None]:
    await (guard.check() if isinstance(guard, Pass) else guard())
    broadcast, _ = CHANNELS[id(self)]
    async with broadcast.subscribe(topic) as subscriber:
        yield CaughtUp(after or Cursor(NO_EPOCH, 0))
        while True:
            seq, kind, data = orjson.loads((await subscriber.get()).message)
            yield Delivered(Event(topic, seq, kind, "", data, datetime.now(UTC)), Cursor(EPOCH, seq))


class PlainRedis(BroadcastBackend):
    """What the package's backend does. That one hears nothing at all with redis-py 8, which would prove too little."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, protocol=2, decode_responses=True)
        self._pubsub = self._redis.pubsub(ignore_subscribe_messages=True)

    async def connect(self) -> None:
        await self._pubsub.subscribe("begun")

    async def disconnect(self) -> None:
        await self._pubsub.aclose()
        await self._redis.aclose()

    async def subscribe(self, group: str) -> None:
        await self._pubsub.subscribe(group)

    async def unsubscribe(self, group: str) -> None:
        await self._pubsub.unsubscribe(group)

    async def publish(self, channel: str, message: Any) -> None:
        await self._redis.publish(channel, message)

    async def next_published(self) -> Published:
        while not (message := await self._pubsub.get_message(timeout=None)):
            pass
        return Published(message["channel"], message["data"])
