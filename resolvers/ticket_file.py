"""What goes into the file of one ticket: what its requester may see at the moment it is made.

Read in pages, so that a ticket of ten thousand messages is never held as a whole.
"""

from asyncio import gather
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from tortoise.expressions import Q

from domain import lifecycle, policy
from domain.errors import NotFound
from domain.policy import OrganizationFacts
from models import (
    Appointment,
    Attachment,
    Classification,
    ConferenceCall,
    Device,
    Escalation,
    EscalationEntry,
    Feedback,
    IssueType,
    Message,
    Organization,
    Participant,
    Product,
    ProductUpdate,
    ProductVersion,
    RequestType,
    ServiceCertificate,
    SharedResource,
    Space,
    SupportProject,
    Ticket,
    TicketLink,
    TimelineEvent,
)
from resolvers.context import Context
from resolvers.exported import People, Record, at, event, message, named
from resolvers.reading import linked, related
from resolvers.ticket_export import check_may_see_internal

KIND, VERSION = "casewire.ticket", 1
"""What the file says that it is. The version grows when something is taken out of the shape or means something else."""

PAGE = 100
"""Items of the timeline that are read at a time."""

MOST = 1000
"""People, escalations, devices and links that are listed."""

NAMED_BY = {
    "project": SupportProject,
    "request_type": RequestType,
    "classification": Classification,
    "issue_type": IssueType,
    "product": Product,
    "product_version": ProductVersion,
    "product_update": ProductUpdate,
    "organization": Organization,
    "on_behalf_of": Organization,
}
"""What a ticket refers to and shows by its name."""


@dataclass(slots=True)
class TicketFile:
    """A head with everything that is short, and the items of the timeline one after another: `total` of them."""

    reference: str
    head: Record
    total: int
    items: AsyncIterator[Record] = field(repr=False)


async def open_ticket_file(ctx: Context, ticket_id: UUID, *, include_internal: bool) -> TicketFile:
    """
    Raises:
        NotFound: there is no such ticket that the viewer may see.
        Forbidden: what is internal is asked for by somebody who may not see it, or no longer.
    """
    if include_internal:
        check_may_see_internal(ctx)
    ticket = await Ticket.visible_to(ctx.viewer).get_or_none(id=ticket_id)
    if ticket is None:
        raise NotFound("ticket")
    reading = _Reading(ctx, ticket, include_internal, People())
    return TicketFile(
        reference=ticket.reference,
        head=await reading.head(),
        total=ticket.last_sequence if include_internal else ticket.last_public_sequence,
        items=reading.items(),
    )


