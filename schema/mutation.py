"""The mutations: arguments in, resolver called, payload out."""

from typing import Annotated, Any, cast

import strawberry
from strawberry import Info

from domain import policy
from resolvers import drafts, escalations, messages, tickets
from schema import inputs, payloads
from schema.attachment import AttachmentMutations
from schema.catalog_roots import CatalogMutations
from schema.draft import DraftMutations, TicketCreatePayload, broken
from schema.feedback import FeedbackMutations
from schema.holding import HoldMutations
from schema.inputs import files_of
from schema.inventory_saving import InventoryMutations
from schema.job import JobMutations
from schema.knowledge import KnowledgeMutations
from schema.linked_tickets import LinkedTicketMutations
from schema.linking import LinkMutations
from schema.members import MemberMutations
from schema.node import key_of, key_or_none, keys_or_none
from schema.notification_preferences import NotificationPreferencesMutations
from schema.notifications import NotificationMutations
from schema.operations import GIVEN, check_place, just_opened, mutation, shown, ticket_key
from schema.organization_saving import OrganizationMutations
from schema.presence import PresenceMutations
from schema.read_state import ReadStateMutations
from schema.resource_sharing import ResourceMutations
from schema.scheduling import SchedulingMutations
from schema.ticket_people import TicketPeopleMutations
from schema.ticket_update import TicketUpdateMutations
from schema.typing import TypingMutations


def _escalation(given: str) -> Any:
    return key_of(given, "Escalation", field="escalationId")


