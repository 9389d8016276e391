"""What plans must get right, case by case: what a portal asks, selections, arguments and variables."""

import inspect
from typing import Any

import pytest

import models
from engine.objects import MOST_FIELDS
from engine.running import MOST_OF_EVERY
from resolvers import reading
from tests.api.world import gid
from tests.engine.asking import EVERYTHING, Json, answer, filled, left_alone, ticket_by
from tests.engine.desk import Desk, viewer_of
from tests.engine.documents import HOT, Hot
from tests.engine.world import World

pytestmark = pytest.mark.anyio


# --- hot documents


@pytest.mark.parametrize("hot", HOT, ids=lambda hot: hot.name)
@pytest.mark.parametrize("who", ["agent of staff", "owner"])
async def test_what_a_portal_asks_never_falls_back(desk: Desk, world: World, hot: Hot, who: str) -> None:
    viewer, variables = await viewer_of(world.people[who]), filled(world, hot)

    for _ in range(2):
        found = await answer(desk, hot.document, viewer, **variables)

    assert None not in found.values()
    assert (desk.engine.stats["planned"], desk.engine.stats["fallbacks"], desk.engine.stats["bails"]) == (2, 0, 0)


# --- selections


async def test_a_row_without_its_optional_part_stays_though_that_part_would_need_another(
    desk: Desk, world: World
) -> None:
    """What every space has, an organization, a ticket without a space does not: the ticket must not go with it."""
    document = f"""{{ tickets({EVERYTHING}, first: 50) {{ totalCount nodes {{
      space {{ organization {{ name }} }} productVersion {{ product {{ name }} }}
      requestType {{ project {{ name }} }} }} }} }}"""

    found = await answer(desk, document, await viewer_of(world.people["agent of staff"]))

    assert len(found["tickets"]["nodes"]) == found["tickets"]["totalCount"] == 13
    assert {"space": None, "productVersion": None, "requestType": None} in found["tickets"]["nodes"]


async def test_the_same_field_in_several_fragments_is_one_field(desk: Desk, world: World) -> None:
    document = """query($id: ID!) { ticket(id: $id) { ...A space { name } ... on Node { id } ...B } }
      fragment A on Ticket { space { ... on Room { capacity } } requester { displayName } }
      fragment B on Ticket { requester { id } space { __typename group { name } ... on Desk { desk: name } } }"""
    ticket = world.rows[models.Ticket][0]

    found = await answer(desk, document, await viewer_of(world.people["member"]), id=gid(ticket))

    assert list(found["ticket"]) == ["space", "requester", "id"]
    assert found["ticket"]["space"] == {
        "capacity": 12, "name": "Rome", "__typename": "Room", "group": {"name": "Floor"},
    }  # fmt: skip


async def test_aliases_of_one_relation_select_apart(desk: Desk, world: World) -> None:
    document = """query($id: ID!) { ticket(id: $id) {
      a: requester { displayName } b: requester { __typename email } owner { displayName }
      one: messages(first: 1) { nodes { body } two: nodes { text: body }
        edges { node { sequence } again: node { body } cursor } }
      last: messages(last: 1) { edges { n: node { body } } totalCount count: totalCount } } }"""
    ticket = ticket_by(world, "own member")

    found = await answer(desk, document, await viewer_of(world.people["own member"]), id=gid(ticket))

    assert found["ticket"]["a"] == {"displayName": "own member"}
    assert list(found["ticket"]["b"]) == ["__typename", "email"]
    assert found["ticket"]["one"]["two"] == [{"text": "Message 0"}]
    assert list(found["ticket"]["one"]["edges"][0]) == ["node", "again", "cursor"]
    assert found["ticket"]["last"] == {"edges": [{"n": {"body": "Message 6"}}], "totalCount": 5, "count": 5}


async def test_one_fragment_on_two_people_reads_the_lists_of_each(desk: Desk, world: World) -> None:
    document = """query($id: ID!) { ticket(id: $id) { requester { ...P } owner { ...P } } }
      fragment P on User { memberships { role user { displayName } } }"""
    ticket = gid(ticket_by(world, "read_only"))

    found = await answer(desk, document, await viewer_of(world.people["agent of staff"]), id=ticket)

    assert found["ticket"] == {
        "requester": {"memberships": [{"role": "READ_ONLY", "user": {"displayName": "read_only"}}]},
        "owner": {"memberships": [{"role": "OWNER", "user": {"displayName": "owner"}}]},
    }


async def test_only_the_name_of_a_type_still_asks_whether_the_row_is_seen(desk: Desk, world: World) -> None:
    document = "query($id: ID!) { ticket(id: $id) { __typename } }"
    ticket = gid(ticket_by(world, "own member"))

    assert await answer(desk, document, await viewer_of(world.people["own member"]), id=ticket) == {
        "ticket": {"__typename": "Ticket"}
    }
    assert await answer(desk, document, await viewer_of(world.people["owner"]), id=ticket) == {"ticket": None}


async def test_what_hangs_below_an_interface_is_read_once_for_all_of_its_types(desk: Desk, world: World) -> None:
    document = "query($id: ID!) { ticket(id: $id) { messages { nodes { attachments { fileName } } } } }"

    await answer(desk, document, await viewer_of(world.people["agent of staff"]), id=gid(world.rows[models.Ticket][12]))

    assert desk.engine.stats["statements"] == 3


async def test_interfaces_inside_interfaces_do_not_make_a_plan_without_end(desk: Desk, world: World) -> None:
    nested = "inReplyTo { " * 9 + "body" + " }" * 9
    document = f"query($id: ID!) {{ ticket(id: $id) {{ messages {{ nodes {{ {nested} }} }} }} }}"
    viewer = await viewer_of(world.people["agent of staff"])

    assert await left_alone(desk, document, viewer, id=gid(world.rows[models.Ticket][3])) == []
    assert [name for name in desk.engine.stats if f"more than {MOST_FIELDS} fields" in name]


