"""One read serves all watchers of a process, and a watcher holds a number, not a queue."""

import asyncio
import gc
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress

import pytest

from realtime import tail
from realtime.cursor import Cursor
from realtime.hub import Hub
from realtime.log import Event
from tests.realtime.conftest import MakeHub, make_silent_hub
from tests.realtime.support import (
    PATIENCE,
    Follow,
    Store,
    Turnstile,
    draft,
    eventually,
    follow,
    take,
    take_until,
    take_until_caught_up,
    told,
)

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def watching(hub: Hub, topic: str, number: int, after: Cursor | None = None) -> AsyncIterator[list[Follow]]:
    """So many streams, all of them caught up."""
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(aclosing(follow(hub, topic, after))) for _ in range(number)]
        await asyncio.gather(*(take_until_caught_up(stream) for stream in streams))
        yield streams


async def test_ten_events_to_a_hundred_watchers_are_ten_reads_at_most(store: Store, silent_hub: Hub) -> None:
    async with watching(silent_hub, "t", 100) as streams:
        assert silent_hub.stats.lookups == 1
        assert silent_hub.stats.watchers == 100

        for seq in range(1, 11):
            silent_hub.ring(await store.append(draft("t", f"k{seq}")))
        got = await asyncio.gather(*(take(stream, 10) for stream in streams))

        assert [told(steps) for steps in got] == [list(range(1, 11))] * 100
        assert 1 <= silent_hub.stats.reads <= 10
        assert silent_hub.stats.pages == 0
    assert silent_hub.stats.watchers == 0


async def test_topics_that_are_rung_for_together_are_read_together(store: Store, silent_hub: Hub) -> None:
    """More events of each than one read gives, and more topics."""
    topics = [f"t{number:03}" for number in range(130)]
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(aclosing(follow(silent_hub, topic))) for topic in topics]
        await asyncio.gather(*(take_until_caught_up(stream) for stream in streams))
        heads = await store.append(*(draft(topic, f"k{key}") for topic in topics for key in range(3)))

        silent_hub.ring(heads)
        got = await asyncio.gather(*(take(stream, 3) for stream in streams))

        assert [told(steps) for steps in got] == [[1, 2, 3]] * 130
        assert silent_hub.stats.reads == 2


async def test_a_topic_that_is_far_behind_is_read_on_after_the_others(store: Store, silent_hub: Hub) -> None:
    async with (
        aclosing(follow(silent_hub, "busy")) as busy,
        aclosing(follow(silent_hub, "calm")) as calm,
    ):
        await asyncio.gather(take_until_caught_up(busy), take_until_caught_up(calm))
        await store.fill("busy", 1, 120)
        heads = {"busy": 120} | await store.append(draft("calm", "k1"))

        silent_hub.ring(heads)

        assert told(await take(calm, 1)) == [1]
        assert told(await take(busy, 120)) == list(range(1, 121))


async def test_reads_do_not_grow_when_each_event_is_waited_for(store: Store, silent_hub: Hub) -> None:
    async with watching(silent_hub, "t", 30) as streams:
        for seq in range(1, 11):
            silent_hub.ring(await store.append(draft("t", f"k{seq}")))
            await asyncio.gather(*(take(stream, 1) for stream in streams))

        assert silent_hub.stats.reads == 10


async def test_a_hundred_watchers_that_come_back_together_read_each_page_once(store: Store, silent_hub: Hub) -> None:
    await store.fill("t", 1, 350)

    async with watching(silent_hub, "t", 100, await store.cursor("t", 0)):
        assert (silent_hub.stats.lookups, silent_hub.stats.pages, silent_hub.stats.reads) == (1, 4, 4)


async def test_watchers_that_come_back_one_after_the_other_share_pages_too(store: Store, silent_hub: Hub) -> None:
    await store.fill("t", 1, 350)
    start, near_the_end = await store.cursor("t", 0), await store.cursor("t", 340)

    async with (
        watching(silent_hub, "t", 1, start),
        watching(silent_hub, "t", 1, start),
        watching(silent_hub, "t", 1, near_the_end),
    ):
        assert (silent_hub.stats.pages, silent_hub.stats.reads) == (4, 4)


async def test_pages_are_kept_for_those_who_are_a_thousand_events_behind_the_others(
    store: Store, silent_hub: Hub
) -> None:
    await store.fill("t", 1, 1_500)
    async with aclosing(follow(silent_hub, "t", await store.cursor("t", 0))) as first:
        assert told(await take_until_caught_up(first)) == [*range(1, 1_501), "caught up at 1500"]
        pages = silent_hub.stats.pages

        async with aclosing(follow(silent_hub, "t", await store.cursor("t", 0))) as second:
            assert told(await take_until_caught_up(second)) == [*range(1, 1_501), "caught up at 1500"]

        assert (pages, silent_hub.stats.pages) == (15, 15)


