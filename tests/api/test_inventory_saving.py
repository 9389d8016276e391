"""Rooms, desks, groups and devices entered by whoever manages them, and licences assigned (S27, S37, S90, S91, S93)."""

import asyncio
from contextvars import copy_context
from datetime import timedelta
from typing import Any

import pytest

import models
from domain.enums import Confidentiality, OrganizationRole, ServiceLevel, StaffRole, TicketStatus
from models import Device, Organization, Product, ServiceLicense, Space, SpaceGroup, SpaceKind
from resolvers import placing
from tests.api.bad_input import NEVER
from tests.api.operations import create, mutate, refusal
from tests.api.test_live_lists import TICKETS, begun, told
from tests.api.world import gid, nothing_changes
from tests.client import Client
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import make_member, make_organization, make_request_type, make_staff, make_ticket

pytestmark = pytest.mark.anyio

PLACE = "id name group { name } "
DEVICE = "device { id name serialNumber firmwareVersion space { name } product { name } }"


class Acme:
    """An organization with a manager, who asks; and another one."""

    def __init__(self, as_user: AsUser, row: Organization, other: Organization, manager: Client) -> None:
        self.as_user, self.row, self.other, self.manager = as_user, row, other, manager

    async def room(self, name: str = "Rome", **given: Any) -> Any:
        values = {"organizationId": gid(self.row), "name": name, **given}
        return await mutate(self.manager, "roomSave", f"room {{ {PLACE} capacity }}", **values)

    async def desk(self, name: str = "Desk 1", **given: Any) -> Any:
        values = {"organizationId": gid(self.row), "name": name, **given}
        return await mutate(self.manager, "deskSave", f"desk {{ {PLACE} }}", **values)

    async def group(self, name: str, **given: Any) -> Any:
        values = {"organizationId": gid(self.row), "name": name, **given}
        return await mutate(self.manager, "spaceGroupSave", "group { id name parent { name } }", **values)

    async def device(self, product: Product, number: str, **given: Any) -> Any:
        values = {"organizationId": gid(self.row), "productId": gid(product), "serialNumber": number, **given}
        return await mutate(self.manager, "deviceSave", DEVICE, **values)


@pytest.fixture
async def acme(as_user: AsUser) -> Acme:
    row, other = await make_organization("Acme"), await make_organization("Other")
    manager = await make_member(row, OrganizationRole.SUPPORT_REQUEST_ADMIN, "Manager")
    return Acme(as_user, row, other, as_user(manager))


async def test_a_customer_enters_what_it_has_and_opens_a_ticket_there(acme: Acme) -> None:  # S27, S93
    await make_request_type()
    product = await Product.create(name="Camera")
    floor = (await acme.group("Ground floor"))["group"]
    room = (await acme.room("Rome", groupId=floor["id"], capacity=8))["room"]
    await acme.desk("Desk 1", groupId=floor["id"])
    device = (await acme.device(product, "sn-1", spaceId=room["id"]))["device"]

    ticket = await create(acme.manager, acme.row, spaceId=room["id"], deviceIds=[device["id"]])

    assert room == {"id": room["id"], "name": "Rome", "group": {"name": "Ground floor"}, "capacity": 8}
    assert device == {
        "id": device["id"],
        "name": "Camera",
        "serialNumber": "SN-1",
        "firmwareVersion": None,
        "space": {"name": "Rome"},
        "product": {"name": "Camera"},
    }
    assert ticket["errors"] == []
    found = await acme.manager.ask(
        """query($o: ID!) { organization(id: $o) { groups { name spaces { nodes { __typename name } } } }
          deviceBySerialNumber(organizationId: $o, serialNumber: "Sn-1") { tickets { totalCount } } }""",
        o=gid(acme.row),
    )
    assert found["organization"]["groups"] == [
        {
            "name": "Ground floor",
            "spaces": {"nodes": [{"__typename": "Desk", "name": "Desk 1"}, {"__typename": "Room", "name": "Rome"}]},
        }
    ]
    assert found["deviceBySerialNumber"] == {"tickets": {"totalCount": 1}}


