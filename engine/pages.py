"""Pages of a plan: what of a connection is asked for, cut from its rows, and put together around them.

Whatever depends only on the plan and on the shape of the arguments (which cursors there are, which way it goes) is made
once and kept: asking again costs the statement and its rows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.keyset import DEFAULT_SIZE, Order, PageArgs, PagingError
from engine.plans import PAGING, PageParts

Rows = list[Any]
Shape = Callable[..., list[Any]]


@dataclass(frozen=True, slots=True)
class Paged:
    """A page's statement for one viewer and one shape of arguments, and the values around those that change."""

    sql: str
    before: tuple[Any, ...]
    after: tuple[Any, ...]


class PageBuilder:
    """The parts of a connection around its rows, for pages of one shape."""

    def __init__(self, parts: PageParts, order: Order, args: PageArgs) -> None:
        select = parts.select
        self.select, self.order = select, order
        self.backwards, self.is_after, self.is_before = shape_of(args)
        self.at = select.column(select.model, select.table, order.column) if order.column else 0
        self.id = select.column(select.model, select.table, "id")
        self.wants_rows = any(name != "totalCount" for name, _, _ in parts.layout)
        self.wants_count = any(name == "totalCount" for name, _, _ in parts.layout)
        self.shapes: list[Shape] = []
        self.layout = [(name, key, found, self._columns_of(name, found)) for name, key, found in parts.layout]

    def _columns_of(self, name: str, found: Any) -> range:
        """Which of the shapes a part takes its nodes from."""
        shapes = shapes_of(name, found)
        self.shapes += shapes
        return range(len(self.shapes) - len(shapes), len(self.shapes))

    def kept(self, rows: Rows, size: int) -> Rows:
        """The rows of the page without the one too many, in their order."""
        return rows[:size][::-1] if self.backwards else rows[:size]

    def page(self, made: list[list[Any]], rows: Rows, start: int, more: bool, count: Any) -> dict[str, Any]:
        """One connection: `made` has for each shape the nodes of all pages, this page's from `start` on."""
        answer: dict[str, Any] = {}
        end = start + len(rows)
        for name, key, found, columns in self.layout:
            if name == "nodes":
                answer[key] = made[columns[0]][start:end]
            elif name == "edges":
                answer[key] = self._edges(found, [made[column][start:end] for column in columns], rows)
            elif name == "pageInfo":
                answer[key] = self._page_info(found, rows, more)
            else:
                answer[key] = count if name == "totalCount" else found
        return answer

    def _cursor(self, row: Any) -> str:
        return self.order.cursor_at(row[self.at], row[self.id])

    def _edges(self, layout: list[tuple[str, str, Any]], nodes: list[list[Any]], rows: Rows) -> list[dict[str, Any]]:
        if len(layout) == 1 and nodes:
            key = layout[0][1]
            return [{key: node} for node in nodes[0]]
        edges: list[dict[str, Any]] = []
        for number, row in enumerate(rows):
            column = iter(nodes)
            edges.append(
                {
                    key: next(column)[number] if name == "node" else self._cursor(row) if name == "cursor" else found
                    for name, key, found in layout
                }
            )
        return edges

    def _page_info(self, layout: list[tuple[str, str]], rows: Rows, more: bool) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        for name, key in layout:
            if name == "hasNextPage":
                answer[key] = self.is_before if self.backwards else more
            elif name == "hasPreviousPage":
                answer[key] = more if self.backwards else self.is_after
            elif name == "startCursor":
                answer[key] = self._cursor(rows[0]) if rows else None
            elif name == "endCursor":
                answer[key] = self._cursor(rows[-1]) if rows else None
            else:
                answer[key] = "PageInfo"
        return answer


def shapes_of(name: str, found: Any) -> list[Shape]:
    if name == "nodes":
        return [found]
    if name == "edges":
        return [shape for each, _, shape in found if each == "node"]
    return []


def paging(arguments: Mapping[str, Any]) -> PageArgs:
    """
    Raises:
        PagingError: a number that is none.
    """
    given = {name: arguments.get(name) for name in PAGING}
    if not all(given[name] is None or type(given[name]) is int for name in ("first", "last")):
        raise PagingError("first", "`first` and `last` are numbers.")
    return PageArgs(**given)


def shape_of(args: PageArgs) -> tuple[bool, bool, bool]:
    """What of the arguments changes a statement's text: backwards, after, before."""
    return args.last is not None, bool(args.after), bool(args.before)


def size_of(args: PageArgs) -> int:
    return args.size(DEFAULT_SIZE)
