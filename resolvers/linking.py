"""Linking tickets that are there already, and taking them apart again."""

from uuid import UUID

from domain import linking, policy
from domain.enums import ChangeType, TicketLinkKind
from domain.errors import Conflict, Duplicate, NotFound
from domain.policy import TicketFacts
from models import Ticket, TicketLink
from resolvers.context import Context
from resolvers.counters import next_number
from resolvers.link_events import link_and_tell, tell_of_link
from resolvers.tickets import lock_ticket
from resolvers.transaction import Work, unit_of_work

Locked = tuple[Ticket, TicketFacts]


@unit_of_work
async def link_tickets(
    work: Work, ctx: Context, source_id: UUID, target_id: UUID, *, kind: TicketLinkKind
) -> TicketLink:
    """Say that one ticket hangs together with another; a customer takes part in both. Nothing else on them changes,
    so a closed one can be linked.

    Raises:
        NotFound, Forbidden: as for every change of a ticket.
        Invalid: both are one, or links of this kind are not made by hand.
        Duplicate: they are linked so already.
        Conflict: the link would lead back to where it began.
    """
    linking.check_may_be_linked(kind)
    linking.check_two(source_id == target_id)
    (source, source_facts), (target, target_facts) = await lock_two(ctx, source_id, target_id)
    for facts in (source_facts, target_facts):
        policy.check(ctx.viewer, policy.LINK_TICKETS, facts, "You link only tickets that you take part in.")
    await _check_new(source, target, kind)
    link = await link_and_tell(work, ctx, source, target, kind)
    await source.save()
    await target.save()
    return link


@unit_of_work
async def unlink_tickets(work: Work, ctx: Context, link_id: UUID) -> tuple[Ticket, Ticket]:
    """Take two tickets apart again; returns source and target.

    Raises:
        NotFound: there is no such link, or none any more.
        Forbidden: not for customers.
        Conflict: it tells of a merge, which stays.
    """
    policy.check(ctx.viewer, policy.UNLINK_TICKETS, None, "Only support staff take tickets apart.")
    seen = await TicketLink.get_or_none(TicketLink.seen_by(ctx.viewer), id=link_id)
    if seen is None:
        raise NotFound("link", field=("linkId",))
    (source, _), (target, _) = await lock_two(ctx, seen.source_id, seen.target_id)
    link = await TicketLink.get_or_none(id=link_id)
    if link is None:
        raise NotFound("link", field=("linkId",))
    linking.check_may_be_taken_apart(link.kind)
    await link.delete()
    await tell_of_link(work, ctx, link, source, target, ChangeType.REMOVED)
    await source.save()
    await target.save()
    return source, target


async def lock_two(ctx: Context, source_id: UUID, target_id: UUID) -> tuple[Locked, Locked]:
    """Two tickets, as `lock_ticket`, in an order that everybody keeps: two at once never wait for each other.

    Raises:
        NotFound: one of them is not there for the viewer; `field` says which.
    """
    fields = {source_id: "sourceTicketId", target_id: "targetTicketId"}
    found = {each: await lock_ticket(ctx, each, field=fields[each]) for each in sorted(fields)}
    return found[source_id], found[target_id]


async def _check_new(source: Ticket, target: Ticket, kind: TicketLinkKind) -> None:
    both = [(source.id, target.id)] + ([(target.id, source.id)] if kind in linking.SYMMETRIC else [])
    for here, there in both:
        if await TicketLink.exists(source_id=here, target_id=there, kind=kind):
            raise Duplicate("These tickets are linked in this way already.", field=("targetTicketId",))
    if kind in linking.CHAINS:
        # Chains grow one link at a time: two that each close half of a circle would not see each other.
        await next_number("ticket_chain")
        if await _leads_to(target.id, source.id, kind):
            raise Conflict("The other ticket leads back to this one already.", field=("targetTicketId",))


async def _leads_to(start: UUID, goal: UUID, kind: TicketLinkKind) -> bool:
    reached, next_ones = {start}, {start}
    while next_ones:
        found = TicketLink.filter(source_id__in=list(next_ones), kind=kind)
        next_ones = {each.target_id for each in await found} - reached
        if goal in next_ones:
            return True
        reached |= next_ones
    return False
