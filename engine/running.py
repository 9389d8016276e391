"""Running a plan for one viewer: a statement per level, rows into finished objects from the leaves up."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tortoise import Model

from engine import pages, wording
from engine.binding import Binding, RootList
from engine.calling import Calls
from engine.declare import FieldGuard
from engine.given import ChildValues, KnownRows
from engine.keyset import Order
from engine.merging import merged_pages
from engine.pages import PageBuilder
from engine.plans import PAGING, Asked, ChildMerged, ChildPages, ChildRows, Plan, RootPages, RootRow
from engine.refusing import Refusal
from engine.selections import Argument
from engine.selects import RowGuard, Select
from engine.statements import Bail, NotPlannable, condition, finished, id_list, stored
from engine.wording import Statement

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
    words_refusals: bool = False
    """Whether refusals may stand in the data, for `refusing.worded`; `refused` says whether one does."""
    refused: bool = False
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
        statement = binding.statement(root.serial, wording.row, root)
        self.reading = ("a row", select)
        rows = await self.read(statement, value)
        if not rows and declared.worded(binding.viewer):
            raise Bail("it may have to be said why there is nothing")
        return (await self.shaped(select, rows, [root.shape]))[0][0] if rows else None

    async def rows(self, root: RootRow, ids: list[str]) -> dict[str, Any]:
        """As `row`, for rows of these ids at once: what becomes of each, by id; of those that the viewer may see."""
        select = root.select
        at = select.column(select.model, select.table, "id")
        statement = self.binding.statement(("rows", root.serial), wording.rows, root)
        self.reading = ("rows by their keys", select)
        found = await self.read(statement, id_list(ids, self.binding.dialect))
        (made,) = await self.shaped(select, found, [root.shape])
        return {row[at]: each for row, each in zip(found, made, strict=True)}

    def check(self, needs: list[FieldGuard]) -> None:
        for guard in needs:
            if not self.binding.decided(guard):
                raise Bail("not allowed")

    async def known_rows(self, known: KnownRows, keys: list[str]) -> dict[str, Any]:
        """What becomes of the rows of these keys, by key; of those that the viewer may see."""
        select = known.select
        statement = self.binding.statement(known.serial, wording.known, known)
        self.reading = ("rows by their keys", select)
        found = await self.read(statement, id_list(keys, self.binding.dialect))
        at = select.column(select.model, select.table, "id")
        (made,) = await self.shaped(select, found, [known.shape])
        return {row[at]: each for row, each in zip(found, made, strict=True)}

    async def pages(self, root: RootPages) -> dict[str, Any]:
        asked, listed = self.asked(root), self.root_list(root)
        builder, statement = listed.pages.get(asked.shape) or self.planned_page(root, listed, asked)
        places = wording.place_values(self.binding, listed.order, asked.args)
        rows: Rows = []
        if statement is not None:
            self.reading = ("a page", builder.select)
            rows = await self.read(statement, *places, asked.size + 1)
        count = None
        if builder.wants_count:
            if listed.count is None:
                listed.count = wording.count(self.binding, builder.select, listed.demanded)
            self.reading = ("the count", builder.select)
            count = (await self.read(listed.count))[0][0]
        return (await self.assembled(builder, [rows], [count], asked.size))[0]

    def planned_page(self, root: RootPages, listed: RootList, asked: Asked) -> tuple[PageBuilder, Statement | None]:
        builder = self.builder(root, listed.order, asked)
        statement = None
        if builder.wants_rows:
            statement = wording.page(self.binding, builder, listed.demanded, asked.args)
        listed.pages[asked.shape] = builder, statement
        return builder, statement

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
        # Loops, and no comprehensions: one that waits is a coroutine of its own.
        children: list[dict[Any, Any]] = []
        for child in select.children:
            children.append(await self.child(child, rows))
        decisions: list[Any] = []
        for guard in select.guards:
            known = self.binding.decided(guard.guard)
            decisions.append((YES if known else NO) if known is not None else await self.decided(guard, select, rows))
        decisions.append(self.denied)
        return [shape(rows, children, decisions) for shape in shapes]

    def denied(self, refusal: Refusal) -> Any:
        """What stands for a value that may not be read.

        Raises:
            Bail: an error is to stand beside it, and whoever runs the plan cannot word it.
        """
        try:
            return refusal.guard.denied
        except Bail:
            if not self.words_refusals:
                raise
            self.refused = True
            return refusal

    async def decided(self, guard: RowGuard, select: Select, rows: Rows) -> Any:
        """Whether a field may be read, by the columns of the row's facts, where the viewer alone does not decide."""
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
        single = len(parents) == 1
        most = 1 if single and child.declared.single else MOST_OF_EVERY * len(parents)
        statement = self.binding.statement((child.serial, single), wording.every, child, single)
        self.reading = ("every row", child.select)
        rows = await self.read_below(statement, parents, most)
        (made,) = await self.shaped(child.select, rows, [child.shape])
        if single:
            found = [made] if not child.declared.single else made[:1] or [None]
            return {parents[0]: found[0]}
        return grouped(parents, rows, made, first=child.declared.single)

    async def child_pages(self, child: ChildPages, parents: list[Any]) -> dict[Any, Any]:
        asked = self.asked(child)
        builder = self.builder(child, child.order, asked)
        # A bad cursor is refused even where no row is asked for.
        places = wording.place_values(self.binding, child.order, asked.args)
        pages: list[Rows] = [[] for _ in parents]
        if builder.wants_rows:
            pages = await self.rows_of_pages(child, builder, asked, places, parents)
        counts: Sequence[int | None] = [None] * len(parents)
        if builder.wants_count:
            counts = await self.counts(child, parents)
        return dict(zip(parents, await self.assembled(builder, pages, counts, asked.size), strict=True))

    async def rows_of_pages(
        self, child: ChildPages, builder: PageBuilder, asked: Asked, places: tuple[Any, ...], parents: list[Any]
    ) -> list[Rows]:
        """The rows of each parent's page and the one too many, in the order of the parents."""
        single = len(parents) == 1
        word = wording.child_page if single else wording.child_windows
        name = (child.serial, asked.shape, single)
        statement = self.binding.statement(name, word, child, builder, asked.args)
        self.reading = ("a page" if single else "a page for each parent", builder.select)
        rows = await self.read_below(statement, parents, *places, asked.size + 1)
        return [rows] if single else list(grouped(parents, rows, rows).values())

    async def counts(self, child: ChildPages, parents: list[Any]) -> list[int]:
        """How many rows each parent has below it, in the order of the parents."""
        statement = self.binding.statement(("count", child.serial), wording.child_counts, child)
        self.reading = ("the count for each parent", child.parts.select)
        found = dict(await self.read(statement, id_list(parents, self.binding.dialect)))
        return [found.get(parent, 0) for parent in parents]

    async def assembled(
        self, builder: PageBuilder, pages: list[Rows], counts: Sequence[Any], size: int
    ) -> list[dict[str, Any]]:
        """Connections, one for each page. The rows of all of them are shaped at once: what hangs below is read once."""
        if len(pages) == 1:
            return [await self.only_page(builder, pages[0], counts[0], size)]
        kept = [builder.kept(rows, size) for rows in pages]
        made: list[list[Any]] = []
        if builder.shapes:
            made = await self.shaped(builder.select, [row for rows in kept for row in rows], builder.shapes)
        answers: list[dict[str, Any]] = []
        start = 0
        for rows, all_rows, count in zip(kept, pages, counts, strict=True):
            answers.append(builder.page(made, rows, start, len(all_rows) > size, count))
            start += len(rows)
        return answers

    async def only_page(self, builder: PageBuilder, rows: Rows, count: Any, size: int) -> dict[str, Any]:
        kept = builder.kept(rows, size)
        made = await self.shaped(builder.select, kept, builder.shapes) if builder.shapes else []
        return builder.page(made, kept, 0, len(rows) > size, count)

    # --- statements

    def asked(self, page: RootPages | ChildPages) -> Asked:
        """The paging arguments, checked; those that no variable is part of are read once."""
        if page.fixed is not None:
            return page.fixed
        asked = pages.asked(self.arguments(page.arguments), self.most)
        if all(constant for name, (constant, _) in page.arguments.items() if name in PAGING):
            page.fixed = asked
        return asked

    def builder(self, page: RootPages | ChildPages, order: Order, asked: Asked) -> PageBuilder:
        key = (order.name, order.column, order.descending, asked.shape)
        found = page.builders.get(key)
        if found is None:
            found = page.builders[key] = PageBuilder(page.parts, order, asked.args)
        return found

    # These are plain functions that give what `fetch` is to be awaited for: one coroutine less for each statement.

    def read(self, statement: Statement, *values: Any) -> Awaitable[Rows]:
        self.statements += 1
        return self.fetch(statement.sql, (*statement.before, *values, *statement.after))

    def read_below(self, statement: Statement, parents: list[Any], *values: Any) -> Awaitable[Rows]:
        """For a statement that takes the parents, or the only one, and `values` last."""
        self.statements += 1
        of = parents[0] if len(parents) == 1 else id_list(parents, self.binding.dialect)
        return self.fetch(statement.sql, (*statement.before, of, *statement.after, *values))

    def read_marked(self, sql: str, values: tuple[Any, ...]) -> Awaitable[Rows]:
        """For guards: values are marked as in a `Fragment`."""
        self.statements += 1
        return self.fetch(finished(sql, self.binding.dialect), values)

    def arguments(self, given: Mapping[str, Argument]) -> dict[str, Any]:
        """The arguments' values; an argument whose variable is not given is left out."""
        return {
            name: value if constant else self.variables[value]
            for name, (constant, value) in given.items()
            if constant or value in self.variables
        }


def grouped(parents: list[Any], rows: Rows, made: list[Any], *, first: bool = False) -> dict[Any, Any]:
    """What was made of the rows of each parent, or of its first one; the last column names the parent."""
    found: dict[Any, Any] = {parent: None if first else [] for parent in parents}
    for row, each in zip(rows, made, strict=True):
        if not first:
            found[row[-1]].append(each)
        elif found[row[-1]] is None:
            found[row[-1]] = each
    return found
