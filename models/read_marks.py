"""How far each person has read each ticket, and the SQL of what is unread."""

from datetime import datetime
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint

from domain.policy import Viewer, sees_internal
from models.base import BaseModel, Instant
from models.people import User
from models.tickets import Ticket


class ReadMark(BaseModel):
    """A reader's place in a ticket, in the numbering of staff and in that of customers (see `TimelineItem`).

    Each has the instant it was reached at: that a place moved among internal items is not told to customers.
    """

    ticket: fields.ForeignKeyRelation[Ticket] = fields.ForeignKeyField(
        "casewire.Ticket", related_name="read_marks", on_delete=fields.CASCADE
    )
    ticket_id: UUID
    user: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="read_marks", on_delete=fields.CASCADE
    )
    user_id: UUID
    sequence = fields.IntField(default=0)
    public_sequence = fields.IntField(default=0)
    read_at: datetime = Instant()
    public_read_at: datetime = Instant()

    class Meta:
        app = "casewire"
        table = "read_mark"
        constraints = [
            CheckConstraint(check="public_sequence BETWEEN 0 AND sequence", name="read_mark_sequences_in_order")
        ]
        unique_together = (("ticket", "user"),)
        indexes = [Index(fields=("user_id", "ticket_id"), name="read_mark_user")]

    def place_for(self, viewer: Viewer) -> int:
        """In the numbering of the viewer."""
        return self.sequence if sees_internal(viewer) else self.public_sequence

    def reached_for(self, viewer: Viewer) -> datetime:
        return self.read_at if sees_internal(viewer) else self.public_read_at


def place_sql(viewer: Viewer) -> str:
    """SQL of the viewer's place in a row of "ticket", in the viewer's numbering; 0 where nothing has been read."""
    column, me = _numbered(viewer)
    place = f'SELECT "{column}" FROM "read_mark" WHERE "ticket_id" = "ticket"."id" AND "user_id" = {me}'
    return f"COALESCE(({place}), 0)"


def _numbered(viewer: Viewer) -> tuple[str, str]:
    """The column of the viewer's numbering, and the viewer."""
    return "sequence" if sees_internal(viewer) else "public_sequence", f"'{viewer.user_id or UUID(int=0)}'"


def unread_sql(viewer: Viewer) -> str:
    """SQL of the messages of a row of "ticket" that are unread: a FROM with its WHERE, the messages called "unread".

    Those after the viewer's place, but for one's own and deleted ones; of customers, in their numbering, which internal
    ones do not have.
    """
    column, me = _numbered(viewer)
    return (
        f'FROM "message" "unread" WHERE "unread"."ticket_id" = "ticket"."id" '
        f'AND "unread"."{column}" > {place_sql(viewer)} AND "unread"."deleted_at" IS NULL '
        f'AND ("unread"."actor_id" IS NULL OR "unread"."actor_id" <> {me})'
    )
