"""Turns: of what takes long, one thing at a time between two rounds of the loop, so that what is short does not wait.

The loop runs whatever is ready, in the order in which it became so. Each query is run to its end in one step, a
millisecond or several; with a few clients that ask without a pause, each of the steps that a message takes on its way
would wait for one query of each of them. Where nobody waits for messages, there is nothing to make room for, and a turn
costs nothing.
"""

import asyncio
from collections import deque
from collections.abc import Callable


class Turns:
    def __init__(self, wanted: Callable[[], object] = lambda: True) -> None:
        """`wanted` says, whenever a turn is asked for, whether there is anybody to make room for."""
        self._wanted = wanted
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_taken = False

    async def mine(self) -> None:
        """Wait for a turn. It is over when the loop comes round again: nothing is to be given back."""
        if not self._wanted():
            return
        loop = asyncio.get_running_loop()
        if self._is_taken:
            turn = loop.create_future()
            self._waiting.append(turn)
            await turn  # whoever is cancelled here leaves a turn that `_next` passes over
        else:
            self._is_taken = True
            loop.call_soon(self._next)

    def _next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                asyncio.get_running_loop().call_soon(self._next)
                return
        self._is_taken = False
