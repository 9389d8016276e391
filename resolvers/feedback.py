"""What the customer thought of the support: said once, when a ticket has come to an end."""

from uuid import UUID

from domain import actions
from domain.errors import Invalid
from domain.naming import text
from models import Feedback
from resolvers import timeline
from resolvers.context import Context
from resolvers.tickets import ask, lock_ticket
from resolvers.transaction import Work, unit_of_work

RATINGS = range(1, 6)
"""From bad to good."""


@unit_of_work
async def submit_feedback(
    work: Work, ctx: Context, ticket_id: UUID, *, rating: int, comment: str | None = None
) -> Feedback:
    """Leave feedback on a ticket, for good: it stays when the ticket is reopened. A comment of spaces is none.

    Raises:
        NotFound, Forbidden: as for every change of a ticket.
        Conflict, FeedbackAlreadySubmitted: see `domain.lifecycle.check_may_leave_feedback`.
        Invalid: the rating is none from 1 to 5, or the comment cannot be stored.

    Source: S71.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    actions.check(actions.leave_feedback, await ask(work, ctx, ticket, facts))
    if rating not in RATINGS:
        raise Invalid("Give a rating from 1 to 5.", field=("rating",))
    feedback = await Feedback.create(
        ticket_id=ticket.id,
        submitted_by_id=ctx.user_id,
        rating=rating,
        comment=text(comment, field="comment") if comment and not comment.isspace() else None,
        submitted_at=work.now,
    )
    await timeline.leave_feedback(work, ctx, ticket, feedback)
    await ticket.save()
    return feedback
