"""Changing what a ticket says of itself, one event on its timeline for each field."""

from dataclasses import dataclass
from uuid import UUID

from domain import lifecycle, policy
from domain.enums import TicketPriority, TicketSeverity
from domain.errors import NotFound
from domain.naming import line
from models import Classification, IssueType, Ticket
from resolvers import timeline
from resolvers.context import Context
from resolvers.tickets import check_version, lock_ticket
from resolvers.transaction import Work, unit_of_work


@dataclass(frozen=True, slots=True)
class Changes:
    """What to change; None leaves a field as it is."""

    subject: str | None = None
    priority: TicketPriority | None = None
    severity: TicketSeverity | None = None
    classification_id: UUID | None = None
    issue_type_id: UUID | None = None


@unit_of_work
async def update_ticket(
    work: Work, ctx: Context, ticket_id: UUID, changes: Changes, *, expected_version: int | None = None
) -> Ticket:
    """Change some fields of a ticket; what has the value already is not told of, and where all have, nothing happens.

    Raises:
        NotFound, Forbidden, StaleVersion: as for every change of a ticket; or no such thing for its request type.
        TicketClosed: closed is final.
        Required, Invalid: the subject cannot be stored.

    Source: J8, S66.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    policy.check(ctx.viewer, policy.UPDATE_TICKET, facts, "You may read this ticket, but not change it.")
    check_version(ticket, expected_version)
    lifecycle.check_not_closed(ticket.status)
    changed = [*_plain(ticket, changes), *await _chosen(ticket, changes)]
    for field, old, new in changed:
        await timeline.set_field(work, ctx, ticket, field, old=old, new=new)
    if changed:
        timeline.touch(work, ticket, activity=False)
        await ticket.save()
    return ticket


Change = tuple[str, str | None, str]
"""A field by its name in the API, and what it was and is, in words."""


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


async def _chosen(ticket: Ticket, changes: Changes) -> list[Change]:
    """Give the ticket what is chosen among what its request type offers."""
    found: list[Change] = []
    for model, what, field, name in (
        (Classification, "classification", "classification", "classification_id"),
        (IssueType, "issue type", "issueType", "issue_type_id"),
    ):
        old_id, new_id = getattr(ticket, name), getattr(changes, name)
        if new_id is None or new_id == old_id:
            continue
        new = await model.get_or_none(id=new_id, request_type_id=ticket.request_type_id)
        if new is None:
            raise NotFound(what, field=(f"{field}Id",))
        old = await model.get_or_none(id=old_id) if old_id else None
        setattr(ticket, name, new_id)
        found.append((field, old.name if old else None, new.name))
    return found
