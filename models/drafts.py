"""Tickets that are not opened yet: what somebody has written so far, for that person alone."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.expressions import Q
from tortoise.indexes import Index

from domain.enums import DraftOrigin
from domain.policy import OWN_DRAFTS, UserFacts, Viewer
from models.base import BaseModel, Choice, Instant, nothing
from models.catalog import Classification, IssueType, RequestType, ServiceCertificate
from models.inventory import Device, Product, ProductUpdate, ProductVersion, Space
from models.people import Organization, User


class TicketDraft(BaseModel):
    """A form as it was left; anything of it may be missing (S29, S30)."""

    author: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="drafts", on_delete=fields.CASCADE
    )
    author_id: UUID
    organization: fields.ForeignKeyNullableRelation[Organization] = fields.ForeignKeyField(
        "casewire.Organization", related_name="drafts", null=True, on_delete=fields.SET_NULL
    )
    organization_id: UUID | None
    request_type: fields.ForeignKeyNullableRelation[RequestType] = fields.ForeignKeyField(
        "casewire.RequestType", related_name="drafts", null=True, on_delete=fields.SET_NULL
    )
    request_type_id: UUID | None
    product: fields.ForeignKeyNullableRelation[Product] = fields.ForeignKeyField(
        "casewire.Product", related_name="drafts", null=True, on_delete=fields.SET_NULL
    )
    product_id: UUID | None
    product_version: fields.ForeignKeyNullableRelation[ProductVersion] = fields.ForeignKeyField(
        "casewire.ProductVersion", related_name="drafts", null=True, on_delete=fields.SET_NULL
    )
    product_version_id: UUID | None
    product_update: fields.ForeignKeyNullableRelation[ProductUpdate] = fields.ForeignKeyField(
        "casewire.ProductUpdate", related_name="drafts", null=True, on_delete=fields.SET_NULL
    )
    product_update_id: UUID | None
    classification: fields.ForeignKeyNullableRelation[Classification] = fields.ForeignKeyField(
        "casewire.Classification", related_name="drafts", null=True, on_delete=fields.SET_NULL
    )
    classification_id: UUID | None
    issue_type: fields.ForeignKeyNullableRelation[IssueType] = fields.ForeignKeyField(
        "casewire.IssueType", related_name="drafts", null=True, on_delete=fields.SET_NULL
    )
    issue_type_id: UUID | None
    certificate: fields.ForeignKeyNullableRelation[ServiceCertificate] = fields.ForeignKeyField(
        "casewire.ServiceCertificate", related_name="drafts", null=True, on_delete=fields.SET_NULL
    )
    certificate_id: UUID | None
    space: fields.ForeignKeyNullableRelation[Space] = fields.ForeignKeyField(
        "casewire.Space", related_name="drafts", null=True, on_delete=fields.SET_NULL
    )
    space_id: UUID | None
    devices: fields.ManyToManyRelation[Device] = fields.ManyToManyField(
        "casewire.Device", related_name="drafts", through="ticket_draft_device"
    )
    subject: str | None = fields.CharField(300, null=True)  # type: ignore[assignment]
    description: str | None = fields.TextField(null=True)
    more: dict[str, Any] | None = fields.JSONField(null=True, description="what only a failed opening had to say")
    origin: DraftOrigin = Choice(DraftOrigin, max_length=20)
    failure_reason: str | None = fields.CharField(300, null=True)  # type: ignore[assignment]
    client_mutation_id: str | None = fields.CharField(  # type: ignore[assignment]
        100, null=True, description="of the opening that failed"
    )
    created_at: datetime = Instant()
    updated_at: datetime = Instant()

    read_rule = OWN_DRAFTS

    class Meta:
        app = "casewire"
        table = "ticket_draft"
        indexes = [Index(fields=("author_id", "updated_at", "id"), name="ticket_draft_author")]

    def facts(self) -> UserFacts:
        return UserFacts(self.author_id)

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        """Its author's alone: not support's, nor anybody's who runs the organization (S30)."""
        return Q(author_id=viewer.user_id) if viewer.user_id else nothing()
