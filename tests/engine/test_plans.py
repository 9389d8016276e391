"""What plans must get right, case by case: guards, rows that are not seen, pages, and what is kept between questions.

`Desk.agreed` asks both ways and compares; these tests say besides what the answer is, and that there was one.
"""

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import strawberry
from strawberry import ID, Info

import models
from domain import policy
from domain.enums import Confidentiality, OrganizationRole
from domain.policy import Viewer
from engine import executing, held
from engine.declare import PLAN, Found, Rows
from engine.executing import Engine
from engine.planning import MOST_FIELDS
from engine.running import LONGEST_KEY, MOST_OF_EVERY
from engine.statements import NotPlannable
from resolvers import reading
from resolvers.context import Context
from resolvers.viewers import viewer_key, viewer_kind
from schema.access import Schema, guarded, signed_in
from schema.enums import DeniedBehavior
from tests.api.world import codes, gid
from tests.engine.desk import Desk, viewer_of
from tests.engine.documents import HOT, Hot
from tests.engine.world import World

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
EVERYTHING = "scope: ALL, filter: null"


async def answer(desk: Desk, document: str, viewer: Viewer, **variables: Any) -> Json:
    """The engine's answer, the same as graphql-core's; falling back is a failure."""
    found = await desk.agreed(document, viewer, variables)
    assert found is not None, desk.engine.stats
    return found


async def left_alone(desk: Desk, document: str, viewer: Viewer, **variables: Any) -> list[str | None]:
    """The codes of the errors that graphql-core answers with, where the engine does not answer."""
    assert await desk.planned(document, viewer, variables) is None
    _, errors = await desk.ordinary(document, viewer, variables)
    return codes(errors)


def ticket_by(world: World, requester: str) -> models.Ticket:
    """The first ticket that somebody opened."""
    person = world.people[requester]
    assert person is not None
    found: models.Ticket = next(each for each in world.rows[models.Ticket] if each.requester_id == person.id)
    return found


# --- hot documents


def filled(world: World, hot: Hot) -> Json:
    named = {f"<{kind.__name__}>": gid(rows[0]) for kind, rows in world.rows.items() if kind is not models.User}
    named["<reference>"] = world.rows[models.Ticket][0].reference

    def known(value: Any) -> Any:
        return [known(each) for each in value] if isinstance(value, list) else named.get(str(value), value)

    return {name: known(value) for name, value in hot.variables.items()}


@pytest.mark.parametrize("hot", HOT, ids=lambda hot: hot.name)
@pytest.mark.parametrize("who", ["agent of staff", "owner"])
async def test_what_a_portal_asks_never_falls_back(desk: Desk, world: World, hot: Hot, who: str) -> None:
    viewer, variables = await viewer_of(world.people[who]), filled(world, hot)

    for _ in range(2):
        found = await answer(desk, hot.document, viewer, **variables)

    assert None not in found.values()
    assert (desk.engine.stats["planned"], desk.engine.stats["fallbacks"], desk.engine.stats["bails"]) == (2, 0, 0)


# --- guards

EMAIL = "query($id: ID!) { ticket(id: $id) { requester { email } } }"
USERNAME = "query($id: ID!) { ticket(id: $id) { requester { username } assignee { username } } }"


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("member", True),
        ("owner", True),
        ("support_request_admin", True),
        ("agent of staff", True),
        ("read_only", False),
    ],
)
async def test_an_address_is_told_to_its_owner_to_managers_and_to_staff(
    desk: Desk, world: World, who: str, sees: bool
) -> None:
    person = world.people["member"]
    assert person is not None

    found = await answer(desk, EMAIL, await viewer_of(world.people[who]), id=gid(ticket_by(world, "member")))

    assert found == {"ticket": {"requester": {"email": person.email if sees else None}}}


