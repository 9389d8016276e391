"""J5, S37: every filter of a list, alone, on a large desk, forwards and backwards; and the tickets of one place."""

import json
import sqlite3
from contextlib import closing
from typing import Any

import asyncpg
import pytest

from bench.world import key
from domain.policy import Viewer
from models.database import sqlite_path
from schema.enums import TicketOrderField
from tests.api.bad_input import printed
from tests.scale.conftest import WORLD, Desk, _plain
from tests.scale.test_reading_at_scale import ACTIVE, EVERYWHERE, HERE, PAGE, RARE, SORTED, wasted

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]


def id_of(kind: str, number: int, name: str = "") -> str:
    return f"{name or kind.title()}_{key(kind, number)}"


THEN = {"gte": "2020-01-01T00:00:00Z", "lt": "2020-01-02T00:00:00Z"}

SELECTIVE: dict[str, Any] = {
    "organizationIds": [id_of("organization", 3)],
    "requesterIds": [str(f"User_{WORLD.member(3, 3)}")],
    "assigneeIds": [f"User_{WORLD.agent(1)}"],
    "followerIds": [f"User_{WORLD.manager}"],
    "hasRequester": False,
    "spaceIds": [id_of("space", 3, "Room")],
    "roomIds": [id_of("space", 3, "Room")],
    "deskIds": [id_of("space", 3, "Desk")],
    "deviceIds": [id_of("device", 3)],
    "references": [RARE],
    "escalationReferences": ["CP-00001"],
    "createdAt": THEN,
    "lastActivityAt": THEN,
    "text": RARE,
    "isEscalated": True,
    "displayStatuses": ["ESCALATED"],
    "isOnBehalf": True,
    "onBehalfOfOrganizationIds": [id_of("organization", 3)],
    "serviceLevels": ["SELECT"],
    "issueTypeIds": [f"IssueType_{key('product', 3)}"],
    "requestTypeKeys": ["hardly ever"],
}
"""What few tickets have: they are found by what is asked for."""

COMMON: dict[str, Any] = {
    "statuses": ["OPEN"],
    "displayStatuses": ["OPEN"],
    "isActive": True,
    "isEscalated": False,
    "channels": ["CHAT"],
    "priorities": ["NORMAL"],
    "isOnBehalf": False,
    "serviceLevels": ["BASIC"],
    "requestTypeKeys": ["TECHNICAL"],
    "productIds": [id_of("product", 3)],
    "unreadOnly": True,
    "not": {"statuses": ["CLOSED"]},
    "or": [{"statuses": ["OPEN"]}, {"statuses": ["PENDING_CUSTOMER"]}],
    "and": [{"statuses": ["OPEN"]}, {"priorities": ["NORMAL"]}],
}
"""What many have: the order is walked until the page is full."""

FEW_ANYWHERE = ("isEscalated", "displayStatuses", "isOnBehalf", "onBehalfOfOrganizationIds")
"""Those among them that few have in every organization: in whatever order, it is not walked."""

MOST_STEPS = {"sqlite": 20_000, "postgres": 400}
"""Instructions of SQLite's machine, and rows that PostgreSQL looks at, for a page of 20 of what few have. Looking at
each of the tickets takes from 80 000, and 20 000."""


async def effort(desk: Desk, sql: str, values: Any) -> int:
    """What a statement takes, counted."""
    if desk.on_sqlite:
        taken = [0]

        def step() -> int:
            taken[0] += 100
            return 0

        with closing(sqlite3.connect(sqlite_path(desk.url))) as db:
            db.set_progress_handler(step, 100)
            db.execute(sql, tuple(map(_plain, values))).fetchall()
        return taken[0]
    db = await asyncpg.connect(desk.url)
    try:
        await db.execute("SET enable_seqscan = off")
        (row,) = await db.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *values)
    finally:
        await db.close()
    return _rows(json.loads(row[0])[0]["Plan"])


def _rows(node: dict[str, Any]) -> int:
    if node.get("Relation Name") == "app_user":
        return 0  # the people of a page: where they are few in all, they are read through and hashed
    dropped = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    own = int((node["Actual Rows"] + dropped) * node["Actual Loops"])
    return own + sum(_rows(child) for child in node.get("Plans", ()))


def test_every_filter_is_looked_at() -> None:
    kind: Any = printed().type_map["TicketFilter"]

    assert SELECTIVE.keys() | COMMON.keys() == set(kind.fields)


async def test_what_few_tickets_have_is_found_without_looking_at_the_others(desk: Desk, agent: Viewer) -> None:
    """J5, S37, S39: by an agent, before whom lies everything."""
    most = MOST_STEPS["sqlite" if desk.on_sqlite else "postgres"]
    taken = {}
    for name, value in SELECTIVE.items():
        _, (statement,) = await desk.answer(PAGE, agent, first=20, filter={name: value}, **EVERYWHERE)
        taken[name] = await effort(desk, *statement)

    assert {name: steps for name, steps in taken.items() if steps > most} == {}


