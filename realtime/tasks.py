"""The background tasks of one owner: started in its context, bounded in time, ended together."""

import asyncio
import contextvars
import logging
import random
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
logger = logging.getLogger(__name__)


class Stopped(Exception):
    """The owner of the tasks has stopped; there will be no answer."""


class Tasks:
    """Open it where its tasks belong.

    A task copies the context it is started from. One that is started while a unit of work runs would go on to use that
    transaction's connection; hence each starts in a copy of the context at `open()`.
    """

    def __init__(self) -> None:
        self._context = contextvars.copy_context()
        self._running: set[asyncio.Task[Any]] = set()
        self.is_open = False

    def open(self) -> None:
        self._context = contextvars.copy_context()
        self.is_open = True

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Raises: Stopped, before `open()` and after `close()`."""
        if not self.is_open:
            work.close()
            raise Stopped
        task = asyncio.get_running_loop().create_task(work, context=self._context.copy())
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def launch(self, work: Coroutine[Any, Any, None]) -> None:
        """Start work that nobody waits for; what goes wrong in it is logged."""
        self.start(work).add_done_callback(_report)

    async def within(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, or TimeoutError after `seconds`, even if the work is slow to notice its cancellation.

        A caller that is cancelled leaves the work running to its end.
        """
        task = self.start(work)
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            task.cancel()
            raise TimeoutError
        return result_of(task)

    async def close(self, patience: float = 5.0) -> None:
        """Cancel what runs and wait for its end, but no longer than `patience` seconds."""
        self.is_open = False
        running = self._running - {asyncio.current_task()}
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=patience)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # Looked at, so asyncio does not report it when everybody who waited has left.


def _report(task: asyncio.Task[None]) -> None:
    problem = None if task.cancelled() else task.exception()
    if problem and not isinstance(problem, Stopped):
        logger.error("a background task failed: %s", task.get_coro(), exc_info=problem)


async def shared(task: asyncio.Task[T]) -> T:
    """The result of a task that others wait for as well: being cancelled here does not cancel it."""
    await asyncio.wait({task})
    return result_of(task)


def result_of(task: asyncio.Task[T]) -> T:
    """The result of a task that is done; Stopped if it was cancelled, which the caller was not."""
    if task.cancelled():
        raise Stopped
    return task.result()


def jittered(seconds: float) -> float:
    """About `seconds`: processes that were thrown out together do not come back together."""
    return seconds * random.uniform(0.7, 1.3)
