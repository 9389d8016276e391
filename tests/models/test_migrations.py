"""The migrated schema is the one that the models declare, on both engines, and no table loses a row on the way."""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tortoise import Model
from tortoise.exceptions import OperationalError
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint

from models import migrate as module
from models.database import is_sqlite, open_database, sqlite_path
from models.makemigrations import unwritten_migrations
from models.migrate import MigrationRefused, migrate, pending
from tests.databases import fresh_postgres, quiet
from tests.models import rows
from tests.models.later_migrations import TODAY, LaterMigrations
from tests.models.schema_facts import Table, tables_of

pytestmark = pytest.mark.anyio

BEYOND_MODELS = [
    ("ticket_device", ("ticket_device_by_device", ("device_id", "ticket_id"))),
    ("certificate_product", ("certificate_product_by_product", ("product_id", "service_certificate_id"))),
    ("ticket", ("ticket_escalated", ("is_escalated", "last_activity_at", "id"))),
    ("ticket", ("ticket_org_escalated", ("organization_id", "last_activity_at", "id"))),
    ("ticket", ("ticket_on_behalf", ("last_activity_at", "id"))),
    ("ticket", ("ticket_org_on_behalf", ("organization_id", "last_activity_at", "id"))),
    ("ticket", ("ticket_on_behalf_of", ("on_behalf_of_id", "last_activity_at", "id"))),
]
TRIGGERS = {
    "ticket": {"ticket_sorted_when_made", "ticket_sorted_when_changed"},
    "app_user": {"ticket_sorted_by_requester"},
    "issue_type": {"ticket_sorted_by_issue_type"},
}
SEARCHED = ("ticket", "message", "escalation", "space", "device", "knowledge_article", "app_user", "organization")
for each in SEARCHED:
    TRIGGERS[each] = TRIGGERS.get(each, set()) | {
        f"{each}_found_{when}" for when in ("when_made", "when_changed", "no_more")
    }

"""On SQLite. Of PostgreSQL's, the tests of what they do tell."""
CATALOG = {"project", "request_type", "classification", "issue_type", "product", "product_version", "product_update"}
DRAFTED = (*(CATALOG - {"project"}), "organization", "certificate", "space")
UNINDEXED = {("ticket", f"{name}_id") for name in (*(CATALOG - {"request_type", "issue_type"}), "certificate")} | {
    ("feedback", "submitted_by_id"),
    ("participant", "added_by_id"),
    ("ticket_draft_device", "device_id"),
    *(("ticket_draft", f"{name}_id") for name in DRAFTED),
    ("follower", "added_by_id"),
    ("follower", "organization_id"),
    ("timeline_event", "user_id"),
}
"""Nothing is looked up by these, and what they refer to is hardly ever deleted; drafts are few besides."""


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LaterMigrations:
    return LaterMigrations(tmp_path, monkeypatch)


async def execute(url: str, *statements: str) -> list[dict[str, Any]]:
    """Run SQL past everything of ours; the rows of the last statement."""
    if is_sqlite(url):
        with closing(sqlite3.connect(sqlite_path(url), isolation_level=None)) as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in [db.execute(statement) for statement in statements][-1]]
    db = await asyncpg.connect(url)
    try:
        return [dict(row) for row in [await db.fetch(statement) for statement in statements][-1]]
    finally:
        await db.close()


async def contents(url: str) -> dict[str, list[dict[str, Any]]]:
    return {
        name: sorted(await execute(url, f'SELECT * FROM "{name}"'), key=repr) for name in sorted(await tables_of(url))
    }


async def declared_tables(url: str) -> dict[str, Table]:
    """What the models declare, put into the empty database at `url` by Tortoise, and what it leaves out."""
    async with open_database(url) as context:
        await context.generate_schemas(safe=False)
        assert context.apps is not None
        declaring = list(context.apps["casewire"].values())
    tables = await tables_of(url)
    for name, index in BEYOND_MODELS:
        tables[name].indexes.add(index)
    for name, triggers in TRIGGERS.items():
        tables[name].triggers = triggers if is_sqlite(url) else set()
    if not is_sqlite(url):
        tables["search_document"].columns["words"] = ("tsvector", True, "''::tsvector")
        tables["search_document"].indexes.add(("search_document_words", ("words",)))
    for model in declaring:
        add_constraints(tables[model._meta.db_table], model)
    return tables


