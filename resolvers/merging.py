"""Merging a ticket into another: it is closed and points there, and whoever was on it is on the other."""

from typing import Any
from uuid import UUID

from domain import following, linking, policy
from domain.enums import ClosureReason, ParticipantRole, TicketLinkKind, TicketStatus
from domain.policy import TicketFacts
from models import Follower, Ticket, TicketLink
from resolvers import timeline
from resolvers.context import Context
from resolvers.followers import add_follower
from resolvers.link_events import link_and_tell, people_on
from resolvers.linking import lock_two
from resolvers.sharing import put_on
from resolvers.transaction import Work, unit_of_work
from resolvers.viewers import load_viewer


@unit_of_work
async def merge_tickets(work: Work, ctx: Context, source_id: UUID, target_id: UUID) -> tuple[Ticket, Ticket]:
    """Close `source` and let it go on in `target`; returns both. Again, nothing happens.

    What was said stays where it was said. Who took part in the one takes part in the other, and who followed it
    follows that, unless one of them is for its author alone.

    Raises:
        NotFound, Forbidden: as for every change of a ticket.
        Invalid, TicketClosed, Conflict: see `domain.linking.check_may_be_merged`.
    """
    linking.check_two(source_id == target_id)
    policy.check(ctx.viewer, policy.MERGE_TICKETS, None, "Only support staff merge tickets.")
    (source, facts), (target, target_facts) = await lock_two(ctx, source_id, target_id)
    merged = TicketLink.filter(source_id=source.id, target_id=target.id, kind=TicketLinkKind.MERGED_INTO)
    if await merged.exists():
        return source, target
    linking.check_may_be_merged(
        facts,
        target_facts,
        source_status=source.status,
        target_status=target.status,
        source_is_escalated=source.is_escalated,
    )
    if linking.people_come_along(facts, target_facts):
        await _bring_people(work, ctx, source, target)
        await _bring_followers(work, ctx, source, target, target_facts)
    await timeline.set_status(work, ctx, source, TicketStatus.CLOSED, reason=ClosureReason.MERGED)
    await link_and_tell(work, ctx, source, target, TicketLinkKind.MERGED_INTO)
    timeline.touch(work, source)
    await source.save()
    await target.save()
    return source, target


async def _bring_people(work: Work, ctx: Context, source: Ticket, target: Ticket) -> None:
    answering = (target.requester_id, target.owner_id)
    for user_id in await people_on(source):
        if user_id not in answering:
            await put_on(work, ctx, target, user_id, ParticipantRole.PARTICIPANT)


async def _bring_followers(work: Work, ctx: Context, source: Ticket, target: Ticket, facts: TicketFacts) -> None:
    """Only whoever may follow the target, and as many addresses as one ticket may have."""
    there: list[Any] = await Follower.filter(ticket_id=target.id, email__isnull=False).values_list("email", flat=True)
    addresses, on_target = set(there), set(await people_on(target))
    for each in await Follower.filter(ticket_id=source.id).order_by("followed_at", "id"):
        if each.user_id is not None:
            person = await load_viewer(each.user_id)
            on_it = target.facts(is_participant=each.user_id in on_target)
            may = person is not None and following.person(person, on_it) is None
        else:
            may = following.address(facts, there=len({*addresses, each.email})) is None
            addresses |= {each.email} if may else set()
        if may:
            await add_follower(work, ctx, target, user_id=each.user_id, email=each.email, added_by_id=each.added_by_id)
