"""What resolvers give, in plans: called once for a level, their rows read again by their keys."""

from typing import Any

import pytest
import strawberry
from strawberry import Info, Parent

import models
from engine.declare import Rows
from engine.executing import Engine
from resolvers.context import Context
from resolvers.inventory import coverages
from resolvers.reading import whole_rows
from resolvers.viewers import viewer_key, viewer_kind
from schema.access import Schema
from schema.relations import batched
from tests.api.world import gid
from tests.engine.asking import EVERYTHING, answer, left_alone, ticket_by
from tests.engine.desk import Desk, viewer_of
from tests.engine.world import World

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


# --- by an id of any type

ANY = """query($id: ID!) { node(id: $id) { __typename id
  ... on Ticket { subject devices(first: 1) { nodes { name } } } ... on Space { serviceLevel }
  ... on Actor { displayName } ... on TimelineItem { sequence ticket { reference } } ... on Message { body } } }"""


async def test_whatever_has_an_id_is_found_by_it_in_one_statement_and_what_hangs_below(
    desk: Desk, world: World
) -> None:
    viewer = await viewer_of(world.people["agent of staff"])
    ids = [gid(rows[0]) for rows in world.rows.values()]

    names = [(await answer(desk, ANY, viewer, id=each))["node"]["__typename"] for each in ids]

    assert names == [each.partition("_")[0] for each in ids]
    devices_of_the_ticket = 1
    assert desk.engine.stats["statements"] == len(ids) + devices_of_the_ticket


async def test_an_id_of_a_row_under_the_name_of_another_type_finds_nothing(desk: Desk, world: World) -> None:
    viewer = await viewer_of(world.people["agent of staff"])
    room = gid(world.rows[models.Space][0])
    document = "query($id: ID!, $other: ID!) { room(id: $id) { name } node(id: $other) { id } }"

    found = await answer(desk, document, viewer, id=room, other=room.replace("Room", "Desk"))

    assert found == {"room": {"name": "Rome"}, "node": None}
    assert await left_alone(desk, "query($id: ID!) { desk(id: $id) { name } }", viewer, id=room) == ["NOT_FOUND"]


async def test_many_ids_are_answered_in_their_order_with_one_statement_for_each_type(desk: Desk, world: World) -> None:
    viewer = await viewer_of(world.people["owner"])
    tickets, (secret, *_) = world.rows[models.Ticket], [t for t in world.rows[models.Ticket] if t.requester_id is None]
    ids = [
        gid(tickets[1]),
        gid(world.rows[models.Product][0]),
        "SystemActor_casewire",
        gid(tickets[12]),
        gid(tickets[0]),
    ]
    document = "query($a: ID!, $ids: [ID!]!) { some: nodes(ids: [$a, $a]) { id } nodes(ids: $ids) { id } }"

    found = await answer(desk, document, viewer, a=gid(secret), ids=ids)

    assert [each and each["id"] for each in found["nodes"]] == [*ids[:3], None, ids[4]]
    assert found["some"] == [{"id": gid(secret)}] * 2
    assert desk.engine.stats["statements"] == 3
    assert await left_alone(desk, document, viewer, a=gid(secret), ids=[ids[0]] * 101) == ["INVALID"]
    assert await left_alone(desk, document, viewer, a="nonsense", ids=[]) == ["INVALID"]


# --- what stands beside the rows


async def test_who_asks_and_what_the_server_is_are_part_of_a_plan(desk: Desk, world: World) -> None:
    document = """{ viewer { user { displayName email staffProfile { role } } organizations { name viewerRole }
      permissions } server { version replayWindow locales maxPageSize } }"""

    found = await answer(desk, document, await viewer_of(world.people["both"]))

    roles = {each["name"]: each["viewerRole"] for each in found["viewer"]["organizations"]}
    assert roles == {"Acme": "READ_ONLY", "Old": "LICENSE_MANAGER", "Own": "OWNER"}
    assert found["viewer"]["user"]["displayName"] == "both"
    assert found["viewer"]["user"]["staffProfile"] is None
    assert found["server"] == {
        "version": "0",
        "replayWindow": "P7D",
        "locales": ["en", "fr", "it", "pt", "ru"],
        "maxPageSize": 100,
    }
    user, organizations = 1, 1
    assert desk.engine.stats["statements"] == user + organizations
    assert (await answer(desk, document, await viewer_of(None)))["viewer"] == {
        "user": None, "organizations": [], "permissions": [],
    }  # fmt: skip


