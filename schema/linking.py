"""Linking tickets, taking them apart, merging and splitting them."""

from typing import Annotated, Any, cast

import strawberry
from strawberry import ID, Info

from domain import policy
from domain.enums import TicketLinkKind
from resolvers import linking, merging, splitting
from schema.inputs import CLIENT_MUTATION_ID
from schema.node import key_of
from schema.operations import GIVEN, mutation, shown, ticket_key
from schema.payloads import Payload, made
from schema.ticket import Ticket
from schema.ticket_link import TicketLink


@strawberry.input(description="Two tickets to be linked: the source is `kind` the target.")
class TicketLinkInput:
    source_ticket_id: ID = strawberry.field(description="The ticket that it is said of.")
    target_ticket_id: ID = strawberry.field(description="The ticket it refers to.")
    kind: TicketLinkKind = strawberry.field(description="What the source is to the target.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="A link to be taken away.")
class TicketUnlinkInput:
    link_id: ID = strawberry.field(description="The link.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="A ticket to be closed, and the one that it goes on in.")
class TicketMergeInput:
    source_ticket_id: ID = strawberry.field(description="The one that is closed.")
    target_ticket_id: ID = strawberry.field(description="The one that it goes on in; of the same organization.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="Messages of a ticket that are a request of their own.")
class TicketSplitInput:
    ticket_id: ID = strawberry.field(description="The ticket, which keeps them.")
    message_ids: list[ID] = strawberry.field(
        description="Those to copy, at most 100; what the first that customers may read says becomes the description."
    )
    subject: str = strawberry.field(description="One line for the new ticket; at most 300 characters.")
    client_mutation_id: str | None = strawberry.field(
        description="The same one again opens no second ticket: it returns the first.", default=None
    )


@strawberry.type(description="The tickets linked.")
class TicketLinkPayload(Payload):
    link: TicketLink | None = made("What links them")


@strawberry.type(description="The tickets taken apart.")
class TicketUnlinkPayload(Payload):
    source: Ticket | None = made("The ticket that it was said of")
    target: Ticket | None = made("The ticket that it referred to")


@strawberry.type(description="The tickets merged.")
class TicketMergePayload(Payload):
    target: Ticket | None = made("The ticket that goes on")
    source: Ticket | None = made("The ticket that was closed")


@strawberry.type(description="The ticket split off.")
class TicketSplitPayload(Payload):
    ticket: Ticket | None = made("The new ticket")
    source: Ticket | None = made("The ticket it was a part of")


@strawberry.type
class LinkMutations:
    @mutation("Say that a ticket hangs together with another.", policy.LINK_TICKETS)
    async def ticket_link(self, info: Info, input: Annotated[TicketLinkInput, GIVEN]) -> TicketLinkPayload:
        link = await linking.link_tickets(info.context, *_two(input), kind=input.kind)
        return TicketLinkPayload(link=cast(Any, link))

    @mutation("Take two tickets apart that were linked.", policy.UNLINK_TICKETS)
    async def ticket_unlink(self, info: Info, input: Annotated[TicketUnlinkInput, GIVEN]) -> TicketUnlinkPayload:
        link_id = key_of(input.link_id, "TicketLink", field="linkId")
        source, target = await linking.unlink_tickets(info.context, link_id)
        return TicketUnlinkPayload(source=await shown(info, source), target=await shown(info, target))

    @mutation("Close a ticket that goes on in another, with whoever is on it.", policy.MERGE_TICKETS)
    async def ticket_merge(self, info: Info, input: Annotated[TicketMergeInput, GIVEN]) -> TicketMergePayload:
        source, target = await merging.merge_tickets(info.context, *_two(input))
        return TicketMergePayload(target=await shown(info, target), source=await shown(info, source))

    @mutation("Open a ticket with copies of some of another's messages and their files.", policy.SPLIT_TICKET)
    async def ticket_split(self, info: Info, input: Annotated[TicketSplitInput, GIVEN]) -> TicketSplitPayload:
        ticket, source = await splitting.split_ticket(
            info.context,
            ticket_key(input.ticket_id),
            message_ids=[
                key_of(each, "ChatMessage", "EmailMessage", "Note", field="messageIds") for each in input.message_ids
            ],
            subject=input.subject,
            client_mutation_id=input.client_mutation_id,
        )
        return TicketSplitPayload(ticket=await shown(info, ticket), source=await shown(info, source))


def _two(input: TicketLinkInput | TicketMergeInput) -> tuple[Any, Any]:
    return (
        key_of(input.source_ticket_id, "Ticket", field="sourceTicketId"),
        key_of(input.target_ticket_id, "Ticket", field="targetTicketId"),
    )