# --- arguments and variables


async def test_a_variable_inside_an_argument_makes_another_list(desk: Desk, world: World) -> None:
    document = """query($active: Boolean, $way: OrderDirection! = ASC) {
      tickets(scope: ALL, filter: {not: {isActive: $active}}, orderBy: {field: REFERENCE, direction: $way}) {
        nodes { subject } } }"""
    viewer = await viewer_of(world.people["agent of staff"])

    async def subjects(**variables: Any) -> list[str]:
        nodes = (await answer(desk, document, viewer, **variables))["tickets"]["nodes"]
        return [each["subject"].removeprefix("Subject ") for each in nodes]

    open_ones = ["0", "1", "2", "3", "4", "7", "8", "9", "10", "11", "12"]
    assert await subjects(active=True) == ["5", "6"]
    assert await subjects(active=False) == open_ones
    assert await subjects(active=True, way="DESC") == ["6", "5"]
    assert await subjects(active=False, way="DESC") == open_ones[::-1]
    assert await subjects(active=True) == ["5", "6"]


async def test_a_filter_that_is_left_out_is_not_the_one_that_is_null(desk: Desk, world: World) -> None:
    document = "query($filter: TicketFilter) { tickets(scope: ALL, filter: $filter) { totalCount } }"
    with_default = document.replace("TicketFilter)", "TicketFilter = {statuses: [CLOSED]})")
    viewer = await viewer_of(world.people["agent of staff"])

    async def count(document: str, **variables: Any) -> int:
        return int((await answer(desk, document, viewer, **variables))["tickets"]["totalCount"])

    for _ in range(2):
        assert await count(document) == 11
        assert await count(document, filter=None) == 13
        assert await count(document, filter={}) == 13
        assert await count(with_default) == 1
        assert await count(with_default, filter=None) == 13
    assert await left_alone(desk, document, viewer, filter={"statuses": ["NONE"]}) == [None]


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({"requestTypeKeys": ["FULL", "BARE"]}, 2),
        ({"not": {"requestTypeKeys": ["FULL"]}}, 12),
        ({"statuses": []}, 0),
        ({"or": []}, 0),
        ({"and": []}, 13),
        ({"createdAt": {"lt": "2026-01-05T10:30:00+00:00"}}, 11),
    ],
    ids=str,
)
async def test_a_filter_that_asks_other_tables_or_nothing_at_all_is_planned_too(
    desk: Desk, world: World, given: Json, count: int
) -> None:
    document = "query($filter: TicketFilter) { tickets(scope: ALL, filter: $filter) { totalCount nodes { id } } }"

    found = await answer(desk, document, await viewer_of(world.people["agent of staff"]), filter=given)

    assert found["tickets"]["totalCount"] == len(found["tickets"]["nodes"]) == count


async def test_escalations_of_an_organization_are_planned(desk: Desk, world: World) -> None:
    document = "query($id: ID) { escalations(organizationId: $id) { totalCount } }"
    viewer = await viewer_of(world.people["agent of staff"])

    counts = [
        (await answer(desk, document, viewer, id=gid(each)))["escalations"]["totalCount"]
        for each in world.organizations.values()
    ]

    assert counts == [6, 0, 2, 2, 0]


async def test_a_flag_inside_a_part_that_is_left_out_at_first_counts_later(desk: Desk, world: World) -> None:
    document = """query($id: ID!, $outer: Boolean!, $inner: Boolean!) { ticket(id: $id) {
      reference ... @include(if: $outer) { subject @skip(if: $inner) } } }"""
    viewer, ticket = await viewer_of(world.people["agent of staff"]), world.rows[models.Ticket][0]

    for outer, inner, keys in [
        (False, True, ["reference"]),
        (True, True, ["reference"]),
        (True, False, ["reference", "subject"]),
        (False, False, ["reference"]),
    ]:
        found = await answer(desk, document, viewer, id=gid(ticket), outer=outer, inner=inner)
        assert list(found["ticket"]) == keys


async def test_a_flag_that_is_null_is_left_to_graphql_core(desk: Desk, world: World) -> None:
    document = "query($id: ID!, $with: Boolean = true) { ticket(id: $id) { id subject @include(if: $with) } }"
    viewer, ticket = await viewer_of(world.people["agent of staff"]), gid(world.rows[models.Ticket][0])

    assert len((await answer(desk, document, viewer, id=ticket))["ticket"]) == 2
    assert len(await left_alone(desk, document, viewer, id=ticket, **{"with": None})) == 1
    assert len((await answer(desk, document, viewer, id=ticket, **{"with": False}))["ticket"]) == 1


async def test_a_part_that_cannot_be_planned_spoils_only_the_questions_that_include_it(
    desk: Desk, world: World
) -> None:
    document = """query($id: ID!, $all: Boolean!) { ticket(id: $id) { id }
      __type(name: "Ticket") @include(if: $all) { name } }"""
    viewer, ticket = await viewer_of(world.people["agent of staff"]), gid(world.rows[models.Ticket][0])

    assert await left_alone(desk, document, viewer, id=ticket, all=True) == []
    assert await answer(desk, document, viewer, id=ticket, all=False) == {"ticket": {"id": ticket}}
    assert (desk.engine.stats["fallbacks"], desk.engine.stats["unplanned: __type"]) == (1, 1)


async def test_fields_that_give_every_row_give_as_many_as_their_resolvers() -> None:
    assert inspect.signature(reading.every_child).parameters["most"].default == MOST_OF_EVERY
