"""Who is typing."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, cast

import strawberry
from strawberry import ID, Info

from domain import policy
from domain.enums import Visibility
from resolvers import typing
from schema.access import signed_in
from schema.inputs import CLIENT_MUTATION_ID
from schema.node import global_id, key_of
from schema.operations import GIVEN, mutation
from schema.payloads import Payload, made
from schema.people import Actor

TicketID = Annotated[ID, strawberry.argument(description="The ticket.")]


@strawberry.type(description="Somebody has begun to type, or has stopped. It is not stored, and not told again.")
class TypingEvent:
    ticket_id: ID = strawberry.field(description="The ticket.")
    actor: Actor = strawberry.field(description="Who.")
    is_typing: bool = strawberry.field(description="Whether it has begun.")
    visibility: Visibility = strawberry.field(description="INTERNAL: to other staff.")
    expires_at: datetime = strawberry.field(description="When it is over unless it is told again.")


@strawberry.input(description="Whether you are typing.")
class TypingSetInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    is_typing: bool = strawberry.field(description="False: no longer.")
    visibility: Visibility = strawberry.field(
        description="INTERNAL is for staff, among staff.", default=Visibility.PUBLIC
    )
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.type(description="What is shown of your typing.")
class TypingSetPayload(Payload):
    expires_at: datetime | None = made("Until when it is shown; send it again before; null where it is not shown")


@strawberry.type
class TypingMutations:
    @mutation("Tell the others on a ticket that you are typing; again every 3 seconds or so.", policy.SHOW_TYPING)
    async def typing_set(self, info: Info, input: Annotated[TypingSetInput, GIVEN]) -> TypingSetPayload:
        expires_at = await typing.set_typing(
            info.context,
            key_of(input.ticket_id, "Ticket", field="ticketId"),
            is_typing=input.is_typing,
            visibility=input.visibility,
        )
        return TypingSetPayload(expires_at=expires_at)


@strawberry.type
class TypingSubscriptions:
    @strawberry.subscription(
        description="Who types on a ticket, you apart: at first who does now. It is not replayed after a break.",
        directives=signed_in(),
    )
    async def typing(self, info: Info, ticket_id: TicketID) -> AsyncGenerator[TypingEvent, None]:
        ticket = key_of(ticket_id, "Ticket", field="ticketId")
        async with aclosing(typing.watch_typing(info.context, ticket)) as changes:
            async for change in changes:
                yield TypingEvent(
                    ticket_id=global_id("Ticket", ticket),
                    actor=cast(Actor, change.actor),
                    is_typing=change.is_typing,
                    visibility=change.visibility,
                    expires_at=change.expires_at,
                )
