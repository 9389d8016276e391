"""Paging by cursor: whole and without repeats, forwards and backwards, while rows come in before and behind."""

import base64
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

import models
from domain.enums import EscalationStage, TicketStatus, Visibility
from tests.api.operations import on_ticket
from tests.api.world import codes, gid
from tests.client import Client
from tests.conftest import AsUser
from tests.factories import (
    LONG_AGO,
    make_escalation,
    make_member,
    make_message,
    make_organization,
    make_staff,
    make_ticket,
)

pytestmark = pytest.mark.anyio

ARGS = "first: $first, after: $after, last: $last, before: $before"
VARIABLES = "$first: Int, $after: Cursor, $last: Int, $before: Cursor"
PAGE = "edges { cursor node { id } } nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
TICKETS = f"""query({VARIABLES}, $orderBy: TicketOrder) {{
  tickets(scope: ALL, filter: null, orderBy: $orderBy, {ARGS}) {{ {PAGE} }} }}"""
MESSAGES = f"query({VARIABLES}, $id: ID!) {{ ticket(id: $id) {{ messages({ARGS}) {{ {PAGE} }} }} }}"
NEWEST = {"field": "CREATED_AT", "direction": "DESC"}


class Desk:
    def __init__(self, reader: Client, acme: models.Organization, ann: models.User) -> None:
        self.reader, self.acme, self.ann = reader, acme, ann

    async def tickets(self, count: int, *, at: datetime = LONG_AGO, apart: timedelta = timedelta(0)) -> list[str]:
        """That many tickets; without a time between them the id alone tells their order."""
        return [gid(await make_ticket(self.acme, self.ann, created_at=at + n * apart)) for n in range(count)]

    async def page(self, **given: Any) -> Any:
        return (await self.reader.ask(TICKETS, **{"orderBy": NEWEST, **given}))["tickets"]

    async def all(self, size: int, *, backwards: bool = False, **given: Any) -> list[str]:
        """Every id, page by page, in the list's order."""
        found: list[str] = []
        ways = ("last", "before", "startCursor", "hasPreviousPage") if backwards else (
            "first", "after", "endCursor", "hasNextPage")  # fmt: skip
        many, edge, cursor, more = ways
        place = None
        while True:
            page = await self.page(**{many: size, edge: place, **given})
            ids = [each["id"] for each in page["nodes"]]
            assert [each["node"]["id"] for each in page["edges"]] == ids
            assert len(ids) <= size
            found = ids + found if backwards else found + ids
            if not page["pageInfo"][more]:
                return found
            assert len(ids) == size
            place = page["pageInfo"][cursor]


@pytest.fixture
async def desk(as_user: AsUser) -> Desk:
    acme = await make_organization("Acme")
    ann = await make_member(acme, name="Ann")
    return Desk(as_user(ann), acme, ann)


@pytest.mark.parametrize("apart", [timedelta(0), timedelta(microseconds=1)], ids=["ties", "a microsecond apart"])
async def test_the_pages_put_together_are_the_whole_list(desk: Desk, apart: timedelta) -> None:
    ids = await desk.tickets(7, apart=apart)

    for field in ("CREATED_AT", "LAST_ACTIVITY_AT", "UPDATED_AT", "REFERENCE"):
        for direction, wanted in (("DESC", ids[::-1]), ("ASC", ids)):
            order = {"field": field, "direction": direction}
            for size in (3, 7):
                assert await desk.all(size, orderBy=order) == wanted, (order, size)
                assert await desk.all(size, orderBy=order, backwards=True) == wanted, (order, size)


