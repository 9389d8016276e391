"""The log that streams are read from: numbered events by topic, written in the transaction of the change they tell.

Numbers are taken from the stream's row, which stays locked until the commit. So within a topic they have no gaps, they
are in commit order, and a rollback takes its numbers back. A cursor is a number; nothing else is needed to resume.
"""

import re
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import count
from operator import attrgetter
from typing import Any, NamedTuple

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from realtime.cursor import NO_EPOCH

MAX_DATA = 1024
"""Bytes of JSON in one event: it refers to things, it does not carry them."""

ACCESS = "access"
"""The topic on which changes of access are told: see `realtime.access`."""

_TOPIC = re.compile(r"[A-Za-z0-9:._-]{1,120}")
"""Plain characters only: forty topics have to fit into one doorbell message of 8,000 bytes."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event to be. `key` names what it tells: a second draft of the same topic and key adds nothing."""

    topic: str
    kind: str
    data: Mapping[str, Any]
    key: str


class Event(NamedTuple):
    """An event of the log. All watchers of a process share it: leave `data` as it is."""

    topic: str
    seq: int
    kind: str
    key: str
    data: Mapping[str, Any]
    at: datetime


class Position(NamedTuple):
    """Where a stream stands: events `floor + 1 .. head` are in the log."""

    epoch: str
    head: int
    floor: int


NOWHERE = Position(NO_EPOCH, 0, 0)
"""The position of a stream that does not exist yet."""


async def append(conn: BaseDBAsyncClient, drafts: Iterable[Draft], *, at: datetime) -> dict[str, int]:
    """Add events in the caller's transaction; returns the head of each topic that was named, to ring after the commit.

    Call it last in the transaction: it locks the streams, in the order of their topics, until the commit. Within a
    topic the order of `drafts` is kept. A draft whose key the topic's log has already adds nothing and is no error;
    the log remembers a key until the event is compacted.

    Raises:
        ValueError: a draft does not fit the log, or `at` has no time zone. Nothing was written.
    """
    rows = [(draft, _checked(draft)) for draft in sorted(drafts, key=lambda draft: draft.topic)]
    moment = _moment(conn, at)
    if not rows:
        return {}
    counts = Counter(draft.topic for draft, _ in rows)
    heads = await _take_numbers(conn, counts)
    if await _insert(conn, rows, {topic: heads[topic] - taken for topic, taken in counts.items()}, moment):
        return heads
    # A key was there already: its number must not become a gap. Nobody else has taken one, the rows are locked.
    for topic, taken in counts.items():
        await _rows(conn, _TAKE_BACK_EVENTS, topic, heads[topic] - taken)
        await _rows(conn, _TAKE_BACK_NUMBERS, taken, topic)
    for draft, data in rows:
        heads[draft.topic] = await _append_one(conn, draft, data, moment)
    return heads


async def _take_numbers(conn: BaseDBAsyncClient, counts: Mapping[str, int]) -> dict[str, int]:
    """Lock the topics, in their order, and take as many numbers of each as it is to get; returns the new heads."""
    streams = [(topic, secrets.token_hex(4), counts[topic]) for topic in sorted(counts)]
    if conn.capabilities.dialect == "sqlite":
        found = await _rows(conn, _TAKE_NUMBERS_SQLITE, orjson.dumps(streams).decode())
    else:
        found = await _rows(conn, _TAKE_NUMBERS_POSTGRES, *map(list, zip(*streams, strict=True)))
    return {row["topic"]: int(row["head"]) for row in found}


async def _insert(
    conn: BaseDBAsyncClient, rows: list[tuple[Draft, str]], before: dict[str, int], moment: datetime | str
) -> bool:
    """Write all events at once, numbered from `before`; False where a key was there and its event was left out."""
    numbers = dict(before)
    events = []
    for draft, data in rows:
        numbers[draft.topic] += 1
        events.append((draft.topic, numbers[draft.topic], draft.key, draft.kind, data))
    if conn.capabilities.dialect == "sqlite":
        written = await _rows(conn, _INSERT_ALL_SQLITE, moment, orjson.dumps(events).decode())
    else:
        written = await _rows(conn, _INSERT_ALL_POSTGRES, moment, *map(list, zip(*events, strict=True)))
    return len(written) == len(rows)


