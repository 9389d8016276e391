"""Sharing links with the customer on a ticket (S44)."""

from typing import Any
from uuid import UUID

from domain import lifecycle, policy
from domain.addresses import web_address
from domain.enums import Visibility
from domain.errors import Conflict, Duplicate, Invalid, NotFound
from domain.naming import line
from models import KnowledgeArticle, SharedResource, Ticket
from resolvers import timeline
from resolvers.context import Context
from resolvers.tickets import lock_ticket
from resolvers.transaction import Work, unit_of_work


@unit_of_work
async def share_resource(
    work: Work, ctx: Context, ticket_id: UUID, *, title: str, url: str | None = None, article_id: UUID | None = None
) -> SharedResource:
    """Share an address on the web, or an article, with everybody on the ticket. The same again does nothing.

    Raises:
        NotFound, Forbidden: as for every change of a ticket; or there is no such article.
        TicketClosed: closed is final.
        Required, Invalid: the title or the address cannot be used, or not one of address and article is given.
        Conflict: the article is for support alone.
        Duplicate: it is shared on the ticket already, under another title.

    Source: S44.
    """
    ticket, facts = await lock_ticket(ctx, ticket_id)
    policy.check(ctx.viewer, policy.SHARE_RESOURCE, facts, "Only support staff share links on a ticket.")
    lifecycle.check_not_closed(ticket.status)
    if (url is None) == (article_id is None):
        raise Invalid("Give `url` or `articleId`, one of the two.", field=("url",))
    named = line(title, field="title")
    what: dict[str, Any] = {
        "url": web_address(url, field="url") if url is not None else None,
        "article_id": await _shareable(article_id) if article_id is not None else None,
    }
    earlier = await _shared_before(ticket, what, named)
    if earlier is not None:
        return earlier
    resource = await SharedResource.create(
        ticket_id=ticket.id, title=named, shared_by_id=ctx.user_id, shared_at=work.now, **what
    )
    await timeline.share_resource(work, ctx, ticket, resource)
    await ticket.save()
    return resource


async def _shareable(article_id: UUID) -> UUID:
    article = await KnowledgeArticle.get_or_none(id=article_id)
    if article is None:
        raise NotFound("article", field=("articleId",))
    if article.visibility is not Visibility.PUBLIC:
        raise Conflict(
            "This article is for support alone. Make it public first, or share another.", field=("articleId",)
        )
    return article.id


async def _shared_before(ticket: Ticket, what: dict[str, Any], title: str) -> SharedResource | None:
    earlier = await SharedResource.get_or_none(ticket_id=ticket.id, **what)
    if earlier is not None and earlier.title != title:
        raise Duplicate("This is shared on the ticket already, as “{title}”.", field=("title",), title=earlier.title)
    return earlier
