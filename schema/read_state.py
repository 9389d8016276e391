"""What of a ticket has been read: marking it, and following it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, cast

import strawberry
from strawberry import ID, Info

from domain import policy
from resolvers import read_marks
from schema.access import signed_in
from schema.inputs import CLIENT_MUTATION_ID
from schema.node import global_id, key_of
from schema.operations import GIVEN, mutation, shown
from schema.payloads import Payload, made
from schema.read_receipts import ReadReceipt
from schema.ticket import Ticket

TicketID = Annotated[ID, strawberry.argument(description="The ticket.")]


@strawberry.type(description="Somebody has read on, or marked something as unread. It is not told again.")
class ReadStateEvent:
    ticket_id: ID = strawberry.field(description="The ticket.")
    receipt: ReadReceipt = strawberry.field(description="How far this reader has read.")
    unread_count: int = strawberry.field(description="How many messages of the ticket you have not read.")


@strawberry.input(description="How far you have read a ticket.")
class TicketMarkReadInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    up_to_sequence: int = strawberry.field(
        description="The `sequence` of the last item read; one beyond the last item means the last."
    )
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="From where on a ticket is to count as unread for you.")
class TicketMarkUnreadInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    from_sequence: int = strawberry.field(description="The `sequence` of the first item that is unread.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.type(description="The ticket read.")
class TicketMarkReadPayload(Payload):
    ticket: Ticket | None = made("The ticket")


@strawberry.type(description="The ticket unread.")
class TicketMarkUnreadPayload(Payload):
    ticket: Ticket | None = made("The ticket")


@strawberry.type
class ReadStateMutations:
    @mutation("Say how far you have read a ticket; it never goes back.", policy.MARK_READ)
    async def ticket_mark_read(self, info: Info, input: Annotated[TicketMarkReadInput, GIVEN]) -> TicketMarkReadPayload:
        key = key_of(input.ticket_id, "Ticket", field="ticketId")
        ticket = await read_marks.mark_read(info.context, key, up_to=input.up_to_sequence)
        return TicketMarkReadPayload(ticket=await shown(info, ticket))

    @mutation("Mark a ticket as unread for you from an item on; it never goes forward.", policy.MARK_READ)
    async def ticket_mark_unread(
        self, info: Info, input: Annotated[TicketMarkUnreadInput, GIVEN]
    ) -> TicketMarkUnreadPayload:
        key = key_of(input.ticket_id, "Ticket", field="ticketId")
        ticket = await read_marks.mark_unread(info.context, key, from_=input.from_sequence)
        return TicketMarkUnreadPayload(ticket=await shown(info, ticket))


@strawberry.type
class ReadStateSubscriptions:
    @strawberry.subscription(
        description="How far a ticket has been read by whom: at first how things stand, then each who reads on.",
        directives=signed_in(),
    )
    async def read_state(self, info: Info, ticket_id: TicketID) -> AsyncGenerator[ReadStateEvent, None]:
        ticket = key_of(ticket_id, "Ticket", field="ticketId")
        async with aclosing(read_marks.watch_read_state(info.context, ticket)) as states:
            async for state in states:
                yield ReadStateEvent(
                    ticket_id=global_id("Ticket", ticket),
                    receipt=cast(Any, state.receipt),
                    unread_count=state.unread_count,
                )
