"""The executor under every operation, and the schema as the endpoint runs it."""

from copy import copy
from functools import partial
from typing import Any

import strawberry
from graphql import Executor
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from engine.mutating import Completing
from server.transport.documents import Documents, Gate
from server.transport.limits import Limits

REPLACED = (ParserCache, ValidationCache)
"""`Documents` remembers both. Beside it they bring trees of their own, which would be validated for every request."""


class FreshPerEvent(StrawberryGraphQLCoreExecutionContext):
    """Executes each event of a subscription with memory of its own.

    graphql-core 3.3.1 and 3.3.2 copy the executor per event but share its memo of sub-fields, whose keys are new
    objects each time: it never hits, only grows, some 1.3 kB per event and subscription.
    """

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}
        executor._stream_usages = type(executor._stream_usages)()
        refresh = getattr(executor.context_value, "refresh", None)
        if refresh is not None:
            refresh()  # loaders remember rows; an event is about what has changed
        return executor


def guarded(schema: strawberry.Schema, limits: Limits) -> tuple[strawberry.Schema, Documents]:
    """A copy of `schema` that keeps to `limits` and leaks nothing; the original stays as it is for those in-process."""
    documents = Documents(schema._schema, limits)
    ours = copy(schema)
    others = [each for each in schema.extensions if each not in REPLACED]
    ours.extensions = (partial(Gate, documents, limits.max_tokens), *others)
    ours.execution_context_class = fresh_per_event(schema.execution_context_class)
    # Strawberry logs every error here with its traceback, a refused field as loudly as a bug. `masking` logs the bugs.
    ours.process_errors = lambda errors, execution_context=None: None  # type: ignore[method-assign]
    return ours, documents


def completing(schema: strawberry.Schema) -> strawberry.Schema:
    """A copy of `schema` that completes a mutation's outcomes, given as its root value, and runs nothing again."""
    ours = copy(schema)
    ours.execution_context_class = type("Completing", (Completing, schema.execution_context_class), {})
    return ours


def fresh_per_event(executor: type[Executor[Any]]) -> type[Executor[Any]]:
    """`executor` with the behaviour of `FreshPerEvent`, whatever else it does."""
    if issubclass(executor, FreshPerEvent):
        return executor
    if issubclass(FreshPerEvent, executor):
        return FreshPerEvent
    return type("FreshPerEvent", (FreshPerEvent, executor), {})
