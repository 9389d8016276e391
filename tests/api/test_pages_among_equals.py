"""Pages of tickets that are equal in what they are ordered by, while others come in around the place of the reader."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

import models
from domain.enums import ServiceLevel, TicketPriority, TicketStatus
from schema.enums import TicketOrderField
from tests.conftest import AsUser
from tests.factories import LONG_AGO, make_member, make_organization, make_request_type, make_staff, make_ticket

pytestmark = pytest.mark.anyio

PAGE = """query($orderBy: TicketOrder, $first: Int, $after: Cursor, $last: Int, $before: Cursor) {
  tickets(scope: ALL, filter: null, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    nodes { id } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } }"""

Place = tuple[int, int]
"""The rank of a ticket in what the list is ordered by, and its id among those of that rank."""

EQUALS: list[Place] = [(1, each) for each in (10, 20, 30, 40, 50, 60)]
NEWCOMERS: list[Place] = [(0, 99), (1, 5), (1, 15), (1, 25), (1, 45), (1, 55), (1, 65), (2, 1)]


async def ranks(field: TicketOrderField, acme: models.Organization) -> list[dict[str, Any]]:
    """What makes a ticket the first, the second and the third in this order."""
    three = range(3)
    match field.value:
        case "CREATED_AT" | "UPDATED_AT" | "LAST_ACTIVITY_AT" as name:
            return [{name.lower(): LONG_AGO + timedelta(microseconds=n)} for n in three]
        case "STATUS":
            return [{"status": each} for each in (TicketStatus.NEW, TicketStatus.OPEN, TicketStatus.PENDING_CUSTOMER)]
        case "PRIORITY":
            return [{"priority": each} for each in (TicketPriority.LOW, TicketPriority.NORMAL, TicketPriority.HIGH)]
        case "SERVICE_LEVEL":
            levels = (ServiceLevel.BASIC, ServiceLevel.ESSENTIAL, ServiceLevel.SELECT)
            return [{"service_level": each} for each in levels]
        case "ISSUE_TYPE":
            kind = await make_request_type()
            return [{"issue_type": await models.IssueType.create(request_type=kind, name=f"Kind {n}")} for n in three]
        case "REQUESTER_NAME":
            return [{"requester": await make_member(acme, name=f"Person {n}")} for n in three]
        case _:
            assert field is TicketOrderField.REFERENCE, "an order that no test has heard of"
            return [{}, {}, {}]


async def opener(field: TicketOrderField) -> Callable[[Place], Awaitable[None]]:
    acme = await make_organization()
    given = await ranks(field, acme)

    async def open_ticket(place: Place) -> None:
        rank, number = place
        values = {**given[rank]}
        ticket = await make_ticket(acme, values.pop("requester", None), id=id_of(place), **values)
        if field is TicketOrderField.REFERENCE:
            ticket.number = rank * 100 + number  # the one order in which no two are equal
            await ticket.save()

    return open_ticket


def id_of(place: Place) -> UUID:
    """Of another rank, by no means in the order of the ranks."""
    rank, number = place
    return UUID(int=number * 10 + (2 - rank))


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("field", TicketOrderField)
async def test_equals_that_come_in_between_two_pages_repeat_and_hide_nothing(
    as_user: AsUser, field: TicketOrderField, direction: str
) -> None:
    """S36, J5: before, between and behind the equals of the page in hand; forwards and backwards from both its ends."""
    open_ticket = await opener(field)
    for place in EQUALS:
        await open_ticket(place)
    reader = as_user(await make_staff())

    async def page(**given: Any) -> tuple[list[str], Any]:
        found = (await reader.ask(PAGE, orderBy={"field": field.value, "direction": direction}, **given))["tickets"]
        return [each["id"] for each in found["nodes"]], found["pageInfo"]

    top, at_top = await page(first=2)
    middle, in_middle = await page(first=2, after=at_top["endCursor"])
    end, at_end = await page(last=2)
    for place in NEWCOMERS:
        await open_ticket(place)

    def listed(places: list[Place]) -> list[str]:
        rows = sorted(places, reverse=direction == "DESC")
        return [f"Ticket_{id_of(each)}" for each in rows]

    whole, equals = listed([*EQUALS, *NEWCOMERS]), listed(EQUALS)
    assert (top, middle, end) == (equals[:2], equals[2:4], equals[4:])
    for shown, info in ((top, at_top), (middle, in_middle), (end, at_end)):
        first, last = whole.index(shown[0]), whole.index(shown[-1])
        assert (await page(first=100, after=info["endCursor"]))[0] == whole[last + 1 :]
        assert (await page(last=100, before=info["startCursor"]))[0] == whole[:first]
    assert await walked(page, forwards=True) == whole
    assert await walked(page, forwards=False) == whole


async def walked(page: Callable[..., Awaitable[tuple[list[str], Any]]], *, forwards: bool) -> list[str]:
    """Every id, in the order of the list, read in pages that end among equals."""
    many, edge, cursor, more = (
        ("first", "after", "endCursor", "hasNextPage")
        if forwards
        else ("last", "before", "startCursor", "hasPreviousPage")
    )
    found: list[str] = []
    place = None
    while True:
        ids, info = await page(**{many: 3, edge: place})
        found = found + ids if forwards else ids + found
        if not info[more]:
            return found
        place = info[cursor]
