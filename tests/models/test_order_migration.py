"""The migration that keeps what lists are sorted by: on a database with rows, and taken back again."""

from importlib import import_module
from typing import Any

import pytest

import models
from domain.enums import ServiceLevel, TicketPriority, TicketStatus
from models.database import open_database
from models.migrate import _connection
from models.schema_editors import schema_editor
from tests.models import rows
from tests.models.schema_facts import tables_of
from tests.models.test_migrations import execute

pytestmark = pytest.mark.anyio

migration: Any = import_module("models.migrations.0004_ticket_order")
SORTED = """SELECT sort_status, sort_priority, sort_service_level, sort_issue_type, sort_requester
  FROM ticket ORDER BY number"""


def test_what_the_ranks_stand_for_is_what_the_triggers_write() -> None:  # S36
    for column, names in models.tickets.RANKED.items():
        assert migration.SORTED[column] == migration.rank(column.removeprefix("sort_"), *names)


async def test_tickets_that_are_there_already_are_sorted_by_what_they_say(url: str) -> None:  # S36
    await run(url, migration.keep_no_more)
    async with open_database(url):
        project = await models.SupportProject.create(name="Support")
        kind = await models.RequestType.create(project=project, key="X", name="X", handler_label="X")
        trouble = await models.IssueType.create(request_type=kind, name="Sound")
        ann = await rows.user(display_name="Ann Lee")
        at = {"resolved_at": rows.NOW, "closed_at": rows.NOW}
        sorted_by = {"priority": TicketPriority.URGENT, "service_level": ServiceLevel.SELECT, "issue_type": trouble}
        await rows.ticket(status=TicketStatus.CLOSED, requester=ann, **sorted_by, **at)
        await rows.ticket(status=TicketStatus.NEW, priority=TicketPriority.LOW)
    assert [tuple(row.values()) for row in await execute(url, SORTED)] == [(0, 0, 0, "", "")] * 2

    await run(url, migration.keep)

    assert [tuple(row.values()) for row in await execute(url, SORTED)] == [
        (6, 4, 3, "sound", "ann lee"),
        (1, 1, 1, "", ""),
    ]


async def test_it_can_be_taken_back_and_made_again(url: str) -> None:
    before = await tables_of(url)

    await run(url, migration.keep_no_more)
    without = await tables_of(url)
    await run(url, migration.keep)

    assert {each for table in without.values() for each in table.triggers if "sorted" in each} == set()
    assert await tables_of(url) == before


async def run(url: str, step: Any) -> None:
    async with _connection(url) as client:
        await step(None, schema_editor(client, atomic=False))