async def test_a_guard_decides_for_each_row_of_a_page(desk: Desk, world: World) -> None:
    """`both` owns one organization and only reads in another: the same field is told and withheld in one answer."""
    viewer, both, own = await viewer_of(world.people["both"]), world.people["both"], world.people["own member"]
    assert both is not None
    assert own is not None
    document = f"{{ tickets({EVERYTHING}) {{ nodes {{ requester {{ displayName email }} }} }} }}"

    found = await answer(desk, document, viewer)

    told = {
        each["requester"]["displayName"]: each["requester"]["email"]
        for each in found["tickets"]["nodes"]
        if each["requester"]
    }
    withheld = dict.fromkeys(("member", "read_only", "owner"))
    assert told == {"own member": own.email, "both": both.email, **withheld}


async def test_a_refusal_that_has_to_be_worded_is_left_to_graphql_core(desk: Desk, world: World) -> None:
    ticket = gid(ticket_by(world, "own member"))
    staff, requester = await viewer_of(world.people["agent of staff"]), await viewer_of(world.people["own member"])
    for_staff = "query($id: ID!) { ticket(id: $id) { snoozedUntil } }"

    assert await answer(desk, USERNAME, staff, id=ticket) == {
        "ticket": {"requester": {"username": "own.member"}, "assignee": {"username": "staff.lead"}}
    }
    assert await left_alone(desk, USERNAME, requester, id=ticket) == ["FORBIDDEN"]
    assert await answer(desk, for_staff, staff, id=ticket) == {"ticket": {"snoozedUntil": None}}
    assert await left_alone(desk, for_staff, requester, id=ticket) == ["FORBIDDEN"]
    assert desk.engine.stats["bails:Bail"] == desk.engine.stats["bails"] == 2


async def test_a_guard_below_a_row_that_is_not_there_asks_nothing(desk: Desk, world: World) -> None:
    viewer = await viewer_of(world.people["agent of staff"])
    manager = await viewer_of(world.people["both"])
    document = "query($id: ID!) { ticket(id: $id) { onBehalfOf { name licenses { totalCount } } assignee { email } } }"
    ticket = gid(ticket_by(world, "both"))

    for each in (viewer, manager):
        assert await answer(desk, document, each, id=ticket) == {"ticket": {"onBehalfOf": None, "assignee": None}}


async def test_a_list_that_may_not_be_read_is_answered_with_an_empty_one(desk: Desk, world: World) -> None:
    """No field of the product is declared so yet and planned besides: this one is of a schema of its own."""
    acme = world.organizations["acme"]
    document = "query($id: ID!) { place(id: $id) { name domains } }"
    schema = schema_with_a_guarded_list()
    engine = Engine(schema._schema, desk.engine.reads, kind=viewer_kind, key=viewer_key)
    smaller = Desk(engine, desk.services)
    members = await viewer_of(world.people["owner"])
    managers_only = replace(
        members, memberships=(replace(members.memberships[0], role=OrganizationRole.LICENSE_MANAGER),)
    )

    for viewer, domains in ((members, ["acme.example", "acme.test"]), (managers_only, [])):
        context = Context(viewer, desk.services)
        ordinary = await schema.execute(document, variable_values={"id": str(acme.id)}, context_value=context)
        assert ordinary.errors is None
        found = await smaller.planned(document, viewer, {"id": str(acme.id)})
        assert found == ordinary.data == {"place": {"name": "Acme", "domains": domains}}


def schema_with_a_guarded_list() -> Schema:
    @strawberry.type
    class Place:
        name: str
        domains: list[str] = strawberry.field(directives=guarded(policy.SEE_MEMBERS, DeniedBehavior.EMPTY_LIST))

    Place.engine_rows = Rows(models.Organization)  # type: ignore[attr-defined]
    Place.is_type_of = classmethod(lambda cls, value, info: True)  # type: ignore[attr-defined]
    by_id = Found(models.Organization, "id", lambda args: args["id"], models.Organization.found_for)

    @strawberry.type
    class Query:
        @strawberry.field(directives=signed_in(), metadata={PLAN: by_id})  # type: ignore[untyped-decorator]
        async def place(self, info: Info, id: ID) -> Place | None:
            return await models.Organization.get_or_none(id=id)  # type: ignore[return-value]

    return Schema(query=Query)


