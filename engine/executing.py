"""The fast path as a whole: documents to plans, viewers to bindings, and what falls back to graphql-core, counted."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLNonNull,
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    OperationType,
    Visitor,
    get_operation_ast,
    type_from_ast,
    visit,
)
from graphql.execution.values import get_variable_values

from engine.binding import Binding
from engine.calling import Calls
from engine.held import HeldPlans
from engine.mutating import Outcomes, checked, run_mutation
from engine.planning import plan_operation
from engine.plans import Plan
from engine.reads import Reads
from engine.refusing import Answer, worded
from engine.running import Load, Run
from engine.selections import variables_in
from engine.statements import Bail, NotPlannable
from engine.streaming import StreamPlan, plan_stream

MOST_BINDINGS = 2_000
"""Viewers whose conditions are remembered; the least recently seen go first."""

MOST_LISTS = 200
"""Lists that are remembered of one viewer."""

MOST_STATEMENTS = 500
"""Statements and conditions that are remembered of one viewer, besides those of lists."""


@dataclass(slots=True)
class Operation:
    """An operation of a document, with its plans. Kept by whoever keeps the document."""

    node: OperationDefinitionNode | None
    fragments: dict[str, FragmentDefinitionNode]
    plain_variables: dict[str, tuple[type, bool]] | None
    flags: tuple[str, ...]
    """The variables of @skip and @include, wherever they are: a plan holds for their values."""
    plans: dict[Hashable, Plan | None] = field(default_factory=dict)
    streams: dict[Hashable, StreamPlan] = field(default_factory=dict)

    @property
    def is_query(self) -> bool:
        return self.node is not None and self.node.operation is OperationType.QUERY

    @property
    def is_mutation(self) -> bool:
        return self.node is not None and self.node.operation is OperationType.MUTATION


@dataclass(slots=True)
class Engine:
    """`kind` groups viewers for whom a plan is the same; `key` identifies a viewer, rights included.

    `load` reads whole rows for ordinary resolvers of their fields.
    """

    schema: GraphQLSchema
    reads: Reads
    kind: Callable[[Any], Hashable]
    key: Callable[[Any], Hashable]
    load: Load | None = None
    most: int = 100
    stats: Counter[str] = field(default_factory=Counter)
    bindings: OrderedDict[Hashable, Binding] = field(default_factory=OrderedDict)
    held: HeldPlans = field(default_factory=HeldPlans)

    def open(self, document: DocumentNode, operation_name: str | None) -> Operation:
        """What is known of a validated document's operation before it is run."""
        node = get_operation_ast(document, operation_name)
        fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        if node is None:
            return Operation(None, fragments, None, ())
        return Operation(node, fragments, self._plain_variables(node), flags_of(node, *fragments.values()))

    async def data(self, operation: Operation, given: Mapping[str, Any] | None, context: Any) -> dict[str, Any] | None:
        """The answer's `data`, ready for JSON; None where there are errors, and where graphql-core has to answer."""
        found = await self.answer(operation, given, context)
        return None if found is None or found.errors else found.data

    async def answer(self, operation: Operation, given: Mapping[str, Any] | None, context: Any) -> Answer | None:
        """The answer, with the errors of fields that may not be read; None where graphql-core has to answer."""
        if not operation.is_query:
            return None
        try:
            variables = self._variables(operation, given or {})
            plan = self._plan(operation, variables, context.viewer)
            if plan is None:
                self.stats["fallbacks"] += 1
                return None
            run = self._run(operation, given or {}, variables, context)
            run.words_refusals = True
            data = await self.reads.once(run, plan)
            found = worded(data, context.viewer) if run.refused else Answer(data)
        except Exception as error:
            # Whatever it is, graphql-core meets it again and reports it as the specification has it.
            self.count_bail(error)
            return None
        self.stats["planned"] += 1
        self.stats["statements"] += run.statements
        return found

    async def mutated(self, operation: Operation, given: Mapping[str, Any] | None, context: Any) -> Outcomes | None:
        """What came of a mutation whose payload can be planned; None where nothing has run.

        Each of its resolvers has run once. Where the outcomes have no `data`, graphql-core completes them.
        """
        if not operation.is_mutation:
            return None
        try:
            variables = self._variables(operation, given or {})
            plan = self._plan(operation, variables, context.viewer)
            if plan is None:
                self.stats["fallbacks"] += 1
                return None
            checked(plan, self._run(operation, given or {}, variables, context))
        except Exception as error:
            self.count_bail(error)
            return None
        return await run_mutation(self, plan, lambda: self._run(operation, given or {}, variables, context))

    def count_bail(self, error: Exception) -> None:
        self.stats[f"bails:{type(error).__name__}"] += 1
        self.stats["bails"] += 1

    async def shown(self, operation: Operation, given: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """As `data`, for whoever wants to know why not.

        Raises:
            NotPlannable: graphql-core executes it.
            Exception: whatever makes graphql-core answer instead, as soon as it is met.
        """
        if operation.node is None or not operation.is_query:
            raise NotPlannable("not a query")
        variables = self._variables(operation, given)
        plan = self._new_plan(operation.node, operation, variables, context.viewer)
        return await self.reads.once(self._run(operation, given, variables, context), plan)

    def stream(self, operation: Operation, given: Mapping[str, Any], viewer: Any) -> tuple[StreamPlan, Any] | None:
        """The plan of a subscription and its variables; None where graphql-core has to execute it."""
        if operation.node is None or operation.node.operation is not OperationType.SUBSCRIPTION:
            return None
        try:
            variables = self._variables(operation, given)
            return self._stream_plan(operation, variables, viewer), variables
        except Exception as reason:
            # As for queries: whatever it is, graphql-core meets it again and words it.
            told = f"NotPlannable: {reason}" if isinstance(reason, NotPlannable) else type(reason).__name__
            self.stats[f"unplanned stream: {told}"] += 1
            return None

    def binding(self, viewer: Any) -> Binding:
        """What is made for a viewer once."""
        return self._binding(viewer)

    # --- plans

    def _stream_plan(self, operation: Operation, variables: Mapping[str, Any], viewer: Any) -> StreamPlan:
        key = self._plan_key(operation, variables, viewer)
        plan = operation.streams.get(key)
        if plan is None:
            assert operation.node is not None
            plan = plan_stream(self.schema, operation.node, operation.fragments, variables, viewer, self.reads.dialect)
            self.stats["plans"] += 1
            self.held.keep(operation.streams, key, plan, plan.fields)
        return plan

    def _plan(self, operation: Operation, variables: Mapping[str, Any], viewer: Any) -> Plan | None:
        key = self._plan_key(operation, variables, viewer)
        if key in operation.plans:
            known = operation.plans[key]
            if known is not None:
                known.used = True
            return known
        assert operation.node is not None
        plan: Plan | None
        try:
            plan = self._new_plan(operation.node, operation, variables, viewer)
        except NotPlannable as reason:
            self.stats[f"unplanned: {reason}"] += 1
            plan = None
        self.stats["plans"] += 1
        self.held.keep(operation.plans, key, plan, plan.fields if plan else 1)
        return plan

    def _new_plan(
        self, node: OperationDefinitionNode, operation: Operation, variables: Mapping[str, Any], viewer: Any
    ) -> Plan:
        flags = {name: variables.get(name) for name in operation.flags}
        return plan_operation(self.schema, node, operation.fragments, flags, viewer, self.reads.dialect)

    def _plan_key(self, operation: Operation, variables: Mapping[str, Any], viewer: Any) -> Hashable:
        return self.kind(viewer), *(variables.get(name) for name in operation.flags)

    def _run(self, operation: Operation, given: Mapping[str, Any], variables: Mapping[str, Any], context: Any) -> Run:
        assert operation.node is not None
        calls = Calls(self.schema, operation.node, operation.fragments, given, context)
        binding = self._binding(context.viewer)
        return Run(binding, self.reads.fetch, variables, self.most, context, calls, self.load)

    def _binding(self, viewer: Any) -> Binding:
        key = self.key(viewer)
        binding = self.bindings.get(key)
        if binding is None:
            binding = self.bindings[key] = Binding(viewer, self.reads.dialect)
            if len(self.bindings) > MOST_BINDINGS:
                self.bindings.popitem(last=False)
        else:
            self.bindings.move_to_end(key)
        if len(binding.lists) > MOST_LISTS:
            binding.lists.clear()
        if len(binding.statements) + len(binding.fragments) > MOST_STATEMENTS:
            binding.statements.clear()
            binding.fragments.clear()
        return binding

    # --- variables

    def _plain_variables(self, node: OperationDefinitionNode) -> dict[str, tuple[type, bool]] | None:
        """Name to (Python type, required), where every variable is a plain scalar without a default."""
        plain: dict[str, tuple[type, bool]] = {}
        kinds = {"ID": str, "String": str, "Int": int, "Boolean": bool, "Cursor": str, "Locale": str}
        for variable in node.variable_definitions or ():
            declared = type_from_ast(self.schema, variable.type)
            required = isinstance(declared, GraphQLNonNull)
            kind = kinds.get(str(declared).removesuffix("!"))
            if kind is None or variable.default_value is not None:
                return None
            plain[variable.variable.name.value] = (kind, required)
        return plain

    def _variables(self, operation: Operation, given: Mapping[str, Any]) -> dict[str, Any]:
        """The variables' values.

        Raises:
            Bail: one cannot be what it is declared to be.
        """
        if operation.plain_variables is not None:
            values: dict[str, Any] = {}
            for name, (kind, required) in operation.plain_variables.items():
                if name in given and fits(given[name], kind, required):
                    values[name] = given[name]
                elif name in given or required:
                    break
            else:
                return values
        assert operation.node is not None
        coerced = get_variable_values(self.schema, operation.node.variable_definitions or (), dict(given))
        if isinstance(coerced, list):
            raise Bail("variables")
        return dict(coerced.coerced)


def flags_of(*nodes: Node) -> tuple[str, ...]:
    """The variables that @skip and @include take in these parts of a document, each once."""
    found = Directives()
    for node in nodes:
        visit(node, found)
    return tuple(sorted({name for directive in found.nodes for name in variables_in(directive)}))


class Directives(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.nodes: list[DirectiveNode] = []

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        self.nodes.append(node)


def fits(value: Any, kind: type, required: bool) -> bool:
    if value is None:
        return not required
    return type(value) is kind and (type(value) is not int or -(2**31) <= value < 2**31)
