"""Putting a ticket on hold."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import ID, Info

from domain import policy
from resolvers import holding
from schema.inputs import CLIENT_MUTATION_ID
from schema.operations import GIVEN, mutation, shown, ticket_key
from schema.payloads import Payload, made
from schema.ticket import Ticket


@strawberry.input(description="A ticket to be put on hold.")
class TicketHoldInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    until: datetime = strawberry.field(description="When it goes on by itself; at most a year from now.")
    reason: str | None = strawberry.field(
        description="What is waited for, in one line; everybody on the ticket reads it.", default=None
    )
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.type(description="The ticket put on hold.")
class TicketHoldPayload(Payload):
    ticket: Ticket | None = made("The ticket")


@strawberry.type
class HoldMutations:
    @mutation("Put a ticket on hold: it is not resolved for inactivity until then.", policy.HOLD_TICKET)
    async def ticket_hold(self, info: Info, input: Annotated[TicketHoldInput, GIVEN]) -> TicketHoldPayload:
        ticket = await holding.hold_ticket(
            info.context, ticket_key(input.ticket_id), until=input.until, reason=input.reason
        )
        return TicketHoldPayload(ticket=await shown(info, ticket))
