"""What support has shared on a ticket."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import lazy

import models
from schema.node import Node, entity
from schema.people import Actor, actor_of
from schema.relations import to_one
from schema.scalars import URL

if TYPE_CHECKING:
    from schema.knowledge import KnowledgeArticle


@entity(models.SharedResource, description="A link that support has shared on a ticket: to the web, or to an article.")
class SharedResource(Node):
    title: str = strawberry.field(description="What it is, as support wrote it.")
    url: URL | None = strawberry.field(description="The address; null where an article is shared.")
    article: Annotated["KnowledgeArticle", lazy("schema.knowledge")] | None = to_one(
        "article", "The article; null where an address is shared, and once the article is for support alone."
    )
    shared_by: Actor | None = actor_of("Who shared it; null once the account is gone.", "shared_by_id")
    shared_at: datetime = strawberry.field(description="When.")
