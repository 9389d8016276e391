"""A server that goes away, freezes or says nothing makes rings late. It fails nobody, and nothing is left behind."""

import asyncio
import logging
from contextlib import aclosing

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry

from realtime.backends import make_broadcast, reconnecting
from realtime.doorbell import Doorbell
from realtime.line import RESYNC
from realtime.tasks import Tasks
from tests.realtime.backends.brokers import (
    Breakable,
    RedisServer,
    cut_in_postgres,
    free_port,
    hear,
    listening,
    mute_server,
    two_processes,
)
from tests.realtime.conftest import MakeHub, make_silent_hub
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


async def test_a_connection_that_is_lost_is_found_again_and_what_was_missed_is_looked_for(
    store: Store, make_hub: MakeHub, breakable: Breakable
) -> None:
    here, there = await two_processes(store, make_hub, breakable.url)
    async with aclosing(follow(there, "t")) as stream:
        await take_until_caught_up(stream)
        await store.append(draft("t", "k1"))  # Nobody rings for it.
        heard = here.doorbell.stats.heard

        await breakable.cut()

        assert told([await next_step(stream)]) == [1]
        await eventually(lambda: here.doorbell.stats.heard > heard)
        looked = there.stats.sweeps
        here.ring(await store.append(draft("t", "k2")))
        assert told([await next_step(stream)]) == [2]
        assert there.stats.sweeps == looked
    assert (here.doorbell.stats.rebuilt, there.doorbell.stats.rebuilt) == (0, 0)


@pytest.mark.redis
async def test_a_writer_does_not_notice_that_the_server_is_gone(
    store: Store, make_hub: MakeHub, redis_server: RedisServer
) -> None:
    hub = await make_silent_hub(make_hub, doorbell_url=redis_server.url, canary=0.05)
    async with aclosing(follow(hub, "t")) as stream:
        await take_until_caught_up(stream)
        await redis_server.kill()
        failed = hub.doorbell.stats.failed
        await eventually(lambda: hub.doorbell.stats.failed > failed)

        hub.ring(await store.append(draft("t", "k1")))

        assert told([await next_step(stream)]) == [1]
        await eventually(lambda: not hub.doorbell.healthy)
        await redis_server.start()
        await eventually(lambda: hub.doorbell.healthy)


@pytest.mark.redis
async def test_a_frozen_server_makes_the_doorbell_unhealthy_and_the_sweep_takes_over(
    store: Store, make_hub: MakeHub, redis_server: RedisServer
) -> None:
    hub = await make_hub(
        doorbell_url=redis_server.url, canary=0.1, poll=3600, sweep_every=3600, sweep_every_when_deaf=0.05
    )
    await eventually(lambda: hub.doorbell.healthy)
    async with aclosing(follow(hub, "t")) as stream:
        await take_until_caught_up(stream)
        redis_server.freeze()
        await eventually(lambda: not hub.doorbell.healthy)
        await store.append(draft("t", "k1"))

        assert told([await next_step(stream)]) == [1]
        assert not hub.doorbell.healthy
        redis_server.thaw()
        await eventually(lambda: hub.doorbell.healthy)


@pytest.mark.redis
async def test_a_frozen_server_does_not_keep_a_process_from_stopping(redis_server: RedisServer) -> None:
    others, tasks = asyncio.all_tasks(), Tasks()
    tasks.open()
    bell = Doorbell(redis_server.url, lambda topic, seq: None, lambda: None, tasks)
    bell.start()
    await eventually(lambda: bell.healthy)
    redis_server.freeze()
    async with asyncio.timeout(PATIENCE):
        bell.ring({f"t{number}": 1 for number in range(400)})
        await bell.stop()
        await tasks.close()

    await leaves_no_task(others)


@pytest.mark.redis
async def test_a_message_to_a_frozen_server_is_given_up_and_does_not_spoil_the_next(
    redis_server: RedisServer, channel: str
) -> None:
    async with listening(redis_server.url, channel) as (here, _), listening(redis_server.url, channel) as (_, ear):
        await here.publish(channel, "1")
        assert await hear(ear) == "1"
        redis_server.freeze()
        async with asyncio.timeout(PATIENCE):
            with pytest.raises((TimeoutError, OSError)):
                await here.publish(channel, "late")
        redis_server.thaw()

        await here.publish(channel, "2")

        heard = [await hear(ear)]
        if heard == ["late"]:  # The frozen server may have had it already.
            heard = [await hear(ear)]
        assert heard == ["2"]


