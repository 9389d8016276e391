"""Who is put on a ticket besides its requester: colleagues it is shared with, and contacts that support adds."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from domain import actions, policy
from domain.enums import ChangeType, ParticipantRole
from domain.errors import Conflict, Invalid, NotFound, Required
from domain.policy import TicketFacts
from models import Membership, Participant, Ticket
from resolvers import timeline
from resolvers.access import announce_access
from resolvers.context import Context
from resolvers.tickets import ask, lock_ticket
from resolvers.transaction import Work, unit_of_work
from resolvers.viewers import load_viewer

MOST_AT_ONCE = 50
"""People in one request."""

ANSWERS_FOR_IT = (ParticipantRole.SUBMITTER, ParticipantRole.OWNER)


@unit_of_work
async def share_ticket(work: Work, ctx: Context, ticket_id: UUID, *, user_ids: Sequence[UUID]) -> list[Participant]:
    """Put colleagues of the requester on a ticket: from then on they see it. Who is on it already stays what he is.

    A READ_ONLY member can be given a ticket to read; writing in it stays closed to the role (S15).

    Raises:
        NotFound, Forbidden: as for every change of a ticket, or somebody who is no member of its organization.
        Required, Invalid: nobody is named, too many are, or somebody could not see it all the same.
        Conflict: the ticket is for its author alone (S07).

    Source: S72.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    actions.check(actions.share, await ask(work, ctx, ticket, facts))
    people = list(dict.fromkeys(user_ids))
    if not people:
        raise Required("Name the people to share it with.", field=("userIds",))
    if len(people) > MOST_AT_ONCE:
        raise Invalid("At most {limit} at a time.", field=("userIds",), limit=MOST_AT_ONCE)
    await check_members(ticket, facts, people, field="userIds")
    found = [await put_on(work, ctx, ticket, each, ParticipantRole.PARTICIPANT) for each in people]
    await ticket.save()
    return found


@unit_of_work
async def add_contact(
    work: Work, ctx: Context, ticket_id: UUID, *, user_id: UUID, in_email_thread: bool = True
) -> Participant:
    """Add a contact to a ticket, and to its e-mail thread; only its assigned agent does (S06). A participant becomes a
    contact; who answers for the ticket stays that.

    Raises:
        NotFound, Forbidden: as for every change of a ticket, or somebody who is no member of its organization.
        Conflict: the ticket is for its author alone.
        TicketClosed: closed is final.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    actions.check(actions.add_contact, await ask(work, ctx, ticket, facts))
    await check_members(ticket, facts, [user_id], field="userId")
    contact = await put_on(work, ctx, ticket, user_id, ParticipantRole.CONTACT, in_email_thread=in_email_thread)
    if contact.role not in (ParticipantRole.CONTACT, *ANSWERS_FOR_IT) or contact.in_email_thread != in_email_thread:
        contact.role = contact.role if contact.role in ANSWERS_FOR_IT else ParticipantRole.CONTACT
        contact.in_email_thread = in_email_thread
        await contact.save()
        await timeline.change_participant(work, ctx, ticket, contact, ChangeType.UPDATED)
    await ticket.save()
    return contact


@unit_of_work
async def remove_participant(work: Work, ctx: Context, participant_id: UUID) -> Ticket:
    """Take somebody off a ticket, who then no longer sees it by that.

    Raises:
        NotFound, Forbidden: as for every change of a ticket: its assigned agent does, or who runs the desk.
        Conflict: the person answers for the ticket.
    """
    policy.check_authenticated(ctx.viewer)
    seen = await Participant.get_or_none(Participant.seen_by(ctx.viewer), id=participant_id)
    if seen is None:
        raise NotFound("participant", field=("participantId",))
    ticket, facts = await lock_ticket(ctx, seen.ticket_id)
    policy.check(ctx.viewer, policy.REMOVE_PARTICIPANT, facts, "Only the assigned support agent takes somebody off.")
    participant = await Participant.get_or_none(id=participant_id)
    if participant is None:
        raise NotFound("participant", field=("participantId",))
    if participant.role in ANSWERS_FOR_IT or participant.user_id in (ticket.requester_id, ticket.owner_id):
        raise Conflict("This person answers for the ticket. Set another requester instead.")
    await participant.delete()
    await timeline.change_participant(work, ctx, ticket, participant, ChangeType.REMOVED)
    announce_access(work, user_id=participant.user_id)
    await ticket.save()
    return ticket


async def check_members(ticket: Ticket, facts: TicketFacts, user_ids: Sequence[UUID], *, field: str) -> None:
    """
    Raises:
        NotFound: somebody is no member of the ticket's organization.
        Invalid: somebody would not see the ticket even when put on it: its history is not shown there.
    """
    here = {"organization_id": ticket.organization_id, "user_id__in": list(user_ids), "user__is_active": True}
    if await Membership.filter(**here).count() < len(set(user_ids)):
        raise NotFound("person in this organization", field=(field,))
    for user_id in user_ids:
        person = await load_viewer(user_id)
        if person is None or not policy.may_read_ticket(person, replace(facts, is_participant=True)):
            raise Invalid("The organization's people cannot see this ticket.", field=(field,))


async def put_on(
    work: Work, ctx: Context, ticket: Ticket, user_id: UUID, role: ParticipantRole, *, in_email_thread: bool = False
) -> Participant:
    """The participant, made and told of if the person was none before."""
    found = await Participant.get_or_none(ticket_id=ticket.id, user_id=user_id)
    if found is not None:
        return found
    participant = await Participant.create(
        ticket_id=ticket.id,
        user_id=user_id,
        added_by_id=ctx.user_id,
        role=role,
        in_email_thread=in_email_thread,
        added_at=work.now,
    )
    await timeline.change_participant(work, ctx, ticket, participant, ChangeType.ADDED)
    announce_access(work, user_id=user_id)
    return participant
