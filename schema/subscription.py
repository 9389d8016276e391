"""The subscriptions: each resumes after a cursor, and says when it has caught up."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Annotated, Any, TypeVar, cast

import strawberry
from strawberry import ID, Info
from tortoise.expressions import Q

import models
from domain.enums import ChangeType
from domain.errors import Invalid, NotFound
from engine.declare import PLAN, EventRow, Followed, Following
from realtime.hub import CaughtUp, Reset
from resolvers import escalations, messages, ticket_streams
from resolvers.context import Context
from resolvers.history import found_unless_withheld
from resolvers.streams import ESCALATION_CHANGED, ESCALATION_ENTERED, MESSAGE_ADDED, following
from schema.access import signed_in
from schema.escalation import Escalation, EscalationTimelineEntry
from schema.job import JobSubscriptions
from schema.live_lists import TicketListSubscriptions, told
from schema.node import key_of, key_or_none
from schema.notifications import NotificationSubscriptions
from schema.presence import PresenceSubscriptions
from schema.queue_stats import QueueStatsSubscriptions
from schema.read_state import ReadStateSubscriptions
from schema.scalars import Cursor
from schema.streams import Since, StreamCaughtUp, StreamReset, TicketStreamItem, marker, place_on_ticket
from schema.timeline import Message
from schema.typing import TypingSubscriptions

Item = TypeVar("Item")

TicketID = Annotated[ID, strawberry.argument(description="The ticket.")]


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


MessageStreamItem = Annotated[
    MessageChange | StreamCaughtUp | StreamReset,
    strawberry.union("MessageStreamItem", description="What the stream of a ticket's messages brings."),
]
EscalationStreamItem = Annotated[
    EscalationTimelineChange | StreamCaughtUp | StreamReset,
    strawberry.union("EscalationStreamItem", description="What the stream of escalations brings."),
]


async def _follow_messages(context: Context, args: Mapping[str, Any]) -> Following:
    ticket = key_of(args["ticketId"], "Ticket", field="ticketId")
    return following(context, ticket, await place_on_ticket(context, ticket, args.get("after")))


async def _follow_escalations(context: Context, args: Mapping[str, Any]) -> Following:
    ticket, escalation = await _followed(context, args.get("ticketId"), args.get("escalationId"))
    wanted = str(escalation) if escalation else None
    at = await place_on_ticket(context, ticket, args.get("after"))
    return following(context, ticket, at, lambda event: wanted in (None, event.data["escalation"]))


async def _follow_ticket(context: Context, args: Mapping[str, Any]) -> Following:
    ticket = key_of(args["ticketId"], "Ticket", field="ticketId")
    return following(context, ticket, await place_on_ticket(context, ticket, args.get("after")))


_MESSAGE = EventRow(models.Message, lambda event: event.data.get("message"), models.Message.shown_on_readable_ticket)

MESSAGES = Followed(
    open=_follow_messages,
    kinds=frozenset({MESSAGE_ADDED}),
    event_type="MessageChange",
    values={"changeType": lambda event: ChangeType.ADDED.value},
    rows={"message": (_MESSAGE,)},
)

ESCALATIONS = Followed(
    open=_follow_escalations,
    kinds=frozenset({ESCALATION_ENTERED, ESCALATION_CHANGED}),
    event_type="EscalationTimelineChange",
    values={"changeType": lambda event: (ChangeType.ADDED if event.data.get("entry") else ChangeType.UPDATED).value},
    rows={
        "escalation": (EventRow(models.Escalation, lambda event: event.data["escalation"], lambda viewer: Q()),),
        "entry": (EventRow(models.EscalationEntry, lambda event: event.data.get("entry"), lambda viewer: Q()),),
    },
)

TICKET = Followed(
    open=_follow_ticket,
    kinds=ticket_streams.TOLD,
    event_type="TicketChange",
    values={
        "changeType": lambda event: ticket_streams.change_type(event).value,
        "changedFields": lambda event: list(event.data["fields"]),
        "removedId": lambda event: None,
    },
    rows={
        "ticket": (EventRow(models.Ticket, lambda event: event.topic.split(":")[1], lambda viewer: Q()),),
        "item": (
            _MESSAGE,
            EventRow(
                models.TimelineEvent,
                lambda event: event.data.get("item"),
                models.TimelineEvent.shown_on_readable_ticket,
            ),
        ),
    },
    must="ticket",
)
"""Whoever follows may read the ticket: the guard of the stream asks, and customers have one of their own."""


@strawberry.type(description="What is pushed as it happens, and replayed after a break: nothing lost, nothing twice.")
class Subscription(
    TicketListSubscriptions,
    QueueStatsSubscriptions,
    TypingSubscriptions,
    PresenceSubscriptions,
    ReadStateSubscriptions,
    NotificationSubscriptions,
    JobSubscriptions,
):
    @strawberry.subscription(description="The messages of a ticket.", directives=signed_in(), metadata={PLAN: MESSAGES})
    async def messages(
        self, info: Info, ticket_id: TicketID, after: Since = None
    ) -> AsyncGenerator[MessageStreamItem, None]:
        ticket = key_of(ticket_id, "Ticket", field="ticketId")
        at = await place_on_ticket(info.context, ticket, after)
        async with aclosing(messages.watch_messages(info.context, ticket, after=at)) as steps:
            async for step in steps:
                if isinstance(step, CaughtUp | Reset):
                    yield marker(step)
                else:
                    message, cursor = step
                    yield MessageChange(
                        change_type=ChangeType.ADDED, cursor=Cursor(str(cursor)), message=cast(Any, message)
                    )

    @strawberry.subscription(
        description="The stages of a ticket's escalations, or of one escalation: give one of the two ids.",
        directives=signed_in(),
        metadata={PLAN: ESCALATIONS},
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
        ticket, escalation = await _followed(info.context, ticket_id, escalation_id)
        at = await place_on_ticket(info.context, ticket, after)
        watch = escalations.watch_escalations(info.context, ticket, escalation_id=escalation, after=at)
        async with aclosing(watch) as steps:
            async for step in steps:
                if isinstance(step, CaughtUp | Reset):
                    yield marker(step)
                else:
                    yield EscalationTimelineChange(
                        change_type=ChangeType.ADDED if step.entry else ChangeType.UPDATED,
                        cursor=Cursor(str(step.cursor)),
                        escalation=cast(Any, step.escalation),
                        entry=cast(Any, step.entry),
                    )

    @strawberry.subscription(
        description="Everything that happens to a ticket.", directives=signed_in(), metadata={PLAN: TICKET}
    )
    async def ticket(
        self, info: Info, ticket_id: TicketID, after: Since = None
    ) -> AsyncGenerator[TicketStreamItem, None]:
        key = key_of(ticket_id, "Ticket", field="ticketId")
        at = await place_on_ticket(info.context, key, after)
        async with aclosing(ticket_streams.watch_ticket(info.context, key, after=at)) as steps:
            async for step in steps:
                yield told(step)


async def _followed(context: Context, ticket_id: str | None, escalation_id: str | None) -> Any:
    """The keys of the ticket and of the escalation to follow.

    Raises:
        Invalid: both ids are given, or none.
        NotFound: there is no such escalation that the viewer may see.
        HistoryUnavailable: a regulation alone withholds it (S11).
    """
    if (ticket_id is None) == (escalation_id is None):
        raise Invalid("Give `ticketId` or `escalationId`, one of the two.", field=("ticketId",))
    ticket = key_or_none(ticket_id, "Ticket", field="ticketId")
    key = key_or_none(escalation_id, "Escalation", field="escalationId")
    if key is not None:
        escalation = await found_unless_withheld(context, models.Escalation, key)
        if escalation is None:
            raise NotFound("escalation", field=("escalationId",))
        ticket = escalation.ticket_id
    return ticket, key
