"""uvicorn with the settings and the changes that live sockets need."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

import uvicorn

from server.transport.live import LiveSocketProtocol
from server.transport.sockets import Sockets

LONGEST_MESSAGE = 64 * 1024
"""Bytes of a WebSocket message, whole. uvicorn's default is 16 MiB, per client."""

SILENCE_BEFORE_RESET = 20_000
"""Milliseconds that sent bytes may stay unacknowledged: TCP_USER_TIMEOUT."""

SHUTDOWN_AFTER_DRAIN = 10
"""Seconds for requests to finish. Without it, uvicorn waits for ever for one client that reads nothing."""


class DrainingServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, sockets: Sockets, drain_seconds: float) -> None:
        super().__init__(config)
        self.open_sockets = sockets
        self.drain_seconds = drain_seconds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new connections, let the sockets go one by one, then shut down as uvicorn does.

        uvicorn closes them all within 0.1 s, before the application's own shutdown runs.
        """
        for server in self.servers:
            server.close()
        draining = asyncio.create_task(self.open_sockets.drain(self.drain_seconds))
        while not draining.done() and not self.force_exit:
            await asyncio.wait([draining], timeout=0.1)
        draining.cancel()
        await super().shutdown(sockets)


def configure(
    app: Any,
    *,
    host: str,
    port: int,
    log_level: str = "info",
    max_message_bytes: int = LONGEST_MESSAGE,
    trusted_proxies: Sequence[str] = (),
) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level=log_level,
        ws=LiveSocketProtocol,
        ws_max_size=max_message_bytes,
        proxy_headers=bool(trusted_proxies),  # nobody is believed, nobody has to be looked at
        forwarded_allow_ips=list(trusted_proxies),
        log_config=None,  # the application has set up the logs
        access_log=False,
        ws_per_message_deflate=False,  # 40 kB more per socket, and 15 kB that unfold to 15 MB
        timeout_graceful_shutdown=SHUTDOWN_AFTER_DRAIN,
        server_header=False,
    )


def listen(config: uvicorn.Config) -> socket.socket:
    """The bound socket. Connections inherit its options, so a peer that vanished is noticed also while we only send."""
    listening = config.bind_socket()
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENCE_BEFORE_RESET)
    return listening


def run(app: Any, *, sockets: Sockets, drain_seconds: float = 5.0, **config_of: Any) -> None:
    """Serve until SIGTERM or SIGINT. `sockets` is the registry of the app's endpoint; the rest goes to `configure`.

    Port 0 takes a free one.
    """
    config = configure(app, **config_of)
    DrainingServer(config, sockets, drain_seconds).run([listen(config)])
