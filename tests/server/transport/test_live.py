"""A socket that has been handed over: what it costs while nothing comes, and what it is given when something does."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from httpx2.websockets import WebSocketNetworkError

from server.transport.live import PROTOCOL, Gate, Inbox, LiveSocketProtocol
from server.transport.sockets import Sockets
from server.transport.websocket import Handler
from tests.server.transport.served import running, serving
from tests.server.transport.support import Wire, make_endpoint, within

pytestmark = pytest.mark.anyio


class Taker:
    """Takes sockets over, and writes down what it is given."""

    def __init__(self) -> None:
        self.protocol: LiveSocketProtocol | None = None
        self.heard: list[str] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.taking = asyncio.Event()
        self.ended = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "graphql-transport-ws"})
        self.protocol = scope["extensions"][PROTOCOL]
        self.protocol.hand_over(self)

    async def take(self, message: Any) -> None:
        self.heard.append(f"begin {message['text']}")
        self.taking.set()
        await self.may_go_on.wait()
        if message["text"] == "broken":
            raise RuntimeError("the taker's own")
        if message["text"] == "close" and self.protocol:
            await self.protocol.send({"type": "websocket.close", "code": 4400, "reason": "enough"})
        self.heard.append(f"end {message['text']}")

    async def end(self) -> None:
        self.heard.append("over")
        self.ended.set()


@asynccontextmanager
async def taken() -> AsyncIterator[tuple[Taker, Wire]]:
    taker = Taker()
    async with serving(taker, Sockets()) as app, app.wire() as wire:
        yield taker, wire


def frame_of_client(text: bytes) -> bytes:
    """A text frame, masked with zeros."""
    return bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text


async def test_an_idle_subscriber_has_no_task_but_that_of_its_stream() -> None:
    async with running() as app, app.wire() as wire:
        before = asyncio.all_tasks()
        await wire.init(token="ann")
        await wire.subscribe("1", "subscription { silent }")
        await wire.send(type="ping")
        assert await wire.receive() == {"type": "pong"}

        began = {task.get_coro().__qualname__ for task in asyncio.all_tasks() - before}

        assert began == {"Handler.run_operation"}


async def test_nothing_is_kept_of_the_request() -> None:
    async with taken() as (taker, _):
        assert taker.protocol is not None

        assert [name for name in ("request", "response", "scope") if hasattr(taker.protocol, name)] == []
        assert vars(taker.protocol) == {}, "name them among the slots"


async def test_messages_are_given_one_after_the_other() -> None:
    async with taken() as (taker, wire):
        taker.may_go_on.clear()
        for text in ("one", "two"):
            await wire.session.send_text(text)
        await within(taker.taking.wait())
        assert taker.heard == ["begin one"]

        taker.may_go_on.set()
        await wire.session.send_text("three")
        await wire.session.close()
        await within(taker.ended.wait())

    assert taker.heard == ["begin one", "end one", "begin two", "end two", "begin three", "end three", "over"]


async def test_a_connection_is_cut_where_its_taker_fails(caplog: pytest.LogCaptureFixture) -> None:
    async with taken() as (taker, wire):
        with caplog.at_level(logging.ERROR, "uvicorn.error"):
            await wire.session.send_text("broken")

            with pytest.raises(WebSocketNetworkError):
                await within(wire.session.receive_text())

    assert taker.heard == ["begin broken", "over"]
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == ["the taker's own"]


async def test_a_message_behind_the_one_that_closes_is_not_given() -> None:
    async with taken() as (taker, wire):
        taker.may_go_on.clear()
        for text in ("close", "late"):
            await wire.session.send_text(text)
        await within(taker.taking.wait())
        taker.may_go_on.set()

        assert await wire.closed() == (4400, "enough")
        await within(taker.ended.wait())

    assert taker.heard == ["begin close", "end close", "over"]


async def test_a_client_is_not_read_while_what_it_sent_waits() -> None:
    async with taken() as (taker, wire):
        taker.may_go_on.clear()
        await wire.session.send_text("one")
        await within(taker.taking.wait())
        protocol = taker.protocol
        assert protocol is not None
        assert protocol.transport.is_reading()

        protocol.data_received(frame_of_client(b"two"))
        assert not protocol.transport.is_reading()

        taker.may_go_on.set()
        await wire.session.send_text("three")
        await wire.session.close()
        await within(taker.ended.wait())

    assert taker.heard == ["begin one", "end one", "begin two", "end two", "begin three", "end three", "over"]


async def test_nothing_is_done_for_a_socket_whose_close_frame_waits_to_leave() -> None:
    endpoint = make_endpoint(sockets=Sockets())
    async with running(endpoint) as app, app.wire() as wire:
        await wire.init(token="ann")
        [handler] = endpoint.sockets._open
        assert isinstance(handler, Handler)
        live = handler.websocket.live
        assert live is not None
        live.pause_writing()
        closing = asyncio.create_task(handler.close(1012, "Service restart"))
        await asyncio.sleep(0)

        asked = {"id": "1", "type": "subscribe", "payload": {"query": 'mutation { rename(name: "late") }'}}
        await handler.take({"type": "websocket.receive", "text": json.dumps(asked)})

        assert handler.operations == {}
        live.resume_writing()
        assert await wire.closed() == (1012, "Service restart")
        await within(closing)


async def test_an_inbox_gives_what_came_first() -> None:
    inbox = Inbox()
    waiting = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)

    for message in ("one", "two", "three"):
        inbox.put_nowait(message)

    assert [await within(waiting), await inbox.get(), await inbox.get()] == ["one", "two", "three"]
    assert inbox.empty()


async def test_whoever_gives_up_waiting_for_a_gate_leaves_the_others_waiting() -> None:
    gate = Gate()
    gate.clear()
    patient, impatient = asyncio.create_task(gate.wait()), asyncio.create_task(gate.wait())
    await asyncio.sleep(0)

    impatient.cancel()
    await asyncio.wait([impatient])
    assert not patient.done()
    gate.set()

    await within(patient)
    await within(gate.wait())
