"""The GraphQL endpoint: one path for HTTP and WebSocket, Strawberry's view with the gaps closed.

Each override says which gap it closes; everything else is Strawberry's. It knows no ticket: it takes any schema, a
function that turns a token into a viewer, and one that opens the context of an operation for a viewer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol, TypeVar, cast
from uuid import UUID

import orjson
import strawberry
from cross_web import HTTPException
from graphql import GraphQLError
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError, MissingQueryError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType
from strawberry.types.unset import UNSET, UnsetType

from domain.errors import Unauthenticated
from domain.words.languages import SOURCE, accepted
from server.auth.authenticator import bearer_token
from server.transport import masking
from server.transport.deadlines import within
from server.transport.execution import guarded
from server.transport.fanout import Fanout
from server.transport.fast import Attempt, FastPath, as_json, in_english, plain_headers, replayed
from server.transport.groups import Stream
from server.transport.http import (
    GRAPHQL_JSON,
    LEGACY_JSON,
    BoundedRequest,
    Refused,
    as_operation,
    check_json,
    check_not_cross_site,
    negotiate,
)
from server.transport.ide import Console
from server.transport.limits import Limits
from server.transport.live import LiveSocketProtocol
from server.transport.refusals import deny, failed, refused, wrong_method
from server.transport.sockets import Sockets
from server.transport.tokens import languages_of_socket, token_of_socket
from server.transport.turns import Turns
from server.transport.websocket import Connection, Handler, SafeOperation, TextSocket, TooManySockets


class Viewer(Protocol):
    """Who is asking: when to ask again (None is never), and whose sockets are counted together (None is nobody's)."""

    @property
    def expires_at(self) -> datetime | None: ...
    @property
    def user_id(self) -> UUID | None: ...


V = TypeVar("V", bound=Viewer)


class Endpoint(GraphQL[Any, None]):
    graphql_transport_ws_handler_class = Handler
    websocket_adapter_class = TextSocket  # type: ignore[assignment]

    def __init__(
        self,
        schema: strawberry.Schema,
        *,
        authenticate: Callable[[str | None], Awaitable[V]],
        open_context: Callable[[V, str | None], object],
        language_of: Callable[[Any], str] = in_english,
        limits: Limits | None = None,
        allowed_origins: Sequence[str] = (),
        ide: Console | None = None,
        sockets: Sockets | None = None,
        watch_sign_in: Callable[[V, Callable[[], None]], Callable[[], None]] | None = None,
        present: Callable[[V], AbstractContextManager[None]] = lambda viewer: nullcontext(),
    ) -> None:
        """`authenticate` gets None for nobody, and raises Unauthenticated for a token that is no good.

        `open_context` is called for every operation, also for each of many on one socket, with the viewer and the
        languages that the client accepts (`Accept-Language`). If the context has a method `refresh()`, it is called
        before each event of a subscription. `language_of` a context is what its errors are said in.

        `allowed_origins` may open sockets from pages of other origins. Without an `ide`, a browser gets 404.
        `watch_sign_in` calls what it is given as soon as a viewer's token is good no longer; it returns what stops
        that. `present` is entered for as long as somebody has a socket open.
        """
        self.limits = limits or Limits()
        guarded_schema, self.documents = guarded(schema, self.limits)
        self.sockets = Sockets() if sockets is None else sockets  # an empty one is false
        self.fast = FastPath(self.documents, guarded_schema, language_of, Turns(self.sockets.__len__))
        self.fanout: Fanout | None = None
        self.language_of = language_of
        super().__init__(
            guarded_schema,
            graphql_ide="graphiql",  # ours: see render_graphql_ide
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),  # the legacy one never times a silent socket out
            connection_init_wait_timeout=timedelta(seconds=self.limits.init_timeout),
            max_subscriptions_per_connection=self.limits.max_operations_per_socket,
            allowed_origins=allowed_origins,
        )
        self.ide = ide
        self.present = cast(Callable[[Viewer], AbstractContextManager[None]], present)
        self.request_adapter_class = partial(BoundedRequest, limits=self.limits)  # type: ignore[assignment]
        self._authenticate = cast(Callable[[str | None], Awaitable[Viewer]], authenticate)
        self._watch_sign_in = cast(
            Callable[[Viewer, Callable[[], None]], Callable[[], None]], watch_sign_in or (lambda viewer, ended: nothing)
        )
        self._open_context = cast(Callable[[Viewer | None, str | None], object], open_context)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers errors as GraphQL clients read them; Strawberry says them in plain text."""
        if scope["type"] == "websocket":
            await self._upgrade(scope, receive, send)
            return
        try:
            headers = plain_headers(scope) if self.fast.engine is not None else None
            if headers is not None:
                message = await self._first_of_body(receive)
                if message is not None:
                    if await self._answered(headers, message, send):
                        return
                    receive = replayed(message, receive)
            response = await self.run(Request(scope, receive))
        except ClientDisconnect:
            return
        except HTTPException as refusal:
            response = refused(Headers(scope=scope), refusal)
        except Unauthenticated as error:
            told = error.text.in_(language_for(scope))
            response = refused(Headers(scope=scope), Refused(401, told, {"WWW-Authenticate": "Bearer"}))
        except Exception as error:
            response = failed(Headers(scope=scope), 500, masking.internal_error(error, language_for(scope)))
        await response(scope, receive, send)

    async def _first_of_body(self, receive: Receive) -> Message | None:
        try:
            return await within(self.limits.body_timeout, receive())
        except TimeoutError:
            return None

    async def _answered(self, headers: dict[bytes, bytes], message: Message, send: Send) -> bool:
        """Whether the short way has answered; a body in pieces, or too large a one, is not for it.

        Raises:
            Refused: the time is over, and a mutation may have run: nobody may run it again.
        """
        body = message.get("body", b"")
        if message["type"] != "http.request" or message.get("more_body") or len(body) > self.limits.max_body_bytes:
            return False
        attempt = Attempt()
        try:
            answering = self.fast.answer(headers, body, send, self._authenticate, self._open_context, attempt)
            return await within(self.limits.operation_timeout, answering)
        except TimeoutError as error:
            if attempt.begun:
                raise Refused(503, self.timed_out().message) from error
        return False

    # --- who

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Any:
        assert isinstance(request, Request), "a socket is given its own"
        viewer = await self._authenticate(bearer_token(request.headers.get("authorization")))
        context = self.open_context(viewer, request.headers.get("accept-language"))
        request.state.language = self.language_of(context)
        return context

    async def on_ws_connect(self, context: Connection) -> UnsetType | dict[str, object] | None:
        try:
            context.token = token_of_socket(context.connection_params, context.headers)
            context.languages = languages_of_socket(context.connection_params, context.headers)
            viewer = await self._authenticate(context.token)
        except Unauthenticated as error:
            raise ConnectionRejectionError from error
        if viewer.user_id is not None:
            if not self.sockets.let_in(viewer.user_id, most=self.limits.max_sockets_per_user):
                raise TooManySockets
            context.counted = viewer.user_id
        context.viewer = viewer
        return cast(UnsetType, UNSET)

    def watch_sign_in(self, viewer: Viewer, ended: Callable[[], None]) -> Callable[[], None]:
        return self._watch_sign_in(viewer, ended)

    async def viewer_now(self, connection: Connection) -> Viewer:
        """Asked for every operation: a socket lives for long, and rights change meanwhile."""
        return await self._authenticate(connection.token)

    async def direct_stream(
        self, operation: SafeOperation, context: Any, protocol: LiveSocketProtocol | None
    ) -> Stream | None:
        """What a subscription follows, where it can be fanned out directly: limits and validation hold here too."""
        if self.fanout is None or protocol is None:
            return None
        known = self.fast.operation(operation.query, operation.operation_name, operation.variables or {})
        return await self.fanout.open(known, operation.variables or {}, context, protocol) if known else None

    async def short_response(self, operation: SafeOperation, context: Any) -> dict[str, Any] | None:
        """The whole answer to a query or a mutation on a socket; None where the ordinary way has to."""
        if operation.extensions:
            return None
        given = operation.query, operation.operation_name, operation.variables
        return await self.fast.response(*given, context, Attempt())

    def open_context(self, viewer: Viewer | None, languages: str | None) -> object:
        return self._open_context(viewer, languages)

    # --- a request

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        """Remembers what the client accepts: Strawberry always answers application/json, and always 200."""
        response = await super().get_sub_response(request)
        response.media_type = negotiate(request.headers.get("accept")) or LEGACY_JSON
        return response

    def should_render_graphql_ide(self, request: Any) -> bool:
        """Only a browser says text/html; Strawberry also shows the page to every client that takes `*/*`."""
        wants_page = "text/html" in request.headers.get("accept", "")
        return request.method == "GET" and wants_page and not request.query_params.get("query")

    async def render_graphql_ide(self, request: Request) -> Response:
        """From our own files: Strawberry's page loads its scripts from a public host."""
        if self.ide is None:
            raise Refused(404, "There is no console here.")
        return self.ide.page()

    async def parse_http_body(self, request: Any) -> GraphQLRequestData:
        """Exact media types, no multipart, no batches, no plain GET: the ways around a browser's preflight."""
        if negotiate(request.headers.get("accept")) is None:
            raise Refused(406, f"This endpoint answers {GRAPHQL_JSON} or {LEGACY_JSON}.")
        if request.method == "GET":
            check_not_cross_site(request.headers)
            given = {name: value for name, value in request.query_params.items() if value != ""}
            return as_operation(self.parse_query_params(given))
        check_json(request.content_type, request.headers.get("content-encoding"))
        return as_operation(self.parse_json(await request.get_body()))

    async def execute_single(
        self,
        request: Request,
        request_adapter: Any,
        sub_response: Response,
        context: Any,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        """With a deadline, which Strawberry has not; and no subscription, which it would execute as a query."""
        try:
            async with asyncio.timeout(self.limits.operation_timeout) as timer:
                result = await self.schema.execute(
                    request_data.query,
                    root_value=root_value,
                    variable_values=request_data.variables,
                    context_value=context,
                    operation_name=request_data.operation_name,
                    allowed_operation_types=OperationType.from_http(request_adapter.method)
                    - {OperationType.SUBSCRIPTION},
                    operation_extensions=request_data.extensions,
                )
        except TimeoutError as error:
            if not timer.expired():
                raise
            raise Refused(503, self.timed_out().message) from error
        except MissingQueryError as error:
            raise Refused(400, "The request has no query.") from error
        except CannotGetOperationTypeError as error:
            unknown = GraphQLError(error.as_http_error_reason(), original_error=error)
            result = PreExecutionError(data=None, errors=[unknown])
        except InvalidOperationTypeError as error:
            raise wrong_method(error.operation_type, request.method) from error
        if masking.is_refusal(result) and sub_response.media_type == GRAPHQL_JSON:
            sub_response.status_code = 400
        return result

    # --- an answer

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        return cast(GraphQLHTTPResponse, masking.answer(result, language_for(request.scope)))

    def create_response(self, response_data: Any, sub_response: Response) -> Response:
        response = super().create_response(response_data, sub_response)
        response.headers["content-type"] = f"{sub_response.media_type}; charset=utf-8"
        return response

    def encode_json(self, data: object) -> bytes:
        return as_json(data)

    def decode_json(self, data: str | bytes) -> object:
        """orjson refuses NaN, broken UTF-8, lone surrogates and what is nested too deeply, all with one error."""
        return orjson.loads(data)

    # --- deadlines

    def deadline_of(self, query: str, operation_name: str | None) -> float | None:
        """Seconds that an operation may take; None for a subscription."""
        with suppress(GraphQLError):
            if self.documents.open(query).is_subscription(operation_name):
                return None
        return self.limits.operation_timeout

    def timed_out(self) -> GraphQLError:
        seconds = self.limits.operation_timeout
        return GraphQLError(f"This operation took longer than {seconds:g} seconds.", extensions={"code": "TIMEOUT"})

    # --- a socket

    async def _upgrade(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses a socket before it is accepted, while it costs nothing."""
        websocket = WebSocket(scope, receive, send)
        address = scope["client"][0] if scope.get("client") else ""
        if self.sockets.draining:
            await deny(websocket, 503, "This server is about to restart.")
        elif self.sockets.count_from(address) >= self.limits.max_sockets_per_address:
            await deny(websocket, 429, "There are too many open sockets from this address.")
        else:
            connection = Connection(address, websocket.headers)
            self.sockets.sit(address)
            try:
                await self.run(websocket, context=connection)
            finally:
                if not connection.handed_over:
                    self.sockets.rise(address)


def language_for(scope: Scope) -> str:
    """What a request is answered in: what its context said, or its header where there was none yet."""
    found: str | None = scope.get("state", {}).get("language")
    return found or accepted(Headers(scope=scope).get("accept-language", "")) or SOURCE


def nothing() -> None:
    """Where sign-ins are not watched, there is nothing to stop."""
