"""What passes on a ticket: following it with the viewer's rights, and reading a ticket without locking it."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID

from tortoise.expressions import Q

from domain import policy
from domain.policy import TicketFacts
from models import Participant, Ticket
from realtime.access import RECHECK
from realtime.entries import Entry, Key
from realtime.reader import patiently
from resolvers.context import Context
from resolvers.history import why_not_there
from resolvers.streams import watching


def key_of(ctx: Context, ticket_id: UUID, kind: str) -> Key:
    """Where the viewer's own entry of a kind is.

    Raises:
        Unauthenticated: nobody is signed in.
    """
    return Key(topic_of(ticket_id), kind, str(ctx.user_id))


def topic_of(ticket_id: UUID) -> str:
    return f"ticket:{ticket_id}"


async def read_ticket(ctx: Context, ticket_id: UUID) -> tuple[Ticket, TicketFacts]:
    """A visible ticket with the facts that policies decide by, not locked: nothing of it is about to be changed.

    Raises:
        Unauthenticated: nobody is signed in.
        NotFound: there is none that the viewer may see.
        HistoryUnavailable: a regulation alone withholds it (S11).
    """
    policy.check_authenticated(ctx.viewer)
    ticket = await Ticket.visible_to(ctx.viewer).get_or_none(id=ticket_id)
    if ticket is None:
        raise await why_not_there(ctx.viewer, Q(id=ticket_id), field=("ticketId",))
    is_participant = await Participant.filter(ticket_id=ticket.id, user_id=ctx.user_id).exists()
    return ticket, ticket.facts(is_participant=is_participant)


async def changes(ctx: Context, ticket_id: UUID, *kinds: str) -> AsyncGenerator[list[Entry], None]:
    """What stands now, then what changes, without end; an empty list now and then when nothing does.

    The log does not order these events among changes of access, so the viewer's rights are asked before each (J3).

    Raises:
        Unauthenticated: nobody is signed in.
        NotFound: before the first change that the viewer may not see, or may no longer see.
    """
    policy.check_authenticated(ctx.viewer)
    guard, ephemeral, topic = watching(ctx, ticket_id), ctx.services.ephemeral, topic_of(ticket_id)
    with ephemeral.watching(topic, *kinds) as watch:
        await patiently(guard)
        yield [entry for kind in kinds for entry in ephemeral.said(topic, kind)]
        while True:
            try:
                async with asyncio.timeout(RECHECK):
                    changed = await watch.take()
            except TimeoutError:
                changed = []
            await patiently(guard)
            ctx.refresh()
            yield changed
