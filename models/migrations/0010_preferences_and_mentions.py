from tortoise import migrations
from tortoise.migrations import operations as ops
from models.base import InstantField
from tortoise.fields.base import OnDelete
from uuid_utils.compat import uuid7
from tortoise import fields
from tortoise.indexes import Index


class Migration(migrations.Migration):
    dependencies = [("casewire", "0009_links_and_copies")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Mention",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "message",
                    fields.ForeignKeyField(
                        "casewire.Message",
                        source_field="message_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="mentions",
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
                        related_name="mentions",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("place", fields.SmallIntField(description="0, 1, 2 … in the order they were named")),
            ],
            options={
                "table": "mention",
                "app": "casewire",
                "unique_together": (("message", "user"),),
                "indexes": [Index(fields=["user_id"], name="mention_user")],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="MutedTicket",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "user",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="user_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="muted_tickets",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "ticket",
                    fields.ForeignKeyField(
                        "casewire.Ticket",
                        source_field="ticket_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="muted_by",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("muted_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "muted_ticket",
                "app": "casewire",
                "unique_together": (("user", "ticket"),),
                "indexes": [Index(fields=["ticket_id"], name="muted_ticket_ticket")],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.AddField(
            model_name="User",
            name="email_digest",
            field=fields.BooleanField(default=False, description="one e-mail for many", db_default=False),
        ),
        ops.AddField(
            model_name="User",
            name="notify_by_email",
            field=fields.BooleanField(default=True, db_default=True),
        ),
        ops.AddField(
            model_name="User",
            name="notify_in_app",
            field=fields.BooleanField(default=True, db_default=True),
        ),
    ]
