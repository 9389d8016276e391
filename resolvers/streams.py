"""The streams of a ticket and what goes onto them.

There is one stream for support staff and one for customers. What customers may see is announced on both, the rest on
the first alone: so who watches is decided by the stream, every watcher sees 1, 2, 3 …, and nobody can tell from a gap
that something internal happened.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from uuid import UUID

from domain import policy
from domain.enums import Visibility
from domain.errors import NotFound
from domain.policy import Viewer, sees_internal
from engine.declare import Following
from models import Ticket
from realtime.cursor import Cursor
from realtime.hub import Step
from realtime.log import Event
from resolvers.context import Context
from resolvers.viewers import load_viewer

MESSAGE_ADDED = "message.added"
ESCALATION_ENTERED = "escalation.entered"
ESCALATION_CHANGED = "escalation.changed"
TICKET_CREATED = "ticket.created"
TICKET_CHANGED = "ticket.changed"


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

    Raises:
        NotFound: before the first event that the viewer may not see, or may no longer see (J3).
    """
    topic = stream_for(ctx.viewer, ticket_id)
    async with aclosing(ctx.services.hub.follow(topic, after, guard=watching(ctx, ticket_id))) as steps:
        async for step in steps:
            yield step


def following(
    ctx: Context, ticket_id: UUID, after: Cursor | None, wanted: Callable[[Event], bool] = lambda event: True
) -> Following:
    """What a subscriber of a ticket follows, for whoever fans its events out.

    Raises:
        Unauthenticated: nobody is signed in.
    """
    policy.check_authenticated(ctx.viewer)
    return Following(stream_for(ctx.viewer, ticket_id), after, watching(ctx, ticket_id), wanted)


def watching(ctx: Context, ticket_id: UUID) -> Callable[[], Awaitable[None]]:
    """The guard of a running subscription. It makes the viewer anew, from the database, each time it is asked.

    It raises NotFound once the ticket is no longer visible, or when the viewer has come to follow another stream.
    """

    async def check() -> None:
        viewer = await load_viewer(ctx.user_id, expires_at=ctx.viewer.expires_at)
        if viewer is None or viewer.audience != ctx.viewer.audience:
            raise NotFound("ticket")
        if not await Ticket.visible_to(viewer).filter(id=ticket_id).exists():
            raise NotFound("ticket")
        ctx.viewer = viewer

    return check
