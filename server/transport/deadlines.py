"""A deadline that costs nothing where nobody waits."""

import asyncio
import types
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import Any, TypeVar

Result = TypeVar("Result")


async def within(seconds: float, work: Awaitable[Result]) -> Result:
    """What `work` gives. The time runs from its first wait on: until then nothing could have ended it anyway.

    A read on SQLite never waits, and a request's body is there already as a rule: both are spared a timer.

    Raises:
        TimeoutError: it waited for longer than that.
    """
    steps: Any = work.__await__()
    result: Result
    try:
        waited = next(steps)
    except StopIteration as done:
        result = done.value
        return result
    async with asyncio.timeout(seconds):
        result = await _continued(steps, waited)
    return result


@types.coroutine
def _continued(steps: Any, waited: Any) -> Generator[Any, Any, Any]:
    """The rest of what has begun to wait for `waited`."""
    while True:
        step: Callable[[], Any]
        try:
            step = partial(steps.send, (yield waited))
        except BaseException as error:
            step = partial(steps.throw, error)
        try:
            waited = step()
        except StopIteration as done:
            return done.value
