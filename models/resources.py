"""Links to what support has shared on a ticket (S44)."""

from datetime import datetime
from uuid import UUID

from tortoise import fields
from tortoise.expressions import Q
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint

from domain.policy import Viewer
from models.base import BaseModel, Instant
from models.knowledge import KnowledgeArticle
from models.people import User
from models.tickets import Ticket, of_visible_ticket


class SharedResource(BaseModel):
    """An address on the web, or an article of ours."""

    ticket: fields.ForeignKeyRelation[Ticket] = fields.ForeignKeyField(
        "casewire.Ticket", related_name="resources", on_delete=fields.CASCADE
    )
    ticket_id: UUID
    title = fields.CharField(300)
    url = fields.CharField(1000, null=True)
    article: fields.ForeignKeyNullableRelation[KnowledgeArticle] = fields.ForeignKeyField(
        "casewire.KnowledgeArticle", related_name="shared", null=True, on_delete=fields.CASCADE
    )
    article_id: UUID | None
    shared_by: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="shared_resources", null=True, on_delete=fields.SET_NULL
    )
    shared_by_id: UUID | None
    shared_at: datetime = Instant()

    class Meta:
        app = "casewire"
        table = "shared_resource"
        constraints = [
            CheckConstraint(check="(url IS NULL) <> (article_id IS NULL)", name="shared_resource_is_one_thing")
        ]
        indexes = [
            Index(fields=("ticket_id", "shared_at", "id"), name="shared_resource_ticket"),
            Index(fields=("article_id",), name="shared_resource_article"),
            Index(fields=("shared_by_id",), name="shared_resource_sharer"),
        ]

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        return of_visible_ticket(cls, viewer)