async def _append_one(conn: BaseDBAsyncClient, draft: Draft, data: str, moment: datetime | str) -> int:
    head = (await _take_numbers(conn, {draft.topic: 1}))[draft.topic]
    if await _insert(conn, [(draft, data)], {draft.topic: head - 1}, moment):
        return head
    # The key was there. Nobody else can have taken a number meanwhile: the row is locked.
    await _rows(conn, _TAKE_BACK_NUMBERS, 1, draft.topic)
    return head - 1


class Batch(NamedTuple):
    """Events, and how far the changes of access had come when they were read: each of these that was committed before
    one of the events is among the first `access`."""

    events: list[Event]
    access: int


async def read(conn: BaseDBAsyncClient, topic: str, *, after: int, limit: int) -> Batch:
    """The first `limit` events with a number above `after`, in order."""
    rows = await _rows(conn, _READ, ACCESS, topic, after, limit)
    return Batch([_event(topic, row) for row in rows], rows[0]["access"] or 0 if rows else 0)


class Batches(NamedTuple):
    """Events of several topics, by topic; `access` is as of a `Batch`."""

    events: dict[str, list[Event]]
    access: int


async def read_many(conn: BaseDBAsyncClient, after: Mapping[str, int], *, limit: int) -> Batches:
    """As `read`, of several topics at once: `after` has the number of each, `limit` is of each.

    A topic may give fewer than `limit` although it has more, where numbers after `after` are missing.
    """
    if conn.capabilities.dialect == "sqlite":
        return await _read_many_sqlite(conn, after, limit)
    return _batches(await _rows(conn, _READ_MANY_POSTGRES, ACCESS, list(after), list(after.values()), limit))


async def _read_many_sqlite(conn: BaseDBAsyncClient, after: Mapping[str, int], limit: int) -> Batches:
    """Numbers have no gaps, so the next ones are asked for by number, which takes SQLite half as long as to look for
    them. Those topics that have none of these, because they were compacted or there is nothing, are read by themselves.
    """
    rows = await _rows(conn, _READ_NEXT_SQLITE, ACCESS, limit, orjson.dumps(after).decode())
    events, access = _batches(rows)
    for topic in after.keys() - events.keys():
        found, reached = await read(conn, topic, after=after[topic], limit=limit)
        if found:
            events[topic], access = found, max(access, reached)
    return Batches(events, access)


def _batches(rows: list[Any]) -> Batches:
    found: dict[str, list[Event]] = {}
    access = 0
    for row in rows:
        # SQLite's rows are sequences; the values of the others stand in the order of the columns, too.
        topic, seq, kind, key, data, at, access = row.values() if isinstance(row, dict) else row
        event = Event(topic, seq, kind, key, orjson.loads(data), _as_datetime(at))
        found.setdefault(topic, []).append(event)
    for events in found.values():
        events.sort(key=by_number)
    return Batches(found, access or 0)


by_number = attrgetter("seq")


async def find(conn: BaseDBAsyncClient, topic: str, keys: Collection[str]) -> int | None:
    """The number of the event of one of these keys; None where the log has none, or no longer."""
    marks = ", ".join("?" * len(keys))
    rows = await _rows(conn, f"SELECT seq FROM feed_event WHERE topic = ? AND key IN ({marks})", topic, *keys)
    return int(rows[0]["seq"]) if rows else None


async def position(conn: BaseDBAsyncClient, topic: str) -> Position:
    return (await positions(conn, (topic,))).get(topic, NOWHERE)