def add_constraints(table: Table, model: type[Model]) -> None:
    for constraint in model._meta.constraints:
        if isinstance(constraint, CheckConstraint):
            table.checks.add(constraint.name)
        elif isinstance(constraint, UniqueConstraint):
            table.uniques.add((constraint.fields, constraint.condition))


async def test_sqlite_is_migrated_to_what_the_models_declare(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path}/a/folder/that/is/new/migrated.db"

    applied = await migrate(url, report=quiet)

    assert applied == TODAY
    assert await tables_of(url) == await declared_tables(f"sqlite://{tmp_path}/declared.db")


@pytest.mark.postgres
async def test_postgres_is_migrated_to_what_the_models_declare() -> None:
    async with fresh_postgres(migrated=False) as url, fresh_postgres(migrated=False) as other:
        applied = await migrate(url, report=quiet)

        assert applied == TODAY
        assert await tables_of(url) == await declared_tables(other)
        (options,) = await execute(url, "SELECT reloptions FROM pg_class WHERE relname = 'feed_stream'")
        assert options == {"reloptions": ["fillfactor=70"]}


async def test_no_change_of_a_model_lacks_its_migration() -> None:
    assert [operation.describe() for draft in await unwritten_migrations() for operation in draft.operations] == []


async def test_every_reference_can_be_followed_backwards_by_an_index(url: str) -> None:
    unindexed = set()
    for name, table in (await tables_of(url)).items():
        leading = {columns[0] for _, columns in table.indexes}
        leading |= {columns[0] for columns, condition in table.uniques if condition is None}
        unindexed |= {(name, column) for column, *_ in table.foreign_keys if column not in leading}

    assert unindexed == UNINDEXED


async def test_a_database_that_is_up_to_date_is_left_alone_even_while_another_migrates(url: str) -> None:
    async with module._alone(url, quiet):
        assert await migrate(url, report=quiet) == []
        assert await pending(url) == []


async def test_asking_what_is_pending_creates_no_file(tmp_path: Path) -> None:
    assert await pending(f"sqlite://{tmp_path}/none.db") == TODAY
    assert os.listdir(tmp_path) == []


async def test_a_database_of_a_newer_version_is_refused(url: str) -> None:
    await execute(
        url,
        "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('casewire', '9999_flying', '2030-01-01')",
    )

    with pytest.raises(MigrationRefused, match=r"newer version \(9999_flying\)"):
        await migrate(url, report=quiet)
    with pytest.raises(MigrationRefused, match="9999_flying"):
        await pending(url)


async def test_a_history_that_cannot_be_read_is_not_taken_for_an_empty_one(url: str) -> None:
    await execute(url, "ALTER TABLE tortoise_migrations RENAME COLUMN name TO title")

    with pytest.raises(MigrationRefused, match="tortoise_migrations cannot be read"):
        await migrate(url, report=quiet)


@pytest.mark.timeout(150)
async def test_of_two_that_migrate_at_once_one_waits_and_finds_nothing_left(url: str, later: LaterMigrations) -> None:
    later.add("0100_note", "ops.RunSQL('CREATE TABLE note (id INT)'),")
    reports: list[str] = []

    async with asyncio.timeout(120):
        first, second = await asyncio.gather(
            *(migrate(url, report=reports.append, package=later.package) for _ in range(2))
        )

    assert sorted([first, second]) == [[], ["0100_note"]]
    assert sorted(reports) == ["Another process is migrating the database. Waiting for it.", "Applying 0100_note."]
    assert await execute(url, "SELECT app FROM tortoise_migrations WHERE name = '0100_note'") == [{"app": "casewire"}]


async def test_who_waits_too_long_for_another_gives_up(
    url: str, later: LaterMigrations, monkeypatch: pytest.MonkeyPatch
) -> None:
    later.add("0100_note", "ops.RunSQL('CREATE TABLE note (id INT)'),")
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.0)

    async with module._alone(url, quiet):
        with pytest.raises(MigrationRefused, match="has been migrating for 0 seconds"):
            await later.migrate(url)

    assert await later.migrate(url) == ["0100_note"]


async def test_a_migration_that_fails_half_way_leaves_nothing_and_can_be_tried_again(
    url: str, later: LaterMigrations
) -> None:
    later.add("0100_note", "ops.RunSQL(['CREATE TABLE note (id INT);', 'SELECT * FROM no_such_table;']),")
    before = await tables_of(url)

    with pytest.raises(OperationalError, match="no_such_table"):
        await later.migrate(url)

    assert await tables_of(url) == before
    assert await pending(url, package=later.package) == ["0100_note"]


