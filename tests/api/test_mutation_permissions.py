"""Every mutation × every kind of viewer: who may, who may not, and that a refusal leaves no trace (S96)."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from graphql import build_schema

import models
from domain.enums import DraftOrigin, EscalationStage, MemberVisibility, TicketStatus
from schema.build import sdl
from schema.node import key_of
from tests.api.world import VIEWERS, World, codes, gid, make_world, nothing_changes
from tests.conftest import AsUser
from tests.factories import (
    LONG_AGO,
    make_appointment,
    make_article,
    make_call,
    make_escalation,
    make_file,
    make_follower,
    make_member,
    make_message,
    make_participant,
    make_ticket,
)

pytestmark = pytest.mark.anyio

TABLE = """
                                          own adm req lic mem rea  aut hel  str  age lea eng chi  nob
open  ticketCreate                        +   +   +   +   +   -    +   -    .    +   +   +   +    !
own   ticketCreate                        +   +   +   +   +   -    +   -    .    +   +   +   +    !
open  ticketAssign                        -   -   -   -   -   -    -   -    -    +   +   +   +    !
own   ticketAssign                        -   -   -   -   -   -    -   -    -    +   +   +   +    !
open  ticketResolve                       +   +   +   .   -   -    +   -    .    +   +   +   +    !
own   ticketResolve                       +   +   +   .   .   -    +   -    .    +   +   +   +    !
open  ticketClose                         +   +   +   .   -   -    +   -    .    +   +   +   +    !
own   ticketClose                         +   +   +   .   .   -    +   -    .    +   +   +   +    !
open  ticketReopen                        +   +   +   .   -   -    +   -    .    +   +   +   +    !
own   ticketReopen                        +   +   +   .   .   -    +   -    .    +   +   +   +    !
open  messageSend                         +   +   +   .   -   -    +   -    .    +   +   +   +    !
own   messageSend                         +   +   +   .   .   -    +   -    .    +   +   +   +    !
open  ticketRequestReply                  -   -   -   -   -   -    -   -   -    +   +   +   +    !
own   ticketRequestReply                  -   -   -   -   -   -    -   -   -    +   +   +   +    !
open  noteAdd                             +   +   +   .   -   -    +   -    .    +   +   +   +    !
own   noteAdd                             +   +   +   .   .   -    +   -    .    +   +   +   +    !
open  typingSet                           +   +   +   .   -   -    +   -    .    +   +   +   +    !
own   typingSet                           +   +   +   .   .   -    +   -    .    +   +   +   +    !
open  presenceSet                         -   -   -   .   -   -    +   +    .    +   +   +   +    !
own   presenceSet                         -   -   -   .   .   .    +   +    .    +   +   +   +    !
open  attachmentUploadCreate              +   +   +   +   +   -    +   -    +    +   +   +   +    !
own   attachmentUploadCreate              +   +   +   +   +   -    +   -    +    +   +   +   +    !
open  attachmentDelete                    -   -   -   .   -   -    +   -    .    +   +   +   +    !
own   attachmentDelete                    -   -   -   .   .   -    +   -    .    +   +   +   +    !
open  ticketMarkRead                      +   +   +   .   +   +    +   +    .    +   +   +   +    !
own   ticketMarkRead                      +   +   +   .   .   .    +   +    .    +   +   +   +    !
open  ticketMarkUnread                    +   +   +   .   +   +    +   +    .    +   +   +   +    !
own   ticketMarkUnread                    +   +   +   .   .   .    +   +    .    +   +   +   +    !
open  certificateSave                     -   -   -   -   -   -    -   -    -    -   -   -   +    !
own   certificateSave                     -   -   -   -   -   -    -   -    -    -   -   -   +    !
open  requestTypeSave                     -   -   -   -   -   -    -   -    -    -   -   -   +    !
own   requestTypeSave                     -   -   -   -   -   -    -   -    -    -   -   -   +    !
open  notificationMarkRead                +   +   +   +   +   +    +   +    +    +   +   +   +    !
own   notificationMarkRead                +   +   +   +   +   +    +   +    +    +   +   +   +    !
open  notificationPreferencesUpdate       +   +   +   +   +   +    +   +    +    +   +   +   +    !
own   notificationPreferencesUpdate       +   +   +   +   +   +    +   +    +    +   +   +   +    !
open  organizationMemberInvite            +   +   +   -   -   -    -   -    .    -   -   -   +    !
own   organizationMemberInvite            +   +   +   -   -   -    -   -    .    -   -   -   +    !
open  organizationMemberSetRole           +   +   +   -   -   -    -   -    .    -   -   -   +    !
own   organizationMemberSetRole           +   +   +   -   -   -    -   -    .    -   -   -   +    !
open  organizationMemberRemove            +   +   +   -   -   -    -   -    .    -   -   -   +    !
own   organizationMemberRemove            +   +   +   -   -   -    -   -    .    -   -   -   +    !
open  organizationSave                    -   -   -   -   -   -    -   -    -    -   -   -   +    !
own   organizationSave                    -   -   -   -   -   -    -   -    -    -   -   -   +    !
open  roomSave                            +   +   +   -   -   -    -   -    .    -   -   -   +    !
own   roomSave                            +   +   +   -   -   -    -   -    .    -   -   -   +    !
open  deskSave                            +   +   +   -   -   -    -   -    .    -   -   -   +    !
own   deskSave                            +   +   +   -   -   -    -   -    .    -   -   -   +    !
open  spaceDelete                         +   +   +   -   -   -    -   -    .    -   -   -   +    !
own   spaceDelete                         +   +   +   -   -   -    -   -    .    -   -   -   +    !
open  spaceGroupSave                      +   +   +   -   -   -    -   -    .    -   -   -   +    !
own   spaceGroupSave                      +   +   +   -   -   -    -   -    .    -   -   -   +    !
open  deviceSave                          +   +   +   -   -   -    -   -    .    -   -   -   +    !
own   deviceSave                          +   +   +   -   -   -    -   -    .    -   -   -   +    !
open  licenseAssign                       +   -   -   +   -   -    -   -    .    -   -   -   +    !
own   licenseAssign                       +   -   -   +   -   -    -   -    .    -   -   -   +    !
open  knowledgeArticleSave                -   -   -   -   -   -    -   -    -    +   +   +   +    !
own   knowledgeArticleSave                -   -   -   -   -   -    -   -    -    +   +   +   +    !
open  knowledgeArticleRate                +   +   +   +   +   +    +   +    +    +   +   +   +    !
own   knowledgeArticleRate                +   +   +   +   +   +    +   +    +    +   +   +   +    !
open  draftSave                           +   +   +   +   +   +    +   +    +    +   +   +   +    !
own   draftSave                           +   +   +   +   +   +    +   +    +    +   +   +   +    !
open  draftDiscard                        .   .   .   .   .   .    +   .    .    .   .   .   .    !
own   draftDiscard                        .   .   .   .   .   .    +   .    .    .   .   .   .    !
open  draftSubmit                         .   .   .   .   .   .    +   .    .    .   .   .   .    !
own   draftSubmit                         .   .   .   .   .   .    +   .    .    .   .   .   .    !
open  ticketFollow                        +   +   +   .   +   -    +   -    .    +   +   +   +    !
own   ticketFollow                        +   +   +   .   .   -    +   -    .    +   +   +   +    !
open  ticketUnfollow                      +   +   +   .   +   +    +   +    .    +   +   +   +    !
own   ticketUnfollow                      +   +   +   .   .   .    +   +    .    +   +   +   +    !
open  ticketFollowersAdd                  +   +   +   .   +   -    +   -    .    +   +   +   +    !
own   ticketFollowersAdd                  +   +   +   .   .   -    +   -    .    +   +   +   +    !
open  ticketFollowersRemove               +   +   +   .   -   -    +   -    .    +   +   +   +    !
own   ticketFollowersRemove               +   +   +   .   .   -    +   -    .    +   +   +   +    !
open  ticketShare                         +   +   +   .   -   -    +   -    .    +   +   +   +    !
own   ticketShare                         +   +   +   .   .   -    +   -    .    +   +   +   +    !
open  ticketContactAdd                    -   -   -   -   -   -    -   -    -    +   -   -   -    !
own   ticketContactAdd                    -   -   -   -   -   -    -   -    -    +   -   -   -    !
open  ticketParticipantRemove             -   -   -   -   -   -    -   -    -    +   -   -   +    !
own   ticketParticipantRemove             -   -   -   -   -   -    -   -    -    +   -   -   +    !
open  ticketClaim                         +   +   +   +   +   -    +   -    .    -   -   -   -    !
own   ticketClaim                         +   +   +   +   +   -    +   -    .    -   -   -   -    !
open  ticketSetRequester                  -   -   -   -   -   -    -   -    -    +   +   +   +    !
own   ticketSetRequester                  -   -   -   -   -   -    -   -    -    +   +   +   +    !
open  ticketLock                          -   -   -   -   -   -    -   -    -    +   +   +   +    !
own   ticketLock                          -   -   -   -   -   -    -   -    -    +   +   +   +    !
open  ticketCreateLinked                  +   +   +   .   -   -    +   -    .    +   +   +   +    !
own   ticketCreateLinked                  +   +   +   .   .   -    +   -    .    +   +   +   +    !
open  ticketLink                          -   -   -   .   -   -    +   -    .    +   +   +   +    !
own   ticketLink                          -   -   -   .   .   -    +   -    .    +   +   +   +    !
open  ticketUnlink                        -   -   -   -   -   -    -   -    -    +   +   +   +    !
own   ticketUnlink                        -   -   -   -   -   -    -   -    -    +   +   +   +    !
open  ticketMerge                         -   -   -   -   -   -    -   -    -    +   +   +   +    !
own   ticketMerge                         -   -   -   -   -   -    -   -    -    +   +   +   +    !
open  ticketSplit                         -   -   -   -   -   -    -   -    -    +   +   +   +    !
own   ticketSplit                         -   -   -   -   -   -    -   -    -    +   +   +   +    !
open  feedbackSubmit                      -   -   -   .   -   -    +   -    .    -   -   -   -    !
own   feedbackSubmit                      -   -   -   .   .   -    +   -    .    -   -   -   -    !
open  ticketHold                          -   -   -   -   -   -    -   -    -    +   +   +   +    !
own   ticketHold                          -   -   -   -   -   -    -   -    -    +   +   +   +    !
open  ticketExport                        +   +   +   .   +   +    +   +    .    +   +   +   +    !
own   ticketExport                        +   +   +   .   .   .    +   +    .    +   +   +   +    !
open  ticketsExport                       +   +   +   -   -   -    -   -    +    +   +   +   +    !
own   ticketsExport                       +   +   +   -   -   -    -   -    +    +   +   +   +    !
open  ticketUpdate                        +   +   +   .   -   -    +   -    .    +   +   +   +    !
own   ticketUpdate                        +   +   +   .   .   -    +   -    .    +   +   +   +    !
open  ticketResourceShare                 -   -   -   -   -   -    -   -    -    +   +   +   +    !
own   ticketResourceShare                 -   -   -   -   -   -    -   -    -    +   +   +   +    !
open  conferenceCallSchedule              -   -   -   -   -   -    -   -    -    +   +   +   +    !
own   conferenceCallSchedule              -   -   -   -   -   -    -   -    -    +   +   +   +    !
open  conferenceCallRespond               -   -   -   .   -   -    +   -    .    +   +   +   +    !
own   conferenceCallRespond               -   -   -   .   .   -    +   -    .    +   +   +   +    !
open  appointmentSchedule                 -   -   -   .   -   -    +   -    .    +   +   +   +    !
own   appointmentSchedule                 -   -   -   .   .   -    +   -    .    +   +   +   +    !
open  appointmentCancel                   -   -   -   .   -   -    +   -    .    +   +   +   +    !
own   appointmentCancel                   -   -   -   .   .   -    +   -    .    +   +   +   +    !
open  escalationSubmit                    -   -   -   -   -   -    -   -    -    +   +   +   +    !
own   escalationSubmit                    -   -   -   -   -   -    -   -    -    +   +   +   +    !
open  escalationAdvance                   -   -   -   -   -   -    -   -    -    +   +   +   +    !
own   escalationAdvance                   -   -   -   -   -   -    -   -    -    +   +   +   +    !
open  escalationSetEstimate               -   -   -   -   -   -    -   -    -    +   +   +   +    !
own   escalationSetEstimate               -   -   -   -   -   -    -   -    -    +   +   +   +    !
open  escalationConfirmResolution         +   +   +   .   -   -    +   -    .    -   -   -   -    !
own   escalationConfirmResolution         +   +   +   .   .   -    +   -    .    -   -   -   -    !
open  escalationRejectResolution          +   +   +   .   -   -    +   -    .    -   -   -   -    !
own   escalationRejectResolution          +   +   +   .   .   -    +   -    .    -   -   -   -    !
"""
"""Whether a viewer may: `+` yes, `-` FORBIDDEN, `.` NOT_FOUND, `!` UNAUTHENTICATED.

