"""The doorbell on PostgreSQL: LISTEN on one connection, NOTIFY on another.

Both last, so a pooler that lends connections by the transaction cannot stand in between.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from realtime.backends.reconnecting import CONNECT_TIMEOUT, ReconnectingBackend
from realtime.line import IO_TIMEOUT

APPLICATION = "casewire doorbell"
"""How its connections are called in `pg_stat_activity`."""


class PostgresBackend(ReconnectingBackend):
    """A message has less than 8,000 bytes, a channel less than 64: the server refuses more."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._sender: asyncpg.Connection | None = None

    async def _listen(self) -> None:
        lost = asyncio.Event()
        async with self._open(lost) as listener, self._open(lost) as self._sender:
            for channel in self._channels:
                await listener.add_listener(channel, self._notified)
            self._connected()
            await lost.wait()

    def _notified(self, connection: asyncpg.Connection, pid: int, channel: str, payload: str) -> None:
        self._heard(channel, payload)

    async def _send(self, channel: str, message: str) -> None:
        """In a transaction of its own: a NOTIFY within the writer's would more than halve what it commits."""
        assert self._sender is not None, "nothing is sent before a connection listens"
        try:
            await self._sender.execute("SELECT pg_notify($1, $2)", channel, message)
        except asyncpg.PostgresError:
            raise
        except BaseException:
            self._sender.terminate()  # It may still wait for its answer. Without it, both connections are made anew.
            raise

    async def _close(self) -> None:
        """The connections end with `_listen`."""

    @asynccontextmanager
    async def _open(self, lost: asyncio.Event) -> AsyncIterator[asyncpg.Connection]:
        """A connection; `lost` is set when it ends by itself."""
        connection = await asyncpg.connect(
            self._url,
            timeout=CONNECT_TIMEOUT,
            command_timeout=IO_TIMEOUT,
            server_settings={"application_name": APPLICATION},
        )
        try:
            connection.add_termination_listener(lambda _: lost.set())
            yield connection
        finally:
            connection.terminate()
