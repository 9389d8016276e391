"""The open sockets of this process: counted, bounded per address and person, closed gently before the process ends."""

import asyncio
import random
from collections import Counter
from collections.abc import Hashable
from contextlib import suppress
from typing import Protocol

import structlog

SERVICE_RESTART = 1012
"""Clients of graphql-transport-ws come back after it, with their last cursor. After 1001 or `complete` some do not."""

STALLED_AFTER = 1.0
"""Seconds that a close frame may take to leave: a peer that reads nothing would hold up the others."""

log = structlog.get_logger(__name__)


class Socket(Protocol):
    async def close(self, code: int, reason: str) -> None: ...


class Sockets:
    def __init__(self) -> None:
        self.draining = False
        self._open: set[Socket] = set()
        self._addresses: Counter[str] = Counter()
        self._people: Counter[Hashable] = Counter()

    def __len__(self) -> int:
        return len(self._open)

    def count_from(self, address: str) -> int:
        return self._addresses[address]

    def sit(self, address: str) -> None:
        """Count an upgrade from `address` before it is accepted, so that many at once cannot slip by a limit."""
        self._addresses[address] += 1

    def rise(self, address: str) -> None:
        self._addresses[address] -= 1
        if not self._addresses[address]:
            del self._addresses[address]

    def let_in(self, person: Hashable, *, most: int) -> bool:
        """Count a socket of a person, unless there are `most` already. To be undone by `let_out`."""
        if self._people[person] >= most:
            return False
        self._people[person] += 1
        return True

    def let_out(self, person: Hashable) -> None:
        self._people[person] -= 1
        if not self._people[person]:
            del self._people[person]

    def add(self, socket: Socket) -> None:
        self._open.add(socket)

    def discard(self, socket: Socket) -> None:
        self._open.discard(socket)

    async def drain(self, seconds: float) -> None:
        """Close all sockets with 1012, in random order, spread over `seconds`, and let no new ones in.

        Closed all at once, every client of this process would come back in the same instant.
        """
        self.draining = True
        leaving = list(self._open)
        random.shuffle(leaving)
        if leaving:
            log.info("draining sockets", sockets=len(leaving), seconds=seconds)
        async with asyncio.TaskGroup() as group:
            for number, socket in enumerate(leaving):
                if number:
                    await asyncio.sleep(seconds / len(leaving))
                if socket in self._open:
                    group.create_task(self._close(socket))

    async def _close(self, socket: Socket) -> None:
        with suppress(TimeoutError):  # uvicorn's own shutdown cuts it
            async with asyncio.timeout(STALLED_AFTER):
                await socket.close(SERVICE_RESTART, "Service restart")
