"""Who may no longer watch gets nothing that was committed after that; who may, goes on."""

import asyncio
from contextlib import aclosing

import pytest

from domain.errors import Forbidden, NotFound
from realtime.cursor import Cursor
from realtime.hub import Hub
from realtime.log import ACCESS, Draft
from tests.realtime.conftest import MakeHub, make_silent_hub
from tests.realtime.support import (
    PATIENCE,
    Clock,
    Store,
    draft,
    eventually,
    follow,
    next_step,
    take,
    take_until_caught_up,
    told,
)

pytestmark = pytest.mark.anyio


class Door:
    """A guard that counts how often it was asked, and lets people in while it is open."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.is_open = is_open
        self.asked = 0
        self.outages = 0

    async def __call__(self) -> None:
        self.asked += 1
        if self.outages:
            self.outages -= 1
            raise ConnectionRefusedError("the database is away")
        if not self.is_open:
            raise Forbidden("You may not.")


async def test_who_may_not_watch_learns_nothing_and_leaves_nothing(store: Store, silent_hub: Hub) -> None:
    await store.fill("t", 1, 3)

    with pytest.raises(Forbidden):
        await next_step(follow(silent_hub, "t", Cursor("-", 0), guard=Door(is_open=False)))

    assert silent_hub.stats.watchers == 0
    assert (silent_hub.stats.lookups, silent_hub.stats.reads) == (0, 0)


async def test_the_refusal_that_the_guard_gives_is_the_one_that_the_viewer_gets(silent_hub: Hub) -> None:
    async def nobody() -> None:
        raise NotFound("ticket")

    with pytest.raises(NotFound, match="There is no such ticket"):
        await next_step(follow(silent_hub, "t", guard=nobody))


async def test_nothing_from_the_revocation_on_is_delivered_to_who_was_revoked(store: Store, silent_hub: Hub) -> None:
    await store.fill("t", 1, 1)
    revoked, other = Door(), Door()
    async with (
        aclosing(follow(silent_hub, "t", guard=revoked)) as out,
        aclosing(follow(silent_hub, "t", guard=other)) as still_in,
    ):
        await take_until_caught_up(out)
        await take_until_caught_up(still_in)

        heads = await store.append(draft("t", "2"), draft("t", "3"), draft("t", "4", kind="acl"), draft("t", "5"))
        revoked.is_open = False
        silent_hub.ring(heads)

        assert told(await take(out, 2)) == [2, 3]
        with pytest.raises(Forbidden):
            await next_step(out)
        assert told(await take(still_in, 4)) == [2, 3, 4, 5]
    assert (revoked.asked, other.asked) == (2, 2)


async def test_access_is_asked_again_at_a_change_that_is_replayed(store: Store, silent_hub: Hub) -> None:
    await store.append(draft("t", "1"), draft("t", "2", kind="acl"), draft("t", "3", kind="acl"))
    door = Door()

    async with aclosing(follow(silent_hub, "t", Cursor("-", 0), guard=door)) as stream:
        await take_until_caught_up(stream)

    assert door.asked == 3


async def test_access_is_asked_again_after_30_seconds_even_if_nothing_says_that_it_changed(
    store: Store, make_hub: MakeHub
) -> None:
    clock, door = Clock(), Door()
    hub = await make_silent_hub(make_hub, clock=clock)
    async with aclosing(follow(hub, "t", guard=door)) as stream:
        await take_until_caught_up(stream)
        hub.ring(await store.append(draft("t", "1")))
        assert told(await take(stream, 1)) == [1]
        assert door.asked == 1

        door.is_open = False
        clock.advance(30)
        hub.ring(await store.append(draft("t", "2")))

        with pytest.raises(Forbidden):
            await next_step(stream)
    assert door.asked == 2


async def test_a_client_that_was_stuck_for_long_is_asked_about_before_its_next_event(
    store: Store, make_hub: MakeHub
) -> None:
    """The events were handed to it when it still might; it took them later."""
    clock, door = Clock(), Door()
    hub = await make_silent_hub(make_hub, clock=clock)
    await store.fill("t", 1, 9)
    async with aclosing(follow(hub, "t", Cursor("-", 0), guard=door)) as stream:
        assert told(await take(stream, 3)) == [1, 2, 3]

        door.is_open = False
        clock.advance(30)

        with pytest.raises(Forbidden):
            await next_step(stream)


async def test_an_idle_stream_ends_when_access_is_gone(make_hub: MakeHub) -> None:
    door = Door()
    hub = await make_silent_hub(make_hub, recheck=0.02)
    async with aclosing(follow(hub, "t", guard=door)) as stream:
        await take_until_caught_up(stream)
        door.is_open = False

        with pytest.raises(Forbidden):
            await next_step(stream)


async def test_nothing_is_delivered_while_the_guard_cannot_be_asked(store: Store, silent_hub: Hub) -> None:
    door = Door()
    async with aclosing(follow(silent_hub, "t", guard=door)) as stream:
        await take_until_caught_up(stream)
        door.outages = 2

        silent_hub.ring(await store.append(draft("t", "1", kind="acl")))

        assert told(await take(stream, 1)) == [1]
        assert (door.asked, door.outages) == (4, 0)


async def test_a_mistake_in_a_guard_is_not_taken_for_an_outage(silent_hub: Hub) -> None:
    async def broken() -> None:
        raise TypeError("a mistake")

    with pytest.raises(TypeError, match="a mistake"):
        await next_step(follow(silent_hub, "t", guard=broken))


async def test_a_guard_that_hangs_can_be_left(silent_hub: Hub) -> None:
    asked = asyncio.Event()

    async def hangs() -> None:
        asked.set()
        await asyncio.Event().wait()

    coming = asyncio.ensure_future(anext(follow(silent_hub, "t", guard=hangs)))
    async with asyncio.timeout(PATIENCE):
        await asked.wait()
        coming.cancel()
        with pytest.raises(asyncio.CancelledError):
            await coming

    assert silent_hub.stats.watchers == 0


# ---- changes of access that are told on their own topic


class Rights:
    """A guard that rests on subjects, and can be held up between reading and answering."""

    def __init__(self, *subjects: str) -> None:
        self.subjects = subjects
        self.is_open = True
        self.asked = 0
        self.answers = asyncio.Event()
        self.answers.set()

    async def __call__(self) -> tuple[str, ...]:
        self.asked += 1
        may = self.is_open
        await self.answers.wait()
        if not may:
            raise Forbidden("You may not.")
        return self.subjects


def change(number: int, **about: str) -> Draft:
    return draft(ACCESS, f"change {number}", kind="acl", **about)


async def test_an_event_is_kept_back_until_the_changes_before_it_are_known(store: Store, silent_hub: Hub) -> None:
    """Nobody rings for the change: it is found out with the event."""
    ann, bob = Rights("user:ann"), Rights("user:bob")
    async with (
        aclosing(follow(silent_hub, "t", guard=ann)) as hers,
        aclosing(follow(silent_hub, "t", guard=bob)) as his,
    ):
        await take_until_caught_up(hers)
        await take_until_caught_up(his)

        await store.append(change(1, user="ann"))
        ann.is_open = False
        silent_hub.ring(await store.append(draft("t", "1")))

        with pytest.raises(Forbidden):
            await next_step(hers)
        assert told(await take(his, 1)) == [1]
    assert (ann.asked, bob.asked) == (2, 1)


async def test_events_of_a_catch_up_are_kept_back_as_well(store: Store, silent_hub: Hub) -> None:
    await store.fill("t", 1, 700)
    ann = Rights("user:ann")
    async with aclosing(follow(silent_hub, "t", await store.cursor("t", 0), guard=ann)) as hers:
        assert told(await take(hers, 10)) == list(range(1, 11))

        await store.append(change(1, user="ann"))
        ann.is_open = False
        steps = told(await take(hers, 90))  # the rest of the page, which was read before the change

        assert steps == list(range(11, 101))
        with pytest.raises(Forbidden):
            await next_step(hers)


async def test_a_thousand_changes_of_others_ask_nobody_and_read_little(store: Store, silent_hub: Hub) -> None:
    bob = Rights("user:bob", "organization:1")
    async with aclosing(follow(silent_hub, "t", guard=bob)) as his:
        await take_until_caught_up(his)
        await store.append(*(change(number, user=f"other {number}") for number in range(1_000)))

        silent_hub.ring(await store.append(draft("t", "1")))

        assert told(await take(his, 1)) == [1]
    assert (bob.asked, silent_hub.stats.reads, silent_hub.access.last) == (1, 1, 1_000)


async def test_a_watcher_that_waits_is_asked_about_at_once(store: Store, silent_hub: Hub) -> None:
    ann = Rights("user:ann", "organization:1")
    async with aclosing(follow(silent_hub, "t", guard=ann)) as hers:
        await take_until_caught_up(hers)
        end = asyncio.ensure_future(next_step(hers))
        await asyncio.sleep(0)

        ann.is_open = False
        silent_hub.ring(await store.append(change(1, organization="1")))

        with pytest.raises(Forbidden):
            await end


async def test_a_change_while_the_guard_is_being_asked_for_the_first_time_is_not_missed(
    store: Store, silent_hub: Hub
) -> None:
    ann = Rights("user:ann")
    ann.answers.clear()
    async with aclosing(follow(silent_hub, "t", guard=ann)) as hers:
        first = asyncio.ensure_future(next_step(hers))
        await eventually(lambda: ann.asked == 1)

        ann.is_open = False
        silent_hub.ring(await store.append(change(1, user="ann")))
        await silent_hub.access.reach(1)
        ann.answers.set()

        with pytest.raises(Forbidden):
            await first
    assert ann.asked == 2


async def test_a_guard_is_asked_about_what_it_has_come_to_rest_on(store: Store, silent_hub: Hub) -> None:
    ann = Rights("user:ann")
    async with aclosing(follow(silent_hub, "t", guard=ann)) as hers:
        await take_until_caught_up(hers)
        ann.subjects = ("user:ann", "organization:2")
        silent_hub.ring(await store.append(change(1, organization="2")) | await store.append(draft("t", "1")))
        assert told(await take(hers, 1)) == [1]
        assert ann.asked == 1

        silent_hub.ring(await store.append(change(2, user="ann")) | await store.append(draft("t", "2")))
        assert told(await take(hers, 1)) == [2]
        silent_hub.ring(await store.append(change(3, organization="2")) | await store.append(draft("t", "3")))
        assert told(await take(hers, 1)) == [3]

    assert ann.asked == 3


async def test_changes_that_are_no_longer_kept_concern_everybody(store: Store, silent_hub: Hub) -> None:
    ann = Rights("user:ann")
    await store.append(change(99, user="bob"))
    await silent_hub.access.reach(1)
    async with aclosing(follow(silent_hub, "t", guard=ann)) as hers:
        await take_until_caught_up(hers)
        await store.append(*(change(number, user="ann") for number in range(5)))
        await store.append(*(change(number, user="bob") for number in range(5, 10)))
        await store.compact(ACCESS, keep=2)
        ann.is_open = False

        silent_hub.ring(await store.append(draft("t", "1")))

        with pytest.raises(Forbidden):
            await next_step(hers)


async def test_after_a_restored_backup_everybody_is_asked_about(store: Store, make_hub: MakeHub) -> None:
    hub = await make_hub(sweep_every=0.02, sweep_every_when_deaf=0.02)
    ann = Rights("user:ann")
    await store.append(*(change(number, user="bob") for number in range(3)))
    await eventually(lambda: hub.access.last == 3)
    async with aclosing(follow(hub, "t", guard=ann)) as hers:
        await take_until_caught_up(hers)
        ann.is_open = False

        async with store.transaction() as conn:
            await conn.execute_query("UPDATE feed_stream SET epoch = 'restored' WHERE topic = 'access'")

        with pytest.raises(Forbidden):
            await next_step(hers)


async def test_nothing_is_remembered_of_those_who_have_gone(store: Store, silent_hub: Hub) -> None:
    for _ in range(3):
        async with aclosing(follow(silent_hub, "t", guard=Rights("user:ann", "organization:1"))) as hers:
            await take_until_caught_up(hers)

    assert silent_hub.access.interested == 0
