"""Changing what a ticket says of itself: told field by field, and never over somebody else's change (J8, S66)."""

from typing import Any

import pytest

import models
from domain.enums import OrganizationRole, TicketStatus
from tests.api.operations import mutate, refusal
from tests.api.test_list_cost import counted
from tests.api.world import gid, nothing_changes
from tests.client import Client, Refused
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import (
    make_follower,
    make_member,
    make_organization,
    make_participant,
    make_request_type,
    make_staff,
    make_ticket,
)

pytestmark = pytest.mark.anyio


async def test_each_field_that_changes_is_told_in_words_and_the_version_grows_once(as_user: AsUser) -> None:  # J8
    acme, kind = await make_organization(), await make_request_type()
    ann = await make_member(acme)
    audio, video = [await models.IssueType.create(request_type=kind, name=name) for name in ("Audio", "Video")]
    sort = await models.Classification.create(request_type=kind, name="Trouble")
    ticket = await make_ticket(acme, ann, request_type=kind, issue_type=audio)
    given = {"subject": " No  sound ", "priority": "HIGH", "issueTypeId": gid(video), "classificationId": gid(sort)}

    changed = await update(as_user(ann), ticket, expectedVersion=1, **given)
    async with nothing_changes():
        again = await update(as_user(ann), ticket, **given)

    assert changed["errors"] == []
    assert changed["ticket"] == again["ticket"]
    assert changed["ticket"] == {
        "version": 2,
        "subject": "No sound",
        "priority": "HIGH",
        "severity": "UNKNOWN",
        "issueType": {"name": "Video"},
        "classification": {"name": "Trouble"},
    }
    told = await models.TimelineEvent.filter(ticket=ticket).order_by("sequence")
    assert [(each.field, each.old_value, each.new_value) for each in told] == [
        ("subject", "The camera stays black", "No sound"),
        ("priority", "NORMAL", "HIGH"),
        ("classification", None, "Trouble"),
        ("issueType", "Audio", "Video"),
    ]


async def test_of_what_is_not_changed_nothing_is_read(as_user: AsUser) -> None:
    acme = await make_organization()
    ann = await make_member(acme)
    ticket = await make_ticket(acme, ann)

    with counted() as sent:
        changed = await update(as_user(ann), ticket, subject="No sound")

    assert changed["errors"] == []
    assert [each for each in sent if '"device"' in each or '"space"' in each] == []


async def test_what_cannot_be_changed_is_refused_as_a_whole(as_user: AsUser, clock: Clock) -> None:
    """J8, S66."""
    acme, kind, other = await make_organization(), await make_request_type(), await make_request_type("BILLING")
    ann, sam = await make_member(acme), await make_staff()
    foreign = await models.IssueType.create(request_type=other, name="Invoice")
    ticket = await make_ticket(acme, ann, request_type=kind, version=2)
    closed = await make_ticket(acme, ann, status=TicketStatus.CLOSED, closed_at=clock())

    async with nothing_changes():
        stale = await update(as_user(sam), ticket, severity="CRITICAL", expectedVersion=1)
        final = await update(as_user(sam), closed, severity="CRITICAL")
        wrong = await update(as_user(ann), ticket, severity="CRITICAL", issueTypeId=gid(foreign))
        texts = [await update(as_user(ann), ticket, subject=each) for each in (" ", "a\x00b", "x" * 301)]

    assert refusal(stale) == ("STALE_VERSION", ["input", "expectedVersion"])
    assert stale["errors"][0]["currentVersion"] == 2
    assert refusal(final)[0] == "TICKET_CLOSED"
    assert refusal(wrong) == ("NOT_FOUND", ["input", "issueTypeId"])
    assert [refusal(each) for each in texts] == [
        (code, ["input", "subject"]) for code in ("REQUIRED", "INVALID", "INVALID")
    ]


