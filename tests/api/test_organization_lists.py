"""The lists of an organization, narrowed: what they show, to whom, and at what cost (S37, S39, S93, J4, J5)."""

from datetime import date
from typing import Any

import pytest

import models
from domain.enums import CertificateKind, Confidentiality, MemberVisibility, OrganizationRole, Visibility
from tests.api.world import codes, gid
from tests.conftest import AsUser
from tests.engine.desk import planned_desk, viewer_of
from tests.factories import LONG_AGO, make_member, make_message, make_organization, make_staff, make_ticket

pytestmark = pytest.mark.anyio

MEMBERS = (
    "query($o: ID!, $s: String) { organization(id: $o) { members(search: $s) { nodes { user { displayName } } } } }"
)
PLACES = """query($o: ID!, $g: ID) { organization(id: $o) { spaces(groupId: $g) { totalCount nodes { name } }
  rooms(groupId: $g) { nodes { name } } desks(groupId: $g, first: 1) { nodes { name } pageInfo { hasNextPage } } } }"""
DEVICES = (
    "query($o: ID!, $f: DeviceFilter) { organization(id: $o) { devices(filter: $f) { totalCount nodes { name } } } }"
)
CERTIFICATES = "query($o: ID!, $a: Boolean) { organization(id: $o) { certificates(activeOnly: $a) { number } } }"
TICKETS = """query($o: ID!, $f: TicketFilter, $by: TicketOrder) { organization(id: $o) {
  tickets(filter: $f, orderBy: $by) { totalCount nodes { subject } } } }"""


@pytest.fixture
async def acme(db: str) -> models.Organization:
    return await make_organization("Acme")


async def test_members_are_found_by_a_part_of_what_is_shown_of_them(as_user: AsUser, acme: models.Organization) -> None:
    """J4: by the address only for who is shown it."""
    ann, bob = await make_member(acme, name="Ann Lee"), await make_member(acme, name="Bob 100%")
    manager, sam = await make_member(acme, OrganizationRole.ADMIN, "Chief"), await make_staff(name="Sam")
    bob.username, bob.email = "robert", "hidden@example.com"
    await bob.save()

    async def found(person: models.User, text: str | None) -> list[str]:
        answer = await as_user(person).ask(MEMBERS, o=gid(acme), s=text)
        return [each["user"]["displayName"] for each in answer["organization"]["members"]["nodes"]]

    everybody = ["Ann Lee", "Bob 100%", "Chief"]
    assert await found(ann, None) == await found(ann, " ") == everybody
    assert await found(ann, "LEE") == ["Ann Lee"]
    assert await found(ann, "0%") == await found(ann, "ROBE") == ["Bob 100%"]
    assert await found(ann, "%") == ["Bob 100%"]
    assert await found(ann, "hidden") == await found(ann, "Sam") == []
    assert await found(manager, "hidden") == await found(sam, "hidden") == ["Bob 100%"]
    _, errors = await as_user(ann).answer(MEMBERS, o=gid(acme), s="x" * 201)
    assert codes(errors) == ["INVALID"]


async def test_rooms_and_desks_are_those_of_a_group_and_a_foreign_one_has_none(
    as_user: AsUser, acme: models.Organization
) -> None:  # S93
    ann, other = await make_member(acme), await make_organization("Other")
    north, foreign = [await models.SpaceGroup.create(organization=each, name="North") for each in (acme, other)]
    for name, kind, group in (("A", "ROOM", north), ("B", "DESK", north), ("C", "DESK", north), ("D", "ROOM", None)):
        await models.Space.create(organization=acme, kind=kind, name=name, group=group)
    await models.Space.create(organization=other, kind="ROOM", name="Theirs", group=foreign)

    whole = (await as_user(ann).ask(PLACES, o=gid(acme)))["organization"]
    part = (await as_user(ann).ask(PLACES, o=gid(acme), g=gid(north)))["organization"]
    nothing = (await as_user(ann).ask(PLACES, o=gid(acme), g=gid(foreign)))["organization"]
    _, wrong = await as_user(ann).answer(PLACES, o=gid(acme), g=gid(ann))

    assert [each["name"] for each in whole["spaces"]["nodes"]] == ["A", "B", "C", "D"]
    assert part == {
        "spaces": {"totalCount": 3, "nodes": [{"name": "A"}, {"name": "B"}, {"name": "C"}]},
        "rooms": {"nodes": [{"name": "A"}]},
        "desks": {"nodes": [{"name": "B"}], "pageInfo": {"hasNextPage": True}},
    }
    assert nothing["spaces"] == {"totalCount": 0, "nodes": []}
    assert set(codes(wrong)) == {"INVALID"}


