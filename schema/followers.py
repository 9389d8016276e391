"""Who is told of a ticket's changes without taking part in it."""

from datetime import datetime

import strawberry

import models
from domain import policy
from domain.enums import FollowerKind
from schema.access import guarded
from schema.node import Node, entity
from schema.people import Actor, User, actor_of
from schema.relations import to_one
from schema.scalars import EmailAddress


@entity(
    models.Follower,
    description="Somebody who is told of a ticket's changes. Following opens nothing: a person could read the ticket "
    "before, and an e-mail address has no account and sees nothing.",
)
class TicketFollower(Node):
    kind: FollowerKind = strawberry.field(description="A person, or an e-mail address.")
    user: User | None = to_one("user", "The person; null for an e-mail address.", implied=True)
    email: EmailAddress | None = strawberry.field(
        description="The address; null for a person.", directives=guarded(policy.SEE_FOLLOWER_EMAIL)
    )
    added_by: Actor | None = actor_of("Who added the follower.", "added_by_id")
    followed_at: datetime = strawberry.field(description="Since when.")
