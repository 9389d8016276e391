"""Documents that were parsed, measured and validated once, however often they are sent.

Strawberry's own caches know nothing of limits, and run the standard rules first. Here the order is: tokens, syntax,
limits, operation name, standard rules. A compiled plan can hang on a `Document` later.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
    parse,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document

from engine.executing import Operation
from server.transport.limits import Limits, limit_exceeded
from server.transport.measure import Measure, input_objects, page_values

Rules = tuple[type[ASTValidationRule], ...]

HELD_CHARACTERS = 300_000
"""A bound on the cache by what fills it: the tree of a document takes some 200 times its text."""

HELD_VERDICTS = 100
"""Per document: its cost is figured anew for every combination of page sizes."""


class Verdict(NamedTuple):
    """What of a document exceeds the limits, and what its dearest operation costs where that can be said."""

    errors: list[GraphQLError]
    cost: int | None


class Document:
    def __init__(self, node: DocumentNode, schema: GraphQLSchema, limits: Limits) -> None:
        self.node = node
        self._schema = schema
        self._limits = limits
        self._operations = [d for d in node.definitions if isinstance(d, OperationDefinitionNode)]
        self._page_variables: tuple[str, ...] | None = None
        self._verdicts: dict[tuple[object, ...], Verdict] = {}
        self._validated: dict[Rules, list[GraphQLError]] = {}
        self.operations: dict[str | None, Operation] = {}
        """What the engine knows of each of its operations, by the name it is asked for."""

    def errors(self, rules: Rules, operation_name: str | None, variables: Mapping[str, Any]) -> list[GraphQLError]:
        """Why this document may not be executed, empty if it may."""
        if over := self._verdict(variables).errors:
            return over
        if operation_name is None and len(self._operations) > 1:
            # Strawberry would execute the first, which is not the one an allow-list or an audit saw
            return [
                GraphQLError(
                    "This document has several operations: say which in operationName.",
                    extensions={"code": "OPERATION_RESOLUTION_FAILURE"},
                )
            ]
        if rules not in self._validated:
            self._validated[rules] = validate_document(self._schema, self.node, rules)
        return self._validated[rules]

    def cost(self, variables: Mapping[str, Any]) -> int | None:
        """What its dearest operation costs; None where the variables or the text are too much to say."""
        return self._verdict(variables).cost

    def is_subscription(self, operation_name: str | None) -> bool:
        operation = get_operation_ast(self.node, operation_name)
        return operation is not None and operation.operation is OperationType.SUBSCRIPTION

    def _verdict(self, variables: Mapping[str, Any]) -> "Verdict":
        most = self._limits.max_input_objects
        if variables and (reached := input_objects(variables, most)) > most:
            too_many = limit_exceeded("The number of objects and lists in variables", allowed=most, reached=reached)
            return Verdict([too_many], None)
        if self._page_variables is not None:
            key = page_values(self._page_variables, variables)
            if key in self._verdicts:
                return self._verdicts[key]
        measure = Measure(self._schema, self.node, variables, self._limits)
        try:
            verdict = Verdict(measure.errors(), measure.cost)
        except RecursionError:
            return Verdict([nested_too_deeply()], None)
        self._page_variables = tuple(sorted(measure.page_variables))
        if len(self._verdicts) >= HELD_VERDICTS:
            self._verdicts.clear()
        self._verdicts[page_values(self._page_variables, variables)] = verdict
        return verdict


class Documents:
    """The documents of one schema, the least recently used dropped when `HELD_CHARACTERS` of text are exceeded."""

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self.schema = schema
        self.limits = limits
        self._held: OrderedDict[str, Document] = OrderedDict()
        self._characters = 0

    def open(self, text: str) -> Document:
        """Raises: GraphQLError: `text` is too long or is no GraphQL."""
        document = self._held.get(text)
        if document is not None:
            self._held.move_to_end(text)
            return document
        document = self.wrap(parse(text, max_tokens=self.limits.max_tokens))
        self._hold(text, document)
        return document

    def wrap(self, node: DocumentNode) -> Document:
        """A document that somebody else parsed; it is not held."""
        return Document(node, self.schema, self.limits)

    def _hold(self, text: str, document: Document) -> None:
        self._held[text] = document
        self._characters += len(text)
        while self._characters > HELD_CHARACTERS:
            dropped, _ = self._held.popitem(last=False)
            self._characters -= len(dropped)


class Gate(SchemaExtension):
    """Hands Strawberry the tree and the verdict of `documents`.

    Errors are left in `pre_execution_errors`: what a hook raises never reaches a WebSocket client.
    """

    def __init__(self, documents: Documents, max_tokens: int) -> None:
        self.documents = documents
        self.max_tokens = max_tokens
        self._document: Document | None = None

    def on_operation(self) -> Iterator[None]:
        self.execution_context.parse_options["max_tokens"] = self.max_tokens
        yield

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        if context.query and context.graphql_document is None:
            with suppress(GraphQLError):  # Strawberry parses it again, and reports the error in its own way
                self._document = self.documents.open(context.query)
                context.graphql_document = self._document.node
        yield

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        node = context.graphql_document
        if node is not None and context.pre_execution_errors is None:
            document = self._document
            if document is None or document.node is not node:  # another extension brought its own
                document = self._document = self.documents.wrap(node)
            context.pre_execution_errors = document.errors(
                context.validation_rules, context._provided_operation_name, context.variables or {}
            )
        yield

    def get_results(self) -> dict[str, Any]:
        """What the operation costs, for whoever asks with `{"cost": true}` in the request's `extensions` (J9)."""
        context = self.execution_context
        if self._document is None or (context.operation_extensions or {}).get("cost") is not True:
            return {}
        cost, allowed = self._document.cost(context.variables or {}), self.documents.limits.max_cost
        return {"cost": {"operation": cost, "allowed": allowed}}


def nested_too_deeply() -> GraphQLError:
    return GraphQLError("This document is nested too deeply.", extensions={"code": "LIMIT_EXCEEDED"})


def is_over_parser_limit(error: GraphQLError) -> bool:
    """Whether the parser gave up at a limit rather than at a mistake: it has one class for both."""
    return isinstance(error, GraphQLSyntaxError) and error.message.endswith("Parsing aborted.")
