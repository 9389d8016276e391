"""Changing what a ticket says of itself."""

from typing import Annotated

import strawberry
from strawberry import ID, UNSET, Info

from domain import policy
from domain.enums import Confidentiality, TicketPriority, TicketSeverity
from resolvers import ticket_update
from resolvers.ticket_update import Changes
from schema.inputs import CLIENT_MUTATION_ID
from schema.node import key_or_none, keys_or_none
from schema.operations import GIVEN, check_place, key_or_left_out, mutation, shown, ticket_key
from schema.payloads import Payload, made
from schema.ticket import Ticket


@strawberry.input(description="What to change of a ticket; what is left out or null stays as it is, but for `spaceId`.")
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
    product_version_id: ID | None = strawberry.field(
        description="The version of its product; an update said of another version goes.", default=None
    )
    space_id: ID | None = strawberry.field(
        description="The room or desk it is about; null: none. Left out, it stays.", default=UNSET
    )
    device_ids: list[ID] | None = strawberry.field(
        description="The devices it is about, all of them; at most 100, an empty list: none.", default=None
    )
    confidentiality: Confidentiality | None = strawberry.field(
        description="Who in the organization sees it; for its author and support to say.", default=None
    )
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.type(description="The ticket changed.")
class TicketUpdatePayload(Payload):
    ticket: Ticket | None = made("The ticket")


@strawberry.type
class TicketUpdateMutations:
    @mutation("Change what a ticket says of itself.", policy.UPDATE_TICKET)
    async def ticket_update(self, info: Info, input: Annotated[TicketUpdateInput, GIVEN]) -> TicketUpdatePayload:
        given = keys_or_none(input.device_ids, "Device", field="deviceIds")
        devices = None if given is None else tuple(given)
        space = key_or_left_out(input.space_id, "Room", "Desk", field="spaceId")
        await check_place(info, input.space_id)
        changes = Changes(
            subject=input.subject,
            priority=input.priority,
            severity=input.severity,
            classification_id=key_or_none(input.classification_id, "Classification", field="classificationId"),
            issue_type_id=key_or_none(input.issue_type_id, "IssueType", field="issueTypeId"),
            product_version_id=key_or_none(input.product_version_id, "ProductVersion", field="productVersionId"),
            space_id=space,
            device_ids=devices,
            confidentiality=input.confidentiality,
        )
        ticket = await ticket_update.update_ticket(
            info.context,
            ticket_key(input.ticket_id),
            changes,
            expected_version=input.expected_version,
        )
        return TicketUpdatePayload(ticket=await shown(info, ticket))