async def test_rows_that_come_in_between_two_pages_repeat_and_hide_nothing(desk: Desk) -> None:
    """J5: newer ones in front and older ones behind the place where the reader stands."""
    ids = await desk.tickets(6, apart=timedelta(hours=1))

    first = await desk.page(first=3)
    in_front = await desk.tickets(2, at=LONG_AGO + timedelta(days=1))
    behind = await desk.tickets(2, at=LONG_AGO - timedelta(days=1))
    rest = await desk.page(first=10, after=first["pageInfo"]["endCursor"])
    back = await desk.page(last=10, before=first["pageInfo"]["startCursor"])

    assert [each["id"] for each in first["nodes"]] == ids[:2:-1]
    assert [each["id"] for each in rest["nodes"]] == [*ids[2::-1], *behind[::-1]]
    assert [each["id"] for each in back["nodes"]] == in_front[::-1]


async def test_a_cursor_keeps_its_place_when_its_row_moves_or_goes(desk: Desk, as_user: AsUser) -> None:
    ids = await desk.tickets(5, apart=timedelta(hours=1))
    order = {"field": "LAST_ACTIVITY_AT", "direction": "DESC"}
    first = await desk.page(first=2, orderBy=order)
    moved = await models.Ticket.get(id=UUID(ids[3].partition("_")[2]))

    await on_ticket(as_user(await make_staff()), "ticketResolve", moved)
    await models.Ticket.filter(id=UUID(ids[2].partition("_")[2])).delete()
    rest = await desk.page(first=5, after=first["pageInfo"]["endCursor"], orderBy=order)

    assert [each["id"] for each in rest["nodes"]] == [ids[1], ids[0]]


async def test_a_page_says_where_it_stands(desk: Desk) -> None:
    ids = (await desk.tickets(4, apart=timedelta(hours=1)))[::-1]
    whole = await desk.page()
    cursors = [each["cursor"] for each in whole["edges"]]

    assert len(set(cursors)) == 4
    for given, shown, more_after, more_before in (
        ({}, ids, False, False),
        ({"first": 4}, ids, False, False),
        ({"first": 3}, ids[:3], True, False),
        ({"first": 2, "after": cursors[0]}, ids[1:3], True, True),
        ({"first": 2, "after": cursors[1]}, ids[2:], False, True),
        ({"last": 2}, ids[2:], False, True),
        ({"last": 2, "before": cursors[3]}, ids[1:3], True, True),
        ({"last": 3, "before": cursors[3]}, ids[:3], True, False),
        ({"first": 2, "after": cursors[3]}, [], False, True),
        ({"first": 5, "after": cursors[0], "before": cursors[3]}, ids[1:3], False, True),
    ):
        page = await desk.page(**given)
        info = page["pageInfo"]
        assert [each["id"] for each in page["nodes"]] == shown, given
        assert (info["hasNextPage"], info["hasPreviousPage"]) == (more_after, more_before), given
        assert (info["startCursor"], info["endCursor"]) == (
            (cursors[ids.index(shown[0])], cursors[ids.index(shown[-1])]) if shown else (None, None)
        ), given


async def test_nothing_is_a_page_of_its_own(desk: Desk) -> None:
    empty = await desk.page(first=5)
    await desk.tickets(2)
    none = await desk.page(first=0)

    assert empty["nodes"] == none["nodes"] == []
    assert empty["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    assert none["pageInfo"]["hasNextPage"] is True


async def test_a_page_has_at_most_a_hundred_rows_and_twenty_unless_asked(desk: Desk) -> None:  # J9
    await desk.tickets(21)

    assert len((await desk.page())["nodes"]) == 20
    assert len((await desk.page(first=100))["nodes"]) == 21
    assert (await desk.reader.ask("{ server { maxPageSize } }"))["server"]["maxPageSize"] == 100


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"first": -1}, "first"),
    ({"last": -1}, "last"),
    ({"first": 101}, "first"),
    ({"last": 2**31 - 1}, "last"),
    ({"first": 1, "last": 1}, "last"),
    ({"after": "garbage"}, "after"),
    ({"before": "é" * 100}, "before"),
    ({"after": "\x00"}, "after"),
    ({"after": "x" * 100_000}, "after"),
    ({"after": "LTow"}, "after"),
]