async def update(client: Client, ticket: models.Ticket, **given: Any) -> Any:
    selection = "ticket { version subject priority severity issueType { name } classification { name } }"
    return await mutate(client, "ticketUpdate", selection, ticketId=gid(ticket), **given)


PLACE = "ticket { version confidentiality productVersion { name } space { name } devices { nodes { name } } }"


async def about(client: Client, ticket: models.Ticket, **given: Any) -> Any:
    return await mutate(client, "ticketUpdate", PLACE, ticketId=gid(ticket), **given)


async def told_of(ticket: models.Ticket) -> list[tuple[str | None, str | None, str | None]]:
    rows = await models.TimelineEvent.filter(ticket=ticket, kind="FIELD").order_by("sequence")
    return [(each.field, each.old_value, each.new_value) for each in rows]


async def test_what_a_ticket_is_about_is_chosen_anew_among_what_is_its_own(as_user: AsUser) -> None:
    """S27, S37: version, room and devices; what contradicts them goes with them, or is refused."""
    acme, other = await make_organization(), await make_organization()
    ann = await make_member(acme)
    camera, screen = [await models.Product.create(name=name) for name in ("Camera", "Screen")]
    one, two = [await models.ProductVersion.create(product=camera, name=name) for name in ("1", "2")]
    foreign = await models.ProductVersion.create(product=screen, name="9")
    patch = await models.ProductUpdate.create(version=one, name="1.1")
    rome, oslo = [await models.Space.create(organization=acme, kind="ROOM", name=name) for name in ("Rome", "Oslo")]
    theirs = await models.Space.create(organization=other, kind="ROOM", name="Theirs")
    devices = [
        await models.Device.create(
            organization=place.organization,
            product=camera,
            space=place,
            name=f"In {place.name}",
            serial_number=place.name,
        )
        for place in (rome, oslo, theirs)
    ]
    ticket = await make_ticket(acme, ann, product=camera, product_version=one, product_update=patch, space=rome)
    await ticket.devices.add(devices[0])
    bare = await make_ticket(acme, ann)

    async with nothing_changes():
        refused = [
            refusal(await about(as_user(ann), ticket, **given))
            for given in (
                {"productVersionId": gid(foreign)},
                {"spaceId": gid(theirs)},
                {"deviceIds": [gid(devices[2])]},
                {"deviceIds": [gid(devices[1])]},
                {"spaceId": gid(oslo)},
                {"deviceIds": [f"Device_{number:032x}" for number in range(101)]},
            )
        ]
    moved = await about(as_user(ann), ticket, spaceId=gid(oslo), deviceIds=[gid(devices[1])], productVersionId=gid(two))
    emptied = await about(as_user(ann), ticket, deviceIds=[], expectedVersion=2)
    async with nothing_changes():
        await about(as_user(ann), ticket, deviceIds=[], spaceId=gid(oslo), productVersionId=gid(two))
    await about(as_user(ann), bare, productVersionId=gid(foreign))
    moved_out = await about(as_user(ann), ticket, spaceId=None, deviceIds=[gid(devices[0])], expectedVersion=3)
    async with nothing_changes():
        await about(as_user(ann), ticket, spaceId=None)
        nowhere = await about(as_user(ann), ticket)

    assert refused == [
        ("NOT_FOUND", ["input", "productVersionId"]),
        ("NOT_FOUND", ["input", "spaceId"]),
        ("NOT_FOUND", ["input", "deviceIds"]),
        ("NOT_FOUND", ["input", "deviceIds"]),
        ("INVALID", ["input", "deviceIds"]),
        ("INVALID", ["input", "deviceIds"]),
    ]
    assert moved["ticket"] == {
        "version": 2,
        "confidentiality": "ORGANIZATION",
        "productVersion": {"name": "2"},
        "space": {"name": "Oslo"},
        "devices": {"nodes": [{"name": "In Oslo"}]},
    }
    assert emptied["ticket"]["devices"] == {"nodes": []}
    assert moved_out["ticket"] == nowhere["ticket"]
    assert (nowhere["ticket"]["space"], nowhere["ticket"]["devices"]) == (None, {"nodes": [{"name": "In Rome"}]})
    assert await told_of(ticket) == [
        ("productVersion", "1", "2"),
        ("productUpdate", "1.1", None),
        ("space", "Rome", "Oslo"),
        ("devices", "In Rome", "In Oslo"),
        ("devices", "In Oslo", None),
        ("space", "Oslo", None),
        ("devices", None, "In Rome"),
    ]
    assert await told_of(bare) == [("product", None, "Screen"), ("productVersion", None, "9")]


