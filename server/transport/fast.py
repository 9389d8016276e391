"""The short way of a plain query or mutation: body to plan to bytes, past Strawberry's view and graphql-core.

It answers what it can answer whole. Everything else (errors, other methods and media types, what cannot be planned)
goes the ordinary way, from the start, as if nobody had tried. But a mutation whose resolvers have run is answered here,
whatever comes of it: graphql-core completes what they gave.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import GraphQLError
from graphql.validation import specified_rules
from starlette.types import Message, Receive, Scope, Send
from strawberry import Schema
from strawberry.types.execution import ExecutionResult

from domain.errors import Unauthenticated
from domain.words.languages import SOURCE
from engine.executing import Engine, Operation
from server.auth.authenticator import bearer_token
from server.telemetry import SHORT, Telemetry
from server.transport import masking
from server.transport.documents import Documents
from server.transport.execution import completing
from server.transport.http import GRAPHQL_JSON, LEGACY_JSON, negotiate
from server.transport.turns import Turns

RULES = tuple(specified_rules)

PLAIN_JSON = (b"application/json", b"application/json; charset=utf-8")

UNUSUAL = frozenset((b"content-encoding", b"transfer-encoding", b"expect"))
"""Headers of requests for the ordinary way."""

MOST_ACCEPTS = 200
"""Different `Accept` headers whose answer is remembered."""


@dataclass(slots=True)
class Attempt:
    """Whether something may have run that must not run again."""

    begun: bool = False


def in_english(context: Any) -> str:
    return SOURCE


class FastPath:
    """Off until `engine` is set, which the application does once its database is open."""

    def __init__(
        self,
        documents: Documents,
        schema: Schema,
        language_of: Callable[[Any], str] = in_english,
        turns: Turns | None = None,
    ) -> None:
        """`schema` executes what the engine leaves to graphql-core after a mutation has run.

        `language_of` says for a context what its errors are said in. Queries take `turns`.
        """
        self.language_of = language_of
        self.documents = documents
        self.completing = completing(schema)
        self.engine: Engine | None = None
        self.telemetry: Telemetry | None = None
        self._turns = turns or Turns()
        self._accepts: dict[bytes, bytes] = {}

    async def response(
        self, query: str, operation_name: str | None, variables: dict[str, Any] | None, context: Any, attempt: Attempt
    ) -> dict[str, Any] | None:
        """The whole answer to a query or a mutation; None where nothing has run and the ordinary way has to answer."""
        operation = self.operation(query, operation_name, variables or {})
        if operation is None or self.engine is None:
            return None
        if self.telemetry is None or operation.node is None:
            return await self._response(operation, query, operation_name, variables, context, attempt)
        with self.telemetry.operation(operation.node, SHORT) as measured:
            answer = await self._response(operation, query, operation_name, variables, context, attempt)
            if answer is not None:
                measured.done()
        return answer

    async def _response(
        self,
        operation: Operation,
        query: str,
        operation_name: str | None,
        variables: dict[str, Any] | None,
        context: Any,
        attempt: Attempt,
    ) -> dict[str, Any] | None:
        assert self.engine is not None
        if not operation.is_mutation:
            await self._turns.mine()
            found = await self.engine.answer(operation, variables, context)
            if found is None:
                return None
            errors = {"errors": masking.for_client(found.errors)} if found.errors else {}
            return {"data": found.data, **errors}
        attempt.begun = True
        outcomes = await self.engine.mutated(operation, variables, context)
        if outcomes is None:
            attempt.begun = False
            return None
        if outcomes.data is not None:
            return {"data": outcomes.data}
        result = await self.completing.execute(
            query,
            root_value=outcomes,
            variable_values=variables,
            context_value=context,
            operation_name=operation_name,
        )
        assert isinstance(result, ExecutionResult)
        return masking.answer(result, self.language_of(context))

    def operation(
        self, query: str | None, operation_name: str | None, variables: Mapping[str, Any]
    ) -> Operation | None:
        """The operation, if it may be executed: limits and validation hold here as on the ordinary way."""
        if self.engine is None or not query:
            return None
        try:
            document = self.documents.open(query)
        except GraphQLError:
            return None
        if document.errors(RULES, operation_name, variables):
            return None
        operation = document.operations.get(operation_name)
        if operation is None:
            operation = self.engine.open(document.node, operation_name)
            if operation.node is None:
                return None  # no such operation: a client has no end of names to fill the memory with
            document.operations[operation_name] = operation
        return operation

    async def answer(
        self,
        headers: dict[bytes, bytes],
        body: bytes,
        send: Send,
        authenticate: Callable[[str | None], Awaitable[Any]],
        open_context: Callable[[Any, str | None], Any],
        attempt: Attempt,
    ) -> bool:
        """Answer a request whose body is there; False where nothing was sent and the ordinary way has to.

        `headers` are as `plain_headers` gives them.
        """
        media_type = self._media_type(headers.get(b"accept", b"*/*"))
        if media_type is None:
            return False
        try:
            given = orjson.loads(body)
            if type(given) is not dict or given.get("extensions") or type(given.get("query")) is not str:
                return False
            variables, name = given.get("variables"), given.get("operationName")
            if not (variables is None or type(variables) is dict) or not (name is None or type(name) is str):
                return False
            authorization = headers.get(b"authorization")
            token = bearer_token(authorization.decode("latin-1") if authorization is not None else None)
            languages = headers.get(b"accept-language")
            context = open_context(await authenticate(token), languages.decode("latin-1") if languages else None)
        except (orjson.JSONDecodeError, Unauthenticated):
            return False
        response = await self.response(given["query"], name, variables, context, attempt)
        if response is None:
            return False
        answer = as_json(response)
        length = str(len(answer)).encode()
        head = [(b"content-type", media_type), (b"content-length", length)]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": answer})
        return True

    def _media_type(self, accept: bytes) -> bytes | None:
        found = self._accepts.get(accept)
        if found is None:
            chosen = negotiate(accept.decode("latin-1"))
            if chosen not in (GRAPHQL_JSON, LEGACY_JSON):
                return None
            if len(self._accepts) >= MOST_ACCEPTS:
                self._accepts.clear()
            found = self._accepts[accept] = f"{chosen}; charset=utf-8".encode()
        return found


def as_json(data: object) -> bytes:
    try:
        return orjson.dumps(data)
    except TypeError:  # such as an integer beyond 64 bits in a JSON scalar
        return json.dumps(data, separators=(",", ":")).encode()


def plain_headers(scope: Scope) -> dict[bytes, bytes] | None:
    """The headers of a request that may go the short way: a POST of JSON, and nothing unusual. None for others."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    headers = dict(scope["headers"])
    if headers.get(b"content-type") not in PLAIN_JSON or not UNUSUAL.isdisjoint(headers):
        return None
    return headers


def replayed(message: Message, receive: Receive) -> Receive:
    """`receive` for whoever comes next, beginning with what was received already."""
    waiting = [message]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again
