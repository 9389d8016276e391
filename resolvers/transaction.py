"""The unit of work: one transaction, the events it announces, and the ring after its commit.

It runs in a task of its own that nobody's cancellation reaches: a client that hangs up can leave neither a lock nor
half a write behind. Besides the migrations nothing else names `in_transaction`; a test holds that.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction
from uuid_utils.compat import uuid7

from domain.enums import TicketStatus
from domain.errors import ReopenWindowExpired, TicketClosed
from models import Ticket
from models.database import WRITER
from realtime import log
from resolvers.context import Context
from resolvers.list_events import list_drafts
from resolvers.pending import put_down
from resolvers.ticket_facts import Facts

Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(slots=True)
class Work:
    """One unit of work: its instant, and the events to append when everything else is saved.

    `before` has the facts of tickets as they were locked, for the lists that tell what changed.
    """

    now: datetime
    drafts: list[log.Draft] = field(default_factory=list)
    before: dict[UUID, Facts] = field(default_factory=dict)

    def emit(self, topics: tuple[str, ...], kind: str, data: Mapping[str, Any], *, key: str | None = None) -> None:
        """Announce something on these streams. The same `key` on the same stream is announced once, ever."""
        key = key or uuid7().hex
        self.drafts += [log.Draft(topic=topic, kind=kind, data=data, key=key) for topic in topics]


_current: ContextVar[Work | None] = ContextVar("work", default=None)
_in_flight: set[asyncio.Task[Any]] = set()


def unit_of_work(
    function: Callable[Concatenate[Work, Context, Given], Awaitable[Result]],
) -> Callable[Concatenate[Context, Given], Coroutine[Any, Any, Result]]:
    """Run a resolver in a transaction, append what it emits, commit, and ring the doorbell.

    Called from inside another unit of work it joins that one: a savepoint instead of a transaction, the same events,
    one ring at the end. What it read before is forgotten, so that its answer shows what it wrote.
    """

    @functools.wraps(function)
    async def run(context: Context, /, *args: Given.args, **kwargs: Given.kwargs) -> Result:
        async def body(work: Work) -> Result:
            return await function(work, context, *args, **kwargs)

        outer = _current.get()
        try:
            return await (_join(outer, body) if outer else work_in_transaction(context, body))
        finally:
            context.refresh()

    return run


async def work_in_transaction(context: Context, body: Callable[[Work], Awaitable[Result]]) -> Result:
    """Run `body` as one unit of work; for callers that put several writes into one transaction."""

    async def transaction() -> tuple[Result, dict[str, int]]:
        work = Work(now=context.now())
        token = _current.set(work)
        try:
            async with in_transaction(WRITER) as connection:
                result = await _refused_for(work, body)
                is_worth_telling = await put_down(work.drafts)
                heads = await _append(connection, work)
        finally:
            _current.reset(token)
        if heads:
            context.services.hub.ring(heads)
        if is_worth_telling:
            context.services.notices.set()
        return result, heads

    result, _ = await _shielded(transaction())
    return result


def remember(ticket: Ticket, facts: Facts) -> None:
    """Keep the facts of a ticket that was locked, from before the unit of work changes it."""
    ticket.keep_as_read()
    work = _current.get()
    if work is not None:
        work.before.setdefault(ticket.id, facts)


async def run_in_transaction(body: Callable[[], Awaitable[Result]]) -> Result:
    """A transaction that announces nothing."""

    async def transaction() -> Result:
        async with in_transaction(WRITER):
            return await body()

    return await _shielded(transaction())


async def settle() -> None:
    """Wait for the writes that are under way, as a process does before it ends."""
    while _in_flight:
        await asyncio.wait(_in_flight)


async def _join(work: Work, body: Callable[[Work], Awaitable[Result]]) -> Result:
    announced = len(work.drafts)
    try:
        async with in_transaction(WRITER):
            return await body(work)
    except BaseException:
        del work.drafts[announced:]
        raise


async def _refused_for(work: Work, body: Callable[[Work], Awaitable[Result]]) -> Result:
    """Run it; where it is refused because a ticket has come to its end, the refusal says which of the locked ones."""
    try:
        return await body(work)
    except (TicketClosed, ReopenWindowExpired) as refusal:
        status = TicketStatus.CLOSED if isinstance(refusal, TicketClosed) else TicketStatus.RESOLVED
        ended = (ticket_id for ticket_id, facts in work.before.items() if facts["status"] == status)
        refusal.ticket_id = next(ended, None)
        raise


async def _append(connection: BaseDBAsyncClient, work: Work) -> dict[str, int]:
    if not work.drafts:
        return {}
    told = await list_drafts(work.drafts, work.before)
    return await log.append(connection, [*work.drafts, *told], at=work.now)


async def _shielded(coroutine: Coroutine[Any, Any, Result]) -> Result:
    task = asyncio.get_running_loop().create_task(coroutine)
    _in_flight.add(task)
    task.add_done_callback(_in_flight.discard)
    return await asyncio.shield(task)
