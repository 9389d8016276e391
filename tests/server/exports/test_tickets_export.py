"""A list of tickets as a table: which rows, for whom, and safe to open in a spreadsheet (S02, S07, S36, S72)."""

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import models
from domain.enums import Confidentiality, OrganizationRole, TicketStatus
from domain.exporting import cell
from tests.api.operations import mutate
from tests.api.world import gid, make_world, nothing_changes
from tests.client import Client
from tests.conftest import AsUser
from tests.factories import LONG_AGO, make_participant, make_ticket
from tests.server.exports.conftest import Fetch, Work, kept, state

pytestmark = pytest.mark.anyio


async def ask(client: Client, **given: Any) -> Any:
    return await mutate(client, "ticketsExport", "job { id }", **{"filter": {}, **given})


async def table(client: Client, work: Work, fetch: Fetch, **given: Any) -> list[dict[str, str]]:
    job = (await ask(client, **given))["job"]["id"]
    assert await work()
    answer = await fetch(client, job)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


async def test_a_table_has_a_row_for_each_ticket_that_the_filter_means(
    as_user: AsUser, work: Work, fetch: Fetch
) -> None:  # S72, S34
    world = await make_world()
    await make_ticket(
        world.acme,
        world["member"],
        subject="Done",
        status=TicketStatus.CLOSED,
        closed_at=LONG_AGO,
        assignee=world["agent"],
    )

    everything = await table(as_user(world["owner"]), work, fetch)
    active = await table(as_user(world["agent"]), work, fetch, filter={"isActive": True})

    assert [row["subject"] for row in everything] == ["The camera stays black", "Done"]
    assert [row["subject"] for row in active] == ["The camera stays black"]
    assert {
        name: everything[0][name] for name in ("reference", "displayStatus", "organization", "requester", "space")
    } == {
        "reference": world.ticket.reference,
        "displayStatus": "ESCALATED",
        "organization": "Acme",
        "requester": "author",
        "space": "Rome",
    }
    assert (everything[0]["usernames"], everything[0]["isEscalated"]) == ("author; helper", "true")  # S09
    assert (everything[1]["assignee"], everything[1]["closedAt"]) == ("agent", "2026-01-05T08:00:00.000000Z")  # S40


async def test_no_row_is_of_a_ticket_that_one_may_not_see_or_does_not_manage(
    as_user: AsUser, work: Work, fetch: Fetch
) -> None:  # S07, S02, J4
    world = await make_world()
    await make_ticket(world.acme, world["author"], subject="Mine alone", confidentiality=Confidentiality.AUTHOR_ONLY)
    await models.Organization.filter(id=world.acme.id).update(history_starts_at=LONG_AGO)  # S12
    await make_ticket(world.acme, world["owner"], subject="Before", created_at=LONG_AGO - timedelta(microseconds=1))
    theirs = await make_ticket(world.other, None, subject="Elsewhere")
    await models.Membership.create(
        organization=world.other, user=world["owner"], role=OrganizationRole.MEMBER, joined_at=LONG_AGO
    )
    await make_participant(theirs, world["owner"])

    seen = {
        name: {row["subject"] for row in await table(as_user(world[name]), work, fetch)}
        for name in ("owner", "stranger", "agent")
    }

    black = "The camera stays black"
    assert seen == {
        "owner": {black},
        "stranger": {"Elsewhere"},
        "agent": {black, "Mine alone", "Before", "Elsewhere"},
    }


async def test_a_table_is_handed_out_only_while_every_row_of_it_may_be_seen(
    as_user: AsUser, work: Work, fetch: Fetch, tmp_path: Path
) -> None:  # S07, J3, J4
    world = await make_world()
    owner = as_user(world["owner"])
    jobs = [(await ask(owner))["job"]["id"] for _ in range(2)]
    for _ in jobs:
        assert await work()
    assert [(await fetch(owner, job)).status_code for job in jobs] == [200, 200]
    assert len(kept(tmp_path)) == 4

    await models.Ticket.filter(id=world.ticket.id).update(confidentiality=Confidentiality.AUTHOR_ONLY)
    assert [(await fetch(owner, job)).status_code for job in jobs] == [404, 404]
    await models.Ticket.filter(id=world.ticket.id).update(confidentiality=Confidentiality.ORGANIZATION)
    assert (await fetch(owner, jobs[0])).status_code == 200
    await models.Membership.filter(user=world["owner"]).update(role=OrganizationRole.MEMBER)
    assert (await fetch(owner, jobs[0])).status_code == 404


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "＝"])
async def test_no_cell_begins_like_a_formula(as_user: AsUser, work: Work, fetch: Fetch, begin: str) -> None:
    world = await make_world()
    evil = f'{begin}HYPERLINK("https://evil.example","click"),\r\n"quoted"'
    await models.Ticket.filter(id=world.ticket.id).update(subject=evil)
    await models.User.filter(id=world["author"].id).update(display_name="=1+1")

    (row,) = await table(as_user(world["owner"]), work, fetch)

    assert (row["subject"], row["requester"]) == (f"'{evil}", "'=1+1")
    assert (cell("a=b"), cell(""), cell("-")) == ("a=b", "", "'-")


async def test_a_table_of_more_than_a_page_has_every_ticket_once(as_user: AsUser, work: Work, fetch: Fetch) -> None:
    world = await make_world()
    template = await models.Ticket.get(id=world.ticket.id)
    rows = []
    for number in range(450):
        copy = await make_ticket(world.acme, world["author"]) if number == 0 else None
        if copy is not None:
            template = copy
            continue
        row = template.clone(pk=UUID(int=number + 1))
        row.number, row.reference = 900_000 + number, f"T-{900_000 + number}"
        rows.append(row)
    await models.Ticket.bulk_create(rows)

    found = await table(as_user(world["owner"]), work, fetch)

    assert len(found) == 451
    assert len({row["reference"] for row in found}) == 451


async def test_filters_and_formats_that_cannot_be_used_are_refused(as_user: AsUser) -> None:
    world = await make_world()
    owner = as_user(world["owner"])
    deep: Any = {"isActive": True}
    for _ in range(7):
        deep = {"and": [deep]}

    for given, code in (
        ({"format": "PDF"}, "INVALID"),
        ({"filter": deep}, "INVALID"),
        ({"filter": {"organizationIds": ["nonsense"]}}, "INVALID"),
        ({"filter": {"organizationIds": [gid(world.acme)] * 101}}, "INVALID"),
    ):
        async with nothing_changes():
            refused = await ask(owner, **given)
        assert (refused["job"], refused["errors"][0]["code"]) == (None, code), given


async def test_a_table_of_too_many_tickets_fails_and_says_what_to_do(
    as_user: AsUser, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await make_world()
    monkeypatch.setattr("resolvers.tickets_export.MOST_TICKETS", 0)
    job = (await ask(as_user(world["owner"])))["job"]["id"]

    assert await work()

    found = await state(as_user(world["owner"]), job)
    assert found["status"] == "FAILED"
    (failure,) = found["failed"]
    assert (failure["objectId"], failure["error"]["code"]) == (job, "INVALID")
    assert "Narrow the filter" in failure["error"]["message"]
