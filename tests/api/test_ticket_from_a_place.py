"""Opening a ticket from a room or desk: its devices, its plan, and its own tickets (S27, S28, S37, S39, S92)."""

from datetime import date
from typing import Any

import pytest

import models
from domain.enums import Confidentiality, ServiceLevel, TicketPriority
from tests.api.operations import create, refusal
from tests.api.world import codes, gid, nothing_changes
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import LONG_AGO, make_member, make_organization, make_request_type, make_ticket

pytestmark = pytest.mark.anyio

PLACE = """query($r: ID!) { room(id: $r) { serviceLevel coverage { level benefits responseTarget channels }
  devices(first: 10) { nodes { name serialNumber } } } }"""
BY_NUMBER = """query($o: ID!, $n: String!) { deviceBySerialNumber(organizationId: $o, serialNumber: $n) {
  id space { name } } }"""
LISTS = """query($r: ID!, $d: ID!, $filter: TicketFilter, $order: TicketOrder) {
  room(id: $r) { tickets(filter: $filter, orderBy: $order) { totalCount nodes { subject } } }
  device(id: $d) { tickets(filter: $filter, orderBy: $order) { totalCount nodes { subject } } } }"""


@pytest.fixture
async def acme(db: str) -> models.Organization:
    await make_request_type()
    return await make_organization("Acme")


@pytest.fixture
async def ann(acme: models.Organization) -> models.User:
    return await make_member(acme, name="Ann")


async def make_place(
    of: models.Organization, name: str, *numbers: str, kind: models.SpaceKind = models.SpaceKind.ROOM
) -> tuple[models.Space, list[models.Device]]:
    product, _ = await models.Product.get_or_create(name="Bar")
    space = await models.Space.create(organization=of, kind=kind, name=name)
    devices = [
        await models.Device.create(
            organization=of, product=product, space=space, name=f"Bar {number}", serial_number=number
        )
        for number in numbers
    ]
    return space, devices


async def test_from_a_room_one_of_its_devices_is_found_by_the_number_on_it(
    as_user: AsUser, acme: models.Organization, ann: models.User, clock: Clock
) -> None:
    """S27, S92: with the plan that covers the room, which the ticket keeps."""
    client, (room, (first, _)) = as_user(ann), await make_place(acme, "Rome", "SN-1", "SN-2")
    await models.ServiceLicense.create(
        organization=acme, space=room, level=ServiceLevel.ESSENTIAL, created_at=LONG_AGO,
        starts_at=date(2026, 1, 1), ends_at=date(2026, 3, 2),
    )  # fmt: skip

    shown = (await client.ask(PLACE, r=gid(room)))["room"]
    found = (await client.ask(BY_NUMBER, o=gid(acme), n=" sn-1 "))["deviceBySerialNumber"]
    made = await create(client, acme, spaceId=gid(room), deviceIds=[found["id"]])
    clock.advance(days=1)
    late = await create(client, acme, spaceId=gid(room), deviceIds=[found["id"]])

    assert shown["devices"]["nodes"] == [
        {"name": "Bar SN-1", "serialNumber": "SN-1"},
        {"name": "Bar SN-2", "serialNumber": "SN-2"},
    ]
    assert shown["coverage"] == {
        "level": "ESSENTIAL",
        "benefits": ["Support in writing, by chat and by phone", "First answer within 8 hours"],
        "responseTarget": "PT8H",
        "channels": ["PORTAL", "EMAIL", "CHAT", "PHONE"],
    }
    assert found == {"id": gid(first), "space": {"name": "Rome"}}
    levels = [(await models.Ticket.get(reference=each["ticket"]["reference"])).service_level for each in (made, late)]
    assert levels == [ServiceLevel.ESSENTIAL, ServiceLevel.BASIC]
    assert (await client.ask(PLACE, r=gid(room)))["room"]["coverage"]["level"] == "BASIC"


async def test_a_device_must_be_the_organizations_and_in_the_room(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:
    """S27, S28: a room is no must, and neither is a device."""
    other = await make_organization("Other")
    here, (in_here,) = await make_place(acme, "Here", "1")
    there, (in_there,) = await make_place(acme, "There", "2")
    theirs, (in_theirs,) = await make_place(other, "Theirs", "3")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"spaceId": gid(theirs)}, "spaceId"),
        ({"deviceIds": [gid(in_theirs)]}, "deviceIds"),
        ({"spaceId": gid(here), "deviceIds": [gid(in_there)]}, "deviceIds"),
        ({"spaceId": gid(here), "deviceIds": [gid(in_here), gid(in_there)]}, "deviceIds"),
    ]
    right: list[dict[str, Any]] = [
        {},
        {"spaceId": gid(there)},
        {"deviceIds": [gid(in_there), gid(in_here)]},
        {"spaceId": gid(here), "deviceIds": [gid(in_here)]},
    ]

    async with nothing_changes():
        found = [refusal(await create(as_user(ann), acme, **given)) for given, _ in wrong]

    assert found == [("NOT_FOUND", ["input", field]) for _, field in wrong]
    assert [(await create(as_user(ann), acme, **given))["errors"] for given in right] == [[], [], [], []]


