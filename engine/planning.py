"""From a document to a plan: which SELECTs its selection needs, and the expressions that shape their rows.

The planner walks the selection once. Each object level becomes part of a SELECT (to-one: a join) or a SELECT of its own
(to-many), and one Python expression, compiled, that turns a row into its finished object. What only a resolver knows is
asked of it for all rows of a level at once (`given.py`). What cannot be planned raises `NotPlannable`, and graphql-core
executes the operation.
"""

from collections.abc import Mapping
from typing import Any

from graphql import (
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
)

from engine.declare import Found, Listed, Sought
from engine.given import RootObjects, RootValue, shape_of
from engine.lists import ListPlanner
from engine.objects import Place, guards_of
from engine.plans import PAGING, Plan, Root, RootPages, RootRow
from engine.selections import Selected, variables_in
from engine.statements import Dialect, NotPlannable


def plan_operation(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    flags: Mapping[str, Any],
    viewer: Any,
    dialect: Dialect,
) -> Plan:
    """The plan of a query or a mutation. `flags` has, among others, the values of the variables of @skip and @include.

    `viewer` stands for its kind: what a declaration takes from it must be the same for every viewer of the kind.

    Raises:
        NotPlannable: something of it cannot be planned.
    """
    return Planner(schema, fragments, flags, viewer, dialect).plan(operation)


class Planner(ListPlanner):
    """Plans the root fields."""

    def plan(self, operation: OperationDefinitionNode) -> Plan:
        if operation.operation is OperationType.SUBSCRIPTION or operation.directives:
            raise NotPlannable("not a plain query or mutation")
        root = self.schema.get_root_type(operation.operation)
        assert root is not None
        roots: list[Root] = []
        for each in self.selected(root, [operation.selection_set]):
            self.trail = [each.key]
            if each.name == "__typename":
                roots.append((each.key, root.name))
            elif isinstance(each.declared, Found):
                roots.append(self.root_row(each))
            elif isinstance(each.declared, Listed):
                roots.append(self.root_pages(each, root))
            elif isinstance(each.declared, Sought):
                shape = shape_of(self, root, each, each.declared.seen)
                roots.append(RootObjects(each.declared, each, shape, guards_of(each)))
            else:
                roots.append(RootValue(root, each, shape_of(self, root, each)))
        return Plan(roots, 1 + self.planned_fields)

    def root_row(self, selected: Selected) -> RootRow:
        declared: Found = selected.declared
        select = self.select(declared.model)
        expression = self.value(selected, Place(select, select.table, declared.model))
        return RootRow(
            selected.key,
            declared,
            selected.arguments,
            select,
            select.compiled(expression),
            guards_of(selected),
        )

    def root_pages(self, selected: Selected, parent: GraphQLObjectType) -> RootPages:
        guards_of(selected)
        parts = self.page_parts(selected, selected.declared.model)
        depends = tuple(
            name
            for argument in selected.nodes[0].arguments or ()
            if argument.name.value not in PAGING
            for name in variables_in(argument)
        )
        return RootPages(selected.key, selected, parent, selected.arguments, depends, parts)
