"""What an error may say to a client. Refusals and the client's own mistakes pass; our bugs become a number.

Every error leaves through `for_client`. Strawberry's MaskErrors is an extension and misses what is raised outside its
hooks; and by default it also hides honest errors about variables.
"""

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import structlog
from graphql import (
    GraphQLError,
    GraphQLFormattedError,
    GraphQLSyntaxError,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
)
from strawberry.exceptions import MissingQueryError, StrawberryInputCoercionError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import ExecutionResult, PreExecutionError

from domain.errors import DomainError
from domain.words import Text
from domain.words.languages import SOURCE
from server.transport.documents import is_over_parser_limit

APOLOGY = Text("Something went wrong on our side.")

REQUEST_ERRORS = (CannotGetOperationTypeError, InvalidOperationTypeError, MissingQueryError)
"""Strawberry's own, about which operation is meant."""

log = structlog.get_logger(__name__)


def for_client(errors: Iterable[GraphQLError], language: str = SOURCE) -> list[GraphQLFormattedError]:
    """The errors as JSON-ready objects, each with `extensions.code`; refusals in a language, mistakes in English.

    What is masked is logged with its traceback under the `errorId` that the client gets, once per kind and field: a
    thousand rows that fail alike are one bug.
    """
    known: dict[tuple[object, ...], str] = {}
    return [format_error(error, known, language) for error in errors]


def format_error(
    error: GraphQLError, known: dict[tuple[object, ...], str], language: str = SOURCE
) -> GraphQLFormattedError:
    root = root_of(error)
    extensions = dict(error.extensions or {})
    if isinstance(root, DomainError):
        return formatted(error, root.text.in_(language), extensions | root.extensions)
    if is_about_input(error):
        return formatted(error, without_foreign_text(error.message, root), {"code": code_of(error)} | extensions)
    if isinstance(root, REQUEST_ERRORS):
        return formatted(error, error.message, {"code": "OPERATION_RESOLUTION_FAILURE"})
    if isinstance(root, GraphQLError) and (error.path is None or "code" in extensions):
        return formatted(error, error.message, {"code": code_of(error)} | extensions)
    return formatted(error, APOLOGY.in_(language), {"code": "INTERNAL", "errorId": log_once(error, root, known)})


def internal_error(error: Exception, language: str = SOURCE) -> GraphQLFormattedError:
    """For what failed outside of any field. It is logged, and never said."""
    return for_client([GraphQLError(str(error), original_error=error)], language)[0]


def root_of(error: GraphQLError) -> Exception:
    """The exception at the bottom: graphql-core wraps one for every place that it passes."""
    found: Exception = error
    while isinstance(found, GraphQLError) and found.original_error is not None:
        found = found.original_error
    return found


def code_of(error: GraphQLError) -> str:
    if is_over_parser_limit(error):
        return "LIMIT_EXCEEDED"
    if isinstance(error, GraphQLSyntaxError):
        return "GRAPHQL_PARSE_FAILED"
    is_variable = error.original_error is not None and has_node(error, VariableDefinitionNode)
    if error.path is not None or is_variable:
        return "BAD_USER_INPUT"
    return "GRAPHQL_VALIDATION_FAILED"


def is_about_input(error: GraphQLError) -> bool:
    """Whether a value that the client sent could not be coerced, in the document or in the variables."""
    root = root_of(error)
    if isinstance(root, StrawberryInputCoercionError):
        return True
    return has_node(error, VariableDefinitionNode, VariableNode, ValueNode)


def has_node(error: GraphQLError, *kinds: type) -> bool:
    return any(isinstance(node, kinds) for node in error.nodes or ())


def without_foreign_text(message: str, root: Exception) -> str:
    """A scalar's parser may say "invalid literal for int()"; that is about our code, not about the client's value."""
    return message if isinstance(root, GraphQLError) else message.replace(f", but encountered error '{root}'", "")


def log_once(error: GraphQLError, root: Exception, known: dict[tuple[object, ...], str]) -> str:
    field = ".".join(step for step in error.path or () if isinstance(step, str))
    key = (type(root), str(root), field)
    if key not in known:
        known[key] = str(uuid4())
        log.error("operation failed", error_id=known[key], field=field or None, exc_info=root)
    return known[key]


def formatted(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLFormattedError:
    return error.formatted | {"message": message, "extensions": extensions}


def is_refusal(result: ExecutionResult) -> bool:
    """Whether a request failed as a whole: it was not executed, or it is a subscription whose source failed."""
    errors = result.errors or []
    return isinstance(result, PreExecutionError) or (
        result.data is None and bool(errors) and all(error.path is None for error in errors)
    )


def answer(result: ExecutionResult, language: str = SOURCE) -> dict[str, Any]:
    """The response object. As the specification says, it has no `data` when nothing was executed."""
    found: dict[str, Any] = {} if is_refusal(result) else {"data": result.data}
    if result.errors:
        found["errors"] = for_client(result.errors, language)
    if result.extensions:
        found["extensions"] = result.extensions
    return found
