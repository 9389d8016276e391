"""The desk's numbers."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Any, cast

import strawberry
from strawberry import Info

from domain import policy
from resolvers import queue_stats
from schema.access import signed_in


@strawberry.type(description="What waits at the desk. A ticket can be in several of the numbers.")
class QueueStats:
    at: datetime = strawberry.field(description="When it was counted.")
    open: int = strawberry.field(description="Support's turn: new, or answered by the customer.")
    pending_customer: int = strawberry.field(description="The customer's turn.")
    on_hold: int = strawberry.field(description="Waiting for something outside.")
    escalated: int = strawberry.field(description="Neither resolved nor closed, with an escalation under way.")
    unassigned: int = strawberry.field(description="Neither resolved nor closed, and nobody handles it.")
    chats_waiting: int = strawberry.field(description="New chats that nobody has answered.")
    agents_online: int = strawberry.field(description="People of support staff who have a socket open.")


@strawberry.type
class QueueStatsQueries:
    @strawberry.field(description="What waits at the desk.", directives=signed_in(policy.STAFF_ONLY))
    async def queue_stats(self, info: Info) -> QueueStats | None:
        return cast(Any, await queue_stats.get_queue_stats(info.context))  # type: ignore[no-any-return]


@strawberry.type
class QueueStatsSubscriptions:
    @strawberry.subscription(
        description="What waits at the desk: at first as it is, then when a number has changed, at most once a second. "
        "Only the latest is told; after a break it begins anew.",
        directives=signed_in(policy.STAFF_ONLY),
    )
    async def queue_stats(self, info: Info) -> AsyncGenerator[QueueStats, None]:
        async with aclosing(queue_stats.watch_queue_stats(info.context)) as numbers:
            async for each in numbers:
                yield cast(Any, each)
