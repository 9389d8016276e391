"""Who has a ticket open."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Any, cast

import strawberry
from strawberry import ID, Info

from domain import policy
from domain.enums import PresenceState
from resolvers import presence
from schema.access import signed_in
from schema.inputs import CLIENT_MUTATION_ID
from schema.node import global_id, key_of
from schema.operations import GIVEN, mutation
from schema.payloads import Payload, made
from schema.people import Actor

TicketID = Annotated[ID, strawberry.argument(description="The ticket.")]


@strawberry.type(description="Somebody has a ticket open.")
class Presence:
    actor: Actor = strawberry.field(description="Who.")
    state: PresenceState = strawberry.field(
        description="What this person does; of support only as much as you may see."
    )
    since: datetime = strawberry.field(description="Since when.")
    expires_at: datetime = strawberry.field(description="When it is over unless it is told again.")


@strawberry.type(description="Somebody came, went, or does something else. It is not stored, and not told again.")
class PresenceEvent:
    ticket_id: ID = strawberry.field(description="The ticket.")
    viewers: list[Presence] = strawberry.field(description="All who have it open now, as far as you may see them.")


@strawberry.input(description="What you do on a ticket.")
class PresenceSetInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    state: PresenceState = strawberry.field(description="What you do; OFFLINE: you are not shown.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.type(description="What is shown of your presence.")
class PresenceSetPayload(Payload):
    expires_at: datetime | None = made(
        "Until when it is shown unless you follow `presence`, which keeps it; null where it is not shown"
    )


@strawberry.type
class PresenceMutations:
    @mutation("Tell the others on a ticket that you have it open.", policy.BE_PRESENT)
    async def presence_set(self, info: Info, input: Annotated[PresenceSetInput, GIVEN]) -> PresenceSetPayload:
        ticket = key_of(input.ticket_id, "Ticket", field="ticketId")
        return PresenceSetPayload(expires_at=await presence.set_presence(info.context, ticket, input.state))


@strawberry.type
class PresenceSubscriptions:
    @strawberry.subscription(
        description="Who has a ticket open: now, and at each change. Your own presence lasts while you follow it.",
        directives=signed_in(),
    )
    async def presence(self, info: Info, ticket_id: TicketID) -> AsyncGenerator[PresenceEvent, None]:
        ticket = key_of(ticket_id, "Ticket", field="ticketId")
        async with aclosing(presence.watch_presence(info.context, ticket)) as changes:
            async for present in changes:
                yield PresenceEvent(ticket_id=global_id("Ticket", ticket), viewers=cast(Any, present))
