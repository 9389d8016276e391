"""What is done in the background for somebody, and what came of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.expressions import Q
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint

from domain.enums import JobKind, JobStatus, StaffRole
from domain.policy import SEE_JOB, UserFacts, Viewer
from models.base import BaseModel, Choice, Instant, nothing
from models.people import User
from models.tickets import Ticket


class Job(BaseModel):
    """A row is the truth about a job: whoever does it holds it, and writes down how far it has come.

    `holder` and `held_until` say who, and until when it has to be heard of again; of a job that waits, `held_until` is
    when it may be begun. `attempts` counts how often it was begun.
    """

    requester: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="jobs", on_delete=fields.CASCADE
    )
    requester_id: UUID
    ticket: fields.ForeignKeyNullableRelation[Ticket] = fields.ForeignKeyField(
        "casewire.Ticket", related_name="jobs", null=True, on_delete=fields.CASCADE
    )
    ticket_id: UUID | None
    kind: JobKind = Choice(JobKind, max_length=24)
    given: dict[str, Any] = fields.JSONField(description="what is asked for")
    status: JobStatus = Choice(JobStatus, max_length=24, default=JobStatus.QUEUED)
    done = fields.IntField(default=0)
    total = fields.IntField(default=0)
    failures: list[dict[str, str]] = fields.JSONField(default=list, description="object, code, message")
    attempts = fields.SmallIntField(default=0)
    holder = fields.CharField(60, null=True)
    held_until: datetime | None = Instant(null=True)
    client_mutation_id = fields.CharField(100, null=True)
    created_at: datetime = Instant()
    finished_at: datetime | None = Instant(null=True)
    expires_at: datetime | None = Instant(null=True, description="when its result is let go of")
    blob_key = fields.CharField(120, null=True, description="where its result is in the store")
    file_name = fields.CharField(255, null=True)
    media_type = fields.CharField(120, null=True)
    size_bytes = fields.BigIntField(null=True)

    read_rule = SEE_JOB

    class Meta:
        app = "casewire"
        table = "job"
        constraints = [
            CheckConstraint(check="done BETWEEN 0 AND total", name="job_done_within_total"),
            CheckConstraint(check="status <> 'SUCCEEDED' OR blob_key IS NOT NULL", name="job_success_has_result"),
        ]
        unique_together = (("requester", "client_mutation_id"),)
        indexes = [
            Index(fields=("status", "created_at", "id"), name="job_by_status"),
            Index(fields=("requester_id", "created_at"), name="job_requester"),
            Index(fields=("ticket_id",), name="job_ticket"),
            Index(fields=("expires_at",), name="job_expires"),
            Index(fields=("finished_at",), name="job_finished"),
        ]

    def facts(self) -> UserFacts:
        return UserFacts(self.requester_id)

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        """Its requester's, and those's who run the desk."""
        if viewer.staff_role is StaffRole.ADMIN:
            return Q()
        return Q(requester_id=viewer.user_id) if viewer.user_id else nothing()
