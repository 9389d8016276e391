"""Articles of the knowledge base: read, written by support, and rated by whoever reads them."""

from uuid import UUID

from domain import policy
from domain.enums import Visibility
from domain.errors import NotFound
from domain.naming import line, locale, text
from domain.policy import UserFacts
from models import KnowledgeArticle, KnowledgeRating
from resolvers.context import Context
from resolvers.reading import found
from resolvers.transaction import Work, unit_of_work


async def get_article(ctx: Context, article_id: UUID) -> KnowledgeArticle | None:
    policy.check_authenticated(ctx.viewer)
    return await found(ctx, KnowledgeArticle, article_id)


@unit_of_work
async def save_article(
    work: Work,
    ctx: Context,
    article_id: UUID | None,
    *,
    title: str,
    body: str,
    language: str,
    visibility: Visibility,
) -> KnowledgeArticle:
    """Write an article, or write one anew.

    Raises:
        Unauthenticated, Forbidden: only support writes articles.
        NotFound: there is no such article.
        Required, Invalid: a text or the language cannot be stored.
    """
    policy.check(ctx.viewer, policy.SAVE_ARTICLE, None, "Only support writes articles.")
    article = KnowledgeArticle(created_at=work.now)
    if article_id:
        earlier = await KnowledgeArticle.select_for_update().get_or_none(id=article_id)
        if earlier is None:
            raise NotFound("article", field=("articleId",))
        article = earlier
    article.title, article.body = line(title, field="title"), text(body, field="body")
    article.locale, article.visibility = locale(language, field="locale"), visibility
    article.updated_at = work.now
    await article.save()
    return article


@unit_of_work
async def rate_article(work: Work, ctx: Context, article_id: UUID, *, helpful: bool) -> KnowledgeArticle:
    """Say whether an article helped; the last word of each person counts, once.

    Raises:
        Unauthenticated: nobody is signed in.
        NotFound: there is no such article that the viewer may see.
    """
    policy.check(ctx.viewer, policy.RATE_ARTICLE, UserFacts(ctx.user_id))
    visible = KnowledgeArticle.filter(KnowledgeArticle.seen_by(ctx.viewer))
    article = await visible.select_for_update().get_or_none(id=article_id)
    if article is None:
        raise NotFound("article", field=("articleId",))
    await KnowledgeRating.update_or_create(
        article_id=article.id, user_id=ctx.user_id, defaults={"helpful": helpful, "rated_at": work.now}
    )
    article.helpful_count = await KnowledgeRating.filter(article_id=article.id, helpful=True).count()
    await article.save()
    return article
