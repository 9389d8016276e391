"""Conference calls, appointments and shared resources, and what the timeline tells of them and of linked tickets."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from domain.enums import AppointmentStatus, ConferenceCallStatus
from models.base import InstantField
from tortoise.fields.base import OnDelete
from uuid_utils.compat import uuid7
from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint


class Migration(migrations.Migration):
    dependencies = [("casewire", "0006_lifecycle_presets")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Appointment",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "ticket",
                    fields.ForeignKeyField(
                        "casewire.Ticket",
                        source_field="ticket_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="appointments",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("status", fields.CharEnumField(description="", enum_type=AppointmentStatus, max_length=12)),
                ("starts_at", InstantField(auto_now=False, auto_now_add=False)),
                ("ends_at", InstantField(auto_now=False, auto_now_add=False)),
                (
                    "engineer",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="engineer_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="appointments",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "requested_by",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="requested_by_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="requested_appointments",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("created_at", InstantField(auto_now=False, auto_now_add=False)),
                ("updated_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "appointment",
                "app": "casewire",
                "constraints": [
                    UniqueConstraint(
                        fields=("ticket_id",),
                        name="appointment_one_coming",
                        condition="status <> 'CANCELLED' AND status <> 'COMPLETED'",
                    ),
                    CheckConstraint(check="ends_at > starts_at", name="appointment_ends_after_start"),
                ],
                "indexes": [
                    Index(fields=["ticket_id", "status"], name="appointment_ticket"),
                    Index(fields=["status", "ends_at"], name="appointment_due"),
                    Index(fields=["engineer_id", "starts_at"], name="appointment_engineer"),
                    Index(fields=["requested_by_id"], name="appointment_requester"),
                ],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="ConferenceCall",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "ticket",
                    fields.ForeignKeyField(
                        "casewire.Ticket",
                        source_field="ticket_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="conference_calls",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("scheduled_for", InstantField(auto_now=False, auto_now_add=False)),
                ("status", fields.CharEnumField(description="", enum_type=ConferenceCallStatus, max_length=12)),
                ("join_url", fields.CharField(null=True, max_length=1000)),
                ("passcode", fields.CharField(null=True, max_length=100)),
                (
                    "scheduled_by",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="scheduled_by_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="scheduled_calls",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("created_at", InstantField(auto_now=False, auto_now_add=False)),
                ("updated_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "conference_call",
                "app": "casewire",
                "constraints": [
                    UniqueConstraint(
                        fields=("ticket_id",),
                        name="conference_call_one_coming",
                        condition="status <> 'CANCELLED' AND status <> 'COMPLETED'",
                    )
                ],
                "indexes": [
                    Index(fields=["ticket_id", "status"], name="conference_call_ticket"),
                    Index(fields=["status", "scheduled_for"], name="conference_call_due"),
                    Index(fields=["scheduled_by_id"], name="conference_call_scheduler"),
                ],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="SharedResource",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "ticket",
                    fields.ForeignKeyField(
                        "casewire.Ticket",
                        source_field="ticket_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="resources",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("title", fields.CharField(max_length=300)),
                ("url", fields.CharField(null=True, max_length=1000)),
                (
                    "article",
                    fields.ForeignKeyField(
                        "casewire.KnowledgeArticle",
                        source_field="article_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="shared",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "shared_by",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="shared_by_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="shared_resources",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("shared_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "shared_resource",
                "app": "casewire",
                "constraints": [
                    CheckConstraint(check="(url IS NULL) <> (article_id IS NULL)", name="shared_resource_is_one_thing")
                ],
                "indexes": [
                    Index(fields=["ticket_id", "shared_at", "id"], name="shared_resource_ticket"),
                    Index(fields=["article_id"], name="shared_resource_article"),
                    Index(fields=["shared_by_id"], name="shared_resource_sharer"),
                ],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.AddField(
            model_name="TimelineEvent",
            name="appointment",
            field=fields.ForeignKeyField(
                "casewire.Appointment",
                source_field="appointment_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="told_of",
                on_delete=OnDelete.CASCADE,
            ),
        ),
        ops.AddField(
            model_name="TimelineEvent",
            name="conference_call",
            field=fields.ForeignKeyField(
                "casewire.ConferenceCall",
                source_field="conference_call_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="told_of",
                on_delete=OnDelete.CASCADE,
            ),
        ),
        ops.AddField(
            model_name="TimelineEvent",
            name="link",
            field=fields.ForeignKeyField(
                "casewire.TicketLink",
                source_field="link_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="told_of",
                on_delete=OnDelete.SET_NULL,
            ),
        ),
        ops.AddField(
            model_name="TimelineEvent",
            name="resource",
            field=fields.ForeignKeyField(
                "casewire.SharedResource",
                source_field="resource_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="told_of",
                on_delete=OnDelete.CASCADE,
            ),
        ),
        ops.AddIndex(
            model_name="TimelineEvent",
            index=Index(fields=["link_id"], name="timeline_event_link"),
        ),
        ops.AddIndex(
            model_name="TimelineEvent",
            index=Index(fields=["resource_id"], name="timeline_event_resource"),
        ),
        ops.AddIndex(
            model_name="TimelineEvent",
            index=Index(fields=["conference_call_id"], name="timeline_event_call"),
        ),
        ops.AddIndex(
            model_name="TimelineEvent",
            index=Index(fields=["appointment_id"], name="timeline_event_appointment"),
        ),
    ]
