"""Changing what a ticket says of itself, one event on its timeline for each field."""

from dataclasses import dataclass
from uuid import UUID

from domain import lifecycle, policy
from domain.enums import Confidentiality, TicketPriority, TicketSeverity
from domain.errors import Conflict
from domain.naming import line
from domain.policy import TicketFacts
from models import Follower, Ticket
from resolvers import timeline
from resolvers.access import announce_access
from resolvers.catalog import LEFT_OUT
from resolvers.context import Context
from resolvers.followers import take_off
from resolvers.ticket_choices import Change, choose_place, choose_sort, choose_version
from resolvers.tickets import check_version, lock_ticket
from resolvers.transaction import Work, unit_of_work


@dataclass(frozen=True, slots=True)
class Changes:
    """What to change; None leaves a field as it is, but for the room or desk, which can be none."""

    subject: str | None = None
    priority: TicketPriority | None = None
    severity: TicketSeverity | None = None
    classification_id: UUID | None = None
    issue_type_id: UUID | None = None
    product_version_id: UUID | None = None
    space_id: UUID | None = LEFT_OUT
    device_ids: tuple[UUID, ...] | None = None
    confidentiality: Confidentiality | None = None


@unit_of_work
async def update_ticket(
    work: Work, ctx: Context, ticket_id: UUID, changes: Changes, *, expected_version: int | None = None
) -> Ticket:
    """Change some fields of a ticket; what has the value already is not told of, and where all have, nothing happens.

    Raises:
        NotFound, Forbidden, StaleVersion: as for every change of a ticket; or no such thing for its request type,
            product or organization.
        TicketClosed: closed is final.
        Required, Invalid: the subject cannot be stored, or its devices stand elsewhere.
        Conflict: it cannot be for its author alone, because it has none.

    Source: J8, S66.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    policy.check(ctx.viewer, policy.UPDATE_TICKET, facts, "You may read this ticket, but not change it.")
    check_version(ticket, expected_version)
    lifecycle.check_not_closed(ticket.status)
    changed = [
        *_plain(ticket, changes),
        *await choose_sort(ticket, changes.classification_id, changes.issue_type_id),
        *await choose_version(ticket, changes.product_version_id),
        *await choose_place(ticket, changes.space_id, changes.device_ids),
        *await _confide(work, ctx, ticket, facts, changes.confidentiality),
    ]
    for field, old, new in changed:
        await timeline.set_field(work, ctx, ticket, field, old=old, new=new)
    if changed:
        timeline.hear(work, ctx, ticket)
        timeline.touch(work, ticket, activity=False)
        await ticket.save()
    return ticket


def _plain(ticket: Ticket, changes: Changes) -> list[Change]:
    """Give the ticket the values that stand for themselves."""
    subject = line(changes.subject, field="subject") if changes.subject is not None else None
    found: list[Change] = []
    for name, new in (("subject", subject), ("priority", changes.priority), ("severity", changes.severity)):
        old = getattr(ticket, name)
        if new is not None and new != old:
            setattr(ticket, name, new)
            found.append((name, old, new))
    return found


async def _confide(
    work: Work, ctx: Context, ticket: Ticket, facts: TicketFacts, wanted: Confidentiality | None
) -> list[Change]:
    """Say who in the organization sees the ticket: its author does, and support. Who sees it no longer is shown
    nothing from now on, on running streams neither; those who take part in it see it again when it is opened again.
    Addresses, which cannot be kept out of what they were sent, follow it no longer (S07, S85).
    """
    if wanted is None or wanted is ticket.confidentiality:
        return []
    policy.check(ctx.viewer, policy.SET_CONFIDENTIALITY, facts, "Only its author and support say who sees it.")
    if wanted is Confidentiality.AUTHOR_ONLY:
        if ticket.requester_id is None:
            raise Conflict("This ticket has no author. Set its requester first.", field=("confidentiality",))
        for follower in await Follower.filter(ticket_id=ticket.id, email__isnull=False).order_by("followed_at", "id"):
            await take_off(work, ctx, ticket, follower)
    old, ticket.confidentiality = ticket.confidentiality, wanted
    announce_access(work, ticket_id=ticket.id)
    return [("confidentiality", old, wanted)]
