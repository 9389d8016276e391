"""Plans of subscriptions: an event becomes a payload once for everybody who follows alike.

Who follows alike is said by `sharing`: the same plan, variables and conditions, and the same decisions of every guard.
Where a guard needs the row to decide, only the same viewer follows alike.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import (
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
    OperationType,
    get_named_type,
)

from engine.binding import Binding
from engine.declare import PLAN, EventRow, Followed, Found
from engine.given import ChildValues
from engine.lists import ListPlanner
from engine.objects import Place
from engine.plans import ChildMerged, ChildPages, RootRow
from engine.running import Run
from engine.selections import Argument, Selected
from engine.selects import RowGuard, Select
from engine.statements import Bail, Dialect, Fragment, NotPlannable

EVENT_ROW = "\x00row"
"""The variable that holds the id of an event's row; no client can have one of that name."""

MOST = 100
"""Rows in a page below an event."""

CAUGHT_UP, RESET = "StreamCaughtUp", "StreamReset"

EventRows = list[tuple[EventRow, RootRow]]
"""The rows that a field of an event may be, each of a table of its own."""

Parts = list[tuple[str, str, EventRows]]
"""The selected fields of an event: name, key in the answer, and the rows it may be, if it is one."""


@dataclass(slots=True)
class StreamPlan:
    key: str
    declared: Followed
    arguments: dict[str, Argument]
    event: Parts
    must: EventRows
    """What has to be there for the event to be told, besides what is selected of it."""
    markers: dict[str, list[tuple[str, str]]]
    guards: list[RowGuard] = field(default_factory=list)
    inner_variables: frozenset[str] = frozenset()
    readers: frozenset[Callable[[Any], Hashable]] = frozenset()
    """What of a viewer decides about what is told of a row: those of whom they make the same are told the same."""
    fields: int = 1
    """How many it is for: its size."""

    def given(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments' values."""
        return {
            name: value if constant else variables[value]
            for name, (constant, value) in self.arguments.items()
            if constant or value in variables
        }

    def sharing(self, binding: Binding, key: Hashable, variables: Mapping[str, Any]) -> Hashable:
        """Those for whom it is the same get the same payloads; `key` identifies the viewer.

        Raises:
            NotPlannable: a condition cannot be carried, or a refusal would have to be worded.
        """
        place = self.arguments.get("after")
        own = {
            name: value for name, value in variables.items() if place != (False, name) or name in self.inner_variables
        }
        return self.making(binding, key, variables), orjson.dumps(own, option=orjson.OPT_SORT_KEYS, default=str)

    def making(self, binding: Binding, key: Hashable, variables: Mapping[str, Any]) -> Hashable:
        """Those for whom it is the same have the same made of a row, whichever event it is about.

        Raises:
            NotPlannable: as `sharing`.
        """
        decisions = tuple(each.guard.decide(binding.viewer) for each in self.guards)
        for guard, decision in zip(self.guards, decisions, strict=True):
            if decision is not True:
                try:
                    _ = guard.guard.denied
                except Bail:
                    raise NotPlannable("a refusal has to be worded") from None
        run = Run(binding, no_reads, variables, 0)
        demanded = tuple(each for row in rows_in(self.event) for each in conditions(row.select, run))
        inner = {name: variables[name] for name in sorted(self.inner_variables) if name in variables}
        readers = frozenset((each, each(binding.viewer)) for each in self.readers)
        alike = (decisions, demanded, readers, orjson.dumps(inner, default=str))
        return (*alike, key) if None in decisions else alike

    def marker(self, name: str, **values: Any) -> dict[str, Any]:
        """The payload that says that the stream has caught up, or cannot go on from where it was."""
        told = {"__typename": name, **values}
        return {"data": {self.key: {key: told[field] for field, key in self.markers[name]}}}

    def rows_of(self, event: Any) -> list[tuple[RootRow, str] | None]:
        """The rows to read, with their ids, before `payload` can be made; None where an event has no such row."""
        found = [row_for(rows, event) for _, _, rows in self.event if rows]
        return [row_for(self.must, event), *found] if self.must else found

    def payload(self, event: Any, cursor: str, made: Iterable[Any]) -> dict[str, Any] | None:
        """What is sent of an event, None where it is not told. `made` is what was made of each of its rows."""
        of_rows = iter(made)
        if self.must and next(of_rows) is None:
            return None
        told: dict[str, Any] = {}
        for name, key, rows in self.event:
            if rows:
                told[key] = next(of_rows)
                if told[key] is None and name == self.declared.must:
                    return None
            elif name == "__typename":
                told[key] = self.declared.event_type
            else:
                told[key] = cursor if name == "cursor" else self.declared.values[name](event)
        return {"data": {self.key: told}}


def plan_stream(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    values: Mapping[str, Any],
    viewer: Any,
    dialect: Dialect,
) -> StreamPlan:
    """
    Raises:
        NotPlannable: graphql-core executes the subscription, for each subscriber.
    """
    planner = StreamPlanner(schema, fragments, values, viewer, dialect)
    root = schema.subscription_type
    if operation.operation is not OperationType.SUBSCRIPTION or root is None:
        raise NotPlannable("no subscription")
    (selected,) = planner.selected(root, [operation.selection_set])
    declared = selected.strawberry.metadata.get(PLAN) if selected.strawberry else None
    if not isinstance(declared, Followed):
        raise NotPlannable(f"Subscription.{selected.name}")
    assert selected.definition is not None
    union = get_named_type(selected.definition.type)
    assert isinstance(union, GraphQLUnionType)
    kinds = {kind.name: kind for kind in union.types}
    event = planner.parts(selected, kinds[declared.event_type], declared)
    markers = {name: planner.names(selected, kinds[name]) for name in (CAUGHT_UP, RESET)}
    must = [] if any(name == declared.must for name, _, _ in event) else planner.bare_rows(declared)
    guards = [guard for row in rows_in(event) for guard in all_guards(row.select)]
    inner = frozenset(name for row in rows_in(event) for name in variables_below(row.select))
    readers = frozenset(reader for row in rows_in(event) for reader in readers_below(row.select))
    fields = 1 + planner.planned_fields
    return StreamPlan(selected.key, declared, selected.arguments, event, must, markers, guards, inner, readers, fields)


class StreamPlanner(ListPlanner):
    def given(self, kind: GraphQLObjectType, selected: Selected, place: Place, *_: Any) -> str:
        """Resolvers give a value to one viewer, at one time; an event is made for all who follow alike."""
        raise NotPlannable(f"{kind.name}.{selected.name}")

    def parts(self, selected: Selected, kind: GraphQLObjectType, declared: Followed) -> Parts:
        found: Parts = []
        for each in self.selected(kind, selected.sets):
            known = each.name in declared.values or each.name in ("__typename", "cursor")
            if each.name in declared.rows:
                rows = [(row, self.event_row(each, row)) for row in declared.rows[each.name]]
                found.append((each.name, each.key, rows))
            elif known:
                found.append((each.name, each.key, []))
            else:
                raise NotPlannable(f"{kind.name}.{each.name}")
        return found

    def names(self, selected: Selected, kind: GraphQLObjectType) -> list[tuple[str, str]]:
        return [(each.name, each.key) for each in self.selected(kind, selected.sets)]

    def event_row(self, selected: Selected, row: EventRow) -> RootRow:
        select = self.select(row.model)
        return self.row_of_event(row, select, self.value(selected, Place(select, select.table, row.model)))

    def bare_rows(self, declared: Followed) -> EventRows:
        """What must be there though nothing of it is selected."""
        rows = declared.rows[declared.must] if declared.must else ()
        return [(row, self.row_of_event(row, self.select(row.model), "True")) for row in rows]

    def row_of_event(self, row: EventRow, select: Select, expression: str) -> RootRow:
        declared = Found(row.model, "id", by_id, row.seen)
        return RootRow("", declared, {"id": (False, EVENT_ROW)}, select, select.compiled(expression), [])


def row_for(rows: EventRows, event: Any) -> tuple[RootRow, str] | None:
    """Which of the rows that a field may be it is for an event, with its id."""
    for each, row in rows:
        row_id = each.key(event)
        if row_id is not None:
            return row, row_id
    return None


def rows_in(event: Parts) -> Iterator[RootRow]:
    return (row for _, _, rows in event for _, row in rows)


def below(select: Select) -> Iterator[Any]:
    """What hangs below a SELECT, each with rows of one table."""
    for child in select.children:
        if not isinstance(child, ChildValues):
            yield from child.members if isinstance(child, ChildMerged) else (child,)


def selects_from(select: Select) -> Iterator[Select]:
    """A SELECT, and all that hang below it."""
    yield select
    for child in below(select):
        yield from selects_from(child.parts.select if isinstance(child, ChildPages) else child.select)


def values_from(select: Select) -> Iterator[ChildValues]:
    """What is told of the rows of a SELECT, and of all that hang below it."""
    for each in selects_from(select):
        yield from (child for child in each.children if isinstance(child, ChildValues))


def all_guards(select: Select) -> Iterator[RowGuard]:
    """Those that are decided beside the statement, row by row."""
    for each in selects_from(select):
        yield from each.guards


def variables_below(select: Select) -> Iterator[str]:
    """The variables that the pages and the texts below a row take their arguments from."""
    pages = (child for each in selects_from(select) for child in below(each) if isinstance(child, ChildPages))
    known = [child.arguments for child in pages] + [dict(child.arguments) for child in values_from(select)]
    for arguments in known:
        yield from (value for constant, value in arguments.values() if not constant)


def readers_below(select: Select) -> Iterator[Callable[[Any], Hashable]]:
    return (child.reader for child in values_from(select) if child.reader)


def conditions(select: Select, run: Run) -> Iterator[Fragment]:
    """All that a viewer's rights put into the statements of a SELECT and of what hangs below it."""
    for each in selects_from(select):
        yield run.binding.joins(each)
        yield from map(run.binding.decision, each.decisions)
        for child in below(each):
            kind = "pages" if isinstance(child, ChildPages) else "every"
            yield run.binding.fragment((kind, child.declared), child.declared.model, child.declared.seen)


async def no_reads(sql: str, values: tuple[Any, ...]) -> list[Any]:
    raise NotPlannable("nothing is read while conditions are compared")


def by_id(arguments: Mapping[str, Any]) -> Any:
    return arguments["id"]
