"""The log: numbers without a gap, in commit order, taken back by a rollback; a retried key adds nothing."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest

from realtime import log
from realtime.cursor import Cursor
from realtime.log import NOWHERE, Draft, Event, Position
from tests.realtime.support import NOON, PATIENCE, Store, draft, drafts

pytestmark = pytest.mark.anyio


async def test_an_event_is_read_back_as_it_was_written(store: Store) -> None:
    at = datetime(2026, 3, 1, 14, 30, 0, 125, tzinfo=timezone(timedelta(hours=2)))
    async with store.transaction() as conn:
        heads = await log.append(conn, [Draft("ticket:1", "message", {"id": "ü", "n": [1, None]}, "key-1")], at=at)

    assert heads == {"ticket:1": 1}
    assert await store.read_all("ticket:1") == [
        Event(
            topic="ticket:1",
            seq=1,
            kind="message",
            key="key-1",
            data={"id": "ü", "n": [1, None]},
            at=datetime(2026, 3, 1, 12, 30, 0, 125, tzinfo=UTC),
        )
    ]


async def test_each_topic_counts_for_itself_and_keeps_the_order_of_the_drafts(store: Store) -> None:
    heads = await store.append(draft("b", "x"), draft("a", "y"), draft("b", "w"))

    assert heads == {"a": 1, "b": 2}
    assert [(e.seq, e.key) for e in await store.read_all("b")] == [(1, "x"), (2, "w")]
    assert [(e.seq, e.key) for e in await store.read_all("a")] == [(1, "y")]


async def test_reading_begins_after_the_given_number_and_ends_at_the_limit(store: Store) -> None:
    await store.fill("t", 1, 10)

    events, _ = await log.read(store.reader, "t", after=3, limit=4)

    assert [event.seq for event in events] == [4, 5, 6, 7]


async def test_several_topics_are_read_by_one_statement_each_after_its_number(store: Store) -> None:
    for topic, number in (("a", 3), ("b", 9), ("c", 2)):
        await store.fill(topic, 1, number)
    await store.append(draft(log.ACCESS, "change"))

    events, access = await log.read_many(store.reader, {"b": 2, "a": 1, "c": 2, "unknown": 0}, limit=4)

    read = {topic: [event.seq for event in found] for topic, found in events.items()}
    assert read == {"a": [2, 3], "b": [3, 4, 5, 6]}
    assert events["a"] == (await store.read_all("a"))[1:]
    assert access == 1


async def test_a_topic_compacted_beyond_its_number_is_read_from_where_it_begins_among_several(store: Store) -> None:
    for topic in ("a", "b", "c"):
        await store.fill(topic, 1, 10)
    for topic, keep in (("a", 4), ("b", 2)):
        async with store.transaction() as conn:
            await log.compact(conn, topic, keep=keep)

    events, _ = await log.read_many(store.reader, {"a": 5, "b": 0, "c": 8}, limit=8)

    read = {topic: [event.seq for event in found] for topic, found in events.items()}
    assert read == {"a": [7, 8, 9, 10], "b": [9, 10], "c": [9, 10]}


async def test_a_rollback_leaves_nothing_and_gives_its_numbers_back(store: Store) -> None:
    await store.fill("t", 1, 2)

    numbers: list[dict[str, int]] = []
    await store.roll_back(draft("t", "lost"), draft("new", "lost"), before=numbers.append)

    assert numbers == [{"new": 1, "t": 3}]
    assert (await store.position("t")).head == 2
    assert await store.position("new") == NOWHERE
    assert await store.reader.execute_query_dict("SELECT name FROM change") == []
    assert await store.append(draft("t", "kept")) == {"t": 3}


async def test_a_retried_key_yields_one_event_and_no_hole(store: Store) -> None:
    await store.append(draft("t", "first"))

    heads = await store.append(
        draft("t", "first", n=2), draft("t", "second"), draft("t", "second"), draft("u", "first")
    )

    assert heads == {"t": 2, "u": 1}
    assert [(e.seq, e.key, e.data) for e in await store.read_all("t")] == [(1, "first", {}), (2, "second", {})]


async def test_a_retried_key_does_not_spoil_the_transaction(store: Store) -> None:
    await store.append(draft("t", "first"))

    async with store.transaction() as conn:
        await log.append(conn, [draft("t", "first")], at=NOON)
        await conn.execute_query("INSERT INTO change (name) VALUES ('kept')")

    assert await store.reader.execute_query_dict("SELECT name FROM change") == [{"name": "kept"}]
    assert (await store.position("t")).head == 1


async def test_writers_of_one_topic_number_in_commit_order_without_a_gap(store: Store) -> None:
    """Four writers, two connections' pools, a third of the transactions roll back after they took a number."""
    committed: list[int] = []

    async def write(writer: int) -> None:
        for n in range(15):
            try:
                async with store.transaction(writer % 2) as conn:
                    heads = await log.append(conn, [draft("t", f"{writer}-{n}")], at=NOON)
                    await asyncio.sleep(0)
                    if (writer + n) % 3 == 0:
                        raise LookupError
                    # The row is still locked: nobody who comes after us in the log can get here before.
                    committed.append(heads["t"])
            except LookupError:
                pass

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(write(writer) for writer in range(4)))

    assert committed == list(range(1, 41))
    assert [event.seq for event in await store.read_all("t")] == committed
    assert (await store.position("t"))[1:] == (40, 0)


