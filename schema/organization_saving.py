"""Entering organizations, and what they choose: who sees what, and for how long a ticket waits."""

from datetime import date
from typing import Annotated, Any, cast

import strawberry
from strawberry import ID, UNSET, Info

from domain import policy
from domain.enums import HistoryAvailability, LifecyclePreset, MemberVisibility
from resolvers import organizations
from schema.inputs import CLIENT_MUTATION_ID
from schema.node import key_or_none
from schema.operations import GIVEN, key_or_left_out, mutation, or_left_out
from schema.payloads import Payload, made
from schema.people import Organization


@strawberry.input(description="An organization to be entered or changed. What is left out stays as it is.")
class OrganizationSaveInput:
    organization_id: ID | None = strawberry.field(description="The one to change; a new one if left out.", default=None)
    expected_version: int | None = strawberry.field(
        description="The version that you read: refused with STALE_VERSION if it has changed since.", default=None
    )
    name: str = strawberry.field(description="Its name; no two have the same.")
    domains: list[str] | None = strawberry.field(
        description="The e-mail domains of its people, like example.com; at most 100.", default=None
    )
    member_visibility: MemberVisibility | None = strawberry.field(
        description="Whether its ordinary members see each other's requests; OPEN in a new one.", default=None
    )
    lifecycle_preset: LifecyclePreset | None = strawberry.field(
        description="How long its tickets wait for whom; WEEK in a new one. A resolved ticket goes on as it was.",
        default=None,
    )
    history_availability: HistoryAvailability | None = strawberry.field(
        description="Whether its people are shown its tickets; AVAILABLE in a new one.", default=None
    )
    history_starts_on: date | None = strawberry.field(
        name="historyStartsAt",
        description="Its people are shown no tickets filed before this day (UTC); null: all. 2019-07-15 in a new one.",
        default=UNSET,
    )
    partner_id: ID | None = strawberry.field(
        description="The organization that files requests for it as its partner; null: none, as in a new one.",
        default=UNSET,
    )
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.type(description="The organization entered or changed.")
class OrganizationSavePayload(Payload):
    organization: Organization | None = made("The organization")


@strawberry.type
class OrganizationMutations:
    @mutation(
        "Enter an organization, or change one: its members see what they may from then on, also in what they watch.",
        policy.SAVE_ORGANIZATION,
    )
    async def organization_save(
        self, info: Info, input: Annotated[OrganizationSaveInput, GIVEN]
    ) -> OrganizationSavePayload:
        saved = await organizations.save_organization(
            info.context,
            key_or_none(input.organization_id, "Organization", field="organizationId"),
            organizations.Choices(
                name=input.name,
                domains=input.domains,
                member_visibility=input.member_visibility,
                lifecycle_preset=input.lifecycle_preset,
                history_availability=input.history_availability,
                history_starts_on=or_left_out(input.history_starts_on),
                partner_id=key_or_left_out(input.partner_id, "Organization", field="partnerId"),
            ),
            expected_version=input.expected_version,
        )
        return OrganizationSavePayload(organization=cast(Any, saved))
