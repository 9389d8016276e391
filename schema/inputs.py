"""What mutations and lists are given, and how it becomes the resolvers' plain arguments."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry import ID

from domain.enums import (
    ClosureReason,
    Confidentiality,
    EscalationStage,
    OrderDirection,
    ResolutionReason,
    ServiceLevel,
    TicketChannel,
    TicketDisplayStatus,
    TicketPriority,
    TicketSeverity,
    TicketStatus,
    Visibility,
)
from engine.keyset import Order
from resolvers import ticket_filters, ticket_lists
from resolvers.ticket_creation import NewTicket
from schema.enums import TicketOrderField
from schema.node import key_of, key_or_none, keys_or_none
from schema.scalars import Locale, Markdown

FILES = "Its files, by the ids of their uploads; at most 5."
CLIENT_MUTATION_ID = "Comes back in the payload, so that a client can tell its requests apart."


def files_of(given: list[ID] | None) -> tuple[UUID, ...]:
    return tuple(keys_or_none(given, "Attachment", field="attachmentIds") or ())


@strawberry.input(description="A span of time: from `gte` on, up to but without `lt`.")
class DateTimeRange:
    gte: datetime | None = strawberry.field(description="From this instant on.", default=None)
    lt: datetime | None = strawberry.field(description="Before this instant.", default=None)

    @property
    def bounds(self) -> tuple[datetime | None, datetime | None]:
        return self.gte, self.lt


@strawberry.input(description="Conditions that all have to hold. Leave out what does not matter.")
class TicketFilter:
    and_: list["TicketFilter"] | None = strawberry.field(name="and", description="All of these hold.", default=None)
    or_: list["TicketFilter"] | None = strawberry.field(
        name="or", description="At least one of these holds.", default=None
    )
    not_: "TicketFilter | None" = strawberry.field(name="not", description="This does not hold.", default=None)
    statuses: list[TicketStatus] | None = strawberry.field(description="In one of these states.", default=None)
    display_statuses: list[TicketDisplayStatus] | None = strawberry.field(
        description="Shown in one of these states.", default=None
    )
    is_active: bool | None = strawberry.field(description="Neither resolved nor closed, or the contrary.", default=None)
    is_escalated: bool | None = strawberry.field(description="With an escalation under way, or without.", default=None)
    channels: list[TicketChannel] | None = strawberry.field(description="By one of these ways.", default=None)
    priorities: list[TicketPriority] | None = strawberry.field(description="Of one of these priorities.", default=None)
    organization_ids: list[ID] | None = strawberry.field(description="Of one of these organizations.", default=None)
    requester_ids: list[ID] | None = strawberry.field(description="Opened by one of these people.", default=None)
    assignee_ids: list[ID] | None = strawberry.field(description="Handled by one of these people.", default=None)
    follower_ids: list[ID] | None = strawberry.field(description="Followed by one of these people.", default=None)
    is_on_behalf: bool | None = strawberry.field(
        description="Filed by a partner for one of its customers, or not.", default=None
    )
    on_behalf_of_organization_ids: list[ID] | None = strawberry.field(
        description="Filed by a partner for one of these customers.", default=None
    )
    has_requester: bool | None = strawberry.field(description="With a known requester, or without.", default=None)
    space_ids: list[ID] | None = strawberry.field(description="About one of these rooms or desks.", default=None)
    room_ids: list[ID] | None = strawberry.field(description="About one of these rooms.", default=None)
    desk_ids: list[ID] | None = strawberry.field(description="About one of these desks.", default=None)
    device_ids: list[ID] | None = strawberry.field(description="About one of these devices.", default=None)
    service_levels: list[ServiceLevel] | None = strawberry.field(
        description="Opened under one of these service plans.", default=None
    )
    issue_type_ids: list[ID] | None = strawberry.field(description="About one of these kinds of trouble.", default=None)
    request_type_keys: list[str] | None = strawberry.field(description="Of one of these request types.", default=None)
    product_ids: list[ID] | None = strawberry.field(description="About one of these products.", default=None)
    references: list[str] | None = strawberry.field(description="With one of these references.", default=None)
    escalation_references: list[str] | None = strawberry.field(
        description="With an escalation of one of these references.", default=None
    )
    created_at: DateTimeRange | None = strawberry.field(description="Opened then.", default=None)
    last_activity_at: DateTimeRange | None = strawberry.field(description="Last active then.", default=None)
    unread_only: bool | None = strawberry.field(description="With something that you have not read.", default=None)
    text: str | None = strawberry.field(
        description="Every one of these words, or the beginning of one, stands in its subject, description or "
        "reference, in one of its messages or one of its escalations; at most 200 characters.",
        default=None,
    )

    def plain(self) -> ticket_filters.TicketFilter:
        """
        Raises:
            Invalid: an id is none, or of another type.
        """
        places = [keys_or_none(self.space_ids, "Room", "Desk", field="spaceIds")]
        places += [keys_or_none(self.room_ids, "Room", field="roomIds")]
        places += [keys_or_none(self.desk_ids, "Desk", field="deskIds")]
        spaces = [ticket_filters.TicketFilter(space_ids=each) for each in places if each is not None]
        return ticket_filters.TicketFilter(
            all_of=[*(each.plain() for each in self.and_ or []), *spaces] or None,
            any_of=None if self.or_ is None else [each.plain() for each in self.or_],
            none_of=self.not_.plain() if self.not_ else None,
            statuses=self.statuses,
            display_statuses=self.display_statuses,
            is_active=self.is_active,
            is_escalated=self.is_escalated,
            channels=self.channels,
            priorities=self.priorities,
            organization_ids=keys_or_none(self.organization_ids, "Organization", field="organizationIds"),
            requester_ids=keys_or_none(self.requester_ids, "User", field="requesterIds"),
            assignee_ids=keys_or_none(self.assignee_ids, "User", field="assigneeIds"),
            follower_ids=keys_or_none(self.follower_ids, "User", field="followerIds"),
            is_on_behalf=self.is_on_behalf,
            on_behalf_of_ids=keys_or_none(
                self.on_behalf_of_organization_ids, "Organization", field="onBehalfOfOrganizationIds"
            ),
            has_requester=self.has_requester,
            device_ids=keys_or_none(self.device_ids, "Device", field="deviceIds"),
            service_levels=self.service_levels,
            issue_type_ids=keys_or_none(self.issue_type_ids, "IssueType", field="issueTypeIds"),
            request_type_keys=self.request_type_keys,
            product_ids=keys_or_none(self.product_ids, "Product", field="productIds"),
            references=self.references,
            escalation_references=self.escalation_references,
            created_at=self.created_at.bounds if self.created_at else None,
            last_activity_at=self.last_activity_at.bounds if self.last_activity_at else None,
            unread_only=self.unread_only or None,
            text=self.text,
        )


@strawberry.input(description="The order of a list of tickets; ties are broken by id.")
class TicketOrder:
    field: TicketOrderField = strawberry.field(description="What to order by.")
    direction: OrderDirection = strawberry.field(description="Which end comes first.", default=OrderDirection.DESC)

    def plain(self) -> Order:
        order = ticket_lists.ORDERS[self.field.value]
        return order.flipped() if self.direction is OrderDirection.DESC else order


@strawberry.input(description="A message to be sent.")
class MessageInput:
    body: Markdown = strawberry.field(description="What it says; at most 64,000 characters.")
    visibility: Visibility = strawberry.field(
        description="INTERNAL is for staff, among staff.", default=Visibility.PUBLIC
    )
    attachment_ids: list[ID] | None = strawberry.field(description=FILES, default=None)
    in_reply_to_id: ID | None = strawberry.field(description="The message it answers.", default=None)

    def plain(self) -> dict[str, Any]:
        """
        Raises:
            Invalid: not an id, or one of another type.
        """
        return {
            "body": self.body,
            "visibility": self.visibility,
            "in_reply_to_id": key_or_none(self.in_reply_to_id, "ChatMessage", "EmailMessage", "Note", field="message"),
            "attachment_ids": files_of(self.attachment_ids),
        }


@strawberry.input(description="What a ticket is opened with.")
class TicketCreateInput:
    organization_id: ID = strawberry.field(description="In which organization.")
    request_type_key: str = strawberry.field(description="What kind of request: the `key` of a request type.")
    subject: str = strawberry.field(
        description="One line; at most 300 characters. A phone call may leave it empty; a conference call has its own."
    )
    description: Markdown = strawberry.field(description="The request; at most 64,000 characters.")
    project_id: ID | None = strawberry.field(description="The support project, to be checked.", default=None)
    channel: TicketChannel = strawberry.field(description="By which way.", default=TicketChannel.PORTAL)
    language: Locale | None = strawberry.field(description="The language it is written in.", default=None)
    product_id: ID | None = strawberry.field(description="The product it is about.", default=None)
    product_version_id: ID | None = strawberry.field(description="The version of that product.", default=None)
    product_update_id: ID | None = strawberry.field(description="The update of that version.", default=None)
    certificate_id: ID | None = strawberry.field(description="The certificate that entitles to it.", default=None)
    classification_id: ID | None = strawberry.field(description="The finer sort of request.", default=None)
    issue_type_id: ID | None = strawberry.field(description="The kind of trouble.", default=None)
    space_id: ID | None = strawberry.field(description="The room or desk it is about.", default=None)
    device_ids: list[ID] | None = strawberry.field(description="The devices it is about.", default=None)
    attachment_ids: list[ID] | None = strawberry.field(description=FILES, default=None)
    on_behalf_of_organization_id: ID | None = strawberry.field(
        description="The customer that a partner files it for.", default=None
    )
    draft_id: ID | None = strawberry.field(
        description="A draft of yours that it comes from; the draft goes when the ticket is there.", default=None
    )
    references_ticket_id: ID | None = strawberry.field(
        description="An earlier ticket that it quotes; one that you may see.", default=None
    )
    confidentiality: Confidentiality | None = strawberry.field(
        description="Who sees it; the request type's default where left out.", default=None
    )
    priority: TicketPriority = strawberry.field(description="How soon.", default=TicketPriority.NORMAL)
    severity: TicketSeverity = strawberry.field(description="How bad.", default=TicketSeverity.UNKNOWN)
    client_mutation_id: str | None = strawberry.field(
        description="The same one again opens no second ticket: it returns the first.", default=None
    )

    def plain(self) -> NewTicket:
        """
        Raises:
            Invalid: an id is none, or of another type.
        """
        return NewTicket(
            organization_id=key_of(self.organization_id, "Organization", field="organizationId"),
            request_type_key=self.request_type_key,
            subject=self.subject,
            description=self.description,
            channel=self.channel,
            language=self.language,
            priority=self.priority,
            severity=self.severity,
            confidentiality=self.confidentiality,
            on_behalf_of_id=key_or_none(
                self.on_behalf_of_organization_id, "Organization", field="onBehalfOfOrganizationId"
            ),
            classification_id=key_or_none(self.classification_id, "Classification", field="classificationId"),
            issue_type_id=key_or_none(self.issue_type_id, "IssueType", field="issueTypeId"),
            product_id=key_or_none(self.product_id, "Product", field="productId"),
            product_version_id=key_or_none(self.product_version_id, "ProductVersion", field="productVersionId"),
            product_update_id=key_or_none(self.product_update_id, "ProductUpdate", field="productUpdateId"),
            certificate_id=key_or_none(self.certificate_id, "ServiceCertificate", field="certificateId"),
            space_id=key_or_none(self.space_id, "Room", "Desk", field="spaceId"),
            device_ids=tuple(keys_or_none(self.device_ids, "Device", field="deviceIds") or ()),
            attachment_ids=files_of(self.attachment_ids),
            project_id=key_or_none(self.project_id, "SupportProject", field="projectId"),
            draft_id=key_or_none(self.draft_id, "TicketDraft", field="draftId"),
            quotes_id=key_or_none(self.references_ticket_id, "Ticket", field="referencesTicketId"),
            client_mutation_id=self.client_mutation_id,
        )


@strawberry.input(description="A message for a ticket's conversation.")
class MessageSendInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    message: MessageInput = strawberry.field(description="The message.")
    client_message_id: str = strawberry.field(
        description="An id of the client's own, new for every message: sending again with it never doubles the message."
    )
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="What to ask a ticket's customer for.")
class TicketRequestReplyInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    message: MessageInput = strawberry.field(description="The question; PUBLIC, so that it is seen.")
    client_mutation_id: str | None = strawberry.field(
        description="Comes back in the payload; asking again with it never doubles the message.", default=None
    )


@strawberry.input(description="A note for a ticket.")
class NoteAddInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    body: Markdown = strawberry.field(description="What it says; at most 64,000 characters.")
    visibility: Visibility = strawberry.field(
        description="INTERNAL is for staff, among staff.", default=Visibility.PUBLIC
    )
    attachment_ids: list[ID] | None = strawberry.field(description=FILES, default=None)
    mention_user_ids: list[ID] | None = strawberry.field(
        description="Whom it mentions: at most 20 people who may read it; they are told.", default=None
    )
    client_message_id: str | None = strawberry.field(
        description="As for a message: with it, a note that is sent again is not doubled.", default=None
    )
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="Who is to handle a ticket.")
class TicketAssignInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    assignee_id: ID | None = strawberry.field(description="Somebody from support; null for nobody.", default=None)
    expected_version: int | None = strawberry.field(
        description="The version you saw; a newer one refuses.", default=None
    )
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="A ticket to be resolved.")
class TicketResolveInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    reason: ResolutionReason | None = strawberry.field(description="Why; by who resolves it if left out.", default=None)
    message: Markdown | None = strawberry.field(description="A last word in the conversation.", default=None)
    expected_version: int | None = strawberry.field(
        description="The version you saw; a newer one refuses.", default=None
    )
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="A ticket to be closed for good.")
class TicketCloseInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    reason: ClosureReason | None = strawberry.field(description="Why; by who closes it if left out.", default=None)
    expected_version: int | None = strawberry.field(
        description="The version you saw; a newer one refuses.", default=None
    )
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="A resolved ticket to be reopened.")
class TicketReopenInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    comment: Markdown = strawberry.field(description="Why; it becomes a message.")
    attachment_ids: list[ID] | None = strawberry.field(description=FILES, default=None)
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="A ticket to be handed to engineering.")
class EscalationSubmitInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    issue_description: Markdown = strawberry.field(description="The issue, for engineering.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="The next stage of an escalation.")
class EscalationAdvanceInput:
    escalation_id: ID = strawberry.field(description="The escalation.")
    stage: EscalationStage = strawberry.field(description="The stage to enter: the next one.")
    note: Markdown | None = strawberry.field(description="What to say about it to everybody.", default=None)
    internal_note: Markdown | None = strawberry.field(description="What to say about it to staff.", default=None)
    estimated_resolution_at: datetime | None = strawberry.field(description="A new estimate.", default=None)
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="When a solution may be there.")
class EscalationSetEstimateInput:
    escalation_id: ID = strawberry.field(description="The escalation.")
    estimated_resolution_at: datetime | None = strawberry.field(
        description="The estimate; null takes it back.", default=None
    )
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="The customer's yes to a solution.")
class EscalationConfirmResolutionInput:
    escalation_id: ID = strawberry.field(description="The escalation.")
    comment: Markdown | None = strawberry.field(description="A word about it.", default=None)
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="The customer's no to a solution.")
class EscalationRejectResolutionInput:
    escalation_id: ID = strawberry.field(description="The escalation.")
    comment: Markdown = strawberry.field(description="What does not work yet.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)
