"""Running a plan for one viewer: a statement per level, rows into finished objects from the leaves up."""

from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Any

from tortoise import Model
from tortoise.expressions import Q

from engine.keyset import DEFAULT_SIZE, Order, PageArgs, PagingError
from engine.planning import PAGING, Argument, ChildPages, ChildRows, PageParts, Plan, RootPages, RootRow
from engine.selects import Decision, Join, RowGuard, Select
from engine.statements import (
    MARK,
    Bail,
    Dialect,
    Fragment,
    NotPlannable,
    among,
    beyond,
    condition,
    conjunction,
    finished,
    id_list,
    ordering,
    stored,
    where,
)

Fetch = Callable[[str, tuple[Any, ...]], Awaitable[list[Any]]]
Rows = list[Any]


class Yes:
    """A decision that holds for every row."""

    def __getitem__(self, key: object) -> bool:
        return True


class No:
    def __getitem__(self, key: object) -> bool:
        return False


YES, NO = Yes(), No()

LONGEST_KEY = 2_000
"""Characters of variables by which a root list is remembered; what has more is planned each time."""

MOST_OF_EVERY = 1_000
"""Rows, for each parent, of a field that gives every one: as many as its resolver reads."""


@dataclass(slots=True)
class RootList:
    """A root list as one viewer asks for it, and its statements by the shape of the page."""

    demanded: Fragment
    order: Order
    statements: dict[Hashable, str] = field(default_factory=dict)


@dataclass(slots=True)
class Binding:
    """What is made for one viewer, once: conditions as SQL, and whole statements. Never shown to another viewer."""

    viewer: Any
    dialect: Dialect
    fragments: dict[Hashable, Fragment] = field(default_factory=dict)
    statements: dict[Hashable, str] = field(default_factory=dict)
    lists: dict[Hashable, RootList] = field(default_factory=dict)

    def fragment(self, key: Hashable, model: type[Model], demanded: Callable[[Any], Q]) -> Fragment:
        found = self.fragments.get(key)
        if found is None:
            found = self.fragments[key] = where(model, demanded(self.viewer), self.dialect)
        return found

    def seen(self, model: Any) -> Fragment:
        """What a row reached through another must be to be shown to the viewer."""
        return self.fragment(("seen", model), model, model.seen_by)