# --- rows that are not seen


async def test_a_ticket_for_its_author_alone_is_null_for_everybody_else_but_staff(desk: Desk, world: World) -> None:
    (secret,) = [t for t in world.rows[models.Ticket] if t.confidentiality is Confidentiality.AUTHOR_ONLY]
    document = (
        "query($id: ID!, $r: String!) { ticket(id: $id) { subject } ticketByReference(reference: $r) { subject } }"
    )
    told = {"subject": secret.subject}

    for who, sees in {"member": True, "agent of staff": True, "owner": False, "stranger": False, "both": False}.items():
        found = await answer(
            desk, document, await viewer_of(world.people[who]), id=gid(secret), r=f" {secret.reference.lower()} "
        )
        assert found == dict.fromkeys(("ticket", "ticketByReference"), told if sees else None), who


async def test_tickets_of_other_organizations_and_from_before_the_history_are_not_there(
    desk: Desk, world: World
) -> None:
    document = f"{{ tickets({EVERYTHING}) {{ totalCount nodes {{ subject }} }} }}"

    found = await answer(desk, document, await viewer_of(world.people["old member"]))

    assert found == {"tickets": {"totalCount": 2, "nodes": [{"subject": "Subject 11"}, {"subject": "Subject 10"}]}}


async def test_what_does_not_exist_answers_like_what_is_not_seen(desk: Desk, world: World) -> None:
    viewer = await viewer_of(world.people["stranger"])
    document = "query($id: ID!) { ticket(id: $id) { id } }"

    for given in (gid(world.rows[models.Ticket][0]), "Ticket_00000000-0000-4000-8000-000000000000"):
        assert await answer(desk, document, viewer, id=given) == {"ticket": None}
    assert await left_alone(desk, document, viewer, id="nonsense") == ["INVALID"]
    assert await left_alone(desk, document, viewer, id=gid(world.rows[models.Product][0])) == ["NOT_FOUND"]


async def test_a_reply_to_something_internal_shows_staff_what_it_answers_and_a_customer_nothing(
    desk: Desk, world: World
) -> None:
    document = "query($id: ID!) { ticket(id: $id) { messages { nodes { body inReplyTo { body } } } } }"
    ticket = world.rows[models.Ticket][4]

    async def replies(who: str) -> Json:
        found = await answer(desk, document, await viewer_of(world.people[who]), id=gid(ticket))
        return {
            each["body"]: each["inReplyTo"] and each["inReplyTo"]["body"]
            for each in found["ticket"]["messages"]["nodes"]
        }

    assert await replies("agent of staff") == {
        "Message 0": None, "Message 1": "Message 0", "Message 2": None, "Message 3": "Message 2",
    }  # fmt: skip
    assert await replies("owner") == {"Message 0": None, "Message 1": "Message 0", "Message 3": None}


async def test_nobody_is_left_to_graphql_core(desk: Desk, world: World) -> None:
    nobody = await viewer_of(None)

    assert await left_alone(desk, f"{{ tickets({EVERYTHING}) {{ totalCount }} }}", nobody) == ["UNAUTHENTICATED"]
    assert await left_alone(desk, '{ ticket(id: "Ticket_x") { id } }', nobody) == ["UNAUTHENTICATED"]


# --- nothing of one viewer for another


async def test_viewers_who_take_turns_at_the_same_question_each_get_their_own_answer(desk: Desk, world: World) -> None:
    document = f"query($first: Int) {{ tickets({EVERYTHING}, first: $first) {{ totalCount nodes {{ id }} }} }}"
    expected = {"owner": 6, "old member": 2, "own member": 1, "other owner": 1, "agent of staff": 13, "stranger": 0}

    for _ in range(3):
        for who, count in expected.items():
            found = await answer(desk, document, await viewer_of(world.people[who]), first=50)
            assert found["tickets"]["totalCount"] == len(found["tickets"]["nodes"]) == count, who