`open` and `own` are the organization's `memberVisibility`; the author is a MEMBER, the helper, who takes part in the
ticket, is READ_ONLY. Who is READ_ONLY everywhere is refused before any ticket is looked for.
Sources: S03, S04, S06, S14, S15, S44, S55, S94, S60, S61, S70, S71, S72, S78, S83, S84.
"""

CODES = {"-": "FORBIDDEN", ".": "NOT_FOUND", "!": "UNAUTHENTICATED"}

Prepare = Callable[[World], Awaitable[dict[str, str]]]


async def organization(world: World) -> dict[str, str]:
    return {"id": gid(world.acme)}


async def open_ticket(world: World) -> dict[str, str]:
    ticket = await make_ticket(world.acme, world["author"])
    await make_participant(ticket, world["helper"])
    return {"id": gid(ticket)}


async def resolved_ticket(world: World) -> dict[str, str]:
    ticket = await make_ticket(world.acme, world["author"], status=TicketStatus.RESOLVED, resolved_at=NOW)
    await make_participant(ticket, world["helper"])
    return {"id": gid(ticket)}


async def two_tickets(world: World) -> dict[str, str]:
    return {**await open_ticket(world), "other": (await open_ticket(world))["id"]}


async def linked(world: World) -> dict[str, str]:
    source, target = [await make_ticket(world.acme, world["author"]) for _ in range(2)]
    return {"id": gid(await models.TicketLink.create(source=source, target=target, kind="RELATED_TO", created_at=NOW))}


async def with_message(world: World) -> dict[str, str]:
    ticket = await make_ticket(world.acme, world["author"])
    return {"id": gid(ticket), "message": gid(await make_message(ticket, world["author"]))}


async def authors_file(world: World) -> dict[str, str]:
    ticket = await make_ticket(world.acme, world["author"])
    message = await make_message(ticket, world["author"])
    file = await make_file(world["author"], message=message, ticket=ticket, visibility=message.visibility)
    return {"id": gid(file)}


async def certificate(world: World) -> dict[str, str]:
    row = await models.ServiceCertificate.get(number="C-1")
    return {"id": gid(row), "organization": gid(world.acme)}


async def request_type(world: World) -> dict[str, str]:
    return {"id": f"SupportProject_{world.request_type.project_id}"}


async def newcomer(world: World) -> dict[str, str]:
    await models.User.filter(email="new@example.com").delete()
    return {"id": gid(world.acme)}


async def place(world: World) -> dict[str, str]:
    space = await models.Space.create(organization=world.acme, kind=models.SpaceKind.ROOM, name="Oslo")
    return {"id": gid(space), "organization": gid(world.acme)}


async def only_place(world: World) -> dict[str, str]:
    return {"id": (await place(world))["id"]}


async def device(world: World) -> dict[str, str]:
    product = await models.Product.get()
    return {"id": gid(world.device), "organization": gid(world.acme), "product": gid(product)}


async def licence(world: World) -> dict[str, str]:
    return {"id": gid(await models.ServiceLicense.get(organization=world.acme)), "space": gid(world.space)}


async def members_place(world: World) -> dict[str, str]:
    user = await make_member(world.acme)
    return {"id": gid(await models.Membership.get(user=user))}


async def an_article(world: World) -> dict[str, str]:
    return {"id": gid(await make_article("Black camera"))}


async def authors_draft(world: World) -> dict[str, str]:
    draft = await models.TicketDraft.create(
        author=world["author"],
        organization=world.acme,
        request_type=world.request_type,
        subject="s",
        description="d",
        origin=DraftOrigin.AUTOSAVE,
        created_at=LONG_AGO,
        updated_at=LONG_AGO,
    )
    return {"id": gid(draft)}


async def nothing(world: World) -> dict[str, str]:
    return {}


async def followed_by_somebody(world: World) -> dict[str, str]:
    ticket = await make_ticket(world.acme, world["author"])
    await make_participant(ticket, world["helper"])
    return {"id": gid(await make_follower(ticket))}


async def followed_by_the_agent(world: World) -> dict[str, str]:
    given = await open_ticket(world)
    await make_follower(await models.Ticket.get(id=key_of(given["id"], "Ticket", field="id")), world["agent"])
    return given


async def to_share(world: World) -> dict[str, str]:
    return {**await open_ticket(world), "member": gid(world["member"])}


async def assigned(world: World) -> dict[str, str]:
    ticket = await make_ticket(world.acme, world["author"], assignee=world["agent"])
    await make_participant(ticket, world["helper"])
    return {"id": gid(ticket), "member": gid(world["member"])}


async def participant_of_assigned(world: World) -> dict[str, str]:
    ticket = await make_ticket(world.acme, world["author"], assignee=world["agent"])
    return {"id": gid(await make_participant(ticket, world["helper"]))}


async def call_proposed(world: World) -> dict[str, str]:
    ticket = await make_ticket(world.acme, world["author"])
    await make_participant(ticket, world["helper"])
    return {"id": gid(await make_call(ticket))}


async def appointments_offered(world: World) -> dict[str, str]:
    kind = await models.IssueType.create(
        request_type=world.request_type, name=f"On site {uuid4()}", appointments_available=True
    )
    ticket = await make_ticket(world.acme, world["author"], assignee=world["agent"], issue_type=kind)
    await make_participant(ticket, world["helper"])
    return {"id": gid(ticket)}


async def appointment_made(world: World) -> dict[str, str]:
    ticket = await make_ticket(world.acme, world["author"])
    await make_participant(ticket, world["helper"])
    return {"id": gid(await make_appointment(ticket))}


async def unclaimed(world: World) -> dict[str, str]:
    ticket = await make_ticket(world.acme, None)
    await make_participant(ticket, world["helper"])
    return {"id": gid(ticket)}


def escalation_in(stage: EscalationStage) -> Prepare:
    async def prepare(world: World) -> dict[str, str]:
        ticket = await make_ticket(world.acme, world["author"], is_escalated=True)
        await make_participant(ticket, world["helper"])
        return {"id": gid(await make_escalation(ticket, stage=stage))}

    return prepare


NOW = LONG_AGO.replace(month=3, day=2)

MUTATIONS: dict[str, tuple[Prepare, str]] = {
    "ticketCreate": (organization, 'organizationId: $id, requestTypeKey: "TECHNICAL", subject: "s", description: "d"'),
    "ticketAssign": (open_ticket, "ticketId: $id, assigneeId: $agent"),
    "ticketResourceShare": (open_ticket, 'ticketId: $id, title: "t", url: "https://help.example"'),
    "conferenceCallSchedule": (open_ticket, 'ticketId: $id, scheduledFor: "2026-06-01T10:00:00Z"'),
    "conferenceCallRespond": (call_proposed, "conferenceCallId: $id, accept: false"),
    "appointmentSchedule": (
        appointments_offered,
        'ticketId: $id, startsAt: "2026-06-01T10:00:00Z", endsAt: "2026-06-01T11:00:00Z"',
    ),
    "appointmentCancel": (appointment_made, "appointmentId: $id"),
    "ticketResolve": (open_ticket, "ticketId: $id"),
    "ticketClose": (open_ticket, "ticketId: $id"),
    "ticketReopen": (resolved_ticket, 'ticketId: $id, comment: "Again"'),
    "messageSend": (open_ticket, 'ticketId: $id, clientMessageId: "1", message: {body: "Hello"}'),
    "ticketRequestReply": (open_ticket, 'ticketId: $id, message: {body: "Which room?"}'),
    "noteAdd": (open_ticket, 'ticketId: $id, body: "Hello"'),
    "typingSet": (open_ticket, "ticketId: $id, isTyping: true"),
    "presenceSet": (open_ticket, "ticketId: $id, state: VIEWING"),
    "attachmentUploadCreate": (nothing, 'fileName: "a.txt", mediaType: "text/plain", sizeBytes: 1'),
    "attachmentDelete": (authors_file, "attachmentId: $id"),
    "ticketMarkRead": (open_ticket, "ticketId: $id, upToSequence: 1"),
    "ticketMarkUnread": (open_ticket, "ticketId: $id, fromSequence: 1"),
    "certificateSave": (
        certificate,
        'certificateId: $id, organizationId: $organization, number: "C-1", kind: SERVICES, productIds: [], '
        'startsAt: "2026-01-01", endsAt: "2026-12-31"',
    ),
    "requestTypeSave": (request_type, 'key: "TECHNICAL", projectId: $id, name: "Technical"'),
    "notificationMarkRead": (nothing, "all: true"),
    "notificationPreferencesUpdate": (nothing, "channels: [EMAIL]"),
    "organizationMemberInvite": (newcomer, 'organizationId: $id, email: "new@example.com", role: MEMBER'),
    "organizationMemberSetRole": (members_place, "membershipId: $id, role: READ_ONLY"),
    "organizationMemberRemove": (members_place, "membershipId: $id"),
    "organizationSave": (organization, 'organizationId: $id, name: "Acme"'),
    "roomSave": (place, 'roomId: $id, organizationId: $organization, name: "Bergen"'),
    "deskSave": (organization, 'organizationId: $id, name: "Desk 1"'),
    "spaceDelete": (only_place, "spaceId: $id"),
    "spaceGroupSave": (organization, 'organizationId: $id, name: "Ground floor"'),
    "deviceSave": (
        device,
        'deviceId: $id, organizationId: $organization, productId: $product, serialNumber: "SN-1", name: "Camera"',
    ),
    "licenseAssign": (licence, "licenseId: $id, spaceId: $space"),
    "knowledgeArticleSave": (nothing, 'title: "t", body: "b", locale: "en", visibility: PUBLIC'),
    "knowledgeArticleRate": (an_article, "articleId: $id, helpful: true"),
    "draftSave": (nothing, 'subject: "s"'),
    "draftDiscard": (authors_draft, "draftId: $id"),
    "draftSubmit": (authors_draft, "draftId: $id"),
    "ticketFollow": (open_ticket, "ticketId: $id"),
    "ticketUnfollow": (followed_by_the_agent, "ticketId: $id"),
    "ticketFollowersAdd": (open_ticket, 'ticketId: $id, emails: ["boss@elsewhere.example"]'),
    "ticketFollowersRemove": (followed_by_somebody, "followerIds: [$id]"),
    "ticketShare": (to_share, "ticketId: $id, userIds: [$member]"),
    "ticketContactAdd": (assigned, "ticketId: $id, userId: $member"),
    "ticketParticipantRemove": (participant_of_assigned, "participantId: $id"),
    "ticketClaim": (unclaimed, "ticketId: $id"),
    "ticketSetRequester": (to_share, "ticketId: $id, userId: $member"),
    "ticketLock": (open_ticket, "ticketId: $id, locked: true"),
    "ticketCreateLinked": (resolved_ticket, 'sourceTicketId: $id, body: "More"'),
    "ticketLink": (two_tickets, "sourceTicketId: $id, targetTicketId: $other, kind: RELATED_TO"),
    "ticketUnlink": (linked, "linkId: $id"),
    "ticketMerge": (two_tickets, "sourceTicketId: $id, targetTicketId: $other"),
    "ticketSplit": (with_message, 'ticketId: $id, messageIds: [$message], subject: "s"'),
    "feedbackSubmit": (resolved_ticket, "ticketId: $id, rating: 5"),
    "ticketHold": (open_ticket, 'ticketId: $id, until: "2026-05-01T00:00:00Z"'),
    "ticketExport": (open_ticket, "ticketId: $id"),
    "ticketsExport": (nothing, "filter: {isActive: true}"),
    "ticketUpdate": (open_ticket, "ticketId: $id, severity: CRITICAL"),
    "escalationSubmit": (open_ticket, 'ticketId: $id, issueDescription: "Broken"'),
    "escalationAdvance": (escalation_in(EscalationStage.SUBMITTED), "escalationId: $id, stage: IN_REVIEW"),
    "escalationSetEstimate": (
        escalation_in(EscalationStage.SUBMITTED),
        'escalationId: $id, estimatedResolutionAt: "2027-01-01T00:00:00Z"',
    ),
    "escalationConfirmResolution": (escalation_in(EscalationStage.VERIFYING_RESOLUTION), "escalationId: $id"),
    "escalationRejectResolution": (
        escalation_in(EscalationStage.VERIFYING_RESOLUTION),
        'escalationId: $id, comment: "No"',
    ),
}

NOT_LOGGED = {"typingSet", "presenceSet", "ticketMarkRead", "ticketMarkUnread", "notificationMarkRead"}
"""What passes, and what one has read, changes nothing of a ticket: those who watch are told, its log is not."""


QUIET = {"attachmentUploadCreate", "certificateSave", "requestTypeSave", "draftSave", "draftDiscard", "draftSubmit"}
QUIET |= {"knowledgeArticleSave", "knowledgeArticleRate", "ticketExport", "ticketsExport"}
QUIET |= {"notificationPreferencesUpdate", "organizationSave", "licenseAssign"}
QUIET |= {"roomSave", "deskSave", "spaceDelete", "spaceGroupSave", "deviceSave"}
"""What no ticket could tell of."""

BY_CUSTOMERS = {"ticketClaim", "feedbackSubmit"}

OF_TWO = {"ticketCreateLinked", "ticketLink", "ticketUnlink", "ticketMerge", "ticketSplit"}
"""What changes two tickets: tests/api/test_linked_tickets.py and test_linking.py show what it announces."""

OF_PEOPLE = {"organizationMemberInvite", "organizationMemberSetRole", "organizationMemberRemove"}
"""What is no ticket's: tests/api/test_members.py shows what it announces."""


