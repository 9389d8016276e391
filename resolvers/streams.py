"""The streams of a ticket and what goes onto them.

There is one stream for support staff and one for customers. What customers may see is announced on both, the rest on
the first alone: so who watches is decided by the stream, every watcher sees 1, 2, 3 …, and nobody can tell from a gap
that something internal happened.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import aclosing
from uuid import UUID

from tortoise.expressions import Q

from domain import policy
from domain.enums import StreamResetReason, Visibility
from domain.errors import NotFound
from domain.policy import Viewer, sees_internal
from engine.declare import Following
from models import Ticket
from realtime.cursor import Cursor
from realtime.hub import CaughtUp, Moved, Step
from realtime.log import Event
from resolvers.access import rests_on
from resolvers.context import Context
from resolvers.history import why_not_there
from resolvers.viewers import load_again

MESSAGE_ADDED = "message.added"
ESCALATION_ENTERED = "escalation.entered"
ESCALATION_CHANGED = "escalation.changed"
TICKET_CREATED = "ticket.created"
TICKET_CHANGED = "ticket.changed"


def message_key(message_id: UUID) -> str:
    """Names the event that tells of a message: it is found again by that (`resolvers.places`)."""
    return f"message:{message_id}"


def item_key(event_id: UUID) -> str:
    """Names the event that tells of a timeline event."""
    return f"item:{event_id}"


def streams_of(ticket_id: UUID, visibility: Visibility = Visibility.PUBLIC) -> tuple[str, ...]:
    """The streams that something of this visibility is announced on."""
    staff, public = f"ticket:{ticket_id}", f"ticket:{ticket_id}:pub"
    return (staff,) if visibility is Visibility.INTERNAL else (staff, public)


def ticket_of_stream(topic: str) -> tuple[UUID, bool] | None:
    """The ticket that a stream is of, and whether it is the one for customers; None for streams of other things."""
    kind, _, name = topic.partition(":")
    ticket_id, _, audience = name.partition(":")
    return (UUID(ticket_id), audience == "pub") if kind == "ticket" else None


def stream_for(viewer: Viewer, ticket_id: UUID) -> str:
    """The stream that this viewer follows."""
    staff, public = streams_of(ticket_id)
    return staff if sees_internal(viewer) else public


async def follow(ctx: Context, ticket_id: UUID, after: Cursor | None) -> AsyncGenerator[Step, None]:
    """The viewer's stream of a ticket after `after`, in commit order, without end: see `realtime.hub.Hub.follow`.

    A viewer who has come to see another of the ticket's streams gets a reset with ACCESS_CHANGED, and goes on in it.

    Raises:
        NotFound: before the first event that the viewer may not see, or may no longer see (J3).
    """
    caught_up, lost = False, None
    while True:
        topic = stream_for(ctx.viewer, ticket_id)
        guard = watching(ctx, ticket_id, topic)
        try:
            async with aclosing(ctx.services.hub.follow(topic, after, guard=guard, lost=lost)) as steps:
                async for step in steps:
                    if not (caught_up and isinstance(step, CaughtUp)):
                        yield step
                    caught_up |= isinstance(step, CaughtUp)
            return
        except Moved:
            after, lost = None, StreamResetReason.ACCESS_CHANGED


async def place_after(ctx: Context, ticket_id: UUID, item_id: UUID) -> Cursor:
    """The place in the viewer's stream of a ticket after what told of a timeline item."""
    return await ctx.services.hub.place_of(stream_for(ctx.viewer, ticket_id), (message_key(item_id), item_key(item_id)))


def following(
    ctx: Context, ticket_id: UUID, after: Cursor | None, wanted: Callable[[Event], bool] = lambda event: True
) -> Following:
    """What a subscriber of a ticket follows, for whoever fans its events out.

    Raises:
        Unauthenticated: nobody is signed in.
    """
    policy.check_authenticated(ctx.viewer)
    topic = stream_for(ctx.viewer, ticket_id)
    return Following(topic, after, watching(ctx, ticket_id, topic), wanted)


def watching(ctx: Context, ticket_id: UUID, topic: str | None = None) -> Callable[[], Awaitable[Collection[str]]]:
    """The guard of a running subscription. It makes the viewer anew, from the database, each time it is asked.

    It raises NotFound once the ticket is no longer visible. A viewer who has come to follow another of its streams than
    `topic` is Moved; without a `topic` there is nowhere to go on, and it raises NotFound as well.
    """
    audience = ctx.viewer.audience

    async def check() -> Collection[str]:
        viewer = await load_again(ctx.viewer)
        if viewer is None:
            raise NotFound("ticket")
        if not await Ticket.visible_to(viewer).filter(id=ticket_id).exists():
            raise await why_not_there(viewer, Q(id=ticket_id))
        if topic is None and viewer.audience != audience:
            raise NotFound("ticket")
        ctx.viewer = viewer
        if topic not in (None, stream_for(viewer, ticket_id)):
            raise Moved
        return rests_on(viewer, ticket_id)

    return check
