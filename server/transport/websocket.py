"""graphql-transport-ws as its protocol says, where Strawberry's handler does not.

Strawberry ends a socket with an uncaught TypeError on a malformed message, closes it for a syntax error in one of its
operations, never looks at the token again, and hides what an extension raised behind a bare `complete`.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import structlog
from graphql import GraphQLError
from starlette.websockets import WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import NonJsonMessageReceived, NonTextMessageReceived, WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.types.execution import ExecutionResult
from strawberry.utils.aio import aclosing

from domain.words.languages import SOURCE
from realtime.cursor import Cursor
from realtime.reader import OUTAGES
from server.transport import masking
from server.transport.groups import Member
from server.transport.limits import limit_exceeded
from server.transport.protocol import NoText, mistake_in, no_text
from server.transport.resuming import Unplannable, resumed

if TYPE_CHECKING:
    from server.transport.endpoint import Endpoint, Viewer

UNAUTHORIZED = 4401
FORBIDDEN = 4403
TOO_MANY_SOCKETS = 4420
TRY_AGAIN_LATER = 1013

LONGEST_REASON = 120
"""Bytes. A close frame takes 123; a longer reason is no close frame, and the client sees 1006."""

log = structlog.get_logger(__name__)


class TooManySockets(Exception):
    """This person has as many sockets open as one may have."""


@dataclass
class Connection:
    """What Strawberry calls the context of a socket. Operations get one of their own, made for `viewer`."""

    headers: Mapping[str, str]
    connection_params: dict[str, object] = field(default_factory=dict)
    viewer: "Viewer | None" = None
    token: str | None = None
    languages: str | None = None
    counted: UUID | None = None
    """Whose socket it is counted as."""


class TextSocket(ASGIWebSocketAdapter):
    """Text frames in both directions; closing twice, or after the client went away, is no error.

    Once it is `shut`, nothing is sent any more.
    """

    shut = False

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[object, None]:
        while (
            self.ws.client_state is WebSocketState.CONNECTED and self.ws.application_state is WebSocketState.CONNECTED
        ):
            frame = await self.ws.receive()
            if frame["type"] == "websocket.disconnect":
                return
            if frame.get("text") is None:
                raise NonTextMessageReceived
            try:
                message = self.view.decode_json(frame["text"])
            except JSONDecodeError as error:
                message = no_text(frame["text"])
                if message is None:
                    raise NonJsonMessageReceived from error
            yield message

    async def send_json(self, message: Mapping[str, object]) -> None:
        if self.shut or self.ws.application_state is not WebSocketState.CONNECTED:
            raise WebSocketDisconnected
        try:
            await self.ws.send_text(self.view.encode_json_string(message))  # bytes would leave as a binary frame
        except WebSocketDisconnect as error:
            raise WebSocketDisconnected from error

    async def close(self, code: int, reason: str) -> None:
        if self.ws.application_state is WebSocketState.CONNECTED:
            with suppress(WebSocketDisconnect):
                await self.ws.close(code, reason.encode()[:LONGEST_REASON].decode(errors="ignore"))


class SafeOperation(Operation[Connection, None]):
    """Formats errors for clients, and keeps the `extensions` of the request, which Strawberry drops."""

    __slots__ = ("extensions", "language", "member")

    def __init__(self, handler: "Handler", message: dict[str, Any]) -> None:
        payload = message["payload"]
        super().__init__(
            handler, message["id"], payload["query"], payload.get("variables"), payload.get("operationName")
        )
        self.extensions: dict[str, Any] | None = payload.get("extensions")
        self.member: Member | None = None
        self.language = SOURCE

    async def send_initial_errors(self, errors: list[GraphQLError]) -> None:
        await self.send_operation_message(
            {"id": self.id, "type": "error", "payload": masking.for_client(errors, self.language)}
        )

    async def send_payload(self, payload: dict[str, Any]) -> None:
        await self.send_operation_message(cast(Any, {"id": self.id, "type": "next", "payload": payload}))

    async def send_next(self, execution_result: ExecutionResult) -> None:
        await self.send_operation_message(
            {"id": self.id, "type": "next", "payload": cast(Any, masking.answer(execution_result, self.language))}
        )


class Handler(BaseGraphQLTransportWSHandler[Connection, None]):
    view: "Endpoint"
    context: Connection

    _expiry: asyncio.TimerHandle | None = None
    _while_open: ExitStack
    _closing: asyncio.Task[None] | None = None
    _unwatch: Callable[[], None] | None = None

    async def handle(self) -> None:
        try:
            with self.view.sockets.hold(self), ExitStack() as self._while_open:
                await super().handle()
        finally:
            if self._expiry:
                self._expiry.cancel()
            if self._unwatch:
                self._unwatch()
            if self.context.counted is not None:
                self.view.sockets.let_out(self.context.counted)

    @property
    def is_shut(self) -> bool:
        return cast(TextSocket, self.websocket).shut

    async def close(self, code: int, reason: str) -> None:
        await self.websocket.close(code, reason)

    async def handle_message(self, message: Any) -> None:
        if isinstance(message, NoText):
            await self._refuse(message)
        elif mistake := mistake_in(message):
            await self.handle_invalid_message(mistake)
        else:
            await super().handle_message(message)

    async def _refuse(self, message: NoText) -> None:
        if not self.connection_acknowledged or message.id in self.operations:
            await self.handle_invalid_message("Invalid subscribe message: it is no text")
            return
        payload = [
            {"message": "There is half of a character in this text. Remove it.", "extensions": {"code": "INVALID"}}
        ]
        await self.send_message(cast(Any, {"type": "error", "id": message.id, "payload": payload}))

    async def handle_connection_init(self, message: Any) -> None:
        if message.get("payload", {}) is None:
            message = {**message, "payload": {}}  # allowed, and some clients send it; Strawberry closes for it
        try:
            await super().handle_connection_init(message)
        except WebSocketDisconnected:
            raise
        except TooManySockets:
            await self.close(TOO_MANY_SOCKETS, "This account has too many open sockets")
        except Exception:  # Strawberry would close with 1011 and the exception's text; clients give up at 1011
            log.exception("could not authenticate a socket")
            await self.close(TRY_AGAIN_LATER, "Try again later")
        if self.connection_acknowledged and self.context.viewer and self._expiry is None:
            self._close_when_expired(self.context.viewer)
        if self.connection_acknowledged and self.context.viewer and self._unwatch is None:
            self._unwatch = self.view.watch_sign_in(self.context.viewer, self._sign_in_ended)
            self._while_open.enter_context(self.view.present(self.context.viewer))

    async def handle_ping(self, message: Any) -> None:
        payload = {"payload": message["payload"]} if message.get("payload") is not None else {}
        await self.send_message(cast(Any, {"type": "pong", **payload}))

    async def handle_subscribe(self, message: Any) -> None:
        """As Strawberry's, which names its Operation class here; and the limit is an error with a code."""
        if not self.connection_acknowledged:
            await self.close(4401, "Unauthorized")
            return
        if message["id"] in self.operations:
            await self.close(4409, f"Subscriber for {message['id']} already exists")
            return
        operation = SafeOperation(self, message)
        if len(self.operations) >= self.view.limits.max_operations_per_socket:
            allowed = self.view.limits.max_operations_per_socket
            too_many = limit_exceeded("The operations of a socket", allowed=allowed, reached=allowed + 1)
            self.operations[operation.id] = operation
            await operation.send_initial_errors([too_many])
            return
        operation.task = asyncio.create_task(self.run_operation(operation))
        operation.task.add_done_callback(self._task_done)
        self.operations[operation.id] = operation

    async def run_operation(self, operation: Operation[Connection, None]) -> None:
        """Sends `complete` when the operation has come to its own end, and `error` when it failed in any other way."""
        assert isinstance(operation, SafeOperation)
        deadline = self.view.deadline_of(operation.query, operation.operation_name)
        try:
            async with asyncio.timeout(deadline) as timer:
                await self._stream(operation)
        except WebSocketDisconnected:
            self.operations.pop(operation.id, None)
        except Exception as error:
            if deadline is None and isinstance(error, OUTAGES):
                await self._try_again_later(error)
                return
            failure = self.view.timed_out() if timer.expired() else GraphQLError(str(error), original_error=error)
            with suppress(WebSocketDisconnected):
                await operation.send_initial_errors([failure])

    async def _stream(self, operation: SafeOperation) -> None:
        context = self.view.open_context(await self.view.viewer_now(self.context), self.context.languages)
        operation.language = self.view.language_of(context)
        stream = await self.view.direct_stream(operation, context, cast(TextSocket, self.websocket).ws.scope)
        if stream is not None:
            assert self.view.fanout is not None
            operation.member = self.view.fanout.member(self, operation, stream, context)
            await self._follow(operation.member, stream.following.after)
            return
        response = await self.view.short_response(operation, context)
        if response is not None:
            await operation.send_payload(response)
            await operation.send_operation_message({"id": operation.id, "type": "complete"})
            return
        await self._execute(operation, context, operation.query, operation.variables)

    async def _execute(
        self, operation: SafeOperation, context: Any, query: str, variables: dict[str, Any] | None
    ) -> None:
        """By graphql-core."""
        results = await self.schema.stream(
            query,
            variable_values=variables,
            context_value=context,
            root_value=self.root_value,
            operation_name=operation.operation_name,
            operation_extensions=operation.extensions,
        )
        async with aclosing(results):
            async for result in results:
                if not isinstance(result, ExecutionResult):
                    await self._reject_incremental_delivery(operation)
                elif masking.is_refusal(result):
                    raise_outage(result.errors or [])
                    # also what a subscription raised half-way: after `complete` a client would not come back
                    await operation.send_initial_errors(result.errors or [])
                else:
                    await operation.send_next(result)
                if operation.completed:
                    return
        await operation.send_operation_message({"id": operation.id, "type": "complete"})

    async def run_member(self, member: Member, after: Cursor) -> None:
        """Follow on from a place, after the member's group has let it go."""
        try:
            await self._follow(member, after)
        except WebSocketDisconnected:
            self.operations.pop(member.operation.id, None)
        except OUTAGES as problem:
            await self._try_again_later(problem)
        except Exception as error:
            with suppress(WebSocketDisconnected):
                await member.operation.send_initial_errors([GraphQLError(str(error), original_error=error)])

    async def _try_again_later(self, problem: Exception) -> None:
        """The database is away. `error` would end the subscription for good; after this code clients come back."""
        log.warning("a subscription has to wait for the database", problem=f"{type(problem).__name__}: {problem}")
        await self.close(TRY_AGAIN_LATER, "Try again later")

    async def _follow(self, member: Member, after: Cursor | None) -> None:
        assert self.view.fanout is not None
        operation = member.operation
        try:
            if not await self.view.fanout.follow(member, after):
                await operation.send_operation_message({"id": operation.id, "type": "complete"})
        except Unplannable as place:
            given = resumed(operation.query, operation.operation_name, operation.variables or {}, place.after)
            await self._execute(operation, member.context, *given)

    async def cleanup_operation(self, operation_id: str) -> None:
        operation = self.operations.get(operation_id)
        if isinstance(operation, SafeOperation) and operation.member is not None:
            operation.member.leave()
        await super().cleanup_operation(operation_id)

    def forget_id(self, id: str) -> None:
        self.operations.pop(id, None)

    def _sign_in_ended(self) -> None:
        """Nothing is sent from here on. Clients do not come back by themselves: their token is good no longer."""
        cast(TextSocket, self.websocket).shut = True
        self._closing = asyncio.create_task(self.close(UNAUTHORIZED, "The sign-in has ended"))

    def _close_when_expired(self, viewer: "Viewer") -> None:
        """Closes with 4403 at the token's expiry: clients come back with a fresh token and their last cursor."""
        if viewer.expires_at is None:
            return

        def expire() -> None:
            self._closing = asyncio.create_task(self.close(FORBIDDEN, "The token has expired"))

        left = (viewer.expires_at - datetime.now(UTC)).total_seconds()
        self._expiry = asyncio.get_running_loop().call_later(max(0.0, left), expire)


def raise_outage(errors: list[GraphQLError]) -> None:
    """Raise what the database said, where that is why a subscription could not be opened."""
    for error in errors:
        if isinstance(problem := masking.root_of(error), OUTAGES):
            raise problem