async def test_what_is_left_out_stays_and_null_takes_it_away(acme: Acme) -> None:
    product, other = await Product.create(name="Camera"), await Product.create(name="Bar")
    group = (await acme.group("Floor"))["group"]
    room = (await acme.room("Rome", groupId=group["id"], capacity=8))["room"]
    device = (await acme.device(product, "SN-1", spaceId=room["id"], name="Left", firmwareVersion="1.2"))["device"]

    renamed = await acme.room("Milan", roomId=room["id"])
    emptied = await acme.room("Milan", roomId=room["id"], groupId=None, capacity=None)
    changed = await acme.device(other, "SN-2", deviceId=device["id"])
    nowhere = await acme.device(other, "SN-2", deviceId=device["id"], spaceId=None, firmwareVersion=None)

    assert renamed["room"] == {**room, "name": "Milan"}
    assert emptied["room"] == {**room, "name": "Milan", "group": None, "capacity": None}
    assert changed["device"] == {
        "id": device["id"],
        "name": "Left",
        "serialNumber": "SN-2",
        "firmwareVersion": "1.2",
        "space": {"name": "Milan"},
        "product": {"name": "Bar"},
    }
    assert nowhere["device"] == {**changed["device"], "space": None, "firmwareVersion": None}
    assert (await Space.all().count(), await Device.all().count()) == (1, 1)


async def test_groups_stand_in_groups_and_never_in_themselves(acme: Acme) -> None:  # S93
    site = (await acme.group("Site"))["group"]["id"]
    floor = (await acme.group("Floor", parentId=site))["group"]
    assert floor["parent"] == {"name": "Site"}

    async with nothing_changes():
        for inside in (site, floor["id"]):
            answer = await acme.group("Site", groupId=site, parentId=inside)
            assert refusal(answer) == ("INVALID", ["input", "parentId"])

    moved = await acme.group("Floor", groupId=floor["id"], parentId=None)
    assert moved["group"]["parent"] is None


async def test_a_group_takes_those_inside_of_it_along_as_deep_as_groups_go(acme: Acme) -> None:  # S93
    deep = [(await acme.group("1"))["group"]["id"]]
    for name in "2345678":
        deep.append((await acme.group(name, parentId=deep[-1]))["group"]["id"])
    site = (await acme.group("Site"))["group"]["id"]
    house = (await acme.group("House", parentId=site))["group"]["id"]
    floor = (await acme.group("Floor", parentId=house))["group"]["id"]

    async with nothing_changes():
        too_deep = await acme.group("Site", groupId=site, parentId=deep[-1])
        so_is_this = await acme.group("1", groupId=deep[0], parentId=floor)
    moved = await acme.group("House", groupId=house, parentId=deep[-1])

    assert [refusal(each) for each in (too_deep, so_is_this)] == [("INVALID", ["input", "parentId"])] * 2
    assert moved["group"]["parent"] == {"name": "8"}


@pytest.mark.postgres
async def test_two_groups_moved_into_each_other_at_once_do_not_form_a_ring(acme: Acme) -> None:  # S93
    one, two = [(await acme.group(name))["group"]["id"] for name in ("One", "Two")]

    answers = await asyncio.gather(
        acme.group("One", groupId=one, parentId=two), acme.group("Two", groupId=two, parentId=one)
    )

    assert sorted(len(each["errors"]) for each in answers) == [0, 1]
    assert await SpaceGroup.filter(parent_id=None).count() == 1


async def test_what_cannot_be_entered_is_refused_and_changes_nothing(acme: Acme) -> None:
    product = await Product.create(name="Camera")
    room, device = (await acme.room())["room"]["id"], (await acme.device(product, "SN-1"))["device"]["id"]
    await acme.device(product, "SN-2")
    foreign = await Space.create(organization=acme.other, kind=SpaceKind.ROOM, name="Theirs")
    theirs = await SpaceGroup.create(organization=acme.other, name="Theirs")
    desk = (await acme.desk())["desk"]["id"]

    async with nothing_changes():
        for answer, expected in (
            (await acme.room(" "), ("REQUIRED", "name")),
            (await acme.room(capacity=0), ("INVALID", "capacity")),
            (await acme.room(groupId=gid(theirs)), ("NOT_FOUND", "groupId")),
            (await acme.room(roomId=gid(foreign)), ("NOT_FOUND", "roomId")),
            (await acme.room(roomId=desk.replace("Desk", "Room")), ("NOT_FOUND", "roomId")),
            (await acme.desk(deskId=room.replace("Room", "Desk")), ("NOT_FOUND", "deskId")),
            (await acme.room(organizationId=gid(acme.other)), ("NOT_FOUND", "organizationId")),
            (await acme.group("x", parentId=gid(theirs)), ("NOT_FOUND", "parentId")),
            (await acme.device(product, "sn-2", deviceId=device), ("DUPLICATE", "serialNumber")),
            (await acme.device(product, "sn-1"), ("DUPLICATE", "serialNumber")),
            (await acme.device(product, "SN-3", spaceId=gid(foreign)), ("NOT_FOUND", "spaceId")),
            (await acme.device(product, "SN-3", productId=f"Product_{NEVER}"), ("NOT_FOUND", "productId")),
            (await acme.device(product, "SN-3", firmwareVersion="x" * 51), ("INVALID", "firmwareVersion")),
        ):
            assert refusal(answer) == (expected[0], ["input", expected[1]]), expected


