"""J5: the other lists of a large desk: one's own, those of a place, a timeline in all its forms, notifications, the
numbers of the queue; and pages while rows are put in."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

import models
from bench.world import key
from domain.enums import NotificationKind, TicketPriority, Visibility
from domain.policy import Viewer
from models.database import reader
from resolvers import queue_feed
from resolvers.context import Services
from schema.enums import TicketOrderField
from tests.clock import Clock
from tests.factories import LONG_AGO, make_ticket
from tests.scale.conftest import Desk
from tests.scale.test_reading_at_scale import ACTIVE, HERE, PAGE, SORTED, wasteful

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

BUSY = f"Ticket_{key('ticket', 0)}"
Sent = list[tuple[str, Any]]


@pytest.fixture
def sent(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What resolvers ask the reading connection themselves."""
    heard: Sent = []
    for name in ("execute_query", "execute_query_dict"):
        ask = getattr(reader(), name)

        async def listening(sql: str, values: Any = None, ask: Any = ask) -> Any:
            heard.append((sql, values or []))
            return await ask(sql, values)

        monkeypatch.setattr(reader(), name, listening)
    return heard


async def steps_of(desk: Desk, statements: Sent) -> list[str]:
    assert statements
    return [step for each in statements for step in await desk.explained(*each, index_only=True)]


LISTS = [
    ("manager", "FOLLOWING", None),
    ("agent", "FOLLOWING", None),
    ("manager", "SHARED_WITH_ME", None),
    ("manager", "UNCLAIMED", HERE["o"]),
    ("agent", "UNCLAIMED", HERE["o"]),
    ("agent", "ASSIGNED_TO_ME", None),
    ("agent", "ASSIGNED_TO_ME", HERE["o"]),
    ("manager", "MINE", HERE["o"]),
]


@pytest.mark.parametrize(("who", "scope", "organization"), LISTS, ids=lambda value: str(value)[:14])
async def test_a_list_of_ones_own_takes_one_statement_and_looks_at_no_other_tickets(
    desk: Desk, manager: Viewer, agent: Viewer, who: str, scope: str, organization: str | None
) -> None:
    """J5, S01, S83: in every order, whatever the page. What is one's own may be sorted."""
    viewer = manager if who == "manager" else agent
    for field in TicketOrderField:
        given = {"scope": scope, "o": organization, "filter": ACTIVE, "orderBy": {"field": field.value}}
        for first in (5, 100):
            _, statements = await desk.answer(PAGE, viewer, first=first, **given)
            assert len(statements) == 1
        assert set(wasteful(await steps_of(desk, statements))) <= SORTED, field


@pytest.mark.parametrize("of", ["organization", "room", "device"])
async def test_the_tickets_of_a_place_take_as_many_statements_for_a_page_of_any_size(
    desk: Desk, manager: Viewer, sent: Sent, of: str
) -> None:
    """J5, S39."""
    kind = {"organization": "Organization", "room": "Room", "device": "Device"}[of]
    id = f"{kind}_{key('space' if of == 'room' else of, 0)}"
    query = f"""query($first: Int) {{ node(id: "{id}") {{ ... on {kind} {{
        tickets(first: $first, filter: {{isActive: true}}) {{ nodes {{ id subject }} }} }} }} }}"""
    taken = {}
    for first in (5, 50):
        sent.clear()
        data, statements = await desk.answer(query, manager, first=first)
        taken[first] = len(statements) + len(sent)
        assert len(data["node"]["tickets"]["nodes"]) == first
        assert set(wasteful(await steps_of(desk, statements + sent))) <= SORTED

    assert taken == {5: 4, 50: 4}


TIMELINE = """query($id: ID!, $kinds: [TimelineKind!], $first: Int, $after: Cursor, $last: Int, $before: Cursor) {
  ticket(id: $id) { timeline(kinds: $kinds, first: $first, after: $after, last: $last, before: $before) {
    nodes { id } pageInfo { startCursor endCursor hasNextPage } } } }"""


@pytest.mark.parametrize("kinds", [None, ["MESSAGES"], ["STATUS", "FIELDS"], ["MESSAGES", "ESCALATION"]])
async def test_a_timeline_is_read_by_index_in_all_its_forms(
    desk: Desk, manager: Viewer, agent: Viewer, kinds: list[str] | None
) -> None:
    """J5, S49: its beginning, its end, and from a place on in either direction; however much of it."""
    has_messages = kinds is None or "MESSAGES" in kinds
    for viewer in (manager, agent):
        given: dict[str, Any] = {"id": BUSY, "kinds": kinds}
        data, _ = await desk.answer(TIMELINE, viewer, first=10, **given)
        place = data["ticket"]["timeline"]["pageInfo"]["endCursor"]
        assert (place is not None) is has_messages
        for form in ({"first": 20}, {"last": 20}, {"first": 20, "after": place}, {"last": 5, "before": place}):
            _, statements = await desk.answer(TIMELINE, viewer, **given, **form)
            size = "first" if "first" in form else "last"
            _, of_few = await desk.answer(TIMELINE, viewer, **given, **{**form, size: 2})
            assert len(statements) == len(of_few)
            steps = await steps_of(desk, statements)
            # Where the ticket has hardly any, PostgreSQL sorts what its index found.
            assert set(wasteful(steps)) <= (set() if desk.on_sqlite else {"Sort"}), (form, steps)


