"""What is said and what happens on a ticket. Both are numbered together, once for staff and once for customers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.expressions import Q
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint

from domain.enums import DeliveryState, MessageKind, MessageSource, ScanState, TimelineEventKind, Visibility
from domain.policy import Viewer, sees_internal
from models.base import BaseModel, Choice, Instant, nothing
from models.calls import Appointment, ConferenceCall
from models.drafts import TicketDraft
from models.escalations import EscalationEntry
from models.followers import Follower
from models.people import User
from models.resources import SharedResource
from models.ticket_links import TicketLink
from models.tickets import Feedback, Participant, Ticket, of_visible_ticket


class TimelineItem(BaseModel):
    """A numbered thing on a ticket's timeline.

    `sequence` counts everything; `public_sequence` counts what customers may see and is null for the rest, so that a
    customer cannot tell from a gap that something internal was written.
    """

    ticket_id: UUID
    sequence = fields.IntField()
    public_sequence = fields.IntField(null=True)
    visibility: Visibility = Choice(Visibility, max_length=12)
    actor: fields.ForeignKeyNullableRelation[User]
    actor_id: UUID | None
    automatic = fields.BooleanField(default=False, description="the desk itself did it")
    occurred_at: datetime = Instant()

    class Meta:
        abstract = True

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        return Q() if sees_internal(viewer) else of_visible_ticket(cls, viewer) & Q(public_sequence__isnull=False)

    @classmethod
    def shown_on_readable_ticket(cls, viewer: Viewer) -> Q:
        """As `seen_by`, for items of a ticket that is known to be readable."""
        return Q() if sees_internal(viewer) else Q(public_sequence__isnull=False)


class Message(TimelineItem):
    ticket: fields.ForeignKeyRelation[Ticket] = fields.ForeignKeyField(
        "casewire.Ticket", related_name="messages", on_delete=fields.CASCADE
    )
    actor: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="messages", null=True, on_delete=fields.SET_NULL
    )
    in_reply_to: fields.ForeignKeyNullableRelation["Message"] = fields.ForeignKeyField(
        "casewire.Message", related_name="replies", null=True, on_delete=fields.SET_NULL
    )
    in_reply_to_id: UUID | None
    kind: MessageKind = Choice(MessageKind, max_length=8)
    source: MessageSource = Choice(MessageSource, max_length=12)
    delivery_state: DeliveryState = Choice(DeliveryState, max_length=12, default=DeliveryState.SENT)
    body = fields.TextField()
    language = fields.CharField(16, null=True)
    client_message_id = fields.CharField(100, null=True)
    edited_at: datetime | None = Instant(null=True)
    deleted_at: datetime | None = Instant(null=True)
    email_subject = fields.CharField(300, null=True)
    email_from = fields.CharField(254, null=True)
    email_headers: dict[str, Any] | None = fields.JSONField(null=True, description="to, cc, messageId, references")

    class Meta:
        app = "casewire"
        table = "message"
        constraints = [
            CheckConstraint(
                check="(visibility = 'PUBLIC') = (public_sequence IS NOT NULL)",
                name="message_public_is_numbered",
            ),
        ]
        unique_together = (
            ("ticket", "sequence"),
            ("ticket", "public_sequence"),
            ("ticket", "actor", "client_message_id"),
        )
        indexes = [
            Index(fields=("actor_id",), name="message_actor"),
            Index(fields=("in_reply_to_id",), name="message_reply"),
        ]


class TimelineEvent(TimelineItem):
    """A change worth telling on the timeline: a status, a field, an escalation's stage, who is on the ticket.

    `participant` and `follower` are null once the person was taken off again; `user` says who it was. `link` is null
    once the tickets were taken apart.
    """

    ticket: fields.ForeignKeyRelation[Ticket] = fields.ForeignKeyField(
        "casewire.Ticket", related_name="timeline_events", on_delete=fields.CASCADE
    )
    actor: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="timeline_events", null=True, on_delete=fields.SET_NULL
    )
    entry: fields.ForeignKeyNullableRelation[EscalationEntry] = fields.ForeignKeyField(
        "casewire.EscalationEntry", related_name="timeline_events", null=True, on_delete=fields.CASCADE
    )
    entry_id: UUID | None
    user: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="told_of", null=True, on_delete=fields.SET_NULL
    )
    user_id: UUID | None
    participant: fields.ForeignKeyNullableRelation[Participant] = fields.ForeignKeyField(
        "casewire.Participant", related_name="told_of", null=True, on_delete=fields.SET_NULL
    )
    participant_id: UUID | None
    follower: fields.ForeignKeyNullableRelation[Follower] = fields.ForeignKeyField(
        "casewire.Follower", related_name="told_of", null=True, on_delete=fields.SET_NULL
    )
    follower_id: UUID | None
    feedback: fields.ForeignKeyNullableRelation[Feedback] = fields.ForeignKeyField(
        "casewire.Feedback", related_name="told_of", null=True, on_delete=fields.CASCADE
    )
    feedback_id: UUID | None
    link: fields.ForeignKeyNullableRelation[TicketLink] = fields.ForeignKeyField(
        "casewire.TicketLink", related_name="told_of", null=True, on_delete=fields.SET_NULL
    )
    link_id: UUID | None
    resource: fields.ForeignKeyNullableRelation[SharedResource] = fields.ForeignKeyField(
        "casewire.SharedResource", related_name="told_of", null=True, on_delete=fields.CASCADE
    )
    resource_id: UUID | None
    conference_call: fields.ForeignKeyNullableRelation[ConferenceCall] = fields.ForeignKeyField(
        "casewire.ConferenceCall", related_name="told_of", null=True, on_delete=fields.CASCADE
    )
    conference_call_id: UUID | None
    appointment: fields.ForeignKeyNullableRelation[Appointment] = fields.ForeignKeyField(
        "casewire.Appointment", related_name="told_of", null=True, on_delete=fields.CASCADE
    )
    appointment_id: UUID | None
    kind: TimelineEventKind = Choice(TimelineEventKind, max_length=12)
    field = fields.CharField(60, null=True)
    old_value = fields.CharField(300, null=True)
    new_value = fields.CharField(300, null=True)
    reason = fields.CharField(300, null=True)

    class Meta:
        app = "casewire"
        table = "timeline_event"
        constraints = [
            CheckConstraint(
                check="(visibility = 'PUBLIC') = (public_sequence IS NOT NULL)",
                name="timeline_event_public_is_numbered",
            ),
        ]
        unique_together = (("ticket", "sequence"), ("ticket", "public_sequence"))
        indexes = [
            Index(fields=("actor_id",), name="timeline_event_actor"),
            Index(fields=("entry_id",), name="timeline_event_entry"),
            Index(fields=("participant_id",), name="timeline_event_participant"),
            Index(fields=("follower_id",), name="timeline_event_follower"),
            Index(fields=("feedback_id",), name="timeline_event_feedback"),
            Index(fields=("link_id",), name="timeline_event_link"),
            Index(fields=("resource_id",), name="timeline_event_resource"),
            Index(fields=("conference_call_id",), name="timeline_event_call"),
            Index(fields=("appointment_id",), name="timeline_event_appointment"),
        ]


class Attachment(BaseModel):
    """A file's particulars; the bytes are in the store, under `blob_key`, once `stored_at` is set.

    It waits for a message, or in a draft; `attached` says what changes when it gets one.
    """

    message: fields.ForeignKeyNullableRelation[Message] = fields.ForeignKeyField(
        "casewire.Message", related_name="attachments", null=True, on_delete=fields.CASCADE
    )
    message_id: UUID | None
    ticket: fields.ForeignKeyNullableRelation[Ticket] = fields.ForeignKeyField(
        "casewire.Ticket", related_name="attachments", null=True, on_delete=fields.CASCADE
    )
    ticket_id: UUID | None
    draft: fields.ForeignKeyNullableRelation[TicketDraft] = fields.ForeignKeyField(
        "casewire.TicketDraft", related_name="attachments", null=True, on_delete=fields.SET_NULL
    )
    draft_id: UUID | None
    visibility: Visibility | None = Choice(Visibility, max_length=12, null=True, description="of its message")
    uploaded_by: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="attachments", null=True, on_delete=fields.SET_NULL
    )
    uploaded_by_id: UUID | None
    copy_of = fields.UUIDField(null=True, description="the file whose bytes it shares: they stay while one is left")
    file_name = fields.CharField(255)
    media_type = fields.CharField(120)
    size_bytes = fields.BigIntField()
    checksum = fields.CharField(64, description="SHA-256, hex")
    scan_state: ScanState = Choice(ScanState, max_length=12, default=ScanState.SKIPPED)
    created_at: datetime = Instant()
    stored_at: datetime | None = Instant(null=True, description="when its bytes had arrived")
    deleted_at: datetime | None = Instant(null=True, description="shown to nobody since; its bytes go next")

    class Meta:
        app = "casewire"
        table = "attachment"
        constraints = [CheckConstraint(check="size_bytes >= 0", name="attachment_size_not_negative")]
        indexes = [
            Index(fields=("message_id", "created_at", "id"), name="attachment_message"),
            Index(fields=("ticket_id", "created_at", "id"), name="attachment_ticket"),
            Index(fields=("draft_id", "created_at", "id"), name="attachment_draft"),
            Index(fields=("uploaded_by_id",), name="attachment_uploader"),
            Index(fields=("copy_of",), name="attachment_copies"),
            Index(fields=("deleted_at",), name="attachment_deleted"),
        ]

    @property
    def blob_key(self) -> str:
        return f"{self.copy_of or self.id}-{self.checksum}"

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        """A file is seen with its message; before it has one, by whoever uploaded it and nobody else."""
        if viewer.user_id is None:
            return nothing()
        own = Q(message_id__isnull=True, uploaded_by_id=viewer.user_id)
        attached = Q(message_id__isnull=False)
        if not sees_internal(viewer):
            attached &= of_visible_ticket(cls, viewer) & Q(visibility=Visibility.PUBLIC)
        return (own | attached) & Q(deleted_at__isnull=True)

    @classmethod
    def shown_on_readable_ticket(cls, viewer: Viewer) -> Q:
        """As `seen_by`, for files on a ticket that is known to be readable."""
        here = Q(deleted_at__isnull=True)
        return here if sees_internal(viewer) else here & Q(visibility=Visibility.PUBLIC)
