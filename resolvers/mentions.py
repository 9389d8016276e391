"""Whom notes mention: checked when a note is written, read for many notes at once."""

from collections.abc import Sequence
from uuid import UUID

from domain import mentioning
from domain.enums import Visibility
from domain.errors import NotFound
from models import Mention, Message, Participant, Ticket, User
from resolvers.context import Context
from resolvers.reading import whole_rows
from resolvers.viewers import load_viewer


async def check_mentions(
    ctx: Context, ticket: Ticket, visibility: Visibility, user_ids: Sequence[UUID]
) -> tuple[UUID, ...]:
    """The people whom a note on this ticket is to mention, each once.

    Named may be who is known to the viewer, or stands on the ticket, which the viewer reads.

    Raises:
        Invalid: too many, or somebody who could not read the note.
        NotFound: somebody whom the viewer cannot know of, or who is not there.
    """
    people = mentioning.wanted(user_ids)
    if not people:
        return ()
    parts: list[UUID] = await Participant.filter(ticket_id=ticket.id).values_list("user_id", flat=True)  # type: ignore[assignment]
    active = User.filter(id__in=list(people), is_active=True)
    known = {ticket.requester_id, ticket.owner_id, ticket.assignee_id, *parts}
    found: set[UUID] = set(await active.filter(User.found_by(ctx.viewer)).values_list("id", flat=True))  # type: ignore[arg-type]
    found |= {each for each in await active.values_list("id", flat=True) if each in known}  # type: ignore[misc]
    if len(found) < len(people):
        raise NotFound("person", field=mentioning.FIELD)
    for user_id in people:
        mentioned = await load_viewer(user_id)
        if mentioned is None:
            raise NotFound("person", field=mentioning.FIELD)
        refusal = mentioning.person(mentioned, ticket.facts(is_participant=user_id in parts), visibility)
        if refusal is not None:
            raise refusal
    return people


async def mention(note: Message, user_ids: Sequence[UUID]) -> None:
    rows = [Mention(message_id=note.id, user_id=each, place=place) for place, each in enumerate(user_ids)]
    if rows:
        await Mention.bulk_create(rows)


async def mentioned_by(message_id: UUID) -> list[UUID]:
    """Whom one message mentions, in the order of its author."""
    return await Mention.filter(message_id=message_id).order_by("place").values_list("user_id", flat=True)  # type: ignore[return-value]


async def people_mentioned(ctx: Context, rows: list[tuple[UUID]]) -> list[list[User]]:
    """For each (message id,), whom it mentions, in the order of its author. Whoever sees a note sees whom it names."""
    found = await Mention.filter(message_id__in=[message_id for (message_id,) in rows]).order_by("place")
    people = await whole_rows(ctx, User, [each.user_id for each in found])
    pairs = list(zip(found, people, strict=True))
    return [[person for each, person in pairs if each.message_id == message_id] for (message_id,) in rows]
