"""graphql-transport-ws as its protocol says, where Strawberry's handler does not.

Strawberry ends a socket with an uncaught TypeError on a malformed message, closes it for a syntax error in one of its
operations, never looks at the token again, and hides what an extension raised behind a bare `complete`.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from json import JSONDecodeError
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import structlog
from graphql import GraphQLError
from starlette.types import Message, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry.http.async_base_view import AsyncWebSocketAdapter
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
from server.transport.live import PROTOCOL, LiveSocketProtocol
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

NOTHING: Mapping[str, Any] = MappingProxyType({})

log = structlog.get_logger(__name__)


class TooManySockets(Exception):
    """This person has as many sockets open as one may have."""


@dataclass(slots=True)
class Connection:
    """What Strawberry calls the context of a socket. Operations get one of their own, made for `viewer`."""

    address: str
    headers: Mapping[str, str]
    """The upgrade's, and with `connection_params` what a viewer is made of. Neither is kept beyond that."""
    connection_params: Mapping[str, object] = field(default_factory=lambda: NOTHING)
    viewer: "Viewer | None" = None
    token: str | None = None
    languages: str | None = None
    counted: UUID | None = None
    """Whose socket it is counted as."""
    handed_over: bool = False
    """The call that accepted it has ended, and the socket goes on."""

    def forget_handshake(self) -> None:
        self.headers = self.connection_params = NOTHING


class TextSocket(AsyncWebSocketAdapter):
    """Text frames in both directions; closing twice, or after the client went away, is no error.

    Once it is `shut`, nothing is sent any more. `live` is its protocol, where that is uvicorn's and ours.
    """

    view: "Endpoint"

    def __init__(self, view: "Endpoint", request: WebSocket, response: WebSocket) -> None:
        super().__init__(view)
        self.live: LiveSocketProtocol | None = response.scope.get("extensions", {}).get(PROTOCOL)
        self._asgi = response if self.live is None else None  # it holds the whole request
        self._send: Send = self.live.send if self.live else response.send
        self._closed = False
        self.shut = False

    @property
    def closed(self) -> bool:
        return self._closed or (self.live is not None and (self.live.close_sent or self.live.disconnected))

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[object, None]:
        assert self._asgi is not None, "a live socket is given its messages"
        while not self.closed:
            frame = await self._asgi.receive()
            if frame["type"] == "websocket.disconnect":
                return
            yield self.message_in(frame)

    def message_in(self, frame: Message) -> object:
        """
        Raises:
            NonTextMessageReceived, NonJsonMessageReceived: there is none in it.
        """
        text = frame.get("text")
        if text is None:
            raise NonTextMessageReceived
        try:
            return self.view.decode_json(text)
        except JSONDecodeError as error:
            message = no_text(text)
            if message is None:
                raise NonJsonMessageReceived from error
            return message

    async def send_json(self, message: Mapping[str, object]) -> None:
        if self.shut or self.closed:
            raise WebSocketDisconnected
        text = self.view.encode_json_string(message)  # bytes would leave as a binary frame
        try:
            await self._send({"type": "websocket.send", "text": text})
        except (OSError, WebSocketDisconnect) as error:
            raise WebSocketDisconnected from error

    async def close(self, code: int, reason: str) -> None:
        if not self.closed:
            self._closed = True
            short = reason.encode()[:LONGEST_REASON].decode(errors="ignore")
            with suppress(OSError, WebSocketDisconnect):
                await self._send({"type": "websocket.close", "code": code, "reason": short})


