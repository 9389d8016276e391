"""Work with a deadline: done at once, in time, too late, and ended from outside."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from server.transport.deadlines import within

pytestmark = pytest.mark.anyio


class Seen(list[str]):
    @asynccontextmanager
    async def around(self) -> AsyncIterator[None]:
        try:
            yield
        except BaseException as error:
            self.append(type(error).__name__)
            raise


async def test_what_never_waits_gives_its_result_without_a_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once() -> int:
        return 3

    monkeypatch.setattr(asyncio, "timeout", None)

    assert await within(0.0, at_once()) == 3


async def test_what_waits_several_times_gives_its_result_in_time() -> None:
    gate = asyncio.Event()

    async def later() -> str:
        await asyncio.sleep(0)
        await gate.wait()
        return await asyncio.to_thread(lambda: "done")

    asyncio.get_running_loop().call_soon(gate.set)

    assert await within(5, later()) == "done"


async def test_what_waits_too_long_is_cancelled_and_said_to_be_late() -> None:
    seen = Seen()

    async def forever() -> None:
        async with seen.around():
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await within(0.01, forever())
    assert seen == ["CancelledError"]


async def test_an_error_after_a_wait_comes_out_as_it_is() -> None:
    async def fails() -> None:
        await asyncio.sleep(0)
        raise LookupError("not there")

    with pytest.raises(LookupError, match="not there"):
        await within(5, fails())


async def test_cancelling_whoever_waits_reaches_the_work() -> None:
    seen = Seen()

    async def forever() -> None:
        async with seen.around():
            await asyncio.Event().wait()

    task = asyncio.create_task(within(5, forever()))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["CancelledError"]