@dataclass(slots=True)
class Run:
    """One execution: a plan's variables, and the way to the database. Counts its statements."""

    binding: Binding
    fetch: Fetch
    variables: Mapping[str, Any]
    most: int
    context: Any
    resolve_list: Callable[[RootPages, Any], Any]
    statements: int = 0
    reading: tuple[str, Select | None] = ("", None)
    """What is being read, and the SELECT it is for: told to whoever listens at `fetch`."""

    async def data(self, plan: Plan) -> dict[str, Any]:
        """The operation's `data`.

        Raises:
            Bail, PagingError, and whatever a resolver or an argument's parsing raises: graphql-core answers then.
        """
        found: dict[str, Any] = {}
        for root in plan.roots:
            if isinstance(root, RootRow):
                found[root.key] = await self.row(root)
            elif isinstance(root, RootPages):
                found[root.key] = await self.pages(root)
            else:
                found[root[0]] = root[1]
        return found

    # --- roots

    async def row(self, root: RootRow) -> Any:
        if not all(guard.decide(self.binding.viewer) for guard in root.needs):
            raise Bail("not allowed")
        declared, select, binding = root.declared, root.select, self.binding
        value = stored(declared.key(self.arguments(root.arguments)), binding.dialect)
        seen = binding.fragment(("found", declared), declared.model, declared.seen)
        name = ("row", root.serial)
        sql = binding.statements.get(name)
        joins = self.joins(select)
        if sql is None:
            key = Fragment(f'"{select.table}"."{declared.column}" = {MARK}', (value,))
            sql = binding.statements[name] = self.sql(select, joins, conjunction(key, seen))
        self.reading = ("a row", select)
        rows = await self.read(sql, (*joins.values, value, *seen.values))
        return (await self.shaped(select, rows, root.shape))[0] if rows else None

    async def pages(self, root: RootPages) -> dict[str, Any]:
        args = paging(self.arguments(root.arguments))
        args.check(most=self.most)
        listed = self.root_list(root)
        demanded, order = listed.demanded, listed.order
        select = root.parts.select
        placed = conjunction(demanded, *self.places(order, select.table, args))
        way = order.flipped() if args.backwards else order
        rows: Rows = []
        if any(name != "totalCount" for name, _, _ in root.parts.layout):
            rows = await self.cut(listed.statements, shape_of(args), select, placed, way, args)
        count = None
        if any(name == "totalCount" for name, _, _ in root.parts.layout):
            sql = f'SELECT count(*) FROM "{select.table}"' + (f" WHERE {demanded.sql}" if demanded else "")
            self.reading = ("the count", select)
            count = (await self.read(finished(sql, self.binding.dialect), demanded.values))[0][0]
        return (await self.assembled(root.parts, [rows], [count], order, args))[0]

    def root_list(self, root: RootPages) -> RootList:
        # Absent and null are different: a default stands for what is absent.
        asked = repr([self.variables.get(name, ...) for name in root.depends])
        found = self.binding.lists.get((root.serial, asked))
        if found is None:
            found = self.planned_list(root)
            if len(asked) <= LONGEST_KEY:
                self.binding.lists[root.serial, asked] = found
        return found

    def planned_list(self, root: RootPages) -> RootList:
        page = self.resolve_list(root, self.context)
        if getattr(page, "query", None) is None:
            raise NotPlannable(f"Query.{root.selected.name} is no list of its own")
        return RootList(condition(page.query, self.binding.dialect), page.order)

    # --- levels

    async def shaped(self, select: Select, rows: Rows, *shapes: Callable[..., list[Any]]) -> list[Any]:
        """What `shapes`, or the only one, make of the rows; what hangs below is read first."""
        children = [await self.child(each, rows) for each in select.children]
        decisions = [await self.decided(each, select, rows) for each in select.guards]
        if len(shapes) == 1:
            return shapes[0](rows, children, decisions)
        return [shape(rows, children, decisions) for shape in shapes]

    async def decided(self, guard: RowGuard, select: Select, rows: Rows) -> Any:
        """Whether a field may be read, by the columns of the row's facts."""
        known = guard.guard.decide(self.binding.viewer)
        if known is not None:
            return YES if known else NO
        keys = {tuple(row[column] for column in guard.columns) for row in rows}
        if guard.columns:
            keys.discard((None,) * len(guard.columns))  # a row that is not there
        self.reading = ("what decides about a field", select)
        return await guard.guard.decide_rows(self.binding.viewer, guard.model, keys, self.read_marked)

    async def child(self, child: ChildPages | ChildRows, rows: Rows) -> dict[Any, Any]:
        parents = list({row[child.parent] for row in rows} - {None})
        if not parents:
            return {}
        if isinstance(child, ChildPages):
            return await self.child_pages(child, parents)
        return await self.child_rows(child, parents)

    async def child_rows(self, child: ChildRows, parents: list[Any]) -> dict[Any, Any]:
        declared, select = child.declared, child.select
        table = select.table
        seen = self.binding.fragment(("every", declared), declared.model, declared.seen)
        joins = self.joins(select)
        name = ("every", child.serial)
        sql = self.binding.statements.get(name)
        if sql is None:
            of = Fragment(among(f'"{table}"."{declared.by}"', self.binding.dialect), (None,))
            tail = f' ORDER BY "{table}"."{declared.order}", "{table}"."id" LIMIT {MARK}'
            sql = self.binding.statements[name] = self.sql(select, joins, conjunction(of, seen), tail)
        most = MOST_OF_EVERY * len(parents)
        self.reading = ("every row", select)
        rows = await self.read(sql, (*joins.values, id_list(parents, self.binding.dialect), *seen.values, most))
        found: dict[Any, Any] = {parent: None if declared.single else [] for parent in parents}
        for row, shaped in zip(rows, await self.shaped(select, rows, child.shape), strict=True):
            if not declared.single:
                found[row[child.by]].append(shaped)
            elif found[row[child.by]] is None:
                found[row[child.by]] = shaped
        return found

    async def child_pages(self, child: ChildPages, parents: list[Any]) -> dict[Any, Any]:
        args = paging(self.arguments(child.arguments))
        args.check(most=self.most)
        declared, select, order = child.declared, child.parts.select, child.order
        seen = self.binding.fragment(("pages", declared), declared.model, declared.seen)
        placed = conjunction(seen, *self.places(order, select.table, args))
        way = order.flipped() if args.backwards else order
        name = ("child", child.serial, shape_of(args), len(parents) == 1)
        pages: list[Rows] = [[] for _ in parents]
        if any(part != "totalCount" for part, _, _ in child.parts.layout):
            if len(parents) == 1:
                of = Fragment(f'"{select.table}"."{declared.by}" = {MARK}', (parents[0],))
                demanded = conjunction(of, placed)
                pages = [await self.cut(self.binding.statements, name, select, demanded, way, args)]
            else:
                pages = await self.windows(name, child, placed, way, args, parents)
        counts: list[int | None] = [None] * len(parents)
        if any(part == "totalCount" for part, _, _ in child.parts.layout):
            counts = await self.counts(child, seen, parents)
        return dict(zip(parents, await self.assembled(child.parts, pages, counts, order, args), strict=True))

    async def windows(
        self, name: Hashable, child: ChildPages, placed: Fragment, way: Order, args: PageArgs, parents: list[Any]
    ) -> list[Rows]:
        """The same page of every parent's children, in one statement."""
        select, declared = child.parts.select, child.declared
        joins = self.joins(select)
        sql = self.binding.statements.get(name)
        of = Fragment(
            among(f'"{select.table}"."{declared.by}"', self.binding.dialect), (id_list(parents, self.binding.dialect),)
        )
        demanded = conjunction(of, placed)
        if sql is None:
            columns = ", ".join(f"{each} AS c{number}" for number, each in enumerate(self.columns(select)))
            number = (
                f'ROW_NUMBER() OVER (PARTITION BY "{select.table}"."{declared.by}" '
                f"ORDER BY {ordering(way, select.table)}) AS n"
            )
            inner = f'SELECT {columns}, {number} FROM "{select.table}"{joins.sql} WHERE {demanded.sql}'
            outer = ", ".join(f"c{number}" for number in range(len(select.columns)))
            whole = f"SELECT {outer} FROM ({inner}) AS numbered WHERE n <= {MARK} ORDER BY n"
            sql = self.binding.statements[name] = intern(finished(whole, self.binding.dialect))
        self.reading = ("a page for each parent", select)
        rows = await self.read(sql, (*joins.values, *demanded.values, args.size(DEFAULT_SIZE) + 1))
        found: dict[Any, Rows] = {parent: [] for parent in parents}
        for row in rows:
            found[row[child.by]].append(row)
        return list(found.values())

    async def counts(self, child: ChildPages, seen: Fragment, parents: list[Any]) -> list[int | None]:
        table, by = child.parts.select.table, child.declared.by
        key = f'"{table}"."{by}"'
        text = key if self.binding.dialect == "sqlite" else f"{key}::text"
        demanded = conjunction(
            Fragment(among(key, self.binding.dialect), (id_list(parents, self.binding.dialect),)), seen
        )
        sql = f'SELECT {text}, count(*) FROM "{table}" WHERE {demanded.sql} GROUP BY {key}'
        self.reading = ("the count for each parent", child.parts.select)
        found = {row[0]: row[1] for row in await self.read(finished(sql, self.binding.dialect), demanded.values)}
        return [found.get(parent, 0) for parent in parents]

    async def assembled(
        self, parts: PageParts, pages: list[Rows], counts: list[Any], order: Order, args: PageArgs
    ) -> list[dict[str, Any]]:
        """Connections, one for each page. The rows of all of them are shaped at once: what hangs below is read once."""
        size = args.size(DEFAULT_SIZE)
        more = [len(rows) > size for rows in pages]
        kept = [rows[:size][::-1] if args.backwards else rows[:size] for rows in pages]
        everything = [row for rows in kept for row in rows]
        shapes = [shape for name, _, found in parts.layout for shape in shapes_of(name, found)]
        made = await self.shaped(parts.select, everything, *shapes) if shapes else []
        columns = iter([made] if len(shapes) == 1 else made)
        finder = PageBuilder(parts.select, order, args)
        layout = [
            (name, key, found, [next(columns) for _ in shapes_of(name, found)]) for name, key, found in parts.layout
        ]
        answers: list[dict[str, Any]] = []
        start = 0
        for rows, has_more, count in zip(kept, more, counts, strict=True):
            answers.append(finder.page(layout, rows, slice(start, start + len(rows)), has_more, count))
            start += len(rows)
        return answers

    # --- statements

    async def cut(
        self,
        statements: dict[Hashable, str],
        name: Hashable,
        select: Select,
        demanded: Fragment,
        way: Order,
        args: PageArgs,
    ) -> Rows:
        """The rows of a page, and the one too many; its statement is remembered in `statements`."""
        joins = self.joins(select)
        sql = statements.get(name)
        if sql is None:
            tail = f" ORDER BY {ordering(way, select.table)} LIMIT {MARK}"
            sql = statements[name] = self.sql(select, joins, demanded, tail)
        self.reading = ("a page", select)
        return await self.read(sql, (*joins.values, *demanded.values, args.size(DEFAULT_SIZE) + 1))

    def sql(self, select: Select, joins: Fragment, demanded: Fragment, tail: str = "") -> str:
        wanted = f" WHERE {demanded.sql}" if demanded else ""
        columns = ", ".join(self.columns(select)) or "1"
        # Viewers have the same text far more often than not: it is kept once.
        return intern(
            finished(f'SELECT {columns} FROM "{select.table}"{joins.sql}{wanted}{tail}', self.binding.dialect)
        )

    def columns(self, select: Select) -> list[str]:
        """The columns as this viewer's statement has them."""
        return [self.decision(each).sql if isinstance(each, Decision) else each for each in select.columns]

    def joins(self, select: Select) -> Fragment:
        """The joins; the values are all of those that stand before WHERE, hence those of the columns too."""
        key = ("joins", select.serial)
        found = self.binding.fragments.get(key)
        if found is None:
            joined = [self.join(each) for each in select.joins]
            before = [self.decision(each) for each in select.decisions]
            values: tuple[Any, ...] = sum((piece.values for piece in (*before, *joined)), ())
            found = self.binding.fragments[key] = Fragment("".join(piece.sql for piece in joined), values)
        return found

    def decision(self, decision: Decision) -> Fragment:
        """The column that says whether a field may be read."""
        key = ("decision", decision)
        found = self.binding.fragments.get(key)
        if found is None:
            guard, model = decision.guard, decision.model
            demanded = guard.condition(self.binding.viewer, model, self.binding.dialect)
            demanded = demanded.of(model._meta.db_table, decision.alias)
            found = Fragment(f"CASE WHEN {demanded.sql} THEN 1 ELSE 0 END", demanded.values)
            self.binding.fragments[key] = found
        return found

    def join(self, join: Join) -> Fragment:
        table = join.model._meta.db_table
        demanded = Fragment() if join.implied else self.binding.seen(join.model)
        if f'FROM "{table}"' in demanded.sql:
            raise NotPlannable(f"{table} is seen by a condition that asks {table} itself: no join can carry it")
        demanded = demanded.of(table, join.alias)
        way = " JOIN" if join.inner else " LEFT JOIN"
        also = f" AND {demanded.sql}" if demanded else ""
        return Fragment(f'{way} "{table}" "{join.alias}" ON "{join.alias}"."id" = {join.on}{also}', demanded.values)

    def places(self, order: Order, table: str, args: PageArgs) -> list[Fragment]:
        found = []
        if args.after:
            found.append(beyond(order, table, args.after, "after", self.binding.dialect))
        if args.before:
            found.append(beyond(order, table, args.before, "before", self.binding.dialect))
        return found

    async def read(self, sql: str, values: tuple[Any, ...]) -> Rows:
        self.statements += 1
        return await self.fetch(sql, values)

    async def read_marked(self, sql: str, values: tuple[Any, ...]) -> Rows:
        """For guards: values are marked as in a `Fragment`."""
        return await self.read(finished(sql, self.binding.dialect), values)

    def arguments(self, given: Mapping[str, Argument]) -> dict[str, Any]:
        """The arguments' values; an argument whose variable is not given is left out."""
        return {
            name: value if constant else self.variables[value]
            for name, (constant, value) in given.items()
            if constant or value in self.variables
        }