async def test_what_is_no_page_is_refused_with_a_code(desk: Desk) -> None:
    await desk.tickets(1)

    for given, field in REFUSED:
        data, errors = await desk.reader.answer(TICKETS, **given)
        assert data is None, given
        assert [e.extensions for e in errors] == [{"code": "INVALID", "field": [field]}], given


async def test_a_cursor_of_another_list_or_order_is_refused(desk: Desk) -> None:
    await desk.tickets(2)
    ticket = await models.Ticket.first()
    assert ticket
    await make_message(ticket, desk.ann)
    cursor = (await desk.page())["pageInfo"]["endCursor"]
    message = (await desk.reader.ask(MESSAGES, id=gid(ticket)))["ticket"]["messages"]["pageInfo"]["endCursor"]

    for given in (
        {"after": cursor, "orderBy": {"field": "CREATED_AT", "direction": "ASC"}},
        {"before": cursor, "orderBy": {"field": "UPDATED_AT", "direction": "DESC"}},
        {"after": message, "orderBy": NEWEST},
    ):
        data, errors = await desk.reader.answer(TICKETS, **given)
        assert (data, codes(errors)) == (None, ["INVALID"]), given
        assert "Start again without one" in errors[0].message
    _, errors = await desk.reader.answer(MESSAGES, id=gid(ticket), after=cursor)
    assert codes(errors) == ["INVALID"]


def forged(mark: str, value: Any, row_id: Any = str(UUID(int=1))) -> str:
    return base64.urlsafe_b64encode(json.dumps([mark, value, row_id]).encode()).decode().rstrip("=")


async def test_a_forged_cursor_of_a_list_is_refused_like_any_other(desk: Desk) -> None:
    wrong = []
    values: list[Any] = ["2026-01-01T00:00:00", "0001-01-01T00:00:00+23:00", 5, None, [], {}, "x", True]
    for value in values:
        data, errors = await desk.reader.answer(
            TICKETS, orderBy=NEWEST, after=forged("tickets by creation:desc", value)
        )
        if (data, codes(errors)) != (None, ["INVALID"]):
            wrong.append(value)

    assert wrong == []


async def test_a_forged_cursor_of_a_conversation_is_refused_or_finds_nothing(desk: Desk) -> None:
    """PostgreSQL's columns have a width: a number beyond it is an error there, where SQLite has an empty page."""
    ticket = await make_ticket(desk.acme, desk.ann)
    await make_message(ticket, desk.ann)
    wrong = []
    for value in (2**31, 2**40, -(2**62), 2**63 - 1, "1", 1.5, True):
        _, errors = await desk.reader.answer(MESSAGES, id=gid(ticket), after=forged("public timeline:asc", value))
        if set(codes(errors)) - {"INVALID"}:
            wrong.append(value)

    assert wrong == []


async def test_a_conversation_pages_both_ways_for_each_of_its_readers(desk: Desk, as_user: AsUser) -> None:
    """J7: staff counts all, a customer the public ones, and both find every page whole."""
    sam = await make_staff()
    ticket = await make_ticket(desk.acme, desk.ann)
    for n in range(9):
        await make_message(ticket, sam, f"{n}", Visibility.INTERNAL if n % 3 == 1 else Visibility.PUBLIC)
    texts = f"query({VARIABLES}, $id: ID!) {{ ticket(id: $id) {{ messages({ARGS}) {{ nodes {{ body }} {PAGE} }} }} }}"

    for reader, bodies in ((desk.reader, "023568"), (as_user(sam), "012345678")):
        for many, edge, cursor, more in (
            ("first", "after", "endCursor", "hasNextPage"),
            ("last", "before", "startCursor", "hasPreviousPage"),
        ):
            found, place, next_ = "", None, True
            while next_:
                page = (await reader.ask(texts, id=gid(ticket), **{many: 2, edge: place}))["ticket"]["messages"]
                shown = "".join(each["body"] for each in page["nodes"])
                found = found + shown if many == "first" else shown + found
                place, next_ = page["pageInfo"][cursor], page["pageInfo"][more]
            assert found == bodies