@pytest.mark.parametrize("also", [{}, ACTIVE], ids=["of all", "of the active ones"])
async def test_what_few_have_is_found_in_every_order_and_within_an_organization(
    desk: Desk, agent: Viewer, manager: Viewer, also: dict[str, Any]
) -> None:
    """J5, S37: also where the list is narrowed to its active tickets, as it is at first."""
    most = MOST_STEPS["sqlite" if desk.on_sqlite else "postgres"]
    taken = {}
    for viewer, where in ((agent, EVERYWHERE), (manager, HERE)):
        for name in FEW_ANYWHERE:
            for field in TicketOrderField:
                given = {"filter": {name: SELECTIVE[name], **also}, "orderBy": {"field": field.value}, **where}
                _, (statement,) = await desk.answer(PAGE, viewer, first=20, **given)
                taken[f"{name} {where['scope']} {field}"] = await effort(desk, *statement)

    assert {name: steps for name, steps in taken.items() if steps > most} == {}


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_a_list_in_the_order_of_what_it_is_filtered_by_begins_there(
    desk: Desk, agent: Viewer, manager: Viewer, direction: str
) -> None:
    """J5, S36: active tickets by status are not behind all closed ones, nor those of a priority behind the others."""
    most = MOST_STEPS["sqlite" if desk.on_sqlite else "postgres"]
    asked = {
        "STATUS": [ACTIVE, {"isActive": False}, {"statuses": ["ON_HOLD"]}],
        "PRIORITY": [{"priorities": ["NORMAL"]}, {"priorities": ["NORMAL", "HIGH"]}],
        "SERVICE_LEVEL": [{"serviceLevels": ["SELECT"]}, {"serviceLevels": ["ESSENTIAL", "SELECT"]}],
    }
    taken = {}
    for viewer, where in ((agent, EVERYWHERE), (manager, HERE)):
        for field, filters in asked.items():
            for wanted in filters:
                if viewer is manager and wanted == {"isActive": False}:
                    continue  # hers are all open but for a few
                order = {"field": field, "direction": direction}
                _, (statement,) = await desk.answer(PAGE, viewer, first=20, filter=wanted, orderBy=order, **where)
                taken[f"{where['scope']} {wanted}"] = await effort(desk, *statement)

    assert {name: steps for name, steps in taken.items() if steps > most} == {}


async def test_what_many_have_is_read_in_the_order_of_the_list(desk: Desk, agent: Viewer, manager: Viewer) -> None:
    """J5: until the page is full, and never all of it."""
    found = {}
    for viewer, where in ((agent, EVERYWHERE), (manager, HERE)):
        for name, value in COMMON.items():
            _, (statement,) = await desk.answer(PAGE, viewer, first=20, filter={name: value}, **where)
            steps = await desk.explained(*statement, index_only=True)
            found[f"{name} {where['scope']}"] = [each for each in steps if each in {"SCAN ticket", "Seq Scan ticket"}]

    assert {name: steps for name, steps in found.items() if steps} == {}


BACKWARDS = """query($scope: TicketListScope!, $o: ID, $filter: TicketFilter, $orderBy: TicketOrder, $before: Cursor) {
  tickets(scope: $scope, organizationId: $o, filter: $filter, orderBy: $orderBy, last: 20, before: $before) {
    nodes { id subject } pageInfo { startCursor hasPreviousPage } } }"""


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_pages_backwards_are_read_from_an_index_and_not_sorted(
    desk: Desk, manager: Viewer, agent: Viewer, direction: str
) -> None:
    """J5, S36: the last page and the last but one, in every order and both directions."""
    found = {}
    for viewer, where in ((manager, HERE), (agent, EVERYWHERE)):
        for field in TicketOrderField:
            order = {"field": field.value, "direction": direction}
            before = None
            for page in ("last", "last but one"):
                given = {"filter": {"isActive": True}, "orderBy": order, "before": before, **where}
                data, (statement,) = await desk.answer(BACKWARDS, viewer, **given)
                assert len(data["tickets"]["nodes"]) == 20
                found[f"{where['scope']} {field} {page}"] = await wasted(desk, [statement])
                before = data["tickets"]["pageInfo"]["startCursor"]

    assert {name: steps for name, steps in found.items() if steps} == {}


async def test_the_tickets_of_one_room_are_found_by_their_index(desk: Desk, agent: Viewer) -> None:
    """S39."""
    most = MOST_STEPS["sqlite" if desk.on_sqlite else "postgres"]
    asked = {
        "room": (id_of("space", 3, "Room"), "Room"),
        "device": (id_of("device", 3), "Device"),
    }
    for name, (id, kind) in asked.items():
        query = f'{{ node(id: "{id}") {{ ... on {kind} {{ tickets(first: 20) {{ nodes {{ id subject }} }} }} }} }}'
        data, statements = await desk.answer(query, agent)
        assert data["node"], name
        for statement in statements:
            assert set(await wasted(desk, [statement])) <= SORTED, name
            assert await effort(desk, *statement) <= most, name
