"""Sharing links on a ticket."""

from typing import Annotated, Any, cast

import strawberry
from strawberry import ID, Info

from domain import policy
from resolvers import resources
from schema.inputs import CLIENT_MUTATION_ID
from schema.node import key_or_none
from schema.operations import GIVEN, mutation, ticket_key
from schema.payloads import Payload, made
from schema.scalars import URL
from schema.shared_resource import SharedResource


@strawberry.input(description="A link to share on a ticket: an address or an article.")
class TicketResourceShareInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    title: str = strawberry.field(description="What it is, in one line.")
    url: URL | None = strawberry.field(description="The address, `https://…` or `http://…`.", default=None)
    article_id: ID | None = strawberry.field(description="The article; a public one.", default=None)
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.type(description="The link shared.")
class TicketResourceSharePayload(Payload):
    resource: SharedResource | None = made("The link")


@strawberry.type
class ResourceMutations:
    @mutation("Share a link with everybody on a ticket.", policy.SHARE_RESOURCE)
    async def ticket_resource_share(
        self, info: Info, input: Annotated[TicketResourceShareInput, GIVEN]
    ) -> TicketResourceSharePayload:
        resource = await resources.share_resource(
            info.context,
            ticket_key(input.ticket_id),
            title=input.title,
            url=input.url,
            article_id=key_or_none(input.article_id, "KnowledgeArticle", field="articleId"),
        )
        return TicketResourceSharePayload(resource=cast(Any, resource))
