"""What people are told of, and what is still to be told."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.expressions import Q
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint

from domain.enums import NotificationKind, Visibility
from domain.policy import Viewer, sees_internal
from models.base import BaseModel, Choice, Instant, member_of, nothing
from models.people import Organization, User
from models.tickets import Ticket, of_visible_ticket


class PendingNotice(BaseModel):
    """An event of a ticket that people may have to be told of, written in its transaction; gone when they have been.

    A row for each, and not a place in the log: what is told is told once, whoever comes first, also after days.
    """

    ticket: fields.ForeignKeyRelation[Ticket] = fields.ForeignKeyField(
        "casewire.Ticket", related_name="pending_notices", on_delete=fields.CASCADE
    )
    ticket_id: UUID
    key = fields.CharField(80, description="the event's")
    message_id = fields.UUIDField(null=True)
    item_id = fields.UUIDField(null=True, description="the timeline event")
    attempts = fields.SmallIntField(default=0)

    class Meta:
        app = "casewire"
        table = "pending_notice"
        unique_together = (("ticket", "key"),)
        indexes = [Index(fields=("attempts", "id"), name="pending_notice_by_attempts")]


class Notification(BaseModel):
    """Something that a person is told of. Its text is made when it is read, from `kind`, `data` and the rows."""

    user: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="notifications", on_delete=fields.CASCADE
    )
    user_id: UUID
    ticket: fields.ForeignKeyNullableRelation[Ticket] = fields.ForeignKeyField(
        "casewire.Ticket", related_name="notifications", null=True, on_delete=fields.CASCADE
    )
    ticket_id: UUID | None
    organization: fields.ForeignKeyNullableRelation[Organization] = fields.ForeignKeyField(
        "casewire.Organization", related_name="notifications", null=True, on_delete=fields.CASCADE
    )
    organization_id: UUID | None
    actor: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="caused_notifications", null=True, on_delete=fields.SET_NULL
    )
    actor_id: UUID | None
    kind: NotificationKind = Choice(NotificationKind, max_length=24)
    visibility: Visibility = Choice(Visibility, max_length=12)
    data: dict[str, Any] = fields.JSONField(default=dict)
    source = fields.CharField(80, description="the key of the event that it tells: told once")
    created_at: datetime = Instant()
    read_at: datetime | None = Instant(null=True)

    class Meta:
        app = "casewire"
        table = "notification"
        constraints = [
            CheckConstraint(
                check="(ticket_id IS NULL) <> (organization_id IS NULL)", name="notification_is_about_one_thing"
            )
        ]
        unique_together = (("user", "source"),)
        indexes = [
            Index(fields=("user_id", "created_at", "id"), name="notification_by_created"),
            Index(fields=("user_id", "read_at"), name="notification_unread"),
            Index(fields=("ticket_id",), name="notification_ticket"),
            Index(fields=("organization_id",), name="notification_organization"),
            Index(fields=("actor_id",), name="notification_actor"),
        ]

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        """One's own, of tickets that one may still read and organizations that one still belongs to; of what is
        internal, only while one sees it."""
        if viewer.user_id is None:
            return nothing()
        own = Q(user_id=viewer.user_id)
        if sees_internal(viewer):
            return own
        readable = of_visible_ticket(cls, viewer)
        if viewer.memberships:
            readable |= member_of(viewer)
        return own & Q(visibility=Visibility.PUBLIC) & readable


class MutedTicket(BaseModel):
    """A ticket that a person does not want to be told of."""

    user: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="muted_tickets", on_delete=fields.CASCADE
    )
    user_id: UUID
    ticket: fields.ForeignKeyRelation[Ticket] = fields.ForeignKeyField(
        "casewire.Ticket", related_name="muted_by", on_delete=fields.CASCADE
    )
    ticket_id: UUID
    muted_at: datetime = Instant()

    class Meta:
        app = "casewire"
        table = "muted_ticket"
        unique_together = (("user", "ticket"),)
        indexes = [Index(fields=("ticket_id",), name="muted_ticket_ticket")]
