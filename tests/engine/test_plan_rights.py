"""What a viewer may see, in plans: guards, rows that are not seen, and nothing of one viewer for another."""

from dataclasses import replace
from typing import Any

import pytest
import strawberry
from strawberry import ID, Info

import models
from domain import policy
from domain.enums import Confidentiality, OrganizationRole
from domain.policy import Viewer
from engine.declare import PLAN, Found, Rows
from engine.executing import Engine
from resolvers.context import Context
from resolvers.viewers import viewer_key, viewer_kind
from schema.access import Schema, guarded, signed_in
from schema.enums import DeniedBehavior
from tests.api.world import codes, gid
from tests.engine.asking import EVERYTHING, Json, answer, left_alone, ticket_by
from tests.engine.desk import Desk, viewer_of
from tests.engine.world import World

pytestmark = pytest.mark.anyio


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


async def refused(desk: Desk, document: str, viewer: Viewer, **variables: Any) -> tuple[Json, list[list[Any]]]:
    """The engine's answer with what is refused in it, by path; the same as graphql-core's."""
    assert await desk.agreed(document, viewer, variables) is None
    found = await desk.engine.answer(desk.open(document), variables, Context(viewer, desk.services))
    assert found is not None, desk.engine.stats
    assert set(codes(found.errors)) == {"FORBIDDEN"}
    return found.data, [each.path or [] for each in found.errors]


async def test_a_refusal_is_worded_beside_what_may_be_read(desk: Desk, world: World) -> None:
    ticket = gid(ticket_by(world, "own member"))
    staff, requester = await viewer_of(world.people["agent of staff"]), await viewer_of(world.people["own member"])
    for_staff = "query($id: ID!) { ticket(id: $id) { when: snoozedUntil subject } }"

    assert await answer(desk, USERNAME, staff, id=ticket) == {
        "ticket": {"requester": {"username": "own.member"}, "assignee": {"username": "staff.lead"}}
    }
    data, paths = await refused(desk, USERNAME, requester, id=ticket)
    assert data == {"ticket": {"requester": {"username": "own.member"}, "assignee": {"username": None}}}
    assert paths == [["ticket", "assignee", "username"]]
    data, paths = await refused(desk, for_staff, requester, id=ticket)
    assert (data["ticket"]["when"], paths) == (None, [["ticket", "when"]])
    assert desk.engine.stats["bails"] == 0


async def test_a_refusal_in_a_list_is_worded_for_each_of_its_places(desk: Desk, world: World) -> None:
    document = f"{{ tickets({EVERYTHING}) {{ edges {{ node {{ assignee {{ id username }} }} }} }} }}"

    data, paths = await refused(desk, document, await viewer_of(world.people["both"]))

    edges = data["tickets"]["edges"]
    withheld = [n for n, each in enumerate(edges) if each["node"]["assignee"]]
    assert paths == [["tickets", "edges", n, "node", "assignee", "username"] for n in withheld]
    assert len(withheld) > 1


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


# --- what another organization's row leads to

ELSEWHERE = """query($ticket: ID!, $device: ID!, $space: ID!, $organization: ID!) {
  ticket(id: $ticket) { space { name } certificate { number } }
  device: node(id: $device) { ... on Device { space { name } } }
  space: node(id: $space) { ... on Space { group { name parent { name } } } }
  organization(id: $organization) { licenses(first: 1) { nodes { space { name } } } } }"""


async def test_what_refers_to_another_organizations_row_shows_nothing_of_it(desk: Desk, world: World) -> None:
    """No key of the database keeps a ticket's room, say, to the ticket's organization: the plan asks for each."""
    ticket = ticket_by(world, "owner")
    mine: dict[type[Any], Any] = {}
    theirs: dict[type[Any], Any] = {}
    for kind in (models.Space, models.ServiceCertificate, models.Device, models.ServiceLicense, models.SpaceGroup):
        for row in await kind.all().order_by("id"):
            (mine if row.organization_id == ticket.organization_id else theirs).setdefault(kind, row)
    space, license = mine[models.Space], mine[models.ServiceLicense]
    ids = {
        "ticket": gid(ticket),
        "device": gid(mine[models.Device]),
        "space": gid(space),
        "organization": f"Organization_{ticket.organization_id}",
    }
    their_group = await models.SpaceGroup.create(
        organization_id=theirs[models.Space].organization_id, name="Somewhere else"
    )
    for row, name, there in (
        (ticket, "space", theirs[models.Space]),
        (ticket, "certificate", theirs[models.ServiceCertificate]),
        (mine[models.Device], "space", theirs[models.Space]),
        (license, "space", theirs[models.Space]),
        (space, "group", their_group),
    ):
        await type(row).filter(id=row.id).update(**{f"{name}_id": there.id})

    found = await answer(desk, ELSEWHERE, await viewer_of(world.people["owner"]), **ids)
    by_staff = await answer(desk, ELSEWHERE, await viewer_of(world.people["lead of staff"]), **ids)

    assert found == {
        "ticket": {"space": None, "certificate": None},
        "device": {"space": None},
        "space": {"group": None},
        "organization": {"licenses": {"nodes": [{"space": None}]}},
    }
    assert by_staff["ticket"]["space"] == {"name": theirs[models.Space].name}
    assert by_staff["space"] == {"group": {"name": "Somewhere else", "parent": None}}
