"""How far people have read a ticket: marking, counting what is unread, and telling others (J7).

Everybody counts in the numbering of their audience, so a place tells a customer nothing of what is internal.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from tortoise.expressions import Q, RawSQL
from tortoise.queryset import QuerySet

from domain import policy
from domain.errors import Invalid
from domain.policy import Viewer, sees_internal
from domain.presence import sees_presence
from engine.statements import among, column, dialect_of, finished, id_list
from models import Message, ReadMark, Ticket, TimelineEvent, User
from models.database import reading
from models.followers import followed_by
from models.read_marks import place_sql, unread_sql
from models.tickets import taking_part
from resolvers.context import Context
from resolvers.ephemeral import changes, key_of, read_ticket
from resolvers.reading import related
from resolvers.transaction import Work, unit_of_work

KIND = "read"
TOLD_FOR = 45.0
"""Seconds that a process may need to hear of it. It is stored: whoever comes later reads it."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """How far somebody has read, in the viewer's numbering."""

    pk: UUID
    reader: User
    last_read_sequence: int
    read_at: datetime


@dataclass(frozen=True, slots=True)
class ReadState:
    receipt: Receipt
    unread_count: int


async def mark_read(ctx: Context, ticket_id: UUID, *, up_to: int) -> Ticket:
    """Put the viewer's place in a ticket forward, to an item in the viewer's numbering; never back.

    A number beyond the last item means the last one.

    Raises:
        Unauthenticated, NotFound, Forbidden: no ticket that the viewer may read.
        Invalid: a negative number.
    """
    if up_to < 0:
        raise Invalid("Items are numbered from 1 on.", field=("upToSequence",))
    ticket = await _readable(ctx, ticket_id)
    mark = await ReadMark.get_or_none(ticket_id=ticket.id, user_id=ctx.user_id)
    if min(up_to, _last(ctx.viewer, ticket)) > (mark.place_for(ctx.viewer) if mark else 0):
        await _move(ctx, ticket_id, up_to, forward=True)
        _tell(ctx, ticket_id)
    return ticket


async def mark_unread(ctx: Context, ticket_id: UUID, *, from_: int) -> Ticket:
    """Put the viewer's place in a ticket back, before an item in the viewer's numbering; never forward.

    Raises:
        Unauthenticated, NotFound, Forbidden: no ticket that the viewer may read.
        Invalid: the number is not positive.
    """
    if from_ < 1:
        raise Invalid("Items are numbered from 1 on.", field=("fromSequence",))
    ticket = await _readable(ctx, ticket_id)
    mark = await ReadMark.get_or_none(ticket_id=ticket.id, user_id=ctx.user_id)
    if mark and from_ - 1 < mark.place_for(ctx.viewer):
        await _move(ctx, ticket_id, from_ - 1, forward=False)
        _tell(ctx, ticket_id)
    return ticket


async def unread_counts(ctx: Context, rows: Sequence[tuple[UUID]]) -> list[int]:
    """How many messages of each of these tickets the viewer has not read; one statement."""
    dialect = dialect_of(Ticket)
    here = among('"ticket"."id"', dialect)
    sql = f'SELECT {column(Ticket, "id", "ticket", dialect)}, (SELECT COUNT(*) {unread_sql(ctx.viewer)}) FROM "ticket"'
    ids = [str(ticket_id) for (ticket_id,) in rows]
    _, counted = await reading().execute_query(finished(f"{sql} WHERE {here}", dialect), [id_list(ids, dialect)])
    found: dict[str, int] = {row[0]: row[1] for row in counted}
    return [found.get(each, 0) for each in ids]


async def last_read(ctx: Context, rows: Sequence[tuple[UUID]]) -> list[int]:
    """The viewer's place in each of these tickets; one statement."""
    ids = [ticket_id for (ticket_id,) in rows]
    marks = await ReadMark.filter(ticket_id__in=list(set(ids)), user_id=ctx.user_id)
    found = {mark.ticket_id: mark.place_for(ctx.viewer) for mark in marks}
    return [found.get(each, 0) for each in ids]


async def count_unread_tickets(ctx: Context) -> int:
    """How many tickets of the viewer's own have something unread: opened, owned, handled, taken part in, followed."""
    if ctx.viewer.user_id is None:
        return 0
    return await own_tickets(ctx).filter(unread_by(ctx.viewer)).count()


def own_tickets(ctx: Context) -> QuerySet[Ticket]:
    me = ctx.user_id
    mine = Q(requester_id=me) | Q(owner_id=me) | Q(assignee_id=me) | Q(id__in=taking_part(me))
    mine |= Q(id__in=followed_by([me]))
    return Ticket.visible_to(ctx.viewer).filter(mine)


def unread_by(viewer: Viewer) -> Q:
    """Tickets with something that the viewer has not read. What the row itself tells is asked first."""
    column = "last_sequence" if sees_internal(viewer) else "last_public_sequence"
    some: dict[str, Any] = {f"{column}__gt": RawSQL(place_sql(viewer))}
    return Q(**some) & Q(id__in=RawSQL(f'(SELECT "unread"."ticket_id" {unread_sql(viewer)})'))


