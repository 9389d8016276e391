"""The way to the database: what is read together, what is cut, what is left behind when something goes wrong."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

import models
from domain.enums import OrganizationRole, Visibility
from domain.policy import Viewer
from engine.reads import PostgresReads, SqliteReads
from models.database import is_sqlite, open_database, sqlite_path
from tests.api.world import gid
from tests.databases import fresh_postgres, fresh_sqlite
from tests.engine.desk import Desk, planned_desk, viewer_of
from tests.factories import LONG_AGO, make_escalation, make_member, make_message, make_organization, make_ticket

pytestmark = pytest.mark.anyio

SEVERAL, SINGLE = SimpleNamespace(is_single=False), SimpleNamespace(is_single=True)

Fetch = Callable[[str, tuple[Any, ...]], Any]

MANY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT count(*), sum(i) FROM n"
VERY_MANY = MANY.format(30_000_000)
PATIENCE = 5.0


class Plan:
    """A run of one statement after another, for `once`; `Run` is another."""

    def __init__(self, reads: Any, *statements: str) -> None:
        self.fetch: Fetch = reads.fetch
        self.statements = statements
        self.threads: list[int] = []

    async def data(self, plan: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for number, sql in enumerate(self.statements):
            self.threads.append(threading.get_ident())
            found[str(number)] = [tuple(row) for row in await self.fetch(sql, ())]
        return found


@pytest.fixture
async def desk(db: str) -> AsyncIterator[Desk]:
    async with planned_desk(db) as desk:
        yield desk


@pytest.fixture
async def lite(tmp_path: Path) -> str:
    """The path of an SQLite database that nobody else has open."""
    return sqlite_path(await fresh_sqlite(tmp_path))


@pytest.fixture
async def reads(lite: str) -> AsyncIterator[SqliteReads]:
    reads = SqliteReads(lite, steps_before_cut=20_000)
    yield reads
    await reads.close()


async def owner_of(organization: models.Organization) -> Viewer:
    return await viewer_of(await make_member(organization, OrganizationRole.OWNER))


# --- what a question costs

GRAPH = """query($first: Int) { tickets(scope: ALL, first: $first) {
  totalCount pageInfo { hasNextPage } nodes {
    subject feedCursor requester { displayName username email memberships { role } }
    owner { displayName } organization { name } space { __typename name }
    participants(first: 3) { totalCount nodes { role user { displayName } } }
    messages(last: 2) { totalCount nodes { body sequence actor { displayName } attachments { fileName } } }
    escalations { nodes { stage timeline { totalCount nodes { stage actor { displayName } } } } }
    activeEscalation { reference } feedback { rating } } } }"""


async def test_fifty_tickets_with_all_that_hangs_on_them_take_as_many_statements_as_five(desk: Desk) -> None:
    acme = await make_organization("Acme")
    viewer, ann = await owner_of(acme), await make_member(acme)
    for _ in range(50):
        ticket = await make_ticket(acme, ann)
        for text in ("one", "two", "three"):
            await make_message(ticket, ann, text)
        await make_escalation(ticket)
    statements = {}

    for first in (5, 50):
        before = desk.engine.stats["statements"]
        found = await desk.agreed(GRAPH, viewer, {"first": first})
        assert found is not None
        assert [len(each["messages"]["nodes"]) for each in found["tickets"]["nodes"]] == [2] * first
        statements[first] = desk.engine.stats["statements"] - before

    page_and_count, memberships = 2, 1
    participants, messages, attachments, escalations, timeline, the_one = 2, 2, 1, 1, 2, 2
    below = memberships + participants + messages + attachments + escalations + timeline + the_one
    assert statements == dict.fromkeys((5, 50), page_and_count + below)


@pytest.mark.parametrize(
    ("selection", "statements"),
    [
        ("nodes { subject }", 1),
        ("totalCount", 1),
        ("totalCount nodes { id } edges { node { subject } cursor } pageInfo { endCursor }", 2),
        ("nodes { requester { displayName } organization { name } space { name group { name } } }", 1),
        ("nodes { requester { email } }", 1),
        ("nodes { messages { totalCount } }", 2),
        ("nodes { a: messages(first: 1) { nodes { body } } b: messages(last: 1) { nodes { body } } }", 3),
    ],
)
async def test_only_what_is_selected_is_read(desk: Desk, selection: str, statements: int) -> None:
    acme = await make_organization("Acme")
    viewer, ann = await owner_of(acme), await make_member(acme)
    for _ in range(3):
        await make_ticket(acme, ann)

    assert await desk.agreed(f"{{ tickets(scope: ALL) {{ {selection} }} }}", viewer) is not None

    assert desk.engine.stats["statements"] == statements


# --- what is read, and when


async def test_what_was_written_is_there_for_the_next_question(desk: Desk) -> None:
    acme = await make_organization("Acme")
    viewer, document = await owner_of(acme), "query($id: ID!) { ticket(id: $id) { subject messages { totalCount } } }"
    ticket = await make_ticket(acme, None)

    for number in range(3):
        ticket.subject = f"Subject {number}"
        await make_message(ticket, None)
        found = await desk.agreed(document, viewer, {"id": gid(ticket)})
        assert found == {"ticket": {"subject": f"Subject {number}", "messages": {"totalCount": number + 1}}}


async def test_a_question_sees_one_state_of_an_sqlite_database(lite: str, reads: SqliteReads) -> None:
    writer = sqlite3.connect(lite, isolation_level=None)
    count, write = "SELECT count(*) FROM product", "INSERT INTO product (id, name) VALUES ('{0}', '{0}')"

    class Disturbed(Plan):
        async def data(self, plan: Any) -> dict[str, Any]:
            first = await self.fetch(count, ())
            writer.execute(write.format("a"))
            return {"0": first, "1": await self.fetch(count, ())}

    assert await reads.once(Disturbed(reads), SEVERAL) == {"0": [(0,)], "1": [(0,)]}
    assert await reads.once(Plan(reads, count), SEVERAL) == {"0": [(1,)]}
    writer.close()


async def test_a_number_that_graphql_cannot_say_is_left_to_graphql_core(desk: Desk) -> None:
    acme = await make_organization("Acme")
    viewer, ticket = await owner_of(acme), await make_ticket(acme, None)
    message = await make_message(ticket, None)
    document = "query($id: ID!) { ticket(id: $id) { messages { nodes { attachments { sizeBytes } } } } }"
    file = await models.Attachment.create(
        message=message,
        ticket=ticket,
        visibility=Visibility.PUBLIC,
        file_name="film.mp4",
        media_type="video/mp4",
        size_bytes=2**31 - 1,
        checksum="0" * 64,
        created_at=LONG_AGO,
    )

    assert await desk.agreed(document, viewer, {"id": gid(ticket)}) == {
        "ticket": {"messages": {"nodes": [{"attachments": [{"sizeBytes": 2**31 - 1}]}]}}
    }
    file.size_bytes = 2**31
    await file.save()
    assert await desk.agreed(document, viewer, {"id": gid(ticket)}) is None
    _, errors = await desk.ordinary(document, viewer, {"id": gid(ticket)})
    assert ["32-bit" in error.message for error in errors] == [True]


@pytest.mark.postgres
async def test_a_question_sees_one_state_of_a_postgres_database_where_it_takes_several_statements() -> None:
    async with fresh_postgres() as url:
        reads, writer = await PostgresReads.open(url, size=2), await asyncpg.connect(url)
        count = "SELECT count(*) FROM product"

        class Disturbed(Plan):
            async def data(self, plan: Any) -> dict[str, Any]:
                first = await self.fetch(count, ())
                await writer.execute(f"INSERT INTO product (id, name) VALUES ('{uuid4()}', '{uuid4()}')")
                return {"0": first[0][0], "1": (await self.fetch(count, ()))[0][0]}

        try:
            assert await reads.once(Disturbed(reads), SEVERAL) == {"0": 0, "1": 0}
            assert await reads.once(Disturbed(reads), SINGLE) == {"0": 1, "1": 2}
            with pytest.raises(asyncpg.PostgresError):
                await reads.once(Plan(reads, f"INSERT INTO product (id, name) VALUES ('{uuid4()}', 'a')"), SEVERAL)
            assert await reads.once(Plan(reads, count), SEVERAL) == {"0": [(2,)]}
        finally:
            await writer.close()
            await reads.close()


# --- what takes too long


async def test_a_statement_that_runs_away_is_cut_and_answered_from_a_thread(reads: SqliteReads) -> None:
    plan = Plan(reads, "SELECT 1", MANY.format(20_000))

    assert await reads.once(plan, SEVERAL) == {"0": [(1,)], "1": [(20_000, 200_010_000)]}

    loop, loop_again, thread, thread_again = plan.threads
    assert reads.cut == 1
    assert loop == loop_again == threading.get_ident()
    assert thread == thread_again != loop


async def test_a_short_statement_is_never_cut_however_often_it_runs(reads: SqliteReads) -> None:
    """SQLite counts the steps of a prepared statement over its whole life."""
    for _ in range(500):
        await reads.once(Plan(reads, MANY.format(100)), SEVERAL)

    assert reads.cut == 0


async def test_each_statement_of_a_question_may_take_its_time(reads: SqliteReads) -> None:
    plan = Plan(reads, *[MANY.format(800)] * 20)

    await reads.once(plan, SEVERAL)

    assert reads.cut == 0


async def test_a_whole_question_that_is_cut_is_answered_the_same(lite: str) -> None:
    reads = SqliteReads(lite, steps_before_cut=20)
    async with open_database(f"sqlite://{lite}"), planned_desk(f"sqlite://{lite}") as desk:
        acme = await make_organization("Acme")
        viewer = await owner_of(acme)
        for _ in range(20):
            await make_message(await make_ticket(acme, None), None)
        desk.engine.reads = reads

        for _ in range(3):
            found = await desk.agreed(GRAPH, viewer, {"first": 20})
            assert found is not None
            assert len(found["tickets"]["nodes"]) == 20

        assert not reads._db.in_transaction
        assert (reads.cut, desk.engine.stats["planned"], desk.engine.stats["bails"]) == (3, 3, 0)
    await reads.close()


async def test_a_question_that_is_given_up_does_not_run_on_in_its_thread(reads: SqliteReads) -> None:
    ended = threading.Event()

    class Told(Plan):
        async def data(self, plan: Any) -> dict[str, Any]:
            try:
                return await super().data(plan)
            finally:
                if threading.get_ident() != self.threads[0]:
                    ended.set()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await reads.once(Told(reads, VERY_MANY), SEVERAL)

    assert await asyncio.to_thread(ended.wait, PATIENCE), "it runs on"
    assert await reads.once(Plan(reads, "SELECT 1"), SEVERAL) == {"0": [(1,)]}


# --- what goes wrong


@pytest.mark.parametrize("statement", ["SELECT nonsense", "INSERT INTO product (id, name) VALUES ('a', 'a')"])
async def test_a_statement_that_fails_leaves_no_transaction_open(reads: SqliteReads, statement: str) -> None:
    with pytest.raises(sqlite3.OperationalError):
        await reads.once(Plan(reads, "SELECT 1", statement), SEVERAL)

    assert not reads._db.in_transaction
    assert await reads.once(Plan(reads, "SELECT count(*) FROM product"), SEVERAL) == {"0": [(0,)]}


async def test_a_plan_that_waits_gives_the_connection_back_and_goes_on(reads: SqliteReads) -> None:
    went_on = asyncio.Event()

    class Waiting(Plan):
        async def data(self, plan: Any) -> dict[str, Any]:
            before = await self.fetch("SELECT 1", ())
            assert reads._db.in_transaction
            await went_on.wait()
            assert reads._db.in_transaction
            return {"before": before, "after": await self.fetch("SELECT 2", ())}

    async with asyncio.timeout(PATIENCE):
        waiting = asyncio.create_task(reads.once(Waiting(reads), SEVERAL))
        await asyncio.sleep(0)
        assert not reads._db.in_transaction
        assert await reads.once(Plan(reads, "SELECT 3"), SEVERAL) == {"0": [(3,)]}
        went_on.set()

        assert await waiting == {"before": [(1,)], "after": [(2,)]}
    assert not reads._db.in_transaction


async def test_a_plan_that_fails_or_is_cancelled_while_it_waits_leaves_nothing_open(reads: SqliteReads) -> None:
    class Waiting(Plan):
        async def data(self, plan: Any) -> dict[str, Any]:
            await self.fetch("SELECT 1", ())
            await asyncio.sleep(0)
            return {"0": await self.fetch("SELECT nonsense", ())}

    with pytest.raises(sqlite3.OperationalError):
        await reads.once(Waiting(reads), SEVERAL)
    assert not reads._db.in_transaction

    cancelled = asyncio.create_task(reads.once(Waiting(reads), SEVERAL))
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled

    assert not reads._db.in_transaction
    assert await reads.once(Plan(reads, "SELECT 1"), SEVERAL) == {"0": [(1,)]}


async def test_a_plan_that_was_cut_cannot_wait_in_its_thread(reads: SqliteReads) -> None:
    class Waiting(Plan):
        async def data(self, plan: Any) -> dict[str, Any]:
            await self.fetch(MANY.format(2_000_000), ())
            await asyncio.sleep(0)
            return {}

    with pytest.raises(RuntimeError, match="something other than the database"):
        await reads.once(Waiting(reads), SEVERAL)

    assert reads.cut == 1
    assert not reads._db.in_transaction
    assert await reads.once(Plan(reads, "SELECT 1"), SEVERAL) == {"0": [(1,)]}


async def test_an_error_of_a_plan_itself_leaves_nothing_open(reads: SqliteReads) -> None:
    class Failing(Plan):
        async def data(self, plan: Any) -> dict[str, Any]:
            await self.fetch("SELECT 1", ())
            raise ValueError("no such thing")

    with pytest.raises(ValueError, match="no such thing"):
        await reads.once(Failing(reads), SEVERAL)

    assert not reads._db.in_transaction
    assert await reads.once(Plan(reads, "SELECT 1"), SEVERAL) == {"0": [(1,)]}


async def test_a_failing_question_is_counted_and_does_not_spoil_the_next(desk: Desk) -> None:
    acme = await make_organization("Acme")
    viewer = await owner_of(acme)
    ticket = await make_ticket(acme, None)
    document = "query($id: ID!) { ticket(id: $id) { subject } }"
    assert await desk.planned(document, viewer, {"id": gid(ticket)}) is not None
    (binding,) = desk.engine.bindings.values()
    (name, statement) = next(iter(binding.statements.items()))

    binding.statements[name] = replace(statement, sql=statement.sql.replace("subject", "subjects"))
    assert await desk.planned(document, viewer, {"id": gid(ticket)}) is None
    binding.statements[name] = statement

    assert await desk.agreed(document, viewer, {"id": gid(ticket)}) == {"ticket": {"subject": ticket.subject}}
    assert (desk.engine.stats["bails"], desk.engine.stats["planned"]) == (1, 2)


@pytest.mark.postgres
async def test_postgres_answers_on_after_an_error() -> None:
    async with fresh_postgres(migrated=False) as url:
        reads = await PostgresReads.open(url, size=1)
        with pytest.raises(asyncpg.PostgresError):
            await reads.once(Plan(reads, "SELECT nonsense"), SEVERAL)
        assert await reads.once(Plan(reads, "SELECT 1"), SEVERAL) == {"0": [(1,)]}
        await reads.close()


async def test_questions_asked_at_the_same_time_get_their_own_answers(db: str, desk: Desk) -> None:
    """Half of them in the loop, half in threads, where the database is SQLite."""
    places = [await make_organization(f"Place {number}") for number in range(6)]
    viewers = [await owner_of(place) for place in places]
    for number, place in enumerate(places):
        for _ in range(number * 3):
            await make_message(await make_ticket(place, None, subject=place.name), None)
    document = """query($first: Int) { tickets(scope: ALL, first: $first) {
      totalCount nodes { subject messages { nodes { body } } } } }"""
    if is_sqlite(db):
        await desk.engine.reads.close()
        desk.engine.reads = SqliteReads(sqlite_path(db), steps_before_cut=1_000)

    async with asyncio.timeout(PATIENCE):
        found = await asyncio.gather(
            *[desk.planned(document, viewer, {"first": 50}) for _ in range(5) for viewer in viewers]
        )

    for number, each in enumerate(found):
        assert each is not None
        asked = number % 6
        assert each["tickets"]["totalCount"] == asked * 3
        assert {node["subject"] for node in each["tickets"]["nodes"]} == ({f"Place {asked}"} if asked else set())
    if isinstance(desk.engine.reads, SqliteReads):
        assert 0 < desk.engine.reads.cut < len(found)
