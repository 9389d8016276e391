"""Who is typing on a ticket (J7)."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain import policy
from domain.enums import Visibility
from domain.policy import sees_internal
from domain.presence import TYPING_LASTS, TYPING_SPACING
from models import User
from realtime.entries import Entry
from resolvers.context import Context
from resolvers.ephemeral import changes, key_of, read_ticket
from resolvers.reading import related

KINDS = {Visibility.PUBLIC: "typing", Visibility.INTERNAL: "typing:internal"}
"""As for streams, who may know is decided by what is followed: customers do not listen where internal typing is."""


@dataclass(frozen=True, slots=True)
class TypingChange:
    """Somebody has begun to type, or has stopped; `expires_at` is when it ends unless it is said again."""

    actor: User
    is_typing: bool
    visibility: Visibility
    expires_at: datetime


async def set_typing(
    ctx: Context, ticket_id: UUID, *, is_typing: bool, visibility: Visibility = Visibility.PUBLIC
) -> datetime | None:
    """Tell that the viewer types on the ticket, or no longer does; returns until when it is shown, None for not at all.

    It is announced at most every 2 seconds; in between the answer is what stands.

    Raises:
        Unauthenticated: nobody is signed in.
        NotFound, Forbidden: as for sending a message; internal typing is for staff.
    """
    _, facts = await read_ticket(ctx, ticket_id)
    policy.check(ctx.viewer, policy.SHOW_TYPING, facts, "You may read this ticket, but not write in it.")
    if visibility is Visibility.INTERNAL:
        policy.check(ctx.viewer, policy.SEE_INTERNAL, None, "Only support staff write internal messages.")
    ephemeral = ctx.services.ephemeral
    for each, kind in KINDS.items():
        if not is_typing or each is not visibility:
            ephemeral.drop(key_of(ctx, ticket_id, kind))
    if not is_typing:
        return None
    lasts, spacing = TYPING_LASTS.total_seconds(), TYPING_SPACING.total_seconds()
    entry = ephemeral.say(key_of(ctx, ticket_id, KINDS[visibility]), {}, ttl=lasts, spacing=spacing)
    return _end_of(ctx, entry) if entry else None


async def watch_typing(ctx: Context, ticket_id: UUID) -> AsyncGenerator[TypingChange, None]:
    """Who types on the ticket now, then who begins and stops, but for the viewer; ends like every stream of a ticket.

    Raises:
        Unauthenticated, NotFound: as `resolvers.ephemeral.changes`.
    """
    kinds = {kind: visibility for visibility, kind in KINDS.items() if visible(ctx, visibility)}
    async with aclosing(changes(ctx, ticket_id, *kinds)) as steps:
        async for entries in steps:
            for entry in entries:
                actor = await related(ctx, User, UUID(entry.key.user))
                if actor is not None and actor.id != ctx.user_id:
                    yield TypingChange(actor, not entry.is_over, kinds[entry.key.kind], _end_of(ctx, entry))


def visible(ctx: Context, visibility: Visibility) -> bool:
    return visibility is Visibility.PUBLIC or sees_internal(ctx.viewer)


def _end_of(ctx: Context, entry: Entry) -> datetime:
    return ctx.now() + timedelta(seconds=ctx.services.ephemeral.seconds_left(entry))
