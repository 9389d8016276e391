"""What people may have to be told of, put down with the events of a unit of work; `notices.py` tells it."""

from collections.abc import Sequence

from engine.statements import MARK, dialect_of, finished, stored
from models import PendingNotice
from models.database import writer
from realtime.log import Draft
from resolvers.streams import MESSAGE_ADDED, TICKET_CHANGED, ticket_of_stream

COLUMNS = ("id", "ticket_id", "key", "message_id", "item_id", "attempts")

_PUT_DOWN = f"""
    INSERT INTO pending_notice ({", ".join(COLUMNS)}) VALUES ({", ".join([MARK] * len(COLUMNS))})
    ON CONFLICT DO NOTHING"""
"""Each write does it; Tortoise words it anew each time, which takes longer than the rest of it."""


async def put_down(drafts: Sequence[Draft]) -> bool:
    """Put down what people may have to be told of, in the transaction of the events; whether there is something."""
    rows = pending_of(drafts)
    if rows:
        dialect = dialect_of(PendingNotice)
        values = [[stored(getattr(row, name), dialect) for name in COLUMNS] for row in rows]
        await writer().execute_many(finished(_PUT_DOWN, dialect), values)
    return bool(rows)


def pending_of(drafts: Sequence[Draft]) -> list[PendingNotice]:
    """The rows to put down with these events: one for each message and each change that the timeline tells of."""
    rows: list[PendingNotice] = []
    for draft in drafts:
        of = ticket_of_stream(draft.topic)
        if of is None or of[1]:
            continue  # What customers see is on the staff's stream as well.
        message = draft.data.get("message") if draft.kind == MESSAGE_ADDED else None
        item = draft.data.get("item") if draft.kind == TICKET_CHANGED else None
        if message or item:
            rows.append(PendingNotice(ticket_id=of[0], key=draft.key, message_id=message, item_id=item))
    return rows
