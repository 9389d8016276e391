"""Who is told of a ticket's changes without taking part in it (S83-S85)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.expressions import Q, Subquery
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint

from domain.enums import FollowerKind
from domain.policy import Facts, OrganizationFacts, Viewer
from models.base import BaseModel, Choice, Instant
from models.people import Organization, User
from models.tickets import Ticket, of_visible_ticket


class Follower(BaseModel):
    """A person, or an e-mail address without an account. Following gives no access: `Ticket.seen_by` does not ask it.

    `organization` is the ticket's, copied so that the guard of an address needs no other row.
    """

    ticket: fields.ForeignKeyRelation[Ticket] = fields.ForeignKeyField(
        "casewire.Ticket", related_name="followers", on_delete=fields.CASCADE
    )
    ticket_id: UUID
    organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "casewire.Organization", related_name="followers", on_delete=fields.RESTRICT
    )
    organization_id: UUID
    user: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="following", null=True, on_delete=fields.CASCADE
    )
    user_id: UUID | None
    email = fields.CharField(254, null=True, description="lower case")
    added_by: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="added_followers", null=True, on_delete=fields.SET_NULL
    )
    added_by_id: UUID | None
    kind: FollowerKind = Choice(FollowerKind, max_length=24)
    followed_at: datetime = Instant()

    class Meta:
        app = "casewire"
        table = "follower"
        constraints = [
            CheckConstraint(
                check="(kind = 'INTERNAL' AND user_id IS NOT NULL AND email IS NULL) OR "
                "(kind = 'EXTERNAL_EMAIL_ONLY' AND user_id IS NULL AND email IS NOT NULL)",
                name="follower_person_or_address",
            ),
        ]
        unique_together = (("ticket", "user"), ("ticket", "email"))
        indexes = [
            Index(fields=("user_id", "ticket_id"), name="follower_user"),
            Index(fields=("ticket_id", "followed_at", "id"), name="follower_by_followed"),
        ]

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        return of_visible_ticket(cls, viewer)

    fact_columns = ("organization_id",)

    @classmethod
    async def facts_by_columns(cls, keys: set[tuple[Any, ...]], viewer: Viewer, read: Any) -> dict[Any, Facts]:
        return {key: OrganizationFacts(UUID(key[0])) for key in keys}

    def facts(self) -> OrganizationFacts:
        """Whoever sees the row may read the ticket; its address is a matter of the organization's managers."""
        return OrganizationFacts(self.organization_id)


def followed_by(user_ids: Sequence[UUID]) -> Subquery:
    """The ids of the tickets that one of these people follows."""
    return Subquery(Follower.filter(user_id__in=list(user_ids)).values("ticket_id"))
