"""Changing what a ticket says of itself."""

from typing import Annotated

import strawberry
from strawberry import ID, Info

from domain import policy
from domain.enums import TicketPriority, TicketSeverity
from resolvers import ticket_update
from resolvers.ticket_update import Changes
from schema.inputs import CLIENT_MUTATION_ID
from schema.node import key_of, key_or_none
from schema.operations import GIVEN, mutation, shown
from schema.payloads import Payload, made
from schema.ticket import Ticket


@strawberry.input(description="What to change of a ticket; what is left out or null stays as it is.")
class TicketUpdateInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    expected_version: int | None = strawberry.field(
        description="The version you saw; a newer one refuses.", default=None
    )
    subject: str | None = strawberry.field(description="One line; at most 300 characters.", default=None)
    priority: TicketPriority | None = strawberry.field(description="How soon.", default=None)
    severity: TicketSeverity | None = strawberry.field(description="How bad.", default=None)
    classification_id: ID | None = strawberry.field(description="The finer sort of request.", default=None)
    issue_type_id: ID | None = strawberry.field(description="The kind of trouble.", default=None)
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.type(description="The ticket changed.")
class TicketUpdatePayload(Payload):
    ticket: Ticket | None = made("The ticket")


@strawberry.type
class TicketUpdateMutations:
    @mutation("Change what a ticket says of itself.", policy.UPDATE_TICKET)
    async def ticket_update(self, info: Info, input: Annotated[TicketUpdateInput, GIVEN]) -> TicketUpdatePayload:
        changes = Changes(
            subject=input.subject,
            priority=input.priority,
            severity=input.severity,
            classification_id=key_or_none(input.classification_id, "Classification", field="classificationId"),
            issue_type_id=key_or_none(input.issue_type_id, "IssueType", field="issueTypeId"),
        )
        ticket = await ticket_update.update_ticket(
            info.context,
            key_of(input.ticket_id, "Ticket", field="ticketId"),
            changes,
            expected_version=input.expected_version,
        )
        return TicketUpdatePayload(ticket=await shown(info, ticket))