@pytest.mark.postgres
@pytest.mark.parametrize("doing", ["LISTEN", "pg_notify"])
async def test_either_connection_to_postgresql_may_be_lost(
    postgres_database: str, postgres_url: str, channel: str, doing: str
) -> None:
    async with listening(postgres_url, channel) as (here, ear):
        await here.publish(channel, "1")
        assert await hear(ear) == "1"

        assert await cut_in_postgres(postgres_database, doing) == 1

        assert await hear(ear) == RESYNC
        await here.publish(channel, "2")
        assert await hear(ear) == "2"


@pytest.mark.postgres
async def test_what_postgresql_refuses_costs_that_message_alone(postgres_url: str, channel: str) -> None:
    async with listening(postgres_url, channel) as (here, ear):
        with pytest.raises(Exception, match="payload string too long"):
            await here.publish(channel, "x" * 8_000)
        await here.publish(channel, "x" * 7_999)

        assert len(await hear(ear)) == 7_999


@pytest.mark.redis
async def test_a_connection_that_redis_py_mends_by_itself_is_owned_up_to(
    redis_server: RedisServer, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """We tell it not to. A release that does so all the same must not make us deaf to what was said meanwhile."""
    monkeypatch.setattr("realtime.backends.redis.Retry", lambda backoff, _: Retry(backoff, 3))
    async with listening(redis_server.url, channel) as (here, ear):
        async with Redis.from_url(redis_server.url) as other:
            assert await other.client_kill_filter(_type="pubsub") == 1

        assert await hear(ear) == RESYNC
        await here.publish(channel, "1")
        assert await hear(ear) == "1"


@pytest.mark.redis
async def test_disconnecting_ends_both_connections_to_redis(redis_server: RedisServer, channel: str) -> None:
    async with Redis.from_url(redis_server.url) as other, asyncio.timeout(PATIENCE):
        async with listening(redis_server.url, channel) as (here, _):
            await here.publish(channel, "1")
            assert [client["name"] for client in await other.client_list()].count("casewire-doorbell") == 2

        while "casewire-doorbell" in [client["name"] for client in await other.client_list()]:  # noqa: ASYNC110
            await asyncio.sleep(0.002)


@pytest.mark.redis
async def test_what_is_no_text_does_not_cost_the_connection(redis_server: RedisServer, channel: str) -> None:
    async with listening(redis_server.url, channel) as (here, ear):
        async with Redis.from_url(redis_server.url) as other:
            await other.publish(channel, b"\xff")
        await here.publish(channel, "1")

        assert [await hear(ear), await hear(ear)] == ["\N{REPLACEMENT CHARACTER}", "1"]


@pytest.mark.parametrize("scheme", ["redis", "postgres"])
async def test_a_server_that_takes_the_connection_and_says_nothing_is_tried_again(
    scheme: str, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconnecting, "CONNECT_TIMEOUT", 0.05)
    others = asyncio.all_tasks()
    async with mute_server() as (port, taken):
        broadcast = make_broadcast(f"{scheme}://nobody@127.0.0.1:{port}/0")
        await broadcast.connect()
        async with broadcast.subscribe(channel) as ear:
            hearing = asyncio.create_task(ear.get())
            await eventually(lambda: len(taken) >= 3)
            async with asyncio.timeout(PATIENCE):
                with pytest.raises(ConnectionError):
                    await broadcast.publish(channel, "1")
            assert not hearing.done()
        hearing.cancel()
        await asyncio.wait({hearing})
        await broadcast.disconnect()
        await leaves_no_task(others)


@pytest.mark.parametrize("scheme", ["redis", "postgres"])
async def test_a_server_that_is_not_there_is_reported_once_and_never_with_its_password(
    scheme: str, channel: str, caplog: pytest.LogCaptureFixture, pauses: list[float]
) -> None:
    caplog.set_level(logging.DEBUG, "realtime")
    broadcast = make_broadcast(f"{scheme}://desk:pa55word@127.0.0.1:{free_port()}/0")
    await broadcast.connect()
    async with broadcast.subscribe(channel):
        await eventually(lambda: len(pauses) >= 3)
    await broadcast.disconnect()

    assert [record.message.partition(" after ")[0] for record in caplog.records] == ["the doorbell has no connection"]
    assert "pa55word" not in caplog.text
