"""The conversation of a ticket: writing in it, noting beside it, and following it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

from domain import actions, lifecycle, policy
from domain.enums import MessageKind, MessageSource, TicketStatus, Visibility
from domain.errors import IdempotencyMismatch, Invalid, NotFound
from domain.naming import line, text
from engine.prepared import Prepared
from models import Attachment, Message, Ticket
from realtime.cursor import Cursor
from realtime.hub import CaughtUp, Delivered, Reset
from resolvers import timeline
from resolvers.context import Context
from resolvers.conversation import Saying, kind_on, say
from resolvers.mentions import check_mentions, mention, mentioned_by
from resolvers.streams import MESSAGE_ADDED, follow
from resolvers.tickets import ask, lock_ticket
from resolvers.transaction import Work, unit_of_work
from resolvers.windows import windows_of

SENT_BEFORE = Prepared(Message, {"ticket_id": UUID, "actor_id": UUID, "client_message_id": str}, lambda rows: rows)


@unit_of_work
async def send_message(
    work: Work,
    ctx: Context,
    ticket_id: UUID,
    *,
    body: str,
    client_message_id: str,
    visibility: Visibility = Visibility.PUBLIC,
    in_reply_to_id: UUID | None = None,
    source: MessageSource = MessageSource.PORTAL,
    attachment_ids: tuple[UUID, ...] = (),
) -> tuple[Message, Ticket]:
    """Add a message to a ticket's conversation and announce it to the ticket's watchers.

    Sending again with the same `client_message_id` returns the message of the first time and announces nothing.
    What it does to the status: see `domain.lifecycle`, whose errors pass through. On a ticket that came by e-mail it is
    one more e-mail of the thread, under its subject.

    Raises:
        NotFound, Forbidden: as for any ticket the viewer cannot read or answer.
        Conflict: support has stopped replies.
        Required, Invalid: the text cannot be stored.
        TooManyFiles, Conflict: its files cannot be attached.
        IdempotencyMismatch: the key was used before with another text.

    Source: S51, S62, J2.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    policy.check(ctx.viewer, policy.SEND_MESSAGE, facts, "You may read this ticket, but not write in it.")
    _check_may_write(ctx, visibility)
    saying = Saying(
        body=text(body, field="message"),
        visibility=visibility,
        kind=kind_on(ticket, visibility),
        source=source,
        in_reply_to_id=await _replied_to(ctx, ticket, in_reply_to_id),
        client_message_id=line(client_message_id, field="clientMessageId", limit=100),
        attachment_ids=attachment_ids,
    )
    earlier = await _sent_before(ctx, ticket, saying)
    if earlier:
        return earlier, ticket
    if visibility is Visibility.PUBLIC:
        actions.check(actions.reply, await ask(work, ctx, ticket, facts))
    await _apply_reply(work, ctx, ticket, visibility)
    message = await say(work, ctx, ticket, saying)
    if visibility is Visibility.PUBLIC:
        timeline.touch(work, ticket)
    await ticket.save()
    return message, ticket


@unit_of_work
async def request_reply(
    work: Work,
    ctx: Context,
    ticket_id: UUID,
    *,
    body: str,
    visibility: Visibility = Visibility.PUBLIC,
    in_reply_to_id: UUID | None = None,
    attachment_ids: tuple[UUID, ...] = (),
    key: str | None = None,
) -> tuple[Message, Ticket]:
    """Ask the customer for something: a message after which it is the customer's turn, whatever the ticket's status.

    Asking again with the same `key` returns the message of the first time and announces nothing.

    Raises:
        NotFound, Forbidden, Required, Invalid, TooManyFiles, Conflict, IdempotencyMismatch: as for `send_message`.
        Invalid: the customer would not see it.
        TicketClosed, ReopenWindowExpired: see `domain.lifecycle.status_after_question`.

    Source: S62, J2.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    policy.check(ctx.viewer, policy.REQUEST_REPLY, facts)
    if visibility is not Visibility.PUBLIC:
        raise Invalid("The customer has to see what is asked. Send it as PUBLIC.", field=("message", "visibility"))
    saying = Saying(
        body=text(body, field="message"),
        kind=kind_on(ticket, visibility),
        in_reply_to_id=await _replied_to(ctx, ticket, in_reply_to_id),
        client_message_id=line(key, field="clientMutationId", limit=100) if key else None,
        attachment_ids=attachment_ids,
    )
    earlier = await _sent_before(ctx, ticket, saying, field="clientMutationId")
    if earlier:
        return earlier, ticket
    status = lifecycle.status_after_question(
        ticket.status, resolved_at=ticket.resolved_at, now=work.now, windows=windows_of(ticket)
    )
    ticket.first_responded_at = ticket.first_responded_at or work.now
    ticket.waiting_since = work.now
    await timeline.set_status(work, ctx, ticket, status)
    message = await say(work, ctx, ticket, saying)
    timeline.touch(work, ticket)
    await ticket.save()
    return message, ticket


@unit_of_work
async def add_note(
    work: Work,
    ctx: Context,
    ticket_id: UUID,
    *,
    body: str,
    visibility: Visibility,
    client_message_id: str | None = None,
    attachment_ids: tuple[UUID, ...] = (),
    mention_ids: tuple[UUID, ...] = (),
) -> tuple[Message, Ticket]:
    """Put a note beside the conversation (S04, S48). A note moves no status; one on a closed ticket is refused.

    Raises:
        NotFound, Forbidden: as for any ticket the viewer cannot read or note on.
        Required, Invalid: the text cannot be stored.
        Invalid, NotFound: somebody cannot be mentioned: see `resolvers.mentions.check_mentions`.
        TooManyFiles, Conflict: its files cannot be attached.
        TicketClosed: closed is final.
        Conflict: support has stopped replies.
        IdempotencyMismatch: the key was used before with another text.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    policy.check(ctx.viewer, policy.ADD_NOTE, facts, "You may read this ticket, but not note on it.")
    _check_may_write(ctx, visibility)
    saying = Saying(
        body=text(body, field="body"),
        visibility=visibility,
        kind=MessageKind.NOTE,
        mention_ids=mention_ids,
        client_message_id=line(client_message_id, field="clientMessageId", limit=100) if client_message_id else None,
        attachment_ids=attachment_ids,
    )
    earlier = await _sent_before(ctx, ticket, saying)
    if earlier:
        return earlier, ticket
    actions.check(actions.add_note, await ask(work, ctx, ticket, facts))
    mentioned = await check_mentions(ctx, ticket, visibility, mention_ids)
    note = await say(work, ctx, ticket, saying)
    await mention(note, mentioned)
    timeline.hear(work, ctx, ticket)
    if visibility is Visibility.PUBLIC:
        timeline.touch(work, ticket)
    await ticket.save()
    return note, ticket