class PageBuilder:
    """The parts of a connection around its rows."""

    def __init__(self, select: Select, order: Order, args: PageArgs) -> None:
        self.order, self.args = order, args
        self.at = select.column(select.model, select.table, order.column) if order.column else 0
        self.id = select.column(select.model, select.table, "id")

    def cursor(self, row: Any) -> str:
        return self.order.cursor_at(row[self.at], row[self.id])

    def page(self, layout: list[Any], rows: Rows, span: slice, more: bool, count: Any) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        for name, key, found, made in layout:
            if name == "nodes":
                answer[key] = made[0][span]
            elif name == "edges":
                answer[key] = self.edges(found, [each[span] for each in made], rows)
            elif name == "pageInfo":
                answer[key] = self.page_info(found, rows, more)
            else:
                answer[key] = count if name == "totalCount" else found
        return answer

    def edges(self, layout: list[tuple[str, str, Any]], nodes: list[list[Any]], rows: Rows) -> list[dict[str, Any]]:
        if len(layout) == 1 and nodes:
            key = layout[0][1]
            return [{key: node} for node in nodes[0]]
        edges: list[dict[str, Any]] = []
        for number, row in enumerate(rows):
            column = iter(nodes)
            edges.append(
                {
                    key: next(column)[number] if name == "node" else self.cursor(row) if name == "cursor" else found
                    for name, key, found in layout
                }
            )
        return edges

    def page_info(self, layout: list[tuple[str, str]], rows: Rows, more: bool) -> dict[str, Any]:
        backwards = self.args.backwards
        facts = {
            "hasNextPage": bool(self.args.before) if backwards else more,
            "hasPreviousPage": more if backwards else bool(self.args.after),
            "__typename": "PageInfo",
        }
        answer: dict[str, Any] = {}
        for name, key in layout:
            if name == "startCursor":
                answer[key] = self.cursor(rows[0]) if rows else None
            elif name == "endCursor":
                answer[key] = self.cursor(rows[-1]) if rows else None
            else:
                answer[key] = facts[name]
        return answer


def shapes_of(name: str, found: Any) -> list[Callable[..., list[Any]]]:
    if name == "nodes":
        return [found]
    if name == "edges":
        return [shape for each, _, shape in found if each == "node"]
    return []


def paging(arguments: Mapping[str, Any]) -> PageArgs:
    given = {name: arguments.get(name) for name in PAGING}
    if not all(given[name] is None or type(given[name]) is int for name in ("first", "last")):
        raise PagingError("first", "`first` and `last` are numbers.")
    return PageArgs(**given)


def shape_of(args: PageArgs) -> tuple[bool, bool, bool]:
    """What of the arguments changes a statement's text."""
    return bool(args.after), bool(args.before), args.backwards
