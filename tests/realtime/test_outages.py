"""A database that is away makes streams quiet. When it is back they go on, with nothing missing."""

import asyncio
from contextlib import aclosing

import pytest

from realtime.cursor import Cursor
from tests.realtime.conftest import MakeHub, make_silent_hub
from tests.realtime.support import (
    PATIENCE,
    Store,
    Turnstile,
    draft,
    eventually,
    follow,
    next_step,
    take,
    take_until_caught_up,
    told,
)

pytestmark = pytest.mark.anyio


async def test_a_stream_is_quiet_during_an_outage_and_goes_on_after_it(store: Store, make_hub: MakeHub) -> None:
    gate = Turnstile(store.reader)
    hub = await make_hub(lambda: gate, sweep_every=0.05, sweep_every_when_deaf=0.05)
    async with aclosing(follow(hub, "t")) as stream:
        await take_until_caught_up(stream)
        gate.away = True
        hub.ring(await store.append(draft("t", "k1")))
        coming = asyncio.ensure_future(anext(stream))
        await eventually(lambda: gate.refused >= 3)
        await store.append(draft("t", "k2"))
        assert not coming.done()

        gate.away = False

        async with asyncio.timeout(PATIENCE):
            assert told([await coming]) == [1]
        assert told(await take(stream, 1)) == [2]


async def test_a_client_that_comes_during_an_outage_is_served_after_it(store: Store, make_hub: MakeHub) -> None:
    await store.fill("t", 1, 2)
    gate = Turnstile(store.reader)
    gate.away = True
    hub = await make_hub(lambda: gate)
    async with aclosing(follow(hub, "t", Cursor("-", 0))) as stream:
        coming = asyncio.ensure_future(anext(stream))
        await eventually(lambda: gate.refused >= 2)
        assert not coming.done()

        gate.away = False

        async with asyncio.timeout(PATIENCE):
            assert told([await coming]) == [1]


async def test_an_outage_in_the_middle_of_a_catch_up_is_waited_for(store: Store, make_hub: MakeHub) -> None:
    await store.fill("t", 1, 250)
    gate = Turnstile(store.reader)
    hub = await make_silent_hub(make_hub, lambda: gate)
    async with aclosing(follow(hub, "t", Cursor("-", 0))) as stream:
        assert told(await take(stream, 100)) == list(range(1, 101))
        gate.away = True
        coming = asyncio.ensure_future(anext(stream))
        await eventually(lambda: gate.refused >= 2)
        assert not coming.done()

        gate.away = False

        async with asyncio.timeout(PATIENCE):
            assert told([await coming]) == [101]


async def test_a_read_without_an_answer_is_given_up_and_tried_again(store: Store, make_hub: MakeHub) -> None:
    gate = Turnstile(store.reader)
    hub = await make_hub(lambda: gate, read_timeout=0.05, sweep_every=0.05, sweep_every_when_deaf=0.05)
    unanswered = 3

    async def hangs(subject: str) -> None:
        nonlocal unanswered
        if unanswered:
            unanswered -= 1
            await asyncio.Event().wait()

    async with aclosing(follow(hub, "t")) as stream:
        await take_until_caught_up(stream)
        gate.before = hangs
        hub.ring(await store.append(draft("t", "k1")))

        assert told(await take(stream, 1)) == [1]
        assert unanswered == 0


async def test_a_hub_stops_during_an_outage_that_ignores_cancellation(store: Store, make_hub: MakeHub) -> None:
    gate = Turnstile(store.reader)
    hub = await make_silent_hub(make_hub, lambda: gate, read_timeout=0.05)
    release = asyncio.Event()

    async def deaf(subject: str) -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                cancelled.set()

    cancelled = asyncio.Event()
    gate.before = deaf
    coming = asyncio.ensure_future(anext(follow(hub, "t"), None))
    async with asyncio.timeout(PATIENCE):
        await cancelled.wait()
        await eventually(lambda: hub.stats.lookups == 2)  # The time limit came; the watcher did not wait for its end.
        stopping = asyncio.create_task(hub.stop())
        release.set()
        await stopping
        assert await coming is None


async def test_a_connection_that_is_lost_heals(store: Store, make_hub: MakeHub) -> None:
    """The real thing: PostgreSQL ends the reader's sessions; on SQLite the file's connection is closed."""
    hub = await make_hub(sweep_every=0.05, sweep_every_when_deaf=0.05)
    async with aclosing(follow(hub, "t")) as stream:
        await take_until_caught_up(stream)
        for seq in (1, 2, 3):
            if store.is_sqlite:
                await store.reader.close()
            else:
                await store.writers[1].execute_query_dict(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'reader' AND datname = current_database()"
                )
            await store.append(draft("t", f"k{seq}"))

            assert told([await next_step(stream)]) == [seq]
