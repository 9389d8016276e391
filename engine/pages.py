"""Pages of a plan: what of a connection is asked for, cut from its rows, and put together around them.

Whatever depends only on the plan and on the shape of the arguments (which cursors there are, which way it goes) is made
once and kept: asking again costs the statement and its rows.
"""

from collections.abc import Callable, Mapping
from typing import Any

from engine.keyset import DEFAULT_SIZE, Order, PageArgs, PagingError
from engine.plans import PAGING, Asked, PageParts

Rows = list[Any]
Shape = Callable[..., list[Any]]
Place = tuple[int, int]


class PageBuilder:
    """The parts of a connection around its rows, for pages of one shape.

    `place` says where the order's value and the id stand in a row, if not where the SELECT has them.
    """

    def __init__(self, parts: PageParts, order: Order, args: PageArgs, place: Place | None = None) -> None:
        self.parts, self.order, self.args, self.select = parts, order, args, parts.select
        self.backwards = args.backwards
        self.wants_rows = any(name != "totalCount" for name, _, _ in parts.layout)
        self.wants_count = any(name == "totalCount" for name, _, _ in parts.layout)
        self._place = place
        self._framed: PageBuilder | None = None
        writing = PageWriter(self)
        self.page: Callable[..., dict[str, Any]] = writing.compiled()
        """Puts one connection together: of what the shapes have made of the rows of all pages, the page's rows, where
        among all rows they begin, whether there are more, and the count."""
        self.shapes = writing.shapes

    def place(self) -> Place:
        """Selected where it is asked for: a page without a cursor needs it only if its rows are sorted again."""
        if self._place is None:
            model, table = self.select.model, self.select.table
            self._place = (
                self.select.column(model, table, self.order.column),
                self.select.column(model, table, "id"),
            )
        return self._place

    def framed(self) -> "PageBuilder":
        """One for rows that have the order's value and the id at their head, whatever SELECT they are of."""
        if self._framed is None:
            self._framed = PageBuilder(self.parts, self.order, self.args, (0, 1))
        return self._framed

    def kept(self, rows: list[Any], size: int) -> list[Any]:
        """The rows of the page without the one too many, in their order."""
        return rows[:size][::-1] if self.backwards else rows[:size]


class PageWriter:
    """Writes the expression of a page, as `ObjectPlanner` writes those of rows."""

    def __init__(self, builder: PageBuilder) -> None:
        self.builder, self.parts, self.args = builder, builder.parts, builder.args
        self.shapes: list[Shape] = []

    def compiled(self) -> Callable[..., dict[str, Any]]:
        pairs = [f"{key!r}: {self.part(name, found)}" for name, key, found in self.parts.layout]
        source = (
            "def page(made, rows, start, more, count):\n    end = start + len(rows)\n    return {"
            + ", ".join(pairs)
            + "}\n"
        )
        names: dict[str, Any] = {"cursor": self.builder.order.cursor_at}
        exec(compile(source, f"<page of {self.parts.select.table}>", "exec"), names)  # our own source
        page: Callable[..., dict[str, Any]] = names["page"]
        return page

    def part(self, name: str, found: Any) -> str:
        if name == "nodes":
            return self.made(found)
        if name == "edges":
            return self.edges(found)
        if name == "pageInfo":
            return "{" + ", ".join(f"{key!r}: {self.page_info(each)}" for each, key in found) + "}"
        return "count" if name == "totalCount" else repr(found)

    def made(self, shape: Shape) -> str:
        """The page's own of what a shape has made."""
        self.shapes.append(shape)
        return f"made[{len(self.shapes) - 1}][start:end]"

    def edges(self, layout: list[tuple[str, str, Any]]) -> str:
        """One for each row, from whatever of it stands side by side."""
        names, columns, pairs = ["r"], ["rows"], []
        for name, key, found in layout:
            if name == "node":
                names.append(f"n{len(names)}")
                columns.append(self.made(found))
                pairs.append(f"{key!r}: {names[-1]}")
            else:
                pairs.append(f"{key!r}: {self.cursor('r') if name == 'cursor' else repr(found)}")
        return f"[{{{', '.join(pairs)}}} for {', '.join(names)}, in zip({', '.join(columns)})]"

    def page_info(self, name: str) -> str:
        backwards, is_after, is_before = shape_of(self.args)
        match name:
            case "hasNextPage":
                return repr(is_before) if backwards else "more"
            case "hasPreviousPage":
                return "more" if backwards else repr(is_after)
            case "startCursor":
                return f"{self.cursor('rows[0]')} if rows else None"
            case "endCursor":
                return f"{self.cursor('rows[-1]')} if rows else None"
        return "'PageInfo'"

    def cursor(self, row: str) -> str:
        at, row_id = self.builder.place()
        return f"cursor({row}[{at}], {row}[{row_id}])"


def asked(arguments: Mapping[str, Any], most: int) -> Asked:
    """The paging arguments among a field's.

    Raises:
        PagingError: a number that is none, or what cannot be used.
    """
    given = {name: arguments.get(name) for name in PAGING}
    if not all(given[name] is None or type(given[name]) is int for name in ("first", "last")):
        raise PagingError("first", "`first` and `last` are numbers.")
    args = PageArgs(**given)
    args.check(most=most)
    return Asked(args, shape_of(args), args.size(DEFAULT_SIZE))


def shape_of(args: PageArgs) -> tuple[bool, bool, bool]:
    """What of the arguments changes a statement's text: backwards, after, before."""
    return args.last is not None, bool(args.after), bool(args.before)
