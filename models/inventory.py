"""What customers have: rooms and desks in groups, devices inside, products, and the licences that cover them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.expressions import Q
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint

from domain.enums import Described, ServiceLevel
from domain.policy import SEE_LICENSES, Facts, OrganizationFacts, Viewer, allows
from models.base import BaseModel, Choice, Instant, anyone_signed_in, member_of, nothing
from models.people import Organization


class SpaceKind(Described):
    ROOM = "ROOM", "A meeting room."
    DESK = "DESK", "A desk."


class SpaceGroup(BaseModel):
    """A building, a floor, a team: rooms and desks that belong together (S93)."""

    organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "casewire.Organization", related_name="space_groups", on_delete=fields.CASCADE
    )
    organization_id: UUID
    parent: fields.ForeignKeyNullableRelation["SpaceGroup"] = fields.ForeignKeyField(
        "casewire.SpaceGroup", related_name="children", null=True, on_delete=fields.CASCADE
    )
    parent_id: UUID | None
    name = fields.CharField(200)

    class Meta:
        app = "casewire"
        table = "space_group"
        indexes = [
            Index(fields=("organization_id", "name", "id"), name="space_group_by_name"),
            Index(fields=("parent_id",), name="space_group_parent"),
        ]

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        return member_of(viewer)


class Space(BaseModel):
    """A room or a desk."""

    organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "casewire.Organization", related_name="spaces", on_delete=fields.CASCADE
    )
    organization_id: UUID
    group: fields.ForeignKeyNullableRelation[SpaceGroup] = fields.ForeignKeyField(
        "casewire.SpaceGroup", related_name="spaces", null=True, on_delete=fields.SET_NULL
    )
    group_id: UUID | None
    kind: SpaceKind = Choice(SpaceKind, max_length=8)
    name = fields.CharField(200)
    capacity = fields.IntField(null=True)

    class Meta:
        app = "casewire"
        table = "space"
        indexes = [
            Index(fields=("organization_id", "kind", "name", "id"), name="space_by_kind_and_name"),
            Index(fields=("organization_id", "name", "id"), name="space_by_name"),
            Index(fields=("group_id", "name", "id"), name="space_group_by_space_name"),
        ]

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        return member_of(viewer)

    fact_columns = ("organization_id",)

    @classmethod
    async def facts_by_columns(cls, keys: set[tuple[Any, ...]], viewer: Viewer, read: Any) -> dict[Any, Facts]:
        return {key: OrganizationFacts(UUID(key[0])) for key in keys}

    def facts(self) -> OrganizationFacts:
        return OrganizationFacts(self.organization_id)


class Product(BaseModel):
    name = fields.CharField(200, unique=True)

    class Meta:
        app = "casewire"
        table = "product"

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        return anyone_signed_in(viewer)


class ProductVersion(BaseModel):
    product: fields.ForeignKeyRelation[Product] = fields.ForeignKeyField(
        "casewire.Product", related_name="versions", on_delete=fields.CASCADE
    )
    product_id: UUID
    name = fields.CharField(100)
    supported_until = fields.DateField(null=True)

    class Meta:
        app = "casewire"
        table = "product_version"
        unique_together = (("product", "name"),)

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        return anyone_signed_in(viewer)


class ProductUpdate(BaseModel):
    version: fields.ForeignKeyRelation[ProductVersion] = fields.ForeignKeyField(
        "casewire.ProductVersion", related_name="updates", on_delete=fields.CASCADE
    )
    version_id: UUID
    name = fields.CharField(100)
    released_at = fields.DateField(null=True)

    class Meta:
        app = "casewire"
        table = "product_update"
        unique_together = (("version", "name"),)

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        return anyone_signed_in(viewer)


class Device(BaseModel):
    organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "casewire.Organization", related_name="devices", on_delete=fields.CASCADE
    )
    organization_id: UUID
    product: fields.ForeignKeyRelation[Product] = fields.ForeignKeyField(
        "casewire.Product", related_name="devices", on_delete=fields.RESTRICT
    )
    product_id: UUID
    space: fields.ForeignKeyNullableRelation[Space] = fields.ForeignKeyField(
        "casewire.Space", related_name="devices", null=True, on_delete=fields.SET_NULL
    )
    space_id: UUID | None
    name = fields.CharField(200)
    serial_number = fields.CharField(100)
    firmware_version = fields.CharField(50, null=True)

    class Meta:
        app = "casewire"
        table = "device"
        unique_together = (("organization", "serial_number"),)
        indexes = [
            Index(fields=("organization_id", "name", "id"), name="device_by_name"),
            Index(fields=("space_id", "name", "id"), name="device_by_space"),
            Index(fields=("product_id",), name="device_product"),
        ]

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        return member_of(viewer)

    fact_columns = ("organization_id",)

    @classmethod
    async def facts_by_columns(cls, keys: set[tuple[Any, ...]], viewer: Viewer, read: Any) -> dict[Any, Facts]:
        return {key: OrganizationFacts(UUID(key[0])) for key in keys}

    def facts(self) -> OrganizationFacts:
        return OrganizationFacts(self.organization_id)


class ServiceLicense(BaseModel):
    """A service plan, assigned to a room or desk or waiting to be (S90)."""

    organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "casewire.Organization", related_name="licenses", on_delete=fields.CASCADE
    )
    organization_id: UUID
    space: fields.ForeignKeyNullableRelation[Space] = fields.ForeignKeyField(
        "casewire.Space", related_name="licenses", null=True, on_delete=fields.SET_NULL
    )
    space_id: UUID | None
    level: ServiceLevel = Choice(ServiceLevel, max_length=16)
    starts_at = fields.DateField()
    ends_at = fields.DateField()
    created_at: datetime = Instant()

    class Meta:
        app = "casewire"
        table = "service_license"
        constraints = [CheckConstraint(check="ends_at >= starts_at", name="service_license_dates_in_order")]
        indexes = [
            Index(fields=("organization_id", "created_at", "id"), name="service_license_by_created"),
            Index(fields=("space_id", "ends_at"), name="service_license_space"),
        ]

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        if viewer.is_staff:
            return Q()
        managed = [
            m.organization_id
            for m in viewer.memberships
            if allows(viewer, SEE_LICENSES, OrganizationFacts(m.organization_id))
        ]
        return Q(organization_id__in=managed) if managed else nothing()
