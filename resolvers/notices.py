"""Telling people of what happened on their tickets: put down with the event, told by a worker soon after.

A unit of work never writes to the streams of many people: it puts down one row for each event (`pending.py`), and
`tell_pending` turns that into notifications, in transactions that take the rows away. Two processes that come at once
tell it once; what was put down while none ran is told when one does.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import structlog
from tortoise.expressions import F

from domain.enums import ChangeType, MessageSource, NotificationKind, TicketStatus, TimelineEventKind, Visibility
from domain.notifying import OF_STATUS, Happening, is_heard, whom_to_tell
from domain.policy import Viewer, may_read_ticket
from models import (
    EscalationEntry,
    Notification,
    PendingNotice,
    Ticket,
    TimelineEvent,
)
from resolvers.context import Context
from resolvers.news import News, read_news
from resolvers.ticket_facts import Facts, as_id, facts_of, rights_of
from resolvers.transaction import Work, run_in_transaction, unit_of_work

NOTIFICATION_ADDED = "notification.added"
BATCH = 100

TOGETHER = 10
"""Events told in one transaction. In a chat they are of one ticket, and half of what they cost is the same for all."""

MOST_ATTEMPTS = 5
"""A row that fails so often is left where it is, for a person to look at."""

HANDLING = ("requester_id", "owner_id", "assignee_id")

logger = structlog.get_logger("casewire.notices")


def stream_of(user_id: UUID) -> str:
    """The stream of what a person is told of."""
    return f"user:{user_id}"


async def tell_pending(ctx: Context) -> int:
    """Tell of everything that was put down so far; returns how many events that was. One that fails waits its turn."""
    told = 0
    while True:
        waiting = PendingNotice.filter(attempts__lt=MOST_ATTEMPTS).order_by("attempts", "id").limit(BATCH)
        ids: list[UUID] = await waiting.values_list("id", flat=True)  # type: ignore[assignment]
        done = sum([await _tell(ctx, ids[first : first + TOGETHER]) for first in range(0, len(ids), TOGETHER)])
        told += done
        if len(ids) < BATCH or not done:
            return told


async def _tell(ctx: Context, pending_ids: Sequence[UUID]) -> int:
    """Tell of events, of how many; where one of them fails, of each by itself."""
    try:
        return await _tell_together(ctx, pending_ids)
    except Exception:
        if len(pending_ids) > 1:
            return sum([await _tell(ctx, [each]) for each in pending_ids])
        logger.exception("people could not be told of an event; tried again later", pending=str(pending_ids[0]))

        async def count() -> int:
            return await PendingNotice.filter(id=pending_ids[0]).update(attempts=F("attempts") + 1)

        await run_in_transaction(count)
        return 0


@unit_of_work
async def _tell_together(work: Work, ctx: Context, pending_ids: Sequence[UUID]) -> int:
    """Tell of those events that no other process tells of."""
    waiting = await PendingNotice.filter(id__in=list(pending_ids)).order_by("id").select_for_update()
    await PendingNotice.filter(id__in=[each.id for each in waiting]).delete()
    news = await read_news(waiting)
    notifications: list[Notification] = []
    for pending in waiting:
        notifications += await _notifications_of(work, news, pending)
        await asyncio.sleep(0)  # nothing else here suspends on SQLite, and others want their turn
    if notifications:
        await Notification.bulk_create(notifications)
    for each in notifications:
        announce(work, each)
    return len(waiting)


async def _notifications_of(work: Work, news: News, pending: PendingNotice) -> list[Notification]:
    ticket = await news.ticket(pending.ticket_id)
    assert ticket is not None
    facts, told = facts_of(ticket), set(news.told.get(pending.key, ()))
    found: list[Notification] = []
    for happening in await _happenings(news, pending, ticket):
        concerned = whom_to_tell(happening, _people_on(facts)) - told
        told |= concerned  # Who is mentioned is not told besides that somebody wrote.
        for user_id in sorted(await _hearing(news, concerned, ticket, happening)):
            if _may_know(await news.viewer(user_id), user_id, facts, happening):
                found.append(notification(work, user_id, happening, ticket_id=ticket.id, source=pending.key))
    return found


async def notify(
    work: Work,
    user_id: UUID,
    happening: Happening,
    *,
    ticket_id: UUID | None = None,
    organization_id: UUID | None = None,
    source: str,
) -> None:
    """Tell one person of something about a ticket or an organization. `source` names what it tells: told once.

    A unit of work that concerns a single person may call it; what concerns many is put down for the worker.
    """
    told = notification(work, user_id, happening, source=source, ticket_id=ticket_id, organization_id=organization_id)
    await told.save(force_create=True)
    announce(work, told)


def notification(work: Work, user_id: UUID, happening: Happening, **about: Any) -> Notification:
    """What one person is to be told, not saved yet."""
    return Notification(
        user_id=user_id,
        actor_id=happening.actor_id,
        kind=happening.kind,
        visibility=happening.visibility,
        data=happening.values,
        created_at=work.now,
        **about,
    )


def announce(work: Work, told: Notification) -> None:
    work.emit((stream_of(told.user_id),), NOTIFICATION_ADDED, {"notification": str(told.id)}, key=told.source)


async def _happenings(news: News, pending: PendingNotice, ticket: Ticket) -> list[Happening]:
    """What there is to tell, what concerns one person alone first. Imported history is no news."""
    if pending.message_id:
        message = news.messages.get(pending.message_id)
        if message is None or message.source is MessageSource.IMPORT:
            return []
        by, seen_by = message.actor_id, message.visibility
        mentioned = news.mentions.get(message.id, ())
        mentions = [Happening(NotificationKind.MENTIONED, by, seen_by, concerns=each) for each in mentioned]
        return [*mentions, Happening(NotificationKind.REPLIED, by, seen_by)]
    item = await TimelineEvent.get_or_none(id=pending.item_id)
    happening = await _of_item(item, ticket) if item else None
    return [happening] if happening else []


async def _of_item(item: TimelineEvent, ticket: Ticket) -> Happening | None:
    match item.kind:
        case TimelineEventKind.STATUS if item.new_value and TicketStatus(item.new_value) in OF_STATUS:
            return Happening(OF_STATUS[TicketStatus(item.new_value)], item.actor_id, item.visibility)
        case TimelineEventKind.FIELD if item.field == "assignee" and ticket.assignee_id:
            return Happening(NotificationKind.ASSIGNED, item.actor_id, Visibility.INTERNAL, concerns=ticket.assignee_id)
        case TimelineEventKind.ESCALATION:
            entry = await EscalationEntry.get(id=item.entry_id)
            stage = {"stage": entry.stage.value}
            return Happening(NotificationKind.ESCALATION_STAGE, item.actor_id, item.visibility, values=stage)
        case TimelineEventKind.PARTICIPANT if item.user_id and item.new_value == ChangeType.ADDED:
            kind = NotificationKind.FOLLOWING if item.follower_id else NotificationKind.ADDED
            return Happening(kind, item.actor_id, item.visibility, concerns=item.user_id)
        case TimelineEventKind.RESOURCE:
            return Happening(NotificationKind.RESOURCE_SHARED, item.actor_id, item.visibility)
        case TimelineEventKind.CALL if not item.automatic:
            kind = NotificationKind.CALL if item.conference_call_id else NotificationKind.APPOINTMENT
            return Happening(kind, item.actor_id, item.visibility, values={"status": item.new_value or ""})
        case _:
            return None


def _people_on(facts: Facts) -> frozenset[UUID]:
    people = (*(facts[name] for name in HANDLING), *facts["participant_ids"], *facts["follower_ids"])
    return frozenset(each for each in map(as_id, people) if each is not None)


async def _hearing(news: News, people: Collection[UUID], ticket: Ticket, happening: Happening) -> list[UUID]:
    """Those of `people` who want to be told of it, by their preferences of now."""
    wishes = await news.wishes(ticket.id, people) if people else []
    return [key for key, in_app, muted in wishes if is_heard(happening.kind, in_app=in_app, muted=muted)]


def _may_know(viewer: Viewer | None, user_id: UUID, facts: Facts, happening: Happening) -> bool:
    """Nobody is told of what they may not read. It is asked again when it is read."""
    if viewer is None or (happening.visibility is Visibility.INTERNAL and not viewer.is_staff):
        return False
    return may_read_ticket(viewer, rights_of(facts, user_id))
