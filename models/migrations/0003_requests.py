from tortoise import migrations
from tortoise.migrations import operations as ops
from domain.enums import (
    DraftOrigin,
    FollowerKind,
    NotificationKind,
    SearchKind,
    ServiceLevel,
    TicketLinkKind,
    Visibility,
)
from models.base import InstantField
from orjson import loads
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from uuid_utils.compat import uuid7
from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint


class Migration(migrations.Migration):
    dependencies = [("casewire", "0002_beyond_models")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Follower",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "ticket",
                    fields.ForeignKeyField(
                        "casewire.Ticket",
                        source_field="ticket_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="followers",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "casewire.Organization",
                        source_field="organization_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="followers",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "user",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="user_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="following",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("email", fields.CharField(null=True, description="lower case", max_length=254)),
                (
                    "added_by",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="added_by_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="added_followers",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("kind", fields.CharEnumField(description="", enum_type=FollowerKind, max_length=24)),
                ("followed_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "follower",
                "app": "casewire",
                "unique_together": (("ticket", "user"), ("ticket", "email")),
                "constraints": [
                    CheckConstraint(
                        check="(kind = 'INTERNAL' AND user_id IS NOT NULL AND email IS NULL) OR (kind = 'EXTERNAL_EMAIL_ONLY' AND user_id IS NULL AND email IS NOT NULL)",
                        name="follower_person_or_address",
                    )
                ],
                "indexes": [
                    Index(fields=["user_id", "ticket_id"], name="follower_user"),
                    Index(fields=["ticket_id", "followed_at", "id"], name="follower_by_followed"),
                ],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="KnowledgeArticle",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("title", fields.CharField(max_length=300)),
                ("body", fields.TextField(unique=False)),
                ("locale", fields.CharField(max_length=16)),
                ("visibility", fields.CharEnumField(description="", enum_type=Visibility, max_length=12)),
                ("helpful_count", fields.IntField(default=0)),
                ("created_at", InstantField(auto_now=False, auto_now_add=False)),
                ("updated_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={"table": "knowledge_article", "app": "casewire", "pk_attr": "id"},
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="KnowledgeRating",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "article",
                    fields.ForeignKeyField(
                        "casewire.KnowledgeArticle",
                        source_field="article_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="ratings",
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
                        related_name="knowledge_ratings",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("helpful", fields.BooleanField()),
                ("rated_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "knowledge_rating",
                "app": "casewire",
                "unique_together": (("article", "user"),),
                "indexes": [Index(fields=["user_id"], name="knowledge_rating_user")],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="Notification",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "user",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="user_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="notifications",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "ticket",
                    fields.ForeignKeyField(
                        "casewire.Ticket",
                        source_field="ticket_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="notifications",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "casewire.Organization",
                        source_field="organization_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="notifications",
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
                        related_name="caused_notifications",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("kind", fields.CharEnumField(description="", enum_type=NotificationKind, max_length=24)),
                ("visibility", fields.CharEnumField(description="", enum_type=Visibility, max_length=12)),
                ("data", fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
                (
                    "source",
                    fields.CharField(description="the key of the event that it tells: told once", max_length=80),
                ),
                ("created_at", InstantField(auto_now=False, auto_now_add=False)),
                ("read_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "notification",
                "app": "casewire",
                "unique_together": (("user", "source"),),
                "constraints": [
                    CheckConstraint(
                        check="(ticket_id IS NULL) <> (organization_id IS NULL)", name="notification_is_about_one_thing"
                    )
                ],
                "indexes": [
                    Index(fields=["user_id", "created_at", "id"], name="notification_by_created"),
                    Index(fields=["user_id", "read_at"], name="notification_unread"),
                    Index(fields=["ticket_id"], name="notification_ticket"),
                    Index(fields=["organization_id"], name="notification_organization"),
                    Index(fields=["actor_id"], name="notification_actor"),
                ],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="PendingNotice",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "ticket",
                    fields.ForeignKeyField(
                        "casewire.Ticket",
                        source_field="ticket_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="pending_notices",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("key", fields.CharField(description="the event's", max_length=80)),
                ("message_id", fields.UUIDField(null=True)),
                ("item_id", fields.UUIDField(null=True, description="the timeline event")),
                ("attempts", fields.SmallIntField(default=0)),
            ],
            options={
                "table": "pending_notice",
                "app": "casewire",
                "unique_together": (("ticket", "key"),),
                "indexes": [Index(fields=["attempts", "id"], name="pending_notice_by_attempts")],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="ReadMark",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "ticket",
                    fields.ForeignKeyField(
                        "casewire.Ticket",
                        source_field="ticket_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="read_marks",
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
                        related_name="read_marks",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("sequence", fields.IntField(default=0)),
                ("public_sequence", fields.IntField(default=0)),
                ("read_at", InstantField(auto_now=False, auto_now_add=False)),
                ("public_read_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "read_mark",
                "app": "casewire",
                "unique_together": (("ticket", "user"),),
                "constraints": [
                    CheckConstraint(check="public_sequence BETWEEN 0 AND sequence", name="read_mark_sequences_in_order")
                ],
                "indexes": [Index(fields=["user_id", "ticket_id"], name="read_mark_user")],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="SearchDocument",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("kind", fields.CharEnumField(description="", enum_type=SearchKind, max_length=20)),
                ("row_id", fields.UUIDField(unique=True)),
                ("ticket_id", fields.UUIDField(null=True, description="the ticket that decides who sees it")),
                ("organization_id", fields.UUIDField(null=True)),
                (
                    "label",
                    fields.CharField(
                        null=True, description="a reference or serial number, in capitals", max_length=100
                    ),
                ),
                ("internal", fields.BooleanField(default=False)),
            ],
            options={
                "table": "search_document",
                "app": "casewire",
                "indexes": [Index(fields=["label", "id"], name="search_document_by_label")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="TicketDraft",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "author",
                    fields.ForeignKeyField(
                        "casewire.User",
                        source_field="author_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="drafts",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "casewire.Organization",
                        source_field="organization_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="drafts",
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
                        related_name="drafts",
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
                        related_name="drafts",
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
                        related_name="drafts",
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
                        related_name="drafts",
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
                        related_name="drafts",
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
                        related_name="drafts",
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
                        related_name="drafts",
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
                        related_name="drafts",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "devices",
                    fields.ManyToManyField(
                        "casewire.Device",
                        unique=True,
                        db_constraint=True,
                        through="ticket_draft_device",
                        forward_key="device_id",
                        backward_key="ticket_draft_id",
                        related_name="drafts",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("subject", fields.CharField(null=True, max_length=300)),
                ("description", fields.TextField(null=True, unique=False)),
                (
                    "more",
                    fields.JSONField(
                        null=True,
                        description="what only a failed opening had to say",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("origin", fields.CharEnumField(description="", enum_type=DraftOrigin, max_length=20)),
                ("failure_reason", fields.CharField(null=True, max_length=300)),
                (
                    "client_mutation_id",
                    fields.CharField(null=True, description="of the opening that failed", max_length=100),
                ),
                ("created_at", InstantField(auto_now=False, auto_now_add=False)),
                ("updated_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "ticket_draft",
                "app": "casewire",
                "indexes": [Index(fields=["author_id", "updated_at", "id"], name="ticket_draft_author")],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.CreateModel(
            name="TicketLink",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "source",
                    fields.ForeignKeyField(
                        "casewire.Ticket",
                        source_field="source_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="links_from",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "target",
                    fields.ForeignKeyField(
                        "casewire.Ticket",
                        source_field="target_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="links_to",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("kind", fields.CharEnumField(description="", enum_type=TicketLinkKind, max_length=16)),
                ("created_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "ticket_link",
                "app": "casewire",
                "unique_together": (("source", "target", "kind"),),
                "constraints": [CheckConstraint(check="source_id <> target_id", name="ticket_link_of_two")],
                "indexes": [Index(fields=["target_id", "kind"], name="ticket_link_target")],
                "pk_attr": "id",
            },
            bases=["BaseModel"],
        ),
        ops.AddField(
            model_name="Attachment",
            name="deleted_at",
            field=InstantField(
                null=True, description="shown to nobody since; its bytes go next", auto_now=False, auto_now_add=False
            ),
        ),
        ops.AddField(
            model_name="Attachment",
            name="draft",
            field=fields.ForeignKeyField(
                "casewire.TicketDraft",
                source_field="draft_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="attachments",
                on_delete=OnDelete.SET_NULL,
            ),
        ),
        ops.AddField(
            model_name="Attachment",
            name="stored_at",
            field=InstantField(null=True, description="when its bytes had arrived", auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="Attachment",
            name="ticket",
            field=fields.ForeignKeyField(
                "casewire.Ticket",
                source_field="ticket_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="attachments",
                on_delete=OnDelete.CASCADE,
            ),
        ),
        ops.AddField(
            model_name="Attachment",
            name="visibility",
            field=fields.CharEnumField(null=True, description="of its message", enum_type=Visibility, max_length=12),
        ),
        ops.AddIndex(
            model_name="Attachment",
            index=Index(fields=["ticket_id", "created_at", "id"], name="attachment_ticket"),
        ),
        ops.AddIndex(
            model_name="Attachment",
            index=Index(fields=["draft_id", "created_at", "id"], name="attachment_draft"),
        ),
        ops.AddIndex(
            model_name="Attachment",
            index=Index(fields=["deleted_at"], name="attachment_deleted"),
        ),
        ops.RemoveIndex(
            model_name="Organization",
            name="organization_partner",
            fields=None,
        ),
        ops.AddIndex(
            model_name="Organization",
            index=Index(fields=["partner_id", "name", "id"], name="organization_partner_by_name"),
        ),
        ops.AddField(
            model_name="Participant",
            name="in_email_thread",
            field=fields.BooleanField(
                default=False, description="besides the requester, who always is", db_default=False
            ),
        ),
        ops.AddField(
            model_name="RequestType",
            name="required_fields",
            field=fields.JSONField(
                null=True, description="names of fields of `ticketCreate`", encoder=JSON_DUMPS, decoder=loads
            ),
        ),
        ops.AddField(
            model_name="Ticket",
            name="quotes",
            field=fields.ForeignKeyField(
                "casewire.Ticket",
                source_field="quotes_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="quoted_by",
                on_delete=OnDelete.SET_NULL,
            ),
        ),
        ops.AddField(
            model_name="Ticket",
            name="service_level",
            field=fields.CharEnumField(
                default=ServiceLevel.BASIC,
                description="when it was opened",
                db_default="BASIC",
                enum_type=ServiceLevel,
                max_length=16,
            ),
        ),
        ops.AddField(
            model_name="Ticket",
            name="sort_issue_type",
            field=fields.CharField(default="", db_default="", max_length=200),
        ),
        ops.AddField(
            model_name="Ticket",
            name="sort_priority",
            field=fields.IntField(default=0, db_default=0),
        ),
        ops.AddField(
            model_name="Ticket",
            name="sort_requester",
            field=fields.CharField(default="", db_default="", max_length=200),
        ),
        ops.AddField(
            model_name="Ticket",
            name="sort_service_level",
            field=fields.IntField(default=0, db_default=0),
        ),
        ops.AddField(
            model_name="Ticket",
            name="sort_status",
            field=fields.IntField(default=0, db_default=0),
        ),
        ops.AddIndex(
            model_name="Ticket",
            index=Index(fields=["sort_status", "id"], name="ticket_by_status"),
        ),
        ops.AddIndex(
            model_name="Ticket",
            index=Index(fields=["sort_priority", "id"], name="ticket_by_priority"),
        ),
        ops.AddIndex(
            model_name="Ticket",
            index=Index(fields=["sort_service_level", "id"], name="ticket_by_service_level"),
        ),
        ops.AddIndex(
            model_name="Ticket",
            index=Index(fields=["sort_issue_type", "id"], name="ticket_by_issue_type"),
        ),
        ops.AddIndex(
            model_name="Ticket",
            index=Index(fields=["sort_requester", "id"], name="ticket_by_requester"),
        ),
        ops.AddIndex(
            model_name="Ticket",
            index=Index(fields=["organization_id", "sort_status", "id"], name="ticket_org_by_status"),
        ),
        ops.AddIndex(
            model_name="Ticket",
            index=Index(fields=["organization_id", "sort_priority", "id"], name="ticket_org_by_priority"),
        ),
        ops.AddIndex(
            model_name="Ticket",
            index=Index(fields=["organization_id", "sort_service_level", "id"], name="ticket_org_by_service_level"),
        ),
        ops.AddIndex(
            model_name="Ticket",
            index=Index(fields=["organization_id", "sort_issue_type", "id"], name="ticket_org_by_issue_type"),
        ),
        ops.AddIndex(
            model_name="Ticket",
            index=Index(fields=["organization_id", "sort_requester", "id"], name="ticket_org_by_requester"),
        ),
        ops.AddIndex(
            model_name="Ticket",
            index=Index(fields=["quotes_id"], name="ticket_quotes"),
        ),
        ops.AddIndex(
            model_name="Ticket",
            index=Index(fields=["status", "assignee_id", "is_escalated", "channel"], name="ticket_queue"),
        ),
        ops.AddIndex(
            model_name="Ticket",
            index=Index(fields=["hold_until"], name="ticket_held"),
        ),
        ops.AddField(
            model_name="TimelineEvent",
            name="feedback",
            field=fields.ForeignKeyField(
                "casewire.Feedback",
                source_field="feedback_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="told_of",
                on_delete=OnDelete.CASCADE,
            ),
        ),
        ops.AddField(
            model_name="TimelineEvent",
            name="follower",
            field=fields.ForeignKeyField(
                "casewire.Follower",
                source_field="follower_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="told_of",
                on_delete=OnDelete.SET_NULL,
            ),
        ),
        ops.AddField(
            model_name="TimelineEvent",
            name="participant",
            field=fields.ForeignKeyField(
                "casewire.Participant",
                source_field="participant_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="told_of",
                on_delete=OnDelete.SET_NULL,
            ),
        ),
        ops.AddField(
            model_name="TimelineEvent",
            name="user",
            field=fields.ForeignKeyField(
                "casewire.User",
                source_field="user_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="told_of",
                on_delete=OnDelete.SET_NULL,
            ),
        ),
        ops.AddIndex(
            model_name="TimelineEvent",
            index=Index(fields=["participant_id"], name="timeline_event_participant"),
        ),
        ops.AddIndex(
            model_name="TimelineEvent",
            index=Index(fields=["follower_id"], name="timeline_event_follower"),
        ),
        ops.AddIndex(
            model_name="TimelineEvent",
            index=Index(fields=["feedback_id"], name="timeline_event_feedback"),
        ),
    ]
