"""A desk with 20,000 tickets, made once for all tests that ask how it is read, on either engine."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, closing
from typing import Any

import asyncpg
import pytest

from bench.data import fill_postgres, fill_sqlite, settle_sqlite
from bench.world import World
from domain.policy import Viewer
from models.database import is_sqlite, open_database, reader, sqlite_path
from realtime.hub import Hub
from resolvers.context import Context, Services
from resolvers.viewers import load_viewer
from server.app import limits_from, open_reads, planner
from server.commands.plan import Heard
from server.settings import Settings
from server.transport.documents import Documents
from tests.client import schema
from tests.databases import ENGINES, fresh_postgres, fresh_sqlite

WORLD = World(tickets=20_000)


@pytest.fixture(params=ENGINES, scope="session")
def large(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the desk: migrated, then filled. PostgreSQL has counted its rows since, as it does by itself."""
    with closing(asyncio.new_event_loop()) as loop, ExitStack() as stack:
        if request.param == "sqlite":
            url = loop.run_until_complete(fresh_sqlite(tmp_path_factory.mktemp("large")))
            fill_sqlite(sqlite_path(url), WORLD)
            settle_sqlite(sqlite_path(url))
        else:
            database = fresh_postgres(lent=False)
            url = loop.run_until_complete(database.__aenter__())
            stack.callback(lambda: loop.run_until_complete(database.__aexit__(None, None, None)))
            loop.run_until_complete(fill_postgres(url, WORLD))
        yield url


class Desk:
    """Answers queries as the server does, by plans, and explains the statements."""

    def __init__(self, url: str, heard: Heard) -> None:
        self.url, self.heard = url, heard
        self.documents = Documents(schema()._schema, limits_from(Settings()))
        self.engine = planner(self.documents.schema, heard, 100)
        self.services = Services(hub=Hub(reader))

    @property
    def on_sqlite(self) -> bool:
        return is_sqlite(self.url)

    def context(self, viewer: Viewer) -> Context:
        return Context(viewer, self.services)

    async def answer(self, query: str, viewer: Viewer, **variables: Any) -> tuple[Any, list[tuple[str, Any]]]:
        """The data, and the statements of the plan that gave it.

        Raises:
            NotPlannable: it is not planned.
        """
        self.heard.statements.clear()
        operation = self.engine.open(self.documents.open(query).node, None)
        data = await self.engine.shown(operation, variables, self.context(viewer))
        return data, [(each.sql, each.values) for each in self.heard.statements]

    async def explained(self, sql: str, values: Any, *, index_only: bool = False) -> list[str]:
        return await explained(self.url, sql, values, index_only=index_only)


async def explained(url: str, sql: str, values: Any, *, index_only: bool = False) -> list[str]:
    """The steps of a statement: on SQLite as it words them, on PostgreSQL as `Node relation index`.

    `index_only`: as PostgreSQL would do it on a table too large to be read through; this one is just not.
    """
    if is_sqlite(url):
        with closing(sqlite3.connect(sqlite_path(url))) as db:
            return [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", tuple(map(_plain, values)))]
    db = await asyncpg.connect(url)
    try:
        await db.execute(f"SET enable_seqscan = {'off' if index_only else 'on'}")
        (row,) = await db.fetch(f"EXPLAIN (FORMAT JSON) {sql}", *values)
    finally:
        await db.close()
    return list(_steps(json.loads(row[0])[0]["Plan"]))


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | str | None) else str(value)


def _steps(node: dict[str, Any]) -> Iterator[str]:
    names = (node["Node Type"], node.get("Relation Name"), node.get("Index Name"))
    yield " ".join(each for each in names if each)
    for child in node.get("Plans", ()):
        yield from _steps(child)


@pytest.fixture
async def desk(large: str) -> AsyncIterator[Desk]:
    async with open_database(large):
        heard = Heard(await open_reads(large))
        try:
            yield Desk(large, heard)
        finally:
            await heard.close()


@pytest.fixture
async def manager(desk: Desk) -> Viewer:
    """Whoever manages the requests of organization 0, which has every fifth ticket."""
    return await _viewer(WORLD.manager)


@pytest.fixture
async def agent(desk: Desk) -> Viewer:
    return await _viewer(WORLD.agent(0))


async def _viewer(user_id: Any) -> Viewer:
    viewer = await load_viewer(user_id)
    assert viewer
    return viewer