class SafeOperation(Operation[Connection, None]):
    """Formats errors for clients, and keeps the `extensions` of the request, which Strawberry drops."""

    __slots__ = ("extensions", "language", "member")

    def __init__(self, handler: "Handler", message: dict[str, Any]) -> None:
        payload = message["payload"]
        query = sys.intern(payload["query"])  # a thousand clients send the same text, and it is kept for each
        super().__init__(handler, message["id"], query, payload.get("variables"), payload.get("operationName"))
        self.extensions: dict[str, Any] | None = payload.get("extensions")
        self.member: Member | None = None
        self.language = SOURCE

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it in a task. A subscription in a group has none."""
        self.task = asyncio.create_task(work)
        self.task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        if self.task is task:
            self.task = None
        if not task.cancelled():
            task.exception()  # nobody else asks for it

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
    websocket: TextSocket

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._time_limit: asyncio.TimerHandle | None = None
        """For `connection_init` to come; after it, for the token to expire."""
        self._closing: asyncio.Task[None] | None = None
        self._unwatch: Callable[[], None] | None = None
        self._presence: AbstractContextManager[None] | None = None

    async def handle(self) -> None:
        """Strawberry's loop, where an ASGI server wants one; a live socket is handed over, and this returns."""
        self.view.sockets.add(self)
        live = self.websocket.live
        if live is not None:
            self.on_request_accepted()
            self.context.handed_over = True
            live.hand_over(self)
            return
        try:
            await super().handle()
        finally:
            self._leave()

    async def take(self, message: Message) -> None:
        """A message of a live socket. A peer that reads nothing still sends while its close frame waits to leave."""
        if self.websocket.closed:
            return
        with suppress(WebSocketDisconnected):
            try:
                await self.handle_message(self.websocket.message_in(message))
            except NonTextMessageReceived:
                await self.handle_invalid_message("WebSocket message type must be text")
            except NonJsonMessageReceived:
                await self.handle_invalid_message("WebSocket message must be valid JSON")

    async def end(self) -> None:
        """A live socket is closed."""
        try:
            await self.shutdown()
        finally:
            self._leave()
            self.view.sockets.rise(self.context.address)

    def _leave(self) -> None:
        self.view.sockets.discard(self)
        if self._time_limit:
            self._time_limit.cancel()
        if self._presence:
            self._presence.__exit__(None, None, None)
        if self._unwatch:
            self._unwatch()
        if self.context.counted is not None:
            self.view.sockets.let_out(self.context.counted)

    @property
    def is_shut(self) -> bool:
        return self.websocket.shut

    def on_request_accepted(self) -> None:
        """Strawberry has a task that waits."""
        self._close_after(self.view.limits.init_timeout, 4408, "Connection initialisation timeout")

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
        if not self.connection_init_received and self._time_limit:
            self._time_limit.cancel()
            self._time_limit = None
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
        self.context.forget_handshake()
        if self.connection_acknowledged and self.context.viewer and self._unwatch is None:
            self._close_when_expired(self.context.viewer)
            self._unwatch = self.view.watch_sign_in(self.context.viewer, self._sign_in_ended)
            self._presence = self.view.present(self.context.viewer)
            self._presence.__enter__()

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
        self.operations[operation.id] = operation
        operation.run(self.run_operation(operation))

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
        stream = await self.view.direct_stream(operation, context, self.websocket.live)
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

    def follow_alone(self, member: Member, after: Cursor) -> None:
        """Follow on from a place, after the member's group has let it go."""
        member.operation.run(self._follow_alone(member, after))

    async def _follow_alone(self, member: Member, after: Cursor) -> None:
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
        operation = cast(SafeOperation | None, self.operations.pop(operation_id, None))
        if operation is not None and operation.member is not None:
            operation.member.leave()
        if operation is not None and operation.task is not None:
            operation.task.cancel()

    def forget_id(self, id: str) -> None:
        self.operations.pop(id, None)

    def _sign_in_ended(self) -> None:
        """Nothing is sent from here on. Clients do not come back by themselves: their token is good no longer."""
        self.websocket.shut = True
        self._closing = asyncio.create_task(self.close(UNAUTHORIZED, "The sign-in has ended"))

    def _close_when_expired(self, viewer: "Viewer") -> None:
        """Closes with 4403 at the token's expiry: clients come back with a fresh token and their last cursor."""
        if viewer.expires_at is None:
            return

        left = (viewer.expires_at - datetime.now(UTC)).total_seconds()
        self._close_after(max(0.0, left), FORBIDDEN, "The token has expired")

    def _close_after(self, seconds: float, code: int, reason: str) -> None:
        self._time_limit = asyncio.get_running_loop().call_later(seconds, self._time_is_over, code, reason)

    def _time_is_over(self, code: int, reason: str) -> None:
        self._closing = asyncio.create_task(self.close(code, reason))


def raise_outage(errors: list[GraphQLError]) -> None:
    """Raise what the database said, where that is why a subscription could not be opened."""
    for error in errors:
        if isinstance(problem := masking.root_of(error), OUTAGES):
            raise problem
