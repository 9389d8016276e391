"""What all streams have in common: the place they go on from, the markers between events, changes of tickets."""

from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import ID

from domain.enums import ChangeType, StreamResetReason
from engine.keyset import PagingError
from realtime.cursor import Cursor as StreamCursor
from realtime.hub import CaughtUp, Reset
from resolvers.context import Context
from resolvers.streams import place_after
from schema.scalars import Cursor
from schema.ticket import Ticket
from schema.timeline import TimelineItem, timeline_order

Since = Annotated[
    Cursor | None,
    strawberry.argument(
        description="Only what came after this place: a ticket's `feedCursor`, the last cursor received, or in the "
        "streams of one ticket the `cursor` of an item of its timeline. "
        "Without it the stream begins now."
    ),
]


@strawberry.type(description="Everything up to here was replay; what follows is live.")
class StreamCaughtUp:
    cursor: Cursor = strawberry.field(description="The place reached.")


@strawberry.type(
    description="The stream cannot go on from the place given: load the page again, then go on from `cursor`."
)
class StreamReset:
    reason: StreamResetReason = strawberry.field(description="Why.")
    cursor: Cursor = strawberry.field(description="The place it goes on from.")


@strawberry.type(description="Something of a ticket changed.")
class TicketChange:
    change_type: ChangeType = strawberry.field(description="What happened to it; in a list: it came in, changed, went.")
    cursor: Cursor = strawberry.field(description="The place of this event: keep it, and resume after it.")
    ticket: Ticket | None = strawberry.field(
        description="The ticket as it is now; null where it was removed, or is no longer shown to you by now."
    )
    removed_id: ID | None = strawberry.field(
        description="The id of a ticket that a list no longer holds, or that you may no longer see.", default=None
    )
    item: TimelineItem | None = strawberry.field(
        description="What its timeline tells of it; null where it tells nothing, or the ticket was removed."
    )
    changed_fields: list[str] = strawberry.field(description="The names of its fields that changed.")


TicketStreamItem = Annotated[
    TicketChange | StreamCaughtUp | StreamReset,
    strawberry.union("TicketStreamItem", description="What the stream of a ticket, or of a list of tickets, brings."),
]


def place(after: str | None) -> StreamCursor | None:
    return None if after is None else StreamCursor.parse(after)


async def place_on_ticket(ctx: Context, ticket_id: UUID, after: str | None) -> StreamCursor | None:
    """As `place`, for the streams of a ticket: the `cursor` of an item of its timeline is a place too."""
    if after is None:
        return None
    try:
        _, item_id = timeline_order(ctx.viewer).position(after, "after")
    except PagingError:
        return StreamCursor.parse(after)
    return await place_after(ctx, ticket_id, item_id)


def marker(step: CaughtUp | Reset) -> StreamCaughtUp | StreamReset:
    cursor = Cursor(str(step.cursor))
    if isinstance(step, CaughtUp):
        return StreamCaughtUp(cursor=cursor)
    return StreamReset(reason=StreamResetReason(step.reason), cursor=cursor)
