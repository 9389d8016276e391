"""Whom a note mentions."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from models.base import BaseModel
from models.conversation import Message
from models.people import User


class Mention(BaseModel):
    message: fields.ForeignKeyRelation[Message] = fields.ForeignKeyField(
        "casewire.Message", related_name="mentions", on_delete=fields.CASCADE
    )
    message_id: UUID
    user: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="mentions", on_delete=fields.CASCADE
    )
    user_id: UUID
    place = fields.SmallIntField(description="0, 1, 2 … in the order they were named")

    class Meta:
        app = "casewire"
        table = "mention"
        unique_together = (("message", "user"),)
        indexes = [Index(fields=("user_id",), name="mention_user")]
