"""Ordinary resolvers, called by a plan: with what graphql-core would hand them, and all parents at once."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from inspect import isawaitable, iscoroutine
from typing import Any

from graphql import (
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    default_type_resolver,
    get_named_type,
)
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values
from graphql.pyutils import Path

from engine.selections import Selected
from engine.statements import Bail


@dataclass(slots=True)
class Calls:
    """The resolvers of one execution of an operation."""

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    given: Mapping[str, Any]
    context: Any
    _variables: VariableValues | None = field(default=None, init=False)

    @property
    def variables(self) -> VariableValues:
        """Coerced as resolvers want them, enums and inputs, where a plan is content with what was sent."""
        if self._variables is None:
            definitions = self.operation.variable_definitions or ()
            coerced = get_variable_values(self.schema, definitions, dict(self.given))
            if isinstance(coerced, list):
                raise Bail("variables")
            self._variables = coerced
        return self._variables

    def begin(self, parent: GraphQLObjectType, selected: Selected, source: Any) -> Any:
        """What the field's resolver answers for a parent: a value, or something to await."""
        definition = selected.definition
        assert definition is not None
        assert definition.resolve is not None
        return definition.resolve(source, self._info(parent, selected, definition), **self.arguments(selected))

    def arguments(self, selected: Selected) -> dict[str, Any]:
        """A field's arguments, coerced and with their defaults."""
        assert selected.definition is not None
        return get_argument_values(selected.definition, selected.nodes[0], self.variables)

    async def values(self, parent: GraphQLObjectType, selected: Selected, sources: Sequence[Any]) -> list[Any]:
        """What the field's resolver answers for each parent. They are asked together, so their loaders can batch."""
        begun: list[Any] = []
        try:
            for source in sources:
                begun.append(self.begin(parent, selected, source))
        except BaseException:
            for each in begun:
                if iscoroutine(each):
                    each.close()
            raise
        return await together(begun)

    def type_of(self, parent: GraphQLObjectType, selected: Selected, value: Any) -> str:
        """The name of the type that a value of a field with an abstract type is of.

        Raises:
            Bail: of none.
        """
        assert selected.definition is not None
        named: Any = get_named_type(selected.definition.type)
        info = self._info(parent, selected, selected.definition)
        found = (named.resolve_type or default_type_resolver)(value, info, named)
        if not isinstance(found, str):
            raise Bail(f"a {type(value).__name__} that is of no type")
        return found

    def _info(self, parent: GraphQLObjectType, selected: Selected, definition: GraphQLField) -> GraphQLResolveInfo[Any]:
        return GraphQLResolveInfo(
            field_name=selected.name,
            field_nodes=selected.nodes,
            return_type=definition.type,
            parent_type=parent,
            path=Path(None, selected.key, parent.name),
            schema=self.schema,
            fragments=self.fragments,
            root_value=None,
            operation=self.operation,
            variable_values=self.variables.coerced,  # type: ignore[arg-type]  # as Strawberry hands them on
            context=self.context,
            is_awaitable=isawaitable,  # type: ignore[arg-type]
            abort_signal=None,
            async_helpers=None,  # type: ignore[arg-type]
        )


async def together(values: list[Any]) -> list[Any]:
    """The values, those to be awaited awaited at the same time; the first to fail ends the others."""
    waiting = [place for place, value in enumerate(values) if isawaitable(value)]
    if len(waiting) == 1:
        values[waiting[0]] = await values[waiting[0]]
    elif waiting:
        try:
            async with asyncio.TaskGroup() as group:
                tasks = {place: group.create_task(awaited(values[place])) for place in waiting}
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        for place, task in tasks.items():
            values[place] = task.result()
    return values


async def awaited(value: Any) -> Any:
    return await value
