"""Batched reading: many parents at once get what each of them would have got alone."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

import models
from domain.policy import ANONYMOUS
from engine.keyset import Order, Page, PageArgs, page
from engine.loading import Loaders, counts_by_parent, pages_by_parent, rows_by_id
from resolvers.context import Context, Services
from resolvers.reading import every_child
from tests.factories import make_organization

pytestmark = pytest.mark.anyio

BY_NAME = Order("spaces", "name", kind="text")
NEVER = UUID(int=1)


async def make_parents() -> tuple[list[UUID], list[models.Space]]:
    """Organizations with no, one, four and seven spaces, and one that does not exist."""
    parents = []
    for count in (0, 1, 4, 7):
        organization = await make_organization()
        parents.append(organization.id)
        for n in range(count):
            kind = models.SpaceKind.DESK if n % 3 == 2 else models.SpaceKind.ROOM
            await models.Space.create(organization=organization, kind=kind, name="ab"[n % 2])
    return [*parents, NEVER], await models.Space.all().order_by("id")


async def test_the_pages_of_many_parents_are_those_of_each_alone(db: str) -> None:
    parents, rows = await make_parents()
    query = models.Space.filter(kind=models.SpaceKind.ROOM)

    for order in (BY_NAME, BY_NAME.flipped()):
        for cursor in (None, order.cursor(rows[1]), order.cursor(rows[-1])):
            for first, last in ((2, None), (None, 2), (0, None), (None, 50), (None, None)):
                for args in (PageArgs(first, cursor, last), PageArgs(first, None, last, cursor)):
                    together = await pages_by_parent(query, "organization_id", parents, order, args)
                    alone = [await page(query.filter(organization_id=each), order, args) for each in parents]
                    assert [told(each) for each in together] == [told(each) for each in alone], (order, args)


async def test_a_parent_that_asks_twice_or_alone_gets_the_same(db: str) -> None:
    parents, _ = await make_parents()
    args = PageArgs(first=3)

    twice = await pages_by_parent(
        models.Space.all(), "organization_id", [parents[2], parents[3], parents[2]], BY_NAME, args
    )
    (alone,) = await pages_by_parent(models.Space.all(), "organization_id", [parents[2]], BY_NAME, args)

    assert told(twice[0]) == told(twice[2]) == told(alone)
    assert told(twice[1])[0] != told(alone)[0]


async def test_rows_come_whole_with_what_was_asked_of_them_besides(db: str) -> None:
    """A row out of a page of many parents is like any other: same values of the same types, and saved."""
    parents, rows = await make_parents()

    pages = await pages_by_parent(models.Space.all(), "organization_id", parents, BY_NAME, PageArgs())

    found = {each.id: each for one in pages for each in one.rows}
    assert {key: columns(each) for key, each in found.items()} == {each.id: columns(each) for each in rows}
    assert all(each._saved_in_db for each in found.values())


async def test_counts_come_in_the_order_of_the_parents_with_noughts(db: str) -> None:
    parents, _ = await make_parents()

    counts = await counts_by_parent(models.Space.all(), "organization_id", [*parents, parents[2]])
    rooms = await counts_by_parent(models.Space.filter(kind=models.SpaceKind.ROOM), "organization_id", parents)

    assert counts == [0, 1, 4, 7, 0, 4]
    assert rooms == [0, 1, 3, 5, 0]


async def test_rows_by_id_come_in_the_order_asked_for_with_gaps(db: str) -> None:
    _, rows = await make_parents()
    ids = [rows[3].id, NEVER, rows[0].id, rows[3].id]

    found = await rows_by_id(models.Space.all(), ids)

    assert [each and each.id for each in found] == [rows[3].id, None, rows[0].id, rows[3].id]
    assert await rows_by_id(models.Space.filter(id=rows[0].id), [rows[3].id]) == [None]
    assert await rows_by_id(models.Space.all(), []) == []


async def test_a_loader_is_one_for_its_name_and_remembers_within_its_registry() -> None:
    asked: list[list[int]] = []

    async def double(keys: list[int]) -> list[int]:
        asked.append(keys)
        return [key * 2 for key in keys]

    loaders = Loaders()
    found = await loaders.get("double", double).load_many([1, 2, 1])
    again = await loaders.get("double", double).load(2)
    other = await Loaders().get("double", double).load(2)

    assert (found, again, other) == ([2, 4, 2], 4, 4)
    assert asked == [[1, 2], [2]]


def told(found: Page[models.Space]) -> tuple[Any, ...]:
    return [each.id for each in found.rows], found.has_next_page, found.has_previous_page


def columns(space: models.Space) -> dict[str, Any]:
    return {name: getattr(space, name) for name in space._meta.db_fields}


async def test_all_children_by_two_queries_are_each_querys_own(services: Services) -> None:
    """In one operation, and at the same time: what one asks for must not answer the other."""
    parents, _ = await make_parents()
    ctx = Context(ANONYMOUS, services)
    rooms, desks = (models.Space.filter(kind=kind).order_by("id") for kind in models.SpaceKind)

    found = await asyncio.gather(
        *(every_child(ctx, query, "organization_id", parents[3]) for query in (rooms, desks, rooms))
    )

    kinds = [{row.kind for row in rows} for rows in found]
    assert kinds == [{models.SpaceKind.ROOM}, {models.SpaceKind.DESK}, {models.SpaceKind.ROOM}]
    assert [len(rows) for rows in found] == [5, 2, 5]
