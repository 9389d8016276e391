"""Over a real server: what passes is heard by other processes, also after a connection was lost (J7)."""

from contextlib import AsyncExitStack
from uuid import uuid4

import pytest

from realtime.entries import Key
from realtime.ephemeral import FORGET, Ephemeral
from tests.realtime.backends.brokers import Breakable
from tests.realtime.support import eventually

pytestmark = pytest.mark.anyio


async def test_what_is_said_is_heard_elsewhere_and_made_up_for_after_the_connection_was_lost(
    breakable: Breakable,
) -> None:
    first, second = (Key(f"ticket:{uuid4()}", "presence", "ann") for _ in "12")
    here, there = Ephemeral(breakable.url), Ephemeral(breakable.url)
    async with AsyncExitStack() as stack:
        for process in (here, there):
            await process.start()
            stack.push_async_callback(process.stop)
        await eventually(lambda: here.line.healthy and there.line.healthy)
        with here.keeping(first), here.keeping(second):
            here.say(first, {"state": "VIEWING"}, ttl=FORGET)
            await eventually(lambda: len(there.said(*first[:2])) == 1)

            await breakable.cut()
            here.say(second, {"state": "IDLE"}, ttl=FORGET)

            await eventually(lambda: [entry.data for entry in there.said(*second[:2])] == [{"state": "IDLE"}])
        await eventually(lambda: there.said(*first[:2]) == [])
