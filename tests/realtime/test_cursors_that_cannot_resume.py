"""A place that cannot be resumed gives a reset, a new cursor and the live events: never a silent gap."""

from contextlib import aclosing

import pytest

from realtime.cursor import Cursor
from realtime.hub import Hub
from tests.realtime.conftest import MakeHub, make_silent_hub
from tests.realtime.support import (
    Store,
    draft,
    follow,
    next_step,
    take,
    take_until,
    take_until_caught_up,
    told,
)

pytestmark = pytest.mark.anyio


async def test_a_cursor_of_another_epoch_is_reset(store: Store, silent_hub: Hub) -> None:
    await store.fill("t", 1, 3)
    async with aclosing(follow(silent_hub, "t", Cursor("ffffffff", 2))) as stream:
        steps = await take(stream, 2)
        assert told(steps) == ["CURSOR_INVALID at 3", "caught up at 3"]
        assert steps[0].cursor == await store.cursor("t", 3)

        silent_hub.ring(await store.append(draft("t", "k4")))

        assert told(await take(stream, 1)) == [4]


async def test_a_cursor_ahead_of_the_head_is_reset(store: Store, silent_hub: Hub) -> None:
    await store.fill("t", 1, 3)

    async with aclosing(follow(silent_hub, "t", await store.cursor("t", 4))) as stream:
        assert told(await take(stream, 2)) == ["CURSOR_INVALID at 3", "caught up at 3"]


async def test_a_cursor_of_a_stream_that_is_not_there_is_reset(silent_hub: Hub) -> None:
    async with aclosing(follow(silent_hub, "t", Cursor("0123abcd", 0))) as stream:
        steps = await take(stream, 2)

    assert told(steps) == ["CURSOR_INVALID at 0", "caught up at 0"]
    assert steps[0].cursor == Cursor("-", 0)


async def test_a_cursor_below_the_floor_is_reset_and_one_at_the_floor_is_not(store: Store, silent_hub: Hub) -> None:
    await store.fill("t", 1, 10)
    await store.compact("t", keep=4)

    for after, expected in {
        await store.cursor("t", 5): ["CURSOR_TOO_OLD at 10", "caught up at 10"],
        await store.cursor("t", 6): [7, 8, 9, 10, "caught up at 10"],
        Cursor("-", 0): ["CURSOR_TOO_OLD at 10", "caught up at 10"],
    }.items():
        async with aclosing(follow(silent_hub, "t", after)) as stream:
            assert told(await take_until_caught_up(stream)) == expected


async def test_a_cursor_below_the_floor_costs_no_read_of_events(store: Store, silent_hub: Hub) -> None:
    await store.fill("t", 1, 10)
    await store.compact("t", keep=4)

    async with aclosing(follow(silent_hub, "t", await store.cursor("t", 5))) as stream:
        await take_until_caught_up(stream)

    assert silent_hub.stats.reads == 0


async def test_a_cursor_too_far_behind_is_reset(store: Store, make_hub: MakeHub) -> None:
    hub = await make_silent_hub(make_hub, max_lag=20)
    await store.fill("t", 1, 30)

    async with aclosing(follow(hub, "t", await store.cursor("t", 9))) as stream:
        assert told(await take(stream, 2)) == ["SLOW_CONSUMER at 30", "caught up at 30"]
    async with aclosing(follow(hub, "t", await store.cursor("t", 10))) as stream:
        assert told(await take_until_caught_up(stream)) == [*range(11, 31), "caught up at 30"]


async def test_a_live_watcher_that_falls_too_far_behind_is_reset(store: Store, make_hub: MakeHub) -> None:
    hub = await make_silent_hub(make_hub, max_lag=50)
    async with aclosing(follow(hub, "t")) as slow, aclosing(follow(hub, "t")) as quick:
        await take_until_caught_up(slow)
        await take_until_caught_up(quick)
        for first in (1, 21, 41):
            await store.fill("t", first, first + 19)
            hub.ring({"t": first + 19})
            await take_until(quick, first + 19)

        assert told(await take(slow, 1)) == ["SLOW_CONSUMER at 60"]

        hub.ring(await store.append(draft("t", "k61")))
        assert told(await take(slow, 1)) == [61]
        assert hub.stats.resets == 1


