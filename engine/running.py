"""Running a plan for one viewer: a statement per level, rows into finished objects from the leaves up."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from sys import intern
from typing import Any

from tortoise import Model

from engine.binding import Binding, RootList
from engine.calling import Calls
from engine.declare import FieldGuard
from engine.given import ChildValues, KnownRows
from engine.keyset import Order, PageArgs
from engine.merging import merged_pages
from engine.pages import PageBuilder, Paged, paging, shape_of, size_of
from engine.plans import PAGING, ChildMerged, ChildPages, ChildRows, Plan, RootPages, RootRow
from engine.selections import Argument
from engine.selects import RowGuard, Select
from engine.statements import (
    MARK,
    Bail,
    Fragment,
    NotPlannable,
    among,
    condition,
    conjunction,
    finished,
    id_list,
    ordering,
    stored,
)

Fetch = Callable[[str, tuple[Any, ...]], Awaitable[list[Any]]]
Load = Callable[[Any, type[Model], list[Any]], Awaitable[list[Any]]]
"""Whole rows for a context, by their keys and in their order, as ordinary resolvers get them."""
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
class Run:
    """One execution: a plan's variables, and the way to the database. Counts its statements."""

    binding: Binding
    fetch: Fetch
    variables: Mapping[str, Any]
    most: int
    context: Any = None
    calls: Calls | None = None
    load: Load | None = None
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
            elif isinstance(root, tuple):
                found[root[0]] = root[1]
            else:
                found[root.selected.key] = await root.read(self)
        return found

    # --- roots

    async def row(self, root: RootRow) -> Any:
        self.check(root.needs)
        declared, select, binding = root.declared, root.select, self.binding
        value = stored(declared.key(self.arguments(root.arguments)), binding.dialect)
        seen = binding.fragment(("found", declared), declared.model, declared.seen)
        name = ("row", root.serial)
        sql = binding.statements.get(name)
        joins = self.binding.joins(select)
        if sql is None:
            key = Fragment(f'"{select.table}"."{declared.column}" = {MARK}', (value,))
            sql = binding.statements[name] = self.binding.sql(select, joins, conjunction(key, seen))
        self.reading = ("a row", select)
        rows = await self.read(sql, (*joins.values, value, *seen.values))
        if not rows and declared.worded(binding.viewer):
            raise Bail("it may have to be said why there is nothing")
        return (await self.shaped(select, rows, [root.shape]))[0][0] if rows else None

    async def rows(self, root: RootRow, ids: list[str]) -> dict[str, Any]:
        """As `row`, for rows of these ids at once: what becomes of each, by id; of those that the viewer may see."""
        declared, select, binding = root.declared, root.select, self.binding
        seen = binding.fragment(("found", declared), declared.model, declared.seen)
        joins, name = self.binding.joins(select), ("rows", root.serial)
        at = select.column(declared.model, select.table, "id")
        sql = binding.statements.get(name)
        if sql is None:
            of = Fragment(among(f'"{select.table}"."id"', binding.dialect), (None,))
            sql = binding.statements[name] = self.binding.sql(select, joins, conjunction(of, seen))
        self.reading = ("rows by their keys", select)
        found = await self.read(sql, (*joins.values, id_list(ids, binding.dialect), *seen.values))
        (made,) = await self.shaped(select, found, [root.shape])
        return {row[at]: each for row, each in zip(found, made, strict=True)}

    def check(self, needs: list[FieldGuard]) -> None:
        if not all(guard.decide(self.binding.viewer) for guard in needs):
            raise Bail("not allowed")

    async def known_rows(self, known: KnownRows, keys: list[str]) -> dict[str, Any]:
        """What becomes of the rows of these keys, by key; of those that the viewer may see."""
        rows, select, binding = known.rows, known.select, self.binding
        seen = binding.fragment(("known", known.serial), rows.model, partial(known.seen, rows.model))
        of_kind = Fragment(f'"{select.table}"."{rows.column}" = {MARK}', (rows.value,)) if rows.column else Fragment()
        wanted = conjunction(Fragment(among(f'"{select.table}"."id"', binding.dialect), (None,)), of_kind, seen)
        joins, name = self.binding.joins(select), ("known", known.serial)
        sql = binding.statements.get(name)
        if sql is None:
            sql = binding.statements[name] = self.binding.sql(select, joins, wanted)
        self.reading = ("rows by their keys", select)
        found = await self.read(sql, (*joins.values, id_list(keys, binding.dialect), *wanted.values[1:]))
        at = select.column(rows.model, select.table, "id")
        (made,) = await self.shaped(select, found, [known.shape])
        return {row[at]: each for row, each in zip(found, made, strict=True)}

    async def pages(self, root: RootPages) -> dict[str, Any]:
        args = self.page_args(root)
        listed = self.root_list(root)
        builder = self.builder(root, listed.order, args)
        places = self.binding.place_values(listed.order, args)
        rows: Rows = []
        if builder.wants_rows:
            page = listed.statements.get(shape_of(args))
            if page is None:
                page = listed.statements[shape_of(args)] = self.binding.cut(builder, listed.demanded, args)
            self.reading = ("a page", builder.select)
            rows = await self.read(page.sql, (*page.before, *places, size_of(args) + 1))
        count = None
        if builder.wants_count:
            table, demanded = builder.select.table, listed.demanded
            sql = f'SELECT count(*) FROM "{table}"' + (f" WHERE {demanded.sql}" if demanded else "")
            self.reading = ("the count", builder.select)
            count = (await self.read(finished(sql, self.binding.dialect), demanded.values))[0][0]
        return (await self.assembled(builder, [rows], [count], size_of(args)))[0]

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
        assert self.calls is not None
        page = self.calls.begin(root.parent, root.selected, None)
        if getattr(page, "query", None) is None:
            raise NotPlannable(f"Query.{root.selected.name} is no list of its own")
        return RootList(condition(page.query, self.binding.dialect), page.order)

    # --- levels

    async def shaped(self, select: Select, rows: Rows, shapes: list[Callable[..., list[Any]]]) -> list[list[Any]]:
        """What each of `shapes` makes of the rows; what hangs below is read first."""
        children = [await self.child(each, rows) for each in select.children]
        decisions = [await self.decided(each, select, rows) for each in select.guards]
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

    async def child(self, child: ChildPages | ChildMerged | ChildRows | ChildValues, rows: Rows) -> dict[Any, Any]:
        if isinstance(child, ChildValues):
            return await child.values(self, rows)
        parents = list({row[child.parent] for row in rows} - {None})
        if not parents:
            return {}
        if isinstance(child, ChildPages):
            return await self.child_pages(child, parents)
        if isinstance(child, ChildMerged):
            return await merged_pages(self, child, parents)
        return await self.child_rows(child, parents)

    async def child_rows(self, child: ChildRows, parents: list[Any]) -> dict[Any, Any]:
        declared, select = child.declared, child.select
        table = select.table
        seen = self.binding.fragment(("every", declared), declared.model, declared.seen)
        joins = self.binding.joins(select)
        name = ("every", child.serial)
        sql = self.binding.statements.get(name)
        if sql is None:
            of = Fragment(among(select.by(declared.by), self.binding.dialect), (None,))
            tail = f' ORDER BY "{table}"."{declared.order}", "{table}"."id" LIMIT {MARK}'
            sql = self.binding.statements[name] = self.binding.sql(select, joins, conjunction(of, seen), tail)
        most = MOST_OF_EVERY * len(parents)
        self.reading = ("every row", select)
        rows = await self.read(sql, (*joins.values, id_list(parents, self.binding.dialect), *seen.values, most))
        found: dict[Any, Any] = {parent: None if declared.single else [] for parent in parents}
        (made,) = await self.shaped(select, rows, [child.shape])
        for row, shaped in zip(rows, made, strict=True):
            if not declared.single:
                found[row[child.by]].append(shaped)
            elif found[row[child.by]] is None:
                found[row[child.by]] = shaped
        return found

    async def child_pages(self, child: ChildPages, parents: list[Any]) -> dict[Any, Any]:
        args = self.page_args(child)
        builder = self.builder(child, child.order, args)
        places = self.binding.place_values(child.order, args)  # a bad cursor is refused even where no row is asked for
        pages: list[Rows] = [[] for _ in parents]
        if builder.wants_rows:
            pages = await self.rows_of_pages(child, builder, args, places, parents)
        counts: Sequence[int | None] = [None] * len(parents)
        if builder.wants_count:
            counts = await self.counts(child, parents)
        return dict(zip(parents, await self.assembled(builder, pages, counts, size_of(args)), strict=True))

    async def rows_of_pages(
        self, child: ChildPages, builder: PageBuilder, args: PageArgs, places: tuple[Any, ...], parents: list[Any]
    ) -> list[Rows]:
        """The rows of each parent's page and the one too many, in the order of the parents."""
        single = len(parents) == 1
        name = ("child", child.serial, shape_of(args), single)
        page = self.binding.pages.get(name)
        if page is None:
            made = self.child_cut if single else self.windows
            page = self.binding.pages[name] = made(child, builder, args)
        of = parents[0] if single else id_list(parents, self.binding.dialect)
        self.reading = ("a page" if single else "a page for each parent", builder.select)
        rows = await self.read(page.sql, (*page.before, of, *page.after, *places, size_of(args) + 1))
        return [rows] if single else by_parent(rows, parents, child.by)

    def seen_below(self, child: ChildPages) -> Fragment:
        """What the children must be to be shown."""
        declared = child.declared
        return self.binding.fragment(("pages", declared), declared.model, declared.seen)

    def child_cut(self, child: ChildPages, builder: PageBuilder, args: PageArgs) -> Paged:
        """The page of one parent's children; its id comes between the values that stand before and after it."""
        select, seen = builder.select, self.seen_below(child)
        of = Fragment(f"{select.by(child.declared.by)} = {MARK}")
        page = self.binding.cut(builder, conjunction(of, seen), args)
        return Paged(page.sql, self.binding.joins(select).values, seen.values)

    def windows(self, child: ChildPages, builder: PageBuilder, args: PageArgs) -> Paged:
        """The same page of every parent's children, in one statement."""
        select, seen, dialect = builder.select, self.seen_below(child), self.binding.dialect
        joins, by = self.binding.joins(select), select.by(child.declared.by)
        demanded = conjunction(
            Fragment(among(by, dialect)), seen, *self.binding.places(builder.order, select.table, args)
        )
        columns = ", ".join(f"{each} AS c{number}" for number, each in enumerate(self.binding.columns(select)))
        way = ordering(self.binding.way(builder.order, args), select.table)
        number = f"ROW_NUMBER() OVER (PARTITION BY {by} ORDER BY {way}) AS n"
        inner = f'SELECT {columns}, {number} FROM "{select.table}"{joins.sql} WHERE {demanded.sql}'
        outer = ", ".join(f"c{number}" for number in range(len(select.columns)))
        whole = f"SELECT {outer} FROM ({inner}) AS numbered WHERE n <= {MARK} ORDER BY n"
        return Paged(intern(finished(whole, dialect)), joins.values, seen.values)

    async def counts(self, child: ChildPages, parents: list[Any]) -> list[int]:
        """How many rows each parent has below it, in the order of the parents."""
        select, seen = child.parts.select, self.seen_below(child)
        key = select.by(child.declared.by)
        text = key if self.binding.dialect == "sqlite" else f"{key}::text"
        demanded = conjunction(
            Fragment(among(key, self.binding.dialect), (id_list(parents, self.binding.dialect),)), seen
        )
        sql = f'SELECT {text}, count(*) FROM "{select.table}"{select.link_sql} WHERE {demanded.sql} GROUP BY {key}'
        self.reading = ("the count for each parent", select)
        found = {row[0]: row[1] for row in await self.read(finished(sql, self.binding.dialect), demanded.values)}
        return [found.get(parent, 0) for parent in parents]

    async def assembled(
        self, builder: PageBuilder, pages: list[Rows], counts: Sequence[Any], size: int
    ) -> list[dict[str, Any]]:
        """Connections, one for each page. The rows of all of them are shaped at once: what hangs below is read once."""
        kept = [builder.kept(rows, size) for rows in pages]
        made: list[list[Any]] = []
        if builder.shapes:
            everything = kept[0] if len(kept) == 1 else [row for rows in kept for row in rows]
            made = await self.shaped(builder.select, everything, builder.shapes)
        answers: list[dict[str, Any]] = []
        start = 0
        for rows, all_rows, count in zip(kept, pages, counts, strict=True):
            answers.append(builder.page(made, rows, start, len(all_rows) > size, count))
            start += len(rows)
        return answers

    # --- statements

    def page_args(self, asked: RootPages | ChildPages) -> PageArgs:
        """The paging arguments, checked; those that no variable is part of are read once."""
        if asked.fixed is not None:
            return asked.fixed
        args = paging(self.arguments(asked.arguments))
        args.check(most=self.most)
        if all(constant for name, (constant, _) in asked.arguments.items() if name in PAGING):
            asked.fixed = args
        return args

    def builder(self, asked: RootPages | ChildPages, order: Order, args: PageArgs) -> PageBuilder:
        key = (order, shape_of(args))
        found = asked.builders.get(key)
        if found is None:
            found = asked.builders[key] = PageBuilder(asked.parts, order, args)
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


def by_parent(rows: Rows, parents: list[Any], by: int) -> list[Rows]:
    """The rows of each parent, in the order of the parents."""
    found: dict[Any, Rows] = {parent: [] for parent in parents}
    for row in rows:
        found[row[by]].append(row)
    return list(found.values())
