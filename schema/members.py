"""Inviting people into an organization, giving them roles, and removing them."""

from typing import Annotated, Any, cast

import strawberry
from strawberry import ID, Info

import models
from domain import policy
from domain.enums import OrganizationRole
from resolvers import members
from resolvers.reading import found
from schema.inputs import CLIENT_MUTATION_ID
from schema.node import key_of
from schema.operations import GIVEN, mutation
from schema.payloads import Payload, made
from schema.people import Organization, OrganizationMembership
from schema.scalars import EmailAddress


@strawberry.input(description="Whom to make a member of an organization.")
class OrganizationMemberInviteInput:
    organization_id: ID = strawberry.field(description="The organization.")
    email: EmailAddress = strawberry.field(
        description="The person's address. One that nobody has becomes an account without a password."
    )
    role: OrganizationRole = strawberry.field(description="What the member may do there.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="What role to give to a member.")
class OrganizationMemberSetRoleInput:
    membership_id: ID = strawberry.field(description="The membership.")
    role: OrganizationRole = strawberry.field(description="What the member may do from now on.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="Whom to remove from an organization.")
class OrganizationMemberRemoveInput:
    membership_id: ID = strawberry.field(description="The membership.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.type(description="The member invited.")
class OrganizationMemberInvitePayload(Payload):
    membership: OrganizationMembership | None = made("The new membership")


@strawberry.type(description="The role given.")
class OrganizationMemberSetRolePayload(Payload):
    membership: OrganizationMembership | None = made("The membership")


@strawberry.type(description="The member removed.")
class OrganizationMemberRemovePayload(Payload):
    organization: Organization | None = strawberry.field(
        description="The organization; null where it was refused, and for who has left it.", default=None
    )


@strawberry.type
class MemberMutations:
    @mutation("Make somebody a member of an organization.", policy.MANAGE_MEMBERS)
    async def organization_member_invite(
        self, info: Info, input: Annotated[OrganizationMemberInviteInput, GIVEN]
    ) -> OrganizationMemberInvitePayload:
        organization = key_of(input.organization_id, "Organization", field="organizationId")
        membership = await members.invite_member(info.context, organization, email=input.email, role=input.role)
        return OrganizationMemberInvitePayload(membership=cast(Any, membership))

    @mutation("Give a member another role. An organization keeps an owner.", policy.MANAGE_MEMBERS)
    async def organization_member_set_role(
        self, info: Info, input: Annotated[OrganizationMemberSetRoleInput, GIVEN]
    ) -> OrganizationMemberSetRolePayload:
        membership = await members.set_role(info.context, _membership(input.membership_id), role=input.role)
        return OrganizationMemberSetRolePayload(membership=cast(Any, membership))

    @mutation("Remove a member, who loses the organization's tickets at once.", policy.MANAGE_MEMBERS)
    async def organization_member_remove(
        self, info: Info, input: Annotated[OrganizationMemberRemoveInput, GIVEN]
    ) -> OrganizationMemberRemovePayload:
        organization = await members.remove_member(info.context, _membership(input.membership_id))
        row = await found(info.context, models.Organization, organization)
        return OrganizationMemberRemovePayload(organization=cast(Any, row))


def _membership(given: str) -> Any:
    return key_of(given, "OrganizationMembership", field="membershipId")
