"""What happens to tickets by itself: holds end, what waits is resolved, what is resolved is closed, old things go."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from itertools import takewhile
from typing import cast
from uuid import UUID

import structlog
from tortoise.expressions import Q

from domain import lifecycle
from domain.enums import ClosureReason, ResolutionReason, TicketStatus
from models import Attachment, FeedEvent, FeedStream, RefreshToken, Ticket
from models.database import reader, writer
from realtime import log
from resolvers import timeline
from resolvers.context import Context
from resolvers.scheduling import due_appointments, due_calls, end_appointment, end_call
from resolvers.tickets import lock_for_sweep
from resolvers.transaction import Work, run_in_transaction, unit_of_work
from resolvers.windows import over, windows_of

logger = structlog.get_logger("casewire.sweeps")

BATCH = 200

STEP, MOST_STEPS = 500, 20
"""Events that one transaction lets go of, and such transactions for one stream in a round."""

UPLOADS_WAIT = timedelta(days=1)
"""How long a file may wait for a message."""


async def resolve_waiting(ctx: Context) -> int:
    """Resolve the tickets whose customers did not come back in time (S63); returns how many. Due ones are found again
    on the next round, so a day without rounds is caught up with, and nothing happens twice."""
    waiting = Q(status=TicketStatus.PENDING_CUSTOMER)
    due = waiting & over("waiting_since", "auto_resolve_after", ctx.now(), operator="lte")
    return await _each(_resolve, ctx, await _ids(due, "waiting_since"))


async def end_holds(ctx: Context) -> int:
    """Let tickets go on whose hold has come to its end (S67); returns how many. Caught up with like the others."""
    due = Q(status=TicketStatus.ON_HOLD, hold_until__lte=ctx.now())
    return await _each(_end_hold, ctx, await _ids(due, "hold_until"))


async def close_resolved(ctx: Context) -> int:
    """Close the tickets that stayed resolved for the time that counts for them (S64, S65); returns how many."""
    resolved = Q(status=TicketStatus.RESOLVED, closed_at=None)
    due = resolved & over("resolved_at", "auto_close_after", ctx.now(), operator="lt")
    return await _each(_close, ctx, await _ids(due, "resolved_at"))


async def end_meetings(ctx: Context) -> int:
    """Say of calls and appointments whose time has passed what became of them; returns how many."""
    calls, appointments = await due_calls(ctx.now(), BATCH), await due_appointments(ctx.now(), BATCH)
    return await _each(end_call, ctx, calls) + await _each(end_appointment, ctx, appointments)


async def compact_streams(ctx: Context, *, keep: int, window: timedelta) -> int:
    """Let go of events that are both older than `window` and not among the last `keep` of their stream."""
    gone, before = 0, ctx.now() - window
    for row in await reader().execute_query_dict(_LONG_STREAMS.format(keep=int(keep))):
        for _ in range(MOST_STEPS):
            went = await _compact(row["topic"], keep=keep, before=before)
            gone += went
            if went < STEP:
                break
    return gone


async def forget_old_tokens(ctx: Context) -> int:
    """Delete refresh tokens that expired more than a week ago; returns how many."""

    async def body() -> int:
        return await RefreshToken.filter(expires_at__lt=ctx.now() - timedelta(days=7)).delete()

    return await run_in_transaction(body)


async def let_go_of_files(ctx: Context) -> list[Attachment]:
    """Files that were taken back, and those that nobody attached or kept within a day: shown to nobody from now on."""

    async def body() -> list[Attachment]:
        left = Q(message_id=None, draft_id=None, deleted_at=None, created_at__lt=ctx.now() - UPLOADS_WAIT)
        due = await Attachment.filter(left).order_by("created_at").limit(BATCH).values_list("id", flat=True)
        if due:
            await Attachment.filter(left, id__in=list(due)).update(deleted_at=ctx.now())
        return await Attachment.filter(deleted_at__isnull=False).order_by("deleted_at").limit(BATCH)

    return await run_in_transaction(body)


async def bytes_are_shared(file: Attachment) -> bool:
    """Whether another file that is still shown has the same bytes: one of them is a copy (`resolvers.splitting`)."""
    first = file.copy_of or file.id
    return await Attachment.filter(Q(id=first) | Q(copy_of=first), deleted_at=None).exclude(id=file.id).exists()


async def forget_files(attachment_ids: list[UUID]) -> int:
    """Delete the rows of files whose bytes are gone; returns how many."""

    async def body() -> int:
        return await Attachment.filter(id__in=attachment_ids, deleted_at__isnull=False).delete()

    return await run_in_transaction(body) if attachment_ids else 0


_LONG_STREAMS = "SELECT topic FROM feed_stream WHERE head - floor > {keep} LIMIT 500"


async def _each(act: Callable[[Context, UUID], Awaitable[bool]], ctx: Context, ids: list[UUID]) -> int:
    """Do it with each; returns with how many it was done. One that fails keeps no other waiting: the next round tries
    it again.
    """
    done = 0
    for row_id in ids:
        try:
            done += await act(ctx, row_id)
        except Exception:
            logger.exception("what was due could not be done; tried again later", of=str(row_id))
    return done


async def _ids(due: Q, order: str) -> list[UUID]:
    found: list[UUID] = await Ticket.filter(due).order_by(order, "id").limit(BATCH).values_list("id", flat=True)  # type: ignore[assignment]
    return found


@unit_of_work
async def _resolve(work: Work, ctx: Context, ticket_id: UUID) -> bool:
    ticket = await lock_for_sweep(ticket_id)
    since = ticket.waiting_since or ticket.status_changed_at
    if not lifecycle.auto_resolve_due(ticket.status, waiting_since=since, now=work.now, windows=windows_of(ticket)):
        return False
    await timeline.set_status(
        work, ctx, ticket, TicketStatus.RESOLVED, reason=ResolutionReason.INACTIVITY, automatic=True
    )
    timeline.touch(work, ticket, activity=False)
    await ticket.save()
    return True


@unit_of_work
async def _end_hold(work: Work, ctx: Context, ticket_id: UUID) -> bool:
    ticket = await lock_for_sweep(ticket_id)
    if not lifecycle.hold_over(ticket.status, hold_until=ticket.hold_until, now=work.now):
        return False
    await timeline.set_status(work, ctx, ticket, TicketStatus.OPEN, automatic=True)
    timeline.touch(work, ticket, activity=False)
    await ticket.save()
    return True


@unit_of_work
async def _close(work: Work, ctx: Context, ticket_id: UUID) -> bool:
    ticket = await lock_for_sweep(ticket_id)
    windows = windows_of(ticket)
    if not lifecycle.auto_close_due(ticket.status, resolved_at=ticket.resolved_at, now=work.now, windows=windows):
        return False
    reason = ClosureReason.AUTO_AFTER_RESOLVED
    await timeline.set_status(work, ctx, ticket, TicketStatus.CLOSED, reason=reason, automatic=True)
    timeline.touch(work, ticket, activity=False)
    await ticket.save()
    return True


async def _compact(topic: str, *, keep: int, before: datetime) -> int:
    """Let go of a stream's oldest events: however many it has, only so many are looked at. Returns how many went."""
    oldest = await FeedEvent.filter(topic=topic).order_by("seq").first()
    if oldest is None or oldest.at >= before:
        return 0  # without the stream's lock, which writers wait for

    async def body() -> int:
        await FeedStream.filter(topic=topic).select_for_update().first()
        instants = await FeedEvent.filter(topic=topic).order_by("seq").limit(STEP).values_list("at", flat=True)
        old = list(takewhile(lambda at: cast(datetime, at) < before, instants))
        return await log.compact(writer(), topic, keep=keep, batch=len(old))

    return await run_in_transaction(body)
