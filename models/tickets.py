"""Tickets and the people on them, with the SQL form of who may see a ticket."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from tortoise import fields
from tortoise.expressions import Q, RawSQL, Subquery
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.queryset import QuerySet

from domain.enums import (
    ClosureReason,
    Confidentiality,
    LifecyclePreset,
    ParticipantRole,
    ResolutionReason,
    ServiceLevel,
    TicketChannel,
    TicketPriority,
    TicketSeverity,
    TicketStatus,
    Visibility,
)
from domain.policy import READ_TICKET, Facts, TicketFacts, Viewer
from models.base import BaseModel, Choice, Instant, SortKey, nothing
from models.catalog import Classification, IssueType, RequestType, ServiceCertificate, SupportProject
from models.inventory import Device, Product, ProductUpdate, ProductVersion, Space
from models.people import Organization, User
from models.referred import OwnRow

_STREAM = "(SELECT epoch || ':' || head FROM feed_stream WHERE topic = 'ticket:' || \"ticket\".\"id\"{})"
_POSITION = {"staff": _STREAM.format(""), "public": _STREAM.format(" || ':pub'")}

SORTED = ("status", "priority", "service_level", "issue_type", "requester")
"""What a list can be ordered by that does not sort as it is stored: a rank or a name stands in a column `sort_…`."""

RANKED: dict[str, tuple[str, ...]] = {
    "sort_status": ("NEW", "OPEN", "PENDING_CUSTOMER", "ON_HOLD", "RESOLVED", "CLOSED"),
    "sort_priority": ("LOW", "NORMAL", "HIGH", "URGENT"),
    "sort_service_level": ("BASIC", "ESSENTIAL", "SELECT"),
}
"""What has the ranks 1, 2, 3 … in these columns; triggers write them."""


class Ticket(BaseModel):
    """A support request. `version` grows with every change a person could overwrite (J8)."""

    number = fields.BigIntField(unique=True)
    reference = fields.CharField(24, unique=True)
    version = fields.IntField(default=1)

    organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "casewire.Organization", related_name="tickets", on_delete=fields.RESTRICT
    )
    organization_id: UUID
    on_behalf_of: fields.ForeignKeyNullableRelation[Organization] = fields.ForeignKeyField(
        "casewire.Organization", related_name="tickets_on_behalf", null=True, on_delete=fields.SET_NULL
    )
    on_behalf_of_id: UUID | None
    requester: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="requested_tickets", null=True, on_delete=fields.SET_NULL
    )
    requester_id: UUID | None
    opened_by: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="opened_tickets", null=True, on_delete=fields.SET_NULL
    )
    opened_by_id: UUID | None
    owner: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="owned_tickets", null=True, on_delete=fields.SET_NULL
    )
    owner_id: UUID | None
    assignee: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="assigned_tickets", null=True, on_delete=fields.SET_NULL
    )
    assignee_id: UUID | None

    project: fields.ForeignKeyNullableRelation[SupportProject] = fields.ForeignKeyField(
        "casewire.SupportProject", related_name="tickets", null=True, on_delete=fields.SET_NULL
    )
    project_id: UUID | None
    request_type: fields.ForeignKeyNullableRelation[RequestType] = fields.ForeignKeyField(
        "casewire.RequestType", related_name="tickets", null=True, on_delete=fields.SET_NULL
    )
    request_type_id: UUID | None
    classification: fields.ForeignKeyNullableRelation[Classification] = fields.ForeignKeyField(
        "casewire.Classification", related_name="tickets", null=True, on_delete=fields.SET_NULL
    )
    classification_id: UUID | None
    issue_type: fields.ForeignKeyNullableRelation[IssueType] = fields.ForeignKeyField(
        "casewire.IssueType", related_name="tickets", null=True, on_delete=fields.SET_NULL
    )
    issue_type_id: UUID | None
    product: fields.ForeignKeyNullableRelation[Product] = fields.ForeignKeyField(
        "casewire.Product", related_name="tickets", null=True, on_delete=fields.SET_NULL
    )
    product_id: UUID | None
    product_version: fields.ForeignKeyNullableRelation[ProductVersion] = fields.ForeignKeyField(
        "casewire.ProductVersion", related_name="tickets", null=True, on_delete=fields.SET_NULL
    )
    product_version_id: UUID | None
    product_update: fields.ForeignKeyNullableRelation[ProductUpdate] = fields.ForeignKeyField(
        "casewire.ProductUpdate", related_name="tickets", null=True, on_delete=fields.SET_NULL
    )
    product_update_id: UUID | None
    certificate: fields.ForeignKeyNullableRelation[ServiceCertificate] = fields.ForeignKeyField(
        "casewire.ServiceCertificate", related_name="tickets", null=True, on_delete=fields.SET_NULL
    )
    certificate_id: UUID | None
    space: fields.ForeignKeyNullableRelation[Space] = fields.ForeignKeyField(
        "casewire.Space", related_name="tickets", null=True, on_delete=fields.SET_NULL
    )
    space_id: UUID | None

    quotes: fields.ForeignKeyNullableRelation["Ticket"] = fields.ForeignKeyField(
        "casewire.Ticket", related_name="quoted_by", null=True, on_delete=fields.SET_NULL
    )
    quotes_id: UUID | None

    subject = fields.CharField(300)
    description = fields.TextField()
    language = fields.CharField(16, null=True)
    channel: TicketChannel = Choice(TicketChannel, max_length=16)
    status: TicketStatus = Choice(TicketStatus, max_length=20, default=TicketStatus.NEW)
    priority: TicketPriority = Choice(TicketPriority, max_length=8, default=TicketPriority.NORMAL)
    severity: TicketSeverity = Choice(TicketSeverity, max_length=12, default=TicketSeverity.UNKNOWN)
    confidentiality: Confidentiality = Choice(Confidentiality, max_length=16, default=Confidentiality.ORGANIZATION)
    service_level: ServiceLevel = Choice(
        ServiceLevel, max_length=16, default=ServiceLevel.BASIC, db_default="BASIC", description="when it was opened"
    )
    is_escalated = fields.BooleanField(default=False)
    locked = fields.BooleanField(default=False)

    created_at: datetime = Instant()
    updated_at: datetime = Instant()
    last_activity_at: datetime = Instant()
    status_changed_at: datetime = Instant()
    waiting_since: datetime | None = Instant(null=True, description="when the customer's turn began")
    first_responded_at: datetime | None = Instant(null=True)
    resolved_at: datetime | None = Instant(null=True)
    resolution_reason: ResolutionReason | None = Choice(ResolutionReason, max_length=24, null=True)
    resolved_under: LifecyclePreset | None = Choice(
        LifecyclePreset, max_length=16, null=True, description="the times that were chosen then; null: those of now"
    )
    closed_at: datetime | None = Instant(null=True)
    closure_reason: ClosureReason | None = Choice(ClosureReason, max_length=24, null=True)
    hold_until: datetime | None = Instant(null=True)
    snoozed_until: datetime | None = Instant(null=True)

    last_sequence = fields.IntField(default=0, description="number of timeline items")
    last_public_sequence = fields.IntField(default=0, description="number of those a customer may see")

    client_mutation_id = fields.CharField(100, null=True)
    is_imported = fields.BooleanField(default=False)
    import_source = fields.CharField(60, null=True)
    import_key = fields.CharField(100, null=True)
    import_digest = fields.CharField(64, null=True, description="SHA-256 of what was imported")

    sort_status = SortKey(fields.IntField, 0)
    sort_priority = SortKey(fields.IntField, 0)
    sort_service_level = SortKey(fields.IntField, 0)
    sort_issue_type = SortKey(fields.CharField, "", max_length=200)
    sort_requester = SortKey(fields.CharField, "", max_length=200)

    devices: fields.ManyToManyRelation[Device] = fields.ManyToManyField(
        "casewire.Device", related_name="tickets", through="ticket_device"
    )

    organization_preset: str
    request_type_preset: str | None
    """What has been chosen for its life by now; of rows that were read for it (`resolvers.windows`)."""

    read_rule = READ_TICKET

    feed_position: str | None = None
    """`epoch:head` of the viewer's stream when the row was read by `shown_to`; None where nothing is announced yet."""

    class Meta:
        app = "casewire"
        table = "ticket"
        constraints = [
            CheckConstraint(check="status <> 'RESOLVED' OR resolved_at IS NOT NULL", name="ticket_resolved_has_time"),
            CheckConstraint(check="status <> 'CLOSED' OR closed_at IS NOT NULL", name="ticket_closed_has_time"),
            CheckConstraint(check="version >= 1", name="ticket_version_from_one"),
            CheckConstraint(check="last_public_sequence BETWEEN 0 AND last_sequence", name="ticket_sequences_in_order"),
        ]
        unique_together = (("organization", "import_source", "import_key"), ("opened_by", "client_mutation_id"))
        indexes = [
            Index(fields=("last_activity_at", "id"), name="ticket_by_activity"),
            Index(fields=("created_at", "id"), name="ticket_by_created"),
            Index(fields=("updated_at", "id"), name="ticket_by_updated"),
            Index(fields=("organization_id", "last_activity_at", "id"), name="ticket_org_by_activity"),
            Index(fields=("organization_id", "created_at", "id"), name="ticket_org_by_created"),
            Index(fields=("organization_id", "updated_at", "id"), name="ticket_org_by_updated"),
            Index(fields=("organization_id", "number"), name="ticket_org_by_number"),
            Index(fields=("requester_id", "last_activity_at", "id"), name="ticket_requester_by_activity"),
            Index(fields=("requester_id", "created_at", "id"), name="ticket_requester_by_created"),
            Index(fields=("requester_id", "updated_at", "id"), name="ticket_requester_by_updated"),
            Index(fields=("requester_id", "number"), name="ticket_requester_by_number"),
            Index(fields=("assignee_id", "last_activity_at", "id"), name="ticket_assignee_by_activity"),
            Index(fields=("owner_id", "last_activity_at", "id"), name="ticket_owner_by_activity"),
            Index(fields=("space_id", "last_activity_at", "id"), name="ticket_space_by_activity"),
            Index(fields=("request_type_id", "last_activity_at", "id"), name="ticket_request_type_by_activity"),
            Index(fields=("issue_type_id", "last_activity_at", "id"), name="ticket_issue_type_by_activity"),
            Index(fields=("service_level", "last_activity_at", "id"), name="ticket_service_level_by_activity"),
            *(Index(fields=(f"sort_{by}", "id"), name=f"ticket_by_{by}") for by in SORTED),
            *(Index(fields=("organization_id", f"sort_{by}", "id"), name=f"ticket_org_by_{by}") for by in SORTED),
            Index(fields=("quotes_id",), name="ticket_quotes"),
            Index(fields=("status", "assignee_id", "is_escalated", "channel"), name="ticket_queue"),
            Index(fields=("waiting_since",), name="ticket_waiting"),
            Index(fields=("hold_until",), name="ticket_held"),
            Index(fields=("closed_at", "resolved_at"), name="ticket_resolved"),
        ]

    def facts(self, *, is_participant: bool = False) -> TicketFacts:
        """What `domain.policy` decides by; whether the viewer takes part is known only to the participants' table."""
        return TicketFacts(
            organization_id=self.organization_id,
            requester_id=self.requester_id,
            owner_id=self.owner_id,
            assignee_id=self.assignee_id,
            confidentiality=self.confidentiality,
            created_at=self.created_at,
            is_participant=is_participant,
        )

    fact_columns = ("organization_id", "requester_id", "owner_id", "assignee_id", "confidentiality", "created_at")

    @classmethod
    async def facts_by_columns(cls, keys: set[tuple[Any, ...]], viewer: Viewer, read: Any) -> dict[Any, Facts]:
        found: dict[Any, Facts] = {}
        for key in keys:
            *people, confidentiality, created_at = key
            organization, requester, owner, assignee = (UUID(each) if each else None for each in people)
            assert organization is not None
            found[key] = TicketFacts(
                organization_id=organization,
                requester_id=requester,
                owner_id=owner,
                assignee_id=assignee,
                confidentiality=Confidentiality(confidentiality),
                created_at=datetime.fromisoformat(created_at),
            )
        return found

    @classmethod
    def visible_to(cls, viewer: Viewer) -> QuerySet[Self]:
        """The tickets that `domain.policy.may_read_ticket` lets the viewer know of: the same rule as SQL."""
        return cls.filter(cls.seen_by(viewer))

    @classmethod
    def shown_to(cls, viewer: Viewer) -> QuerySet[Self]:
        """Visible rows, each with `feed_position`, the place of its stream at the moment the row was read."""
        return cls.visible_to(viewer).annotate(feed_position=RawSQL(cls.position_sql(viewer)))

    @staticmethod
    def position_sql(viewer: Viewer) -> str:
        """SQL of `epoch:head` of the stream that the viewer follows, for a row of "ticket"."""
        return _POSITION[viewer.audience]

    def number_item(self, visibility: Visibility) -> tuple[int, int | None]:
        """The `sequence` and `public_sequence` of the next timeline item; the row must be locked, and saved after."""
        self.last_sequence += 1
        if visibility is Visibility.INTERNAL:
            return self.last_sequence, None
        self.last_public_sequence += 1
        return self.last_sequence, self.last_public_sequence

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        if viewer.is_staff:
            return Q()
        if viewer.user_id is None:
            return nothing()
        mine = Q(requester_id=viewer.user_id) | Q(owner_id=viewer.user_id) | Q(id__in=taking_part(viewer.user_id))
        author = Q(requester_id=viewer.user_id) | Q(confidentiality=Confidentiality.ORGANIZATION)
        places = []
        for membership in viewer.memberships:
            here = Q(organization_id=membership.organization_id) & author
            if not membership.history_is_available:
                continue
            if not membership.sees_all:
                here &= mine | Q(requester_id__isnull=True) if membership.is_above_read_only else mine
            if membership.history_starts_at:
                here &= Q(created_at__gte=membership.history_starts_at)
            places.append(here)
        return Q(*places, join_type=Q.OR) if places else nothing()


