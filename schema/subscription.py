"""The subscriptions: each resumes after a cursor, and says when it has caught up."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, TypeVar, cast

import strawberry
from strawberry import ID, Info

import models
from domain.enums import ChangeType, StreamResetReason
from domain.errors import Invalid, NotFound
from realtime.cursor import Cursor as StreamCursor
from realtime.hub import CaughtUp, Reset
from resolvers import escalations, messages, ticket_streams
from resolvers.reading import found
from schema.access import signed_in
from schema.escalation import Escalation, EscalationTimelineEntry
from schema.node import key_of, key_or_none
from schema.scalars import Cursor
from schema.ticket import Ticket
from schema.timeline import Message, TimelineItem

Item = TypeVar("Item")

TicketID = Annotated[ID, strawberry.argument(description="The ticket.")]
Since = Annotated[
    Cursor | None,
    strawberry.argument(
        description="Only what came after this place: a ticket's `feedCursor`, or the last cursor received. "
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


@strawberry.type(description="A message came, or changed.")
class MessageChange:
    change_type: ChangeType = strawberry.field(description="What happened to it.")
    cursor: Cursor = strawberry.field(description="The place of this event: keep it, and resume after it.")
    message: Message | None = strawberry.field(description="The message; null once it is gone.")


@strawberry.type(description="An escalation entered a stage, or something else of it changed.")
class EscalationTimelineChange:
    change_type: ChangeType = strawberry.field(description="ADDED: a stage was entered. UPDATED: something else.")
    cursor: Cursor = strawberry.field(description="The place of this event: keep it, and resume after it.")
    escalation: Escalation = strawberry.field(description="The escalation as it is now.")
    entry: EscalationTimelineEntry | None = strawberry.field(
        description="The entry of the stage; null where none was entered."
    )


@strawberry.type(description="Something of a ticket changed.")
class TicketChange:
    change_type: ChangeType = strawberry.field(description="What happened to it.")
    cursor: Cursor = strawberry.field(description="The place of this event: keep it, and resume after it.")
    ticket: Ticket | None = strawberry.field(description="The ticket as it is now.")
    item: TimelineItem | None = strawberry.field(
        description="What its timeline tells of it; null where it tells nothing."
    )
    changed_fields: list[str] = strawberry.field(description="The names of its fields that changed.")


MessageStreamItem = Annotated[
    MessageChange | StreamCaughtUp | StreamReset,
    strawberry.union("MessageStreamItem", description="What the stream of a ticket's messages brings."),
]
EscalationStreamItem = Annotated[
    EscalationTimelineChange | StreamCaughtUp | StreamReset,
    strawberry.union("EscalationStreamItem", description="What the stream of escalations brings."),
]
TicketStreamItem = Annotated[
    TicketChange | StreamCaughtUp | StreamReset,
    strawberry.union("TicketStreamItem", description="What the stream of a ticket brings."),
]


@strawberry.type(description="What is pushed as it happens, and replayed after a break: nothing lost, nothing twice.")
class Subscription:
    @strawberry.subscription(description="The messages of a ticket.", directives=signed_in())
    async def messages(
        self, info: Info, ticket_id: TicketID, after: Since = None
    ) -> AsyncGenerator[MessageStreamItem, None]:
        ticket = key_of(ticket_id, "Ticket", field="ticketId")
        async with aclosing(messages.watch_messages(info.context, ticket, after=_place(after))) as steps:
            async for step in steps:
                if isinstance(step, CaughtUp | Reset):
                    yield _marker(step)
                else:
                    message, cursor = step
                    yield MessageChange(
                        change_type=ChangeType.ADDED, cursor=Cursor(str(cursor)), message=cast(Any, message)
                    )

    @strawberry.subscription(
        description="The stages of a ticket's escalations, or of one escalation: give one of the two ids.",
        directives=signed_in(),
    )
    async def escalation_timeline(
        self,
        info: Info,
        ticket_id: Annotated[
            ID | None, strawberry.argument(description="Follow all escalations of this ticket.")
        ] = None,
        escalation_id: Annotated[ID | None, strawberry.argument(description="Follow this escalation.")] = None,
        after: Since = None,
    ) -> AsyncGenerator[EscalationStreamItem, None]:
        ticket, escalation = await _followed(info, ticket_id, escalation_id)
        watch = escalations.watch_escalations(info.context, ticket, escalation_id=escalation, after=_place(after))
        async with aclosing(watch) as steps:
            async for step in steps:
                if isinstance(step, CaughtUp | Reset):
                    yield _marker(step)
                else:
                    yield EscalationTimelineChange(
                        change_type=ChangeType.ADDED if step.entry else ChangeType.UPDATED,
                        cursor=Cursor(str(step.cursor)),
                        escalation=cast(Any, step.escalation),
                        entry=cast(Any, step.entry),
                    )

    @strawberry.subscription(description="Everything that happens to a ticket.", directives=signed_in())
    async def ticket(
        self, info: Info, ticket_id: TicketID, after: Since = None
    ) -> AsyncGenerator[TicketStreamItem, None]:
        key = key_of(ticket_id, "Ticket", field="ticketId")
        async with aclosing(ticket_streams.watch_ticket(info.context, key, after=_place(after))) as steps:
            async for step in steps:
                if isinstance(step, CaughtUp | Reset):
                    yield _marker(step)
                else:
                    yield TicketChange(
                        change_type=step.change_type,
                        cursor=Cursor(str(step.cursor)),
                        ticket=cast(Any, step.ticket),
                        item=cast(Any, step.item),
                        changed_fields=step.changed_fields,
                    )


def _place(after: str | None) -> StreamCursor | None:
    return None if after is None else StreamCursor.parse(after)


def _marker(step: CaughtUp | Reset) -> StreamCaughtUp | StreamReset:
    cursor = Cursor(str(step.cursor))
    if isinstance(step, CaughtUp):
        return StreamCaughtUp(cursor=cursor)
    return StreamReset(reason=StreamResetReason(step.reason), cursor=cursor)


async def _followed(info: Info, ticket_id: str | None, escalation_id: str | None) -> Any:
    """The keys of the ticket and of the escalation to follow.

    Raises:
        Invalid: both ids are given, or none.
        NotFound: there is no such escalation that the viewer may see.
    """
    if (ticket_id is None) == (escalation_id is None):
        raise Invalid("Give `ticketId` or `escalationId`, one of the two.", field=("ticketId",))
    ticket = key_or_none(ticket_id, "Ticket", field="ticketId")
    key = key_or_none(escalation_id, "Escalation", field="escalationId")
    if key is not None:
        escalation = await found(info.context, models.Escalation, key)
        if escalation is None:
            raise NotFound("escalation", field=("escalationId",))
        ticket = escalation.ticket_id
    return ticket, key