async def test_from_a_desk_it_goes_the_same_way(as_user: AsUser, acme: models.Organization, ann: models.User) -> None:
    """S27, S28: the devices of the desk, one of them by its number, and the ticket that tells of both."""
    client, (desk, (first, _)) = as_user(ann), await make_place(acme, "Front", "D-1", "D-2", kind=models.SpaceKind.DESK)
    ask = "query($d: ID!) { desk(id: $d) { devices { nodes { serialNumber } } } room(id: $d) { id } }"
    told = "query($t: ID!) { ticket(id: $t) { space { __typename name } devices { nodes { serialNumber } } } }"

    shown, _ = await client.answer(ask, d=gid(desk))
    found = (await client.ask(BY_NUMBER, o=gid(acme), n="d-1"))["deviceBySerialNumber"]
    made = await create(client, acme, spaceId=gid(desk), deviceIds=[found["id"]])

    assert shown["desk"] == {"devices": {"nodes": [{"serialNumber": "D-1"}, {"serialNumber": "D-2"}]}}
    assert shown["room"] is None
    assert found == {"id": gid(first), "space": {"name": "Front"}}
    assert (await client.ask(told, t=made["ticket"]["id"]))["ticket"] == {
        "space": {"__typename": "Desk", "name": "Front"},
        "devices": {"nodes": [{"serialNumber": "D-1"}]},
    }


async def test_a_serial_number_of_another_organization_is_not_found(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:  # S27
    other = await make_organization("Other")
    await make_place(other, "Theirs", "3")

    assert await as_user(ann).ask(BY_NUMBER, o=gid(acme), n="3") == {"deviceBySerialNumber": None}
    _, errors = await as_user(ann).answer(BY_NUMBER, o=gid(other), n="3")
    assert codes(errors) == ["NOT_FOUND"]


async def test_the_tickets_of_a_room_and_of_a_device_are_narrowed_and_ordered(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:
    """S37, S39: and what one may not see is not among them, nor counted (S07)."""
    ben = await make_member(acme)
    room, (device, other_device) = await make_place(acme, "Rome", "1", "2")
    desk, _ = await make_place(acme, "Desk")
    tickets = [
        await make_ticket(acme, ann, space=room, subject="B", priority=TicketPriority.URGENT),
        await make_ticket(acme, ben, space=room, subject="A"),
        await make_ticket(acme, ben, space=room, subject="Secret", confidentiality=Confidentiality.AUTHOR_ONLY),
        await make_ticket(acme, ann, space=desk, subject="Elsewhere", priority=TicketPriority.URGENT),
    ]
    for ticket in tickets[:3]:
        await ticket.devices.add(device)
    await tickets[3].devices.add(other_device)

    async def both(**given: Any) -> tuple[list[str], list[str]]:
        found = await as_user(ann).ask(LISTS, r=gid(room), d=gid(device), **given)
        lists = [found[place]["tickets"] for place in ("room", "device")]
        assert [each["totalCount"] for each in lists] == [len(each["nodes"]) for each in lists]
        room_list, device_list = ([node["subject"] for node in each["nodes"]] for each in lists)
        return room_list, device_list

    oldest_first = {"field": "REFERENCE", "direction": "ASC"}
    assert await both() == (["A", "B"], ["A", "B"])
    assert await both(order=oldest_first) == (["B", "A"], ["B", "A"])
    assert await both(filter={"priorities": ["URGENT"]}) == (["B"], ["B"])
    assert await both(filter={"not": {"priorities": ["URGENT"]}}) == (["A"], ["A"])
    assert await both(filter={"priorities": []}) == ([], [])
    assert await both(filter={"deviceIds": [gid(other_device)]}) == ([], [])
    _, errors = await as_user(ann).answer(LISTS, r=gid(room), d=gid(device), filter={"productIds": ["garbage"]})
    assert set(codes(errors)) == {"INVALID"}
