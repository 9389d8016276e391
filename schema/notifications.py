"""What a person is told of."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Any, cast

import strawberry
from strawberry import ID, Info, Parent

import models
from domain import policy
from domain.enums import ChangeType
from realtime.hub import CaughtUp, Reset
from resolvers import notifications
from schema.access import signed_in
from schema.inputs import CLIENT_MUTATION_ID
from schema.node import Node, entity, keys_or_none
from schema.operations import GIVEN, mutation
from schema.payloads import Payload, made
from schema.relations import to_one
from schema.scalars import Cursor
from schema.streams import Since, StreamCaughtUp, StreamReset, marker, place
from schema.ticket import Ticket


@entity(models.Notification, description="Something that you are told of.")
class Notification(Node):
    ticket: Ticket | None = to_one("ticket", "The ticket it is about.")
    kind: str = strawberry.field(description="What happened, for programs: `ASSIGNED`, `REPLIED`, `RESOLVED`, …")
    created_at: datetime = strawberry.field(description="When you were told.")
    read_at: datetime | None = strawberry.field(description="When you read it; null until then.")

    @strawberry.field(description="What happened, in words.")
    @staticmethod
    async def text(root: Parent[models.Notification], info: Info) -> str:
        return await notifications.text_for(info.context, root)


@strawberry.type(description="You are told of something, or have read it.")
class NotificationChange:
    change_type: ChangeType = strawberry.field(description="ADDED: it is new. UPDATED: it was read.")
    cursor: Cursor = strawberry.field(description="The place of this event: keep it, and resume after it.")
    notification: Notification | None = strawberry.field(
        description="The notification; null where several were read at once: load the list again."
    )
    unread_count: int = strawberry.field(description="How many you have not read.")


NotificationStreamItem = Annotated[
    NotificationChange | StreamCaughtUp | StreamReset,
    strawberry.union("NotificationStreamItem", description="What the stream of your notifications brings."),
]


@strawberry.input(description="What you have read: some notifications, or all.")
class NotificationMarkReadInput:
    notification_ids: list[ID] | None = strawberry.field(description="These; at most 100.", default=None)
    all: bool | None = strawberry.field(description="All of them.", default=None)
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.type(description="The notifications read.")
class NotificationMarkReadPayload(Payload):
    unread_count: int | None = made("How many are left unread")


@strawberry.type
class NotificationMutations:
    @mutation("Mark notifications as read.", policy.OWN_NOTIFICATIONS)
    async def notification_mark_read(
        self, info: Info, input: Annotated[NotificationMarkReadInput, GIVEN]
    ) -> NotificationMarkReadPayload:
        ids = keys_or_none(input.notification_ids, "Notification", field="notificationIds")
        unread = await notifications.mark_notifications_read(info.context, ids, all_of_them=bool(input.all))
        return NotificationMarkReadPayload(unread_count=unread)


@strawberry.type
class NotificationSubscriptions:
    @strawberry.subscription(description="What you are told of, as it happens.", directives=signed_in())
    async def notifications(self, info: Info, after: Since = None) -> AsyncGenerator[NotificationStreamItem, None]:
        async with aclosing(notifications.watch_notifications(info.context, after=place(after))) as steps:
            async for step in steps:
                if isinstance(step, CaughtUp | Reset):
                    yield marker(step)
                else:
                    yield NotificationChange(
                        change_type=step.change_type,
                        cursor=Cursor(str(step.cursor)),
                        notification=cast(Any, step.notification),
                        unread_count=step.unread_count,
                    )
