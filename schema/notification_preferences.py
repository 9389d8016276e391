"""Choosing where you are told of things, and of which tickets not."""

from typing import Annotated, Any, cast

import strawberry
from strawberry import ID, Info

from domain import policy
from domain.enums import NotificationChannel
from resolvers import notification_preferences as preferences
from schema.inputs import CLIENT_MUTATION_ID
from schema.node import keys_or_none
from schema.operations import GIVEN, mutation
from schema.payloads import Payload, made
from schema.preferences import NotificationPreferences


@strawberry.input(description="What is to change; what is left out stays as it is.")
class NotificationPreferencesUpdateInput:
    channels: list[NotificationChannel] | None = strawberry.field(
        description="Where you want to be told of things, all of them; none: nowhere.", default=None
    )
    mute_ticket_ids: list[ID] | None = strawberry.field(
        description="Tell me nothing more of these tickets; at most 100.", default=None
    )
    unmute_ticket_ids: list[ID] | None = strawberry.field(
        description="Tell me of these tickets again; at most 100.", default=None
    )
    digest: bool | None = strawberry.field(
        description="One e-mail a day instead of one for each; kept for when the desk sends e-mails.", default=None
    )
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.type(description="The preferences changed.")
class NotificationPreferencesUpdatePayload(Payload):
    preferences: NotificationPreferences | None = made("Your preferences as they are now")


@strawberry.type
class NotificationPreferencesMutations:
    @mutation("Change where you are told of things, and mute tickets.", policy.OWN_PREFERENCES)
    async def notification_preferences_update(
        self, info: Info, input: Annotated[NotificationPreferencesUpdateInput, GIVEN]
    ) -> NotificationPreferencesUpdatePayload:
        changed = await preferences.update_preferences(
            info.context,
            channels=input.channels,
            digest=input.digest,
            mute_ids=keys_or_none(input.mute_ticket_ids, "Ticket", field="muteTicketIds") or (),
            unmute_ids=keys_or_none(input.unmute_ticket_ids, "Ticket", field="unmuteTicketIds") or (),
        )
        return NotificationPreferencesUpdatePayload(preferences=cast(Any, changed))
