"""Astra's portal, taking a request away: as a document in one's own language and by one's own clock, as JSON for a
program, and the organization's list as a table (S72, S40, S42, S07, J7).
"""

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

import models
from domain.enums import LifecyclePreset, OrganizationRole
from tests.api.world import gid
from tests.databases import ENGINES
from tests.factories import make_member, make_request_type, make_staff
from tests.server.running import http
from tests.stories.portal import Portal, here, open_portal

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

VLADIVOSTOK = ZoneInfo("Asia/Vladivostok")

JOB = "subscription($j: ID!) { job(jobId: $j) { status progress total resultUrl failed { error { code } } } }"
MAY = "query($t: ID!) { ticket(id: $t) { reference viewerPermissions { canExport canSeeInternal } } }"


@pytest.fixture(params=ENGINES)
async def portal(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Portal]:
    """Ivan reads Russian in Vladivostok; Olga runs his organization, Petya is a colleague, and Sam is of support."""
    kept = {"lifecycle_preset": LifecyclePreset.HOURS_72}
    async with open_portal(request.param, tmp_path, monkeypatch, "ООО «Ромашка»", **kept) as portal:
        chosen = {"locale": "ru", "time_zone": VLADIVOSTOK.key}
        portal.people["Ivan"] = await make_member(portal.acme, name="Иван Петров", **chosen)
        portal.people["Petya"] = await make_member(portal.acme, name="Пётр")
        portal.people["Olga"] = await make_member(portal.acme, OrganizationRole.OWNER, "Ольга")
        portal.people["Sam"] = await make_staff(name="Sam")
        await make_request_type()
        # A minute that no offset of a zone can be taken for.
        portal.clock.now = portal.clock.now.replace(minute=37) + timedelta(hours=1)
        yield portal


async def take_away(portal: Portal, name: str, mutation: str = "ticketExport", **given: Any) -> httpx2.Response:
    """Ask for a file, follow how far it is over the websocket, and fetch it by its signed address alone."""
    job = (await portal.did(name, mutation, "job { id }", **given))["job"]["id"]
    told = await followed(portal, name, job)
    assert (told[-1]["status"], told[-1]["progress"], told[-1]["failed"]) == ("SUCCEEDED", 1, [])
    assert {each["resultUrl"] for each in told if each["status"] in ("QUEUED", "RUNNING")} <= {None}
    progress = [each["progress"] for each in told]
    assert progress == sorted(progress)
    async with http(portal.served.address) as nobody:
        return await nobody.get(here(told[-1]["resultUrl"]))


async def followed(portal: Portal, name: str, job: str) -> list[Any]:
    """Every state of a job that is told until there is nothing more to tell."""
    watch, told = await portal.follows(name, JOB, j=job), []
    while (message := await watch.message())["type"] == "next":
        told.append(message["payload"]["data"]["job"])
    assert message["type"] == "complete"
    return told


def text_of(document: bytes) -> str:
    assert document.startswith(b"%PDF-")
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(document)).pages)


async def converse(portal: Portal) -> str:
    """A request with files, an answer, a note that is for support alone, and an escalation; its id."""
    log = await portal.attaches("Ivan", "журнал за ноябрь.txt", "Нет сигнала\n".encode())
    ticket = await portal.opens("Ivan", "Чёрный экран", description="Экран гаснет.", attachmentIds=[log])
    await portal.did("Sam", "ticketAssign", ticketId=ticket, assigneeId=portal.id("Sam"))
    await portal.says("Sam", ticket, "Пришлите, пожалуйста, фотографию")
    whisper = {"ticketId": ticket, "body": "Клиент недоволен", "visibility": "INTERNAL"}
    await portal.did("Sam", "noteAdd", **whisper)
    made = await portal.did(
        "Sam", "escalationSubmit", "escalation { id reference }", ticketId=ticket, issueDescription="Сбой прошивки"
    )
    moved = {"escalationId": made["escalation"]["id"], "stage": "IN_REVIEW", "internalNote": "Дефект 17"}
    await portal.did("Sam", "escalationAdvance", note="Разбираемся", **moved)
    return ticket


