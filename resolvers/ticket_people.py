"""The people on a ticket, by name."""

from uuid import UUID

from models import Participant, Ticket, User
from resolvers.context import Context


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