@pytest.mark.parametrize("kind", SpaceKind)
async def test_a_desk_is_never_taken_for_a_room_nor_a_room_for_a_desk(
    acme: Acme, kind: SpaceKind, clock: Clock
) -> None:
    today = clock().date()
    await make_request_type()
    product, licence = await Product.create(name="Camera"), await _licence(acme.row, today, today)
    space = await Space.create(organization=acme.row, kind=kind, name="Rome")
    ticket = await make_ticket(acme.row, await make_member(acme.row))
    wrong = {"spaceId": f"{'Desk' if kind is SpaceKind.ROOM else 'Room'}_{space.id}"}
    owner = acme.as_user(await make_member(acme.row, OrganizationRole.OWNER))
    whose = {"organizationId": gid(acme.row), **wrong}

    async with nothing_changes():
        for answer in (
            await mutate(owner, "ticketUpdate", "ticket { id }", ticketId=gid(ticket), **wrong),
            await mutate(owner, "spaceDelete", "spaceId", **wrong),
            await mutate(owner, "licenseAssign", LICENSE, licenseId=gid(licence), **wrong),
            await mutate(owner, "draftSave", "draft { id }", origin="CANCELLED", **whose),
            await acme.device(product, "SN-1", **wrong),
            await create(owner, acme.row, **wrong),
        ):
            assert refusal(answer) == ("NOT_FOUND", ["input", "spaceId"])


async def test_another_organization_has_a_device_of_the_same_number(acme: Acme) -> None:
    product = await Product.create(name="Camera")
    await Device.create(organization=acme.other, product=product, name="x", serial_number="SN-1")

    assert (await acme.device(product, "SN-1"))["errors"] == []


async def test_a_device_entered_twice_at_once_is_one_device(acme: Acme) -> None:
    product = await Product.create(name="Camera")

    answers = await asyncio.gather(*(acme.device(product, "SN-1") for _ in range(3)))

    assert sorted(len(each["errors"]) for each in answers) == [0, 1, 1]
    assert await Device.filter(organization=acme.row).count() == 1


async def test_a_place_that_is_taken_away_leaves_its_things_and_tells_its_tickets(acme: Acme) -> None:
    """S37, S93: also a ticket that the manager may not see; what is closed is not told any more."""
    product = await Product.create(name="Camera")
    room = await Space.get(id=(await acme.room())["room"]["id"].partition("_")[2])
    device = (await acme.device(product, "SN-1", spaceId=gid(room)))["device"]["id"]
    ann = await make_member(acme.row, name="Ann")
    given: Any = {"space": room}
    opened = await make_ticket(acme.row, ann, **given)
    secret = await make_ticket(acme.row, ann, confidentiality=Confidentiality.AUTHOR_ONLY, **given)
    closed = await make_ticket(acme.row, ann, status=TicketStatus.CLOSED, closed_at=opened.created_at, **given)
    remove = "mutation($s: ID!) { spaceDelete(input: {spaceId: $s}) { spaceId errors { code } } }"
    async with acme.as_user(ann).watch(TICKETS, scope="MINE", filter={"roomIds": [gid(room)]}) as stream:
        await begun(stream)

        answer = await acme.manager.ask(remove, s=gid(room))

        assert answer == {"spaceDelete": {"spaceId": gid(room), "errors": []}}
        assert {told(each) for each in await stream.take(2)} == {("REMOVED", gid(opened)), ("REMOVED", gid(secret))}
    assert {each.space_id for each in await models.Ticket.all()} == {None}
    assert {each.version for each in await models.Ticket.filter(id__in=[opened.id, secret.id])} == {2}
    events = await models.TimelineEvent.all().order_by("ticket_id")
    assert [(each.ticket_id, each.field, each.old_value, each.new_value) for each in events] == [
        (each.id, "space", "Rome", None) for each in sorted((opened, secret), key=lambda each: str(each.id))
    ]
    assert (await models.Ticket.get(id=closed.id)).version == 1
    found = await acme.manager.ask("query($d: ID!) { device(id: $d) { space { id } } }", d=device)
    assert found == {"device": {"space": None}}
    again = await mutate(acme.manager, "spaceDelete", "spaceId", spaceId=gid(room))
    assert refusal(again) == ("NOT_FOUND", ["input", "spaceId"])


