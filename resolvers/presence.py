"""Who has a ticket open (J7)."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain import policy
from domain.enums import PresenceState
from domain.presence import PRESENCE_LASTS, sees_presence, shown_state
from models import Ticket, User
from realtime.entries import Entry
from resolvers.context import Context
from resolvers.ephemeral import changes, key_of, read_ticket, topic_of
from resolvers.reading import related

KIND = "presence"


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody who has the ticket open, as the viewer is told."""

    actor: User
    state: PresenceState
    since: datetime
    expires_at: datetime

    @property
    def told(self) -> tuple[UUID, PresenceState, datetime]:
        """What is news when it changes."""
        return self.actor.id, self.state, self.since


async def set_presence(ctx: Context, ticket_id: UUID, state: PresenceState) -> datetime | None:
    """Tell that the viewer has the ticket open; returns until when that is shown, None where it is not.

    It lasts for as long as the viewer follows who is present, at whichever process, and else for 45 seconds.

    Raises:
        Unauthenticated: nobody is signed in.
        NotFound, Forbidden: no such ticket, or the viewer takes no part in it.
    """
    _, facts = await read_ticket(ctx, ticket_id)
    policy.check(ctx.viewer, policy.BE_PRESENT, facts, "You may read this ticket, but you take no part in it.")
    now = ctx.now().isoformat()
    data = {"state": state.value, "since": now, "here": now, "staff": ctx.viewer.is_staff}
    before = next((each.data for each in _said(ctx, ticket_id) if each.key.user == str(ctx.user_id)), None)
    if before is not None and PresenceState.OFFLINE not in (state, before["state"]):
        data["here"] = before["here"]
        data["since"] = before["since"] if before["state"] == state else now
    ctx.services.ephemeral.say(key_of(ctx, ticket_id, KIND), data, ttl=PRESENCE_LASTS.total_seconds())
    return None if state is PresenceState.OFFLINE else ctx.now() + PRESENCE_LASTS


async def viewers_of(ctx: Context, ticket_id: UUID, assignee_id: UUID | None) -> list[Present]:
    """Who has a readable ticket open, as far as the viewer is told, the first one first."""
    found = [await _present(ctx, entry, assignee_id) for entry in _said(ctx, ticket_id)]
    return sorted((each for each in found if each), key=lambda each: (each.since, each.actor.id))


async def watch_presence(ctx: Context, ticket_id: UUID) -> AsyncGenerator[list[Present], None]:
    """Who has the ticket open: now, and each time that what the viewer is told of it changes.

    While it is followed, the viewer's own presence lasts; it ends with it, as when the socket goes.

    Raises:
        Unauthenticated, NotFound: as `resolvers.ephemeral.changes`.
    """
    told: list[object] | None = None
    with ctx.services.ephemeral.keeping(key_of(ctx, ticket_id, KIND)):
        async with aclosing(changes(ctx, ticket_id, KIND)) as steps:
            async for _ in steps:
                ticket = await Ticket.get_or_none(id=ticket_id).only("id", "assignee_id")
                present = await viewers_of(ctx, ticket_id, ticket.assignee_id if ticket else None)
                if told != [each.told for each in present]:
                    told = [each.told for each in present]
                    yield present


def _said(ctx: Context, ticket_id: UUID) -> list[Entry]:
    return ctx.services.ephemeral.said(topic_of(ticket_id), KIND)


async def _present(ctx: Context, entry: Entry, assignee_id: UUID | None) -> Present | None:
    person, is_staff = UUID(entry.key.user), bool(entry.data["staff"])
    state = shown_state(ctx.viewer, PresenceState(entry.data["state"]), is_staff=is_staff)
    if state is PresenceState.OFFLINE:
        return None
    if not sees_presence(ctx.viewer, person, is_staff=is_staff, assignee_id=assignee_id):
        return None
    actor = await related(ctx, User, person)
    if actor is None:
        return None
    # What an agent does in detail is not told to customers, and so neither is when it changed.
    since = entry.data["since"] if ctx.viewer.is_staff or not is_staff else entry.data["here"]
    lasts = timedelta(seconds=ctx.services.ephemeral.seconds_left(entry))
    return Present(actor, state, datetime.fromisoformat(since), ctx.now() + lasts)
