"""Where a person is told of things, and of which tickets not."""

from collections.abc import Collection, Sequence
from uuid import UUID

from tortoise.expressions import Subquery

from domain import notifying, policy
from domain.enums import NotificationChannel
from domain.errors import Invalid, NotFound
from domain.policy import UserFacts
from engine.keyset import LazyPage, PageArgs
from models import MutedTicket, Ticket, User
from resolvers.context import Context
from resolvers.reading import listing, related
from resolvers.ticket_lists import DEFAULT_ORDER
from resolvers.transaction import Work, unit_of_work

MOST_AT_ONCE = 100


def channels_of(in_app: bool, by_email: bool) -> list[NotificationChannel]:
    chosen = {NotificationChannel.IN_APP: in_app, NotificationChannel.EMAIL: by_email}
    return [channel for channel, is_on in chosen.items() if is_on]


def list_muted_tickets(ctx: Context, user_id: UUID, args: PageArgs) -> LazyPage[Ticket]:
    """The tickets that a person has muted and the viewer may see, those with the newest activity first.

    Raises:
        Invalid: a paging argument cannot be used.
    """
    muted = Subquery(MutedTicket.filter(user_id=user_id).values("ticket_id"))
    return listing(ctx, Ticket.shown_to(ctx.viewer).filter(id__in=muted), DEFAULT_ORDER, args)


@unit_of_work
async def update_preferences(
    work: Work,
    ctx: Context,
    *,
    channels: Collection[NotificationChannel] | None = None,
    digest: bool | None = None,
    mute_ids: Sequence[UUID] = (),
    unmute_ids: Sequence[UUID] = (),
) -> User | None:
    """Change one's own preferences; what is left out stays. Muting what is muted, and the reverse, does nothing.

    A ticket that one has lost may still be unmuted, and nobody is told whether it ever was muted.

    Raises:
        Unauthenticated: nobody is signed in.
        Invalid: too many tickets, one is to be muted and unmuted, or more would be muted than can be.
        NotFound: a ticket to be muted is none that the viewer may see.
    """
    policy.check_authenticated(ctx.viewer)
    policy.check(ctx.viewer, policy.OWN_PREFERENCES, UserFacts(ctx.user_id))
    _check_ids(mute_ids, unmute_ids)
    changed: dict[str, bool] = {}
    if channels is not None:
        changed["notify_in_app"] = NotificationChannel.IN_APP in channels
        changed["notify_by_email"] = NotificationChannel.EMAIL in channels
    if digest is not None:
        changed["email_digest"] = digest
    await User.filter(id=ctx.user_id).select_for_update().first()  # one change of them at a time
    if changed:
        await User.filter(id=ctx.user_id).update(**changed)
    if unmute_ids:
        await MutedTicket.filter(user_id=ctx.user_id, ticket_id__in=list(unmute_ids)).delete()
    if mute_ids:
        await _mute(work, ctx, set(mute_ids))
    return await related(ctx, User, ctx.user_id)


def _check_ids(mute_ids: Sequence[UUID], unmute_ids: Sequence[UUID]) -> None:
    for ids, field in ((mute_ids, "muteTicketIds"), (unmute_ids, "unmuteTicketIds")):
        if len(ids) > MOST_AT_ONCE:
            raise Invalid("At most {limit} at a time.", field=(field,), limit=MOST_AT_ONCE)
    if set(mute_ids) & set(unmute_ids):
        raise Invalid("A ticket is either muted or unmuted, not both.", field=("unmuteTicketIds",))


async def _mute(work: Work, ctx: Context, ids: set[UUID]) -> None:
    if await Ticket.visible_to(ctx.viewer).filter(id__in=list(ids)).count() < len(ids):
        raise NotFound("ticket", field=("muteTicketIds",))
    muted: set[UUID] = set(await MutedTicket.filter(user_id=ctx.user_id).values_list("ticket_id", flat=True))  # type: ignore[arg-type]
    if len(muted | ids) > notifying.MOST_MUTED:
        raise Invalid(
            "You have muted {count} tickets, and {most} is the most. Unmute some first.",
            field=("muteTicketIds",),
            count=len(muted),
            most=notifying.MOST_MUTED,
        )
    new = [MutedTicket(user_id=ctx.user_id, ticket_id=each, muted_at=work.now) for each in sorted(ids - muted)]
    if new:
        await MutedTicket.bulk_create(new)
