"""The people on a ticket, by name."""

from collections.abc import Sequence
from uuid import UUID

from models import Participant, User
from resolvers.context import Context


async def usernames_of(ctx: Context, tickets: Sequence[tuple[UUID, UUID | None, UUID | None]]) -> list[list[str]]:
    """For each ticket, by its id, requester and owner: the user names of these two and of everybody who takes part.

    Each once, in alphabetical order (S09).
    """
    people: dict[UUID, set[UUID]] = {key: {each for each in two if each} for key, *two in tickets}
    joined = Participant.filter(ticket_id__in=list(people))
    for ticket_id, user_id in await joined.values_list("ticket_id", "user_id"):
        people[ticket_id].add(user_id)
    everybody: set[UUID] = set().union(*people.values())
    names = dict(await User.filter(id__in=list(everybody)).values_list("id", "username"))
    return [sorted({names[each] for each in people[key] if each in names}) for key, *_ in tickets]