LICENSE = "license { level space { name serviceLevel } }"


async def test_a_licence_covers_the_room_that_it_is_assigned_to(acme: Acme, clock: Clock) -> None:  # S90, S91, S92
    today = clock().date()
    room = (await acme.room())["room"]["id"]
    licence = await _licence(acme.row, today, today)
    keeper = acme.as_user(await make_member(acme.row, OrganizationRole.LICENSE_MANAGER))

    assigned = await mutate(keeper, "licenseAssign", LICENSE, licenseId=gid(licence), spaceId=room)
    freed = await mutate(keeper, "licenseAssign", LICENSE, licenseId=gid(licence))

    assert assigned["license"] == {"level": "SELECT", "space": {"name": "Rome", "serviceLevel": "SELECT"}}
    assert freed == {"license": {"level": "SELECT", "space": None}, "errors": []}


async def test_a_licence_that_is_over_or_not_there_is_not_assigned(acme: Acme, clock: Clock) -> None:  # S90, S91
    today = clock().date()
    room = (await acme.room())["room"]["id"]
    foreign = await Space.create(organization=acme.other, kind=SpaceKind.ROOM, name="Theirs")
    over = await _licence(acme.row, today - timedelta(days=9), today - timedelta(days=1))
    licence, theirs = await _licence(acme.row, today, today), await _licence(acme.other, today, today)
    owner = acme.as_user(await make_member(acme.row, OrganizationRole.OWNER))
    lead = acme.as_user(await make_staff(StaffRole.LEAD))

    async with nothing_changes():
        for client, given, expected in (
            (owner, {"licenseId": gid(over), "spaceId": room}, ("CONFLICT", ["input", "licenseId"])),
            (owner, {"licenseId": gid(licence), "spaceId": gid(foreign)}, ("NOT_FOUND", ["input", "spaceId"])),
            (owner, {"licenseId": gid(theirs), "spaceId": room}, ("NOT_FOUND", ["input", "licenseId"])),
            (lead, {"licenseId": gid(licence), "spaceId": room}, ("FORBIDDEN", None)),
        ):
            assert refusal(await mutate(client, "licenseAssign", LICENSE, **given)) == expected, given


@pytest.mark.postgres
async def test_a_room_is_not_taken_away_while_a_licence_is_assigned_to_it(
    acme: Acme, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:  # S90
    today, here, own = clock().date(), copy_context(), placing._own
    owner = acme.as_user(await make_member(acme.row, OrganizationRole.OWNER))
    licence, room = await _licence(acme.row, today, today), (await acme.room())["room"]["id"]
    removing: list[asyncio.Task[Any]] = []

    async def find(*args: Any) -> Any:
        found = await own(*args)
        remove = mutate(acme.manager, "spaceDelete", "spaceId", spaceId=room)
        removing.append(asyncio.create_task(remove, context=here))
        await asyncio.wait(removing, timeout=0.3)
        return found

    monkeypatch.setattr(placing, "_own", find)
    assigned = await mutate(owner, "licenseAssign", LICENSE, licenseId=gid(licence), spaceId=room)

    assert assigned["errors"] == []
    assert await asyncio.wait_for(removing[0], 5) == {"spaceId": room, "errors": []}
    assert (await ServiceLicense.get(id=licence.id)).space_id is None


async def _licence(organization: Organization, first: Any, last: Any) -> ServiceLicense:
    return await ServiceLicense.create(
        organization=organization,
        level=ServiceLevel.SELECT,
        starts_at=first,
        ends_at=last,
        created_at=organization.created_at,
    )
