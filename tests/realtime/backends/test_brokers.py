"""Over a real server: what one process rings, the others hear at once."""

import asyncio
from contextlib import aclosing

import orjson
import pytest

from realtime.backends import make_broadcast
from realtime.backends.inbox import SIZE, Inbox
from realtime.backends.postgres import PostgresBackend
from realtime.backends.redis import RedisBackend
from realtime.doorbell import messages_for
from realtime.line import RESYNC
from tests.realtime.backends.brokers import Broker, hear, listening, two_processes
from tests.realtime.conftest import MakeHub
from tests.realtime.support import (
    PATIENCE,
    Store,
    draft,
    eventually,
    follow,
    leaves_no_task,
    next_step,
    take_until_caught_up,
    told,
)

pytestmark = pytest.mark.anyio


async def test_a_ring_reaches_the_watchers_of_another_process(store: Store, make_hub: MakeHub, broker: Broker) -> None:
    here, there = await two_processes(store, make_hub, broker.url)
    async with aclosing(follow(there, "t")) as stream:
        await take_until_caught_up(stream)
        looked = there.stats.sweeps
        for seq in (1, 2, 3):
            here.ring(await store.append(draft("t", f"k{seq}")))

            assert told([await next_step(stream)]) == [seq]

    assert there.stats.sweeps == looked
    assert here.doorbell.reaches_others


async def test_fifty_rings_at_the_same_moment_all_arrive(broker: Broker, channel: str) -> None:
    messages = [str(number) for number in range(50)]
    async with listening(broker.url, channel) as (here, _), listening(broker.url, channel) as (_, ear):
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(here.publish(channel, message) for message in messages))

        assert sorted([await hear(ear) for _ in messages]) == sorted(messages)


async def test_forty_of_the_longest_topics_go_in_one_message(broker: Broker, channel: str) -> None:
    rings = [(f"{number:02}" + "t" * 118, 2**63 - 1) for number in range(40)]
    async with listening(broker.url, channel) as (here, ear):
        (message,) = messages_for(rings)
        await here.publish(channel, message)

        assert [tuple(ring) for ring in orjson.loads(await hear(ear))] == rings


async def test_a_burst_that_is_not_taken_becomes_one_resync(
    broker: Broker, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, heard = Inbox.put, []

    def count(inbox: Inbox, channel: str, message: str) -> None:
        heard.append(message)
        put(inbox, channel, message)

    monkeypatch.setattr(Inbox, "put", count)
    backend = broker.backend(broker.url)
    await backend.connect()
    try:
        await backend.subscribe(channel)
        async with asyncio.timeout(PATIENCE):
            assert (await backend.next_published()).message == RESYNC
            for number in range(SIZE + 100):
                await backend.publish(channel, str(number))
            await eventually(lambda: len(heard) == SIZE + 100)

            assert (await backend.next_published()).message == RESYNC
            await backend.publish(channel, "next")
            assert (await backend.next_published()).message == "next"
    finally:
        await backend.disconnect()


async def test_disconnecting_leaves_no_task_and_no_listener(broker: Broker, channel: str) -> None:
    others = asyncio.all_tasks()
    async with listening(broker.url, channel) as (here, ear):
        await here.publish(channel, "1")
        assert await hear(ear) == "1"

    await leaves_no_task(others)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(ConnectionError):
            await here.publish(channel, "2")


async def test_a_second_channel_does_not_cost_the_first_its_messages(broker: Broker, channel: str) -> None:
    other = channel + ".other"
    async with listening(broker.url, channel) as (here, first):
        async with here.subscribe(other) as second:
            assert {await hear(first), await hear(second)} == {RESYNC}
            await here.publish(channel, "to a")
            await here.publish(other, "to b")
            assert (await hear(first), await hear(second)) == ("to a", "to b")
        assert await hear(first) == RESYNC
        await here.publish(other, "to nobody")
        await here.publish(channel, "to a again")

        assert await hear(first) == "to a again"


@pytest.mark.parametrize(
    ("url", "backend"),
    [
        ("redis://:secret@cache:6380/1", RedisBackend),
        ("rediss://cache", RedisBackend),
        ("postgres://desk@db/casewire", PostgresBackend),
        ("postgresql://desk@db/casewire", PostgresBackend),
    ],
)
def test_every_spelling_of_an_address_has_our_backend_and_needs_no_server_to_begin_with(
    url: str, backend: type
) -> None:
    assert type(make_broadcast(url)._backend) is backend


@pytest.mark.parametrize("url", ["redis://cache:port", "redis://cache:1?socket_timeout=soon"])
def test_an_address_of_redis_that_cannot_be_read_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        make_broadcast(url)
