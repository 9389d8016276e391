"""Measures a document before anything else looks at it, in one walk that is linear in its text.

The limiters that Strawberry ships walk a fragment again at each place that spreads it, so 24 fragments that each spread
the next one twice, less than a kilobyte, stop the process for minutes. Here a fragment is measured once and remembered.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from server.transport.limits import CEILING, Limits, limit_exceeded

PAGE_ARGUMENTS = ("first", "last")


class Size(NamedTuple):
    depth: int
    cost: int
    selections: int


NOTHING = Size(0, 0, 0)
LEAF = Size(1, 0, 1)


class Measure:
    """One document with the variables it came with.

    After `errors()`: `cost` is that of its dearest operation, `visited` the number of selections looked at, and
    `page_variables` names the variables that the cost depends on; with the same values for these the outcome is the
    same.
    """

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any], limits: Limits
    ) -> None:
        self.schema = schema
        self.document = document
        self.limits = limits
        self.visited = self.cost = 0
        self.page_variables: set[str] = set()
        self._given = variables
        self._defaults: dict[str, ValueNode] = {}
        self._fragments: dict[str, FragmentDefinitionNode] = {}
        self._sizes: dict[str, Size] = {}
        self._merged: dict[str, dict[int, str]] = {}
        self._largest_page = 0
        self._repeated = 0

    def errors(self) -> list[GraphQLError]:
        """What exceeds the limits, in any operation of the document, empty if nothing does."""
        operations = [node for node in self.document.definitions if isinstance(node, OperationDefinitionNode)]
        fragments = [node for node in self.document.definitions if isinstance(node, FragmentDefinitionNode)]
        self._fragments = {node.name.value: node for node in fragments}
        self._defaults = {
            variable.variable.name.value: variable.default_value
            for operation in operations
            for variable in operation.variable_definitions or ()
            if variable.default_value is not None
        }

        sizes = [self._operation(operation) for operation in operations]
        for name in self._fragments:
            self._fragment(name)  # an unused one is refused later, but only after its fields were compared
        root_fields = [len(self._merged_fields(operation.selection_set, leaves=True)) for operation in operations]
        self.cost = max((size.cost for size in sizes), default=0)
        limits = self.limits
        figures = [
            ("The depth of an operation", limits.max_depth, max((size.depth for size in sizes), default=0)),
            ("The cost of an operation", limits.max_cost, self.cost),
            (
                "The number of fields of an operation",
                limits.max_selections,
                max((size.selections for size in sizes), default=0),
            ),
            ("The number of root fields", limits.max_root_fields, max(root_fields, default=0)),
            ("The number of repeated fields", limits.max_repeated_fields, self._repeated),
            ("A page", limits.max_page_size, self._largest_page),
        ]
        return [
            limit_exceeded(what, allowed=allowed, reached=reached)
            for what, allowed, reached in figures
            if reached > allowed
        ]

    def _operation(self, node: OperationDefinitionNode) -> Size:
        return self._object(node.selection_set, self.schema.get_root_type(node.operation))

    def _object(self, node: SelectionSetNode, parent: GraphQLNamedType | None) -> Size:
        names = Counter(self._merged_fields(node).values())
        self._repeated += sum(count - 1 for count in names.values())
        return self._selections(node, parent)

    def _selections(self, node: SelectionSetNode, parent: GraphQLNamedType | None) -> Size:
        depth = cost = selections = 0
        for selection in node.selections:
            size = self._selection(selection, parent)
            depth = max(depth, size.depth)
            cost += size.cost
            selections += size.selections
        return Size(depth, min(cost, CEILING), min(selections, CEILING))

    def _selection(self, node: SelectionNode, parent: GraphQLNamedType | None) -> Size:
        self.visited += 1
        match node:
            case FieldNode():
                return self._field(node, parent)
            case InlineFragmentNode(type_condition=condition):
                inner = self._selections(
                    node.selection_set, self.schema.get_type(condition.name.value) if condition else parent
                )
            case FragmentSpreadNode():
                inner = self._fragment(node.name.value)
            case _:
                return NOTHING
        return inner._replace(selections=inner.selections + 1)

    def _fragment(self, name: str) -> Size:
        if name not in self._sizes:
            self._sizes[name] = NOTHING  # what a fragment inside itself counts; the standard rules refuse it later
            if fragment := self._fragments.get(name):
                self._sizes[name] = self._object(
                    fragment.selection_set, self.schema.get_type(fragment.type_condition.name.value)
                )
        return self._sizes[name]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Size:
        if node.selection_set is None:
            return LEAF
        if node.name.value in ("__schema", "__type"):
            return Size(1, 0, self._object(node.selection_set, None).selections + 1)
        field = getattr(parent, "fields", {}).get(node.name.value)
        inner = self._object(node.selection_set, get_named_type(field.type) if field else None)
        return Size(inner.depth + 1, min(self._cost(node, field, parent, inner.cost), CEILING), inner.selections + 1)

    def _cost(self, node: FieldNode, field: GraphQLField | None, parent: Any, inner: int) -> int:
        """The objects that a field brings: itself and what is inside, times its length."""
        if field is None:
            return 1 + inner
        page = self._page(node, field)
        if not is_list_type(get_nullable_type(field.type)):
            return 1 + (1 if page is None else page) * inner  # a connection, or a single object
        if page is None:
            of_a_page = "pageInfo" in parent.fields  # `edges` and `nodes`: their length was counted one level up
            page = 1 if of_a_page else self.limits.assumed_list_length
        return page * (1 + inner)

    def _page(self, node: FieldNode, field: GraphQLField) -> int | None:
        """The page size asked for, the largest allowed if none is; None for a field that has no pages."""
        sizes = {name: field.args[name] for name in PAGE_ARGUMENTS if name in field.args}
        if not sizes:
            return None
        values = [self._integer(argument.value) for argument in node.arguments or () if argument.name.value in sizes]
        asked = [value for value in values if value is not None]
        if not asked:
            asked = [arg.default_value for arg in sizes.values() if isinstance(arg.default_value, int)]
        size = max([0, *asked]) if asked else self.limits.max_page_size
        self._largest_page = max(self._largest_page, size)
        return size

    def _integer(self, node: ValueNode | None) -> int | None:
        """The value as graphql-core will coerce it to Int, None if it is no number: then it is refused later."""
        if isinstance(node, VariableNode):
            name = node.name.value
            self.page_variables.add(name)
            if name not in self._given:
                default = self._defaults.get(name)
                return None if isinstance(default, VariableNode) else self._integer(default)
            return as_integer(self._given[name])
        if isinstance(node, IntValueNode):
            # Python refuses to convert more than some thousands of digits; a page of that size is refused anyway
            return as_integer(int(node.value)) if len(node.value) < 12 else CEILING
        return None

    def _merged_fields(self, node: SelectionSetNode, *, leaves: bool = False) -> dict[int, str]:
        """The response names that meet in one object, by field node: those of its fragments too, each once."""
        found: dict[int, str] = {}
        for selection in node.selections:
            match selection:
                case FieldNode() if leaves or selection.selection_set:
                    found[id(selection)] = (selection.alias or selection.name).value
                case InlineFragmentNode():
                    found |= self._merged_fields(selection.selection_set, leaves=leaves)
                case FragmentSpreadNode():
                    found |= self._merged_fragment(selection.name.value, leaves=leaves)
        return found

    def _merged_fragment(self, name: str, *, leaves: bool) -> dict[int, str]:
        key = f"{name} {leaves}"
        if key not in self._merged:
            self._merged[key] = {}
            if fragment := self._fragments.get(name):
                self._merged[key] = self._merged_fields(fragment.selection_set, leaves=leaves)
        return self._merged[key]


def as_integer(value: Any) -> int | None:
    """A variable's value as graphql-core will coerce it to Int: 10 and 10.0 are 10; None for what it will refuse."""
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return min(int(value), CEILING)
    return None


def input_objects(variables: Mapping[str, Any], most: int) -> int:
    """Objects and lists inside of the variables; it counts no further than one more than `most`."""
    found, left = 0, [variables]
    while left and found <= most:
        each = left.pop()
        inside = [value for value in (each.values() if isinstance(each, Mapping) else each) if type(value) in NESTED]
        found += len(inside)
        left += inside
    return min(found, most + 1)


NESTED = (dict, list)


def page_values(names: Iterable[str], variables: Mapping[str, Any]) -> tuple[object, ...]:
    """A hashable key of the variables that `Measure.page_variables` names: absent and null are different."""
    return tuple(as_integer(variables[name]) if name in variables else "absent" for name in names)
