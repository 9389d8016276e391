"""Objects by their ids, and what is said about what cannot be an id, an instant or a text."""

from itertools import product
from typing import Any
from uuid import UUID

import pytest

import models
from domain.enums import MessageKind, TimelineEventKind
from resolvers.viewers import load_viewer
from schema.node import TABLES
from tests.api.world import World, codes, gid, make_world
from tests.conftest import AsUser
from tests.factories import LONG_AGO, make_article, make_event, make_message, make_ticket

pytestmark = pytest.mark.anyio

NODE = "query($id: ID!) { node(id: $id) { __typename id } }"
NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
NEVER = UUID(int=1)


async def one_of_everything(world: World) -> dict[str, Any]:
    """A row of every type that has an id."""
    rows: list[Any] = [world.acme, world["author"], world.space, world.device, world.ticket, world.message]
    rows += [world.event, world.attachment, world.participant, world.feedback, world.escalation, world.entry]
    rows += [world.follower, world.change]
    rows += [world.request_type, await models.SupportProject.get(), await models.ServiceLicense.get()]
    rows += [await models.ServiceCertificate.get(), await models.Product.get()]
    rows += [await models.Membership.filter(user=world["author"]).get()]
    rows += [
        await make_message(world.ticket, world["author"], kind=kind) for kind in (MessageKind.EMAIL, MessageKind.NOTE)
    ]
    rows += [await models.Space.create(organization=world.acme, kind=models.SpaceKind.DESK, name="Desk")]
    rows += [await models.SpaceGroup.create(organization=world.acme, name="Ground floor")]
    rows += [
        await kind.create(request_type=world.request_type, name="x")
        for kind in (models.Classification, models.IssueType)
    ]
    rows.append(
        await models.TicketDraft.create(
            author=world["agent"],
            origin="AUTOSAVE",
            created_at=world.ticket.created_at,
            updated_at=world.ticket.created_at,
        )
    )
    rows.append(await make_article("How to mute"))
    rows.append(
        await models.TicketLink.create(
            source=world.ticket,
            target=await make_ticket(world.acme, world["author"]),
            kind="FOLLOW_UP_OF",
            created_at=world.ticket.created_at,
        )
    )
    rows.append(
        await models.Notification.create(
            user=world["agent"],
            ticket=world.ticket,
            kind="ASSIGNED",
            visibility="PUBLIC",
            source="test",
            created_at=world.ticket.created_at,
        )
    )
    version = await models.ProductVersion.create(product=await models.Product.get(), name="1")
    rows += [version, await models.ProductUpdate.create(version=version, name="1.1")]
    event: dict[str, Any] = {"ticket": world.ticket, "visibility": "PUBLIC", "occurred_at": world.ticket.created_at}
    for n, kind in enumerate(("STATUS", "FIELD", "FEEDBACK")):
        rows.append(
            await models.TimelineEvent.create(
                kind=kind, sequence=90 + n, public_sequence=90 + n, field="x", new_value="OPEN", **event
            )
        )
    rows += [world.call, world.called, world.appointment, world.resource]
    rows.append(await make_event(world.ticket, TimelineEventKind.RESOURCE, resource=world.resource))
    rows.append(await make_event(world.ticket, TimelineEventKind.LINK, new_value="ADDED"))
    # Over, so that no worker of a running server takes it up.
    over: dict[str, Any] = {"status": "FAILED", "created_at": LONG_AGO, "finished_at": LONG_AGO}
    rows.append(await models.Job.create(requester=world["agent"], kind="TICKET_EXPORT", given={}, **over))
    return {gid(row).partition("_")[0]: row for row in rows}


async def test_everything_with_an_id_is_found_by_it(as_user: AsUser) -> None:
    """`node(id:)` and `nodes(ids:)`, and each under its own type."""
    world = await make_world()
    rows = await one_of_everything(world)
    wanted = [{"__typename": name, "id": gid(row)} for name, row in rows.items()]
    agent = as_user(world["agent"])

    assert rows.keys() == TABLES.keys()
    assert (await agent.ask(NODES, ids=[each["id"] for each in wanted]))["nodes"] == wanted
    for each in wanted:
        assert (await agent.ask(NODE, id=each["id"]))["node"] == each


async def test_nodes_come_in_the_order_asked_for_with_nulls_for_what_there_is_none_of(as_user: AsUser) -> None:
    world = await make_world()
    ids = [
        gid(world.device),
        f"Ticket_{NEVER}",
        gid(world.ticket),
        gid(world.device),
        gid(world.internal),
        gid(world.acme),
    ]

    found = (await as_user(world["author"]).ask(NODES, ids=ids))["nodes"]

    assert [each and each["id"] for each in found] == [ids[0], None, ids[2], ids[3], None, ids[5]]


async def test_an_id_under_another_type_finds_nothing(as_user: AsUser) -> None:
    """A desk is no room and a note no chat message, though they lie in the same table."""
    world = await make_world()
    agent = as_user(world["agent"])

    for name in TABLES:
        for row in (world.ticket, world.space, world.message, world.event):
            if gid(row).partition("_")[0] != name:
                assert await agent.ask(NODE, id=f"{name}_{row.id}") == {"node": None}, name


