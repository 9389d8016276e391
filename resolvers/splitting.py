"""Splitting a ticket: what belongs into a request of its own is copied into a new one."""

from collections.abc import Sequence
from uuid import UUID

from tortoise.expressions import Q
from uuid_utils.compat import uuid7

from domain import policy
from domain.enums import TicketLinkKind, Visibility
from domain.errors import IdempotencyMismatch, Invalid, NotFound, Required
from domain.naming import line
from models import Attachment, Message, Ticket, TicketLink
from resolvers.context import Context
from resolvers.link_events import link_and_tell, people_on
from resolvers.linked_tickets import TAKEN_OVER
from resolvers.ticket_creation import enter
from resolvers.tickets import lock_ticket
from resolvers.transaction import Work, unit_of_work

MOST_MESSAGES = 100
"""Messages in one request."""

COPIED = (
    *("visibility", "actor_id", "automatic", "occurred_at", "kind", "source", "delivery_state", "body", "language"),
    *("edited_at", "email_subject", "email_from", "email_headers"),
)
"""What a copy of a message has from it: who said it and when, and what."""


@unit_of_work
async def split_ticket(
    work: Work,
    ctx: Context,
    ticket_id: UUID,
    *,
    message_ids: Sequence[UUID],
    subject: str,
    client_mutation_id: str | None = None,
) -> tuple[Ticket, Ticket]:
    """Open a ticket with copies of some of a ticket's messages, files included; returns it and the other.

    The other keeps everything, and may be closed. The new one is the request of whose the other is, with the same
    people on it, and is about what the first of the messages says that customers may read.

    The same `client_mutation_id` by the same person returns the ticket of the first time and announces nothing.

    Raises:
        NotFound, Forbidden: as for every change of a ticket, or a message that is not on it.
        Required, Invalid: the subject cannot be stored, no message is named that customers may read, or too many are.
        IdempotencyMismatch: the `client_mutation_id` was used before for another ticket.
    """
    source, facts = await lock_ticket(ctx, ticket_id)
    policy.check(ctx.viewer, policy.SPLIT_TICKET, facts, "Only support staff split a ticket.")
    called = line(subject, field="subject")
    earlier = await _split_before(ctx, source, called, client_mutation_id)
    if earlier:
        return earlier, source
    chosen = await _chosen(source, message_ids)
    first = next((each for each in chosen if each.visibility is Visibility.PUBLIC), None)
    if first is None:
        raise Required("Name at least one message that customers may read.", field=("messageIds",))
    columns = {name: getattr(source, name) for name in TAKEN_OVER} | {
        "subject": called,
        "description": first.body,
        "quotes_id": source.id,
        "client_mutation_id": client_mutation_id,
        "requester_id": source.requester_id,
        "owner_id": source.owner_id,
    }
    devices = [each.id for each in await source.devices.all()]
    people = await people_on(source)
    ticket = await enter(work, ctx, columns, people=people, device_ids=devices, is_said=False)
    await _copy(ticket, chosen)
    await link_and_tell(work, ctx, ticket, source, TicketLinkKind.SPLIT_FROM)
    await ticket.save()
    await source.save()
    return ticket, source


async def _chosen(source: Ticket, message_ids: Sequence[UUID]) -> list[Message]:
    """The messages, in their order on the ticket.

    Raises:
        Required, Invalid: none is named, or too many are.
        NotFound: one of them is on another ticket, was deleted, or does not exist.
    """
    wanted = list(dict.fromkeys(message_ids))
    if not wanted:
        raise Required("Name the messages.", field=("messageIds",))
    if len(wanted) > MOST_MESSAGES:
        raise Invalid("At most {limit} messages at a time.", field=("messageIds",), limit=MOST_MESSAGES)
    found = await Message.filter(id__in=wanted, ticket_id=source.id, deleted_at=None).order_by("sequence")
    if len(found) < len(wanted):
        raise NotFound("message on this ticket", field=("messageIds",))
    return found


async def _copy(ticket: Ticket, chosen: Sequence[Message]) -> None:
    """Put copies of messages and their files on a new ticket. An answer to one that came along answers its copy."""
    copies: dict[UUID, Message] = {}
    for each in chosen:
        sequence, public_sequence = ticket.number_item(each.visibility)
        answered = copies.get(each.in_reply_to_id) if each.in_reply_to_id else None
        copies[each.id] = Message(
            **{name: getattr(each, name) for name in COPIED},
            ticket_id=ticket.id,
            sequence=sequence,
            public_sequence=public_sequence,
            in_reply_to_id=answered.id if answered else None,
        )
    await Message.bulk_create(copies.values())
    # Locked: a file that is being taken back just now is taken back for both, or comes along for good.
    here = Q(message_id__in=list(copies), deleted_at=None, stored_at__isnull=False)
    files = await Attachment.filter(here).order_by("created_at", "id").select_for_update()
    await Attachment.bulk_create([_file(each, copies[each.message_id]) for each in files if each.message_id])


def _file(of: Attachment, message: Message) -> Attachment:
    copy = of.clone(pk=uuid7())
    copy.message_id, copy.ticket_id, copy.copy_of = message.id, message.ticket_id, of.copy_of or of.id
    return copy


async def _split_before(ctx: Context, source: Ticket, subject: str, key: str | None) -> Ticket | None:
    if key is None:
        return None
    line(key, field="clientMutationId", limit=100)
    earlier = await Ticket.get_or_none(opened_by_id=ctx.user_id, client_mutation_id=key)
    if earlier is None:
        return None
    split = TicketLink.filter(source_id=earlier.id, target_id=source.id, kind=TicketLinkKind.SPLIT_FROM)
    if earlier.subject != subject or not await split.exists():
        raise IdempotencyMismatch(
            "You opened another ticket with this clientMutationId. Give every new ticket an id of its own.",
            field=("clientMutationId",),
        )
    return earlier
