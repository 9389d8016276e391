"""What can be asked for: support projects, request types, and the certificates some of them need."""

from uuid import UUID

from tortoise import fields
from tortoise.expressions import Q
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint

from domain.entitlement import Certificate
from domain.enums import CertificateKind, Confidentiality, LifecyclePreset
from domain.policy import Viewer
from models.base import BaseModel, Choice, anyone_signed_in, member_of
from models.inventory import Product
from models.people import Organization


class SupportProject(BaseModel):
    name = fields.CharField(200, unique=True)

    class Meta:
        app = "casewire"
        table = "support_project"

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        return anyone_signed_in(viewer)


class RequestType(BaseModel):
    """A kind of request, with what it needs and who handles it (S17)."""

    project: fields.ForeignKeyRelation[SupportProject] = fields.ForeignKeyField(
        "casewire.SupportProject", related_name="request_types", on_delete=fields.CASCADE
    )
    project_id: UUID
    key = fields.CharField(40, unique=True)
    name = fields.CharField(200)
    handler_label = fields.CharField(200)
    required_certificate_kind: CertificateKind | None = Choice(CertificateKind, max_length=24, null=True)
    required_fields: list[str] | None = fields.JSONField(null=True, description="names of fields of `ticketCreate`")
    default_confidentiality: Confidentiality = Choice(
        Confidentiality, max_length=16, default=Confidentiality.ORGANIZATION
    )
    lifecycle_preset: LifecyclePreset | None = Choice(
        LifecyclePreset, max_length=16, null=True, description="null: the organization's"
    )

    class Meta:
        app = "casewire"
        table = "request_type"
        indexes = [Index(fields=("project_id", "name", "id"), name="request_type_by_project")]

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        return anyone_signed_in(viewer)


class Classification(BaseModel):
    request_type: fields.ForeignKeyRelation[RequestType] = fields.ForeignKeyField(
        "casewire.RequestType", related_name="classifications", on_delete=fields.CASCADE
    )
    request_type_id: UUID
    name = fields.CharField(200)

    class Meta:
        app = "casewire"
        table = "classification"
        unique_together = (("request_type", "name"),)

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        return anyone_signed_in(viewer)


class IssueType(BaseModel):
    request_type: fields.ForeignKeyRelation[RequestType] = fields.ForeignKeyField(
        "casewire.RequestType", related_name="issue_types", on_delete=fields.CASCADE
    )
    request_type_id: UUID
    name = fields.CharField(200)
    appointments_available = fields.BooleanField(default=False)

    class Meta:
        app = "casewire"
        table = "issue_type"
        unique_together = (("request_type", "name"),)

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        return anyone_signed_in(viewer)


class ServiceCertificate(BaseModel):
    organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "casewire.Organization", related_name="certificates", on_delete=fields.CASCADE
    )
    organization_id: UUID
    products: fields.ManyToManyRelation[Product] = fields.ManyToManyField(
        "casewire.Product", related_name="certificates", through="certificate_product"
    )
    number = fields.CharField(60, unique=True)
    kind: CertificateKind = Choice(CertificateKind, max_length=24)
    starts_at = fields.DateField()
    ends_at = fields.DateField()

    class Meta:
        app = "casewire"
        table = "service_certificate"
        constraints = [CheckConstraint(check="ends_at >= starts_at", name="service_certificate_dates_in_order")]
        indexes = [Index(fields=("organization_id", "ends_at"), name="service_certificate_by_end")]

    def terms(self, product_ids: frozenset[UUID] = frozenset()) -> Certificate:
        """What `domain.entitlement` decides by; the products are known only to their own table."""
        return Certificate(self.number, self.kind, self.starts_at, self.ends_at, product_ids)

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        return member_of(viewer)
