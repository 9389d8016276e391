"""J5: how a large desk is read. Both engines are asked for their plans: no page is found by looking at every ticket, or
by sorting them all."""

from collections.abc import Iterable
from typing import Any

import pytest

from bench.world import key
from domain.enums import SearchKind
from domain.policy import Viewer
from engine.keyset import PageArgs
from models.database import reader
from resolvers import searching, suggestions
from schema.enums import TicketOrderField
from tests.scale.conftest import WORLD, Desk

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]  # the first one waits for the desk to be filled

PAGE = """query($scope: TicketListScope!, $o: ID, $filter: TicketFilter, $orderBy: TicketOrder, $first: Int,
              $after: Cursor) {
  tickets(scope: $scope, organizationId: $o, filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    nodes { id subject requester { displayName } } pageInfo { endCursor hasNextPage } } }"""
COUNT = """query($scope: TicketListScope!, $o: ID, $filter: TicketFilter) {
  tickets(scope: $scope, organizationId: $o, filter: $filter) { totalCount } }"""
HERE = {"scope": "ORGANIZATION", "o": f"Organization_{key('organization', 0)}"}
EVERYWHERE = {"scope": "ALL", "o": None}
ACTIVE = {"isActive": True}
NARROW = {"statuses": ["OPEN"], "priorities": ["NORMAL"]}
RARE = f"T-{WORLD.tickets - 4}"
"""A word of few tickets: the reference of one of organization 0."""


SORTED = {"Sort", "USE TEMP B-TREE FOR ORDER BY"}


def wasteful(steps: Iterable[str]) -> list[str]:
    """Steps that cost more the more there is: every row looked at, or sorted, or read into a filter of a join."""
    tables = ("ticket", "search_document", "d", "t", "message", "timeline_event")
    bad = SORTED | {f"Seq Scan {table}" for table in tables} | {f"SCAN {table}" for table in tables}
    return [step for step in steps if step in bad or step.startswith("BLOOM FILTER")]


async def wasted(desk: Desk, statements: list[tuple[str, Any]]) -> list[str]:
    assert statements
    return [step for each in statements for step in wasteful(await desk.explained(*each))]


async def tenth(desk: Desk, viewer: Viewer, **given: Any) -> Any:
    """The cursor after nine pages."""
    after = None
    for _ in range(9):
        data, _ = await desk.answer(PAGE, viewer, first=5, after=after, **given)
        after = data["tickets"]["pageInfo"]["endCursor"]
    assert after
    return after


@pytest.mark.parametrize("scope", ["an organization", "everything"])
async def test_pages_in_every_order_are_read_from_an_index_and_not_sorted(
    desk: Desk, manager: Viewer, agent: Viewer, scope: str
) -> None:
    """J5, S02, S35, S36: the first page, the tenth one, and a filtered one."""
    viewer, where = (manager, HERE) if scope == "an organization" else (agent, EVERYWHERE)
    found: dict[str, list[str]] = {}
    for field in TicketOrderField:
        order = {"field": field.value, "direction": "DESC"}
        after = await tenth(desk, viewer, orderBy=order, filter=ACTIVE, **where)
        for name, given in (
            ("first", {"filter": ACTIVE}),
            ("tenth", {"filter": ACTIVE, "after": after}),
            ("filtered", {"filter": NARROW}),
        ):
            data, statements = await desk.answer(PAGE, viewer, first=20, orderBy=order, **where, **given)
            assert len(data["tickets"]["nodes"]) == 20
            assert len(statements) == 1
            found[f"{name} by {field}"] = await wasted(desk, statements)

    assert {name: steps for name, steps in found.items() if steps} == {}


async def test_ones_own_tickets_are_found_by_index(desk: Desk, manager: Viewer, agent: Viewer) -> None:  # J5, S01
    """The few that somebody opened may be sorted, as an agent's may; or a list is walked until a page is full."""
    for viewer, scope, index in ((manager, "MINE", "ticket_requester_by_"), (agent, "ASSIGNED_TO_ME", "ticket_")):
        for field in TicketOrderField:
            order = {"field": field.value, "direction": "ASC"}
            _, statements = await desk.answer(PAGE, viewer, first=20, orderBy=order, scope=scope, o=None, filter=ACTIVE)
            steps = await desk.explained(*statements[0])
            assert any(index in step for step in steps), (scope, field, steps)
            assert set(wasteful(steps)) <= SORTED, (scope, field, steps)


