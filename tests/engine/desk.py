"""Both ways to an answer, side by side: graphql-core with the ordinary resolvers, and the engine."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import GraphQLError, parse, specified_rules, validate

import models
from domain.policy import ANONYMOUS, Viewer
from engine.executing import Engine, Operation
from models.database import reader
from realtime.hub import Hub
from resolvers.context import Context, Services
from resolvers.viewers import load_viewer
from server.app import open_reads, planner
from server.transport.masking import for_client
from tests.client import schema
from tests.clock import Clock

MOST = 100


@dataclass(slots=True)
class Desk:
    engine: Engine
    services: Services
    operations: dict[str, Operation] = field(default_factory=dict)

    def open(self, document: str) -> Operation:
        """The operation of a document, the same one each time, as the endpoint keeps it."""
        found = self.operations.get(document)
        if found is None:
            found = self.operations[document] = self.engine.open(parse(document), None)
        return found

    async def planned(
        self, document: str, viewer: Viewer, variables: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        return await self.engine.data(self.open(document), variables, Context(viewer, self.services))

    async def ordinary(
        self, document: str, viewer: Viewer, variables: Mapping[str, Any] | None = None
    ) -> tuple[Any, list[GraphQLError]]:
        result = await schema().execute(
            document, variable_values=dict(variables or {}), context_value=Context(viewer, self.services)
        )
        return result.data, list(result.errors or [])

    async def agreed(
        self, document: str, viewer: Viewer, variables: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        """The engine's answer, after it was compared with the ordinary one; None where it left that to graphql-core."""
        expected, errors = await self.ordinary(document, viewer, variables)
        answer = await self.engine.answer(self.open(document), variables, Context(viewer, self.services))
        if answer is None:
            return None
        found = answer.data
        if answer.errors:
            told, expected_errors = for_client(answer.errors), for_client(errors)
            assert in_any_order(told) == in_any_order(expected_errors), f"{document}\n{variables}\n{viewer}"
            assert orjson.dumps(found) == orjson.dumps(expected), f"{document}\n{variables}\n{viewer}"
            return None
        assert not errors, f"the engine answered where there are errors: {errors}\n{document}\n{variables}"
        assert orjson.dumps(found) == orjson.dumps(expected), f"{document}\n{variables}\n{viewer}"
        return found


def in_any_order(errors: list[Any]) -> list[str]:
    """Which error comes first is not specified."""
    return sorted(orjson.dumps(each, option=orjson.OPT_SORT_KEYS).decode() for each in errors)


def errors_of(document: str) -> list[GraphQLError]:
    return validate(schema()._schema, parse(document), specified_rules)


@asynccontextmanager
async def planned_desk(url: str) -> AsyncIterator[Desk]:
    """An engine on a database that is open already."""
    reads = await open_reads(url)
    engine = planner(schema()._schema, reads, MOST)
    try:
        yield Desk(engine, Services(hub=Hub(reader), clock=Clock(), max_page_size=MOST))
    finally:
        await reads.close()


async def viewer_of(person: models.User | None) -> Viewer:
    if person is None:
        return ANONYMOUS
    viewer = await load_viewer(person.id)
    assert viewer is not None
    return viewer
