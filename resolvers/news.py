"""What is read to tell people of events: for several of them at once, since in a chat they are of one ticket."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from domain.policy import Viewer
from models import Mention, Message, MutedTicket, Notification, PendingNotice, Ticket, User
from resolvers.list_events import NOW
from resolvers.viewers import load_viewer

Found = TypeVar("Found")


@dataclass(slots=True)
class News:
    """Of events that wait to be told: their messages, whom each of these mentions in the order of its author, and by
    their keys who has been told of them already."""

    messages: dict[UUID, Message]
    mentions: dict[UUID, list[UUID]]
    told: dict[str, set[UUID]]
    _read: dict[Any, Any] = field(default_factory=dict)

    async def ticket(self, ticket_id: UUID) -> Ticket | None:
        return await self._once(ticket_id, partial(NOW.first, ticket_id))

    async def viewer(self, user_id: UUID) -> Viewer | None:
        return await self._once(user_id, partial(load_viewer, user_id))

    async def wishes(self, ticket_id: UUID, people: Collection[UUID]) -> list[tuple[UUID, bool, bool]]:
        """Of each of `people`, whether they want to be told in the application, and whether they muted the ticket."""
        return await self._once((ticket_id, frozenset(people)), partial(_wishes, ticket_id, list(people)))

    async def _once(self, key: Any, read: Callable[[], Awaitable[Found]]) -> Found:
        if key not in self._read:
            self._read[key] = await read()
        found: Found = self._read[key]
        return found


async def read_news(waiting: Sequence[PendingNotice]) -> News:
    message_ids = [each.message_id for each in waiting if each.message_id]
    messages = await Message.filter(id__in=message_ids) if message_ids else []
    mentions: dict[UUID, list[UUID]] = {}
    for each in await Mention.filter(message_id__in=message_ids).order_by("place") if message_ids else []:
        mentions.setdefault(each.message_id, []).append(each.user_id)
    told: dict[str, set[UUID]] = {}
    for source, user_id in await Notification.filter(source__in=[each.key for each in waiting]).values_list(
        "source", "user_id"
    ):
        told.setdefault(source, set()).add(user_id)
    return News({each.id: each for each in messages}, mentions, told)


async def _wishes(ticket_id: UUID, people: list[UUID]) -> list[tuple[UUID, bool, bool]]:
    muted = set(await MutedTicket.filter(ticket_id=ticket_id, user_id__in=people).values_list("user_id", flat=True))
    chosen = await User.filter(id__in=people).values_list("id", "notify_in_app")
    return [(key, in_app, key in muted) for key, in_app in chosen]
