"""Who is on a ticket and who is told of it: following, sharing, contacts, claiming."""

from typing import Annotated, Any, cast

import strawberry
from strawberry import ID, Info

import models
from domain import policy
from engine.declare import PLAN, Listed
from resolvers import followers, requesters, sharing
from schema.access import signed_in
from schema.followers import TicketFollower
from schema.inputs import CLIENT_MUTATION_ID
from schema.node import key_of, key_or_none, keys_or_none
from schema.operations import GIVEN, mutation, shown, ticket_key
from schema.paging import After, Before, Connection, First, Last, page_args
from schema.payloads import Payload, made
from schema.scalars import EmailAddress
from schema.ticket import Ticket, TicketParticipant

# --- what is given


@strawberry.input(description="A ticket to follow.")
class TicketFollowInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="A ticket to follow no longer.")
class TicketUnfollowInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="Who is to follow a ticket: people, addresses or both; at most 50.")
class TicketFollowersAddInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    user_ids: list[ID] | None = strawberry.field(
        description="People who may see the ticket and whose role does more than read.", default=None
    )
    emails: list[EmailAddress] | None = strawberry.field(
        description="Addresses that get e-mail and nothing else.", default=None
    )
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="Followers to take off a ticket.")
class TicketFollowersRemoveInput:
    follower_ids: list[ID] = strawberry.field(description="The followers, all of one ticket; at most 50.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="Who is to see a ticket.")
class TicketShareInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    user_ids: list[ID] = strawberry.field(description="People of its organization; at most 50.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="A contact for a ticket.")
class TicketContactAddInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    user_id: ID = strawberry.field(description="A person of its organization.")
    include_in_email_thread: bool | None = strawberry.field(
        description="Whether the person gets its e-mails.", default=True
    )
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="A participant to take off a ticket.")
class TicketParticipantRemoveInput:
    participant_id: ID = strawberry.field(description="The participant.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="A ticket without a requester that is yours.")
class TicketClaimInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="Who opened a ticket.")
class TicketSetRequesterInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    user_id: ID | None = strawberry.field(
        description="A person of its organization; null: nobody is known.", default=None
    )
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="Whether customers may write on a ticket.")
class TicketLockInput:
    ticket_id: ID = strawberry.field(description="The ticket.")
    locked: bool = strawberry.field(description="True stops what customers write; false lets them write again.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


# --- what is answered


@strawberry.type(description="The ticket followed.")
class TicketFollowPayload(Payload):
    follower: TicketFollower | None = made("You, as a follower")
    ticket: Ticket | None = made("The ticket")


@strawberry.type(description="The ticket that is followed no longer.")
class TicketUnfollowPayload(Payload):
    ticket: Ticket | None = made("The ticket")


@strawberry.type(description="The followers added.")
class TicketFollowersAddPayload(Payload):
    followers: list[TicketFollower] | None = made("Whoever was named, also who followed before")


@strawberry.type(description="The followers taken off.")
class TicketFollowersRemovePayload(Payload):
    ticket: Ticket | None = made("Their ticket")


@strawberry.type(description="The ticket shared.")
class TicketSharePayload(Payload):
    participants: list[TicketParticipant] | None = made("Whoever was named, also who was on it before")


@strawberry.type(description="The contact added.")
class TicketContactAddPayload(Payload):
    participant: TicketParticipant | None = made("The contact")


@strawberry.type(description="The participant taken off.")
class TicketParticipantRemovePayload(Payload):
    ticket: Ticket | None = made("The ticket")


@strawberry.type(description="The ticket claimed.")
class TicketClaimPayload(Payload):
    ticket: Ticket | None = made("The ticket, now yours")


@strawberry.type(description="The requester set.")
class TicketSetRequesterPayload(Payload):
    ticket: Ticket | None = made("The ticket")


@strawberry.type(description="Replies stopped or allowed again.")
class TicketLockPayload(Payload):
    ticket: Ticket | None = made("The ticket")


# --- operations


@strawberry.type
class TicketPeopleQueries:
    @strawberry.field(
        description="The tickets of an organization that nobody is known to have opened, open and closed.",
        directives=signed_in(policy.SEE_UNCLAIMED),
        metadata={PLAN: Listed(models.Ticket)},
    )
    def unclaimed_tickets(
        self,
        info: Info,
        organization_id: Annotated[ID, strawberry.argument(description="Whose tickets.")],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Ticket] | None:
        return requesters.list_unclaimed(  # type: ignore[return-value]
            info.context,
            key_of(organization_id, "Organization", field="organizationId"),
            page_args(first, after, last, before),
        )


@strawberry.type
class TicketPeopleMutations:
    @mutation("Follow a ticket: be told of its changes.", policy.FOLLOW_TICKET)
    async def ticket_follow(self, info: Info, input: Annotated[TicketFollowInput, GIVEN]) -> TicketFollowPayload:
        follower, ticket = await followers.follow_ticket(info.context, ticket_key(input.ticket_id))
        return TicketFollowPayload(follower=cast(Any, follower), ticket=await shown(info, ticket))

    @mutation("Follow a ticket no longer.", policy.UNFOLLOW_TICKET)
    async def ticket_unfollow(self, info: Info, input: Annotated[TicketUnfollowInput, GIVEN]) -> TicketUnfollowPayload:
        ticket = await followers.unfollow_ticket(info.context, ticket_key(input.ticket_id))
        return TicketUnfollowPayload(ticket=await shown(info, ticket))

    @mutation("Have colleagues and e-mail addresses follow a ticket. It opens nothing to them.", policy.FOLLOW_TICKET)
    async def ticket_followers_add(
        self, info: Info, input: Annotated[TicketFollowersAddInput, GIVEN]
    ) -> TicketFollowersAddPayload:
        added = await followers.add_followers(
            info.context,
            ticket_key(input.ticket_id),
            user_ids=keys_or_none(input.user_ids, "User", field="userIds") or (),
            emails=input.emails or (),
        )
        return TicketFollowersAddPayload(followers=cast(Any, added))

    @mutation("Take followers off a ticket.", policy.FOLLOW_TICKET)
    async def ticket_followers_remove(
        self, info: Info, input: Annotated[TicketFollowersRemoveInput, GIVEN]
    ) -> TicketFollowersRemovePayload:
        ids = keys_or_none(input.follower_ids, "TicketFollower", field="followerIds") or []
        ticket = await followers.remove_followers(info.context, ids)
        return TicketFollowersRemovePayload(ticket=await shown(info, ticket))

    @mutation("Put colleagues on a ticket: from then on they see it.", policy.SHARE_TICKET)
    async def ticket_share(self, info: Info, input: Annotated[TicketShareInput, GIVEN]) -> TicketSharePayload:
        participants = await sharing.share_ticket(
            info.context,
            ticket_key(input.ticket_id),
            user_ids=keys_or_none(input.user_ids, "User", field="userIds") or [],
        )
        return TicketSharePayload(participants=cast(Any, participants))

    @mutation("Add a contact to a ticket and to its e-mail thread.", policy.ADD_CONTACT)
    async def ticket_contact_add(
        self, info: Info, input: Annotated[TicketContactAddInput, GIVEN]
    ) -> TicketContactAddPayload:
        contact = await sharing.add_contact(
            info.context,
            ticket_key(input.ticket_id),
            user_id=key_of(input.user_id, "User", field="userId"),
            in_email_thread=input.include_in_email_thread is not False,
        )
        return TicketContactAddPayload(participant=cast(Any, contact))

    @mutation("Take somebody off a ticket.", policy.REMOVE_PARTICIPANT)
    async def ticket_participant_remove(
        self, info: Info, input: Annotated[TicketParticipantRemoveInput, GIVEN]
    ) -> TicketParticipantRemovePayload:
        key = key_of(input.participant_id, "TicketParticipant", field="participantId")
        ticket = await sharing.remove_participant(info.context, key)
        return TicketParticipantRemovePayload(ticket=await shown(info, ticket))

    @mutation("Become the requester of a ticket that has none.", policy.CLAIM_TICKET)
    async def ticket_claim(self, info: Info, input: Annotated[TicketClaimInput, GIVEN]) -> TicketClaimPayload:
        ticket = await requesters.claim_ticket(info.context, ticket_key(input.ticket_id))
        return TicketClaimPayload(ticket=await shown(info, ticket))

    @mutation("Say who opened a ticket, or that nobody is known.", policy.SET_REQUESTER)
    async def ticket_set_requester(
        self, info: Info, input: Annotated[TicketSetRequesterInput, GIVEN]
    ) -> TicketSetRequesterPayload:
        ticket = await requesters.set_requester(
            info.context, ticket_key(input.ticket_id), key_or_none(input.user_id, "User", field="userId")
        )
        return TicketSetRequesterPayload(ticket=await shown(info, ticket))

    @mutation("Stop what customers write on a ticket, or let them write again.", policy.LOCK_TICKET)
    async def ticket_lock(self, info: Info, input: Annotated[TicketLockInput, GIVEN]) -> TicketLockPayload:
        ticket = await requesters.lock_replies(info.context, ticket_key(input.ticket_id), locked=input.locked)
        return TicketLockPayload(ticket=await shown(info, ticket))
