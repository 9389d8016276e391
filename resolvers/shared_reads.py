"""What events of lists are about, read once in a process, however many watch."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from tortoise.expressions import RawSQL

from domain.enums import StaffRole
from domain.policy import Viewer
from models import Message, Ticket, TimelineEvent
from realtime.log import Event
from realtime.reader import patiently
from realtime.tasks import shared
from resolvers.ticket_facts import FIXED, Facts, facts_of, with_facts

T = TypeVar("T")

_AUDIENCES = {each.audience: each for each in (Viewer(staff_role=StaffRole.AGENT), Viewer())}
"""Somebody of each audience: the place of a ticket's stream depends on nothing else of a viewer."""

KEPT = 256
"""Events whose reads are kept: those who come back together are told the same events at about the same time."""


@dataclass(frozen=True, slots=True)
class TicketNow:
    """What an event of a list is about.

    `facts` are those of the ticket after the event, or later; None where it is gone. `before` are those of before the
    event: none at all where nobody knows, None where the ticket was not there. `rows` are what each audience is shown.
    """

    facts: Facts | None
    before: Facts | None
    rows: dict[str, Ticket]

    def shown_to(self, viewer: Viewer) -> Ticket | None:
        return self.rows.get(viewer.audience)


@dataclass(slots=True)
class SharedReads:
    """Each read is begun after its event was committed, and shared by all who need it. While the database is away it
    waits."""

    reads: int = 0
    _kept: OrderedDict[tuple[str, str], asyncio.Task[Any]] = field(default_factory=OrderedDict)

    async def ticket(self, event: Event) -> TicketNow:
        """The ticket that an event of a list is about. Streams that tell the same change share the read."""
        return await self._once(("ticket", event.key), lambda: _read_ticket(event))

    async def item(self, event: Event) -> Message | TimelineEvent | None:
        """What the ticket's timeline tells of the event."""
        if message_id := event.data.get("message"):
            return await self._once(("message", message_id), lambda: Message.get_or_none(id=UUID(message_id)))
        if item_id := event.data.get("item"):
            return await self._once(("item", item_id), lambda: TimelineEvent.get_or_none(id=UUID(item_id)))
        return None

    async def _once(self, key: tuple[str, str], read: Callable[[], Awaitable[T]]) -> T:
        task = self._kept.get(key)
        if task is None:
            self.reads += 1
            task = self._kept[key] = asyncio.get_running_loop().create_task(patiently(read))
            task.add_done_callback(lambda done: self._ended(key, done))
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return cast(T, await shared(task))

    def _ended(self, key: tuple[str, str], task: asyncio.Task[Any]) -> None:
        """What failed is read again by whoever needs it next."""
        if (task.cancelled() or task.exception()) and self._kept.get(key) is task:
            del self._kept[key]


_EVER = datetime.max.replace(tzinfo=UTC).isoformat()
"""For the opening of a ticket that is gone: what is older than an organization's history never came to its stream."""


async def _read_ticket(event: Event) -> TicketNow:
    places = {f"{audience}_place": RawSQL(Ticket.position_sql(viewer)) for audience, viewer in _AUDIENCES.items()}
    row = await with_facts(Ticket.filter(id=UUID(event.data["ticket"]))).annotate(**places).first()
    if row is None:
        return TicketNow(None, _before(event, {"created_at": _EVER}), {})
    rows = {audience: copy(row) for audience in _AUDIENCES}
    for audience, each in rows.items():
        each.feed_position = getattr(row, f"{audience}_place")
    facts = facts_of(row)
    return TicketNow(facts, _before(event, {name: facts[name] for name in FIXED}), rows)


def _before(event: Event, fixed: Facts) -> Facts | None:
    was = event.data["was"]
    return {**fixed, **was} if was else was
