"""Articles of the knowledge base."""

from datetime import datetime
from typing import Annotated, Any, cast

import strawberry
from strawberry import ID, Info

import models
from domain import policy
from domain.enums import Visibility
from engine.declare import PLAN
from resolvers import knowledge
from schema.access import signed_in
from schema.inputs import CLIENT_MUTATION_ID
from schema.node import Node, entity, key_of, key_or_none, sought_key
from schema.operations import GIVEN, by_id, mutation
from schema.payloads import Payload, made
from schema.scalars import Locale, Markdown


@entity(models.KnowledgeArticle, description="Something that support has written down.")
class KnowledgeArticle(Node):
    title: str = strawberry.field(description="Its title.")
    body: Markdown = strawberry.field(description="What it says.")
    locale: Locale = strawberry.field(description="The language it is written in.")
    visibility: Visibility = strawberry.field(description="INTERNAL is for support staff alone.")
    helpful_count: int = strawberry.field(description="How many people say that it helped.")
    updated_at: datetime = strawberry.field(description="When it was last written.")


@strawberry.input(description="An article to be written.")
class KnowledgeArticleSaveInput:
    article_id: ID | None = strawberry.field(description="The one to write anew; null for a new one.", default=None)
    title: str = strawberry.field(description="Its title; at most 300 characters.")
    body: Markdown = strawberry.field(description="What it says; at most 64,000 characters.")
    locale: Locale = strawberry.field(description="The language it is written in.")
    visibility: Visibility = strawberry.field(description="For everybody, or for support staff alone.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="What somebody thinks of an article.")
class KnowledgeArticleRateInput:
    article_id: ID = strawberry.field(description="The article.")
    helpful: bool = strawberry.field(description="Whether it helped. The last word counts.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.type(description="The article written.")
class KnowledgeArticleSavePayload(Payload):
    article: KnowledgeArticle | None = made("The article")


@strawberry.type(description="The article rated.")
class KnowledgeArticleRatePayload(Payload):
    article: KnowledgeArticle | None = made("The article")


@strawberry.type
class KnowledgeQueries:
    @strawberry.field(
        description="An article that you may read.",
        directives=signed_in(),
        metadata={PLAN: by_id(models.KnowledgeArticle, "KnowledgeArticle")},
    )
    async def knowledge_article(
        self, info: Info, id: Annotated[ID, strawberry.argument(description="Its id.")]
    ) -> KnowledgeArticle | None:
        return await knowledge.get_article(info.context, sought_key(id, "KnowledgeArticle"))  # type: ignore[return-value]


@strawberry.type
class KnowledgeMutations:
    @mutation("Write an article, or write one anew.", policy.SAVE_ARTICLE)
    async def knowledge_article_save(
        self, info: Info, input: Annotated[KnowledgeArticleSaveInput, GIVEN]
    ) -> KnowledgeArticleSavePayload:
        article = await knowledge.save_article(
            info.context,
            key_or_none(input.article_id, "KnowledgeArticle", field="articleId"),
            title=input.title,
            body=input.body,
            language=input.locale,
            visibility=input.visibility,
        )
        return KnowledgeArticleSavePayload(article=cast(Any, article))

    @mutation("Say whether an article helped you.", policy.RATE_ARTICLE)
    async def knowledge_article_rate(
        self, info: Info, input: Annotated[KnowledgeArticleRateInput, GIVEN]
    ) -> KnowledgeArticleRatePayload:
        key = key_of(input.article_id, "KnowledgeArticle", field="articleId")
        article = await knowledge.rate_article(info.context, key, helpful=input.helpful)
        return KnowledgeArticleRatePayload(article=cast(Any, article))