async def test_the_same_person_with_other_memberships_is_another_viewer(desk: Desk, world: World) -> None:
    document = f"{{ tickets({EVERYTHING}) {{ totalCount }} organizations {{ totalCount }} }}"
    full = await viewer_of(world.people["both"])
    counts = {
        full: (9, 3),
        replace(full, memberships=()): (0, 0),
        replace(full, memberships=full.memberships[:1]): (6, 1),
        replace(full, scopes=frozenset()): (9, 3),
    }

    for viewer, (tickets, organizations) in [*counts.items(), *counts.items()]:
        found = await answer(desk, document, viewer)
        assert (found["tickets"]["totalCount"], found["organizations"]["totalCount"]) == (tickets, organizations)
    assert len(desk.engine.bindings) == 4


# --- pages


async def test_the_same_page_of_many_parents_takes_one_statement(desk: Desk, world: World) -> None:
    document = f"""query($first: Int, $last: Int) {{
      tickets({EVERYTHING}, orderBy: {{field: REFERENCE, direction: ASC}}) {{ nodes {{
        messages(first: $first, last: $last) {{
          nodes {{ body }} pageInfo {{ hasNextPage hasPreviousPage }} }} }} }} }}"""
    viewer = await viewer_of(world.people["agent of staff"])

    first = await answer(desk, document, viewer, first=2)
    last = await answer(desk, document, viewer, last=2)

    def bodies(found: Json) -> list[list[str]]:
        return [[m["body"] for m in each["messages"]["nodes"]] for each in found["tickets"]["nodes"]]

    numbers = range(13)
    assert bodies(first) == [[f"Message {m}" for m in range(n)][:2] for n in numbers]
    assert bodies(last) == [[f"Message {m}" for m in range(n)][-2:] for n in numbers]
    more = [each["messages"]["pageInfo"] for each in last["tickets"]["nodes"]]
    assert more == [{"hasNextPage": False, "hasPreviousPage": n > 2} for n in numbers]
    assert desk.engine.stats["statements"] == 4


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_pages_among_equals_leave_nothing_out_and_show_nothing_twice(
    desk: Desk, world: World, direction: str
) -> None:
    viewer = await viewer_of(world.people["agent of staff"])
    document = f"""query($first: Int, $after: Cursor, $last: Int, $before: Cursor) {{
      tickets({EVERYTHING}, orderBy: {{field: LAST_ACTIVITY_AT, direction: {direction}}},
              first: $first, after: $after, last: $last, before: $before) {{
        edges {{ cursor node {{ id }} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"""
    whole = [e["node"]["id"] for e in (await answer(desk, document, viewer, first=50))["tickets"]["edges"]]

    forwards: list[str] = []
    page: Json = {"hasNextPage": True, "endCursor": None}
    while page["hasNextPage"]:
        found = (await answer(desk, document, viewer, first=3, after=page["endCursor"]))["tickets"]
        forwards, page = forwards + [e["node"]["id"] for e in found["edges"]], found["pageInfo"]
    backwards: list[str] = []
    page = {"hasPreviousPage": True, "startCursor": None}
    while page["hasPreviousPage"]:
        found = (await answer(desk, document, viewer, last=3, before=page["startCursor"]))["tickets"]
        backwards, page = [e["node"]["id"] for e in found["edges"]] + backwards, found["pageInfo"]

    assert len(whole) == 13
    assert forwards == backwards == whole