@dataclass(slots=True)
class _Reading:
    ctx: Context
    ticket: Ticket
    include_internal: bool
    people: People
    told: dict[UUID, Record] = field(default_factory=dict)
    """What is told of rows that events are about, by their ids."""

    @property
    def shown(self) -> Q:
        """Of the timeline; support staff leave out what is internal unless they ask for it."""
        return Q() if self.include_internal else Q(public_sequence__isnull=False)

    async def head(self) -> Record:
        ticket = self.ticket
        await self.people.meet([ticket.requester_id, ticket.owner_id, ticket.assignee_id, self.ctx.user_id])
        return {
            "kind": KIND,
            "version": VERSION,
            "exportedAt": at(self.ctx.now()),
            "exportedBy": self.people[self.ctx.user_id],
            "includesInternal": self.include_internal,
            "ticket": await self._facts(),
            "participants": await self._participants(),
            "links": await self._links(),
            "escalations": await self._escalations(),
            "feedback": await self._feedback(),
        }

    async def _facts(self) -> Record:
        ticket, ctx = self.ticket, self.ctx
        rows = await gather(*(related(ctx, model, getattr(ticket, f"{by}_id")) for by, model in NAMED_BY.items()))
        names = dict(zip(NAMED_BY, map(named, rows), strict=True))
        space = await related(ctx, Space, ticket.space_id)
        certificate = await related(ctx, ServiceCertificate, ticket.certificate_id)
        return {
            "id": f"Ticket_{ticket.id}",
            "reference": ticket.reference,
            "subject": ticket.subject,
            "description": ticket.description,
            "language": ticket.language,
            "status": ticket.status,
            "displayStatus": lifecycle.display_status(ticket.status, is_escalated=ticket.is_escalated),
            "channel": ticket.channel,
            "priority": ticket.priority,
            "severity": ticket.severity,
            "confidentiality": ticket.confidentiality,
            "organization": names["organization"],
            "onBehalfOf": names["on_behalf_of"],
            "requester": self.people[ticket.requester_id],
            "owner": self.people[ticket.owner_id],
            "assignee": self.people[ticket.assignee_id],
            "project": names["project"],
            "requestType": names["request_type"],
            "classification": names["classification"],
            "issueType": names["issue_type"],
            "product": names["product"],
            "productVersion": names["product_version"],
            "productUpdate": names["product_update"],
            "certificate": {"id": f"ServiceCertificate_{certificate.id}", "number": certificate.number}
            if certificate
            else None,
            "space": named(space, space.kind.title()) if space else None,
            "devices": await self._devices(),
            "createdAt": at(ticket.created_at),
            "updatedAt": at(ticket.updated_at),
            "lastActivityAt": at(ticket.last_activity_at),
            "firstRespondedAt": at(ticket.first_responded_at),
            "resolvedAt": at(ticket.resolved_at),
            "resolutionReason": ticket.resolution_reason,
            "closedAt": at(ticket.closed_at),
            "closureReason": ticket.closure_reason,
            "holdUntil": at(ticket.hold_until),
            "isImported": ticket.is_imported,
        }

    async def _devices(self) -> list[Record]:
        """The serial number is told to whom it is told otherwise."""
        facts = OrganizationFacts(self.ticket.organization_id)
        told = policy.allows(self.ctx.viewer, policy.SEE_SERIAL_NUMBER, facts)
        return [
            {
                "id": f"Device_{each.id}",
                "name": each.name,
                "serialNumber": each.serial_number if told else None,
            }
            for each in await linked(self.ctx, self.ticket, "devices", Device)
        ]

    async def _participants(self) -> list[Record]:
        rows = await Participant.filter(ticket_id=self.ticket.id).order_by("added_at", "id").limit(MOST)
        await self.people.meet([each.user_id for each in rows])
        return [{"user": self.people[each.user_id], "role": each.role, "addedAt": at(each.added_at)} for each in rows]

    async def _links(self) -> list[Record]:
        """Those whose other end the viewer may see."""
        here = Q(source_id=self.ticket.id) | Q(target_id=self.ticket.id)
        rows = TicketLink.filter(here, TicketLink.seen_by(self.ctx.viewer)).order_by("created_at", "id").limit(MOST)
        found = await rows.values("id", "kind", "created_at", "source__reference", "target__reference")
        links = {
            each["id"]: {
                "kind": each["kind"],
                "source": each["source__reference"],
                "target": each["target__reference"],
                "createdAt": at(each["created_at"]),
            }
            for each in found
        }
        self.told |= links
        return list(links.values())

    async def _escalations(self) -> list[Record]:
        rows = await Escalation.filter(ticket_id=self.ticket.id).order_by("submitted_at", "id").limit(MOST)
        entries = await EscalationEntry.filter(escalation_id__in=[each.id for each in rows]).order_by("sequence")
        await self.people.meet([*(each.submitted_by_id for each in rows), *(each.actor_id for each in entries)])
        return [self._escalation(row, [each for each in entries if each.escalation_id == row.id]) for row in rows]

    def _escalation(self, row: Escalation, entries: Sequence[EscalationEntry]) -> Record:
        for each in entries:
            self.told[each.id] = {"escalation": row.reference, "stage": each.stage}
        return {
            "id": f"Escalation_{row.id}",
            "reference": row.reference,
            "issueDescription": row.issue_description,
            "stage": row.stage,
            "submittedBy": self.people[row.submitted_by_id],
            "submittedAt": at(row.submitted_at),
            "estimatedResolutionAt": at(row.estimated_resolution_at),
            "resolvedAt": at(row.resolved_at),
            "timeline": [self._entry(each) for each in entries],
        }

    def _entry(self, row: EscalationEntry) -> Record:
        found: Record = {
            "sequence": row.sequence,
            "stage": row.stage,
            "enteredAt": at(row.entered_at),
            "actor": self.people.who_did(row),
            "note": row.note,
            "isOverride": row.is_override,
            "estimatedResolutionAt": at(row.estimated_resolution_at),
        }
        return found | {"internalNote": row.internal_note} if self.include_internal else found

    async def _feedback(self) -> Record | None:
        row = await Feedback.get_or_none(ticket_id=self.ticket.id)
        if row is None:
            return None
        await self.people.meet([row.submitted_by_id])
        return {
            "rating": row.rating,
            "comment": row.comment,
            "submittedBy": self.people[row.submitted_by_id],
            "submittedAt": at(row.submitted_at),
        }

    async def items(self) -> AsyncIterator[Record]:
        """What was said and what happened, in order, a page of numbers at a time."""
        for first in range(1, self.ticket.last_sequence + 1, PAGE):
            here = Q(ticket_id=self.ticket.id, sequence__gte=first, sequence__lt=first + PAGE) & self.shown
            messages, events = await gather(Message.filter(here), TimelineEvent.filter(here))
            for record in await self._page(messages, events):
                yield record

    async def _page(self, messages: Sequence[Message], events: Sequence[TimelineEvent]) -> list[Record]:
        files = await self._files([each.id for each in messages])
        answered = await self._numbers_of([each.in_reply_to_id for each in messages if each.in_reply_to_id])
        attached = [each.uploaded_by_id for several in files.values() for each in several]
        await self.people.meet(
            [*(each.actor_id for each in [*messages, *events]), *(each.user_id for each in events), *attached]
        )
        await self._meet_resources_and_calls(events)
        said = [
            message(
                each,
                self.people,
                files.get(each.id, []),
                sequence=self._number(each),
                replied=answered.get(each.in_reply_to_id),
            )
            for each in messages
        ]
        done = [event(each, self.people, self.told, sequence=self._number(each)) for each in events]
        return sorted(said + done, key=lambda record: record["sequence"])

    async def _meet_resources_and_calls(self, events: Sequence[TimelineEvent]) -> None:
        """Where to dial in is not among it: that is for those who take part, while it is to come."""
        resources = [each.resource_id for each in events if each.resource_id]
        calls = [each.conference_call_id for each in events if each.conference_call_id]
        appointments = [each.appointment_id for each in events if each.appointment_id]
        for shared in await SharedResource.filter(id__in=resources) if resources else []:
            self.told[shared.id] = {"id": f"SharedResource_{shared.id}", "title": shared.title, "url": shared.url}
        for call in await ConferenceCall.filter(id__in=calls) if calls else []:
            self.told[call.id] = {"id": f"ConferenceCall_{call.id}", "scheduledFor": at(call.scheduled_for)}
        for each in await Appointment.filter(id__in=appointments) if appointments else []:
            times = {"startsAt": at(each.starts_at), "endsAt": at(each.ends_at)}
            self.told[each.id] = {"id": f"Appointment_{each.id}", **times}

    def _number(self, row: Message | TimelineEvent) -> int:
        """Without what is internal items are numbered as customers see them: a gap would tell of it (J7)."""
        return row.sequence if self.include_internal or row.public_sequence is None else row.public_sequence

    async def _files(self, message_ids: list[UUID]) -> dict[UUID, list[Attachment]]:
        """Those that were taken back are not among them."""
        found: dict[UUID, list[Attachment]] = {}
        if message_ids:
            shown = Attachment.filter(message_id__in=message_ids, deleted_at__isnull=True, stored_at__isnull=False)
            for each in await shown.order_by("created_at", "id"):
                found.setdefault(each.message_id, []).append(each)  # type: ignore[arg-type]
        return found

    async def _numbers_of(self, message_ids: list[UUID]) -> dict[UUID | None, int]:
        """Of those that are shown as well."""
        shown = Message.filter(self.shown, id__in=message_ids).only("id", "sequence", "public_sequence")
        return {each.id: self._number(each) for each in await shown} if message_ids else {}
