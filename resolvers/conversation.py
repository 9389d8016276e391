"""Writing on a ticket: the part that messages, notes, comments and imports have in common."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.enums import MessageKind, MessageSource, TicketChannel, Visibility
from models import Message, Ticket
from resolvers.attaching import attach
from resolvers.context import Context
from resolvers.streams import MESSAGE_ADDED, message_key, streams_of
from resolvers.transaction import Work


@dataclass(frozen=True, slots=True)
class Saying:
    """Something to be put on a ticket: by the viewer, now, and in the way that its conversation is held, unless an
    author, an instant and a kind are given.
    """

    body: str
    visibility: Visibility = Visibility.PUBLIC
    kind: MessageKind | None = None
    source: MessageSource = MessageSource.PORTAL
    in_reply_to_id: UUID | None = None
    client_message_id: str | None = None
    language: str | None = None
    author_id: UUID | None = None
    at: datetime | None = None
    email_from: str | None = None
    attachment_ids: tuple[UUID, ...] = ()
    mention_ids: tuple[UUID, ...] = ()


def kind_on(ticket: Ticket, visibility: Visibility) -> MessageKind:
    """How what is said on a ticket is kept: one that came by e-mail is one thread of e-mails, and what support says to
    itself is in none (S50, S51).
    """
    by_mail = ticket.channel is TicketChannel.EMAIL and visibility is Visibility.PUBLIC
    return MessageKind.EMAIL if by_mail else MessageKind.CHAT


async def say(work: Work, ctx: Context, ticket: Ticket, saying: Saying) -> Message:
    """Number, store and announce a message. The ticket is locked, and saved by the caller afterwards.

    Raises:
        TooManyFiles, NotFound, Conflict: its files cannot be attached: see `resolvers.attaching.attach`.
    """
    kind = saying.kind or kind_on(ticket, saying.visibility)
    sequence, public_sequence = ticket.number_item(saying.visibility)
    message = await Message.create(
        ticket_id=ticket.id,
        sequence=sequence,
        public_sequence=public_sequence,
        visibility=saying.visibility,
        actor_id=saying.author_id or ctx.viewer.user_id,
        occurred_at=saying.at or work.now,
        kind=kind,
        source=saying.source,
        in_reply_to_id=saying.in_reply_to_id,
        client_message_id=saying.client_message_id,
        language=saying.language,
        body=saying.body,
        email_subject=ticket.subject if kind is MessageKind.EMAIL else None,
        email_from=saying.email_from,
    )
    files = await attach(ctx, message, saying.attachment_ids)
    fields = ["messages", *(["attachments"] if files else []), "lastSequence", "lastActivityAt", "updatedAt"]
    data = {"message": str(message.id), "fields": fields}
    work.emit(streams_of(ticket.id, saying.visibility), MESSAGE_ADDED, data, key=message_key(message.id))
    return message
