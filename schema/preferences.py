"""Where somebody is told of things, and of which tickets not."""

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Info, Parent, lazy

import models
from domain.enums import NotificationChannel
from resolvers import notification_preferences as preferences
from schema.paging import After, Connection, First, page_args
from schema.relations import derived

if TYPE_CHECKING:
    from schema.ticket import Ticket


@strawberry.type(
    description="Where you are told of things, and of which tickets not. Being given a ticket and being made a member "
    "of an organization is always told in the application."
)
class NotificationPreferences:
    channels: list[NotificationChannel] = derived(
        ("notify_in_app", "notify_by_email"), preferences.channels_of, "Where you are told of things."
    )
    digest: bool = derived(
        "email_digest",
        bool,
        "Whether one e-mail a day is to tell of everything. Kept for when the desk sends e-mails; it sends none yet.",
    )

    @strawberry.field(description="The tickets that you are told nothing of, those with the newest activity first.")
    @staticmethod
    def muted_tickets(
        root: Parent[models.User], info: Info, first: First = None, after: After = None
    ) -> Connection[Annotated["Ticket", lazy("schema.ticket")]]:
        return preferences.list_muted_tickets(info.context, root.id, page_args(first, after))  # type: ignore[return-value]
