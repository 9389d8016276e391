"""Keyset pages: the order, its cursors, what is cut, and that both ways to make a page make the same one."""

import asyncio
import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

import models
from engine.keyset import DEFAULT_SIZE, LazyPage, Order, Page, PageArgs, PagingError, cut, page, page_of_rows
from tests.factories import LONG_AGO, make_organization

pytestmark = pytest.mark.anyio

BY_TIME = Order("spaces by time", "created_at")
BY_NAME = Order("spaces by name", "name", kind="text")
BY_SIZE = Order("spaces by size", "capacity", kind="int")


def row(name: str = "x", number: int = 1) -> models.Organization:
    return models.Organization(id=UUID(int=number), name=name, created_at=LONG_AGO)


def cursor_of(*parts: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def test_a_cursor_leads_back_to_its_place() -> None:
    assert BY_TIME.position(BY_TIME.cursor(row()), "after") == (LONG_AGO, UUID(int=1))
    assert BY_NAME.position(BY_NAME.cursor(row("Zoë 🙂")), "after") == ("Zoë 🙂", UUID(int=1))


def test_an_instant_has_one_cursor_whatever_its_zone() -> None:
    there = row()
    there.created_at = LONG_AGO.astimezone(timezone(timedelta(hours=5)))

    assert BY_TIME.cursor(there) == BY_TIME.cursor(row())


def test_a_cursor_is_plain_text_for_an_address() -> None:
    cursor = BY_NAME.cursor(row("ÿ?>~" * 20))

    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_a_cursor_belongs_to_its_list_and_its_direction() -> None:
    cursor = BY_TIME.cursor(row())

    for other in (BY_TIME.flipped(), Order("another list", "created_at")):
        with pytest.raises(PagingError, match="another list or order") as refusal:
            other.position(cursor, "before")
        assert refusal.value.argument == "before"
    assert BY_TIME.flipped().flipped() == BY_TIME


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_what_is_no_cursor_is_refused_and_nothing_else_happens(text: str) -> None:
    for order in (BY_TIME, BY_NAME, BY_SIZE):
        with pytest.raises(PagingError):
            order.position(text, "after")


@pytest.mark.parametrize(
    ("order", "value"),
    [
        (BY_TIME, "yesterday"),
        (BY_TIME, 5),
        (BY_TIME, None),
        (BY_SIZE, "5"),
        (BY_SIZE, True),
        (BY_SIZE, 1.5),
        (BY_SIZE, 2**63),
        (BY_SIZE, -(2**63)),
        (BY_NAME, 5),
        (BY_NAME, "a\x00b"),
        (BY_NAME, ["a"]),
        (BY_TIME, "2026-01-05T08:00:00"),
        (BY_TIME, "0001-01-01T00:00:00+23:00"),
    ],
)
def test_a_forged_value_is_refused(order: Order, value: Any) -> None:
    with pytest.raises(PagingError):
        order.position(cursor_of(f"{order.name}:asc", value, str(UUID(int=1))), "after")


@pytest.mark.parametrize("row_id", ["x", "", 5, None, [], str(UUID(int=1)) + "0"])
def test_a_forged_id_is_refused(row_id: Any) -> None:
    with pytest.raises(PagingError):
        BY_NAME.position(cursor_of(f"{BY_NAME.name}:asc", "a", row_id), "after")


@pytest.mark.parametrize(
    ("args", "argument"),
    [
        (PageArgs(first=1, last=1), "last"),
        (PageArgs(first=-1), "first"),
        (PageArgs(last=-1), "last"),
        (PageArgs(first=101), "first"),
        (PageArgs(last=2**31), "last"),
    ],
)
def test_arguments_that_make_no_page_are_refused_by_name(args: PageArgs, argument: str) -> None:
    with pytest.raises(PagingError) as refusal:
        args.check(most=100)
    assert refusal.value.argument == argument


def test_arguments_at_their_limits_make_a_page() -> None:
    for args in (PageArgs(), PageArgs(first=0), PageArgs(first=100), PageArgs(last=0), PageArgs(last=100)):
        args.check(most=100)
    assert (PageArgs().size(20), PageArgs(first=0).size(20), PageArgs(last=3).size(20)) == (20, 0, 3)
    assert (PageArgs().backwards, PageArgs(first=1).backwards, PageArgs(last=0).backwards) == (False, False, True)


def test_the_row_too_many_says_that_there_is_more() -> None:
    rows = [row(number=n) for n in range(1, 5)]
    cursor = BY_TIME.cursor(rows[0])

    forwards = cut(rows, BY_TIME, PageArgs(first=3, after=cursor))
    backwards = cut(rows[::-1], BY_TIME, PageArgs(last=3))
    whole = cut(rows, BY_TIME, PageArgs(first=4))

    assert (forwards.rows, forwards.has_next_page, forwards.has_previous_page) == (rows[:3], True, True)
    assert (backwards.rows, backwards.has_next_page, backwards.has_previous_page) == (rows[1:], False, True)
    assert (whole.rows, whole.has_next_page, whole.has_previous_page) == (rows, False, False)


async def test_a_page_is_the_same_from_the_database_and_from_the_rows_at_hand(db: str) -> None:
    """Every order × every argument × every cursor, over rows with ties in all but their ids."""
    rows = await make_spaces()

    for order in (BY_NAME, BY_NAME.flipped(), BY_SIZE, BY_SIZE.flipped()):
        for args in arguments(order, rows):
            from_database = await page(models.Space.all(), order, args)
            from_rows = page_of_rows(rows, order, args)
            assert told(from_database) == told(from_rows), (order, args)


async def test_pages_are_cut_from_the_whole_list_in_its_order(db: str) -> None:
    """Against a sort in Python, so that the two do not merely share a mistake."""
    rows = await make_spaces()

    for order, key in ((BY_NAME, name_key), (BY_SIZE, size_key)):
        wanted = [each.id for each in sorted(rows, key=key)]
        assert [each.id for each in (await page(models.Space.all(), order, PageArgs(first=50))).rows] == wanted
        back = await page(models.Space.all(), order.flipped(), PageArgs(last=50))
        assert [each.id for each in back.rows] == wanted[::-1]
    assert DEFAULT_SIZE == 20


async def test_an_order_by_time_keeps_the_last_microsecond(db: str) -> None:
    acme = await make_organization()
    for n in range(3):
        space: dict[str, Any] = {"organization": acme, "level": "SELECT", "starts_at": LONG_AGO, "ends_at": LONG_AGO}
        await models.ServiceLicense.create(created_at=LONG_AGO + timedelta(microseconds=n), **space)
    order = Order("licences", "created_at")

    first = await page(models.ServiceLicense.all(), order, PageArgs(first=1))
    rest = await page(models.ServiceLicense.all(), order, PageArgs(after=first.cursor(first.rows[0])))

    assert [each.created_at.microsecond for each in (*first.rows, *rest.rows)] == [0, 1, 2]
    assert first.rows[0].created_at == datetime(2026, 1, 5, 8, tzinfo=UTC)


async def test_a_page_is_read_once_however_many_ask_at_the_same_time() -> None:
    reads = 0

    async def load() -> Page[models.Organization]:
        nonlocal reads
        reads += 1
        await asyncio.sleep(0)
        return Page([], BY_TIME, has_next_page=False, has_previous_page=False)

    async def count() -> int:
        return 7

    lazy = LazyPage(load, count)
    pages = await asyncio.gather(lazy.page(), lazy.page(), lazy.page())

    assert reads == 1
    assert pages[0] is pages[1] is pages[2]


async def make_spaces() -> list[models.Space]:
    acme = await make_organization()
    things = [("b", 2), ("a", 1), ("a", 1), ("C", 3), ("b", 1), ("é", 2), ("a", 3)]
    for name, capacity in things:
        await models.Space.create(organization=acme, kind=models.SpaceKind.ROOM, name=name, capacity=capacity)
    return await models.Space.all()


def arguments(order: Order, rows: list[models.Space]) -> Iterator[PageArgs]:
    cursors = [None, *(order.cursor(each) for each in rows[:4])]
    for after in cursors:
        for before in cursors:
            for size in (0, 1, 3, 50):
                yield PageArgs(first=size, after=after, before=before)
                yield PageArgs(last=size, after=after, before=before)


def told(found: Page[models.Space]) -> tuple[Any, ...]:
    return [each.id for each in found.rows], found.has_next_page, found.has_previous_page


def name_key(space: models.Space) -> tuple[str, str]:
    return space.name, str(space.id)


def size_key(space: models.Space) -> tuple[int, str]:
    return space.capacity or 0, str(space.id)
