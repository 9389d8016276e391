"""Whole operations through the schema, the way the transport runs them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import models
from domain.policy import ANONYMOUS, Viewer
from resolvers.context import Context, Services
from resolvers.viewers import load_viewer
from tests.both_ways import BothWays, ordinary, schema

__all__ = ["PATIENCE", "Client", "Refused", "Stream", "schema"]

PATIENCE = 5.0
"""Seconds that any wait may last."""


class Refused(AssertionError):
    """The operation had top-level errors where none were expected; `codes` are theirs."""

    def __init__(self, errors: list[Any]) -> None:
        super().__init__("; ".join(str(error) for error in errors))
        self.codes = [(error.extensions or {}).get("code") for error in errors]


class Client:
    """Asks as one person; with `both`, the engine is asked too, and must agree."""

    def __init__(self, services: Services, user: models.User | None, both: BothWays | None = None) -> None:
        self.services, self.user, self.both = services, user, both

    async def viewer(self) -> Viewer:
        if self.user is None:
            return ANONYMOUS
        viewer = await load_viewer(self.user.id)
        assert viewer is not None
        return viewer

    async def ask(self, document: str, **variables: Any) -> Any:
        """The operation's data.

        Raises:
            Refused: it had errors.
        """
        data, errors = await self.answer(document, **variables)
        if errors:
            raise Refused(errors)
        return data

    async def answer(self, document: str, **variables: Any) -> tuple[Any, list[Any]]:
        """The operation's data and its top-level errors."""
        viewer = await self.viewer()
        async with asyncio.timeout(PATIENCE):
            if self.both is None:
                return await ordinary(schema(), document, variables, Context(viewer, self.services))
            return await self.both.answer(document, variables, lambda: Context(viewer, self.services))

    @asynccontextmanager
    async def watch(self, document: str, **variables: Any) -> AsyncIterator["Stream"]:
        context = Context(await self.viewer(), self.services)
        source = await schema().subscribe(document, variable_values=variables, context_value=context)
        stream = Stream(source)
        try:
            yield stream
        finally:
            await stream.close()


class Stream:
    """A running subscription; `next` waits for one item of its only field."""

    def __init__(self, source: Any) -> None:
        self.source = source

    async def next(self) -> Any:
        """
        Raises:
            Refused: the stream ended in errors.
        """
        async with asyncio.timeout(PATIENCE):
            result = await anext(self.source)
        if result.errors:
            raise Refused(list(result.errors))
        (item,) = result.data.values()
        return item

    async def result(self) -> tuple[Any, list[Any]]:
        """One event's data and its errors, as they are."""
        async with asyncio.timeout(PATIENCE):
            result = await anext(self.source)
        return result.data, list(result.errors or [])

    async def take(self, count: int) -> list[Any]:
        return [await self.next() for _ in range(count)]

    async def close(self) -> None:
        close = getattr(self.source, "aclose", None)
        if close:
            await close()
