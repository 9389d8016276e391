"""A backend that connects again for as long as it is used, and says so when it may have missed something.

Nothing that happens to a connection is raised at who listens. They are told to look instead, by a resync.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from typing import Any

from broadcaster import BroadcastBackend, Event

from realtime.backends.inbox import Inbox
from realtime.line import FIRST_PAUSE, IO_TIMEOUT, LONGEST_PAUSE
from realtime.tasks import jittered

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT = 3.0
"""Seconds from the first packet until the server has confirmed that we listen."""

STEADY_AFTER = 5.0
"""Seconds after which a connection counts as good. One that is lost before is tried again more and more slowly."""

CLOSE_TIMEOUT = 1.0


class ReconnectingBackend(BroadcastBackend, ABC):
    """Subclasses listen, send and let go; they need not survive anything.

    Listening starts with the first subscription and anew with each further one: one channel a process is the rule. A
    server that is silent on a connection that stands is for the canary of the doorbell to notice.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._channels: set[str] = set()
        self._inbox = Inbox(self._channels)
        self._listening: asyncio.Task[None] | None = None
        self._sending = asyncio.Lock()
        self._limit = asyncio.Timeout(None)
        self._up = False

    # ---- what a server has to bring ----

    @abstractmethod
    async def _listen(self) -> None:
        """Connect, listen to `self._channels`, say `_connected()`, hand messages to `_heard()`; end when it is lost."""

    @abstractmethod
    async def _send(self, channel: str, message: str) -> None:
        """Send one message. Only one is sent at a time, and only while a connection listens. May raise, may be cut."""

    @abstractmethod
    async def _close(self) -> None:
        """Let go of what outlasts `_listen`."""

    def _connected(self) -> None:
        """The server has confirmed that we listen, for the first time or again."""
        self._limit.reschedule(None)
        if not self._up:
            logger.info("the doorbell is connected")
        self._up = True
        self._inbox.resync()

    def _heard(self, channel: str, message: str) -> None:
        self._inbox.put(channel, message)

    # ---- what broadcaster asks for ----

    async def connect(self) -> None:
        """Nothing yet: there is no channel to listen to."""

    async def disconnect(self) -> None:
        await self._stop_listening()
        self._channels.clear()
        await self._close()
        await asyncio.sleep(0)  # broadcaster has cancelled its own task and does not wait for its end.

    async def subscribe(self, group: str) -> None:
        await self._stop_listening()
        self._channels.add(group)
        self._listening = asyncio.create_task(self._keep_listening())

    async def unsubscribe(self, group: str) -> None:
        await self._stop_listening()
        self._channels.discard(group)
        if self._channels:
            self._listening = asyncio.create_task(self._keep_listening())

    async def publish(self, channel: str, message: Any) -> None:
        """Raises: ConnectionError at once while there is no connection, and whatever the server's library raises."""
        if not self._up:
            raise ConnectionError("the doorbell is not connected")
        async with asyncio.timeout(IO_TIMEOUT), self._sending:
            await self._send(channel, message)

    async def next_published(self) -> Event:
        return await self._inbox.take()

    # ---- staying connected ----

    async def _keep_listening(self) -> None:
        loop = asyncio.get_running_loop()
        pause, reported = FIRST_PAUSE, False
        while True:
            began = loop.time()
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT) as self._limit:
                    await self._listen()
                problem = "the server's farewell"
            except Exception as error:
                problem = type(error).__name__  # No more than that: the text may have the URL with its password.
            if self._up or not reported:
                logger.warning("the doorbell has no connection after %s, trying again", problem)
            if self._up and loop.time() - began >= STEADY_AFTER:
                pause = FIRST_PAUSE
            self._up, reported = False, True
            await asyncio.sleep(jittered(pause))
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _stop_listening(self) -> None:
        task, self._listening = self._listening, None
        self._up = False
        if task is not None:
            task.cancel()
            await asyncio.wait({task}, timeout=CLOSE_TIMEOUT)