async def test_a_list_is_searched_in_the_full_text_index(desk: Desk, manager: Viewer, agent: Viewer) -> None:  # J5, S38
    for viewer, where in ((manager, HERE), (agent, EVERYWHERE)):
        data, statements = await desk.answer(PAGE, viewer, first=20, filter={"text": RARE}, **where)
        steps = await desk.explained(*statements[0], index_only=True)

        assert len(data["tickets"]["nodes"]) == 1
        index = "SCAN search_index VIRTUAL TABLE" if desk.on_sqlite else "Bitmap Index Scan search_document_words"
        assert any(index in step for step in steps), steps
        # What was found is sorted; nothing else is looked at.
        assert set(wasteful(steps)) <= SORTED


async def test_a_count_is_made_when_it_is_asked_for_and_from_an_index(desk: Desk, manager: Viewer) -> None:  # J5
    data, statements = await desk.answer(COUNT, manager, filter=ACTIVE, **HERE)
    _, of_a_page = await desk.answer(PAGE, manager, first=20, filter=ACTIVE, **HERE)

    assert data["tickets"]["totalCount"] > 2_000
    assert await wasted(desk, statements) == []
    assert not any("count(" in sql for sql, _ in of_a_page)


async def test_a_page_takes_one_statement_whatever_its_size(desk: Desk, manager: Viewer) -> None:  # J5
    for first in (5, 50, 100):
        data, statements = await desk.answer(PAGE, manager, first=first, filter=ACTIVE, **HERE)
        assert (len(data["tickets"]["nodes"]), len(statements)) == (first, 1)


TIMELINE = """query($id: ID!, $kinds: [TimelineKind!], $last: Int) { ticket(id: $id) {
  timeline(kinds: $kinds, last: $last) { nodes { id occurredAt ... on Message { body }
    ... on StatusChangedEvent { to } } pageInfo { startCursor } } } }"""


async def test_a_timeline_is_read_by_index_from_either_of_its_tables(
    desk: Desk, manager: Viewer, agent: Viewer
) -> None:  # J5, S49
    searched = ("SEARCH message USING INDEX", "SEARCH timeline_event USING INDEX")
    if not desk.on_sqlite:
        searched = ("Index Scan message uid_", "Index Scan timeline_event uid_")
    for viewer in (agent, manager):
        for kinds in (None, ["MESSAGES", "STATUS"]):
            given = {"id": f"Ticket_{key('ticket', 0)}", "kinds": kinds, "last": 20}
            _, statements = await desk.answer(TIMELINE, viewer, **given)
            of_items = [each for each in statements if "message" in each[0] or "timeline_event" in each[0]]

            assert len(of_items) == 2
            for each in of_items:
                steps = await desk.explained(*each, index_only=True)
                # Where the ticket has hardly any, PostgreSQL sorts what its index found.
                assert set(wasteful(steps)) <= (set() if desk.on_sqlite else {"Sort"}), steps
                assert any(step.startswith(searched) for step in steps), steps


class Listening:
    """The reading connection, and what it was asked."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []

    async def execute_query_dict(self, sql: str, values: Any) -> Any:
        self.sent.append((sql, values))
        return await reader().execute_query_dict(sql, values)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    listening = Listening()
    for module in (searching, suggestions):
        monkeypatch.setattr(module, "reader", lambda: listening)
    return listening.sent


async def test_a_search_stops_when_its_page_is_full(
    desk: Desk, manager: Viewer, agent: Viewer, sent: list[tuple[str, Any]]
) -> None:
    """J5, S38: for a word that nearly every ticket has, and for a rare one; the first page and the tenth."""
    for viewer in (manager, agent):
        for text in ("camera", RARE):
            after = None
            for page in range(10 if text == "camera" else 1):
                found = searching.search(
                    desk.context(viewer), text, PageArgs(first=20, after=after), kinds=[SearchKind.TICKET]
                )
                rows = (await found.page()).rows
                after = (await found.page()).cursor(rows[-1])
                assert len(rows) == (20 if text == "camera" else 1), page
        assert len({row.pk for row in rows}) == len(rows)
    steps = [step for each in sent for step in wasteful(await desk.explained(*each))]

    # PostgreSQL sorts what its index found, unless it is so much that walking backwards is shorter.
    assert set(steps) <= (set() if desk.on_sqlite else {"Sort"})


async def test_suggestions_look_at_a_bounded_number_of_candidates(
    desk: Desk, agent: Viewer, sent: list[tuple[str, Any]]
) -> None:  # J5, S21
    found = await suggestions.suggest_solutions(desk.context(agent), "The camera in the room turns black")

    assert len(found) == 5
    ((sql, values),) = sent
    assert suggestions.MOST_LOOKED_THROUGH in values
    assert suggestions.MOST_COMPARED in values
    # Those are sorted, and no others looked at.
    assert set(wasteful(await desk.explained(sql, values))) <= SORTED
