"""Telling people of what happened on their tickets, soon after. Every process does it; each event is told once."""

import asyncio
import contextlib
import random

import structlog

from domain.policy import ANONYMOUS
from resolvers.context import Context, Services
from resolvers.notices import tell_pending

EVERY = 2.0
"""Seconds between two looks for what a process put down that has died, or is busy."""

COALESCE = 0.2
"""Seconds that an event waits for others to be told with it: whoever chats writes several."""

logger = structlog.get_logger("casewire.notices")


async def notify_for_ever(services: Services) -> None:
    """Tell while the process lives. A round that fails is logged and tried again at the next."""
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EVERY * random.uniform(0.7, 1.3)):
                await services.notices.wait()
                await asyncio.sleep(COALESCE)
        services.notices.clear()
        try:
            await tell_pending(Context(ANONYMOUS, services))
        except Exception:
            logger.exception("people could not be told of what happened; the next round tries again")
            await asyncio.sleep(EVERY)
