"""Every operation of a test, both ways: by graphql-core with the ordinary resolvers, and by the engine.

A query is asked of both, and the answers must be the same. A mutation runs once, by the engine; what its resolvers gave
is completed by graphql-core as well, and the two payloads must be the same. What the engine leaves to graphql-core is
answered by that alone, and counted. Where another mutation of the test runs at the same time nothing is compared: the
two ways see the tables one after the other.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import orjson
from graphql import DocumentNode, GraphQLError, OperationType, get_operation_ast, parse, specified_rules, validate

from engine.executing import Engine, Operation
from engine.reads import Reads
from resolvers.context import Context
from schema.access import Schema
from schema.build import build_schema
from server.app import open_reads, planner
from server.transport.execution import FreshPerEvent, completing

ASKED: Counter[str] = Counter()
"""What was asked in this session, and what of it the engine answered as well: shown at its end."""


@cache
def schema() -> Schema:
    return build_schema(execution_context_class=FreshPerEvent)


@cache
def completing_schema() -> Any:
    return completing(schema())


@cache
def valid(document: str) -> DocumentNode | None:
    try:
        node = parse(document)
    except GraphQLError:
        return None
    return None if validate(schema()._schema, node, specified_rules) else node


class BothWays:
    """The two ways to one database. The engine's is opened when it is first needed."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._reads: Reads | None = None
        self._engine: Engine | None = None
        self._operations: dict[str, Operation] = {}
        self._opening = asyncio.Lock()
        self._changing = 0
        self._changes = 0

    async def close(self) -> None:
        if self._reads is not None:
            await self._reads.close()

    async def engine(self, most: int) -> Engine:
        async with self._opening:
            if self._engine is None:
                self._reads = await open_reads(self.url)
                self._engine = planner(schema()._schema, self._reads, most)
            return self._engine

    async def answer(
        self, document: str, variables: Mapping[str, Any], new_context: Callable[[], Context]
    ) -> tuple[Any, list[Any]]:
        """The data and the top-level errors."""
        node = valid(document)
        kind = get_operation_ast(node) if node else None
        if node is None or kind is None or kind.operation is OperationType.SUBSCRIPTION:
            return await ordinary(schema(), document, variables, new_context())
        context = new_context()
        engine = await self.engine(context.services.max_page_size)
        operation = self._operations.get(document)
        if operation is None:
            operation = self._operations[document] = engine.open(node, None)
        if operation.is_mutation:
            self._changes += 1
            alone = self._alone()
            self._changing += 1
            try:
                return await self._mutation(engine, operation, document, variables, context, alone)
            finally:
                self._changing -= 1
        alone = self._alone()
        data, errors = await ordinary(schema(), document, variables, context)
        planned = await engine.data(operation, variables, new_context())
        ASKED["queries"] += 1
        if planned is not None and alone():
            ASKED["queries answered by the engine too"] += 1
            compare(document, variables, planned, data, errors)
        return data, errors

    def _alone(self) -> Callable[[], bool]:
        """Whether no other mutation has run since this was called, or did when it was."""
        others, until_now = self._changing, self._changes
        return lambda: others == 0 and self._changes == until_now

    async def _mutation(
        self,
        engine: Engine,
        operation: Operation,
        document: str,
        variables: Mapping[str, Any],
        context: Context,
        alone: Callable[[], bool],
    ) -> tuple[Any, list[Any]]:
        ASKED["mutations"] += 1
        outcomes = await engine.mutated(operation, variables, context)
        if outcomes is None:
            return await ordinary(schema(), document, variables, context)
        data, errors = await ordinary(completing_schema(), document, variables, context, outcomes)
        if outcomes.data is not None and alone():
            ASKED["mutations answered by the engine too"] += 1
            compare(document, variables, outcomes.data, data, errors)
        return data, errors


async def ordinary(
    schema: Any, document: str, variables: Mapping[str, Any], context: Context, root: Any = None
) -> tuple[Any, list[Any]]:
    result = await schema.execute(document, variable_values=dict(variables), context_value=context, root_value=root)
    return result.data, list(result.errors or [])


def compare(document: str, variables: Mapping[str, Any], planned: Any, data: Any, errors: list[Any]) -> None:
    asked = f"{document}\n{dict(variables)}"
    assert not errors, f"the engine answered where there are errors: {errors}\n{asked}"
    assert orjson.loads(orjson.dumps(planned)) == data, (
        f"the engine and graphql-core differ\n{planned}\n{data}\n{asked}"
    )