async def test_devices_are_found_by_number_place_product_and_name(as_user: AsUser, acme: models.Organization) -> None:
    """S37, J4: by the number only for who is shown it; what is foreign finds nothing."""
    own = await make_organization("Own", member_visibility=MemberVisibility.OWN)
    ann, reader = await make_member(acme), await make_member(own, OrganizationRole.READ_ONLY)
    camera, screen = [await models.Product.create(name=name) for name in ("Camera", "Screen")]
    rome = await models.Space.create(organization=acme, kind="ROOM", name="Rome")
    theirs = await models.Space.create(organization=own, kind="ROOM", name="Theirs")
    for place, product, name in ((rome, camera, "Eye"), (None, screen, "Wall"), (theirs, camera, "Eye of theirs")):
        where = own if place is theirs else acme
        await models.Device.create(
            organization=where, product=product, space=place, name=name, serial_number=name.upper()
        )

    async def found(**wanted: Any) -> list[str]:
        answer = await as_user(ann).ask(DEVICES, o=gid(acme), f=wanted)
        devices = answer["organization"]["devices"]
        assert devices["totalCount"] == len(devices["nodes"])
        return [each["name"] for each in devices["nodes"]]

    assert await found() == ["Eye", "Wall"]
    assert await found(serialNumber=" eye ") == await found(spaceIds=[gid(rome)]) == await found(text="EY") == ["Eye"]
    assert await found(productIds=[gid(screen)]) == await found(productIds=[gid(screen)], text="a") == ["Wall"]
    assert await found(spaceIds=[gid(theirs)]) == await found(serialNumber="EYE OF THEIRS") == []
    assert await found(spaceIds=[]) == await found(productIds=[gid(screen)], text="Eye") == []
    _, kept = await as_user(reader).answer(DEVICES, o=gid(own), f={"serialNumber": "EYE OF THEIRS"})
    assert codes(kept) == ["FORBIDDEN"]


async def test_certificates_in_force_are_those_that_today_is_a_day_of(
    as_user: AsUser, acme: models.Organization
) -> None:  # S18
    ann = await make_member(acme)
    for number, begin, end in (("past", 1, 1), ("last day", 1, 2), ("first day", 2, 3), ("later", 3, 3)):
        days = {"starts_at": date(2026, 3, begin), "ends_at": date(2026, 3, end)}
        await models.ServiceCertificate.create(organization=acme, number=number, kind=CertificateKind.SERVICES, **days)

    async def numbers(active: bool | None) -> list[str]:
        found = (await as_user(ann).ask(CERTIFICATES, o=gid(acme), a=active))["organization"]["certificates"]
        return [each["number"] for each in found]

    assert await numbers(True) == ["last day", "first day"]
    assert sorted(await numbers(False)) == sorted(await numbers(None)) == ["first day", "last day", "later", "past"]


async def test_an_organizations_tickets_are_those_that_the_viewer_may_see(
    as_user: AsUser, acme: models.Organization
) -> None:  # S02, S07
    ann, bob = await make_member(acme), await make_member(acme)
    await make_ticket(acme, ann, subject="B", priority="HIGH")
    await make_ticket(acme, bob, subject="A")
    await make_ticket(acme, bob, subject="Private", confidentiality=Confidentiality.AUTHOR_ONLY)
    by = {"field": "REFERENCE", "direction": "ASC"}

    async def found(person: models.User, **given: Any) -> Any:
        tickets = (await as_user(person).ask(TICKETS, o=gid(acme), by=by, **given))["organization"]["tickets"]
        assert tickets["totalCount"] == len(tickets["nodes"])
        return [each["subject"] for each in tickets["nodes"]]

    assert await found(ann) == ["B", "A"]
    assert await found(bob) == await found(await make_staff()) == ["B", "A", "Private"]
    assert await found(ann, f={"priorities": ["HIGH"]}) == ["B"]


