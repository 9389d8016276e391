"""Rows that several events are about: groups that follow alike ask for them at the same time, and get them at once."""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from engine.plans import RootRow
from engine.running import Run


@dataclass(slots=True)
class Batch:
    run: Run
    row: RootRow
    futures: dict[str, asyncio.Future[Any]] = field(default_factory=dict)


@dataclass(slots=True)
class EventRows:
    """Who asks with the same key wants the same made of a row, whichever row it is."""

    _batches: dict[Hashable, Batch] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def read(self, key: Hashable, run: Callable[[], Run], row: RootRow, row_id: str) -> Any:
        """What becomes of a row, or None where it is not seen; read with all that are asked for in the same turn.

        Raises:
            whatever reading it raises, for everybody who asked.
        """
        batch = self._batches.get(key)
        if batch is None:
            batch = self._batches[key] = Batch(run(), row)
            task = asyncio.get_running_loop().create_task(self._flush(key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        future = batch.futures.get(row_id)
        if future is None:
            future = batch.futures[row_id] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(future)

    async def _flush(self, key: Hashable) -> None:
        batch = self._batches.pop(key)
        try:
            found = await batch.run.rows(batch.row, list(batch.futures))
        except BaseException as error:
            for future in batch.futures.values():
                future.set_exception(error)
                future.exception()  # looked at: whoever asked may have left
            if not isinstance(error, Exception):
                raise
            return
        for row_id, future in batch.futures.items():
            future.set_result(found.get(row_id))
