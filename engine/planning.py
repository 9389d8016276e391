"""From a document to a plan: which SELECTs its selection needs, and the expressions that shape their rows.

The planner walks the selection once. Each object level becomes part of a SELECT (to-one: a join) or a SELECT of its own
(to-many), and one Python expression, compiled, that turns a row into its finished object. What it does not know raises
`NotPlannable`, and graphql-core executes the operation.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    Visitor,
    get_named_type,
    visit,
)
from graphql.utilities import value_from_ast_untyped
from strawberry.types.field import StrawberryField
from tortoise import Model, fields

from engine.declare import (
    PLAN,
    Derived,
    Doer,
    Every,
    FieldGuard,
    Found,
    Listed,
    NodeId,
    Pages,
    Rows,
    SameRow,
    SqlValue,
    ToOne,
)
from engine.keyset import Order, PageArgs
from engine.selects import Decision, RowGuard, Select, next_serial
from engine.statements import Dialect, NotPlannable

Argument = tuple[bool, Any]
"""A constant's value, or a variable's name: (is it a constant, which)."""

PAGING = ("first", "after", "last", "before")

MOST_FIELDS = 2_000
"""Fields of one plan. An interface is planned for each of its types, so nesting them multiplies."""


@dataclass(slots=True)
class Selected:
    """A field of a selection, its nodes merged."""

    key: str
    name: str
    nodes: list[FieldNode]
    definition: GraphQLField | None
    strawberry: StrawberryField | None
    viewer: Any

    @property
    def declared(self) -> Any:
        return self.strawberry.metadata.get(PLAN) if self.strawberry else None

    @property
    def sets(self) -> list[SelectionSetNode]:
        return [node.selection_set for node in self.nodes if node.selection_set]


@dataclass(slots=True)
class Place:
    """Where an object's columns are: a SELECT, the name of its table or join, and the model."""

    select: Select
    alias: str
    model: type[Model]


@dataclass(slots=True)
class PageParts:
    """What of a connection is selected, by alias: the shapes of its rows, and the keys of the rest in order."""

    layout: list[tuple[str, str, Any]]
    select: Select


@dataclass(slots=True)
class ChildPages:
    """`fixed`: the paging arguments, where no variable is part of them. `builders`: what has been made for a shape."""

    declared: Pages
    order: Order
    parent: int
    by: int
    arguments: dict[str, Argument]
    parts: PageParts
    serial: int = field(default_factory=next_serial)
    fixed: PageArgs | None = None
    builders: dict[Hashable, Any] = field(default_factory=dict)


@dataclass(slots=True)
class ChildRows:
    declared: Every
    parent: int
    by: int
    select: Select
    shape: Callable[..., list[Any]]
    serial: int = field(default_factory=next_serial)


@dataclass(slots=True)
class RootRow:
    key: str
    declared: Found
    arguments: dict[str, Argument]
    select: Select
    shape: Callable[..., list[Any]]
    needs: list[FieldGuard]
    serial: int = field(default_factory=next_serial)