async def test_what_cannot_be_paged_is_left_to_graphql_core(desk: Desk, world: World) -> None:
    viewer = await viewer_of(world.people["agent of staff"])
    document = f"""query($first: Int, $after: Cursor, $before: Cursor, $last: Int) {{
      tickets({EVERYTHING}, first: $first, after: $after, before: $before, last: $last) {{
        pageInfo {{ endCursor }} }} }}"""
    inner = """query($first: Int, $after: Cursor) { organizations { nodes {
      spaces(first: $first, after: $after) { pageInfo { endCursor } } } } }"""
    ours = (await answer(desk, document, viewer, first=3))["tickets"]["pageInfo"]["endCursor"]
    theirs = (await answer(desk, "{ organizations { pageInfo { endCursor } } }", viewer))["organizations"]["pageInfo"]

    assert await left_alone(desk, document, viewer, after=theirs["endCursor"]) == ["INVALID"]
    assert await left_alone(desk, document, viewer, before="nonsense") == ["INVALID"]
    assert await left_alone(desk, document, viewer, first=101) == ["INVALID"]
    assert await left_alone(desk, document, viewer, first=-1) == ["INVALID"]
    assert await left_alone(desk, document, viewer, first=1, last=1) == ["INVALID"]
    assert set(await left_alone(desk, inner, viewer, first=101)) == {"INVALID"}
    assert set(await left_alone(desk, inner, viewer, after=ours)) == {"INVALID"}
    assert await answer(desk, document, viewer, first=100, after=ours)


async def test_a_page_of_nothing_says_whether_there_is_something(desk: Desk, world: World) -> None:
    viewer = await viewer_of(world.people["owner"])
    document = """query($first: Int, $last: Int) { organizations(first: $first, last: $last) {
      nodes { id } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""

    empty: Json = {"nodes": [], "edges": []}
    ends = {"startCursor": None, "endCursor": None}
    assert await answer(desk, document, viewer, first=0) == {
        "organizations": {**empty, "pageInfo": {"hasNextPage": True, "hasPreviousPage": False, **ends}}
    }
    assert await answer(desk, document, viewer, last=0) == {
        "organizations": {**empty, "pageInfo": {"hasNextPage": False, "hasPreviousPage": True, **ends}}
    }


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


# --- what is kept


async def test_a_plan_is_made_once_for_a_document_a_kind_of_viewer_and_its_flags(desk: Desk, world: World) -> None:
    document = "query($id: ID!, $a: Boolean!) { ticket(id: $id) { id subject @include(if: $a) } }"
    viewers = [await viewer_of(world.people[who]) for who in ("agent of staff", "lead of staff", "owner", "stranger")]

    for _ in range(3):
        for viewer in viewers:
            for flag in (True, False):
                for ticket in world.rows[models.Ticket][:2]:
                    assert await desk.planned(document, viewer, {"id": gid(ticket), "a": flag}) is not None

    assert (desk.engine.stats["plans"], desk.engine.stats["planned"]) == (4, 48)
    assert len(desk.open(document).plans) == 4


async def test_everything_that_is_kept_has_a_bound_and_answers_stay_right_beyond_it(
    desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, most in {"MOST_BINDINGS": 2, "MOST_LISTS": 3, "MOST_STATEMENTS": 4}.items():
        monkeypatch.setattr(executing, name, most)
    monkeypatch.setattr(held, "MOST_VARIANTS", 2)
    flags = ("a", "b")
    document = """query($id: ID!, $n: String!, $a: Boolean!, $b: Boolean!) { ticket(id: $id) {
      subject @include(if: $a) reference @include(if: $b)
      messages(first: 1) { nodes { body attachments { fileName } } } }
      tickets(scope: ALL, filter: {references: [$n]}) { totalCount nodes { id subject @skip(if: $a) } } }"""
    viewers = [await viewer_of(world.people[who]) for who in ("owner", "agent of staff", "member", "both")]

    for turn in range(16):
        ticket = world.rows[models.Ticket][turn % 7]
        given: Mapping[str, Any] = {name: bool(turn >> place & 1) for place, name in enumerate(flags)}
        await answer(desk, document, viewers[turn // 2 % 4], id=gid(ticket), n=ticket.reference, **given)
        assert len(desk.engine.bindings) <= 2
        assert len(desk.open(document).plans) <= 2
        for binding in desk.engine.bindings.values():
            assert len(binding.lists) <= 4
            assert len(binding.statements) <= 8

    assert desk.engine.stats["plans"] == 16, "each was dropped before it was needed again, and made anew"


async def test_what_is_kept_of_one_viewer_stays_within_its_bound_and_what_one_question_needs(
    desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Statements, pages and conditions count together; the bound is held before each question, and not within one."""
    viewer = await viewer_of(world.people["owner"])
    ticket = gid(world.rows[models.Ticket][0])

    async def kept(selection: str) -> int:
        await answer(desk, f"query($id: ID!) {{ ticket(id: $id) {{ {selection} }} }}", viewer, id=ticket)
        (binding,) = desk.engine.bindings.values()
        return len(binding.statements) + len(binding.fragments) + len(binding.pages)

    selections = [f"a{number}: messages(first: 1) {{ nodes {{ body }} }}" for number in range(40)]
    one_question = await kept(selections[0])
    monkeypatch.setattr(executing, "MOST_STATEMENTS", most := 20)

    sizes = [await kept(each) for each in selections[1:]]

    assert max(sizes) <= most + one_question
    assert sorted(sizes) != sizes, "it was emptied in between"


