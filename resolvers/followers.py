"""Followers of a ticket: people and addresses that are told of its changes. Following opens nothing to anybody."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from domain import actions, following, policy
from domain.enums import ChangeType, FollowerKind
from domain.errors import Invalid, NotFound, Required
from domain.policy import TicketFacts, UserFacts
from models import Follower, Participant, Ticket, User
from resolvers import timeline
from resolvers.access import announce_access
from resolvers.context import Context
from resolvers.tickets import ask, lock_ticket
from resolvers.transaction import Work, unit_of_work
from resolvers.viewers import load_viewer


@unit_of_work
async def follow_ticket(work: Work, ctx: Context, ticket_id: UUID) -> tuple[Follower, Ticket]:
    """Follow a ticket oneself; again, nothing happens (S83, S84).

    Raises:
        NotFound, Forbidden: as for every change of a ticket.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    actions.check(actions.follow, await ask(work, ctx, ticket, facts))
    follower = await add_follower(work, ctx, ticket, user_id=ctx.user_id)
    await ticket.save()
    return follower, ticket


@unit_of_work
async def unfollow_ticket(work: Work, ctx: Context, ticket_id: UUID) -> Ticket:
    """Follow a ticket no longer; again, nothing happens. Who may not follow any more may still stop (S72).

    Raises:
        NotFound: there is no such ticket that the viewer may see.
    """
    ticket, _ = await lock_ticket(ctx, ticket_id)
    policy.check(ctx.viewer, policy.UNFOLLOW_TICKET, UserFacts(ctx.user_id))
    follower = await Follower.get_or_none(ticket_id=ticket.id, user_id=ctx.user_id)
    if follower is not None:
        await take_off(work, ctx, ticket, follower)
        await ticket.save()
    return ticket


@unit_of_work
async def add_followers(
    work: Work, ctx: Context, ticket_id: UUID, *, user_ids: Sequence[UUID] = (), emails: Sequence[str] = ()
) -> list[Follower]:
    """Have people and addresses follow a ticket; all of them, or none. Who follows already just does (S83-S85).

    Raises:
        NotFound, Forbidden: as for every change of a ticket, or somebody whom the viewer cannot know of.
        Required, Invalid: nobody is named, too many are, something is no address, or somebody could not read the ticket
            without following it, or has a role that only reads.
        Conflict: the ticket is for its author alone.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    actions.check(actions.add_followers, await ask(work, ctx, ticket, facts))
    wanted = following.wanted(user_ids, emails)
    await _check_people(ctx, ticket, wanted.user_ids)
    await _check_addresses(ticket, facts, wanted.addresses)
    followers = [await add_follower(work, ctx, ticket, user_id=each) for each in wanted.user_ids]
    followers += [await add_follower(work, ctx, ticket, email=each) for each in wanted.addresses]
    await ticket.save()
    return followers


@unit_of_work
async def remove_followers(work: Work, ctx: Context, follower_ids: Sequence[UUID]) -> Ticket:
    """Take followers off a ticket; all of them, or none.

    Raises:
        NotFound: the viewer sees no such follower.
        Forbidden: one of them is not the viewer's to take off: see `domain.following.removal`.
        Required, Invalid: none is named, too many are, or they are of several tickets.
    """
    policy.check_authenticated(ctx.viewer)
    ids = list(dict.fromkeys(follower_ids))
    if not ids:
        raise Required("Name the followers.", field=("followerIds",))
    if len(ids) > following.MOST_AT_ONCE:
        raise Invalid("At most {limit} at a time.", field=("followerIds",), limit=following.MOST_AT_ONCE)
    rows = await Follower.filter(Follower.seen_by(ctx.viewer), id__in=ids)
    if len(rows) < len(ids):
        raise NotFound("follower", field=("followerIds",))
    if len({each.ticket_id for each in rows}) > 1:
        raise Invalid("These follow several tickets. Take them off one ticket at a time.", field=("followerIds",))
    ticket, facts = await lock_ticket(ctx, rows[0].ticket_id)
    for follower in await Follower.filter(id__in=ids, ticket_id=ticket.id).order_by("followed_at", "id"):
        refusal = following.removal(ctx.viewer, facts, user_id=follower.user_id, added_by_id=follower.added_by_id)
        if refusal is not None:
            raise refusal
        await take_off(work, ctx, ticket, follower)
    await ticket.save()
    return ticket


async def _check_people(ctx: Context, ticket: Ticket, user_ids: Sequence[UUID]) -> None:
    known = await User.filter(User.found_by(ctx.viewer), id__in=list(user_ids), is_active=True).values_list(
        "id", flat=True
    )
    if len(known) < len(user_ids):
        raise NotFound("person", field=("userIds",))
    parts = await Participant.filter(ticket_id=ticket.id, user_id__in=list(user_ids)).values_list("user_id", flat=True)
    for user_id in user_ids:
        person = await load_viewer(user_id)
        assert person is not None, "the account is active"
        refusal = following.person(person, ticket.facts(is_participant=user_id in parts))
        if refusal is not None:
            raise refusal


async def _check_addresses(ticket: Ticket, facts: TicketFacts, addresses: Sequence[str]) -> None:
    if not addresses:
        return
    there: list[Any] = await Follower.filter(ticket_id=ticket.id, email__isnull=False).values_list("email", flat=True)
    refusal = following.address(facts, there=len({*there, *addresses}))
    if refusal is not None:
        raise refusal


async def add_follower(
    work: Work,
    ctx: Context,
    ticket: Ticket,
    *,
    user_id: UUID | None = None,
    email: str | None = None,
    added_by_id: UUID | None = None,
) -> Follower:
    """The follower, made and told of if it was none before; added by the viewer unless somebody else is named."""
    found = await Follower.get_or_none(ticket_id=ticket.id, user_id=user_id, email=email)
    if found is not None:
        return found
    follower = await Follower.create(
        ticket_id=ticket.id,
        organization_id=ticket.organization_id,
        user_id=user_id,
        email=email,
        kind=FollowerKind.INTERNAL if user_id else FollowerKind.EXTERNAL_EMAIL_ONLY,
        added_by_id=added_by_id or ctx.user_id,
        followed_at=work.now,
    )
    await _tell(work, ctx, ticket, follower, ChangeType.ADDED)
    return follower


async def take_off(work: Work, ctx: Context, ticket: Ticket, follower: Follower) -> None:
    """Let somebody follow a locked ticket no longer, and tell."""
    await follower.delete()
    await _tell(work, ctx, ticket, follower, ChangeType.REMOVED)


async def _tell(work: Work, ctx: Context, ticket: Ticket, follower: Follower, change: ChangeType) -> None:
    await timeline.change_follower(work, ctx, ticket, follower, change)
    if follower.user_id is not None:  # what the person follows has changed, though not what it may see
        announce_access(work, user_id=follower.user_id)