@pytest.mark.parametrize("preset", MemberVisibility)
async def test_who_may_not_is_told_so_and_leaves_no_trace(as_user: AsUser, preset: MemberVisibility) -> None:
    world = await make_world(preset)

    for mutation, (prepare, _) in MUTATIONS.items():
        given = await prepare(world)
        async with nothing_changes():
            for name, cell in expected(preset)[mutation].items():
                if cell in CODES:
                    assert await code(as_user, world, name, mutation, given) == CODES[cell], (name, mutation)


@pytest.mark.parametrize("preset", MemberVisibility)
async def test_who_may_does(as_user: AsUser, preset: MemberVisibility) -> None:
    world = await make_world(preset)

    for mutation, (prepare, _) in MUTATIONS.items():
        for name, cell in expected(preset)[mutation].items():
            if cell == "+":
                given = await prepare(world)
                assert await code(as_user, world, name, mutation, given) is None, (name, mutation)


async def test_what_is_done_is_stored_and_announced(as_user: AsUser) -> None:
    """The checks above would not notice a mutation that does nothing at all."""
    world = await make_world()

    for mutation, (prepare, _) in MUTATIONS.items():
        if mutation in NOT_LOGGED | QUIET | OF_PEOPLE | OF_TWO:
            continue
        given = await prepare(world)
        heads = {row.topic: row.head for row in await models.FeedStream.all()}
        name = "author" if "Resolution" in mutation or mutation in BY_CUSTOMERS else "agent"
        assert await code(as_user, world, name, mutation, given) is None
        after = {row.topic: row.head for row in await models.FeedStream.all()}
        moved = {topic: after[topic] - heads.get(topic, 0) for topic in after if after[topic] != heads.get(topic, 0)}
        staff, public = sorted(topic for topic in moved if topic.startswith("ticket:"))
        assert public == f"{staff}:pub", mutation
        told_once = {topic for topic, events in moved.items() if events == 1}
        assert {"desk", f"org:{world.acme.id}", f"org:{world.acme.id}:pub"} <= told_once, mutation  # S99