@dataclass(slots=True)
class RootPages:
    """`depends` names the variables that say which list it is: all but those of its paging arguments.

    `fixed` and `builders` are as of `ChildPages`.
    """

    key: str
    selected: Selected
    parent: GraphQLObjectType
    arguments: dict[str, Argument]
    depends: tuple[str, ...]
    parts: PageParts
    serial: int = field(default_factory=next_serial)
    fixed: PageArgs | None = None
    builders: dict[Hashable, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """`is_single`: one statement answers it, so there is nothing that two could disagree about."""

    roots: list[RootRow | RootPages | tuple[str, str]]
    is_single: bool = field(init=False)

    def __post_init__(self) -> None:
        asked = [each for each in self.roots if not isinstance(each, tuple)]
        self.is_single = len(asked) == 1 and takes_one_statement(asked[0])


def takes_one_statement(root: RootRow | RootPages) -> bool:
    if isinstance(root, RootRow):
        return not root.select.children and not root.select.guards
    names = {name for name, _, _ in root.parts.layout}
    return "totalCount" not in names and not root.parts.select.children and not root.parts.select.guards


def plan_operation(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    flags: Mapping[str, Any],
    viewer: Any,
    dialect: Dialect,
) -> Plan:
    """The plan of a query. `flags` has, among others, the values of the variables of @skip and @include.

    `viewer` stands for its kind: what a declaration takes from it must be the same for every viewer of the kind.

    Raises:
        NotPlannable: something of it cannot be planned.
    """
    return Planner(schema, fragments, flags, viewer, dialect).plan(operation)


class Planner:
    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        values: Mapping[str, Any],
        viewer: Any,
        dialect: Dialect,
    ) -> None:
        self.schema, self.fragments, self.values = schema, fragments, values
        self.viewer, self.dialect = viewer, dialect
        self.trail: list[str] = []
        self.planned_fields = 0
        self.read_below: dict[tuple[Any, ...], str] = {}

    def plan(self, operation: OperationDefinitionNode) -> Plan:
        if operation.operation is not OperationType.QUERY or operation.directives:
            raise NotPlannable("not a plain query")
        root = self.schema.query_type
        assert root is not None
        roots: list[Any] = []
        for each in self.selected(root, [operation.selection_set]):
            self.trail = [each.key]
            if each.name == "__typename":
                roots.append((each.key, root.name))
            elif isinstance(each.declared, Found):
                roots.append(self.root_row(each))
            elif isinstance(each.declared, Listed):
                roots.append(self.root_pages(each, root))
            else:
                raise NotPlannable(f"Query.{each.name}")
        return Plan(roots)

    # --- what is selected

    def selected(self, parent: GraphQLObjectType, sets: list[SelectionSetNode]) -> list[Selected]:
        found: dict[str, Selected] = {}
        for node in self.field_nodes(parent, sets):
            key = node.alias.value if node.alias else node.name.value
            if key in found:
                found[key].nodes.append(node)
                continue
            definition = parent.fields.get(node.name.value)
            if definition is None and node.name.value != "__typename":
                raise NotPlannable(node.name.value)
            known = (definition.extensions or {}).get("strawberry-definition") if definition else None
            found[key] = Selected(key, node.name.value, [node], definition, known, self.viewer)
        return list(found.values())

    def field_nodes(self, parent: GraphQLObjectType, sets: list[SelectionSetNode]) -> list[FieldNode]:
        nodes: list[FieldNode] = []
        for each in (selection for found in sets for selection in found.selections):
            if not self.included(each):
                continue
            if isinstance(each, FieldNode):
                nodes.append(each)
                continue
            if isinstance(each, FragmentSpreadNode):
                fragment: Any = self.fragments[each.name.value]
            else:
                assert isinstance(each, InlineFragmentNode)
                fragment = each
            if fragment.type_condition is None or self.applies(fragment.type_condition.name.value, parent):
                nodes += self.field_nodes(parent, [fragment.selection_set])
        return nodes

    def applies(self, condition: str, parent: GraphQLObjectType) -> bool:
        named = self.schema.type_map[condition]
        if named is parent:
            return True
        return not isinstance(named, GraphQLObjectType) and self.schema.is_sub_type(named, parent)  # type: ignore[arg-type]

    def included(self, node: Any) -> bool:
        for directive in node.directives or ():
            if directive.name.value not in ("skip", "include"):
                raise NotPlannable(f"@{directive.name.value}")
            given = directive.arguments[0].value
            value = self.values.get(given.name.value) if isinstance(given, VariableNode) else given.value
            if value is None:
                raise NotPlannable(f"@{directive.name.value} by null")
            if value == (directive.name.value == "skip"):
                return False
        return True

    def arguments(self, selected: Selected) -> dict[str, Argument]:
        given: dict[str, Argument] = {}
        for argument in selected.nodes[0].arguments or ():
            value = argument.value
            if isinstance(value, VariableNode):
                given[argument.name.value] = (False, value.name.value)
            else:
                given[argument.name.value] = (True, value_from_ast_untyped(value))
        return given

    def select(self, model: type[Model]) -> Select:
        return Select(model, self.dialect, ".".join(self.trail))

    # --- roots

    def root_row(self, selected: Selected) -> RootRow:
        declared: Found = selected.declared
        select = self.select(declared.model)
        expression = self.value(selected, Place(select, select.table, declared.model))
        return RootRow(
            selected.key,
            declared,
            self.arguments(selected),
            select,
            select.compiled(expression),
            guards_of(selected),
        )

    def root_pages(self, selected: Selected, parent: GraphQLObjectType) -> RootPages:
        guards_of(selected)
        parts = self.page_parts(selected, selected.declared.model)
        for name in selected.declared.order_columns:
            parts.select.column(selected.declared.model, parts.select.table, name)
        depends = tuple(
            name
            for argument in selected.nodes[0].arguments or ()
            if argument.name.value not in PAGING
            for name in variables_in(argument)
        )
        return RootPages(selected.key, selected, parent, self.arguments(selected), depends, parts)

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
            expression = self.guarded(guard, expression, place)
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
            case Doer():
                return self.doer(selected, declared, place)
            case SameRow():
                return self.value(selected, place)
            case Derived():
                return self.derived(declared, place)
            case SqlValue():
                sql = declared.sql(self.viewer).replace(f'"{place.model._meta.db_table}".', f'"{place.alias}".')
                return f"{place.select.name(declared.read)}(r[{place.select.sql_column(sql)}])"
            case Pages() | Every():
                return self.below(selected, declared, place)
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
        relation: Any = place.model._meta.fields_map[declared.relation]
        model: type[Model] = relation.related_model
        certain = declared.implied and not relation.null
        alias = place.select.join(
            model, place.alias, f"{declared.relation}_id", inner=certain, implied=declared.implied
        )
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

    def guarded(self, guard: FieldGuard, expression: str, place: Place) -> str:
        if guard.in_sql(place.model):
            allowed = place.select.sql_column(Decision(guard, place.model, place.alias))
            return f"({expression} if r[{allowed}] else {place.select.name(guard)}.denied)"
        columns = tuple(place.select.column(place.model, place.alias, name) for name in guard.fact_columns(place.model))
        number = len(place.select.guards)
        place.select.guards.append(RowGuard(guard, place.model, columns))
        key = "(" + "".join(f"r[{column}], " for column in columns) + ")"
        return f"({expression} if D[{number}][{key}] else {place.select.name(guard)}.denied)"

    # --- lists

    def below(self, selected: Selected, declared: Pages | Every, place: Place) -> str:
        """What hangs below a row. An interface's field is read once, though it is planned for each of its types."""
        key = (place.select.serial, place.alias, declared, *map(id, selected.nodes))
        made = self.read_below.get(key)
        if made is None:
            if isinstance(declared, Pages):
                made = self.child_pages(selected, declared, place)
            else:
                made = self.child_rows(selected, declared, place)
            self.read_below[key] = made
        return made

    def child_rows(self, selected: Selected, declared: Every, place: Place) -> str:
        select = self.select(declared.model)
        expression = self.value(selected, Place(select, select.table, declared.model))
        by = select.column(declared.model, select.table, declared.by)
        parent = place.select.column(place.model, place.alias, "id")
        number = len(place.select.children)
        place.select.children.append(ChildRows(declared, parent, by, select, select.compiled(expression)))
        return f"M[{number}][r[{parent}]]"

    def child_pages(self, selected: Selected, declared: Pages, place: Place) -> str:
        parts = self.page_parts(selected, declared.model)
        by = parts.select.column(declared.model, parts.select.table, declared.by)
        parent = place.select.column(place.model, place.alias, "id")
        order = declared.order(self.viewer)
        parts.select.column(declared.model, parts.select.table, order.column)
        number = len(place.select.children)
        place.select.children.append(ChildPages(declared, order, parent, by, self.arguments(selected), parts))
        return f"M[{number}][r[{parent}]]"

    def page_parts(self, selected: Selected, model: type[Model]) -> PageParts:
        """The parts of a connection: ("nodes", key, shape), ("edges", key, [(name, key, shape)]), and so on."""
        assert selected.definition is not None
        connection = get_named_type(selected.definition.type)
        assert isinstance(connection, GraphQLObjectType)
        select = self.select(model)
        place = Place(select, select.table, model)
        drafts: list[tuple[str, str, Any]] = []
        for part in self.selected(connection, selected.sets):
            if part.name == "nodes":
                drafts.append((part.name, part.key, self.value(part, place)))
            elif part.name == "edges":
                drafts.append((part.name, part.key, self.edge(part, place)))
            elif part.name == "pageInfo":
                drafts.append((part.name, part.key, self.plain(part)))
            elif part.name == "totalCount":
                drafts.append((part.name, part.key, None))
            else:
                drafts.append((part.name, part.key, connection.name))
        select.column(model, select.table, "id")
        layout = [(name, key, compiled_part(select, name, draft)) for name, key, draft in drafts]
        return PageParts(layout, select)

    def edge(self, selected: Selected, place: Place) -> list[tuple[str, str, str]]:
        assert selected.definition is not None
        edge = get_named_type(selected.definition.type)
        assert isinstance(edge, GraphQLObjectType)
        found: list[tuple[str, str, str]] = []
        for each in self.selected(edge, selected.sets):
            draft = self.value(each, place) if each.name == "node" else edge.name
            found.append((each.name, each.key, draft))
        return found

    def plain(self, selected: Selected) -> list[tuple[str, str]]:
        assert selected.definition is not None
        kind = get_named_type(selected.definition.type)
        assert isinstance(kind, GraphQLObjectType)
        return [(each.name, each.key) for each in self.selected(kind, selected.sets)]


def variables_in(node: Node) -> list[str]:
    """The names of the variables in a part of a document, wherever they are in it."""
    found = Variables()
    visit(node, found)
    return found.names


class Variables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        self.names.append(node.name.value)


def compiled_part(select: Select, name: str, draft: Any) -> Any:
    if name == "nodes":
        return select.compiled(draft)
    if name == "edges":
        return [(each, key, select.compiled(found) if each == "node" else found) for each, key, found in draft]
    return draft


def rows_of(kind: GraphQLObjectType) -> Rows | None:
    definition = (kind.extensions or {}).get("strawberry-definition")
    rows: Rows | None = getattr(getattr(definition, "origin", None), "engine_rows", None)
    return rows


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
