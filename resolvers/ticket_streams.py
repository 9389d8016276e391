"""Following a ticket as a whole."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain import policy
from domain.enums import ChangeType
from models import Message, Ticket, TimelineEvent
from realtime.cursor import Cursor
from realtime.hub import CaughtUp, Delivered, Reset
from realtime.log import Event
from resolvers.context import Context
from resolvers.reading import found
from resolvers.streams import MESSAGE_ADDED, TICKET_CHANGED, TICKET_CREATED, follow

TOLD = frozenset({TICKET_CREATED, TICKET_CHANGED, MESSAGE_ADDED})
"""The kinds of events that are told to whoever follows a ticket."""


@dataclass(frozen=True, slots=True)
class TicketChange:
    """A change of a ticket: what of it changed, and the timeline item that tells it, if one does.

    What a list no longer holds has no `ticket` but a `removed_id`.
    """

    change_type: ChangeType
    cursor: Cursor
    ticket: Ticket | None
    item: Message | TimelineEvent | None
    changed_fields: list[str]
    removed_id: UUID | None = None


async def watch_ticket(
    ctx: Context, ticket_id: UUID, *, after: Cursor | None
) -> AsyncGenerator[TicketChange | CaughtUp | Reset, None]:
    """Everything that happens to a ticket after `after`: as `watch_messages`. The ticket is told as it is now."""
    policy.check_authenticated(ctx.viewer)
    async with aclosing(follow(ctx, ticket_id, after)) as steps:
        async for step in steps:
            match step:
                case Delivered(event, cursor) if event.kind in TOLD:
                    ctx.refresh()
                    ticket = await found(ctx, Ticket, ticket_id)
                    if ticket is not None:
                        yield TicketChange(
                            change_type=change_type(event),
                            cursor=cursor,
                            ticket=ticket,
                            item=await _item(event.data),
                            changed_fields=list(event.data["fields"]),
                        )
                case Delivered():
                    continue
                case _:
                    yield step


def change_type(event: Event) -> ChangeType:
    return ChangeType.ADDED if event.kind == TICKET_CREATED else ChangeType.UPDATED


async def _item(data: Any) -> Message | TimelineEvent | None:
    if message_id := data.get("message"):
        return await Message.get_or_none(id=UUID(message_id))
    if event_id := data.get("item"):
        return await TimelineEvent.get_or_none(id=UUID(event_id))
    return None
