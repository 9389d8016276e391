"""The ticket: what lists show, and the whole graph that hangs on it."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry
from strawberry import Info, Parent, lazy
from tortoise.expressions import Q

import models
from domain import lifecycle, policy
from domain.coverage import COVERAGE
from domain.enums import (
    ClosureReason,
    Confidentiality,
    EscalationStage,
    MessageKind,
    ParticipantRole,
    ResolutionReason,
    ServiceLevel,
    TicketChannel,
    TicketDisplayStatus,
    TicketLinkKind,
    TicketPriority,
    TicketSeverity,
    TicketStatus,
)
from engine.declare import PLAN, SqlValue
from engine.keyset import Order
from realtime.cursor import NO_EPOCH
from realtime.cursor import Cursor as StreamCursor
from resolvers.context import Context
from resolvers.deadlines import DEADLINE_COLUMNS, deadlines_of, primary_contacts
from resolvers.linked_tickets import follow_up_of, follow_ups, links_of, merged_into
from resolvers.presence import Present, viewers_of
from resolvers.read_marks import last_read, unread_counts
from resolvers.ticket_people import usernames_of
from resolvers.viewer_permissions import PERMISSION_COLUMNS, are_followed
from schema.access import guarded
from schema.calls import Appointment, ConferenceCall
from schema.catalog import Classification, IssueType, RequestType, ServiceCertificate, SupportProject
from schema.enums import DeniedBehavior, TranscriptAvailability
from schema.escalation import Escalation
from schema.followers import TicketFollower
from schema.inventory import (
    BY_DEVICE_NAME,
    Device,
    Product,
    ProductUpdate,
    ProductVersion,
    ServiceCoverage,
    Space,
    coverage_of,
)
from schema.node import Node, entity
from schema.paging import Connection
from schema.people import Actor, Organization, User, actor_of
from schema.relations import (
    all_of,
    batched,
    derived,
    derived_for,
    joined,
    pages_linked,
    pages_of,
    same_row,
    the_one_of,
    to_one,
    told,
)
from schema.scalars import Cursor, Locale, Markdown
from schema.shared_resource import SharedResource
from schema.ticket_link import TicketLink, TicketNotice, notice
from schema.ticket_timeline import the_timeline
from schema.timeline import Attachment, EmailMessage, Message, TimelineItem, timeline_order
from schema.viewer_permissions import TicketViewerPermissions, permissions_on

if TYPE_CHECKING:
    from schema.presence import Presence

SHOWN = models.Message.shown_on_readable_ticket


def _stream_cursor(position: str | None) -> Cursor:
    epoch, _, head = (position or f"{NO_EPOCH}:0").partition(":")
    return Cursor(str(StreamCursor(epoch, int(head))))


async def _viewers(ctx: Context, rows: list[tuple[UUID, UUID | None]]) -> list[list[Present]]:
    return [await viewers_of(ctx, ticket_id, assignee_id) for ticket_id, assignee_id in rows]


async def _links(
    root: Parent[models.Ticket],
    info: Info,
    kinds: Annotated[list[TicketLinkKind] | None, strawberry.argument(description="Only of these kinds.")] = None,
) -> list[TicketLink]:
    wanted = None if kinds is None else tuple(sorted(set(kinds)))

    async def load(ticket_ids: list[UUID]) -> list[list[models.TicketLink]]:
        return await links_of(info.context, ticket_ids, wanted)

    found: Any = await info.context.loaders.get(("links", wanted), load).load(root.id)
    return found  # type: ignore[no-any-return]


async def _auto_resolve_at(ctx: Context, rows: list[Any]) -> list[datetime | None]:
    return [each.auto_resolve_at for each in await deadlines_of(ctx, rows)]


async def _auto_close_at(ctx: Context, rows: list[Any]) -> list[datetime | None]:
    return [each.auto_close_at for each in await deadlines_of(ctx, rows)]


async def _reopen_deadline(ctx: Context, rows: list[Any]) -> list[datetime | None]:
    return [each.reopen_until for each in await deadlines_of(ctx, rows)]


def _coverages(ctx: Context, rows: list[tuple[UUID | None, str]]) -> list[ServiceCoverage | None]:
    return [coverage_of(COVERAGE[ServiceLevel(level)]) if space_id else None for space_id, level in rows]


def _feed_cursor(root: Parent[models.Ticket]) -> Cursor:
    return _stream_cursor(root.feed_position)


@entity(models.Participant, description="Somebody who takes part in a ticket.")
class TicketParticipant(Node):
    user: User = to_one("user", "The person.", implied=True)
    role: ParticipantRole = strawberry.field(description="What the person is on the ticket.")
    added_by: Actor | None = actor_of("Who added the person.", "added_by_id")
    added_at: datetime = strawberry.field(description="Since when.")


@entity(models.Feedback, description="What the customer thought of the support given.")
class Feedback(Node):
    rating: int = strawberry.field(description="From 1, bad, to 5, good.")
    comment: str | None = strawberry.field(description="What the customer added in words.")
    submitted_by: User | None = to_one("submitted_by", "Who gave it; null once the account is gone.")
    submitted_at: datetime = strawberry.field(description="When.")


@strawberry.type(description="The conversation of a ticket as a record.")
class Transcript:
    availability: TranscriptAvailability = derived(
        "channel", lambda channel: _availability(TicketChannel(channel)), "Whether there is one, and if not, why."
    )
    messages: Connection[Message] = pages_of(
        models.Message, "ticket_id", timeline_order, "The messages, in their order.", seen=SHOWN
    )


@entity(models.Ticket, description="A support request and its history.")
class Ticket(Node):
    reference: str = strawberry.field(description="What people quote: `T-…`.")
    version: int = strawberry.field(description="Grows with every change; send it back as `expectedVersion`.")
    subject: str = strawberry.field(description="One line, as the requester wrote it.")
    description: Markdown = strawberry.field(description="The request, as it was first written.")
    language: Locale | None = strawberry.field(description="The language it is written in, where that is known.")
    channel: TicketChannel = strawberry.field(description="How it reached support.")
    status: TicketStatus = strawberry.field(description="Where it stands in its life.")
    display_status: TicketDisplayStatus = derived(
        ("status", "is_escalated"),
        lambda status, is_escalated: lifecycle.display_status(TicketStatus(status), is_escalated=is_escalated),
        "What list screens show.",
    )
    status_changed_at: datetime = strawberry.field(description="When the status last changed.")
    is_escalated: bool = strawberry.field(description="Whether an escalation is under way.")
    priority: TicketPriority = strawberry.field(description="How soon support should act.")
    severity: TicketSeverity = strawberry.field(description="How badly the customer is affected.")
    confidentiality: Confidentiality = strawberry.field(description="Who in the organization may see it.")

    project: SupportProject | None = to_one("project", "The field of support it belongs to.")
    request_type: RequestType | None = to_one("request_type", "What kind of request it is.")
    classification: Classification | None = to_one("classification", "The finer sort of request.")
    issue_type: IssueType | None = to_one("issue_type", "What kind of trouble it is about.")
    product: Product | None = to_one("product", "The product it is about.")
    product_version: ProductVersion | None = to_one("product_version", "The version of the product.")
    product_update: ProductUpdate | None = to_one("product_update", "The update of the version.")
    certificate: ServiceCertificate | None = to_one("certificate", "The certificate that entitles to it.")

    organization: Organization = to_one("organization", "Whose request it is.", implied=True)
    on_behalf_of: Organization | None = to_one("on_behalf_of", "The partner's customer that it was filed for.")
    requester: User | None = to_one("requester", "Who opened it; null where nobody is known or the account is gone.")
    owner: User | None = to_one("owner", "Who answers for it on the customer's side.")
    primary_contact: User | None = batched(
        primary_contacts,
        "Whom support asks first: the contact that was added first, else who opened it.",
        needs=("id", "requester_id"),
    )
    assignee: User | None = to_one("assignee", "Who in support handles it.")
    participants: Connection[TicketParticipant] = pages_of(
        models.Participant, "ticket_id", Order("participants", "added_at"), "Who takes part in it, first one first."
    )
    followers: Connection[TicketFollower] = pages_of(
        models.Follower,
        "ticket_id",
        Order("followers", "followed_at"),
        "Who is told of its changes, first one first.",
        seen=lambda viewer: Q(),
    )
    viewer_is_following: bool = batched(are_followed, "Whether you follow it.")
    viewer_permissions: TicketViewerPermissions = batched(
        permissions_on, "What you may do with it as it stands.", needs=PERMISSION_COLUMNS
    )
    space: Space | None = to_one("space", "The room or desk it is about.")
    coverage: ServiceCoverage | None = batched(
        _coverages,
        "What support its room or desk had a right to when it was opened; null where it is about none.",
        needs=("space_id", "service_level"),
    )

    created_at: datetime = strawberry.field(description="When it was opened.")
    updated_at: datetime = strawberry.field(description="When anything of it last changed.")
    last_activity_at: datetime = strawberry.field(description="When anybody last did something on it.")
    first_responded_at: datetime | None = strawberry.field(description="When support first answered.")
    resolved_at: datetime | None = strawberry.field(description="When it was last resolved; null while it is open.")
    resolution_reason: ResolutionReason | None = strawberry.field(description="Why it is resolved.")
    closed_at: datetime | None = strawberry.field(description="When it was closed.")
    closure_reason: ClosureReason | None = strawberry.field(description="Why it is closed.")
    auto_resolve_at: datetime | None = batched(
        _auto_resolve_at,
        "When it is resolved by itself unless the customer comes back; null while that is not waited for.",
        needs=DEADLINE_COLUMNS,
    )
    auto_close_at: datetime | None = batched(
        _auto_close_at, "After when it is closed by itself; null unless it is resolved.", needs=DEADLINE_COLUMNS
    )
    reopen_deadline: datetime | None = batched(
        _reopen_deadline,
        "Until when, that instant included, a reply reopens it; null unless it is resolved.",
        needs=DEADLINE_COLUMNS,
    )
    hold_until: datetime | None = strawberry.field(description="Until when it is on hold.")
    snoozed_until: datetime | None = strawberry.field(
        description="Until when staff has put it out of sight.", directives=guarded(policy.STAFF_ONLY)
    )

    notice: TicketNotice | None = told(
        ("status", "reference", "closure_reason"),
        notice,
        "What it says once it is closed, and the way on; null before.",
    )
    links: list[TicketLink] = strawberry.field(
        resolver=_links, description="How it hangs together with other tickets that you may see, first one first."
    )
    merged_into: Annotated["Ticket", lazy("schema.ticket")] | None = batched(
        merged_into, "The ticket that it goes on in since it was merged; null without one that you may see."
    )
    follow_up_of: Annotated["Ticket", lazy("schema.ticket")] | None = batched(
        follow_up_of, "The ticket that it goes on from; null without one that you may see."
    )
    follow_ups: list[Annotated["Ticket", lazy("schema.ticket")]] = batched(
        follow_ups, "The tickets that go on from it and that you may see, first one first."
    )
    quoted_ticket: Annotated["Ticket", lazy("schema.ticket")] | None = to_one(
        "quotes", "The earlier ticket that it quoted when it was opened; null without one that you may see."
    )

    transcript: Transcript = same_row("The conversation as a record.")
    timeline: Connection[TimelineItem] = the_timeline(
        "Everything said on it and everything that happened to it that you may see, in one order."
    )
    messages: Connection[Message] = pages_of(
        models.Message,
        "ticket_id",
        timeline_order,
        "Everything said on it that you may see, in its order.",
        seen=SHOWN,
    )
    emails: Connection[EmailMessage] = pages_of(
        models.Message,
        "ticket_id",
        timeline_order,
        "Its e-mails, in their order.",
        seen=SHOWN,
        where=Q(kind=MessageKind.EMAIL),
    )
    attachments: Connection[Attachment] = pages_of(
        models.Attachment,
        "ticket_id",
        Order("attachments", "created_at"),
        "The files on its messages that you may see, first one first.",
        seen=models.Attachment.shown_on_readable_ticket,
    )
    escalations: Connection[Escalation] = pages_of(
        models.Escalation,
        "ticket_id",
        Order("ticket escalations", "submitted_at"),
        "Its escalations, first one first.",
        seen=lambda viewer: Q(),
    )
    is_imported: bool = strawberry.field(description="Whether it comes from an earlier system.")
    locked: bool = strawberry.field(description="Whether staff has stopped replies.")

    active_escalation: Escalation | None = the_one_of(
        models.Escalation,
        "ticket_id",
        "submitted_at",
        ~Q(stage=EscalationStage.RESOLVED),
        "The escalation under way; null without one.",
    )
    resources: list[SharedResource] = all_of(
        models.SharedResource,
        "ticket_id",
        "shared_at",
        "The links that support has shared on it, first one first.",
        seen=lambda viewer: Q(),
    )
    conference_call: ConferenceCall | None = joined(
        models.ConferenceCall, "ticket_id", models.ConferenceCall.coming, "The call that is coming; null without one."
    )
    appointment: Appointment | None = joined(
        models.Appointment, "ticket_id", models.Appointment.coming, "The appointment that is coming; null without one."
    )
    feedback: Feedback | None = the_one_of(
        models.Feedback, "ticket_id", "submitted_at", Q(), "What the customer thought of it; null until that is said."
    )
    last_sequence: int = derived_for(
        lambda viewer: ("last_sequence",) if policy.sees_internal(viewer) else ("last_public_sequence",),
        lambda viewer: int,
        "How many timeline items it has that you may see.",
    )
    feed_cursor: Cursor = strawberry.field(
        resolver=_feed_cursor,
        description="The place of its stream, read with the row and before its children: "
        "pass it as `after` to the subscriptions, and nothing is missed in between.",
        metadata={PLAN: SqlValue(models.Ticket.position_sql, _stream_cursor)},
    )

    associated_usernames: list[str] = batched(
        usernames_of,
        "The user names of everybody on it.",
        needs=("id", "requester_id", "owner_id"),
        directives=guarded(policy.SEE_ASSOCIATED_USERNAMES, DeniedBehavior.EMPTY_LIST),
    )
    unread_count: int = batched(unread_counts, "How many messages of it by others you have not read.")
    viewer_last_read_sequence: int = batched(last_read, "The `sequence` of the last item that you have read; 0: none.")
    viewers: list[Annotated["Presence", lazy("schema.presence")]] = batched(
        _viewers, "Who has it open now, as far as you may see them.", needs=("id", "assignee_id")
    )
    devices: Connection[Device] = pages_linked(
        models.Device, "devices", BY_DEVICE_NAME, "The devices it is about, by name."
    )


def _availability(channel: TicketChannel) -> TranscriptAvailability:
    return (
        TranscriptAvailability.NOT_RECORDED_PHONE
        if channel is TicketChannel.PHONE
        else TranscriptAvailability.AVAILABLE
    )