async def test_a_query_by_id_answers_an_id_of_another_type_like_one_that_never_was(as_user: AsUser) -> None:
    world = await make_world()
    agent = as_user(world["agent"])

    for field in ("ticket", "organization", "escalation", "room", "desk", "device"):
        document = f"query($id: ID!) {{ {field}(id: $id) {{ id }} }}"
        name = field.capitalize()
        assert await agent.answer(document, id=f"{name}_{NEVER}") == ({field: None}, [])
        data, errors = await agent.answer(document, id=gid(world.message))
        assert (data, [e.extensions for e in errors]) == ({field: None}, [{"code": "NOT_FOUND", "field": ["id"]}]), (
            field
        )
    assert await agent.ask("query($id: ID!) { desk(id: $id) { id } }", id=f"Desk_{world.space.id}") == {"desk": None}


GARBAGE = ["", "x", "Ticket_", "Ticket_1", f"{NEVER}", f"ticket_{NEVER}", f"Nothing_{NEVER}", "Ticket_" + "z" * 36]
GARBAGE += [f"Ticket_{NEVER}0", f"Ticket_{{{str(NEVER)[:34]}}}", "\x00", "\ud800", "Ticket_" + "🙂" * 36, "x" * 100_000]


async def test_what_is_no_id_is_refused_with_a_code(as_user: AsUser) -> None:
    client = as_user((await make_world())["author"])

    for document, id in product((NODE, "query($id: ID!) { ticket(id: $id) { id } }"), GARBAGE):
        data, errors = await client.answer(document, id=id)
        assert set(data.values()) == {None}, id
        assert [e.extensions for e in errors] == [{"code": "INVALID", "field": ["id"]}], id


async def test_at_most_a_hundred_nodes_are_asked_for_at_a_time(as_user: AsUser) -> None:
    world = await make_world()
    client = as_user(world["author"])

    assert len((await client.ask(NODES, ids=[gid(world.ticket)] * 100))["nodes"]) == 100
    data, errors = await client.answer(NODES, ids=[gid(world.ticket)] * 101)
    assert (data, codes(errors)) == (None, ["INVALID"])
    assert (await client.ask(NODES, ids=[]))["nodes"] == []


async def test_the_desk_itself_is_found_by_its_id(as_user: AsUser) -> None:
    world = await make_world()
    document = '{ node(id: "SystemActor_casewire") { id ... on Actor { displayName avatarUrl } } }'

    found = await as_user(world["author"]).ask(document)

    assert found == {"node": {"id": "SystemActor_casewire", "displayName": "Casewire", "avatarUrl": None}}


INSTANTS = "query($at: DateTime) { tickets(scope: ALL, filter: {createdAt: {gte: $at}}) { totalCount } }"


NO_INSTANTS = ["2026-01-01T00:00:00", "2026-01-01", "yesterday", "", 1767225600, "2026-13-01T00:00:00Z", "\ud800"]


async def test_an_instant_without_its_offset_is_refused_with_a_code(as_user: AsUser) -> None:  # S40
    """As a variable and in the document: a naive one would mean another instant on every machine."""
    world = await make_world()
    client = as_user(world["author"])
    inline = "{ tickets(scope: ALL, filter: {createdAt: {gte: %s}}) { totalCount } }"

    for given in NO_INSTANTS:
        answers = [await client.answer(INSTANTS, at=given)]
        if given != "\ud800":
            answers.append(await client.answer(inline % (f'"{given}"' if isinstance(given, str) else given)))
        assert [(data, codes(errors)) for data, errors in answers] == [(None, ["INVALID"])] * len(answers), given


async def test_an_instant_with_an_offset_is_the_same_instant_everywhere(as_user: AsUser) -> None:  # S40
    client = as_user((await make_world())["author"])
    sharp = ("2026-01-05T08:00:00Z", "2026-01-05T09:00:00+01:00", "2026-01-05T08:00:00.000000Z")
    later = ("2026-01-05T08:00:00.000001Z", "2026-01-05T09:00:01+01:00", "2026-01-05T03:00:01-05:00")

    for instants, count in ((sharp, 1), (later, 0)):
        for at in instants:
            assert await client.ask(INSTANTS, at=at) == {"tickets": {"totalCount": count}}, at


async def test_an_instant_beyond_the_calendar_is_refused_with_a_code(as_user: AsUser) -> None:
    world = await make_world()
    found = []
    for given in ("0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"):
        data, errors = await as_user(world["author"]).answer(INSTANTS, at=given)
        found.append((data, codes(errors)))

    assert found == [(None, ["INVALID"])] * 2


async def test_the_limits_and_windows_can_be_read_by_anybody(as_user: AsUser) -> None:  # J9
    found = await as_user(None).ask(
        """{ viewer { user { id } organizations { id } permissions }
        server { reopenWindow autoCloseAfter autoResolveAfter replayWindow replayMaxEvents maxPageSize } }"""
    )

    assert found == {
        "viewer": {"user": None, "organizations": [], "permissions": []},
        "server": {
            "reopenWindow": "P7D",
            "autoCloseAfter": "P7D",
            "autoResolveAfter": "P7D",
            "replayWindow": "P7D",
            "replayMaxEvents": 1000,
            "maxPageSize": 100,
        },
    }


async def test_nobody_reads_nothing_else(as_user: AsUser) -> None:
    world = await make_world()

    for document in ("{ tickets { totalCount } }", "{ organizations { totalCount } }", "{ supportProjects { id } }"):
        assert codes((await as_user(None).answer(document))[1]) == ["UNAUTHENTICATED"]
    data, errors = await as_user(None).answer(NODES, ids=[gid(world.ticket)])
    assert (data, codes(errors)) == (None, ["UNAUTHENTICATED"])


async def test_who_is_switched_off_is_nobody(as_user: AsUser) -> None:
    """A viewer is made from the database, once a request."""
    world = await make_world()
    world["author"].is_active = False
    await world["author"].save()

    assert await load_viewer(world["author"].id) is None
