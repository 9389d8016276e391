"""The desk's numbers, for support staff: once, and live (S99)."""

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import suppress

from domain import policy
from domain.errors import Forbidden
from realtime.hub import Guard
from resolvers.access import rests_on
from resolvers.context import Context
from resolvers.queue_feed import QueueStats, count_queue
from resolvers.viewers import load_again


async def get_queue_stats(ctx: Context) -> QueueStats:
    """
    Raises:
        Unauthenticated, Forbidden: the numbers are for support staff.
    """
    _check(ctx)
    return await count_queue(ctx.services.ephemeral, ctx.services.clock)


async def watch_queue_stats(ctx: Context) -> AsyncGenerator[QueueStats, None]:
    """The numbers as they are, and again whenever one of them has changed, without end. Steps between are skipped.

    Raises:
        Unauthenticated, Forbidden: also as soon as the viewer no longer works in support (J3).
    """
    _check(ctx)
    services, woken, told = ctx.services, asyncio.Event(), None
    feed = services.queue
    watched = feed.watched(services.hub, services.ephemeral, services.clock, woken)
    with watched, services.hub.admit(_watching(ctx)) as permission:
        permission.on_stale = woken.set
        while not feed.ended:
            woken.clear()
            if permission.is_due:
                await permission.check()
            if feed.latest is not None and not feed.latest.says_the_same_as(told):
                told = feed.latest
                yield told
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(permission.seconds_left):
                    await woken.wait()


def _check(ctx: Context) -> None:
    policy.check(ctx.viewer, policy.STAFF_ONLY, None, "The queue is for support staff.")


def _watching(ctx: Context) -> Guard:
    async def check() -> Collection[str]:
        viewer = await load_again(ctx.viewer)
        if viewer is None:
            raise Forbidden("The queue is for support staff.")
        ctx.viewer = viewer
        _check(ctx)
        return rests_on(viewer)

    return check