async def test_plans_of_all_documents_together_have_a_bound(
    desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By their fields: a large plan counts for more. What was made first goes first, and is made again when asked."""
    viewer, ticket = await viewer_of(world.people["owner"]), gid(world.rows[models.Ticket][0])
    desk.engine.held = held.HeldPlans()
    monkeypatch.setattr(held, "MOST_HELD_FIELDS", 40)
    documents = [
        f"query($id: ID!) {{ ticket(id: $id) {{ {' '.join(f'{letter}{n}: subject' for n in range(size))} }} }}"
        for letter, size in zip("abcde", (9, 9, 9, 30, 1), strict=True)
    ]

    for document in documents:
        await answer(desk, document, viewer, id=ticket)
        assert desk.engine.held.fields <= 40

    assert [len(desk.open(document).plans) for document in documents] == [0, 0, 0, 1, 1]
    await answer(desk, documents[0], viewer, id=ticket)
    assert desk.engine.stats["plans"] == 6


async def test_a_list_by_very_long_arguments_is_answered_and_not_kept(desk: Desk, world: World) -> None:
    document = "query($given: [String!]) { tickets(scope: ALL, filter: {references: $given}) { totalCount } }"
    viewer = await viewer_of(world.people["agent of staff"])

    await answer(desk, document, viewer, given=["x" * LONGEST_KEY])
    await answer(desk, document, viewer, given=["x"])

    (binding,) = desk.engine.bindings.values()
    assert len(binding.lists) == 1


async def test_viewers_with_the_same_statement_share_its_text(desk: Desk, world: World) -> None:
    document = "query($id: ID!) { ticket(id: $id) { subject } }"
    for who in ("owner", "admin"):
        await answer(desk, document, await viewer_of(world.people[who]), id=gid(world.rows[models.Ticket][0]))

    one, other = (next(iter(binding.statements.values())) for binding in desk.engine.bindings.values())
    assert one is other


async def test_what_is_not_a_query_or_not_in_the_document_is_not_answered(desk: Desk) -> None:
    viewer = await viewer_of(None)

    for document in ("mutation { __typename }", "subscription { __typename }"):
        assert await desk.planned(document, viewer) is None
        with pytest.raises(NotPlannable, match="not a query"):
            await desk.engine.shown(desk.open(document), {}, Context(viewer, desk.services))
    assert await desk.planned("{ __typename }", viewer) == {"__typename": "Query"}
    assert await desk.planned("{ __schema { types { name } } }", viewer) is None
    assert dict(desk.engine.stats) == {
        "plans": 2,
        "planned": 1,
        "fallbacks": 1,
        "statements": 0,
        "unplanned: __schema": 1,
    }
