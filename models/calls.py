"""When people speak to each other about a ticket: conference calls and appointments (S55, S94, S95)."""

from datetime import datetime
from typing import Self
from uuid import UUID

from tortoise import fields
from tortoise.expressions import Q, RawSQL
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from tortoise.queryset import QuerySet

from domain.enums import ACTIVE_APPOINTMENTS, ACTIVE_CALLS, AppointmentStatus, ConferenceCallStatus
from domain.policy import Policy, Rule, TakingPart, Viewer
from engine.statements import ALWAYS, MARK, NEVER, Dialect, Fragment, all_of, any_of, stored
from models.base import BaseModel, Choice, Instant
from models.people import User
from models.tickets import Ticket, of_visible_ticket

_TAKES_PART = """EXISTS (SELECT 1 FROM "ticket" t WHERE t."id" = "conference_call"."ticket_id" AND (
    t."requester_id" = {me} OR t."owner_id" = {me}
    OR EXISTS (SELECT 1 FROM "participant" p WHERE p."ticket_id" = t."id" AND p."user_id" = {me})))"""
"""Whether somebody takes part in the ticket of a call; that the call is seen at all is asked apart."""


class ConferenceCall(BaseModel):
    """A call that support proposed. A ticket has one that is coming, at most; what became of others stays."""

    ticket: fields.ForeignKeyRelation[Ticket] = fields.ForeignKeyField(
        "casewire.Ticket", related_name="conference_calls", on_delete=fields.CASCADE
    )
    ticket_id: UUID
    scheduled_for: datetime = Instant()
    status: ConferenceCallStatus = Choice(ConferenceCallStatus, max_length=12)
    join_url = fields.CharField(1000, null=True)
    passcode = fields.CharField(100, null=True)
    scheduled_by: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="scheduled_calls", null=True, on_delete=fields.SET_NULL
    )
    scheduled_by_id: UUID | None
    created_at: datetime = Instant()
    updated_at: datetime = Instant()

    takes_part: bool | int | None = None
    """Whether the viewer for whom `shown_to` read the row takes part in its ticket."""

    class Meta:
        app = "casewire"
        table = "conference_call"
        constraints = [
            UniqueConstraint(
                fields=("ticket_id",),
                name="conference_call_one_coming",
                condition="status <> 'CANCELLED' AND status <> 'COMPLETED'",
            )
        ]
        indexes = [
            Index(fields=("ticket_id", "status"), name="conference_call_ticket"),
            Index(fields=("status", "scheduled_for"), name="conference_call_due"),
            Index(fields=("scheduled_by_id",), name="conference_call_scheduler"),
        ]

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        return of_visible_ticket(cls, viewer)

    @classmethod
    def coming(cls, viewer: Viewer) -> Q:
        """Of a ticket that is known to be readable."""
        return Q(status__in=ACTIVE_CALLS)

    @classmethod
    def shown_to(cls, viewer: Viewer) -> QuerySet[Self]:
        mine = _TAKES_PART.format(me=f"'{viewer.user_id}'") if viewer.user_id else "FALSE"
        return cls.filter(cls.seen_by(viewer)).annotate(takes_part=RawSQL(f"({mine})"))

    decides_in_sql = True

    @classmethod
    def allowed_sql(cls, viewer: Viewer, rule: Rule, dialect: Dialect) -> Fragment:
        return any_of(
            *[all_of(*[_holds(policy, viewer, dialect) for policy in combination]) for combination in rule.alternatives]
        )

    def facts(self) -> TakingPart:
        return TakingPart(bool(self.takes_part))


class Appointment(BaseModel):
    """A time at which the ticket's agent is there for the customer. A ticket has one that is coming, at most."""

    ticket: fields.ForeignKeyRelation[Ticket] = fields.ForeignKeyField(
        "casewire.Ticket", related_name="appointments", on_delete=fields.CASCADE
    )
    ticket_id: UUID
    status: AppointmentStatus = Choice(AppointmentStatus, max_length=12)
    starts_at: datetime = Instant()
    ends_at: datetime = Instant()
    engineer: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="appointments", null=True, on_delete=fields.SET_NULL
    )
    engineer_id: UUID | None
    requested_by: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="requested_appointments", null=True, on_delete=fields.SET_NULL
    )
    requested_by_id: UUID | None
    created_at: datetime = Instant()
    updated_at: datetime = Instant()

    class Meta:
        app = "casewire"
        table = "appointment"
        constraints = [
            UniqueConstraint(
                fields=("ticket_id",),
                name="appointment_one_coming",
                condition="status <> 'CANCELLED' AND status <> 'COMPLETED'",
            ),
            CheckConstraint(check="ends_at > starts_at", name="appointment_ends_after_start"),
        ]
        indexes = [
            Index(fields=("ticket_id", "status"), name="appointment_ticket"),
            Index(fields=("status", "ends_at"), name="appointment_due"),
            Index(fields=("engineer_id", "starts_at"), name="appointment_engineer"),
            Index(fields=("requested_by_id",), name="appointment_requester"),
        ]

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        return of_visible_ticket(cls, viewer)

    @classmethod
    def coming(cls, viewer: Viewer) -> Q:
        """Of a ticket that is known to be readable."""
        return Q(status__in=ACTIVE_APPOINTMENTS)


def _holds(policy: Policy, viewer: Viewer, dialect: Dialect) -> Fragment:
    if policy is Policy.STAFF:
        return ALWAYS if viewer.is_staff else NEVER
    if policy is Policy.TICKET_PARTICIPANT and viewer.user_id is not None:
        me = stored(viewer.user_id, dialect)
        return Fragment(_TAKES_PART.format(me=MARK), (me, me, me))
    return NEVER