async def test_at_most_four_catch_up_reads_run_at_once(store: Store, make_hub: MakeHub) -> None:
    running, most, located, full = 0, 0, 0, asyncio.Event()
    go_on = asyncio.Event()
    gate = Turnstile(store.reader)

    async def entering(subject: str) -> None:
        nonlocal running, most
        if subject == "feed_event":
            running += 1
            most = max(most, running)
            if running == 4:
                full.set()
            await go_on.wait()
            running -= 1

    async def leaving(subject: str) -> None:
        nonlocal located
        located += subject == "feed_stream"

    gate.before, gate.after = entering, leaving
    hub = await make_silent_hub(make_hub, lambda: gate)
    located = 0
    topics = [f"t{n}" for n in range(12)]
    for topic in topics:
        await store.fill(topic, 1, 5)

    async def catch_up(topic: str) -> list[int | str]:
        async with aclosing(follow(hub, topic, Cursor("-", 0))) as stream:
            return told(await take_until_caught_up(stream))

    catching_up = [asyncio.create_task(catch_up(topic)) for topic in topics]
    async with asyncio.timeout(PATIENCE):
        await full.wait()
        await eventually(lambda: located == 12)
        for _ in range(50):
            await asyncio.sleep(0)  # Every watcher knows its place now, and would read its page if it might.
        go_on.set()
        got = await asyncio.gather(*catching_up)

    assert got == [[1, 2, 3, 4, 5, "caught up at 5"]] * 12
    assert most == 4


async def test_who_leaves_during_a_read_does_not_take_it_from_the_others(store: Store, make_hub: MakeHub) -> None:
    gate = Turnstile(store.reader)
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def held(subject: str) -> None:
        if subject == "feed_event":
            reading.set()
            await go_on.wait()

    gate.before = held
    hub = await make_silent_hub(make_hub, lambda: gate)
    await store.fill("t", 1, 5)
    leaving, staying = follow(hub, "t", Cursor("-", 0)), follow(hub, "t", Cursor("-", 0))
    first, second = asyncio.ensure_future(anext(leaving)), asyncio.ensure_future(anext(staying))
    async with asyncio.timeout(PATIENCE):
        await reading.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        go_on.set()

        assert told([await second]) == [1]
    await staying.aclose()
    assert hub.stats.pages == 1
    assert hub.stats.watchers == 0


async def test_a_page_read_before_an_event_was_there_does_not_say_that_it_is_gone(
    store: Store, make_hub: MakeHub
) -> None:
    """A watcher joins a read that began long before its place existed: it must not be reset for that."""
    gate = Turnstile(store.reader)
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def held(subject: str) -> None:
        if subject == "feed_event" and not reading.is_set():
            reading.set()
            await go_on.wait()

    hub = await make_silent_hub(make_hub, lambda: gate)
    await store.fill("t", 1, 20)
    epoch = (await store.position("t")).epoch
    async with watching(hub, "t", 1) as (live,):
        gate.after = held
        early = asyncio.ensure_future(take(follow(hub, "t", Cursor(epoch, 0)), 1))
        async with asyncio.timeout(PATIENCE):
            await reading.wait()
        last = 20 + tail.BUFFER + 10
        for first in range(21, last, 100):
            await store.fill("t", first, min(first + 99, last))
            hub.ring({"t": min(first + 99, last)})
            await take_until(live, min(first + 99, last))
        async with aclosing(follow(hub, "t", Cursor(epoch, 25))) as stream:
            coming = asyncio.ensure_future(anext(stream))
            await eventually(lambda: hub.stats.lookups == 3)
            go_on.set()

            async with asyncio.timeout(PATIENCE):
                assert told([await coming]) == [26]
                assert told(await early) == [1]


async def test_watchers_that_have_stopped_reading_hold_on_to_a_slice_each(store: Store, make_hub: MakeHub) -> None:
    hub = await make_silent_hub(make_hub, max_lag=10**9)
    stalled, events = 10, 5_000
    async with watching(hub, "t", stalled + 1) as streams:
        live, *rest = streams
        for first in range(1, events, 500):
            await store.fill("t", first, first + 499)
            hub.ring({"t": first + 499})
            for number, stream in enumerate(rest):
                if number * 500 == first - 1:
                    await take(stream, 1)
            await take_until(live, first + 499)

        assert events_in_memory() <= 512 + 10 * (stalled + 1)
        for stream in rest:
            while (await anext(stream)).cursor.seq < events:
                pass
        assert events_in_memory() <= 512 + 16 * 100 + 10 * (stalled + 1)
        assert hub.stats.resets == 0


def events_in_memory() -> int:
    gc.collect()
    return sum(type(thing) is Event for thing in gc.get_objects())


async def test_a_topic_that_nobody_watches_is_forgotten(store: Store, silent_hub: Hub) -> None:
    async with watching(silent_hub, "t", 2):
        pass

    silent_hub.ring(await store.append(draft("t", "k1")))

    assert silent_hub.stats.reads == 0


async def test_watchers_that_come_and_go_at_random_leave_the_database_usable(store: Store, hub: Hub) -> None:
    """Clients cancel streams whenever they like: during the guard, a look-up, a page, a wait."""
    chance = random.Random(7)
    await store.fill("t", 1, 150)
    after = await store.cursor("t", 0)

    async def come_and_go(seconds: float) -> None:
        async with aclosing(follow(hub, "t", after)) as stream:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    async for _ in stream:
                        pass

    async with asyncio.timeout(30):
        for _ in range(10):
            await asyncio.gather(*(come_and_go(chance.uniform(0, 0.02)) for _ in range(30)))

    async with asyncio.timeout(3):
        assert (await store.position("t")).head == 150
        assert await store.append(draft("t", "k151")) == {"t": 151}
    assert hub.stats.watchers == 0
