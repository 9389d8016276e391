from tortoise import migrations
from tortoise.migrations import operations as ops
from domain.enums import (
    CertificateKind,
    ClosureReason,
    Confidentiality,
    DeliveryState,
    EscalationStage,
    HistoryAvailability,
    LifecyclePreset,
    MemberVisibility,
    MessageKind,
    MessageSource,
    OrganizationRole,
    ParticipantRole,
    ResolutionReason,
    ScanState,
    ServiceLevel,
    StaffRole,
    TicketChannel,
    TicketPriority,
    TicketSeverity,
    TicketStatus,
    TimelineEventKind,
    Visibility,
)
from models.base import InstantField
from models.inventory import SpaceKind
from orjson import loads
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from uuid_utils.compat import uuid7
from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="Counter",
            fields=[
                ("name", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ("value", fields.BigIntField()),
            ],
            options={"table": "counter", "app": "casewire", "pk_attr": "name"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="FeedEvent",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("topic", fields.CharField(max_length=120)),
                ("seq", fields.BigIntField()),
                ("key", fields.CharField(max_length=80)),
                ("kind", fields.CharField(max_length=40)),
                ("data", fields.TextField(unique=False)),
                ("at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "feed_event",
                "app": "casewire",
                "unique_together": (("topic", "seq"), ("topic", "key")),
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="FeedStream",
            fields=[
                ("topic", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=120)),
                ("epoch", fields.CharField(max_length=8)),
                ("head", fields.BigIntField(default=0)),
                ("floor", fields.BigIntField(default=0)),
            ],
            options={
                "table": "feed_stream",
                "app": "casewire",
                "constraints": [
                    CheckConstraint(check="floor >= 0 AND head >= floor", name="feed_stream_floor_below_head")
                ],
                "pk_attr": "topic",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Lease",
            fields=[
                ("name", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=60)),
                ("holder", fields.CharField(max_length=60)),
                ("until", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={"table": "lease", "app": "casewire", "pk_attr": "name"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Organization",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("name", fields.CharField(unique=True, max_length=200)),
                ("domains", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                (
                    "partner",
                    fields.ForeignKeyField(
                        "casewire.Organization",
                        source_field="partner_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="customers",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "member_visibility",
                    fields.CharEnumField(
                        default=MemberVisibility.OPEN, description="", enum_type=MemberVisibility, max_length=8
                    ),
                ),
                (
                    "lifecycle_preset",
                    fields.CharEnumField(
                        default=LifecyclePreset.WEEK, description="", enum_type=LifecyclePreset, max_length=16
                    ),
                ),
                (
                    "history_availability",
                    fields.CharEnumField(
                        default=HistoryAvailability.AVAILABLE,
                        description="",
                        enum_type=HistoryAvailability,
                        max_length=24,
                    ),
                ),
                ("history_starts_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("created_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "organization",
                "app": "casewire",
                "indexes": [Index(fields=["partner_id"], name="organization_partner")],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="Product",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("name", fields.CharField(unique=True, max_length=200)),
            ],
            options={"table": "product", "app": "casewire", "pk_attr": "id"},
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="ProductVersion",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "product",
                    fields.ForeignKeyField(
                        "casewire.Product",
                        source_field="product_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="versions",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("name", fields.CharField(max_length=100)),
                ("supported_until", fields.DateField(null=True)),
            ],
            options={
                "table": "product_version",
                "app": "casewire",
                "unique_together": (("product", "name"),),
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="ProductUpdate",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "version",
                    fields.ForeignKeyField(
                        "casewire.ProductVersion",
                        source_field="version_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="updates",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("name", fields.CharField(max_length=100)),
                ("released_at", fields.DateField(null=True)),
            ],
            options={
                "table": "product_update",
                "app": "casewire",
                "unique_together": (("version", "name"),),
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="ServiceCertificate",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "casewire.Organization",
                        source_field="organization_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="certificates",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "products",
                    fields.ManyToManyField(
                        "casewire.Product",
                        unique=True,
                        db_constraint=True,
                        through="certificate_product",
                        forward_key="product_id",
                        backward_key="service_certificate_id",
                        related_name="certificates",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("number", fields.CharField(unique=True, max_length=60)),
                ("kind", fields.CharEnumField(description="", enum_type=CertificateKind, max_length=24)),
                ("starts_at", fields.DateField()),
                ("ends_at", fields.DateField()),
            ],
            options={
                "table": "service_certificate",
                "app": "casewire",
                "constraints": [
                    CheckConstraint(check="ends_at >= starts_at", name="service_certificate_dates_in_order")
                ],
                "indexes": [Index(fields=["organization_id", "ends_at"], name="service_certificate_by_end")],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="SpaceGroup",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "casewire.Organization",
                        source_field="organization_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="space_groups",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "parent",
                    fields.ForeignKeyField(
                        "casewire.SpaceGroup",
                        source_field="parent_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="children",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("name", fields.CharField(max_length=200)),
            ],
            options={
                "table": "space_group",
                "app": "casewire",
                "indexes": [
                    Index(fields=["organization_id", "name", "id"], name="space_group_by_name"),
                    Index(fields=["parent_id"], name="space_group_parent"),
                ],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="Space",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "casewire.Organization",
                        source_field="organization_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="spaces",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "group",
                    fields.ForeignKeyField(
                        "casewire.SpaceGroup",
                        source_field="group_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="spaces",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("kind", fields.CharEnumField(description="", enum_type=SpaceKind, max_length=8)),
                ("name", fields.CharField(max_length=200)),
                ("capacity", fields.IntField(null=True)),
            ],
            options={
                "table": "space",
                "app": "casewire",
                "indexes": [
                    Index(fields=["organization_id", "kind", "name", "id"], name="space_by_kind_and_name"),
                    Index(fields=["organization_id", "name", "id"], name="space_by_name"),
                    Index(fields=["group_id", "name", "id"], name="space_group_by_space_name"),
                ],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="Device",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "casewire.Organization",
                        source_field="organization_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="devices",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "product",
                    fields.ForeignKeyField(
                        "casewire.Product",
                        source_field="product_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="devices",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "space",
                    fields.ForeignKeyField(
                        "casewire.Space",
                        source_field="space_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="devices",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("name", fields.CharField(max_length=200)),
                ("serial_number", fields.CharField(max_length=100)),
                ("firmware_version", fields.CharField(null=True, max_length=50)),
            ],
            options={
                "table": "device",
                "app": "casewire",
                "unique_together": (("organization", "serial_number"),),
                "indexes": [
                    Index(fields=["organization_id", "name", "id"], name="device_by_name"),
                    Index(fields=["space_id", "name", "id"], name="device_by_space"),
                    Index(fields=["product_id"], name="device_product"),
                ],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="ServiceLicense",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "casewire.Organization",
                        source_field="organization_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="licenses",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "space",
                    fields.ForeignKeyField(
                        "casewire.Space",
                        source_field="space_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="licenses",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("level", fields.CharEnumField(description="", enum_type=ServiceLevel, max_length=16)),
                ("starts_at", fields.DateField()),
                ("ends_at", fields.DateField()),
                ("created_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "service_license",
                "app": "casewire",
                "constraints": [CheckConstraint(check="ends_at >= starts_at", name="service_license_dates_in_order")],
                "indexes": [
                    Index(fields=["organization_id", "created_at", "id"], name="service_license_by_created"),
                    Index(fields=["space_id", "ends_at"], name="service_license_space"),
                ],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="SupportProject",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("name", fields.CharField(unique=True, max_length=200)),
            ],
            options={"table": "support_project", "app": "casewire", "pk_attr": "id"},
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="RequestType",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "project",
                    fields.ForeignKeyField(
                        "casewire.SupportProject",
                        source_field="project_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="request_types",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("key", fields.CharField(unique=True, max_length=40)),
                ("name", fields.CharField(max_length=200)),
                ("handler_label", fields.CharField(max_length=200)),
                (
                    "required_certificate_kind",
                    fields.CharEnumField(null=True, description="", enum_type=CertificateKind, max_length=24),
                ),
                (
                    "default_confidentiality",
                    fields.CharEnumField(
                        default=Confidentiality.ORGANIZATION, description="", enum_type=Confidentiality, max_length=16
                    ),
                ),
            ],
            options={
                "table": "request_type",
                "app": "casewire",
                "indexes": [Index(fields=["project_id", "name", "id"], name="request_type_by_project")],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="Classification",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "request_type",
                    fields.ForeignKeyField(
                        "casewire.RequestType",
                        source_field="request_type_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="classifications",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("name", fields.CharField(max_length=200)),
            ],
            options={
                "table": "classification",
                "app": "casewire",
                "unique_together": (("request_type", "name"),),
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="IssueType",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "request_type",
                    fields.ForeignKeyField(
                        "casewire.RequestType",
                        source_field="request_type_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="issue_types",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("name", fields.CharField(max_length=200)),
                ("appointments_available", fields.BooleanField(default=False)),
            ],
            options={
                "table": "issue_type",
                "app": "casewire",
                "unique_together": (("request_type", "name"),),
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="User",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("email", fields.CharField(unique=True, description="lower case", max_length=254)),
                ("username", fields.CharField(max_length=100)),
                ("display_name", fields.CharField(max_length=200)),
                ("avatar_url", fields.CharField(null=True, max_length=500)),
                ("password_hash", fields.CharField(null=True, max_length=200)),
                ("locale", fields.CharField(null=True, max_length=16)),
                ("time_zone", fields.CharField(null=True, max_length=64)),
                ("staff_role", fields.CharEnumField(null=True, description="", enum_type=StaffRole, max_length=16)),
                ("is_active", fields.BooleanField(default=True)),
                ("created_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "app_user",
                "app": "casewire",
                "constraints": [CheckConstraint(check="email = lower(email)", name="app_user_email_lower_case")],
                "indexes": [Index(fields=["display_name", "id"], name="app_user_by_name")],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="Membership",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "casewire.Organization",
                        source_field="organization_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="memberships",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "user",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="user_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="memberships",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("role", fields.CharEnumField(description="", enum_type=OrganizationRole, max_length=24)),
                ("joined_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "membership",
                "app": "casewire",
                "unique_together": (("organization", "user"),),
                "indexes": [
                    Index(fields=["user_id"], name="membership_user"),
                    Index(fields=["organization_id", "joined_at", "id"], name="membership_by_joined"),
                ],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="RefreshToken",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "user",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="user_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="refresh_tokens",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("family", fields.UUIDField()),
                ("token_hash", fields.CharField(unique=True, max_length=64)),
                ("issued_at", InstantField(auto_now=False, auto_now_add=False)),
                ("expires_at", InstantField(auto_now=False, auto_now_add=False)),
                ("used_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("revoked_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "refresh_token",
                "app": "casewire",
                "indexes": [
                    Index(fields=["family"], name="refresh_token_family"),
                    Index(fields=["user_id"], name="refresh_token_user"),
                    Index(fields=["expires_at"], name="refresh_token_expiry"),
                ],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="Ticket",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("number", fields.BigIntField(unique=True)),
                ("reference", fields.CharField(unique=True, max_length=24)),
                ("version", fields.IntField(default=1)),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "casewire.Organization",
                        source_field="organization_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="tickets",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "on_behalf_of",
                    fields.ForeignKeyField(
                        "casewire.Organization",
                        source_field="on_behalf_of_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="tickets_on_behalf",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "requester",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="requester_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="requested_tickets",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "opened_by",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="opened_by_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="opened_tickets",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "owner",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="owner_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="owned_tickets",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "assignee",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="assignee_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="assigned_tickets",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "project",
                    fields.ForeignKeyField(
                        "casewire.SupportProject",
                        source_field="project_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="tickets",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "request_type",
                    fields.ForeignKeyField(
                        "casewire.RequestType",
                        source_field="request_type_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="tickets",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "classification",
                    fields.ForeignKeyField(
                        "casewire.Classification",
                        source_field="classification_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="tickets",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "issue_type",
                    fields.ForeignKeyField(
                        "casewire.IssueType",
                        source_field="issue_type_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="tickets",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "product",
                    fields.ForeignKeyField(
                        "casewire.Product",
                        source_field="product_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="tickets",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "product_version",
                    fields.ForeignKeyField(
                        "casewire.ProductVersion",
                        source_field="product_version_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="tickets",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "product_update",
                    fields.ForeignKeyField(
                        "casewire.ProductUpdate",
                        source_field="product_update_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="tickets",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "certificate",
                    fields.ForeignKeyField(
                        "casewire.ServiceCertificate",
                        source_field="certificate_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="tickets",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "space",
                    fields.ForeignKeyField(
                        "casewire.Space",
                        source_field="space_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="tickets",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("subject", fields.CharField(max_length=300)),
                ("description", fields.TextField(unique=False)),
                ("language", fields.CharField(null=True, max_length=16)),
                ("channel", fields.CharEnumField(description="", enum_type=TicketChannel, max_length=16)),
                (
                    "status",
                    fields.CharEnumField(
                        default=TicketStatus.NEW, description="", enum_type=TicketStatus, max_length=20
                    ),
                ),
                (
                    "priority",
                    fields.CharEnumField(
                        default=TicketPriority.NORMAL, description="", enum_type=TicketPriority, max_length=8
                    ),
                ),
                (
                    "severity",
                    fields.CharEnumField(
                        default=TicketSeverity.UNKNOWN, description="", enum_type=TicketSeverity, max_length=12
                    ),
                ),
                (
                    "confidentiality",
                    fields.CharEnumField(
                        default=Confidentiality.ORGANIZATION, description="", enum_type=Confidentiality, max_length=16
                    ),
                ),
                ("is_escalated", fields.BooleanField(default=False)),
                ("locked", fields.BooleanField(default=False)),
                ("created_at", InstantField(auto_now=False, auto_now_add=False)),
                ("updated_at", InstantField(auto_now=False, auto_now_add=False)),
                ("last_activity_at", InstantField(auto_now=False, auto_now_add=False)),
                ("status_changed_at", InstantField(auto_now=False, auto_now_add=False)),
                (
                    "waiting_since",
                    InstantField(
                        null=True, description="when the customer's turn began", auto_now=False, auto_now_add=False
                    ),
                ),
                ("first_responded_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("resolved_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "resolution_reason",
                    fields.CharEnumField(null=True, description="", enum_type=ResolutionReason, max_length=24),
                ),
                ("closed_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "closure_reason",
                    fields.CharEnumField(null=True, description="", enum_type=ClosureReason, max_length=24),
                ),
                ("hold_until", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("snoozed_until", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("last_sequence", fields.IntField(default=0, description="number of timeline items")),
                ("last_public_sequence", fields.IntField(default=0, description="number of those a customer may see")),
                ("client_mutation_id", fields.CharField(null=True, max_length=100)),
                ("is_imported", fields.BooleanField(default=False)),
                ("import_source", fields.CharField(null=True, max_length=60)),
                ("import_key", fields.CharField(null=True, max_length=100)),
                (
                    "import_digest",
                    fields.CharField(null=True, description="SHA-256 of what was imported", max_length=64),
                ),
                (
                    "devices",
                    fields.ManyToManyField(
                        "casewire.Device",
                        unique=True,
                        db_constraint=True,
                        through="ticket_device",
                        forward_key="device_id",
                        backward_key="ticket_id",
                        related_name="tickets",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
            ],
            options={
                "table": "ticket",
                "app": "casewire",
                "unique_together": (
                    ("organization", "import_source", "import_key"),
                    ("opened_by", "client_mutation_id"),
                ),
                "constraints": [
                    CheckConstraint(
                        check="status <> 'RESOLVED' OR resolved_at IS NOT NULL", name="ticket_resolved_has_time"
                    ),
                    CheckConstraint(check="status <> 'CLOSED' OR closed_at IS NOT NULL", name="ticket_closed_has_time"),
                    CheckConstraint(check="version >= 1", name="ticket_version_from_one"),
                    CheckConstraint(
                        check="last_public_sequence BETWEEN 0 AND last_sequence", name="ticket_sequences_in_order"
                    ),
                ],
                "indexes": [
                    Index(fields=["last_activity_at", "id"], name="ticket_by_activity"),
                    Index(fields=["created_at", "id"], name="ticket_by_created"),
                    Index(fields=["updated_at", "id"], name="ticket_by_updated"),
                    Index(fields=["organization_id", "last_activity_at", "id"], name="ticket_org_by_activity"),
                    Index(fields=["organization_id", "created_at", "id"], name="ticket_org_by_created"),
                    Index(fields=["organization_id", "updated_at", "id"], name="ticket_org_by_updated"),
                    Index(fields=["organization_id", "number"], name="ticket_org_by_number"),
                    Index(fields=["requester_id", "last_activity_at", "id"], name="ticket_requester_by_activity"),
                    Index(fields=["requester_id", "created_at", "id"], name="ticket_requester_by_created"),
                    Index(fields=["requester_id", "updated_at", "id"], name="ticket_requester_by_updated"),
                    Index(fields=["requester_id", "number"], name="ticket_requester_by_number"),
                    Index(fields=["assignee_id", "last_activity_at", "id"], name="ticket_assignee_by_activity"),
                    Index(fields=["owner_id", "last_activity_at", "id"], name="ticket_owner_by_activity"),
                    Index(fields=["space_id", "last_activity_at", "id"], name="ticket_space_by_activity"),
                    Index(fields=["waiting_since"], name="ticket_waiting"),
                    Index(fields=["closed_at", "resolved_at"], name="ticket_resolved"),
                ],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="Escalation",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "ticket",
                    fields.ForeignKeyField(
                        "casewire.Ticket",
                        source_field="ticket_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="escalations",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("number", fields.BigIntField(unique=True)),
                ("reference", fields.CharField(unique=True, max_length=24)),
                ("issue_description", fields.TextField(unique=False)),
                (
                    "stage",
                    fields.CharEnumField(
                        default=EscalationStage.SUBMITTED, description="", enum_type=EscalationStage, max_length=24
                    ),
                ),
                (
                    "submitted_by",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="submitted_by_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="submitted_escalations",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("submitted_at", InstantField(auto_now=False, auto_now_add=False)),
                ("estimated_resolution_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("resolved_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("updated_at", InstantField(auto_now=False, auto_now_add=False)),
                ("entry_count", fields.IntField(default=0)),
            ],
            options={
                "table": "escalation",
                "app": "casewire",
                "constraints": [
                    UniqueConstraint(
                        fields=("ticket_id",), name="escalation_one_active", condition="stage <> 'RESOLVED'"
                    ),
                    CheckConstraint(
                        check="stage <> 'RESOLVED' OR resolved_at IS NOT NULL", name="escalation_resolved_has_time"
                    ),
                ],
                "indexes": [
                    Index(fields=["ticket_id", "submitted_at", "id"], name="escalation_ticket"),
                    Index(fields=["submitted_at", "id"], name="escalation_by_submitted"),
                    Index(fields=["stage", "submitted_at", "id"], name="escalation_by_stage"),
                    Index(fields=["submitted_by_id"], name="escalation_submitter"),
                ],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="EscalationEntry",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "escalation",
                    fields.ForeignKeyField(
                        "casewire.Escalation",
                        source_field="escalation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="entries",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("sequence", fields.IntField(description="1, 2, 3 … within the escalation")),
                ("stage", fields.CharEnumField(description="", enum_type=EscalationStage, max_length=24)),
                ("entered_at", InstantField(auto_now=False, auto_now_add=False)),
                (
                    "actor",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="actor_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="escalation_entries",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("automatic", fields.BooleanField(default=False)),
                (
                    "is_override",
                    fields.BooleanField(default=False, description="support resolved it for a silent customer"),
                ),
                ("note", fields.TextField(null=True, unique=False)),
                ("internal_note", fields.TextField(null=True, unique=False)),
                ("estimated_resolution_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "escalation_entry",
                "app": "casewire",
                "unique_together": (("escalation", "sequence"),),
                "indexes": [Index(fields=["actor_id"], name="escalation_entry_actor")],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="Feedback",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "ticket",
                    fields.OneToOneField(
                        "casewire.Ticket",
                        source_field="ticket_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="feedback",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "submitted_by",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="submitted_by_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="feedback_given",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("rating", fields.SmallIntField(description="1 to 5")),
                ("comment", fields.TextField(null=True, unique=False)),
                ("submitted_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "feedback",
                "app": "casewire",
                "constraints": [CheckConstraint(check="rating BETWEEN 1 AND 5", name="feedback_rating_in_range")],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="Message",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("sequence", fields.IntField()),
                ("public_sequence", fields.IntField(null=True)),
                ("visibility", fields.CharEnumField(description="", enum_type=Visibility, max_length=12)),
                ("automatic", fields.BooleanField(default=False, description="the desk itself did it")),
                ("occurred_at", InstantField(auto_now=False, auto_now_add=False)),
                (
                    "ticket",
                    fields.ForeignKeyField(
                        "casewire.Ticket",
                        source_field="ticket_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="messages",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "actor",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="actor_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="messages",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "in_reply_to",
                    fields.ForeignKeyField(
                        "casewire.Message",
                        source_field="in_reply_to_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="replies",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("kind", fields.CharEnumField(description="", enum_type=MessageKind, max_length=8)),
                ("source", fields.CharEnumField(description="", enum_type=MessageSource, max_length=12)),
                (
                    "delivery_state",
                    fields.CharEnumField(
                        default=DeliveryState.SENT, description="", enum_type=DeliveryState, max_length=12
                    ),
                ),
                ("body", fields.TextField(unique=False)),
                ("language", fields.CharField(null=True, max_length=16)),
                ("client_message_id", fields.CharField(null=True, max_length=100)),
                ("edited_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("deleted_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("email_subject", fields.CharField(null=True, max_length=300)),
                ("email_from", fields.CharField(null=True, max_length=254)),
                (
                    "email_headers",
                    fields.JSONField(
                        null=True, description="to, cc, messageId, references", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
            ],
            options={
                "table": "message",
                "app": "casewire",
                "unique_together": (
                    ("ticket", "sequence"),
                    ("ticket", "public_sequence"),
                    ("ticket", "actor", "client_message_id"),
                ),
                "constraints": [
                    CheckConstraint(
                        check="(visibility = 'PUBLIC') = (public_sequence IS NOT NULL)",
                        name="message_public_is_numbered",
                    )
                ],
                "indexes": [
                    Index(fields=["actor_id"], name="message_actor"),
                    Index(fields=["in_reply_to_id"], name="message_reply"),
                ],
                "pk_attr": "id",
            },
            bases=["TimelineItem"],
        ),
        ops.CreateModel(
            name="Attachment",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "message",
                    fields.ForeignKeyField(
                        "casewire.Message",
                        source_field="message_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="attachments",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "uploaded_by",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="uploaded_by_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="attachments",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("file_name", fields.CharField(max_length=255)),
                ("media_type", fields.CharField(max_length=120)),
                ("size_bytes", fields.BigIntField()),
                ("checksum", fields.CharField(description="SHA-256, hex", max_length=64)),
                (
                    "scan_state",
                    fields.CharEnumField(default=ScanState.SKIPPED, description="", enum_type=ScanState, max_length=12),
                ),
                ("created_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "attachment",
                "app": "casewire",
                "constraints": [CheckConstraint(check="size_bytes >= 0", name="attachment_size_not_negative")],
                "indexes": [
                    Index(fields=["message_id", "created_at", "id"], name="attachment_message"),
                    Index(fields=["uploaded_by_id"], name="attachment_uploader"),
                ],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="Participant",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "ticket",
                    fields.ForeignKeyField(
                        "casewire.Ticket",
                        source_field="ticket_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="participants",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "user",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="user_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="participations",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "added_by",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="added_by_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="added_participants",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("role", fields.CharEnumField(description="", enum_type=ParticipantRole, max_length=16)),
                ("added_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "participant",
                "app": "casewire",
                "unique_together": (("ticket", "user"),),
                "indexes": [
                    Index(fields=["user_id", "ticket_id"], name="participant_user"),
                    Index(fields=["ticket_id", "added_at", "id"], name="participant_by_added"),
                ],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="TimelineEvent",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("sequence", fields.IntField()),
                ("public_sequence", fields.IntField(null=True)),
                ("visibility", fields.CharEnumField(description="", enum_type=Visibility, max_length=12)),
                ("automatic", fields.BooleanField(default=False, description="the desk itself did it")),
                ("occurred_at", InstantField(auto_now=False, auto_now_add=False)),
                (
                    "ticket",
                    fields.ForeignKeyField(
                        "casewire.Ticket",
                        source_field="ticket_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="timeline_events",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "actor",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="actor_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="timeline_events",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "entry",
                    fields.ForeignKeyField(
                        "casewire.EscalationEntry",
                        source_field="entry_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="timeline_events",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("kind", fields.CharEnumField(description="", enum_type=TimelineEventKind, max_length=12)),
                ("field", fields.CharField(null=True, max_length=60)),
                ("old_value", fields.CharField(null=True, max_length=300)),
                ("new_value", fields.CharField(null=True, max_length=300)),
                ("reason", fields.CharField(null=True, max_length=300)),
            ],
            options={
                "table": "timeline_event",
                "app": "casewire",
                "unique_together": (("ticket", "sequence"), ("ticket", "public_sequence")),
                "constraints": [
                    CheckConstraint(
                        check="(visibility = 'PUBLIC') = (public_sequence IS NOT NULL)",
                        name="timeline_event_public_is_numbered",
                    )
                ],
                "indexes": [
                    Index(fields=["actor_id"], name="timeline_event_actor"),
                    Index(fields=["entry_id"], name="timeline_event_entry"),
                ],
                "pk_attr": "id",
            },
            bases=["TimelineItem"],
        ),
    ]
