"""Rows for tests, with what a test does not care about filled in."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from domain.enums import (
    FollowerKind,
    MemberVisibility,
    OrganizationRole,
    ParticipantRole,
    StaffRole,
    TicketChannel,
    TicketStatus,
    TimelineEventKind,
    Visibility,
)
from domain.naming import escalation_reference, ticket_reference
from models import (
    Appointment,
    Attachment,
    ConferenceCall,
    Escalation,
    Follower,
    KnowledgeArticle,
    Membership,
    Message,
    Organization,
    Participant,
    RequestType,
    SharedResource,
    SupportProject,
    Ticket,
    TimelineEvent,
    User,
)

LONG_AGO = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
_number = count(1)


async def make_organization(name: str | None = None, **given: Any) -> Organization:
    values = {"member_visibility": MemberVisibility.OPEN, "created_at": LONG_AGO, **given}
    return await Organization.create(name=name or f"Organization {next(_number)}", **values)


async def make_user(name: str | None = None, **given: Any) -> User:
    name = name or f"Person {next(_number)}"
    handle = name.lower().replace(" ", ".")
    values = {"email": f"{handle}.{next(_number)}@example.com", "username": handle, "created_at": LONG_AGO, **given}
    return await User.create(display_name=name, **values)


async def make_member(
    organization: Organization, role: OrganizationRole = OrganizationRole.MEMBER, name: str | None = None, **given: Any
) -> User:
    user = await make_user(name, **given)
    await Membership.create(organization=organization, user=user, role=role, joined_at=LONG_AGO)
    return user


async def make_staff(role: StaffRole = StaffRole.AGENT, name: str | None = None) -> User:
    return await make_user(name, staff_role=role)


async def make_ticket(organization: Organization, requester: User | None, **given: Any) -> Ticket:
    """A ticket as if opened long ago, without any message or event."""
    number = 100_000 + next(_number)
    at = given.pop("created_at", LONG_AGO)
    values = {
        "subject": "The camera stays black",
        "description": "It did so since Monday.",
        "channel": TicketChannel.CHAT,
        "status": TicketStatus.OPEN,
        "updated_at": at,
        "last_activity_at": at,
        "status_changed_at": at,
        "owner": requester,
        **given,
    }
    return await Ticket.create(
        number=number,
        reference=values.pop("reference", ticket_reference(number)),
        organization=organization,
        requester=requester,
        created_at=at,
        **values,
    )


async def make_participant(ticket: Ticket, user: User) -> Participant:
    return await Participant.create(ticket=ticket, user=user, role=ParticipantRole.PARTICIPANT, added_at=LONG_AGO)


async def make_follower(ticket: Ticket, user: User | None = None, email: str | None = None, **given: Any) -> Follower:
    """A person, or else an address."""
    address = None if user else email or f"somebody.{next(_number)}@elsewhere.example"
    kind = FollowerKind.INTERNAL if user else FollowerKind.EXTERNAL_EMAIL_ONLY
    values = {"organization_id": ticket.organization_id, "followed_at": LONG_AGO, **given}
    return await Follower.create(ticket=ticket, user=user, email=address, kind=kind, **values)


async def make_message(
    ticket: Ticket, author: User | None, body: str = "Hello", visibility: Visibility = Visibility.PUBLIC, **given: Any
) -> Message:
    sequence, public_sequence = ticket.number_item(visibility)
    await ticket.save()
    values = {"kind": "CHAT", "source": "PORTAL", "occurred_at": LONG_AGO, **given}
    return await Message.create(
        ticket=ticket,
        actor=author,
        body=body,
        visibility=visibility,
        sequence=sequence,
        public_sequence=public_sequence,
        **values,
    )


async def make_event(ticket: Ticket, kind: TimelineEventKind, **given: Any) -> TimelineEvent:
    """Something that happened, on the timeline for everybody to see."""
    sequence, public_sequence = ticket.number_item(Visibility.PUBLIC)
    await ticket.save()
    values = {"visibility": Visibility.PUBLIC, "occurred_at": LONG_AGO, **given}
    numbers = {"sequence": sequence, "public_sequence": public_sequence}
    return await TimelineEvent.create(ticket=ticket, kind=kind, **numbers, **values)


async def make_call(ticket: Ticket, **given: Any) -> ConferenceCall:
    values = {"scheduled_for": LONG_AGO, "status": "PENDING", "created_at": LONG_AGO, "updated_at": LONG_AGO, **given}
    return await ConferenceCall.create(ticket=ticket, **values)


async def make_appointment(ticket: Ticket, **given: Any) -> Appointment:
    """An hour that was asked for."""
    times = {"starts_at": LONG_AGO, "ends_at": LONG_AGO + timedelta(hours=1)}
    values = {"status": "REQUESTED", "created_at": LONG_AGO, "updated_at": LONG_AGO, **times, **given}
    return await Appointment.create(ticket=ticket, **values)


async def make_resource(ticket: Ticket, **given: Any) -> SharedResource:
    """An address that was shared, unless an article is given."""
    address = None if given.get("article") else "https://help.example/camera"
    values = {"title": "How to reset the camera", "url": address, "shared_at": LONG_AGO, **given}
    return await SharedResource.create(ticket=ticket, **values)


async def make_file(owner: User, name: str = "log.txt", **given: Any) -> Attachment:
    """A file of somebody's that was uploaded and waits for a message."""
    values = {
        "media_type": "text/plain",
        "size_bytes": 5,
        "checksum": "0" * 64,
        "created_at": LONG_AGO,
        "stored_at": LONG_AGO,
        **given,
    }
    return await Attachment.create(uploaded_by=owner, file_name=name, **values)


async def make_escalation(ticket: Ticket, **given: Any) -> Escalation:
    number = 50_000 + next(_number)
    values = {"issue_description": "Needs a look", "submitted_at": LONG_AGO, "updated_at": LONG_AGO, **given}
    return await Escalation.create(ticket=ticket, number=number, reference=escalation_reference(number), **values)


async def make_request_type(key: str = "TECHNICAL", **given: Any) -> RequestType:
    project, _ = await SupportProject.get_or_create(name="Support")
    values = {"name": key.title(), "handler_label": "Support", **given}
    return await RequestType.create(project=project, key=key, **values)


async def make_article(title: str, body: str = "x", **given: Any) -> KnowledgeArticle:
    values = {"locale": "en", "visibility": Visibility.PUBLIC, "created_at": LONG_AGO, "updated_at": LONG_AGO, **given}
    return await KnowledgeArticle.create(title=title, body=body, **values)