async def test_whole_lists_are_planned_and_both_ways_agree(db: str, acme: models.Organization) -> None:  # J5
    ann = await make_member(acme)
    group = await models.SpaceGroup.create(organization=acme, name="North")
    product = await models.Product.create(name="Camera")
    for number in range(5):
        room = await models.Space.create(organization=acme, kind="ROOM", name=f"R{number}", group=group)
        await models.Device.create(
            organization=acme, product=product, space=room, name=f"D{number}", serial_number=f"{number}"
        )
        await make_ticket(acme, ann, space=room)
    document = """{ organizations { nodes { members(first: 2) { totalCount nodes { role } }
      rooms(first: 2) { nodes { name } }
      spaces { edges { cursor node { name } } } desks { totalCount } devices(last: 2) { nodes { name serialNumber } }
      certificates(activeOnly: true) { number } tickets(first: 2) { totalCount nodes { reference } } } } }"""

    async with planned_desk(db) as desk:
        for person in (ann, await make_staff()):
            assert await desk.agreed(document, await viewer_of(person)) is not None


async def test_lists_by_group_place_product_and_name_are_planned_and_both_ways_agree(
    db: str, acme: models.Organization
) -> None:
    """J5: and what cannot be asked, or depends on the viewer's role, is left to the ordinary way."""
    ann = await make_member(acme)
    north, south = [await models.SpaceGroup.create(organization=acme, name=name) for name in ("North", "South")]
    camera, screen = [await models.Product.create(name=name) for name in ("Camera", "Screen")]
    for number in range(4):
        room = await models.Space.create(
            organization=acme, kind="ROOM", name=f"R{number}", group=south if number else north
        )
        product = camera if number % 2 else screen
        await models.Device.create(
            organization=acme, product=product, space=room, name=f"D{number}", serial_number=f"{number}"
        )
    places = """query($g: ID) { organizations { nodes { rooms(groupId: $g, first: 2) { totalCount nodes { name } }
      spaces(groupId: $g) { nodes { name } } } } }"""
    devices = """query($f: DeviceFilter) { organizations { nodes {
      devices(filter: $f, first: 2) { totalCount nodes { name } pageInfo { hasNextPage } } } } }"""
    literal = '{ organizations { nodes { devices(filter: {text: "d1"}) { nodes { name } } } } }'

    async with planned_desk(db) as desk:
        for person in (ann, await make_staff()):
            viewer = await viewer_of(person)
            data = await desk.agreed(places, viewer, {"g": gid(south)})
            assert data is not None
            assert data["organizations"]["nodes"][0]["rooms"]["totalCount"] == 3
            for wanted in (
                {"productIds": [gid(camera)]},
                {"spaceIds": [gid(room)], "productIds": None},
                {"text": "D"},
                {"spaceIds": []},
                {},
                None,
            ):
                assert await desk.agreed(devices, viewer, {"f": wanted}) is not None, wanted
            data = await desk.agreed(literal, viewer)
            assert data is not None
            assert data["organizations"]["nodes"] == [{"devices": {"nodes": [{"name": "D1"}]}}]
            for left in ({"text": "x" * 201}, {"serialNumber": "1"}, {"productIds": [gid(acme)]}):
                assert await desk.planned(devices, viewer, {"f": left}) is None, left
            assert await desk.planned(places, viewer, {"g": gid(acme)}) is None


async def test_the_tickets_of_a_place_are_filtered_for_whoever_asks(as_user: AsUser, acme: models.Organization) -> None:
    """J7, S37, S38: what is unread is unread by the viewer, and support finds its own notes too."""
    ann, sam = await make_member(acme), await make_staff(name="Sam")
    read, unread = await make_ticket(acme, ann, subject="Read"), await make_ticket(acme, ann, subject="Unread")
    for ticket in (read, unread):
        await make_message(ticket, sam, "public")
    await make_message(unread, sam, "secretly", Visibility.INTERNAL)
    await models.ReadMark.create(
        ticket=read, user=ann, sequence=1, public_sequence=1, read_at=LONG_AGO, public_read_at=LONG_AGO
    )

    async def found(person: models.User, **wanted: Any) -> list[str]:
        answer = await as_user(person).ask(TICKETS, o=gid(acme), f=wanted)
        return [each["subject"] for each in answer["organization"]["tickets"]["nodes"]]

    assert await found(ann, unreadOnly=True) == ["Unread"]
    assert await found(sam, unreadOnly=True) == []
    assert (await found(sam, text="secretly"), await found(ann, text="secretly")) == (["Unread"], [])