async def test_a_request_is_downloaded_as_a_document_in_ones_own_language_and_by_ones_own_clock(
    portal: Portal,
) -> None:
    """S72, S40, S42, J7."""
    ticket = await converse(portal)
    may = (await portal.asks("Ivan", MAY, t=ticket))["ticket"]
    assert may["viewerPermissions"] == {"canExport": True, "canSeeInternal": False}

    answer = await take_away(portal, "Ivan", ticketId=ticket)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{may['reference']}.pdf"
    text = text_of(answer.content)
    local, utc = portal.clock.now.astimezone(VLADIVOSTOK), portal.clock.now
    for said in (
        *("Обращение в поддержку", may["reference"], "Чёрный экран", "ООО «Ромашка»", "Экран гаснет."),
        *("Заявитель", "Иван Петров", "Исполнитель", "Эскалировано", "Пришлите, пожалуйста, фотографию"),
        *("журнал за ноябрь.txt", "Эскалация CP-", "Сбой прошивки", "На рассмотрении", "Разбираемся"),
        *("Время указано по зоне Asia/Vladivostok (UTC+10:00)", f"{local:%H:37}", f"{local.day} ", "Страница 1 из"),
    ):
        assert said in text, said
    for unsaid in (f"{utc:%H:37}", "Клиент недоволен", "Дефект 17", "Внутреннее", "Support request"):
        assert unsaid not in text, unsaid

    # Another clock and language where they are asked for; what people wrote stays as it is.
    other = text_of((await take_away(portal, "Ivan", ticketId=ticket, locale="it", timeZone="UTC")).content)
    for said in ("Richiesta", "Richiedente", f"{utc:%H:37}", "Экран гаснет.", "Пришлите, пожалуйста, фотографию"):
        assert said in other, said


async def test_support_has_a_copy_of_its_own_and_nobody_has_one_of_what_is_not_shown_to_them(portal: Portal) -> None:
    """S07, S72, J4, J7."""
    ticket = await converse(portal)
    whole = text_of((await take_away(portal, "Sam", ticketId=ticket, includeInternal=True, locale="ru")).content)
    assert ("Клиент недоволен" in whole, "Дефект 17" in whole, "Внутреннее" in whole) == (True, True, True)
    assert await portal.code("Ivan", "ticketExport", ticketId=ticket, includeInternal=True) == "FORBIDDEN"

    secret = await portal.opens("Ivan", "Моя премия", confidentiality="AUTHOR_ONLY")
    assert await portal.code("Olga", "ticketExport", ticketId=secret) == "NOT_FOUND"
    own = await take_away(portal, "Ivan", ticketId=secret)
    assert "Моя премия" in text_of(own.content)

    # Petya's copy is good while Petya is of the organization.
    job = (await portal.did("Petya", "ticketExport", "job { id }", ticketId=ticket))["job"]["id"]
    url = (await followed(portal, "Petya", job))[-1]["resultUrl"]
    assert (await portal.gets("Petya", url)).status_code == 200
    member = gid(await models.Membership.get(user=portal.people["Petya"]))
    await portal.did("Olga", "organizationMemberRemove", membershipId=member)
    assert (await portal.gets("Petya", url)).status_code == 404


async def test_a_program_reads_the_request_as_json(portal: Portal) -> None:
    """S72, S40: instants in UTC, whoever asks."""
    ticket = await converse(portal)

    answer = await take_away(portal, "Ivan", ticketId=ticket, format="JSON")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    file = json.loads(answer.content)
    assert (file["kind"], file["includesInternal"]) == ("casewire.ticket", False)
    assert file["ticket"]["createdAt"] == portal.clock.now.isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert [item["body"] for item in file["timeline"] if "body" in item] == [
        "Экран гаснет.",
        "Пришлите, пожалуйста, фотографию",
    ]
    (escalation,) = file["escalations"]
    assert [(entry["stage"], entry["note"]) for entry in escalation["timeline"]] == [
        ("SUBMITTED", None),
        ("IN_REVIEW", "Разбираемся"),
    ]
    assert [word for word in ("недоволен", "Дефект", "internalNote") if word in answer.text] == []


async def test_the_organizations_list_is_taken_away_as_a_table_by_those_who_manage_it(portal: Portal) -> None:
    """S02, S07, S09, S72."""
    await converse(portal)
    await portal.opens("Ivan", "Моя премия", confidentiality="AUTHOR_ONLY")
    await portal.opens("Petya", "=1+1")
    assert await portal.code("Ivan", "ticketsExport", filter={}) == "FORBIDDEN"

    plain = await take_away(portal, "Olga", "ticketsExport", filter={})
    book = await take_away(portal, "Olga", "ticketsExport", filter={"isActive": True}, format="XLSX")

    assert plain.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(plain.content.decode("utf-8-sig"), newline="")))
    assert [(row["subject"], row["requester"], row["displayStatus"]) for row in rows] == [
        ("Чёрный экран", "Иван Петров", "ESCALATED"),
        ("'=1+1", "Пётр", "NEW"),
    ]
    names, *cells = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_name("tickets").to_python()
    table = [dict(zip(names, row, strict=True)) for row in cells]
    assert [(row["subject"], row["usernames"], row["isEscalated"]) for row in table] == [
        ("Чёрный экран", "иван.петров", True),
        ("=1+1", "пётр", False),
    ]
    opened = portal.clock.now.replace(tzinfo=None)
    assert all(abs(row["createdAt"] - opened) < timedelta(milliseconds=2) for row in table)