async def watch_messages(
    ctx: Context, ticket_id: UUID, *, after: Cursor | None
) -> AsyncGenerator[tuple[Message, Cursor] | CaughtUp | Reset, None]:
    """Messages of a ticket after `after`, in commit order, without end.

    Stored ones first, then `CaughtUp`, then each as it is committed: none twice, none missed. `Reset` where that cannot
    be promised. Ends with NotFound before the first event that the viewer may no longer see.

    Source: S97, J1, J3.
    """
    policy.check_authenticated(ctx.viewer)
    async with aclosing(follow(ctx, ticket_id, after)) as steps:
        async for step in steps:
            match step:
                case Delivered(event, cursor) if event.kind == MESSAGE_ADDED:
                    message = await Message.get_or_none(id=UUID(event.data["message"]))
                    if message is not None:
                        yield message, cursor
                case Delivered():
                    continue
                case _:
                    yield step


def _check_may_write(ctx: Context, visibility: Visibility) -> None:
    if visibility is Visibility.INTERNAL:
        policy.check(ctx.viewer, policy.SEE_INTERNAL, None, "Only support staff write internal messages.")


async def _apply_reply(work: Work, ctx: Context, ticket: Ticket, visibility: Visibility) -> None:
    """What a message does to the ticket: an internal one nothing, beyond being refused on a closed ticket."""
    if visibility is Visibility.INTERNAL:
        lifecycle.check_not_closed(ticket.status)
        return
    if ctx.viewer.is_staff:
        status = lifecycle.status_after_staff_reply(ticket.status)
        ticket.first_responded_at = ticket.first_responded_at or work.now
    else:
        status = lifecycle.status_after_customer_reply(
            ticket.status, resolved_at=ticket.resolved_at, now=work.now, windows=windows_of(ticket)
        )
    if status is TicketStatus.PENDING_CUSTOMER:
        ticket.waiting_since = work.now
    await timeline.set_status(work, ctx, ticket, status)


async def _replied_to(ctx: Context, ticket: Ticket, message_id: UUID | None) -> UUID | None:
    """
    Raises:
        NotFound: this ticket has no such message that the viewer may see.
    """
    if message_id is None:
        return None
    seen = Message.shown_on_readable_ticket(ctx.viewer)
    if not await Message.filter(seen, id=message_id, ticket_id=ticket.id).exists():
        raise NotFound("message", field=("message", "inReplyToId"))
    return message_id


async def _sent_before(
    ctx: Context, ticket: Ticket, saying: Saying, *, field: str = "clientMessageId"
) -> Message | None:
    if saying.client_message_id is None:
        return None
    earlier = await SENT_BEFORE.first(ticket.id, ctx.user_id, saying.client_message_id)
    if earlier is None:
        return None
    files = {file.id for file in await Attachment.filter(message_id=earlier.id)}
    said = (earlier.body, earlier.visibility, earlier.kind, files, set(await mentioned_by(earlier.id)))
    wanted = (saying.body, saying.visibility, saying.kind, set(saying.attachment_ids), set(saying.mention_ids))
    if said != wanted:
        raise IdempotencyMismatch(
            "You sent something else with this {name}. Give every new message an id of its own.",
            field=(field,),
            name=field,
        )
    return earlier