async def test_a_watcher_within_the_lag_is_late_but_misses_nothing(store: Store, make_hub: MakeHub) -> None:
    """Further behind than the buffer reaches: it reads pages, and joins the others again."""
    hub = await make_silent_hub(make_hub)
    async with aclosing(follow(hub, "t")) as slow, aclosing(follow(hub, "t")) as quick:
        await take_until_caught_up(slow)
        await take_until_caught_up(quick)
        for first in range(1, 1_200, 150):
            await store.fill("t", first, first + 149)
            hub.ring({"t": first + 149})
            await take_until(quick, first + 149)

        assert told(await take_until(slow, 1_200)) == list(range(1, 1_201))
        assert hub.stats.resets == 0


async def test_compaction_under_a_watcher_that_is_behind_resets_it(store: Store, silent_hub: Hub) -> None:
    await store.fill("t", 1, 300)
    async with aclosing(follow(silent_hub, "t", await store.cursor("t", 0))) as stream:
        assert told(await take(stream, 5)) == [1, 2, 3, 4, 5]

        assert await store.compact("t", keep=10) == 290

        # The page it is in was read before, so it still gets that.
        rest = told(await take_until_caught_up(stream))
        assert rest == [*range(6, 101), "CURSOR_TOO_OLD at 300", "caught up at 300"]
        silent_hub.ring(await store.append(draft("t", "k301")))
        assert told(await take(stream, 1)) == [301]


async def test_compaction_under_a_watcher_that_keeps_up_is_not_noticed(store: Store, silent_hub: Hub) -> None:
    await store.fill("t", 1, 10)
    async with aclosing(follow(silent_hub, "t", await store.cursor("t", 8))) as stream:
        assert told(await take_until_caught_up(stream)) == [9, 10, "caught up at 10"]

        assert await store.compact("t", keep=0) == 10
        silent_hub.ring(await store.append(draft("t", "k11")))

        assert told(await take(stream, 1)) == [11]


@pytest.mark.parametrize("keep", [5, 0])
async def test_compaction_of_events_that_this_process_has_not_read_yet_resets(
    store: Store, make_hub: MakeHub, keep: int
) -> None:
    hub = await make_hub(sweep_every=0.05, sweep_every_when_deaf=0.05)
    await store.fill("t", 1, 5)
    async with aclosing(follow(hub, "t")) as stream:
        await take_until_caught_up(stream)

        async with store.transaction(1) as conn:
            for statement in (
                "UPDATE feed_stream SET head = 20, floor = 20 WHERE topic = 't'",
                "DELETE FROM feed_event WHERE topic = 't'",
            ):
                await conn.execute_query(statement)
            if keep:
                await conn.execute_query("UPDATE feed_stream SET floor = 15 WHERE topic = 't'")
                await conn.execute_query(
                    "INSERT INTO feed_event (topic, seq, key, kind, data, at) VALUES "
                    + ", ".join(f"('t', {n}, 'k{n}', 'note', '{{}}', '2026-03-01T12:00:00Z')" for n in range(16, 21))
                )

        assert told(await take(stream, 1)) == ["CURSOR_TOO_OLD at 20"]
        await store.append(draft("t", "k21"))
        assert told(await take(stream, 1)) == [21]


async def test_a_restored_backup_resets_live_watchers(store: Store, make_hub: MakeHub) -> None:
    """Every stream has a new epoch then, and numbers that were seen before will mean other events."""
    hub = await make_hub(sweep_every=0.05, sweep_every_when_deaf=0.05)
    await store.fill("t", 1, 5)
    async with aclosing(follow(hub, "t")) as stream:
        await take_until_caught_up(stream)

        async with store.transaction(1) as conn:
            await conn.execute_query("DELETE FROM feed_event WHERE topic = 't' AND seq > 3")
            await conn.execute_query("UPDATE feed_stream SET epoch = 'restored', head = 3 WHERE topic = 't'")

        step = await next_step(stream)
        assert told([step]) == ["CURSOR_INVALID at 3"]
        assert step.cursor == Cursor("restored", 3)
        await store.append(draft("t", "other 4"))
        assert told(await take(stream, 1)) == [4]


async def test_a_stream_that_was_set_back_under_its_old_epoch_resets_live_watchers(
    store: Store, make_hub: MakeHub
) -> None:
    hub = await make_hub(sweep_every=0.05, sweep_every_when_deaf=0.05)
    await store.fill("t", 1, 5)
    async with aclosing(follow(hub, "t")) as stream:
        await take_until_caught_up(stream)

        async with store.transaction(1) as conn:
            await conn.execute_query("DELETE FROM feed_event WHERE topic = 't' AND seq > 3")
            await conn.execute_query("UPDATE feed_stream SET head = 3 WHERE topic = 't'")

        assert told(await take(stream, 1)) == ["CURSOR_INVALID at 3"]
