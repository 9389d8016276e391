"""What a person is told of: listing it, marking it as read, and following it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

from domain import policy
from domain.enums import ChangeType
from domain.errors import Invalid, NotFound
from engine.keyset import LazyPage, Order, PageArgs
from models import Notification, Organization, Ticket, User
from realtime.cursor import Cursor
from realtime.hub import CaughtUp, Delivered, Reset
from resolvers.access import rests_on
from resolvers.context import Context
from resolvers.notices import NOTIFICATION_ADDED, stream_of
from resolvers.notification_texts import text_of
from resolvers.reading import listing, related
from resolvers.transaction import Work, unit_of_work
from resolvers.viewers import load_again

NOTIFICATIONS_READ = "notifications.read"
NEWEST_FIRST = Order("notifications", "created_at", descending=True)
MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class NotificationChange:
    """A notification came, or was read; None where several were read at once."""

    change_type: ChangeType
    cursor: Cursor
    notification: Notification | None
    unread_count: int


def list_notifications(ctx: Context, args: PageArgs, *, unread_only: bool = False) -> LazyPage[Notification]:
    """The viewer's notifications, newest first; nobody has none.

    Raises:
        Invalid: a paging argument cannot be used.
    """
    query = Notification.shown_to(ctx.viewer)
    return listing(ctx, query.filter(read_at__isnull=True) if unread_only else query, NEWEST_FIRST, args)


async def count_unread(ctx: Context) -> int:
    return await Notification.shown_to(ctx.viewer).filter(read_at__isnull=True).count()


async def text_for(ctx: Context, notification: Notification) -> str:
    ticket = await related(ctx, Ticket, notification.ticket_id)
    organization = await related(ctx, Organization, notification.organization_id)
    actor = await related(ctx, User, notification.actor_id)
    return text_of(
        notification.kind,
        actor=actor.display_name if actor else None,
        reference=ticket.reference if ticket else "",
        organization=organization.name if organization else "",
        values=notification.data,
    ).in_(ctx.viewer.language)


@unit_of_work
async def mark_notifications_read(
    work: Work, ctx: Context, notification_ids: Sequence[UUID] | None, *, all_of_them: bool
) -> int:
    """Mark some of the viewer's notifications as read, or all; returns how many are unread.

    Raises:
        Unauthenticated: nobody is signed in.
        Invalid: neither ids nor all are given, both are, or too many ids.
        NotFound: one of them is none of the viewer's.
    """
    policy.check_authenticated(ctx.viewer)
    if all_of_them == (notification_ids is not None):
        raise Invalid("Give `notificationIds`, or say `all: true`.", field=("notificationIds",))
    wanted = Notification.shown_to(ctx.viewer)
    if notification_ids is not None:
        if len(notification_ids) > MOST_AT_ONCE:
            raise Invalid("At most {limit} at a time.", field=("notificationIds",), limit=MOST_AT_ONCE)
        wanted = wanted.filter(id__in=list(notification_ids))
        if await wanted.count() < len(set(notification_ids)):
            raise NotFound("notification", field=("notificationIds",))
    unread = wanted.filter(read_at__isnull=True)
    read: list[UUID] = await unread.values_list("id", flat=True)  # type: ignore[assignment]
    if read:
        await Notification.filter(user_id=ctx.user_id, read_at__isnull=True, id__in=read).update(read_at=work.now)
        data = {"notification": str(read[0]) if len(read) == 1 else None}
        work.emit((stream_of(ctx.user_id),), NOTIFICATIONS_READ, data)
    return await count_unread(ctx)


async def watch_notifications(
    ctx: Context, *, after: Cursor | None
) -> AsyncGenerator[NotificationChange | CaughtUp | Reset, None]:
    """What the viewer is told of after `after`, in commit order, without end: as the streams of a ticket.

    A notification of a ticket that the viewer may no longer read is passed over; rights are asked for each.

    Raises:
        Unauthenticated: nobody is signed in.
        NotFound: before the first event after the account was switched off.
    """

    async def check() -> frozenset[str]:
        viewer = await load_again(ctx.viewer)
        if viewer is None:
            raise NotFound("account")
        ctx.viewer = viewer
        return rests_on(viewer)

    async with aclosing(ctx.services.hub.follow(stream_of(ctx.user_id), after, guard=check)) as steps:
        async for step in steps:
            match step:
                case Delivered(event, cursor):
                    await check()
                    ctx.refresh()
                    key = event.data["notification"]
                    row = await Notification.shown_to(ctx.viewer).get_or_none(id=UUID(key)) if key else None
                    is_new = event.kind == NOTIFICATION_ADDED
                    if row is not None or not is_new:
                        change = ChangeType.ADDED if is_new else ChangeType.UPDATED
                        yield NotificationChange(change, cursor, row, await count_unread(ctx))
                case _:
                    yield step