async def test_a_rebuilt_table_keeps_its_rows_those_that_refer_to_it_and_every_rule(
    url: str, later: LaterMigrations
) -> None:
    async with open_database(url):
        await rows.busy_ticket()
    later.add("0100_by_hand", BY_HAND_ON_SQLITE if is_sqlite(url) else BY_HAND)
    await later.migrate(url)
    before, kept = await tables_of(url), await contents(url)
    later.add("0101_changes", CHANGES)

    assert await later.migrate(url) == ["0101_changes"]

    expected = before
    expected["ticket"].columns["subject"] = ("VARCHAR(400)" if is_sqlite(url) else "character varying(400)", True, None)
    expected["ticket"].checks.remove("ticket_version_from_one")
    expected["ticket"].foreign_keys.remove(("owner_id", "app_user", "id", "SET NULL"))
    expected["ticket"].indexes.remove(("ticket_owner_by_activity", ("owner_id", "last_activity_at", "id")))
    del expected["ticket"].columns["owner_id"]
    del expected["message"].columns["language"]
    expected["message"].checks.add("message_has_text")
    expected["message"].uniques.remove((("ticket_id", "actor_id", "client_message_id"), None))
    expected["feedback"].columns["comment"] = ("TEXT" if is_sqlite(url) else "text", True, None)
    expected["feedback"].checks.remove("feedback_rating_in_range")
    expected["feedback"].checks.add("feedback_rating_one_to_five")
    expected["device"].uniques.add((("space_id", "name"), None))
    expected["escalation"].uniques.remove((("ticket_id",), "stage <> 'RESOLVED'"))
    expected["participant"].uniques.add((("ticket_id",), "role = 'OWNER'"))
    assert await tables_of(url) == expected
    for gone, table in (("owner_id", "ticket"), ("language", "message")):
        for row in kept[table]:
            del row[gone]
    for row in kept["feedback"]:
        row["comment"] = "nothing said"
    assert await contents(url) == kept


async def test_sqlite_undoes_a_migration_that_leaves_rows_referring_to_nothing(
    tmp_path: Path, later: LaterMigrations
) -> None:
    url = f"sqlite://{tmp_path}/desk.db"
    await migrate(url, report=quiet)
    async with open_database(url):
        await rows.busy_ticket()
    kept = await contents(url)
    later.add("0100_tidy", "ops.RunSQL('DELETE FROM ticket'),")

    with pytest.raises(MigrationRefused, match=r"0100_tidy was undone.*message → ticket"):
        await later.migrate(url)

    assert await contents(url) == kept
    assert await pending(url, package=later.package) == ["0100_tidy"]


CHANGES = """
ops.AlterField("Ticket", "subject", fields.CharField(max_length=400)),
ops.RemoveIndex("Ticket", name="ticket_owner_by_activity"),
ops.RemoveField("Ticket", "owner"),
ops.RemoveConstraint("Ticket", name="ticket_version_from_one"),
ops.RemoveField("Message", "language"),
ops.AddConstraint("Message", CheckConstraint(check="length(body) > 0", name="message_has_text")),
ops.RemoveConstraint("Message", fields=["ticket", "actor", "client_message_id"]),
ops.RunSQL("UPDATE feedback SET comment = 'nothing said' WHERE comment IS NULL"),
ops.AlterField("Feedback", "comment", fields.TextField()),
ops.RenameConstraint("Feedback", old_name="feedback_rating_in_range", new_name="feedback_rating_one_to_five"),
ops.AddConstraint("Device", UniqueConstraint(fields=("space", "name"))),
ops.RemoveConstraint("Escalation", name="escalation_one_active"),
ops.AddConstraint(
    "Participant", UniqueConstraint(fields=("ticket",), name="participant_one_owner", condition="role = 'OWNER'")
),
"""
BY_HAND = """
ops.RunSQL("CREATE INDEX message_by_sender ON message (email_from)"),
"""
BY_HAND_ON_SQLITE = """
ops.RunSQL([
    "CREATE INDEX message_by_sender ON message (email_from)",
    "CREATE TRIGGER message_stamp AFTER INSERT ON message BEGIN SELECT 1; UPDATE counter SET value = value + 1; END;",
]),
"""
