"""Whose request a ticket is: claiming one that nobody opened, setting its requester, and stopping replies."""

from dataclasses import replace
from uuid import UUID

from domain import actions, policy
from domain.enums import ParticipantRole, TicketListScope
from domain.errors import Invalid, NotFound
from engine.keyset import LazyPage, PageArgs
from models import Membership, Participant, Ticket, User
from resolvers import timeline
from resolvers.access import announce_access
from resolvers.context import Context
from resolvers.reading import listing
from resolvers.ticket_lists import DEFAULT_ORDER, in_scope
from resolvers.tickets import ask, lock_ticket
from resolvers.transaction import Work, unit_of_work
from resolvers.viewers import load_viewer


def list_unclaimed(ctx: Context, organization_id: UUID, args: PageArgs) -> LazyPage[Ticket]:
    """The tickets of an organization that have no requester, open and closed, latest activity first (S13, S14).

    Raises:
        NotFound: it is not one of the viewer's.
        Forbidden: the viewer's role there only reads.
        HistoryUnavailable: a regulation forbids to show them.
    """
    policy.check_authenticated(ctx.viewer)
    return listing(ctx, in_scope(ctx, TicketListScope.UNCLAIMED, organization_id), DEFAULT_ORDER, args)


@unit_of_work
async def claim_ticket(work: Work, ctx: Context, ticket_id: UUID) -> Ticket:
    """Become the requester of a ticket that has none, and its owner unless it has one (S14).

    Raises:
        NotFound, Forbidden: as for every change of a ticket; what is for an author alone is not there for members.
        Conflict: somebody is its requester already.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    actions.check(actions.claim, await ask(work, ctx, ticket, facts))
    await _make_requester(work, ctx, ticket, ctx.user_id)
    return ticket


@unit_of_work
async def set_requester(work: Work, ctx: Context, ticket_id: UUID, user_id: UUID | None) -> Ticket:
    """Say who opened a ticket, or that nobody is known (S14). Who was taken for its author before leaves it.

    Raises:
        NotFound, Forbidden: as for every change of a ticket, or somebody who is no member of its organization.
        Invalid: its organization's people cannot see it.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    policy.check(ctx.viewer, policy.SET_REQUESTER, facts, "Only support staff say whose request it is.")
    if user_id == ticket.requester_id:
        return ticket
    if user_id is not None:
        here = {"organization_id": ticket.organization_id, "user_id": user_id, "user__is_active": True}
        if not await Membership.filter(**here).exists():
            raise NotFound("person in this organization", field=("userId",))
        person = await load_viewer(user_id)
        if person is None or not policy.may_read_ticket(person, replace(facts, requester_id=user_id)):
            raise Invalid("The organization's people cannot see this ticket.", field=("userId",))
    await _make_requester(work, ctx, ticket, user_id)
    return ticket


@unit_of_work
async def lock_replies(work: Work, ctx: Context, ticket_id: UUID, *, locked: bool) -> Ticket:
    """Stop what customers write on a ticket, or let them write again; again, nothing happens.

    Raises:
        NotFound, Forbidden: as for every change of a ticket.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    policy.check(ctx.viewer, policy.LOCK_TICKET, facts, "Only support staff stop replies.")
    if ticket.locked is locked:
        return ticket
    ticket.locked = locked
    old, new = ("no", "yes") if locked else ("yes", "no")
    await timeline.set_field(work, ctx, ticket, "locked", old=old, new=new)
    timeline.touch(work, ticket, activity=False)
    await ticket.save()
    return ticket


async def _make_requester(work: Work, ctx: Context, ticket: Ticket, user_id: UUID | None) -> None:
    """Give the ticket another requester, with the part that goes with it, and tell; saves the ticket."""
    before = ticket.requester_id
    names = {each.id: each.display_name for each in await User.filter(id__in=[p for p in (before, user_id) if p])}
    await Participant.filter(ticket_id=ticket.id, role=ParticipantRole.SUBMITTER).delete()
    if ticket.owner_id in (None, before):
        ticket.owner_id = user_id
    ticket.requester_id = user_id
    if user_id is not None:
        part = {"role": ParticipantRole.SUBMITTER, "added_by_id": ctx.user_id, "added_at": work.now}
        await Participant.update_or_create(defaults=part, ticket_id=ticket.id, user_id=user_id)
    old, new = (names.get(each) if each else None for each in (before, user_id))
    await timeline.set_field(work, ctx, ticket, "requester", old=old, new=new, also=["owner", "participants"])
    announce_access(work, ticket_id=ticket.id)
    timeline.touch(work, ticket, activity=False)
    await ticket.save()