@pytest.fixture
async def told(desk: Desk, manager: Viewer) -> None:
    """The manager has been told of very much, and has read most of it."""
    if await models.Notification.filter(user_id=manager.user_id).exists():
        return
    await models.Notification.bulk_create(
        models.Notification(
            user_id=manager.user_id,
            ticket_id=key("ticket", 5 * number),
            kind=NotificationKind.REPLIED,
            visibility=Visibility.PUBLIC,
            source=str(number),
            created_at=LONG_AGO,
            read_at=LONG_AGO if number % 50 else None,
        )
        for number in range(2_000)
    )
    if not desk.on_sqlite:
        await models.database.writer().execute_script("ANALYZE notification")  # as it does by itself, soon


NOTIFICATIONS = """query($first: Int, $unread: Boolean) { viewer { notifications(first: $first, unreadOnly: $unread) {
  nodes { id text } pageInfo { endCursor } } } }"""


async def test_notifications_are_read_by_index_and_take_as_many_statements_for_a_page_of_any_size(
    desk: Desk, manager: Viewer, told: None, sent: Sent
) -> None:
    """J5: the newest ones, and those that are unread."""
    for unread in (False, True):
        taken = {}
        for first in (5, 40):
            sent.clear()
            data, statements = await desk.answer(NOTIFICATIONS, manager, first=first, unread=unread)
            assert len(data["viewer"]["notifications"]["nodes"]) == first
            taken[first] = len(statements) + len(sent)
            of_them = [each for each in statements + sent if 'FROM "notification"' in each[0]]
            steps = await steps_of(desk, of_them)
            assert not {"SCAN notification", "Seq Scan notification"} & set(steps), steps
            # The unread ones are sorted; the rest stays where it is.
            assert set(wasteful(steps)) <= (SORTED if unread else set()), steps
        assert taken[5] == taken[40], unread


async def test_the_numbers_of_the_queue_are_counted_in_one_index(desk: Desk, sent: Sent) -> None:
    """J5, S99."""
    await queue_feed.count_queue(Services(hub=desk.services.hub).ephemeral, Clock())

    steps = await steps_of(desk, sent)
    assert len(sent) == 1
    found = "SEARCH ticket USING COVERING INDEX ticket_queue" if desk.on_sqlite else "ticket_queue"
    assert any(found in step for step in steps), steps
    assert wasteful(steps) == []


@pytest.fixture
async def put_in(desk: Desk) -> AsyncIterator[list[models.Ticket]]:
    """Tickets that a test puts in, taken out again."""
    made: list[models.Ticket] = []
    yield made
    for each in made:
        await each.delete()


@pytest.mark.parametrize("field", ["PRIORITY", "STATUS", "SERVICE_LEVEL", "ISSUE_TYPE", "LAST_ACTIVITY_AT"])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_pages_stay_whole_while_tickets_with_equal_keys_are_put_in(
    desk: Desk, manager: Viewer, put_in: list[models.Ticket], field: str, direction: str
) -> None:
    """J5, S36: nearly all have the same key. What was there is shown once and in its place, by the same plan."""
    order = {"field": field, "direction": direction}
    given = {"filter": ACTIVE, "orderBy": order, **HERE}
    before, _ = await desk.answer(PAGE, manager, first=40, **given)
    expected = [each["id"] for each in before["tickets"]["nodes"]]
    organization = await models.Organization.get(id=key("organization", 0))
    seen: list[str] = []
    after, plans = None, set()

    while len([each for each in seen if each in expected]) < len(expected):
        data, (statement,) = await desk.answer(PAGE, manager, first=5, after=after, **given)
        steps = await desk.explained(*statement, index_only=True)
        plans.add(tuple(steps))
        assert wasteful(steps) == []
        seen += [each["id"] for each in data["tickets"]["nodes"]]
        after = data["tickets"]["pageInfo"]["endCursor"]
        for priority in (TicketPriority.LOW, TicketPriority.NORMAL, TicketPriority.URGENT):
            put_in.append(await make_ticket(organization, None, priority=priority))

    assert len(seen) == len(set(seen))
    assert [each for each in seen if each in expected] == expected
    assert len(plans) <= 2  # the first page, and those after a place
