"""What hangs on a ticket one by one: its people's names, its feedback, its escalation under way."""

from uuid import UUID

from domain.enums import EscalationStage
from models import Escalation, Feedback, Participant, Ticket, User
from resolvers.context import Context
from resolvers.reading import every_child


async def usernames_of(ctx: Context, ticket: Ticket) -> list[str]:
    """The user names of requester, owner and everybody who takes part, each once, in alphabetical order (S09)."""

    async def load(tickets: list[Ticket]) -> list[list[str]]:
        people: dict[UUID, set[UUID]] = {t.id: {p for p in (t.requester_id, t.owner_id) if p} for t in tickets}
        for ticket_id, user_id in await Participant.filter(ticket_id__in=list(people)).values_list(
            "ticket_id", "user_id"
        ):
            people[ticket_id].add(user_id)
        everybody = set().union(*people.values())
        names = dict(await User.filter(id__in=list(everybody)).values_list("id", "username"))
        return [sorted({names[p] for p in people[t.id] if p in names}) for t in tickets]

    return await ctx.loaders.get("usernames", load).load(ticket)


async def feedback_of(ctx: Context, ticket: Ticket) -> Feedback | None:
    found = await every_child(ctx, Feedback.all(), "ticket_id", ticket.id, most=1)
    return found[0] if found else None


async def active_escalation_of(ctx: Context, ticket: Ticket) -> Escalation | None:
    active = Escalation.exclude(stage=EscalationStage.RESOLVED).order_by("submitted_at")
    found = await every_child(ctx, active, "ticket_id", ticket.id, most=1)
    return found[0] if found else None
