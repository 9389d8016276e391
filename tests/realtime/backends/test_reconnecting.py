"""When it is tried again, and what a connection that did not last leaves behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from realtime.backends import reconnecting
from realtime.backends.reconnecting import ReconnectingBackend
from realtime.line import RESYNC
from tests.realtime.support import PATIENCE, eventually

pytestmark = pytest.mark.anyio


class Scripted(ReconnectingBackend):
    """A server that drops every connection at once, after it has confirmed it or before, as `stands` tells in turn."""

    def __init__(self, stands: list[bool]) -> None:
        super().__init__("scripted://")
        self.stands = iter(stands)
        self.limits: list[float | None] = []

    async def _listen(self) -> None:
        if next(self.stands):
            self._connected()
        self.limits.append(self._limit.when())
        raise ConnectionResetError

    async def _send(self, channel: str, message: str) -> None:
        raise ConnectionResetError

    async def _close(self) -> None:
        pass


@asynccontextmanager
async def scripted(stands: list[bool]) -> AsyncIterator[Scripted]:
    backend = Scripted([*stands, *[False] * 1_000])
    await backend.connect()
    await backend.subscribe("c")
    try:
        yield backend
    finally:
        await backend.disconnect()


async def test_only_the_time_to_connect_is_limited(pauses: list[float]) -> None:
    async with scripted([True, False]) as backend:
        await eventually(lambda: len(pauses) >= 2)

    assert [limit is None for limit in backend.limits[:2]] == [True, False]


async def test_it_is_tried_again_more_and_more_slowly_up_to_two_seconds(pauses: list[float]) -> None:
    async with scripted([True, True, True]):
        await eventually(lambda: len(pauses) >= 7)

    assert pauses[:7] == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


async def test_after_a_steady_connection_it_is_tried_again_soon(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconnecting, "STEADY_AFTER", 0.0)
    async with scripted([False, False, True, False]):
        await eventually(lambda: len(pauses) >= 4)

    assert pauses[:4] == [0.1, 0.2, 0.1, 0.2]


async def test_connections_that_do_not_last_leave_one_resync_to_take(pauses: list[float]) -> None:
    async with scripted([True] * 3) as backend:
        await eventually(lambda: len(pauses) >= 4)
        async with asyncio.timeout(PATIENCE):
            assert (await backend.next_published()).message == RESYNC
            coming = asyncio.create_task(backend.next_published())
            await eventually(lambda: len(pauses) >= 6)
            assert not coming.done()
        coming.cancel()
