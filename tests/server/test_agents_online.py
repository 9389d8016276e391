"""The desk's numbers over a socket: staff is there for as long as one is open (S99)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.desk import Desk, running_desk
from tests.server.running import Watch

pytestmark = pytest.mark.anyio

LIVE = "subscription { queueStats { open agentsOnline } }"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with running_desk("sqlite", tmp_path) as desk:
        yield desk


async def until_there_are(watch: Watch, agents: int) -> Any:
    """The first numbers with so many agents; at most five are looked at."""
    for _ in range(5):
        told = await watch.next()
        if told["agentsOnline"] == agents:
            return told
    raise AssertionError("the agents were not told")


async def test_support_is_online_while_a_socket_is_open(desk: Desk) -> None:
    """A person counts once, however many sockets; a customer does not."""
    socket = await desk.socket(desk.sam)
    watch = await socket.watch(LIVE)
    assert await until_there_are(watch, 1) == {"open": 1, "agentsOnline": 1}

    await desk.socket(desk.ann)
    again = await desk.socket(desk.sam)
    kims = await desk.socket(desk.kim)
    await until_there_are(watch, 2)
    await again.connection.close()
    await kims.connection.close()
    assert await until_there_are(watch, 1) == {"open": 1, "agentsOnline": 1}
