"""S36: what a list is ordered by follows the rows it comes from, and pages stay right while they change."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

import models
from domain.enums import ServiceLevel, TicketPriority, TicketStatus
from tests.api.world import gid, make_world
from tests.client import Client
from tests.conftest import AsUser
from tests.databases import fresh_postgres
from tests.factories import LONG_AGO, make_member, make_organization, make_request_type, make_staff, make_ticket

pytestmark = pytest.mark.anyio

PAGE = """query($orderBy: TicketOrder, $first: Int, $after: Cursor, $last: Int, $before: Cursor) {
  tickets(scope: ALL, filter: null, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    nodes { reference } pageInfo { endCursor startCursor hasNextPage hasPreviousPage } } }"""


class Desk:
    def __init__(self, reader: Client) -> None:
        self.reader = reader

    async def page(self, field: str, direction: str = "ASC", **given: Any) -> Any:
        return (await self.reader.ask(PAGE, orderBy={"field": field, "direction": direction}, **given))["tickets"]

    async def references(self, field: str, direction: str = "ASC", **given: Any) -> list[str]:
        return [each["reference"] for each in (await self.page(field, direction, **given))["nodes"]]


@pytest.fixture
async def desk(as_user: AsUser) -> Desk:
    return Desk(as_user(await make_staff(name="Sam")))


async def test_a_renamed_person_is_found_under_the_new_name(desk: Desk) -> None:  # S36
    acme = await make_organization()
    ann, bob = await make_member(acme, name="Ann"), await make_member(acme, name="Bob")
    of_ann = (await make_ticket(acme, ann)).reference
    of_bob = (await make_ticket(acme, bob)).reference
    nobodys = (await make_ticket(acme, None)).reference
    assert await desk.references("REQUESTER_NAME") == [nobodys, of_ann, of_bob]

    ann.display_name = "Zoe"
    await ann.save()

    assert await desk.references("REQUESTER_NAME") == [nobodys, of_bob, of_ann]


async def test_a_ticket_that_changes_hands_moves_in_the_order_of_names(desk: Desk) -> None:  # S36
    acme = await make_organization()
    ann, bob = await make_member(acme, name="Ann"), await make_member(acme, name="Bob")
    first, second = await make_ticket(acme, ann), await make_ticket(acme, bob)
    third = await make_ticket(acme, await make_member(acme, name="Cid"))

    first.requester_id = None
    await first.save()
    await bob.delete()

    assert await desk.references("REQUESTER_NAME") == [first.reference, second.reference, third.reference]
    second = await models.Ticket.get(id=second.id)
    second.requester_id = ann.id
    third.requester_id = None
    await second.save()
    await third.save()
    assert await desk.references("REQUESTER_NAME") == [first.reference, third.reference, second.reference]


async def test_a_renamed_issue_type_and_a_changed_status_or_priority_move_a_ticket(desk: Desk) -> None:  # S36
    acme, kind = await make_organization(), await make_request_type()
    sound, net = [await models.IssueType.create(request_type=kind, name=name) for name in ("Sound", "Net")]
    one = await make_ticket(acme, None, issue_type=sound, priority=TicketPriority.LOW, status=TicketStatus.NEW)
    two = await make_ticket(acme, None, issue_type=net, priority=TicketPriority.HIGH, status=TicketStatus.OPEN)
    assert await desk.references("ISSUE_TYPE") == [two.reference, one.reference]
    assert await desk.references("PRIORITY", "DESC") == [two.reference, one.reference]
    assert await desk.references("STATUS") == [one.reference, two.reference]

    sound.name = "Acoustics"
    await sound.save()
    one.priority, one.status, one.closed_at = TicketPriority.URGENT, TicketStatus.CLOSED, LONG_AGO
    await one.save()

    assert await desk.references("ISSUE_TYPE") == [one.reference, two.reference]
    assert await desk.references("PRIORITY", "DESC") == [one.reference, two.reference]
    assert await desk.references("STATUS") == [two.reference, one.reference]


async def test_rows_that_come_in_between_two_pages_repeat_and_hide_nothing(desk: Desk) -> None:
    """J5, S36: forwards and backwards, in front of and behind the place where the reader stands, among equal ranks."""
    acme = await make_organization()
    made = [(await make_ticket(acme, None, priority=TicketPriority.NORMAL)).reference for _ in range(4)]
    first = await desk.page("PRIORITY", "DESC", first=2)

    in_front = await make_ticket(acme, None, priority=TicketPriority.URGENT)
    newer = await make_ticket(acme, None, priority=TicketPriority.NORMAL)
    behind = await make_ticket(acme, None, priority=TicketPriority.LOW)
    rest = await desk.references("PRIORITY", "DESC", first=10, after=first["pageInfo"]["endCursor"])
    back = await desk.references("PRIORITY", "DESC", last=10, before=first["pageInfo"]["startCursor"])

    assert [each["reference"] for each in first["nodes"]] == made[:1:-1]
    assert rest == [made[1], made[0], behind.reference]
    assert back == [in_front.reference, newer.reference]


@pytest.mark.parametrize("field", ["STATUS", "PRIORITY", "SERVICE_LEVEL", "ISSUE_TYPE", "REQUESTER_NAME"])
async def test_the_pages_put_together_are_the_whole_list(desk: Desk, field: str) -> None:  # J5, S36
    acme, kind = await make_organization(), await make_request_type()
    people = [await make_member(acme, name=name) for name in ("Ann", "Bob")]
    trouble = await models.IssueType.create(request_type=kind, name="Sound")
    for n in range(9):
        await make_ticket(
            acme,
            people[n % 2] if n % 3 else None,
            status=[TicketStatus.NEW, TicketStatus.OPEN][n % 2],
            priority=[TicketPriority.LOW, TicketPriority.URGENT][n % 2],
            service_level=[ServiceLevel.SELECT, ServiceLevel.BASIC][n % 2],
            issue_type=trouble if n % 2 else None,
        )
    whole = await desk.references(field, first=50)

    forwards: list[str] = []
    page = await desk.page(field, first=2)
    forwards += [each["reference"] for each in page["nodes"]]
    while page["pageInfo"]["hasNextPage"]:
        page = await desk.page(field, first=2, after=page["pageInfo"]["endCursor"])
        forwards += [each["reference"] for each in page["nodes"]]
    backwards: list[str] = []
    page = await desk.page(field, last=2)
    backwards = [each["reference"] for each in page["nodes"]]
    while page["pageInfo"]["hasPreviousPage"]:
        page = await desk.page(field, last=2, before=page["pageInfo"]["startCursor"])
        backwards = [each["reference"] for each in page["nodes"]] + backwards

    assert len(set(whole)) == 9
    assert forwards == backwards == whole


async def test_a_ticket_keeps_the_service_level_that_its_room_had_when_it_was_opened(as_user: AsUser) -> None:
    """S36, S92: also after the plan has ended."""
    world = await make_world()
    create = """mutation($input: TicketCreateInput!) { ticketCreate(input: $input) {
      ticket { reference } errors { code } } }"""
    given = {"organizationId": gid(world.acme), "requestTypeKey": "TECHNICAL", "subject": "x", "description": "y"}
    made = [
        (await as_user(world["owner"]).ask(create, input={**given, **more}))["ticketCreate"]
        for more in ({"spaceId": gid(world.space)}, {})
    ]
    await (await models.ServiceLicense.get()).delete()

    listed = """query($levels: [ServiceLevel!]) {
      tickets(scope: MINE, filter: {serviceLevels: $levels}) { nodes { reference } } }"""
    found = [
        [each["reference"] for each in (await as_user(world["owner"]).ask(listed, levels=[level]))["tickets"]["nodes"]]
        for level in ("SELECT", "BASIC", "ESSENTIAL")
    ]

    assert [each["errors"] for each in made] == [[], []]
    assert found == [[made[0]["ticket"]["reference"]], [made[1]["ticket"]["reference"]], []]


@pytest.fixture
async def two_connections() -> AsyncIterator[tuple[asyncpg.Connection, asyncpg.Connection]]:
    async with fresh_postgres() as url:
        connections = [await asyncpg.connect(url) for _ in range(2)]
        yield connections[0], connections[1]
        for each in connections:
            await each.close()


PLACE = """INSERT INTO organization (id, name, domains, member_visibility, lifecycle_preset, history_availability,
  created_at) VALUES ($1, 'Acme', '[]', 'OPEN', 'WEEK', 'AVAILABLE', now())"""
PERSON = """INSERT INTO app_user (id, email, username, display_name, is_active, created_at)
  VALUES ($1, 'a@x.example', 'a', 'Ann', true, now())"""
OPENED = """INSERT INTO ticket (id, number, reference, version, subject, description, channel, status, priority,
  severity, confidentiality, is_escalated, locked, created_at, updated_at, last_activity_at, status_changed_at,
  last_sequence, last_public_sequence, is_imported, organization_id, requester_id)
  VALUES ($1, 1, 'T-1', 1, 'x', 'x', 'CHAT', 'OPEN', 'LOW', 'UNKNOWN', 'ORGANIZATION', false, false, now(), now(),
  now(), now(), 0, 0, false, $2, $3)"""
ACME, ANN, TICKET = (f"019a0000-0000-7000-8000-00000000000{n}" for n in (1, 2, 3))


@pytest.mark.postgres
async def test_a_ticket_opened_while_its_requester_is_renamed_gets_the_new_name(
    two_connections: tuple[asyncpg.Connection, asyncpg.Connection],
) -> None:
    """S36: whichever of the two commits first."""
    renaming, opening = two_connections
    await opening.execute(PLACE, ACME)
    await opening.execute(PERSON, ANN)

    async with renaming.transaction():
        await renaming.execute("UPDATE app_user SET display_name = 'Zoe'")
        waiting = asyncio.create_task(opening.execute(OPENED, TICKET, ACME, ANN))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done, "it has to wait for the name"
    async with asyncio.timeout(5):
        await waiting

    assert await opening.fetchval("SELECT sort_requester FROM ticket") == "zoe"