class Participant(BaseModel):
    """Somebody who takes part in a ticket (S45)."""

    ticket: fields.ForeignKeyRelation[Ticket] = fields.ForeignKeyField(
        "casewire.Ticket", related_name="participants", on_delete=fields.CASCADE
    )
    ticket_id: UUID
    user: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="participations", on_delete=fields.CASCADE
    )
    user_id: UUID
    added_by: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="added_participants", null=True, on_delete=fields.SET_NULL
    )
    added_by_id: UUID | None
    role: ParticipantRole = Choice(ParticipantRole, max_length=16)
    in_email_thread = fields.BooleanField(
        default=False, db_default=False, description="besides the requester, who always is"
    )
    added_at: datetime = Instant()

    class Meta:
        app = "casewire"
        table = "participant"
        unique_together = (("ticket", "user"),)
        indexes = [
            Index(fields=("user_id", "ticket_id"), name="participant_user"),
            Index(fields=("ticket_id", "added_at", "id"), name="participant_by_added"),
        ]

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        return of_visible_ticket(cls, viewer)


class Feedback(BaseModel):
    """What the customer thought of it, once (S71)."""

    ticket: fields.OneToOneRelation[Ticket] = fields.OneToOneField(
        "casewire.Ticket", related_name="feedback", on_delete=fields.CASCADE
    )
    ticket_id: UUID
    submitted_by: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="feedback_given", null=True, on_delete=fields.SET_NULL
    )
    submitted_by_id: UUID | None
    rating = fields.SmallIntField(description="1 to 5")
    comment = fields.TextField(null=True)
    submitted_at: datetime = Instant()

    class Meta:
        app = "casewire"
        table = "feedback"
        constraints = [CheckConstraint(check="rating BETWEEN 1 AND 5", name="feedback_rating_in_range")]

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        return of_visible_ticket(cls, viewer)


def taking_part(user_id: UUID) -> Subquery:
    """The ids of the tickets that a person takes part in."""
    return Subquery(Participant.filter(user_id=user_id).values("ticket_id"))


def of_visible_ticket(model: type[BaseModel], viewer: Viewer, column: str = "ticket_id") -> Q:
    """Rows that hang on a ticket and are seen by whoever sees it: asked of each row that is at hand."""
    seen: Any = OwnRow(model, column, Ticket, Ticket.seen_by(viewer))
    return Q() if viewer.is_staff else Q(**{f"{column}__in": seen})


def of_visible_tickets(viewer: Viewer) -> Q:
    """The same rows, found from the tickets that the viewer sees: for lists that nothing else narrows."""
    return Q() if viewer.is_staff else Q(ticket_id__in=Subquery(Ticket.visible_to(viewer).values("id")))