async def test_every_ticket_of_a_page_has_its_own_page_of_messages(desk: Desk) -> None:  # S100, J5
    """One statement reads the pages of all of them: each still has its own rows, order and `hasNextPage`."""
    rows = [await make_ticket(desk.acme, desk.ann, created_at=LONG_AGO + timedelta(hours=n)) for n in range(3)]
    for n, row in enumerate(rows):
        for m in range(n * 2):
            await make_message(row, desk.ann, f"{n}.{m}")
    document = """query($first: Int, $last: Int) {
      tickets(scope: ALL, filter: null, orderBy: {field: CREATED_AT, direction: ASC}) { nodes {
        messages(first: $first, last: $last) {
          totalCount nodes { body } pageInfo { hasNextPage hasPreviousPage } } } } }"""

    forwards = await desk.reader.ask(document, first=3)
    backwards = await desk.reader.ask(document, last=3)

    assert [shown(each) for each in forwards["tickets"]["nodes"]] == [
        (0, [], False, False),
        (2, ["1.0", "1.1"], False, False),
        (4, ["2.0", "2.1", "2.2"], True, False),
    ]
    assert [shown(each) for each in backwards["tickets"]["nodes"]] == [
        (0, [], False, False),
        (2, ["1.0", "1.1"], False, False),
        (4, ["2.1", "2.2", "2.3"], False, True),
    ]


def shown(ticket: Any) -> tuple[int, list[str], bool, bool]:
    page = ticket["messages"]
    bodies = [each["body"] for each in page["nodes"]]
    return page["totalCount"], bodies, page["pageInfo"]["hasNextPage"], page["pageInfo"]["hasPreviousPage"]


async def test_the_devices_of_a_ticket_page_like_any_other_list(desk: Desk) -> None:
    """They are cut from rows that are all there already; the place of a cursor is the same."""
    product = await models.Product.create(name="Camera")
    ticket = await make_ticket(desk.acme, desk.ann)
    for name in ("b", "a", "c", "a", "B"):
        number = f"{await models.Device.all().count()}"
        device = await models.Device.create(organization=desk.acme, product=product, name=name, serial_number=number)
        await ticket.devices.add(device)
    on_ticket_ = f"query({VARIABLES}, $id: ID!) {{ ticket(id: $id) {{ devices({ARGS}) {{ {PAGE} }} }} }}"
    of_all = f"query({VARIABLES}, $id: ID!) {{ organization(id: $id) {{ devices({ARGS}) {{ {PAGE} }} }} }}"

    for given in ({}, {"first": 2}, {"last": 2}, {"first": 0}):
        here = (await desk.reader.ask(on_ticket_, id=gid(ticket), **given))["ticket"]["devices"]
        there = (await desk.reader.ask(of_all, id=gid(desk.acme), **given))["organization"]["devices"]
        assert here == there
    first = (await desk.reader.ask(on_ticket_, id=gid(ticket), first=2))["ticket"]["devices"]["pageInfo"]["endCursor"]
    for given in ({"after": first}, {"before": first}, {"last": 1, "after": first}):
        here = (await desk.reader.ask(on_ticket_, id=gid(ticket), **given))["ticket"]["devices"]
        there = (await desk.reader.ask(of_all, id=gid(desk.acme), **given))["organization"]["devices"]
        assert here == there


async def test_escalations_page_newest_first(desk: Desk) -> None:
    made = []
    for n in range(5):
        ticket = await make_ticket(desk.acme, desk.ann, status=TicketStatus.OPEN)
        at = LONG_AGO + timedelta(hours=n)
        made.append(gid(await make_escalation(ticket, submitted_at=at, stage=EscalationStage.IN_REVIEW)))
    document = f"query({VARIABLES}) {{ escalations({ARGS}) {{ {PAGE} }} }}"

    first = (await desk.reader.ask(document, first=3))["escalations"]
    rest = (await desk.reader.ask(document, first=3, after=first["pageInfo"]["endCursor"]))["escalations"]

    assert [each["id"] for each in (*first["nodes"], *rest["nodes"])] == made[::-1]