WATCH = """subscription($t: ID!) { ticket(ticketId: $t) { ... on StreamCaughtUp { cursor }
  ... on TicketChange { changedFields ticket { confidentiality } } } }"""


async def test_what_its_author_keeps_to_oneself_is_gone_for_everybody_else_at_once(as_user: AsUser) -> None:
    """S07, J3: in lists, by its id and on running streams; and there again when it is opened again."""
    acme = await make_organization()
    ann, bob = await make_member(acme), await make_member(acme)
    owner, sam = await make_member(acme, OrganizationRole.OWNER), await make_staff()
    ticket = await make_ticket(acme, ann)
    await make_participant(ticket, bob)
    await make_follower(ticket, bob)
    await make_follower(ticket, email="boss@elsewhere.example")
    ask = "query($t: ID!) { ticket(id: $t) { id } tickets(scope: ALL) { totalCount } }"

    async with as_user(bob).watch(WATCH, t=gid(ticket)) as stream, as_user(ann).watch(WATCH, t=gid(ticket)) as own:
        assert "cursor" in await stream.next()
        assert "cursor" in await own.next()
        kept = await about(as_user(ann), ticket, confidentiality="AUTHOR_ONLY")
        with pytest.raises(Refused) as refused:
            await stream.next()
        assert [await own.next() for _ in range(2)][1]["ticket"] == {"confidentiality": "AUTHOR_ONLY"}

    assert kept["ticket"]["confidentiality"] == "AUTHOR_ONLY"
    assert refused.value.codes == ["NOT_FOUND"]
    for person in (bob, owner):
        assert await as_user(person).ask(ask, t=gid(ticket)) == {"ticket": None, "tickets": {"totalCount": 0}}
    assert [each.user_id for each in await models.Follower.filter(ticket=ticket)] == [bob.id]
    assert (await about(as_user(sam), ticket, confidentiality="ORGANIZATION"))["errors"] == []
    for person in (bob, owner):
        assert (await as_user(person).ask(ask, t=gid(ticket)))["ticket"] == {"id": gid(ticket)}
    assert [each for each in await told_of(ticket) if each[0] == "confidentiality"] == [
        ("confidentiality", "ORGANIZATION", "AUTHOR_ONLY"),
        ("confidentiality", "AUTHOR_ONLY", "ORGANIZATION"),
    ]


async def test_only_its_author_and_support_say_who_sees_a_ticket(as_user: AsUser) -> None:
    """S07: who manages the organization may change the rest of it, and keeps it from nobody."""
    acme = await make_organization()
    ann, owner, sam = await make_member(acme), await make_member(acme, OrganizationRole.OWNER), await make_staff()
    ticket, nobodys = await make_ticket(acme, ann), await make_ticket(acme, None)

    async with nothing_changes():
        manager = await about(as_user(owner), ticket, confidentiality="AUTHOR_ONLY")
        without = await about(as_user(sam), nobodys, confidentiality="AUTHOR_ONLY")

    assert refusal(manager) == ("FORBIDDEN", None)
    assert refusal(without) == ("CONFLICT", ["input", "confidentiality"])
    assert (await about(as_user(owner), ticket, confidentiality="ORGANIZATION"))["errors"] == []
