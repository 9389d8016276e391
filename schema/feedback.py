"""What customers think of the support."""

from typing import Annotated, Any, cast

import strawberry
from strawberry import ID, Info

from domain import policy
from resolvers import feedback
from schema.inputs import CLIENT_MUTATION_ID
from schema.node import key_of
from schema.operations import GIVEN, mutation
from schema.payloads import Payload, made
from schema.ticket import Feedback


@strawberry.input(description="What you think of the support that a ticket got.")
class FeedbackSubmitInput:
    ticket_id: ID = strawberry.field(description="The ticket; resolved or closed.")
    rating: int = strawberry.field(description="From 1, bad, to 5, good.")
    comment: str | None = strawberry.field(description="In words; at most 64,000 characters.", default=None)
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.type(description="The feedback left.")
class FeedbackSubmitPayload(Payload):
    feedback: Feedback | None = made("The feedback")


@strawberry.type
class FeedbackMutations:
    @mutation("Say, once, what the support was like.", policy.LEAVE_FEEDBACK)
    async def feedback_submit(self, info: Info, input: Annotated[FeedbackSubmitInput, GIVEN]) -> FeedbackSubmitPayload:
        given = await feedback.submit_feedback(
            info.context,
            key_of(input.ticket_id, "Ticket", field="ticketId"),
            rating=input.rating,
            comment=input.comment,
        )
        return FeedbackSubmitPayload(feedback=cast(Any, given))
