"""Planning objects: each of their fields becomes an expression over the row, a join, or something that hangs below.

A level's expression is compiled once (`Select.compiled`) and turns each row into its finished object.
"""

from collections.abc import Callable, Hashable, Mapping
from copy import copy
from dataclasses import dataclass
from functools import partial
from inspect import isawaitable
from typing import Any, Self

from graphql import (
    FragmentDefinitionNode,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    SelectionSetNode,
    get_named_type,
)
from tortoise import Model, fields

from engine.declare import (
    Batched,
    Derived,
    Doer,
    Every,
    FieldGuard,
    Merged,
    NodeId,
    Pages,
    SameRow,
    SqlValue,
    TheOne,
    Told,
    ToOne,
)
from engine.given import ChildValues, Give, rows_of, shape_of
from engine.refusing import Refusal
from engine.selections import Argument, Selected, Selections
from engine.selects import Decision, RowGuard, Select
from engine.statements import Dialect, NotPlannable

MOST_FIELDS = 2_000
"""Fields of one plan. An interface is planned for each of its types, so nesting them multiplies."""


@dataclass(slots=True)
class Place:
    """Where an object's columns are: a SELECT, the name of its table or join, and the model."""

    select: Select
    alias: str
    model: type[Model]


class ObjectPlanner:
    """Plans the selections of one operation, for viewers of one kind."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        values: Mapping[str, Any],
        viewer: Any,
        dialect: Dialect,
    ) -> None:
        self.schema, self.viewer, self.dialect = schema, viewer, dialect
        self.selections = Selections(schema, fragments, values)
        self.trail: list[str] = []
        self.planned_fields = 0
        self.read_below: dict[tuple[Any, ...], str] = {}

    def apart(self, *path: str) -> Self:
        """Another for the same operation, for what is planned when a plan runs; `path` leads from here to there."""
        planner = copy(self)
        planner.trail, planner.planned_fields, planner.read_below = [*self.trail, *path], 0, {}
        return planner

    def rows_at(
        self, selected: Selected, model: type[Model], kind: GraphQLObjectType | None
    ) -> tuple[Select, Callable[..., list[Any]]]:
        """The SELECT and the shape of rows of a table, all of them of one type if `kind` says so."""
        select = self.select(model)
        place = Place(select, select.table, model)
        expression = self.object(kind, selected.sets, place) if kind else self.value(selected, place)
        select.column(model, select.table, "id")
        return select, select.compiled(expression)

    def selected(self, parent: GraphQLObjectType, sets: list[SelectionSetNode]) -> list[Selected]:
        return self.selections.of(parent, sets)

    def select(self, model: type[Model]) -> Select:
        return Select(model, self.dialect, ".".join(self.trail))

    # --- objects

    def value(self, selected: Selected, place: Place) -> str:
        """The expression of an object-valued field whose row is at `place`: its type may be an interface."""
        assert selected.definition is not None
        named = get_named_type(selected.definition.type)
        if isinstance(named, GraphQLObjectType):
            return self.object(named, selected.sets, place)
        if not isinstance(named, GraphQLInterfaceType):
            raise NotPlannable(f"the union {named}")
        kinds = [(kind, rows_of(kind)) for kind in self.schema.get_possible_types(named)]
        ours = [(kind, rows) for kind, rows in kinds if rows and rows.model is place.model]
        if len(ours) == 1 and ours[0][1].column is None:
            return self.object(ours[0][0], selected.sets, place)
        expression = "bail()"
        for kind, rows in ours:
            assert rows.column is not None, kind
            which = place.select.column(place.model, place.alias, rows.column)
            expression = (
                f"({self.object(kind, selected.sets, place)} if r[{which}] == {rows.value!r} else {expression})"
            )
        return expression

    def object(self, kind: GraphQLObjectType, sets: list[SelectionSetNode], place: Place) -> str:
        pairs: list[str] = []
        for each in self.selected(kind, sets):
            self.trail.append(each.key)
            pairs.append(f"{each.key!r}: {self.field(kind, each, place)}")
            self.trail.pop()
        return "{" + ", ".join(pairs) + "}"

    def field(self, kind: GraphQLObjectType, selected: Selected, place: Place) -> str:
        self.planned_fields += 1
        if self.planned_fields > MOST_FIELDS:
            raise NotPlannable(f"more than {MOST_FIELDS} fields, each interface counted for each of its types")
        if selected.name == "__typename":
            return repr(kind.name)
        expression = self.unguarded(kind, selected, place)
        for guard in guards_of(selected):
            expression = self.guarded(guard, selected, expression, place)
        return expression

    def unguarded(self, kind: GraphQLObjectType, selected: Selected, place: Place) -> str:
        known, declared = selected.strawberry, selected.declared
        assert known is not None
        assert selected.definition is not None
        match declared:
            case None if known.base_resolver is None:
                return self.leaf(known.python_name, place, selected.definition.type)
            case NodeId():
                return f"'{kind.name}_' + r[{place.select.column(place.model, place.alias, 'id')}]"
            case ToOne():
                return self.to_one(selected, declared, place)
            case TheOne():
                alias = place.select.join_back(declared.model, place.alias, declared.by, declared.seen)
                expression = self.value(selected, Place(place.select, alias, declared.model))
                return self.or_null(selected, expression, place.select.column(declared.model, alias, "id"))
            case Doer():
                return self.doer(selected, declared, place)
            case SameRow():
                return self.value(selected, place)
            case Derived():
                return self.derived(declared, place)
            case SqlValue():
                sql = declared.sql(self.viewer).replace(f'"{place.model._meta.db_table}".', f'"{place.alias}".')
                return f"{place.select.name(declared.read)}(r[{place.select.sql_column(sql)}])"
            case Pages() | Merged() | Every():
                return self.below(selected, declared, place)
            case Batched():
                return self.given(kind, selected, place, declared.needs, partial(given_by_batch, declared.resolve))
            case Told():
                return self.told(kind, selected, place, declared)
            case None:
                return self.given(kind, selected, place, (), partial(given_by_each, kind, selected, place.model))
        raise NotPlannable(f"{kind.name}.{selected.name}")

    def leaf(self, name: str, place: Place, kind: GraphQLOutputType | None = None) -> str:
        """The value of a column, as a field of a type if it is to be one."""
        column = place.model._meta.fields_map.get(name)
        if column is None:
            raise NotPlannable(f"{place.model.__name__}.{name}")
        value = f"r[{place.select.column(place.model, place.alias, name)}]"
        if isinstance(column, fields.BooleanField) and self.dialect == "sqlite":
            value = f"(None if {value} is None else {value} == 1)" if column.null else f"({value} == 1)"
        elif isinstance(column, fields.JSONField):
            value = f"(None if {value} is None else loads({value}))"
        elif isinstance(column, fields.BigIntField) and kind is not None and get_named_type(kind) is GraphQLInt:
            value = f"small({value})"
        return f"required({value})" if isinstance(kind, GraphQLNonNull) and column.null else value

    def derived(self, declared: Derived, place: Place) -> str:
        values = [self.leaf(name, place) for name in declared.needs(self.viewer)]
        return f"{place.select.name(declared.read(self.viewer))}({', '.join(values)})"

    def to_one(self, selected: Selected, declared: ToOne, place: Place) -> str:
        *before, last = declared.relation.split(".")
        for name in before:
            model = place.model._meta.fields_map[name].related_model  # type: ignore[attr-defined]
            alias = place.select.join(model, place.alias, f"{name}_id", inner=False, implied=True)
            place = Place(place.select, alias, model)
        relation: Any = place.model._meta.fields_map[last]
        model = relation.related_model
        certain = declared.implied and not relation.null and not before
        alias = place.select.join(model, place.alias, f"{last}_id", inner=certain, implied=declared.implied)
        expression = self.value(selected, Place(place.select, alias, model))
        return expression if certain else self.or_null(selected, expression, place.select.column(model, alias, "id"))

    def or_null(self, selected: Selected, expression: str, key: int) -> str:
        assert selected.definition is not None
        null = "bail()" if isinstance(selected.definition.type, GraphQLNonNull) else "None"
        return f"({null} if r[{key}] is None else {expression})"

    def doer(self, selected: Selected, declared: Doer, place: Place) -> str:
        relation: Any = place.model._meta.fields_map[declared.relation]
        model: type[Model] = relation.related_model
        alias = place.select.join(model, place.alias, f"{declared.relation}_id", inner=False, implied=True)
        person = self.value(selected, Place(place.select, alias, model))
        expression = self.or_null(selected, person, place.select.column(model, alias, "id"))
        if declared.automatic is None:
            return expression
        kind = self.schema.type_map[declared.constant_type]
        assert isinstance(kind, GraphQLObjectType)
        constant = {
            each.key: kind.name if each.name == "__typename" else declared.constant[each.name]
            for each in self.selected(kind, selected.sets)
        }
        automatic = self.leaf(declared.automatic, place)
        return f"({place.select.name(constant)} if {automatic} else {expression})"

    def guarded(self, guard: FieldGuard, selected: Selected, expression: str, place: Place) -> str:
        """The expression where the guard admits, and what stands for a refusal where it does not."""
        denied = f"D[-1]({place.select.name(Refusal(guard, selected.nodes))})"
        if guard.in_sql(place.model):
            allowed = place.select.sql_column(Decision(guard, place.model, place.alias))
            return f"({expression} if r[{allowed}] else {denied})"
        columns = tuple(place.select.column(place.model, place.alias, name) for name in guard.fact_columns(place.model))
        number = len(place.select.guards)
        place.select.guards.append(RowGuard(guard, place.model, columns))
        key = "(" + "".join(f"r[{column}], " for column in columns) + ")"
        return f"({expression} if D[{number}][{key}] else {denied})"

    def given(
        self, kind: GraphQLObjectType, selected: Selected, place: Place, needs: tuple[str, ...], give: Give
    ) -> str:
        """What resolvers give for the rows of a level, which they know by their ids and the columns they need."""
        return self.child_values(kind, selected, place, needs, give)

    def told(self, kind: GraphQLObjectType, selected: Selected, place: Place, declared: Told) -> str:
        """What a reader is told of the rows of a level."""
        arguments = selected.arguments
        give = partial(given_to_reader, declared, arguments)
        return self.child_values(kind, selected, place, declared.needs, give, declared.reader, arguments)

    def child_values(
        self,
        kind: GraphQLObjectType,
        selected: Selected,
        place: Place,
        needs: tuple[str, ...],
        give: Give,
        reader: Callable[[Any], Hashable] | None = None,
        arguments: Mapping[str, Argument] | None = None,
    ) -> str:
        def at(name: str) -> int:
            return place.select.column(place.model, place.alias, name)

        named = ("id", *needs)
        read = tuple(place.model._meta.fields_map[name].to_python_value for name in named)
        rows = rows_of(kind)
        only = (at(rows.column), rows.value) if rows and rows.column else None
        shape = shape_of(self, kind, selected)
        child = ChildValues(at("id"), only, tuple(map(at, named)), read, give, shape, reader, arguments or {})
        place.select.children.append(child)
        return f"M[{len(place.select.children) - 1}][r[{child.parent}]]"

    # --- lists

    def below(self, selected: Selected, declared: Pages | Merged | Every, place: Place) -> str:
        """What hangs below a row."""
        raise NotImplementedError


async def given_by_batch(resolve: Callable[..., Any], run: Any, needed: list[tuple[Any, ...]]) -> list[Any]:
    """What a batched resolver gives, from the columns that it needs."""
    found = resolve(run.context, [each[1:] for each in needed])
    return list(await found if isawaitable(found) else found)


async def given_to_reader(
    declared: Told, arguments: Mapping[str, Argument], run: Any, needed: list[tuple[Any, ...]]
) -> list[Any]:
    """What the viewer of a run is told, from the columns that are needed."""
    reader = declared.reader(run.binding.viewer)
    told = declared.tell(reader, run.arguments(arguments), [each[1:] for each in needed])
    return list(await told if isawaitable(told) else told)


async def given_by_each(
    kind: GraphQLObjectType, selected: Selected, model: type[Model], run: Any, needed: list[tuple[Any, ...]]
) -> list[Any]:
    """What an ordinary resolver gives for each row: the rows are read whole for it."""
    rows = await run.load(run.context, model, [key for (key,) in needed])
    return list(await run.calls.values(kind, selected, rows))


def guards_of(selected: Selected) -> list[FieldGuard]:
    """The guards of a field.

    Raises:
        NotPlannable: another extension is around it.
    """
    found: list[FieldGuard] = []
    for extension in selected.strawberry.extensions if selected.strawberry else ():
        if not hasattr(extension, "decide_rows"):
            raise NotPlannable(f"{selected.name} has an extension of its own")
        found.append(extension)  # type: ignore[arg-type]
    return found
