"""What support has written down for everybody, or for itself."""

from datetime import datetime
from uuid import UUID

from tortoise import fields
from tortoise.expressions import Q
from tortoise.indexes import Index

from domain.enums import Visibility
from domain.policy import Viewer, sees_internal
from models.base import BaseModel, Choice, Instant, nothing
from models.people import User


class KnowledgeArticle(BaseModel):
    title = fields.CharField(300)
    body = fields.TextField()
    locale = fields.CharField(16)
    visibility: Visibility = Choice(Visibility, max_length=12)
    helpful_count = fields.IntField(default=0)
    created_at: datetime = Instant()
    updated_at: datetime = Instant()

    class Meta:
        app = "casewire"
        table = "knowledge_article"

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        if sees_internal(viewer):
            return Q()
        return Q(visibility=Visibility.PUBLIC) if viewer.is_authenticated else nothing()


class KnowledgeRating(BaseModel):
    """Whether an article helped somebody; each person says so once, and may change their mind."""

    article: fields.ForeignKeyRelation[KnowledgeArticle] = fields.ForeignKeyField(
        "casewire.KnowledgeArticle", related_name="ratings", on_delete=fields.CASCADE
    )
    article_id: UUID
    user: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="knowledge_ratings", on_delete=fields.CASCADE
    )
    user_id: UUID
    helpful = fields.BooleanField()
    rated_at: datetime = Instant()

    class Meta:
        app = "casewire"
        table = "knowledge_rating"
        unique_together = (("article", "user"),)
        indexes = [Index(fields=("user_id",), name="knowledge_rating_user")]
