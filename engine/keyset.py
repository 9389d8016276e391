"""Pages of a list by keyset: a page costs the same wherever it is, and stays right while rows are inserted.

A cursor holds the place of its row in one order: the value of the order's column and the row's id. It names the order
it belongs to, so that a cursor of another list is refused instead of giving a wrong page.
"""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

import orjson
from tortoise import Model
from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from engine.instants import instant_text

Row = TypeVar("Row", bound=Model)


class PagingError(ValueError):
    """An argument of a list that cannot be used; `argument` says which.

    `message` may have `{names}`, whose `values` follow: it is told to people, in their languages.
    """

    def __init__(self, argument: str, message: str, **values: object) -> None:
        super().__init__(message.format(**values) if values else message)
        self.argument, self.message, self.values = argument, message, values


@dataclass(frozen=True, slots=True)
class Order:
    """A total order of a list: by `column`, then by id. Both need to be in one index, and the column is never null.

    `name` is what cursors are bound to; `kind` is what the column holds.
    """

    name: str
    column: str
    kind: Literal["instant", "int", "bigint", "text"] = "instant"
    descending: bool = False

    def flipped(self) -> "Order":
        return Order(self.name, self.column, self.kind, not self.descending)

    def cursor(self, row: Model) -> str:
        """The opaque text of a row's place."""
        value = getattr(row, self.column)
        return self.cursor_at(instant_text(value) if isinstance(value, datetime) else value, str(row.pk))

    def cursor_at(self, value: Any, row_id: str) -> str:
        """The same, from the column's value as it is sent."""
        return base64.urlsafe_b64encode(orjson.dumps([self._mark, value, row_id])).decode().rstrip("=")

    def position(self, cursor: str, argument: str) -> tuple[Any, UUID]:
        """
        Raises:
            PagingError: not a cursor, or one of another list or order.
        """
        try:
            mark, value, row_id = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            position = (self._value(value), UUID(row_id))
        except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error):
            raise PagingError(argument, "This is not a cursor of this list. Start again without one.") from None
        if mark != self._mark:
            raise PagingError(argument, "This cursor belongs to another list or order. Start again without one.")
        return position

    def beyond(self, cursor: str, argument: Literal["after", "before"]) -> Q:
        """The rows after, or before, the cursor's row."""
        value, row_id = self.position(cursor, argument)
        side = "lt" if self.descending == (argument == "after") else "gt"
        edge: dict[str, Any] = {f"{self.column}__{side}e": value}
        past: dict[str, Any] = {f"{self.column}__{side}": value}
        tie: dict[str, Any] = {f"id__{side}": row_id}
        # The first half bounds the index on PostgreSQL; the second alone would only filter.
        return Q(**edge) & (Q(**past) | Q(**tie))

    @property
    def by(self) -> tuple[str, str]:
        sign = "-" if self.descending else ""
        return f"{sign}{self.column}", f"{sign}id"

    @property
    def sql(self) -> str:
        way = "DESC" if self.descending else "ASC"
        return f'"{self.column}" {way}, "id" {way}'

    @property
    def _mark(self) -> str:
        return f"{self.name}:{'desc' if self.descending else 'asc'}"

    def _value(self, value: Any) -> Any:
        if self.kind == "instant":
            return datetime.fromisoformat(instant_text(datetime.fromisoformat(value)))
        if self.kind in ("int", "bigint"):
            # PostgreSQL's columns have a width, and refuse to compare with what is beyond it.
            if type(value) is not int or abs(value) >= (2**31 if self.kind == "int" else 2**63):
                raise ValueError
            return value
        if type(value) is not str or "\x00" in value:
            raise ValueError
        return value


