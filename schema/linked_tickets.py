"""Opening a ticket from another."""

from typing import Annotated, Any, cast

import strawberry
from strawberry import ID, Info

from domain import policy
from domain.enums import TicketLinkKind
from resolvers import linked_tickets
from schema.inputs import FILES, files_of
from schema.node import key_of
from schema.operations import GIVEN, mutation, shown
from schema.payloads import Payload, made
from schema.scalars import Markdown
from schema.ticket import Ticket
from schema.ticket_link import TicketLink


@strawberry.input(description="A ticket to be opened from another, with what there is to add.")
class TicketCreateLinkedInput:
    source_ticket_id: ID = strawberry.field(description="The other ticket; it may be closed.")
    kind: TicketLinkKind | None = strawberry.field(
        description="What the new one is to it.", default=TicketLinkKind.FOLLOW_UP_OF
    )
    body: Markdown = strawberry.field(description="What there is to say; at most 64,000 characters.")
    subject: str | None = strawberry.field(description="One line; the other's if left out.", default=None)
    attachment_ids: list[ID] | None = strawberry.field(description=FILES, default=None)
    client_mutation_id: str | None = strawberry.field(
        description="The same one again opens no second ticket: it returns the first.", default=None
    )


@strawberry.type(description="The ticket opened from another.")
class TicketCreateLinkedPayload(Payload):
    ticket: Ticket | None = made("The new ticket")
    source: Ticket | None = made("The ticket it was opened from")
    link: TicketLink | None = made("What links them")


@strawberry.type
class LinkedTicketMutations:
    @mutation("Open a ticket that goes on from another, most of all a closed one.", policy.CREATE_LINKED_TICKET)
    async def ticket_create_linked(
        self, info: Info, input: Annotated[TicketCreateLinkedInput, GIVEN]
    ) -> TicketCreateLinkedPayload:
        link = await linked_tickets.create_linked_ticket(
            info.context,
            key_of(input.source_ticket_id, "Ticket", field="sourceTicketId"),
            kind=input.kind or TicketLinkKind.FOLLOW_UP_OF,
            body=input.body,
            subject=input.subject,
            attachment_ids=files_of(input.attachment_ids),
            client_mutation_id=input.client_mutation_id,
        )
        return TicketCreateLinkedPayload(
            ticket=await shown(info, cast(Any, link.source)),
            source=await shown(info, cast(Any, link.target)),
            link=cast(Any, link),
        )