async def receipts_of(ctx: Context, ticket_ids: list[UUID]) -> list[list[Receipt]]:
    """How far each of these readable tickets has been read by whom, as far as the viewer is told.

    Customers are told of their own side and of the assigned agent, as with presence; of others in support they would
    learn that the ticket was handed on.
    """
    wanted = list(set(ticket_ids))
    marks = await ReadMark.filter(ticket_id__in=wanted).order_by("id")
    assignees: dict[UUID, UUID | None] = dict(await Ticket.filter(id__in=wanted).values_list("id", "assignee_id"))
    found: dict[UUID, list[Receipt]] = {ticket_id: [] for ticket_id in wanted}
    for mark in marks:
        receipt = await _receipt(ctx, mark, assignees.get(mark.ticket_id))
        if receipt:
            found[mark.ticket_id].append(receipt)
    return [found[each] for each in ticket_ids]


async def readers_of(ctx: Context, message: Message) -> list[Receipt]:
    """Who has read a message, its author apart."""

    async def load(ids: list[UUID]) -> list[list[Receipt]]:
        return await receipts_of(ctx, ids)

    receipts = await ctx.loaders.get("receipts", load).load(message.ticket_id)
    place = message.sequence if sees_internal(ctx.viewer) else message.public_sequence
    assert place is not None, "a customer sees no message without a number"
    return [each for each in receipts if each.last_read_sequence >= place and each.reader.id != message.actor_id]


async def watch_read_state(ctx: Context, ticket_id: UUID) -> AsyncGenerator[ReadState, None]:
    """How far each reader has come whom the viewer is told of, then who moves; each with the viewer's unread count.

    Raises:
        Unauthenticated, NotFound: as `resolvers.ephemeral.changes`.
    """
    told: dict[UUID, tuple[int, datetime]] = {}
    async with aclosing(changes(ctx, ticket_id, KIND)) as steps:
        async for moved in steps:
            if told and not moved:
                continue
            ctx.refresh()
            ((unread,), (receipts,)) = await unread_counts(ctx, [(ticket_id,)]), await receipts_of(ctx, [ticket_id])
            for receipt in receipts:
                place = (receipt.last_read_sequence, receipt.read_at)
                if told.get(receipt.reader.id) != place:
                    told[receipt.reader.id] = place
                    yield ReadState(receipt, unread)


async def _readable(ctx: Context, ticket_id: UUID) -> Ticket:
    ticket, facts = await read_ticket(ctx, ticket_id)
    policy.check(ctx.viewer, policy.MARK_READ, facts)
    return ticket


@unit_of_work
async def _move(work: Work, ctx: Context, ticket_id: UUID, to: int, *, forward: bool) -> None:
    """Move the viewer's place in both numberings. The ticket is neither locked nor touched: reading changes nothing of
    it."""
    ticket = await Ticket.get(id=ticket_id)
    fresh = ReadMark(ticket_id=ticket_id, user_id=ctx.user_id, read_at=work.now, public_read_at=work.now)
    await ReadMark.bulk_create([fresh], ignore_conflicts=True)
    mark = await ReadMark.select_for_update().get(ticket_id=ticket_id, user_id=ctx.user_id)
    to = min(to, _last(ctx.viewer, ticket))
    if (to > mark.place_for(ctx.viewer)) is not forward:
        return
    sequence, public_sequence = await _in_both_numberings(ctx.viewer, ticket, to)
    if public_sequence != mark.public_sequence:
        mark.public_sequence, mark.public_read_at = public_sequence, work.now
    mark.sequence, mark.read_at = sequence, work.now
    await mark.save()


def _last(viewer: Viewer, ticket: Ticket) -> int:
    return ticket.last_sequence if sees_internal(viewer) else ticket.last_public_sequence


async def _in_both_numberings(viewer: Viewer, ticket: Ticket, to: int) -> tuple[int, int]:
    """A place of the viewer's numbering as (sequence, public sequence)."""
    if to == 0:
        return 0, 0
    before = Q(sequence__lte=to) if sees_internal(viewer) else Q(public_sequence__lte=to)
    sequence, public_sequence = 0, 0
    for kind in (Message, TimelineEvent):
        shown = kind.filter(before, ticket_id=ticket.id, public_sequence__isnull=False).order_by("-sequence")
        last = await shown.first().values_list("sequence", "public_sequence")
        if last:
            sequence, public_sequence = max(sequence, last[0]), max(public_sequence, last[1])
    return (to, public_sequence) if sees_internal(viewer) else (sequence, to)


def _tell(ctx: Context, ticket_id: UUID) -> None:
    """Let whoever watches look. What is said is only that something changed."""
    ctx.services.ephemeral.say(key_of(ctx, ticket_id, KIND), {"change": uuid4().hex}, ttl=TOLD_FOR)


async def _receipt(ctx: Context, mark: ReadMark, assignee_id: UUID | None) -> Receipt | None:
    place = mark.place_for(ctx.viewer)
    reader = await related(ctx, User, mark.user_id)
    if reader is None:
        return None
    is_staff = reader.staff_role is not None
    if is_staff and place == 0 and not ctx.viewer.is_staff:
        return None  # All that was read may be internal.
    if not sees_presence(ctx.viewer, reader.id, is_staff=is_staff, assignee_id=assignee_id):
        return None
    return Receipt(mark.id, reader, place, mark.reached_for(ctx.viewer))