async def positions(conn: BaseDBAsyncClient, topics: Collection[str]) -> dict[str, Position]:
    """Where each of `topics` stands, in one statement; those that do not exist yet are left out."""
    if not topics:
        return {}
    if conn.capabilities.dialect == "sqlite":
        rows = await _rows(conn, _POSITIONS_SQLITE, orjson.dumps(list(topics)).decode())
    else:
        rows = await _rows(conn, _POSITIONS_POSTGRES, list(topics))
    return {row["topic"]: Position(row["epoch"], row["head"], row["floor"]) for row in rows}


async def recent(conn: BaseDBAsyncClient, after: int, *, limit: int) -> list[tuple[int, str, int]]:
    """Row, topic and number of the events that were written after a row, in the order of their commits.

    To be asked of SQLite alone: it has one writer at a time, so that rows are numbered in that order.
    """
    rows: list[Any] = await _rows(conn, _RECENT_SQLITE, after, limit)
    return [tuple(row.values() if isinstance(row, dict) else row) for row in rows]


async def last_row(conn: BaseDBAsyncClient) -> int:
    """The row that was written last; 0 where there is none."""
    return int((await _rows(conn, "SELECT max(id) AS place FROM feed_event"))[0]["place"] or 0)


async def heads(conn: BaseDBAsyncClient, topics: Collection[str]) -> dict[str, int]:
    """The last number of each of `topics`, 0 for one that does not exist yet."""
    found = await positions(conn, topics)
    return {topic: found.get(topic, NOWHERE).head for topic in topics}


async def compact(conn: BaseDBAsyncClient, topic: str, *, keep: int, batch: int = 500) -> int:
    """Drop up to `batch` of the topic's oldest events, but none of the newest `keep`; returns how many went.

    To be called in a short transaction of its own, again until it returns 0: it locks the stream.

    Raises:
        ValueError: `keep` or `batch` is negative.
    """
    if keep < 0 or batch < 0:
        raise ValueError("keep and batch count events: neither is negative")
    moved = await _rows(conn, _RAISE_FLOOR, keep, batch, topic)
    if not moved:
        return 0
    gone, _ = await conn.execute_query(_sql(conn.capabilities.dialect, _DELETE), [topic, moved[0]["floor"]])
    return gone


def _checked(draft: Draft) -> str:
    """The draft's data as JSON. Refused here, because an error of the database would spoil the whole transaction."""
    data = orjson.dumps(draft.data, option=orjson.OPT_NON_STR_KEYS)
    if not _TOPIC.fullmatch(draft.topic):
        raise ValueError(f"not a topic: {draft.topic!r}")
    if not 0 < len(draft.kind) <= 40 or not 0 < len(draft.key) <= 80 or "\0" in draft.kind + draft.key:
        raise ValueError(f"kind (40 characters) or key (80) is empty or too long: {draft.kind!r}, {draft.key!r}")
    if len(data) > MAX_DATA:
        raise ValueError(f"the data of a {draft.kind} event has {len(data)} bytes, more than {MAX_DATA}")
    return data.decode()


def _moment(conn: BaseDBAsyncClient, at: datetime) -> datetime | str:
    if at.tzinfo is None:
        raise ValueError("the time of an event needs a time zone")
    if conn.capabilities.dialect != "sqlite":
        return at
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _event(topic: str, row: Mapping[str, Any]) -> Event:
    return Event(topic, row["seq"], row["kind"], row["key"], orjson.loads(row["data"]), _as_datetime(row["at"]))


def _as_datetime(stored: datetime | str) -> datetime:
    return datetime.fromisoformat(stored) if isinstance(stored, str) else stored.astimezone(UTC)


async def _rows(conn: BaseDBAsyncClient, query: str, *values: Any) -> list[dict[str, Any]]:
    # `execute_query` drops the rows of RETURNING on asyncpg; this one gives them on both engines.
    return await conn.execute_query_dict(_sql(conn.capabilities.dialect, query), list(values))


@cache
def _sql(dialect: str, query: str) -> str:
    """Statements are written with `?`; PostgreSQL numbers its parameters."""
    if dialect == "sqlite":
        return query
    numbers = count(1)
    return re.sub(r"\?", lambda _: f"${next(numbers)}", query)