async def test_a_list_without_pages_is_read_by_its_resolver_and_shown_by_the_plan(desk: Desk, world: World) -> None:
    document = """query($id: ID!) { supportProjects { name requestTypes { key classifications { name } } }
      requestTypes(organizationId: $id) { key project { name } } }"""

    found = await answer(desk, document, await viewer_of(world.people["owner"]), id=gid(world.organizations["acme"]))

    listed = {each["key"]: each["classifications"] for p in found["supportProjects"] for each in p["requestTypes"]}
    assert listed == {"BARE": [], "FULL": [{"name": "Picture"}, {"name": "Sound"}]}
    assert [each["key"] for each in found["requestTypes"]] == ["BARE"], "the other needs a certificate"
    projects, below, classifications, request_types = 1, 1, 1, 1
    assert desk.engine.stats["statements"] == projects + below + classifications + request_types
    theirs = gid(world.organizations["other"])
    assert await left_alone(desk, document, await viewer_of(world.people["owner"]), id=theirs) == ["NOT_FOUND"]


async def test_a_device_is_found_by_its_number_where_the_viewer_may_know_it(desk: Desk, world: World) -> None:
    document = """query($id: ID!) { deviceBySerialNumber(organizationId: $id, serialNumber: " acme-1 ") {
      name serialNumber } }"""
    acme = gid(world.organizations["acme"])

    found = await answer(desk, document, await viewer_of(world.people["owner"]), id=acme)

    assert found == {"deviceBySerialNumber": {"name": "Same", "serialNumber": "ACME-1"}}
    assert await left_alone(desk, document, await viewer_of(world.people["stranger"]), id=acme) == ["FORBIDDEN"]
    assert await left_alone(desk, document, await viewer_of(world.people["other owner"]), id=acme) == ["NOT_FOUND"]


# --- many-to-many


async def test_devices_of_tickets_come_in_pages_with_one_statement_for_all_tickets(desk: Desk, world: World) -> None:
    document = f"""query($first: Int, $after: Cursor) {{
      tickets({EVERYTHING}, orderBy: {{field: REFERENCE, direction: ASC}}) {{ nodes {{
        devices(first: $first, after: $after) {{
          totalCount nodes {{ name }} edges {{ cursor }} pageInfo {{ hasNextPage }} }} }} }} }}"""
    viewer = await viewer_of(world.people["agent of staff"])

    found = await answer(desk, document, viewer, first=2)

    pages = [each["devices"] for each in found["tickets"]["nodes"]]
    assert [each["totalCount"] for each in pages][:7] == [0, 1, 2, 3, 4, 5, 5]
    assert [each["name"] for each in pages[5]["nodes"]] == ["D2", "D3"]
    assert [each["pageInfo"]["hasNextPage"] for each in pages][:4] == [False, False, False, True]
    page_of_tickets, page_of_devices, counts = 1, 1, 1
    assert desk.engine.stats["statements"] == page_of_tickets + page_of_devices + counts
    rest = await answer(desk, document, viewer, after=pages[5]["edges"][1]["cursor"])
    assert [each["name"] for each in rest["tickets"]["nodes"][5]["devices"]["nodes"]] == ["D4", "Same", "Same"]


# --- asked of a batched resolver


async def test_a_batched_resolver_is_asked_once_for_a_level_and_told_what_it_needs(
    desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[Any]] = []

    async def counted(ctx: Context, spaces: Any) -> Any:
        asked.append(list(spaces))
        return await coverages(ctx, spaces)

    monkeypatch.setattr("schema.inventory.coverages", counted)
    document = """query($id: ID!) { organization(id: $id) { rooms { nodes {
      name coverage { level benefits responseTarget channels } } } } }"""
    acme = world.organizations["acme"]

    found = await desk.planned(document, await viewer_of(world.people["owner"]), {"id": gid(acme)})

    assert found is not None
    levels = [each["coverage"]["level"] for each in found["organization"]["rooms"]["nodes"]]
    rooms = sorted((r for r in world.rows[models.Space] if r.organization_id == acme.id and r.name == "Rome"), key=str)
    assert levels == ["SELECT", "BASIC"]
    assert [sorted(each, key=str) for each in asked] == [sorted([(r.id,) for r in rooms], key=str)]


