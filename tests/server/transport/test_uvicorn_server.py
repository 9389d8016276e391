"""The server itself, on a free port of this machine."""

import asyncio
import base64
import socket

import pytest
import uvicorn

from server.transport.uvicorn_server import LONGEST_MESSAGE, listen
from tests.server.transport.served import running
from tests.server.transport.support import within

pytestmark = pytest.mark.anyio


async def test_http_and_websocket_share_a_path() -> None:
    async with running() as app, app.client() as client, app.wire() as wire:
        response = await client.post("/graphql", json={"query": "{ me }"})
        await wire.init(token="ann")
        await wire.subscribe("1", "{ me }")

        assert response.json() == {"data": {"me": "nobody"}}
        assert "server" not in response.headers
        assert (await wire.receive())["payload"] == {"data": {"me": "ann"}}


async def test_a_message_may_not_be_too_long_and_is_not_compressed() -> None:
    async with running() as app, app.wire() as wire:
        await wire.init()
        await wire.subscribe("1", "{ me }" + " " * LONGEST_MESSAGE)

        assert wire.session.response is not None
        assert "sec-websocket-extensions" not in wire.session.response.headers
        assert (await wire.closed())[0] == 1009


async def test_all_sockets_are_sent_away_before_the_server_ends() -> None:
    async with running(drain_seconds=0.1) as app:
        async with app.wire() as one, app.wire() as two, app.wire() as three:
            for wire in (one, two, three):
                await wire.init()
                await wire.subscribe("1", "subscription { silent }")
            app.server.should_exit = True

            codes = [await wire.closed() for wire in (one, two, three)]

        assert codes == [(1012, "Service restart")] * 3


async def test_a_peer_that_answers_no_ping_is_cut_without_a_close_frame() -> None:
    """A close frame would be 1011, at which graphql-ws clients give up. A cut is 1006, after which they come back."""
    async with running(ping=0.02) as app:
        reader, writer = await asyncio.open_connection("127.0.0.1", app.port)
        key = base64.b64encode(b"0123456789abcdef").decode()
        writer.write(
            f"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:{app.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
        )
        head = await within(reader.readuntil(b"\r\n\r\n"))
        ping = await within(reader.readexactly(6))

        assert head.startswith(b"HTTP/1.1 101 ")
        assert ping[:2] == b"\x89\x04"
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)) as cut:
            await within(reader.readexactly(1))
        assert getattr(cut.value, "partial", b"") == b""
        writer.close()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux only")
def test_connections_notice_a_vanished_peer() -> None:
    listening = listen(uvicorn.Config(None, host="127.0.0.1", port=0, log_level="critical"))  # type: ignore[arg-type]

    assert listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000
    listening.close()