_TAKE_NUMBERS_SQLITE = """
    INSERT INTO feed_stream (topic, epoch, head, floor)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), 0
    FROM json_each(?) WHERE true
    ON CONFLICT (topic) DO UPDATE SET head = feed_stream.head + excluded.head
    RETURNING topic, head"""

_TAKE_NUMBERS_POSTGRES = """
    INSERT INTO feed_stream (topic, epoch, head, floor)
    SELECT topic, epoch, taken, 0
    FROM unnest(?::text[], ?::text[], ?::bigint[]) WITH ORDINALITY AS given (topic, epoch, taken, place) ORDER BY place
    ON CONFLICT (topic) DO UPDATE SET head = feed_stream.head + excluded.head
    RETURNING topic, head"""

_INSERT_ALL_SQLITE = """
    INSERT INTO feed_event (at, topic, seq, key, kind, data)
    SELECT ?, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
           json_extract(value, '$[3]'), json_extract(value, '$[4]')
    FROM json_each(?) WHERE true
    ON CONFLICT (topic, key) DO NOTHING
    RETURNING seq"""

_INSERT_ALL_POSTGRES = """
    INSERT INTO feed_event (at, topic, seq, key, kind, data)
    SELECT ?::timestamptz, topic, seq, key, kind, data
    FROM unnest(?::text[], ?::bigint[], ?::text[], ?::text[], ?::text[]) AS given (topic, seq, key, kind, data)
    ON CONFLICT (topic, key) DO NOTHING
    RETURNING seq"""

_TAKE_BACK_EVENTS = "DELETE FROM feed_event WHERE topic = ? AND seq > ?"

_TAKE_BACK_NUMBERS = "UPDATE feed_stream SET head = head - ? WHERE topic = ?"

_READ = """
    SELECT seq, kind, key, data, at, (SELECT head FROM feed_stream WHERE topic = ?) AS access
    FROM feed_event WHERE topic = ? AND seq > ? ORDER BY seq LIMIT ?"""

_READ_NEXT_SQLITE = """
    SELECT found.topic, found.seq, found.kind, found.key, found.data, found.at,
           (SELECT head FROM feed_stream WHERE topic = ?1) AS access
    FROM json_each(?3) AS asked CROSS JOIN feed_event AS found
    ON found.topic = asked.key AND found.seq > asked.value AND found.seq <= asked.value + ?2"""

_READ_MANY_POSTGRES = """
    SELECT topic, seq, kind, key, data, at, (SELECT head FROM feed_stream WHERE topic = ?) AS access
    FROM unnest(?::text[], ?::bigint[]) AS asked (of, after) CROSS JOIN LATERAL (
        SELECT topic, seq, kind, key, data, at FROM feed_event WHERE topic = of AND seq > after
        ORDER BY seq LIMIT ?) AS found"""

_POSITIONS_POSTGRES = "SELECT topic, epoch, head, floor FROM feed_stream WHERE topic = ANY(?)"

# A cross join is made in the order it is written in: left to itself, SQLite looks at every stream if they were few when
# they were counted.
_POSITIONS_SQLITE = """
    SELECT topic, epoch, head, floor FROM json_each(?) CROSS JOIN feed_stream ON topic = value"""

_RECENT_SQLITE = "SELECT id AS place, topic, seq FROM feed_event WHERE id > ? ORDER BY id LIMIT ?"

_RAISE_FLOOR = """
    WITH wanted AS (SELECT CAST(? AS bigint) AS keep, CAST(? AS bigint) AS batch)
    UPDATE feed_stream
    SET floor = CASE WHEN head - keep < floor + batch THEN head - keep ELSE floor + batch END
    FROM wanted
    WHERE topic = ? AND head - keep > floor
    RETURNING floor"""

_DELETE = "DELETE FROM feed_event WHERE topic = ? AND seq <= ?"
