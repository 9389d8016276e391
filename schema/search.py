"""Search over everything, and solved problems while a subject is typed."""

from typing import Annotated

import strawberry
from strawberry import ID, Info, Parent

from domain.enums import SearchKind
from resolvers import searching, suggestions
from schema.access import signed_in
from schema.knowledge import KnowledgeArticle
from schema.node import Node, key_or_none
from schema.paging import After, Connection, First, page_args
from schema.scalars import Locale
from schema.ticket import Ticket


@strawberry.type(description="Something that a search found.")
class SearchHit:
    kind: SearchKind = strawberry.field(description="What it is.")
    score: float = strawberry.field(
        description="How well it fits: 1 where its reference or serial number is the text itself, 0.6 where every word "
        "is in its title or name, 0.3 otherwise. Among equals the newest comes first."
    )

    @strawberry.field(description="The object itself.")
    @staticmethod
    def node(root: Parent[searching.Hit]) -> Node:
        return root.row  # type: ignore[return-value]

    @strawberry.field(
        description="Up to three pieces of its text around the words found, escaped for HTML, each of those words in "
        "`<mark>…</mark>`."
    )
    @staticmethod
    def highlights(root: Parent[searching.Hit]) -> list[str]:
        return root.highlights()


@strawberry.type(description="A solved problem like the one being written down.")
class SuggestedSolution:
    title: str = strawberry.field(description="The subject of the ticket, or the title of the article.")
    excerpt: str = strawberry.field(description="A piece of its text around the first word found; plain text.")
    score: float = strawberry.field(description="How alike it is, from 0 to 1.")
    article: KnowledgeArticle | None = strawberry.field(description="The article, if it is one.")
    ticket: Ticket | None = strawberry.field(description="The solved ticket, if it is one.")


@strawberry.type
class SearchQueries:
    @strawberry.field(
        description="Whatever you may see that has every one of these words, or begins with it: the best first. "
        "Case and accents do not matter, and no sign has a meaning of its own.",
        directives=signed_in(),
    )
    def search(
        self,
        info: Info,
        text: Annotated[str, strawberry.argument(description="The words; at most 200 characters.")],
        kinds: Annotated[
            list[SearchKind] | None, strawberry.argument(description="Only these kinds of things.")
        ] = None,
        organization_id: Annotated[ID | None, strawberry.argument(description="Only of this organization.")] = None,
        first: First = None,
        after: After = None,
    ) -> Connection[SearchHit]:
        return searching.search(  # type: ignore[return-value]
            info.context,
            text,
            page_args(first, after),
            kinds=kinds,
            organization_id=key_or_none(organization_id, "Organization", field="organizationId"),
        )

    @strawberry.field(
        description="Solved tickets that you may see and published articles about something alike: ask while the "
        "subject is typed.",
        directives=signed_in(),
    )
    async def suggested_solutions(
        self,
        info: Info,
        subject: Annotated[str, strawberry.argument(description="The subject as far as it is written.")],
        request_type_key: Annotated[
            str | None, strawberry.argument(description="Only tickets of this request type.")
        ] = None,
        product_id: Annotated[ID | None, strawberry.argument(description="Only tickets about this product.")] = None,
        locale: Annotated[Locale | None, strawberry.argument(description="Only in this language.")] = None,
        first: Annotated[int | None, strawberry.argument(description="At most this many, up to 20.")] = 5,
    ) -> list[SuggestedSolution]:
        return await suggestions.suggest_solutions(  # type: ignore[return-value]
            info.context,
            subject,
            request_type_key=request_type_key,
            product_id=key_or_none(product_id, "Product", field="productId"),
            locale=locale,
            first=5 if first is None else first,
        )
