"""Telling both sides of a link, each only what everybody there may know."""

from typing import Any
from uuid import UUID

from domain import linking, policy
from domain.enums import ChangeType, Confidentiality, TicketLinkKind, TimelineEventKind, Visibility
from models import Organization, Participant, Ticket, TicketLink, TimelineEvent
from resolvers.context import Context
from resolvers.streams import TICKET_CHANGED, streams_of
from resolvers.transaction import Work
from resolvers.viewers import load_viewer

_OF_SOURCE = {TicketLinkKind.FOLLOW_UP_OF: ["followUpOf"], TicketLinkKind.MERGED_INTO: ["mergedInto"]}
_OF_TARGET = {TicketLinkKind.FOLLOW_UP_OF: ["followUps"]}
"""Fields of the ticket on that side that a link changes, besides `links`."""


async def people_on(ticket: Ticket) -> list[UUID]:
    """Who sees a ticket by having a part in it: requester, owner and participants, the earliest first."""
    taking_part: Any = Participant.filter(ticket_id=ticket.id).order_by("added_at", "id")
    people = [ticket.requester_id, ticket.owner_id, *await taking_part.values_list("user_id", flat=True)]
    return list(dict.fromkeys(each for each in people if each is not None))


async def link_and_tell(work: Work, ctx: Context, source: Ticket, target: Ticket, kind: TicketLinkKind) -> TicketLink:
    """Link two tickets and tell of it: see `tell_of_link`."""
    link = await TicketLink.create(source=source, target=target, kind=kind, created_at=work.now)
    await tell_of_link(work, ctx, link, source, target, ChangeType.ADDED)
    return link


async def tell_of_link(
    work: Work, ctx: Context, link: TicketLink, source: Ticket, target: Ticket, change: ChangeType
) -> None:
    """Put on both timelines that two tickets were linked, or are no longer; both are locked, and saved by the caller.

    Where somebody sees one ticket and not the other, only support is told on that one's timeline: nobody learns from a
    stream of a ticket that is not there for them (S07). Who may see both finds the link on the ticket in any case.
    """
    for here, there, more in ((source, target, _OF_SOURCE), (target, source, _OF_TARGET)):
        visibility = Visibility.PUBLIC if await _seen_alike(here, there) else Visibility.INTERNAL
        sequence, public_sequence = here.number_item(visibility)
        event = await TimelineEvent.create(
            ticket_id=here.id,
            sequence=sequence,
            public_sequence=public_sequence,
            visibility=visibility,
            actor_id=ctx.viewer.user_id,
            occurred_at=work.now,
            kind=TimelineEventKind.LINK,
            new_value=change,
            link_id=None if change is ChangeType.REMOVED else link.id,
        )
        fields = ["links", *more.get(link.kind, []), "lastSequence"]
        work.emit(streams_of(here.id, visibility), TICKET_CHANGED, {"fields": fields, "item": str(event.id)})


async def _seen_alike(here: Ticket, there: Ticket) -> bool:
    """Whether every customer who sees `here` sees `there` too."""
    organization = await Organization.get(id=here.organization_id)
    if not linking.seen_by_the_same(here.facts(), there.facts(), history_starts_at=organization.history_starts_at):
        return False
    on_both = set(await people_on(there))
    alone = here.confidentiality is Confidentiality.AUTHOR_ONLY
    people = [here.requester_id] if alone and here.requester_id else await people_on(here)
    for user_id in people:
        person = await load_viewer(user_id)
        if person is None or not policy.may_read_ticket(person, here.facts(is_participant=True)):
            continue
        if not policy.may_read_ticket(person, there.facts(is_participant=user_id in on_both)):
            return False
    return True
