"""Bringing in what an earlier system knows of a ticket (S13, J10).

Nothing of a row is lost and nothing is made up. What has no column here is kept in an internal note; a time that is not
told is taken from the times that are, and the note says so.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import Enum
from uuid import UUID

import orjson

from domain import policy
from domain.enums import (
    ACTIVE_STATUSES,
    MessageKind,
    MessageSource,
    OrganizationRole,
    ParticipantRole,
    StaffRole,
    TicketChannel,
    TicketPriority,
    TicketStatus,
    Visibility,
)
from domain.errors import Invalid, NotFound
from domain.lifecycle import preset_of
from domain.naming import email, line, text, ticket_reference
from domain.policy import Viewer
from models import Feedback, Membership, Message, Organization, Participant, Product, Ticket, User
from resolvers.context import Context
from resolvers.counters import next_number
from resolvers.streams import TICKET_CREATED, streams_of
from resolvers.transaction import Work, unit_of_work

COMMAND_LINE = Viewer(staff_role=StaffRole.ADMIN)
"""Whoever may start programs beside the database: nobody by name, with an administrator's rights."""


@dataclass(frozen=True, slots=True)
class ImportedTicket:
    """What an earlier system tells of a ticket. `source` and `key` name it for good: the same again is the same ticket.

    `resolution` is what support answered. `details` are kept in an internal note, as (label, value).
    """

    organization_id: UUID
    source: str
    key: str
    subject: str
    description: str
    status: TicketStatus
    channel: TicketChannel = TicketChannel.IMPORT
    priority: TicketPriority = TicketPriority.NORMAL
    requester_email: str | None = None
    requester_name: str | None = None
    product: str | None = None
    resolution: str | None = None
    created_at: datetime | None = None
    first_responded_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    rating: int | None = None
    details: tuple[tuple[str, str], ...] = ()

    @property
    def fingerprint(self) -> str:
        """The same for the same content; a field that is not set does not count, so that new fields change nothing."""
        told = {name: value for name, value in asdict(self).items() if value not in (None, ())}
        # `str` for the keys that come from PostgreSQL: they are UUIDs of its driver's own.
        data = orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z, default=str)
        return hashlib.sha256(data).hexdigest()


class Outcome(Enum):
    CREATED = "created"
    UNCHANGED = "unchanged"
    """It was imported before, and says the same."""
    CHANGED = "changed"
    """It was imported before, and said something else. The ticket stays as it is: people may have gone on with it."""


@unit_of_work
async def import_ticket(work: Work, ctx: Context, row: ImportedTicket) -> tuple[Ticket, Outcome]:
    """Make a ticket with its requester, product, conversation and feedback of what an earlier system tells.

    Times stay as they are told, also where they contradict each other. One that the status demands and nobody told is
    the latest known; the time of opening is the earliest known, or now. A ticket that waits for its customer does so
    from now on: nobody could answer it here before. One event tells that the ticket is there; its history is no news.

    Raises:
        Unauthenticated, Forbidden: only administrators of the desk import, and the command line.
        NotFound: there is no such organization.
        Required, Invalid: a text, an address, a time or the rating cannot be stored.
    """
    _check_may_import(ctx)
    # One import into an organization at a time: so the second of two finds what the first one made.
    organization = await Organization.select_for_update(no_key=True).get_or_none(id=row.organization_id)
    if organization is None:
        raise NotFound("organization", field=("organizationId",))
    source, key = line(row.source, field="source", limit=60), line(row.key, field="key", limit=100)
    earlier = await Ticket.get_or_none(organization_id=organization.id, import_source=source, import_key=key)
    if earlier:
        return earlier, Outcome.UNCHANGED if earlier.import_digest == row.fingerprint else Outcome.CHANGED
    requester = await _requester(work, row)
    ticket = await _ticket(work, row, requester)
    ticket.import_source, ticket.import_key = source, key
    if ticket.status is TicketStatus.RESOLVED:
        ticket.resolved_under = preset_of(organization=organization.lifecycle_preset, request_type=None)
    messages = list(_conversation(work, row, ticket, requester))
    await ticket.save()
    await Message.bulk_create(messages)
    await _add_people(ticket, requester)
    await _add_feedback(row, ticket)
    work.emit(streams_of(ticket.id), TICKET_CREATED, {"fields": []}, key=f"ticket:{ticket.id}")
    return ticket, Outcome.CREATED


@unit_of_work
async def organization_named(work: Work, ctx: Context, name: str) -> tuple[Organization, bool]:
    """The organization of that name, and whether it had to be made.

    Raises:
        Unauthenticated, Forbidden: as for `import_ticket`.
        Required, Invalid: the name cannot be stored.
    """
    _check_may_import(ctx)
    given = line(name, field="organization", limit=200)
    return await Organization.get_or_create(name=given, defaults={"created_at": work.now})


def _check_may_import(ctx: Context) -> None:
    # The command line is allowed without being anybody; `check` would ask for a name first.
    if not policy.allows(ctx.viewer, policy.IMPORT_TICKETS, None):
        policy.check(ctx.viewer, policy.IMPORT_TICKETS, None, "Only administrators of the desk import tickets.")


async def _requester(work: Work, row: ImportedTicket) -> User | None:
    """The person with that address; a new one has no password. A name alone names nobody.

    Raises:
        Invalid: not an address.
    """
    if row.requester_email is None:
        return None
    address = email(row.requester_email, field="requesterEmail")
    username = address.partition("@")[0]
    name = line(row.requester_name, field="requesterName", limit=200) if row.requester_name else username
    made = {"username": username, "display_name": name, "created_at": work.now}
    user, _ = await User.get_or_create(email=address, defaults=made)
    joined = {"role": OrganizationRole.MEMBER, "joined_at": work.now}
    await Membership.get_or_create(organization_id=row.organization_id, user_id=user.id, defaults=joined)
    return user


