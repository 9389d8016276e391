"""Escalations and the dated entries of their stages (S73-S79)."""

from datetime import datetime
from uuid import UUID

from tortoise import fields
from tortoise.expressions import Q
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint

from domain.enums import EscalationStage
from domain.policy import READ_TICKET, Viewer
from models.base import BaseModel, Choice, Instant
from models.people import User
from models.referred import OwnRow
from models.tickets import Ticket, of_visible_ticket


class Escalation(BaseModel):
    ticket: fields.ForeignKeyRelation[Ticket] = fields.ForeignKeyField(
        "casewire.Ticket", related_name="escalations", on_delete=fields.CASCADE
    )
    ticket_id: UUID
    number = fields.BigIntField(unique=True)
    reference = fields.CharField(24, unique=True)
    issue_description = fields.TextField()
    stage: EscalationStage = Choice(EscalationStage, max_length=24, default=EscalationStage.SUBMITTED)
    submitted_by: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="submitted_escalations", null=True, on_delete=fields.SET_NULL
    )
    submitted_by_id: UUID | None
    submitted_at: datetime = Instant()
    estimated_resolution_at: datetime | None = Instant(null=True)
    resolved_at: datetime | None = Instant(null=True)
    updated_at: datetime = Instant()
    entry_count = fields.IntField(default=0)

    read_rule = READ_TICKET

    class Meta:
        app = "casewire"
        table = "escalation"
        constraints = [
            UniqueConstraint(fields=("ticket_id",), name="escalation_one_active", condition="stage <> 'RESOLVED'"),
            CheckConstraint(
                check="stage <> 'RESOLVED' OR resolved_at IS NOT NULL",
                name="escalation_resolved_has_time",
            ),
        ]
        indexes = [
            Index(fields=("ticket_id", "submitted_at", "id"), name="escalation_ticket"),
            Index(fields=("submitted_at", "id"), name="escalation_by_submitted"),
            Index(fields=("stage", "submitted_at", "id"), name="escalation_by_stage"),
            Index(fields=("submitted_by_id",), name="escalation_submitter"),
        ]

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        return of_visible_ticket(cls, viewer)


class EscalationEntry(BaseModel):
    """A stage that an escalation entered, when, and what was said about it."""

    escalation: fields.ForeignKeyRelation[Escalation] = fields.ForeignKeyField(
        "casewire.Escalation", related_name="entries", on_delete=fields.CASCADE
    )
    escalation_id: UUID
    sequence = fields.IntField(description="1, 2, 3 … within the escalation")
    stage: EscalationStage = Choice(EscalationStage, max_length=24)
    entered_at: datetime = Instant()
    actor: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="escalation_entries", null=True, on_delete=fields.SET_NULL
    )
    actor_id: UUID | None
    automatic = fields.BooleanField(default=False)
    is_override = fields.BooleanField(default=False, description="support resolved it for a silent customer")
    note = fields.TextField(null=True)
    internal_note = fields.TextField(null=True)
    estimated_resolution_at: datetime | None = Instant(null=True)

    class Meta:
        app = "casewire"
        table = "escalation_entry"
        unique_together = (("escalation", "sequence"),)
        indexes = [Index(fields=("actor_id",), name="escalation_entry_actor")]

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        if viewer.is_staff:
            return Q()
        return Q(escalation_id__in=OwnRow(cls, "escalation_id", Escalation, Escalation.seen_by(viewer)))