async def test_writers_of_several_topics_do_not_lock_each_other_out(store: Store) -> None:
    async def write(writer: int, topics: str) -> None:
        for n in range(10):
            await store.append(*(draft(topic, f"{writer}-{n}") for topic in topics), writer=writer % 2)

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(write(0, "abc"), write(1, "cba"), write(2, "bca"), write(3, "acb"))

    assert await log.heads(store.reader, ["a", "b", "c"]) == {"a": 40, "b": 40, "c": 40}


async def test_two_writers_with_one_key_at_once_write_one_event(store: Store) -> None:
    """The second waits for the first one's commit, then finds the key there."""
    taken, go_on = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with store.transaction(0) as conn:
            await log.append(conn, [draft("t", "same")], at=NOON)
            taken.set()
            await go_on.wait()

    async def second() -> dict[str, int]:
        await taken.wait()
        go_on.set()
        return await store.append(draft("t", "same"), writer=1)

    async with asyncio.timeout(PATIENCE):
        _, heads = await asyncio.gather(first(), second())

    assert heads == {"t": 1}
    assert [event.seq for event in await store.read_all("t")] == [1]


async def test_positions_of_streams_that_are_and_that_are_not(store: Store) -> None:
    await store.fill("t", 1, 3)

    found = await store.position("t")

    assert (found.head, found.floor, len(found.epoch)) == (3, 0, 8)
    assert await store.position("none") == NOWHERE == Position("-", 0, 0)
    assert await log.heads(store.reader, ["t", "none"]) == {"t": 3, "none": 0}
    assert await log.heads(store.reader, []) == {}


async def test_compaction_keeps_the_newest_and_goes_in_batches(store: Store) -> None:
    await store.fill("t", 1, 10)

    gone = []
    for _ in range(3):
        async with store.transaction() as conn:
            gone.append(await log.compact(conn, "t", keep=3, batch=5))

    assert gone == [5, 2, 0]
    assert (await store.position("t"))[1:] == (10, 7)
    assert [event.seq for event in await store.read_all("t")] == [8, 9, 10]
    assert await store.append(draft("t", "next")) == {"t": 11}


async def test_compaction_of_what_is_short_or_not_there_does_nothing(store: Store) -> None:
    await store.fill("t", 1, 3)

    assert await store.compact("t", keep=3) == 0
    assert await store.compact("t", keep=4) == 0
    assert await store.compact("none", keep=0) == 0
    assert (await store.position("t"))[1:] == (3, 0)
    assert await store.compact("t", keep=0) == 3
    assert (await store.position("t"))[1:] == (3, 3)


@pytest.mark.parametrize(
    "bad",
    [
        draft("", "k"),
        draft("t" * 121, "k"),
        draft("tücke", "k"),
        draft("t", ""),
        draft("t", "k" * 81),
        draft("t", "k\0"),
        draft("t", "k", kind=""),
        draft("t", "k", kind="k" * 41),
        draft("t", "k", text="x" * 1014),
    ],
)
async def test_a_draft_that_does_not_fit_is_refused_before_anything_is_written(store: Store, bad: Draft) -> None:
    async with store.transaction() as conn:
        with pytest.raises(ValueError, match=r"not a topic|kind|data"):
            await log.append(conn, [draft("a", "good"), bad], at=NOON)

    assert await store.position("a") == NOWHERE


async def test_the_largest_draft_fits(store: Store) -> None:
    await store.append(draft("t" * 120, "k" * 80, kind="k" * 40, text="x" * 1013))

    (event,) = await store.read_all("t" * 120)
    assert (len(event.key), len(event.kind), len(str(event.data["text"]))) == (80, 40, 1013)


async def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    async with store.transaction() as conn:
        with pytest.raises(ValueError, match="time zone"):
            await log.append(conn, drafts("t", 1, 1), at=datetime(2026, 3, 1))


async def test_negative_retention_is_refused(store: Store) -> None:
    async with store.transaction() as conn:
        with pytest.raises(ValueError, match="negative"):
            await log.compact(conn, "t", keep=-1)


async def test_an_epoch_belongs_to_the_stream_for_good(store: Store) -> None:
    await store.fill("t", 1, 1)
    epoch = (await store.position("t")).epoch

    await store.fill("t", 2, 2)

    assert await store.position("t") == Position(epoch, 2, 0)
    assert Cursor.parse(str(Cursor(epoch, 2))) == Cursor(epoch, 2)
