"""What becomes of values that resolvers give: as graphql-core completes them, but all of a level at once.

A resolver may give a scalar, an object, a row, the key of a row, or a list of these. Rows are read again by their keys,
under the viewer's rights and with what is selected of them alone: one statement for each table, however many rows.
"""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Protocol

from graphql import (
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    is_leaf_type,
)
from tortoise import Model
from tortoise.expressions import Q

from engine.declare import Keys, RowKey, Rows, Sought
from engine.selections import Argument, Selected
from engine.selects import Select, next_serial
from engine.statements import Bail, NotPlannable


class Planner(Protocol):
    """What is needed of the planner for what is only known when a plan runs."""

    schema: Any

    def selected(self, parent: GraphQLObjectType, sets: Any) -> list[Selected]: ...

    def rows_at(self, selected: Selected, model: type[Model], kind: GraphQLObjectType | None) -> "tuple[Select, Any]":
        """The SELECT and the shape of rows of a table, all of them of one type if `kind` says so."""

    def apart(self, *path: str) -> "Planner":
        """Another for the same operation, for what is planned when a plan runs; `path` leads from here to there."""


class Shape(Protocol):
    """What values of one GraphQL type become."""

    async def complete(self, run: Any, values: Sequence[Any]) -> list[Any]:
        """
        Raises:
            Bail: a null where none may be, or a row that is not to be seen.
        """


@dataclass(frozen=True, slots=True)
class Leaf:
    serialize: Callable[[Any], Any]

    async def complete(self, run: Any, values: Sequence[Any]) -> list[Any]:
        return [None if each is None else self.serialize(each) for each in values]


@dataclass(frozen=True, slots=True)
class Required:
    inner: Shape

    async def complete(self, run: Any, values: Sequence[Any]) -> list[Any]:
        found = await self.inner.complete(run, values)
        if None in found:
            raise Bail("a null where none may be")
        return found


@dataclass(frozen=True, slots=True)
class Each:
    inner: Shape

    async def complete(self, run: Any, values: Sequence[Any]) -> list[Any]:
        if not all(each is None or isinstance(each, list | tuple) for each in values):
            raise Bail("a list that is none")
        made = iter(await self.inner.complete(run, list(chain.from_iterable(each or () for each in values))))
        return [None if each is None else [next(made) for _ in each] for each in values]


@dataclass(slots=True)
class Objects:
    """Objects of a type, an interface or a union: of one that is no row, each field is read by itself.

    `seen` is what a row must be that is known by its key.
    """

    planner: Planner
    parent: GraphQLObjectType
    selected: Selected
    seen: Callable[[type[Model], Any], Q]
    _fields: dict[str, "list[ObjectField]"] = field(default_factory=dict)
    _rows: "dict[Any, KnownRows]" = field(default_factory=dict)

    async def complete(self, run: Any, values: Sequence[Any]) -> list[Any]:
        found: list[Any] = [None] * len(values)
        for group, places in self._grouped(run, values).items():
            members = [values[place] for place in places]
            if isinstance(group, GraphQLObjectType):
                made = await self._objects(run, group, members)
            else:
                made = await self._of_table(run, group, members)
            for place, each in zip(places, made, strict=True):
                found[place] = each
        return found

    def _grouped(self, run: Any, values: Sequence[Any]) -> dict[Any, list[int]]:
        """The places of the values, by table, by the name of a type of rows, or by type."""
        groups: dict[Any, list[int]] = {}
        for place, value in enumerate(values):
            if value is not None:
                groups.setdefault(self._group(run, value), []).append(place)
        return groups

    def _group(self, run: Any, value: Any) -> Any:
        if isinstance(value, RowKey):
            return value.type_name
        if isinstance(value, Model) and any(rows_of(kind) for kind in self._possible()):
            return type(value)
        named = self._named()
        if isinstance(named, GraphQLObjectType):
            return named
        return self.planner.schema.type_map[run.calls.type_of(self.parent, self.selected, value)]

    def _named(self) -> Any:
        assert self.selected.definition is not None
        return get_named_type(self.selected.definition.type)

    def _possible(self) -> Sequence[GraphQLObjectType]:
        named = self._named()
        return [named] if isinstance(named, GraphQLObjectType) else list(self.planner.schema.get_possible_types(named))

    async def _of_table(self, run: Any, group: type[Model] | str, members: list[Any]) -> list[Any]:
        known = self._rows.get(group)
        if known is None:
            known = self._rows[group] = self._planned(group)
        by_id = await run.known_rows(known, list({str(each.pk): None for each in members}))
        found = [by_id.get(str(each.pk)) for each in members]
        if None in found and not isinstance(group, str):
            raise Bail("a row that the plan does not see")
        return found

    def _planned(self, group: type[Model] | str) -> "KnownRows":
        kind: Any = self.planner.schema.type_map[group] if isinstance(group, str) else None
        rows = rows_of(kind) if kind else Rows(group)  # type: ignore[arg-type]
        if rows is None or (kind and kind not in self._possible()):
            raise NotPlannable(f"{group} is not made of rows here")
        return KnownRows(rows, self.seen, *self.planner.apart().rows_at(self.selected, rows.model, kind))

    async def _objects(self, run: Any, kind: GraphQLObjectType, sources: list[Any]) -> list[Any]:
        fields = self._fields.get(kind.name)
        if fields is None:
            chosen = self.planner.selected(kind, self.selected.sets)
            fields = [ObjectField(self.planner.apart(each.key), kind, each) for each in chosen]
            self._fields[kind.name] = fields
        columns = [(each.selected.key, await each.complete(run, sources)) for each in fields]
        return [{key: column[number] for key, column in columns} for number in range(len(sources))]


