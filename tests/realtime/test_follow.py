"""Following a topic: what was stored, then `CaughtUp`, then what comes; no event twice, none missed."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from realtime import log
from realtime.cursor import Cursor
from realtime.hub import Hub
from realtime.log import NOWHERE
from tests.realtime.conftest import MakeHub, make_silent_hub
from tests.realtime.support import (
    NOON,
    PATIENCE,
    Store,
    Turnstile,
    draft,
    eventually,
    follow,
    leaves_no_task,
    next_step,
    take,
    take_until,
    take_until_caught_up,
    told,
)

pytestmark = pytest.mark.anyio


async def test_a_watcher_gets_stored_then_live_events_in_order(store: Store, silent_hub: Hub) -> None:
    await store.fill("t", 1, 3)
    async with aclosing(follow(silent_hub, "t", await store.cursor("t", 1))) as stream:
        assert told(await take(stream, 3)) == [2, 3, "caught up at 3"]

        silent_hub.ring(await store.append(draft("t", "k4"), draft("t", "k5")))

        assert told(await take(stream, 2)) == [4, 5]


async def test_without_a_cursor_a_watcher_begins_at_the_head(store: Store, silent_hub: Hub) -> None:
    await store.fill("t", 1, 3)
    async with aclosing(follow(silent_hub, "t")) as stream:
        assert told(await take(stream, 1)) == ["caught up at 3"]

        silent_hub.ring(await store.append(draft("t", "k4")))

        assert told(await take(stream, 1)) == [4]


async def test_a_watcher_may_come_before_the_stream_and_resume_after_it_began(store: Store, silent_hub: Hub) -> None:
    async with aclosing(follow(silent_hub, "t")) as stream:
        (caught_up,) = await take(stream, 1)
        assert caught_up.cursor == Cursor("-", 0)

        silent_hub.ring(await store.append(draft("t", "k1")))

        assert (await next_step(stream)).cursor == await store.cursor("t", 1)
    async with aclosing(follow(silent_hub, "t", Cursor("-", 0))) as stream:
        assert told(await take(stream, 2)) == [1, "caught up at 1"]


async def test_an_event_carries_what_was_written(store: Store, silent_hub: Hub) -> None:
    await store.append(draft("t", "key", kind="message", id="m1"))
    (event,) = await store.read_all("t")

    async with aclosing(follow(silent_hub, "t", Cursor("-", 0))) as stream:
        step = await next_step(stream)

    assert (step.event, event.kind, event.key, event.data) == (event, "message", "key", {"id": "m1"})  # type: ignore[union-attr]


@pytest.mark.parametrize("total", [99, 100, 101, 511, 512, 513, 612])
async def test_there_is_no_hole_at_the_edge_of_a_page_or_of_the_buffer(
    store: Store, make_hub: MakeHub, total: int
) -> None:
    """Once from the stored pages alone, once from a tail that has seen all of it pass."""
    epoch = "-"
    await store.fill("t", 1, 1)
    epoch = (await store.position("t")).epoch
    seasoned, fresh = await make_silent_hub(make_hub), await make_silent_hub(make_hub)
    async with aclosing(follow(seasoned, "t", Cursor(epoch, 0))) as first:
        await take_until_caught_up(first)
        await store.fill("t", 2, total)
        seasoned.ring({"t": total})
        assert told(await take_until(first, total)) == list(range(2, total + 1))

        edges = {0, 1, 9, 10, 11, 98, 99, 100, 101, 102, 199, 200, 510, 511, 512, total - 1, total}
        for hub in (seasoned, fresh):
            for after in sorted(edge for edge in edges if edge <= total):
                async with aclosing(follow(hub, "t", Cursor(epoch, after))) as stream:
                    steps = told(await take_until_caught_up(stream))
                assert steps == [*range(after + 1, total + 1), f"caught up at {total}"]


async def test_two_watchers_that_come_at_once_both_see_everything(store: Store, silent_hub: Hub) -> None:
    await store.fill("t", 1, 205)

    async def watch(after: int) -> list[int | str]:
        async with aclosing(follow(silent_hub, "t", await store.cursor("t", after))) as stream:
            caught_up = told(await take_until_caught_up(stream))
            ready.release()
            return caught_up + told(await take_until(stream, 208))

    ready = asyncio.Semaphore(0)
    watchers = [asyncio.create_task(watch(after)) for after in (0, 150)]
    async with asyncio.timeout(PATIENCE):
        for _ in watchers:
            await ready.acquire()
    silent_hub.ring(await store.append(*(draft("t", f"k{n}") for n in (206, 207, 208))))

    async with asyncio.timeout(PATIENCE):
        assert await watchers[0] == [*range(1, 206), "caught up at 205", 206, 207, 208]
        assert await watchers[1] == [*range(151, 206), "caught up at 205", 206, 207, 208]


# ---- a commit may fall anywhere between registering and going live ----


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_an_event_committed_around_the_first_look_at_the_head_arrives_once(
    store: Store, make_hub: MakeHub, moment: str
) -> None:
    """The ring comes when the watcher is registered and does not know the head yet. Nobody rings again."""
    await store.fill("t", 1, 2)
    gate = Turnstile(store.reader)
    hub = await make_silent_hub(make_hub, lambda: gate)

    async def commit(subject: str) -> None:
        if subject == "feed_stream":
            gate.before = gate.after = None
            await store.append(draft("t", "k3"))
            hub._kick("t", 3)  # Not `ring`, which echoes through the doorbell.

    setattr(gate, moment, commit)

    async with aclosing(follow(hub, "t", await store.cursor("t", 2))) as stream:
        steps = told(await take(stream, 2))

    assert steps == ([3, "caught up at 3"] if moment == "before" else ["caught up at 2", 3])


async def test_a_ring_during_a_read_that_came_too_early_is_not_lost(store: Store, make_hub: MakeHub) -> None:
    """The read that a premature ring caused sees nothing; the true ring comes before it has returned."""
    await store.fill("t", 1, 1)
    gate = Turnstile(store.reader)
    hub = await make_silent_hub(make_hub, lambda: gate)

    async def commit(subject: str) -> None:
        gate.after = None
        await store.append(draft("t", "k2"))
        hub._kick("t", 2)  # Not `ring`: its echo through the doorbell would come a little later, and heal the loss.

    async with aclosing(follow(hub, "t")) as stream:
        await take_until_caught_up(stream)
        gate.after = commit
        hub._kick("t", 2)

        assert told(await take(stream, 1)) == [2]


async def test_a_stream_that_is_born_during_a_read_has_its_epoch_from_the_first_event_on(
    store: Store, make_hub: MakeHub
) -> None:
    gate = Turnstile(store.reader)
    hub = await make_silent_hub(make_hub, lambda: gate)

    async def commit(subject: str) -> None:
        gate.after = None
        hub.ring(await store.append(draft("t", "k1")))

    async with aclosing(follow(hub, "t")) as stream:
        await take_until_caught_up(stream)
        gate.after = commit
        hub.ring({"t": 1})

        assert (await next_step(stream)).cursor == await store.cursor("t", 1)


async def test_an_answer_that_is_older_than_another_does_not_set_a_stream_back(store: Store, silent_hub: Hub) -> None:
    """A sweep began before the stream was there, and its answer comes after a watcher saw the stream."""
    async with aclosing(follow(silent_hub, "t")) as stream:
        await take_until_caught_up(stream)
        tail = silent_hub._tails["t"]
        began = tail.mark()
        await store.append(draft("t", "k1"))
        await tail.locate()
        assert tail.epoch != NOWHERE.epoch

        tail.observe(NOWHERE, began)

        assert told(await take(stream, 1)) == [1]
        assert (tail.era, silent_hub.stats.resets) == (0, 0)


async def test_nothing_is_delivered_before_its_commit(store: Store, make_hub: MakeHub) -> None:
    await store.fill("t", 1, 1)
    gate = Turnstile(store.reader)
    hub = await make_silent_hub(make_hub, lambda: gate)
    answered = asyncio.Event()

    async def was_read(subject: str) -> None:
        if subject == "feed_event":
            answered.set()

    async with aclosing(follow(hub, "t")) as stream:
        await take_until_caught_up(stream)
        coming = asyncio.ensure_future(anext(stream))

        async with store.transaction() as conn, asyncio.timeout(PATIENCE):
            heads = await log.append(conn, [draft("t", "k2")], at=NOON)
            gate.after = was_read
            hub.ring(heads)
            await answered.wait()
            assert not coming.done()

        hub.ring(heads)
        async with asyncio.timeout(PATIENCE):
            assert told([await coming]) == [2]


async def test_a_number_that_was_rolled_back_is_seen_as_what_took_its_place(store: Store, silent_hub: Hub) -> None:
    await store.fill("t", 1, 1)
    async with aclosing(follow(silent_hub, "t")) as stream:
        await take_until_caught_up(stream)

        await store.roll_back(draft("t", "lost"), before=silent_hub.ring)
        silent_hub.ring(await store.append(draft("t", "kept")))

        step = await next_step(stream)
        assert (step.event.seq, step.event.key) == (2, "kept")  # type: ignore[union-attr]


# ---- rings are hints ----


async def test_a_quiet_topic_that_nobody_rings_for_is_found(store: Store, hub: Hub) -> None:
    await store.fill("t", 1, 1)
    async with aclosing(follow(hub, "t")) as stream:
        await take_until_caught_up(stream)

        await store.append(draft("t", "k2"), writer=1)

        assert told(await take(stream, 1)) == [2]


async def test_a_doorbell_that_stays_in_the_process_does_not_slow_the_search_for_others(
    store: Store, make_hub: MakeHub
) -> None:
    """On SQLite the file tells that it changed; on PostgreSQL `memory://` counts as deaf, however healthy it is."""
    hub = await make_hub(sweep_every=3600)
    await eventually(lambda: bool(hub.doorbell.healthy))
    async with aclosing(follow(hub, "t")) as stream:
        await take_until_caught_up(stream)
        for seq in (1, 2, 3):
            await store.append(draft("t", f"k{seq}"), writer=1)

            assert told(await take(stream, 1)) == [seq]


@pytest.mark.parametrize(
    "rings",
    [
        pytest.param([{"t": 2}, {"t": 2}, {"t": 4}, {"t": 4}], id="doubled"),
        pytest.param([{"t": 4}, {"t": 3}, {"t": 2}], id="reordered"),
        pytest.param([{"t": 10**15}], id="made up"),
        pytest.param([{"t": -1}, {"t": 0}, {"other": 7}, {"t": 3}], id="stale, then too few"),
    ],
)
async def test_rings_do_not_change_what_is_delivered(
    store: Store, silent_hub: Hub, rings: list[dict[str, int]]
) -> None:
    await store.fill("t", 1, 1)
    async with aclosing(follow(silent_hub, "t")) as stream:
        await take_until_caught_up(stream)
        await store.fill("t", 2, 4)

        for ring in rings:
            silent_hub.ring(ring)

        assert told(await take(stream, 3)) == [2, 3, 4]
        silent_hub.ring(await store.append(draft("t", "k5")))
        assert told(await take(stream, 1)) == [5]


async def test_a_second_process_hears_of_events_without_a_broker(store: Store, make_hub: MakeHub) -> None:
    other_reader = store.another_reader()
    here, there = await make_hub(), await make_hub(lambda: other_reader)
    async with aclosing(follow(here, "t")) as near, aclosing(follow(there, "t")) as far:
        await take_until_caught_up(near)
        await take_until_caught_up(far)

        here.ring(await store.append(draft("t", "k1")))

        assert told(await take(near, 1) + await take(far, 1)) == [1, 1]


# ---- stopping ----


async def test_stop_ends_the_streams_and_leaves_no_task_behind(store: Store) -> None:
    before = asyncio.all_tasks()
    hub = Hub(lambda: store.reader)
    await hub.start()
    await store.fill("t", 1, 3)

    async def watch() -> list[Any]:
        async with aclosing(follow(hub, "t", Cursor("-", 0))) as stream:
            return [step async for step in stream]

    watching = [asyncio.create_task(watch()) for _ in range(3)]
    await eventually(lambda: hub.stats.watchers == 3 and hub.doorbell.healthy)
    hub.ring({"t": 3})

    await hub.stop()

    await leaves_no_task(before | set(watching))
    async with asyncio.timeout(PATIENCE):
        for steps in await asyncio.gather(*watching):
            assert told(steps)[:4] in ([], [1, 2, 3, "caught up at 3"])
    assert hub.stats.watchers == 0


async def test_a_hub_that_has_stopped_ignores_rings_and_ends_new_streams(store: Store) -> None:
    hub = Hub(lambda: store.reader)
    await hub.start()
    await hub.stop()

    hub.ring({"t": 1})

    assert [step async for step in follow(hub, "t")] == []


async def test_ringing_before_the_start_is_harmless(store: Store) -> None:
    hub = Hub(lambda: store.reader)

    hub.ring({"t": 1})

    assert hub.stats.reads == 0


async def test_a_hub_with_an_unknown_doorbell_is_refused_when_it_is_made(store: Store) -> None:
    with pytest.raises(ValueError, match=r"no doorbell for 'kafka': the supported schemes are .*memory://"):
        Hub(lambda: store.reader, "kafka://x")
