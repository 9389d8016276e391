"""Callers that hang up at any moment, a database that another process holds, a disk that is full (I11, J2)."""

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import aclosing, closing, suppress
from pathlib import Path

import pytest
from tortoise.exceptions import OperationalError

import models
from domain.policy import Viewer
from models.database import open_database, reader, sqlite_path, writer
from realtime import log
from realtime.hub import Hub
from resolvers.context import Context, Services
from resolvers.transaction import Work, settle, unit_of_work
from tests.client import PATIENCE
from tests.databases import fresh_sqlite
from tests.factories import LONG_AGO
from tests.realtime.support import follow, next_step, take, told

pytestmark = pytest.mark.anyio

GIVEN_UP = 300
TOPIC = "of:things"


@unit_of_work
async def make(work: Work, ctx: Context, name: str) -> None:
    await models.Organization.create(name=name, created_at=LONG_AGO)
    work.emit((TOPIC,), "made", {}, key=name[:80])


async def test_callers_that_hang_up_at_any_moment_leave_no_lock_no_connection_and_nothing_half_done(
    db: str, services: Services
) -> None:
    ctx, dice = Context(Viewer(), services), random.Random(7)
    for number in range(GIVEN_UP):
        caller = asyncio.create_task(make(ctx, f"{number:03}"))
        for _ in range(dice.randrange(12)):
            await asyncio.sleep(0)
        caller.cancel()
        await asyncio.wait({caller})

    async with asyncio.timeout(PATIENCE):
        await settle()
        await make(ctx, "last")

    stored = sorted(each.name for each in await models.Organization.all())
    events = (await log.read(reader(), TOPIC, after=0, limit=1_000)).events
    assert [each.seq for each in events] == list(range(1, len(stored) + 1))
    assert sorted(each.key for each in events) == stored
    assert stored[-1] == "last"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[tuple[str, Context]]:
    """On SQLite, whose writer waits 0.1 s for another process."""
    url = await fresh_sqlite(tmp_path)
    async with open_database(f"{url}?busy_timeout=100"):
        hub = Hub(reader)
        await hub.start()
        try:
            yield url, Context(Viewer(), Services(hub=hub))
        finally:
            await settle()
            await hub.stop()


async def test_a_database_that_another_process_holds_refuses_writes_and_streams_go_on(
    desk: tuple[str, Context],
) -> None:
    url, ctx = desk
    await make(ctx, "before")
    async with aclosing(follow(ctx.services.hub, TOPIC)) as stream:
        assert told(await take(stream, 1)) == ["caught up at 1"]
        with closing(sqlite3.connect(sqlite_path(url), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                await make(ctx, "during")
            other.execute("ROLLBACK")

        await make(ctx, "after")

        assert told([await next_step(stream)]) == [2]
    assert {each.name for each in await models.Organization.all()} == {"before", "after"}


async def test_a_full_disk_refuses_writes_whole_and_streams_go_on(desk: tuple[str, Context]) -> None:
    _, ctx = desk
    await make(ctx, "before")
    async with aclosing(follow(ctx.services.hub, TOPIC)) as stream:
        assert told(await take(stream, 1)) == ["caught up at 1"]
        pages = (await writer().execute_query_dict("PRAGMA page_count"))[0]["page_count"]
        await writer().execute_query(f"PRAGMA max_page_count = {pages}")
        refused = 0
        for number in range(200):  # what is left of the last page takes some
            with suppress(OperationalError):
                await make(ctx, f"{number:03}" + "x" * 150)
                continue
            refused += 1
        await writer().execute_query("PRAGMA max_page_count = 1000000")
        done = await models.Organization.all().count()
        assert refused == 200 - (done - 1) > 0

        await make(ctx, "after")

        assert told(await take(stream, done)) == list(range(2, done + 2))