class ObjectField:
    """A field of an object that is no row."""

    def __init__(self, planner: Planner, kind: GraphQLObjectType, selected: Selected) -> None:
        self.kind, self.selected = kind, selected
        self.shape = None if selected.name == "__typename" else shape_of(planner, kind, selected)

    async def complete(self, run: Any, sources: list[Any]) -> list[Any]:
        if self.shape is None:
            return [self.kind.name] * len(sources)
        known = self.selected.strawberry
        assert known is not None
        if isinstance(self.selected.declared, Keys):
            values = [self.selected.declared.keys(run.context)] * len(sources)
        elif known.is_basic_field:
            values = [getattr(each, known.python_name) for each in sources]
        else:
            values = await run.calls.values(self.kind, self.selected, sources)
        return await self.shape.complete(run, values)


@dataclass(slots=True)
class KnownRows:
    """Rows whose keys are known when the plan runs."""

    rows: Rows
    seen: Callable[[type[Model], Any], Q]
    select: Select
    shape: Callable[..., list[Any]]
    serial: int = field(default_factory=next_serial)


@dataclass(slots=True)
class RootValue:
    """A root field whose resolver, or whose declaration, gives the value."""

    parent: GraphQLObjectType
    selected: Selected
    shape: Shape

    async def read(self, run: Any) -> Any:
        (value,) = await run.calls.values(self.parent, self.selected, [None])
        return (await self.shape.complete(run, [value]))[0]


@dataclass(slots=True)
class GivenValue:
    """A root field whose resolver has given its value already."""

    selected: Selected
    shape: Shape
    value: Any

    async def read(self, run: Any) -> Any:
        return (await self.shape.complete(run, [self.value]))[0]


@dataclass(slots=True)
class RootObjects:
    """A root field that finds objects by keys which its arguments name."""

    declared: Sought
    selected: Selected
    shape: Shape
    needs: list[Any]

    async def read(self, run: Any) -> Any:
        run.check(self.needs)
        value = self.declared.keys(run.calls.arguments(self.selected))
        found = (await self.shape.complete(run, [value]))[0]
        is_missing = None in found if isinstance(found, list) else found is None
        if is_missing and self.declared.worded(run.binding.viewer):
            raise Bail("it may have to be said why there is nothing")
        return found


Give = Callable[[Any, list[tuple[Any, ...]]], Awaitable[list[Any]]]
"""Takes the run and, for each row, its key and the columns that are needed; answers values in the same order."""


@dataclass(slots=True)
class ChildValues:
    """A field of a row that a resolver gives, asked once for all rows of the level, or for those of the field's type.

    `only` is the column, and its value, that makes a row one of the type. `columns` and how to `read` them are the
    key's, and those of what is needed.
    """

    parent: int
    only: tuple[int, Any] | None
    columns: tuple[int, ...]
    read: tuple[Callable[[Any], Any], ...]
    give: Give
    shape: Shape
    reader: Callable[[Any], Hashable] | None = None
    """What of the viewer decides about the values, besides the row and `arguments`; None where that is unknown."""
    arguments: Mapping[str, Argument] = field(default_factory=dict)

    async def values(self, run: Any, rows: Sequence[Any]) -> dict[Any, Any]:
        """By the rows' keys as they stand in the rows."""
        at, value = self.only or (self.parent, None)
        mine = [row for row in rows if row[self.parent] is not None and (value is None or row[at] == value)]
        distinct = {row[self.parent]: row for row in mine}
        needed = [
            tuple(read(row[column]) for read, column in zip(self.read, self.columns, strict=True))
            for row in distinct.values()
        ]
        if not needed:
            return {}
        return dict(zip(distinct, await self.shape.complete(run, await self.give(run, needed)), strict=True))


def seen_by(model: Any, viewer: Any) -> Q:
    """What a row reached through another, or given by a resolver, must be to be shown."""
    found: Q = model.seen_by(viewer)
    return found


def shape_of(
    planner: Planner, parent: GraphQLObjectType, selected: Selected, seen: Callable[[type[Model], Any], Q] = seen_by
) -> Shape:
    """What becomes of the values of a field."""
    assert selected.definition is not None

    def of(kind: GraphQLOutputType) -> Shape:
        if isinstance(kind, GraphQLNonNull):
            return Required(of(kind.of_type))
        if isinstance(kind, GraphQLList):
            return Each(of(kind.of_type))
        if is_leaf_type(kind):
            return Leaf(kind.serialize)
        return Objects(planner.apart(), parent, selected, seen)

    return of(selected.definition.type)


def rows_of(kind: GraphQLObjectType) -> Rows | None:
    """The table that a type is made of, if it is."""
    definition = (kind.extensions or {}).get("strawberry-definition")
    rows: Rows | None = getattr(getattr(definition, "origin", None), "engine_rows", None)
    return rows
