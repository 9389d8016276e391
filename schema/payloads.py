"""What mutations answer: what they made or changed, or why they did not."""

from typing import Any

import strawberry
from strawberry import Info

import models
from schema.errors import UserError
from schema.escalation import Escalation, EscalationTimelineEntry
from schema.operations import shown
from schema.ticket import Ticket
from schema.timeline import Message, Note


def made(description: str) -> Any:
    return strawberry.field(description=f"{description}; null where it was refused.", default=None)


@strawberry.type(description="Part of every payload.")
class Payload:
    errors: list[UserError] = strawberry.field(
        description="Why it was refused; empty where it was done.", default_factory=list
    )
    client_mutation_id: str | None = strawberry.field(description="The one of the input.", default=None)


@strawberry.type(description="The ticket assigned.")
class TicketAssignPayload(Payload):
    ticket: Ticket | None = made("The ticket")


@strawberry.type(description="The ticket resolved.")
class TicketResolvePayload(Payload):
    ticket: Ticket | None = made("The ticket")


@strawberry.type(description="The ticket closed.")
class TicketClosePayload(Payload):
    ticket: Ticket | None = made("The ticket")


@strawberry.type(description="The ticket reopened.")
class TicketReopenPayload(Payload):
    ticket: Ticket | None = made("The ticket")
    message: Message | None = made("The comment")


@strawberry.type(description="The message sent.")
class MessageSendPayload(Payload):
    message: Message | None = made("The message")
    written_in: strawberry.Private[models.Ticket | None] = None

    @strawberry.field(description="Its ticket; null where it was refused.")
    async def ticket(self, info: Info) -> Ticket | None:
        return await shown(info, self.written_in) if self.written_in else None


@strawberry.type(description="The question asked.")
class TicketRequestReplyPayload(MessageSendPayload):
    pass


@strawberry.type(description="The note added.")
class NoteAddPayload(Payload):
    note: Note | None = made("The note")


@strawberry.type(description="The escalation submitted.")
class EscalationSubmitPayload(Payload):
    escalation: Escalation | None = made("The new escalation")
    ticket: Ticket | None = made("Its ticket")


@strawberry.type(description="The escalation moved on.")
class EscalationAdvancePayload(Payload):
    escalation: Escalation | None = made("The escalation")
    entry: EscalationTimelineEntry | None = made("The entry of its new stage")


@strawberry.type(description="The estimate set.")
class EscalationSetEstimatePayload(Payload):
    escalation: Escalation | None = made("The escalation")


@strawberry.type(description="The resolution confirmed.")
class EscalationConfirmResolutionPayload(Payload):
    escalation: Escalation | None = made("The escalation")


@strawberry.type(description="The resolution rejected.")
class EscalationRejectResolutionPayload(Payload):
    escalation: Escalation | None = made("The escalation")
