"""uvicorn's WebSocket protocol, without what an idle socket does not need.

For uvicorn a socket is one call of the application for as long as it is open: a task, the frames of every layer that
was called on the way, and the request that they hold. Here the application may hand its socket over once it has
accepted it. The call then ends; each message is given to whoever took the socket, in a task that ends with it.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, Protocol, cast

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

PROTOCOL = "casewire.protocol"
"""The extension of a socket's ASGI scope under which the application finds its protocol, to take the socket over and to
write finished frames."""


class Taker(Protocol):
    async def take(self, message: Any) -> None:
        """A message of ASGI that the client has sent. The next one is given when this returns."""

    async def end(self) -> None:
        """The last there is: the socket is closed, or about to be."""


class LiveSocketProtocol(WebSocketsSansIOProtocol):
    # uvicorn's attributes by name: they are too many for instances to share the keys of their dictionaries.
    # fmt: off
    __slots__ = (
        "_context", "_taker", "_work", "app", "app_state", "asgi_version", "client", "close_sent", "close_timeout",
        "close_timer", "config", "conn", "connections", "curr_msg_data_type", "default_headers", "disconnected",
        "frames", "handshake_complete", "handshake_initiated", "initial_response", "last_ping_rtt", "logger", "loop",
        "pending_ping_payload", "ping_interval", "ping_sent_at", "ping_timeout", "ping_timer", "pong_timer", "queue",
        "read_paused", "request", "response", "root_path", "scheme", "scope", "server", "server_state", "tasks",
        "transport", "writable",
    )
    # fmt: on

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._taker: Taker | None = None
        self._work: asyncio.Task[None] | None = None
        self._context: Context | None = None
        self.queue = cast(Any, Inbox())
        self.writable = cast(Any, Gate())

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):  # refused upgrades have none; the application has not run yet
            cast(dict[str, Any], self.scope["extensions"])[PROTOCOL] = self

    def keepalive_timeout(self) -> None:
        """Cut the connection of a peer that did not answer a ping.

        uvicorn closes with 1011, at which graphql-ws clients never come back: a laptop that slept stays deaf. A cut
        connection is 1006, after which they do. And a close frame never leaves if the peer's window is full.
        """
        self.transport.abort()

    def hand_over(self, taker: Taker) -> None:
        """Give every message to `taker` from here on; the call of the application is to end. The socket is accepted."""
        self._taker = taker
        self._context = copy_context()
        if self.handshake_complete:  # otherwise the connection is being lost just now
            self.request.headers.clear()  # the parser would keep them
            del self.request, self.response, self.scope
        inbox = cast(Inbox, self.queue)
        inbox.on_message = self._work_on
        if not inbox.empty():
            self._work_on()

    async def run_asgi(self) -> None:
        """As uvicorn's, which cuts the connection at the end of the call; unless the socket has been handed over."""
        try:
            await self.app(self.scope, self.receive, self.send)
        except ClientDisconnected:
            pass
        except BaseException:
            self._failed()
        else:
            if self._taker is None and not self.handshake_complete:
                self.logger.error("ASGI callable returned without completing handshake.")
                self.send_500_response()
        if self._taker is None:
            self._close_behind()

    def _work_on(self) -> None:
        if self._work is None:
            self._work = self.loop.create_task(self._give(), context=self._context)
            self._work.add_done_callback(self.on_task_complete)
            self.tasks.add(self._work)

    async def _give(self) -> None:
        """Give what has come, one message after the other; after the last one the socket is let go of."""
        assert self._taker is not None
        is_over = False
        try:
            while not is_over and not self.queue.empty():
                message = await self.receive()
                is_over = self.close_sent or message["type"] == "websocket.disconnect"
                if not is_over:
                    await self._taker.take(message)
        except BaseException:
            self._failed()
            is_over = True
        if is_over:
            await self._let_go(self._taker)
        self._work = None

    async def _let_go(self, taker: Taker) -> None:
        cast(Inbox, self.queue).on_message = nothing
        try:
            await taker.end()
        except BaseException:
            self._failed()
        self._taker = None
        self._close_behind()

    def _failed(self) -> None:
        self.logger.exception("Exception in ASGI application\n")
        self.send_500_response()

    def _close_behind(self) -> None:
        if self.close_timer is None:  # otherwise the peer is given time to answer the close frame
            self.transport.close()


class Inbox:
    """What uvicorn needs of an `asyncio.Queue`, which takes 3 KB. One at a time waits for a message."""

    __slots__ = ("_coming", "_messages", "on_message")

    def __init__(self) -> None:
        self._messages: list[Any] = []
        self._coming: asyncio.Future[None] | None = None
        self.on_message: Callable[[], None] = nothing

    def empty(self) -> bool:
        return not self._messages

    def put_nowait(self, message: Any) -> None:
        self._messages.append(message)
        if self._coming is not None and not self._coming.done():
            self._coming.set_result(None)
        self.on_message()

    async def get(self) -> Any:
        while not self._messages:
            self._coming = asyncio.get_running_loop().create_future()
            try:
                await self._coming
            finally:
                self._coming = None
        return self._messages.pop(0)


class Gate:
    """What uvicorn needs of an `asyncio.Event`: there is one only while the gate is shut."""

    __slots__ = ("_opening",)

    def __init__(self) -> None:
        self._opening: asyncio.Event | None = None

    def is_set(self) -> bool:
        return self._opening is None

    def clear(self) -> None:
        self._opening = self._opening or asyncio.Event()

    def set(self) -> None:
        if self._opening is not None:
            self._opening.set()
            self._opening = None

    async def wait(self) -> None:
        if self._opening is not None:
            await self._opening.wait()


def nothing() -> None:
    """A message has come, and whoever reads will find it."""
