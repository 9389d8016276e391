"""J5: SQLite plans for a large desk from the first ticket on, whoever has the database open when it is migrated."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from models.database import sqlite_path
from models.planner import ALIKE, ROWS
from tests.databases import fresh_sqlite
from tests.models.later_migrations import LaterMigrations
from tests.models.schema_facts import tables_of

pytestmark = pytest.mark.anyio

ACTIVE = (
    "SELECT id FROM ticket WHERE status IN ('NEW', 'OPEN', 'PENDING_CUSTOMER', 'ON_HOLD')"
    " ORDER BY last_activity_at DESC, id DESC LIMIT 21"
)
WALKED, SORTED = ["SCAN ticket USING INDEX ticket_by_activity"], "USE TEMP B-TREE FOR ORDER BY"


@pytest.fixture
async def url(tmp_path: Path) -> str:
    return await fresh_sqlite(tmp_path)


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LaterMigrations:
    return LaterMigrations(tmp_path, monkeypatch)


@pytest.fixture
def reading(url: str) -> Iterator[sqlite3.Connection]:
    # Of a statement that is only explained SQLite does not notice that the schema has changed: none is kept.
    with closing(sqlite3.connect(sqlite_path(url), isolation_level=None, cached_statements=0)) as db:
        yield db


def steps(db: sqlite3.Connection, sql: str) -> list[str]:
    db.execute(sql).fetchall()  # noticing is for statements that are run
    return [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")]


async def test_a_new_desk_reads_its_active_tickets_in_their_order(reading: sqlite3.Connection) -> None:
    assert steps(reading, ACTIVE) == WALKED

    reading.execute("DELETE FROM sqlite_stat1")
    reading.execute("ANALYZE sqlite_schema")

    assert SORTED in steps(reading, ACTIVE)


async def test_who_reads_during_a_migration_heeds_what_is_assumed_after_it(
    url: str, later: LaterMigrations, reading: sqlite3.Connection
) -> None:
    reading.execute("DROP TABLE sqlite_stat1")
    reading.execute("ANALYZE")
    assert SORTED in steps(reading, ACTIVE)
    later.add("9001_of_rows_alone", 'ops.RunSQL(["UPDATE counter SET value = value;"], []),')

    await later.migrate(url)

    assert steps(reading, ACTIVE) == WALKED


async def test_a_table_that_is_made_anew_keeps_what_is_assumed_of_it(
    url: str, later: LaterMigrations, reading: sqlite3.Connection
) -> None:
    before = set(reading.execute("SELECT * FROM sqlite_stat1 WHERE tbl = 'ticket'"))
    constraint = 'CheckConstraint(check="number > 0", name="ticket_numbered_from_one")'
    later.add("9001_numbered", f'ops.AddConstraint("Ticket", {constraint}),')

    await later.migrate(url)

    assert set(reading.execute("SELECT * FROM sqlite_stat1 WHERE tbl = 'ticket'")) == before
    assert len(before) == len(reading.execute("PRAGMA index_list(ticket)").fetchall())


async def test_what_is_assumed_is_of_tables_and_columns_that_there_are(url: str) -> None:
    tables = await tables_of(url)

    assert ROWS.keys() - tables.keys() == set()
    assert ALIKE.keys() - ROWS.keys() == set()
    assert {name: set(columns) - set(tables[name].columns) for name, columns in ALIKE.items()} == {
        name: set() for name in ALIKE
    }


async def test_figures_of_an_index_tell_how_many_rows_are_alike_in_more_and_more_of_its_columns(
    reading: sqlite3.Connection,
) -> None:
    found = dict(reading.execute("SELECT idx, stat FROM sqlite_stat1 WHERE tbl IN ('ticket', 'search_document')"))

    assert found["ticket_org_by_status"] == "1000000 50000 10000 1 noskipscan"
    assert found["ticket_by_activity"] == "1000000 1 1 noskipscan"
    assert found["ticket_queue"] == "1000000 200000 10000 5000 1000 noskipscan"
    assert found["ticket_org_escalated"] == "20000 1000 1 1 noskipscan"
    assert found["search_document_by_label"] == "5000000 10 1 noskipscan"