def test_every_mutation_is_in_the_table() -> None:
    mutation = build_schema(sdl()).mutation_type
    assert mutation

    assert MUTATIONS.keys() == mutation.fields.keys()
    for preset in MemberVisibility:
        assert expected(preset).keys() == MUTATIONS.keys()


def expected(preset: MemberVisibility) -> dict[str, dict[str, str]]:
    rows = [line.split() for line in TABLE.splitlines() if line.startswith(("open ", "own "))]
    return {row[1]: dict(zip(VIEWERS, row[2:], strict=True)) for row in rows if row[0] == preset.lower()}


def who_may(mutation: str) -> str:
    """The first of the viewers who may, in an open organization."""
    return next(name for name, cell in expected(MemberVisibility.OPEN)[mutation].items() if cell == "+")


async def code(as_user: AsUser, world: World, name: str, mutation: str, given: dict[str, str]) -> str | None:
    """The code that the viewer is refused with, None where it is done."""
    _, arguments = MUTATIONS[mutation]
    variables: dict[str, Any] = {**given, **({"agent": gid(world["agent"])} if "$agent" in arguments else {})}
    declared = ", ".join(f"${variable}: ID!" for variable in variables)
    heading = f"mutation({declared})" if declared else "mutation"
    document = f"{heading} {{ {mutation}(input: {{{arguments}}}) {{ errors {{ code }} }} }}"
    data, errors = await as_user(world.people[name]).answer(document, **variables)
    if errors:
        assert data is None
        (found,) = codes(errors)
        return found
    refusals = data[mutation]["errors"]
    return refusals[0]["code"] if refusals else None