async def test_a_guard_decides_who_is_told_what_a_batched_resolver_gives(desk: Desk, world: World) -> None:
    document = "query($id: ID!) { ticket(id: $id) { associatedUsernames } }"
    ticket = gid(ticket_by(world, "read_only"))

    async def told(who: str) -> Any:
        return (await answer(desk, document, await viewer_of(world.people[who]), id=ticket))["ticket"]

    everybody = {"associatedUsernames": ["old.member", "own.member", "owner", "read_only"]}
    assert await told("agent of staff") == await told("owner") == everybody
    assert await told("read_only") == everybody
    assert await told("stranger") is None


async def test_who_takes_part_and_is_no_viewer_of_requests_is_told_no_names(desk: Desk, world: World) -> None:
    document = "query($id: ID!) { ticket(id: $id) { associatedUsernames } }"
    ticket = gid(ticket_by(world, "own member"))

    found = await answer(desk, document, await viewer_of(world.people["own member"]), id=ticket)

    assert found == {"ticket": {"associatedUsernames": []}}


async def test_whether_a_plan_is_in_force_follows_the_clock(desk: Desk, world: World) -> None:
    document = "query($id: ID!) { organization(id: $id) { certificates { number isActive products { name } } } }"
    viewer, acme = await viewer_of(world.people["owner"]), gid(world.organizations["acme"])
    clock: Any = desk.services.clock

    async def active() -> bool:
        (certificate,) = (await answer(desk, document, viewer, id=acme))["organization"]["certificates"]
        return bool(certificate["isActive"])

    assert await active() is True
    clock.advance(days=365)
    try:
        assert await active() is False
    finally:
        clock.advance(days=-365)


# --- ordinary resolvers below rows


async def test_an_ordinary_resolver_of_a_row_is_called_once_for_each_and_its_rows_are_read_in_one_statement(
    desk: Desk, world: World
) -> None:
    """No field of the product is one yet: this one is of a schema of its own."""
    schema, called = schema_with_an_ordinary_resolver()
    engine = Engine(schema._schema, desk.engine.reads, kind=viewer_kind, key=viewer_key, load=whole_rows)
    smaller = Desk(engine, desk.services)
    viewer = await viewer_of(world.people["agent of staff"])

    found = await smaller.planned("{ places { name shout first { name } double } }", viewer)

    assert found is not None
    named = sorted(each.name for each in world.organizations.values())
    assert [each["name"] for each in found["places"]] == named
    assert [each["shout"] for each in found["places"]] == [name.upper() for name in named]
    assert [each["first"] for each in found["places"]] == [{"name": named[0]}] * 5
    assert [each["double"] for each in found["places"]] == [name * 2 for name in named]
    assert sorted(called) == named
    places, of_first = 1, 1
    assert engine.stats["statements"] == places + of_first
    result = await schema.execute(
        "{ places { name shout first { name } double } }", context_value=Context(viewer, desk.services)
    )
    assert (result.data, result.errors) == (found, None)


def schema_with_an_ordinary_resolver() -> tuple[Schema, list[str]]:
    called: list[str] = []

    @strawberry.type
    class Named:
        name: str

    @strawberry.type
    class Place:
        name: str
        double: str = batched(lambda ctx, rows: [name * 2 for (name,) in rows], "Twice.", needs="name")

        @strawberry.field
        @staticmethod
        async def shout(root: Parent[models.Organization]) -> str:
            called.append(root.name)
            return root.name.upper()

        @strawberry.field
        @staticmethod
        async def first(root: Parent[models.Organization]) -> Named:
            return await models.Organization.all().order_by("name").first()  # type: ignore[return-value]

    for each in (Named, Place):
        each.engine_rows = Rows(models.Organization)  # type: ignore[attr-defined]
        each.is_type_of = classmethod(lambda cls, value, info: True)  # type: ignore[attr-defined]

    @strawberry.type
    class Query:
        @strawberry.field
        @staticmethod
        async def places(info: Info) -> list[Place]:
            return await models.Organization.all().order_by("name")  # type: ignore[return-value]

    return Schema(query=Query), called
