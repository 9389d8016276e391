"""What of a document is selected, for a type: fragments opened, @skip and @include decided, equal keys merged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    SelectionSetNode,
    VariableNode,
    Visitor,
    visit,
)
from graphql.utilities import value_from_ast_untyped
from strawberry.types.field import StrawberryField

from engine.declare import PLAN
from engine.statements import NotPlannable

Argument = tuple[bool, Any]
"""A constant's value, or a variable's name: (is it a constant, which)."""


@dataclass(slots=True)
class Selected:
    """A field of a selection, its nodes merged."""

    key: str
    name: str
    nodes: list[FieldNode]
    definition: GraphQLField | None
    strawberry: StrawberryField | None

    @property
    def declared(self) -> Any:
        return self.strawberry.metadata.get(PLAN) if self.strawberry else None

    @property
    def sets(self) -> list[SelectionSetNode]:
        return [node.selection_set for node in self.nodes if node.selection_set]

    @property
    def arguments(self) -> dict[str, Argument]:
        given: dict[str, Argument] = {}
        for argument in self.nodes[0].arguments or ():
            value = argument.value
            if isinstance(value, VariableNode):
                given[argument.name.value] = (False, value.name.value)
            else:
                given[argument.name.value] = (True, value_from_ast_untyped(value))
        return given


@dataclass(slots=True)
class Selections:
    """A document's selections. `values` has, among others, the values of the variables of @skip and @include."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    values: Mapping[str, Any]

    def of(self, parent: GraphQLObjectType, sets: list[SelectionSetNode]) -> list[Selected]:
        found: dict[str, Selected] = {}
        for node in self._nodes(parent, sets):
            key = node.alias.value if node.alias else node.name.value
            if key in found:
                found[key].nodes.append(node)
                continue
            definition = parent.fields.get(node.name.value)
            if definition is None and node.name.value != "__typename":
                raise NotPlannable(node.name.value)
            known = (definition.extensions or {}).get("strawberry-definition") if definition else None
            found[key] = Selected(key, node.name.value, [node], definition, known)
        return list(found.values())

    def _nodes(self, parent: GraphQLObjectType, sets: list[SelectionSetNode]) -> list[FieldNode]:
        nodes: list[FieldNode] = []
        for each in (selection for found in sets for selection in found.selections):
            if not self._included(each):
                continue
            if isinstance(each, FieldNode):
                nodes.append(each)
                continue
            if isinstance(each, FragmentSpreadNode):
                fragment: Any = self.fragments[each.name.value]
            else:
                assert isinstance(each, InlineFragmentNode)
                fragment = each
            if fragment.type_condition is None or self._applies(fragment.type_condition.name.value, parent):
                nodes += self._nodes(parent, [fragment.selection_set])
        return nodes

    def _applies(self, condition: str, parent: GraphQLObjectType) -> bool:
        named = self.schema.type_map[condition]
        if named is parent:
            return True
        return not isinstance(named, GraphQLObjectType) and self.schema.is_sub_type(named, parent)  # type: ignore[arg-type]

    def _included(self, node: Any) -> bool:
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
