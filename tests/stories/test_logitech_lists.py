"""Logitech Sync, the lists page: columns, open and closed, narrowed by room, desk and device, searched by subject,
reference and escalation reference (S09, S34-S39, S43).
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

import models
from domain.enums import OrganizationRole, ServiceLevel, TicketChannel, TicketPriority, TicketStatus
from tests.api.world import gid
from tests.databases import fresh_sqlite
from tests.factories import (
    LONG_AGO,
    make_escalation,
    make_member,
    make_organization,
    make_staff,
    make_ticket,
)
from tests.server.running import ask, http, serving, settings_for

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

COLUMNS = """query($o: ID!, $filter: TicketFilter, $orderBy: TicketOrder, $first: Int, $after: Cursor) {
  tickets(scope: ORGANIZATION, organizationId: $o, filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    totalCount nodes {
      reference associatedUsernames subject createdAt lastActivityAt channel displayStatus requester { displayName } }
    pageInfo { hasNextPage endCursor } } }"""
DEFAULT = "query($o: ID!) { tickets(scope: ORGANIZATION, organizationId: $o) { nodes { reference } } }"
SEARCH = """query($text: String!) { search(text: $text, kinds: [TICKET, ESCALATION]) {
  totalCount nodes { kind score node { ... on Ticket { reference } ... on Escalation { reference } } highlights } } }"""
PLACE = """query($room: ID!, $serial: String!, $o: ID!) {
  room(id: $room) { name tickets { nodes { reference } } }
  deviceBySerialNumber(organizationId: $o, serialNumber: $serial) { id name } }"""


class Page:
    """The page as its owner has it open."""

    def __init__(self, client: httpx2.AsyncClient, acme: models.Organization, rows: dict[str, Any]) -> None:
        self.client, self.acme, self.rows = client, acme, rows

    async def shows(self, **given: Any) -> list[str]:
        found = (await ask(self.client, COLUMNS, o=gid(self.acme), **given))["tickets"]
        assert found["totalCount"] >= len(found["nodes"])
        return [self.name_of(each["reference"]) for each in found["nodes"]]

    def name_of(self, reference: str) -> str:
        return next(name for name, row in self.rows.items() if getattr(row, "reference", None) == reference)


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    url = await fresh_sqlite(tmp_path)
    async with serving(settings_for(url, tmp_path)) as served:
        acme = await make_organization("Acme")
        owner, bea = await make_member(acme, OrganizationRole.OWNER, "Ann"), await make_member(acme, name="Bea")
        rows = await fill(acme, owner, bea)
        async with http(served.address, served.token(owner)) as client:
            yield Page(client, acme, rows)


async def fill(acme: models.Organization, ann: models.User, bea: models.User) -> dict[str, Any]:
    camera = await models.Product.create(name="Camera")
    room, desk = [await models.Space.create(organization=acme, kind=kind, name=kind.value) for kind in models.SpaceKind]
    device = await models.Device.create(
        organization=acme, product=camera, space=room, name="Front camera", serial_number="SN-77"
    )
    at = {"resolved_at": LONG_AGO, "closed_at": LONG_AGO}
    rows: dict[str, Any] = {
        "black": await make_ticket(acme, bea, subject="Caméra noire", space=room, priority=TicketPriority.HIGH),
        "hum": await make_ticket(acme, ann, subject="Speaker hums", space=desk, channel=TicketChannel.EMAIL,
                                 service_level=ServiceLevel.SELECT, created_at=LONG_AGO + timedelta(hours=1)),
        "done": await make_ticket(acme, bea, subject="Firmware", status=TicketStatus.CLOSED, space=room, **at,
                                  created_at=LONG_AGO + timedelta(hours=2)),
        "claim": await make_ticket(acme, bea, subject="Bonus", confidentiality="AUTHOR_ONLY"),
    }  # fmt: skip
    await rows["black"].devices.add(device)
    rows["raised"] = await make_escalation(rows["hum"], issue_description="The hub overheats", submitted_by=None)
    rows["hum"].is_escalated = True
    await rows["hum"].save()
    await make_staff()
    return {**rows, "room": room, "desk": desk, "device": device}


async def test_the_columns_of_the_list(page: Page) -> None:  # S09, S34, S43
    found = (await ask(page.client, COLUMNS, o=gid(page.acme), filter={"isActive": True}))["tickets"]

    assert found["totalCount"] == 2
    assert found["nodes"][0] == {
        "reference": page.rows["hum"].reference,
        "associatedUsernames": ["ann"],
        "subject": "Speaker hums",
        "createdAt": "2026-01-05T09:00:00.000000Z",
        "lastActivityAt": "2026-01-05T09:00:00.000000Z",
        "channel": "EMAIL",
        "displayStatus": "ESCALATED",
        "requester": {"displayName": "Ann"},
    }


async def test_open_ones_are_shown_first_closed_ones_when_asked_for_and_each_column_sorts(page: Page) -> None:
    """S35, S36; S07: nobody but its author is shown the claim."""
    default = (await ask(page.client, DEFAULT, o=gid(page.acme)))["tickets"]["nodes"]

    assert [page.name_of(each["reference"]) for each in default] == ["hum", "black"]
    assert await page.shows(filter={"isActive": False}) == ["done"]
    assert await page.shows(filter={}, first=2) == ["done", "hum"]
    for field, wanted in (
        ("CREATED_AT", ["black", "hum", "done"]),
        ("REFERENCE", ["black", "hum", "done"]),
        ("STATUS", ["black", "hum", "done"]),
        ("REQUESTER_NAME", ["hum", "black", "done"]),
        ("SERVICE_LEVEL", ["black", "done", "hum"]),
        ("PRIORITY", ["hum", "done", "black"]),
    ):
        assert await page.shows(filter={}, orderBy={"field": field, "direction": "ASC"}) == wanted, field


async def test_the_list_of_one_room_desk_or_device(page: Page) -> None:  # S37, S39
    room, desk, device = (gid(page.rows[name]) for name in ("room", "desk", "device"))

    assert await page.shows(filter={"roomIds": [room]}) == ["done", "black"]
    assert await page.shows(filter={"deskIds": [desk]}) == ["hum"]
    assert await page.shows(filter={"deviceIds": [device]}) == ["black"]
    found = await ask(page.client, PLACE, room=room, serial="sn-77", o=gid(page.acme))
    assert found["deviceBySerialNumber"] == {"id": device, "name": "Front camera"}
    assert [page.name_of(each["reference"]) for each in found["room"]["tickets"]["nodes"]] == ["done", "black"]


async def test_search_by_subject_by_reference_and_by_escalation_reference(page: Page) -> None:  # S38
    hum, raised = page.rows["hum"], page.rows["raised"]
    number = raised.reference.partition("-")[2]

    assert await page.shows(filter={"text": "camera noire"}) == ["black"]
    assert await page.shows(filter={"text": hum.reference}) == ["hum"]
    assert await page.shows(filter={"text": raised.reference}) == ["hum"]
    assert await page.shows(filter={"text": "overheats"}) == ["hum"]
    assert await page.shows(filter={"text": "bonus"}) == []
    by_reference = (await ask(page.client, SEARCH, text=raised.reference.lower()))["search"]
    assert by_reference == {
        "totalCount": 1,
        "nodes": [
            {
                "kind": "ESCALATION",
                "score": 1.0,
                "node": {"reference": raised.reference},
                "highlights": [f"<mark>CP</mark>-<mark>{number}</mark>"],
            }
        ],
    }
    assert (await ask(page.client, SEARCH, text="bonus"))["search"]["totalCount"] == 0