@strawberry.type(description="Everything that changes something. What is refused changes nothing.")
class Mutation(
    TypingMutations,
    PresenceMutations,
    AttachmentMutations,
    ReadStateMutations,
    CatalogMutations,
    NotificationMutations,
    NotificationPreferencesMutations,
    MemberMutations,
    OrganizationMutations,
    InventoryMutations,
    KnowledgeMutations,
    DraftMutations,
    TicketPeopleMutations,
    FeedbackMutations,
    LinkedTicketMutations,
    LinkMutations,
    HoldMutations,
    TicketUpdateMutations,
    JobMutations,
    SchedulingMutations,
    ResourceMutations,
):
    @mutation("Open a ticket.", policy.CREATE_TICKET)
    async def ticket_create(self, info: Info, input: Annotated[inputs.TicketCreateInput, GIVEN]) -> TicketCreatePayload:
        new = input.plain()
        await check_place(info, input.space_id)
        opened = await drafts.open_ticket(info.context, new)
        if opened.ticket is None:
            return TicketCreatePayload(saved_draft=cast(Any, opened.draft), errors=[broken()])
        return TicketCreatePayload(ticket=await just_opened(info, opened.ticket))

    @mutation("Give a ticket to somebody in support, or to nobody.", policy.ASSIGN_TICKET)
    async def ticket_assign(
        self, info: Info, input: Annotated[inputs.TicketAssignInput, GIVEN]
    ) -> payloads.TicketAssignPayload:
        ticket = await tickets.assign_ticket(
            info.context,
            ticket_key(input.ticket_id),
            assignee_id=key_or_none(input.assignee_id, "User", field="assigneeId"),
            expected_version=input.expected_version,
        )
        return payloads.TicketAssignPayload(ticket=await shown(info, ticket))

    @mutation("Resolve a ticket: support or the customer says it is solved.", policy.RESOLVE_TICKET)
    async def ticket_resolve(
        self, info: Info, input: Annotated[inputs.TicketResolveInput, GIVEN]
    ) -> payloads.TicketResolvePayload:
        ticket = await tickets.resolve_ticket(
            info.context,
            ticket_key(input.ticket_id),
            reason=input.reason,
            message=input.message,
            expected_version=input.expected_version,
        )
        return payloads.TicketResolvePayload(ticket=await shown(info, ticket))

    @mutation("Close a ticket for good.", policy.CLOSE_TICKET)
    async def ticket_close(
        self, info: Info, input: Annotated[inputs.TicketCloseInput, GIVEN]
    ) -> payloads.TicketClosePayload:
        ticket = await tickets.close_ticket(
            info.context, ticket_key(input.ticket_id), reason=input.reason, expected_version=input.expected_version
        )
        return payloads.TicketClosePayload(ticket=await shown(info, ticket))

    @mutation("Reopen a resolved ticket, within its organization's time.", policy.REOPEN_TICKET)
    async def ticket_reopen(
        self, info: Info, input: Annotated[inputs.TicketReopenInput, GIVEN]
    ) -> payloads.TicketReopenPayload:
        ticket, message = await tickets.reopen_ticket(
            info.context,
            ticket_key(input.ticket_id),
            comment=input.comment,
            attachment_ids=files_of(input.attachment_ids),
        )
        return payloads.TicketReopenPayload(ticket=await shown(info, ticket), message=cast(Any, message))

    @mutation("Write in a ticket's conversation.", policy.SEND_MESSAGE)
    async def message_send(
        self, info: Info, input: Annotated[inputs.MessageSendInput, GIVEN]
    ) -> payloads.MessageSendPayload:
        message, ticket = await messages.send_message(
            info.context,
            ticket_key(input.ticket_id),
            **input.message.plain(),
            client_message_id=input.client_message_id,
        )
        return payloads.MessageSendPayload(message=cast(Any, message), written_in=ticket)

    @mutation(
        "Ask the customer for something: then it is the customer's turn, also on a ticket that was resolved.",
        policy.REQUEST_REPLY,
    )
    async def ticket_request_reply(
        self, info: Info, input: Annotated[inputs.TicketRequestReplyInput, GIVEN]
    ) -> payloads.TicketRequestReplyPayload:
        message, ticket = await messages.request_reply(
            info.context, ticket_key(input.ticket_id), **input.message.plain(), key=input.client_mutation_id
        )
        return payloads.TicketRequestReplyPayload(message=cast(Any, message), written_in=ticket)

    @mutation("Put a note beside the conversation.", policy.ADD_NOTE)
    async def note_add(self, info: Info, input: Annotated[inputs.NoteAddInput, GIVEN]) -> payloads.NoteAddPayload:
        note, _ = await messages.add_note(
            info.context,
            ticket_key(input.ticket_id),
            body=input.body,
            visibility=input.visibility,
            client_message_id=input.client_message_id,
            attachment_ids=files_of(input.attachment_ids),
            mention_ids=tuple(keys_or_none(input.mention_user_ids, "User", field="mentionUserIds") or ()),
        )
        return payloads.NoteAddPayload(note=cast(Any, note))

    @mutation("Hand a ticket to engineering.", policy.SUBMIT_ESCALATION)
    async def escalation_submit(
        self, info: Info, input: Annotated[inputs.EscalationSubmitInput, GIVEN]
    ) -> payloads.EscalationSubmitPayload:
        escalation, ticket = await escalations.submit_escalation(
            info.context, ticket_key(input.ticket_id), issue_description=input.issue_description
        )
        return payloads.EscalationSubmitPayload(escalation=cast(Any, escalation), ticket=await shown(info, ticket))

    @mutation("Move an escalation to its next stage.", policy.ADVANCE_ESCALATION)
    async def escalation_advance(
        self, info: Info, input: Annotated[inputs.EscalationAdvanceInput, GIVEN]
    ) -> payloads.EscalationAdvancePayload:
        escalation, entry = await escalations.advance_escalation(
            info.context,
            _escalation(input.escalation_id),
            stage=input.stage,
            note=input.note,
            internal_note=input.internal_note,
            estimate=input.estimated_resolution_at,
        )
        return payloads.EscalationAdvancePayload(escalation=cast(Any, escalation), entry=cast(Any, entry))

    @mutation("Say when a solution may be there, or take that back.", policy.ADVANCE_ESCALATION)
    async def escalation_set_estimate(
        self, info: Info, input: Annotated[inputs.EscalationSetEstimateInput, GIVEN]
    ) -> payloads.EscalationSetEstimatePayload:
        escalation = await escalations.set_estimate(
            info.context, _escalation(input.escalation_id), estimate=input.estimated_resolution_at
        )
        return payloads.EscalationSetEstimatePayload(escalation=cast(Any, escalation))

    @mutation("Say that a solution works: the escalation is over.", policy.DECIDE_RESOLUTION)
    async def escalation_confirm_resolution(
        self, info: Info, input: Annotated[inputs.EscalationConfirmResolutionInput, GIVEN]
    ) -> payloads.EscalationConfirmResolutionPayload:
        escalation = await escalations.confirm_resolution(
            info.context, _escalation(input.escalation_id), comment=input.comment
        )
        return payloads.EscalationConfirmResolutionPayload(escalation=cast(Any, escalation))

    @mutation("Say that a solution does not work, and why: back to engineering.", policy.DECIDE_RESOLUTION)
    async def escalation_reject_resolution(
        self, info: Info, input: Annotated[inputs.EscalationRejectResolutionInput, GIVEN]
    ) -> payloads.EscalationRejectResolutionPayload:
        escalation = await escalations.reject_resolution(
            info.context, _escalation(input.escalation_id), comment=input.comment
        )
        return payloads.EscalationRejectResolutionPayload(escalation=cast(Any, escalation))