@dataclass(frozen=True, slots=True)
class PageArgs:
    """The four Relay arguments. Neither `first` nor `last` means the first `default` rows."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def check(self, *, most: int) -> None:
        """
        Raises:
            PagingError: both `first` and `last`, a negative number, more than `most`, or an empty cursor.
        """
        if self.first is not None and self.last is not None:
            raise PagingError("last", "Ask for `first` or for `last`, not both.")
        for argument, cursor in (("after", self.after), ("before", self.before)):
            if cursor == "":
                raise PagingError(argument, "This is not a cursor of this list. Start again without one.")
        for argument, asked in (("first", self.first), ("last", self.last)):
            if asked is not None and not 0 <= asked <= most:
                raise PagingError(
                    argument, "`{name}` is a number from 0 to {most}; page on with a cursor.", name=argument, most=most
                )

    @property
    def backwards(self) -> bool:
        return self.last is not None

    def size(self, default: int) -> int:
        asked = self.last if self.last is not None else self.first
        return default if asked is None else asked


@dataclass(slots=True)
class Page(Generic[Row]):
    rows: list[Row]
    order: Order
    has_next_page: bool
    has_previous_page: bool

    def cursor(self, row: Model) -> str:
        return self.order.cursor(row)


DEFAULT_SIZE = 20


def restrict(query: QuerySet[Row], order: Order, args: PageArgs) -> tuple[QuerySet[Row], Order]:
    """The rows that a page is cut from, and the order to cut in: the flipped one for `last`."""
    if args.after:
        query = query.filter(order.beyond(args.after, "after"))
    if args.before:
        query = query.filter(order.beyond(args.before, "before"))
    return query, order.flipped() if args.backwards else order


def cut(rows: list[Row], order: Order, args: PageArgs) -> Page[Row]:
    """A page from `size + 1` rows: the one too many says that there is more."""
    size = args.size(DEFAULT_SIZE)
    more, rows = len(rows) > size, rows[:size]
    if args.backwards:
        return Page(rows[::-1], order, has_next_page=bool(args.before), has_previous_page=more)
    return Page(rows, order, has_next_page=more, has_previous_page=bool(args.after))


def merged(pages: Sequence[Page[Any]], order: Order, args: PageArgs) -> Page[Any]:
    """The page of several lists in one order, from the same page of each."""

    def place(row: Any) -> tuple[Any, str]:
        return getattr(row, order.column), str(row.pk)

    size = args.size(DEFAULT_SIZE)
    rows = sorted((row for each in pages for row in each.rows), key=place, reverse=order.descending)
    if args.backwards:
        more = len(rows) > size or any(each.has_previous_page for each in pages)
        return Page(rows[len(rows) - min(size, len(rows)) :], order, bool(args.before), more)
    more = len(rows) > size or any(each.has_next_page for each in pages)
    return Page(rows[:size], order, more, bool(args.after))


async def page(query: QuerySet[Row], order: Order, args: PageArgs) -> Page[Row]:
    """One page of a list, in one statement.

    Raises:
        PagingError: a bad cursor.
    """
    restricted, way = restrict(query, order, args)
    return cut(await restricted.order_by(*way.by).limit(args.size(DEFAULT_SIZE) + 1), order, args)


def page_of_rows(rows: list[Row], order: Order, args: PageArgs) -> Page[Row]:
    """One page of rows that are all there already, sorted or not."""

    def place(row: Row) -> tuple[Any, str]:
        return getattr(row, order.column), str(row.pk)

    def edge(cursor: str, argument: Literal["after", "before"]) -> tuple[Any, str]:
        value, row_id = order.position(cursor, argument)
        return value, str(row_id)

    kept = sorted(rows, key=place, reverse=order.descending)
    if args.after:
        after = edge(args.after, "after")
        kept = [row for row in kept if (place(row) < after if order.descending else place(row) > after)]
    if args.before:
        before = edge(args.before, "before")
        kept = [row for row in kept if (place(row) > before if order.descending else place(row) < before)]
    return cut(kept[::-1] if args.backwards else kept, order, args)


class LazyPage(Generic[Row]):
    """A page and a count that are read when they are asked for, each at most once."""

    def __init__(
        self,
        load: Callable[[], Awaitable[Page[Row]]],
        count: Callable[[], Awaitable[int]],
        *,
        query: QuerySet[Row] | None = None,
        order: Order | None = None,
    ) -> None:
        """`query` and `order` are what the page is cut from, where it is a list of its own."""
        self._load, self._count = load, count
        self.query, self.order = query, order
        self._page: asyncio.Future[Page[Row]] | None = None

    async def page(self) -> Page[Row]:
        if self._page is None:
            # Several fields of the connection ask at the same time, before the first answer is there.
            self._page = asyncio.ensure_future(self._load())
        return await self._page

    async def count(self) -> int:
        return await self._count()
