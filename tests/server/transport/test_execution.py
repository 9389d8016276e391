from typing import Any, cast

import pytest
import strawberry
from graphql import Executor, parse
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from server.transport.execution import FreshPerEvent, fresh_per_event, guarded
from server.transport.limits import Limits
from tests.server.transport.support import Visitor, World, make_schema

pytestmark = pytest.mark.anyio

DOCUMENT = parse("subscription { boxes(count: 1) { inner { inner { name } } } }")


def build(executor: type[StrawberryGraphQLCoreExecutionContext], world: World) -> Executor[Any]:
    built = executor.build(make_schema()._schema, DOCUMENT, context_value=world)
    assert isinstance(built, executor)
    return built


async def largest_memo(base: type[StrawberryGraphQLCoreExecutionContext], events: int) -> int:
    """The entries of the fullest memo of sub-fields after a subscription of so many events, two objects deep each."""
    memos: list[dict[Any, Any]] = []

    class Watched(base):  # type: ignore[misc, valid-type]
        def build_per_event_executor(self, payload: Any) -> Executor[Any]:
            executor = super().build_per_event_executor(payload)
            memos.append(executor._relevant_sub_fields)
            return cast(Executor[Any], executor)

    schema = make_schema(execution_context_class=Watched)
    query = f"subscription {{ boxes(count: {events}) {{ inner {{ name }} }} }}"
    results = [result async for result in await schema.stream(query)]
    assert results[-1].data == {"boxes": {"inner": {"name": f"{events - 1}."}}}  # type: ignore[union-attr]
    return max(len(memo) for memo in memos)


async def test_the_memo_does_not_grow_with_the_events() -> None:
    assert await largest_memo(FreshPerEvent, events=500) == 2


async def test_graphql_core_still_needs_it() -> None:
    """Once this fails, graphql-core has been mended and `FreshPerEvent` only refreshes."""
    assert await largest_memo(StrawberryGraphQLCoreExecutionContext, events=500) == 1_000


def test_each_event_has_a_memo_of_its_own_and_the_same_arguments() -> None:
    parent = build(FreshPerEvent, World(Visitor("ann")))

    one, two = parent.build_per_event_executor("one"), parent.build_per_event_executor("two")

    assert one._relevant_sub_fields is not two._relevant_sub_fields
    assert one._relevant_sub_fields is not parent._relevant_sub_fields
    assert one._stream_usages is not two._stream_usages
    assert (one.root_value, two.root_value) == ("one", "two")
    assert one.context_value is parent.context_value


def test_the_context_is_refreshed_before_each_event() -> None:
    world = World(Visitor("ann"))
    parent = build(FreshPerEvent, world)

    parent.build_per_event_executor("one")
    parent.build_per_event_executor("two")

    assert world.refreshed == 2


def test_a_context_that_cannot_be_refreshed_is_left_alone() -> None:
    parent = FreshPerEvent.build(make_schema()._schema, DOCUMENT, context_value=object())
    assert isinstance(parent, FreshPerEvent)

    assert parent.build_per_event_executor("one").root_value == "one"


def test_an_executor_of_the_schema_keeps_what_it_does() -> None:
    class Planned(StrawberryGraphQLCoreExecutionContext):
        planned = True

    mixed = fresh_per_event(Planned)

    assert issubclass(mixed, FreshPerEvent)
    assert mixed.planned
    assert fresh_per_event(mixed) is mixed
    assert fresh_per_event(StrawberryGraphQLCoreExecutionContext) is FreshPerEvent


def test_the_given_schema_stays_as_it_was() -> None:
    schema = make_schema()

    ours, _ = guarded(schema, Limits(max_depth=1))

    assert ours is not schema
    assert schema.extensions == ()
    assert schema.execution_context_class is StrawberryGraphQLCoreExecutionContext
    assert schema.execute_sync("{ box { name } }").data == {"box": {"name": "box"}}
    assert isinstance(ours, strawberry.Schema)
