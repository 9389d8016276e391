"""A list of tickets as a workbook: the rows of the CSV file, in cells that have their kind (S72, S34, S40)."""

import asyncio
import io
import os
import tempfile
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

import models
from domain.enums import Confidentiality, TicketStatus
from resolvers.tickets_export import COLUMNS, INSTANTS
from server.exports.process import file_writer
from tests.api.operations import mutate
from tests.api.world import make_world
from tests.client import Client
from tests.conftest import AsUser
from tests.factories import LONG_AGO, make_ticket
from tests.server.exports.conftest import Fetch, Work

pytestmark = pytest.mark.anyio

KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOMENT = LONG_AGO + timedelta(hours=25, seconds=1)


async def workbook(client: Client, work: Work, fetch: Fetch) -> bytes:
    made = await mutate(client, "ticketsExport", "job { id }", filter={}, format="XLSX")
    assert await work()
    answer = await fetch(client, made["job"]["id"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, KIND)
    assert answer.headers["content-disposition"].endswith("''tickets-2026-03-02.xlsx")
    return answer.content


def rows_of(content: bytes) -> list[dict[str, Any]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    names, *rows = book.get_sheet_by_name("tickets").to_python()
    assert names == list(COLUMNS)
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


async def test_a_workbook_has_the_rows_of_the_list_with_dates_that_are_dates(
    as_user: AsUser, work: Work, fetch: Fetch
) -> None:
    world = await make_world()
    await make_ticket(world.acme, world["author"], subject="Mine alone", confidentiality=Confidentiality.AUTHOR_ONLY)
    await make_ticket(
        world.acme, world["member"], subject="Готово", status=TicketStatus.CLOSED, closed_at=MOMENT,
        assignee=world["agent"],
    )  # fmt: skip

    black, done = rows_of(await workbook(as_user(world["owner"]), work, fetch))

    assert (black["subject"], black["usernames"], black["isEscalated"]) == (
        "The camera stays black",
        "author; helper",
        True,
    )  # S09
    assert (done["subject"], done["status"], done["assignee"], done["isEscalated"]) == (
        "Готово",
        "CLOSED",
        "agent",
        False,
    )
    assert {name: done[name] for name in INSTANTS} == {
        "createdAt": datetime(2026, 1, 5, 8),
        "lastActivityAt": datetime(2026, 1, 5, 8),
        "firstRespondedAt": "",
        "resolvedAt": "",
        "closedAt": datetime(2026, 1, 6, 9, 0, 1),
    }  # S40


async def test_what_people_wrote_is_text_as_they_wrote_it_and_no_formula(
    as_user: AsUser, work: Work, fetch: Fetch
) -> None:
    world = await make_world()
    written = '=HYPERLINK("https://evil.example","click") _x0041_ <b>&\x07 👍'
    await models.Ticket.filter(id=world.ticket.id).update(subject=written)
    await models.User.filter(id=world["author"].id).update(display_name="http://evil.example")

    content = await workbook(as_user(world["owner"]), work, fetch)

    assert [(row["subject"], row["requester"]) for row in rows_of(content)] == [(written, "http://evil.example")]
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
        assert not [name for name in parts.namelist() if "rels" in name and "sheet" in name], "no link leads out"
    assert "<f>" not in sheet
    assert "<hyperlink" not in sheet


async def test_a_writer_that_is_cut_off_leaves_nothing_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    row = ["T-1", *("x" * 1000 for _ in COLUMNS[1:])]
    head = {"columns": COLUMNS, "instants": (), "exportedAt": "2026-01-05T08:00:00.000000Z"}

    async with asyncio.timeout(30):
        with (tmp_path / "out").open("wb") as out:
            async with file_writer(out) as writer:
                await writer.send({"format": "XLSX"})
                await writer.send(head)
                for _ in range(20):
                    await writer.send({"rows": [row] * 10})
                assert files_in(tmp_path) == 2, "it is in the middle of its work"

    assert files_in(tmp_path) == 1
    assert os.listdir(tmp_path) == ["out"]


def files_in(folder: Path) -> int:
    return sum(each.is_file() for each in folder.rglob("*"))
