"""Mutations: each resolver runs once, and what is selected of its payload is read by a plan.

Where the plan cannot answer, because an error has to be worded, graphql-core completes what the resolvers gave. It
never calls one of them again: `Completing` hands it the outcomes instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql import Executor, GraphQLObjectType
from graphql.pyutils import Path

from engine.given import GivenValue, RootValue
from engine.plans import Plan
from engine.running import Run

if TYPE_CHECKING:
    from engine.executing import Engine


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a resolver gave, or the error that it raised."""

    value: Any = None
    error: Exception | None = None

    async def again(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value


@dataclass(slots=True)
class Outcomes:
    """What the root fields of one mutation have come to, by their keys in the answer; those that ran alone are here.

    It is the root value of graphql-core's execution. `data` is the whole answer, where the plan could give it.
    """

    by_key: dict[str, Outcome] = field(default_factory=dict)
    data: dict[str, Any] | None = None


async def run_mutation(engine: "Engine", plan: Plan, new_run: Any) -> Outcomes:
    """Run a planned mutation: its fields one after the other, each payload read before the next field begins.

    The first error, and the first payload that the plan cannot read, leave the rest to graphql-core.
    """
    outcomes, data = Outcomes(), dict[str, Any]()
    for root in plan.roots:
        if isinstance(root, tuple):
            data[root[0]] = root[1]
            continue
        assert isinstance(root, RootValue)
        run: Run = new_run()
        assert run.calls is not None
        key = root.selected.key
        try:
            (value,) = await run.calls.values(root.parent, root.selected, [None])
        except Exception as error:
            outcomes.by_key[key] = Outcome(error=error)
            return outcomes
        outcomes.by_key[key] = Outcome(value)
        try:
            data |= await engine.reads.once(run, Plan([GivenValue(root.selected, root.shape, value)]))
        except Exception as error:
            # Whatever it is, graphql-core meets it again and reports it as the specification has it.
            engine.count_bail(error)
            return outcomes
        engine.stats["statements"] += run.statements
    engine.stats["planned"] += 1
    outcomes.data = data
    return outcomes


class Completing(Executor[Any]):
    """An executor that takes the outcomes of root fields as they are, where its root value has them."""

    def execute_field(
        self, parent_type: GraphQLObjectType, source: Any, field_details_list: Any, path: Path, position_context: Any
    ) -> Any:
        if not isinstance(source, Outcomes):
            return super().execute_field(parent_type, source, field_details_list, path, position_context)
        outcome = source.by_key.get(str(path.key))
        if outcome is None:
            return super().execute_field(parent_type, None, field_details_list, path, position_context)
        nodes = [each.node for each in field_details_list]
        definition = self.schema.get_field(parent_type, nodes[0].name.value)
        assert definition is not None
        info = self.build_resolve_info(definition, nodes, parent_type, path)
        return self.complete_awaitable_value(
            definition.type, field_details_list, info, path, outcome.again(), position_context
        )


def checked(plan: Plan, run: Run) -> Mapping[str, Any]:
    """The arguments of every root field, coerced: what is wrong with them is met before anything has run.

    Raises:
        GraphQLError: one cannot be what it is declared to be.
    """
    assert run.calls is not None
    return {root.selected.key: run.calls.arguments(root.selected) for root in plan.roots if isinstance(root, RootValue)}
