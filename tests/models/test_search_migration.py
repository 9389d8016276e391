"""The migration that makes the full-text index: on a database with rows, and taken back again."""

from importlib import import_module
from typing import Any

import pytest

import models
from domain.enums import StaffRole
from domain.policy import Viewer
from domain.searching import words_of
from models.database import open_database
from models.searching import saying
from tests.models import rows
from tests.models.schema_facts import tables_of
from tests.models.test_order_migration import run

pytestmark = pytest.mark.anyio

migration: Any = import_module("models.migrations.0005_search")


async def test_what_is_there_already_is_found_the_newest_first(url: str) -> None:  # S38
    await run(url, migration.keep_no_more)
    async with open_database(url):
        first = await rows.ticket(subject="Perché è nera")
        second = await rows.ticket(subject="Камера", description="Ещё чёрная")
        await rows.message(ticket=first, body="Câmera preta")
        await rows.message(ticket=first, body="Withdrawn", deleted_at=rows.NOW, sequence=2, public_sequence=2)
        await rows.escalation(ticket=second, issue_description="Œuvre")
        assert await models.SearchDocument.all().count() == 0

    await run(url, migration.keep)

    async with open_database(url):
        of_tickets = models.SearchDocument.filter(ticket_id__isnull=False).order_by("id")
        assert await of_tickets.values_list("kind", flat=True) == [
            "TICKET",
            "TICKET",
            "MESSAGE",
            "MESSAGE",
            "ESCALATION",
        ]
        assert await found("perche") == [first.id]
        assert await found("camera preta") == [first.id]
        assert await found("еще черная") == [second.id]
        assert await found("oeuvre") == [second.id]
        assert await found("withdrawn") == []
        first.subject = "Altro"
        await first.save()
        assert (await found("perche"), await found("altro")) == ([], [first.id])


async def test_it_can_be_taken_back_and_made_again(url: str) -> None:
    before = await tables_of(url)
    async with open_database(url):
        await rows.busy_ticket()

    await run(url, migration.keep_no_more)
    without = await tables_of(url)
    await run(url, migration.keep)

    assert {each for table in without.values() for each in table.triggers if "found" in each} == set()
    assert "words" not in without["search_document"].columns
    assert await tables_of(url) == before


async def found(text: str) -> list[Any]:
    tickets = models.Ticket.filter(saying(words_of(text), Viewer(staff_role=StaffRole.AGENT)))
    return list(await tickets.values_list("id", flat=True))