async def _ticket(work: Work, row: ImportedTicket, requester: User | None) -> Ticket:
    """The ticket, not stored yet.

    Raises:
        Required, Invalid: a text cannot be stored, or a time lies in the future.
    """
    first, last = _span(row, work.now)
    number = await next_number("ticket")
    ticket = Ticket(
        number=number,
        reference=ticket_reference(number),
        organization_id=row.organization_id,
        requester=requester,
        owner=requester,
        product=await _product(row),
        subject=line(row.subject, field="subject"),
        description=text(row.description, field="description"),
        channel=row.channel,
        status=row.status,
        priority=row.priority,
        created_at=row.created_at or first,
        updated_at=last,
        last_activity_at=last,
        status_changed_at=last,
        first_responded_at=row.first_responded_at,
        import_digest=row.fingerprint,
        is_imported=True,
    )
    match row.status:
        case TicketStatus.CLOSED:
            ticket.resolved_at = row.resolved_at
            ticket.closed_at = ticket.status_changed_at = row.closed_at or row.resolved_at or last
        case TicketStatus.RESOLVED:
            ticket.resolved_at = ticket.status_changed_at = row.resolved_at or last
        case TicketStatus.PENDING_CUSTOMER:
            ticket.waiting_since = work.now
    return ticket


def _span(row: ImportedTicket, now: datetime) -> tuple[datetime, datetime]:
    """The earliest and the latest time that the row tells; now where it tells none.

    Raises:
        Invalid: one of them lies in the future.
    """
    told = {
        "createdAt": row.created_at,
        "firstRespondedAt": row.first_responded_at,
        "resolvedAt": row.resolved_at,
        "closedAt": row.closed_at,
    }
    for field, moment in told.items():
        if moment and moment > now:
            raise Invalid("This time lies in the future: {moment}.", field=(field,), moment=_shown(moment))
    known = [moment for moment in told.values() if moment]
    return min(known, default=now), max(known, default=now)


async def _product(row: ImportedTicket) -> Product | None:
    if row.product is None:
        return None
    product, _ = await Product.get_or_create(name=line(row.product, field="product", limit=200))
    return product


def _conversation(work: Work, row: ImportedTicket, ticket: Ticket, requester: User | None) -> Iterator[Message]:
    """What was asked, what support answered, and a note for staff about the import, each numbered on the ticket."""
    yield _message(ticket, ticket.description, at=ticket.created_at, author=requester)
    if row.resolution:
        at = row.resolved_at or row.closed_at or ticket.last_activity_at
        yield _message(ticket, text(row.resolution, field="resolution"), at=at, automatic=True)
    told = [f"{label}: {value}" for label, value in (*row.details, *_remarks(row, requester))]
    note = "\n".join([f"Imported from {ticket.import_source}, number {ticket.import_key}.", *told])
    yield _message(ticket, text(note, field="details"), at=work.now, automatic=True, internal=True)


def _message(
    ticket: Ticket,
    body: str,
    *,
    at: datetime,
    author: User | None = None,
    automatic: bool = False,
    internal: bool = False,
) -> Message:
    visibility = Visibility.INTERNAL if internal else Visibility.PUBLIC
    by_mail = ticket.channel is TicketChannel.EMAIL and not internal
    sequence, public_sequence = ticket.number_item(visibility)
    return Message(
        ticket_id=ticket.id,
        sequence=sequence,
        public_sequence=public_sequence,
        visibility=visibility,
        actor=author,
        automatic=automatic,
        occurred_at=at,
        kind=MessageKind.NOTE if internal else MessageKind.EMAIL if by_mail else MessageKind.CHAT,
        source=MessageSource.IMPORT,
        body=body,
        email_subject=ticket.subject if by_mail else None,
        email_from=author.email if by_mail and author else None,
    )


def _remarks(row: ImportedTicket, requester: User | None) -> Iterator[tuple[str, str]]:
    """What the row tells and the ticket cannot, and what the ticket shows without having been told."""
    if row.created_at is None:
        known = row.first_responded_at or row.resolved_at or row.closed_at
        yield "Opened", f"not told; the {'earliest time that is known' if known else 'time of the import'} is shown"
    if row.resolved_at and row.status in ACTIVE_STATUSES:
        yield "Resolved", f"{_shown(row.resolved_at)}, and opened again"
    if row.closed_at and row.status is not TicketStatus.CLOSED:
        yield "Closed", f"{_shown(row.closed_at)}, and opened again"
    if row.requester_name and (requester is None or requester.display_name != " ".join(row.requester_name.split())):
        yield "Requester", row.requester_name


async def _add_people(ticket: Ticket, requester: User | None) -> None:
    if requester:
        await Participant.create(
            ticket_id=ticket.id,
            user_id=requester.id,
            added_by_id=requester.id,
            role=ParticipantRole.SUBMITTER,
            added_at=ticket.created_at,
        )


async def _add_feedback(row: ImportedTicket, ticket: Ticket) -> None:
    """
    Raises:
        Invalid: not 1 to 5, or on a ticket that is not over (S71).
    """
    if row.rating is None:
        return
    if not 1 <= row.rating <= 5:
        raise Invalid("A rating is 1 to 5; this is {rating}.", field=("rating",), rating=row.rating)
    if ticket.status in ACTIVE_STATUSES:
        raise Invalid(
            "Only what is resolved or closed has a rating; this is {status}.", field=("rating",), status=ticket.status
        )
    await Feedback.create(
        ticket_id=ticket.id,
        submitted_by_id=ticket.requester_id,
        rating=row.rating,
        submitted_at=ticket.last_activity_at,
    )


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
