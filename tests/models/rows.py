"""Rows that the database accepts as they are; a test changes the one column it is about."""

from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import models
from domain.enums import (
    CertificateKind,
    EscalationStage,
    FollowerKind,
    MessageKind,
    MessageSource,
    NotificationKind,
    OrganizationRole,
    ParticipantRole,
    ServiceLevel,
    TicketChannel,
    TimelineEventKind,
    Visibility,
)

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
numbers = count(1)


async def organization(**given: Any) -> models.Organization:
    return await models.Organization.create(**{"name": f"Org {next(numbers)}", "created_at": NOW, **given})


async def user(**given: Any) -> models.User:
    email = f"user{next(numbers)}@example.com"
    return await models.User.create(
        **{"email": email, "username": email, "display_name": "Ann", "created_at": NOW, **given}
    )


async def ticket(**given: Any) -> models.Ticket:
    number = next(numbers)
    moments = dict.fromkeys(("created_at", "updated_at", "last_activity_at", "status_changed_at"), NOW)
    row = {
        "organization": given.pop("organization", None) or await organization(),
        "number": number,
        "reference": f"T-{number}",
        "subject": "No sound",
        "description": "Since this morning.",
        "channel": TicketChannel.PORTAL,
    }
    return await models.Ticket.create(**{**row, **moments, **given})


async def message(**given: Any) -> models.Message:
    row = {
        "ticket": given.pop("ticket", None) or await ticket(),
        "sequence": 1,
        "public_sequence": 1,
        "visibility": Visibility.PUBLIC,
        "occurred_at": NOW,
        "kind": next(iter(MessageKind)),
        "source": next(iter(MessageSource)),
        "body": "Have you tried the other cable?",
    }
    return await models.Message.create(**{**row, **given})


async def timeline_event(**given: Any) -> models.TimelineEvent:
    row = {
        "ticket": given.pop("ticket", None) or await ticket(),
        "sequence": 2,
        "public_sequence": 2,
        "visibility": Visibility.PUBLIC,
        "occurred_at": NOW,
        "kind": next(iter(TimelineEventKind)),
    }
    return await models.TimelineEvent.create(**{**row, **given})


async def attachment(**given: Any) -> models.Attachment:
    row = {
        "file_name": "log.txt",
        "media_type": "text/plain",
        "size_bytes": 12,
        "checksum": "0" * 64,
        "created_at": NOW,
    }
    return await models.Attachment.create(**{**row, **given})


async def notification(**given: Any) -> models.Notification:
    row = {
        "user": await user(),
        "ticket": await ticket(),
        "kind": NotificationKind.REPLIED,
        "visibility": Visibility.PUBLIC,
        "source": "an event",
        "created_at": NOW,
    }
    return await models.Notification.create(**{**row, **given})


async def read_mark(**given: Any) -> models.ReadMark:
    row = {"ticket": await ticket(), "user": await user(), "read_at": NOW, "public_read_at": NOW}
    return await models.ReadMark.create(**{**row, **given})


async def escalation(**given: Any) -> models.Escalation:
    number = next(numbers)
    row = {
        "ticket": given.pop("ticket", None) or await ticket(),
        "number": number,
        "reference": f"E-{number}",
        "issue_description": "It comes back every Monday.",
        "submitted_at": NOW,
        "updated_at": NOW,
    }
    return await models.Escalation.create(**{**row, **given})


async def follower(**given: Any) -> models.Follower:
    on = given.pop("ticket", None) or await ticket()
    row = {
        "ticket": on,
        "organization_id": on.organization_id,
        "user": None if "user" in given else await user(),
        "kind": FollowerKind.INTERNAL,
        "followed_at": NOW,
    }
    return await models.Follower.create(**{**row, **given})


async def feedback(**given: Any) -> models.Feedback:
    row = {"ticket": given.pop("ticket", None) or await ticket(), "rating": 4, "submitted_at": NOW}
    return await models.Feedback.create(**{**row, **given})


async def service_license(**given: Any) -> models.ServiceLicense:
    row = {
        "organization": await organization(),
        "level": next(iter(ServiceLevel)),
        "starts_at": date(2026, 1, 1),
        "ends_at": date(2026, 12, 31),
        "created_at": NOW,
    }
    return await models.ServiceLicense.create(**{**row, **given})


async def service_certificate(**given: Any) -> models.ServiceCertificate:
    row = {
        "organization": given.pop("organization", None) or await organization(),
        "number": f"C-{next(numbers)}",
        "kind": next(iter(CertificateKind)),
        "starts_at": date(2026, 1, 1),
        "ends_at": date(2026, 12, 31),
    }
    return await models.ServiceCertificate.create(**{**row, **given})


async def feed_stream(**given: Any) -> models.FeedStream:
    return await models.FeedStream.create(**{"topic": f"ticket:{next(numbers)}", "epoch": "a1", **given})


async def busy_ticket() -> models.Ticket:
    """A ticket with a row in every table that hangs on it."""
    customer, ann, bob = await organization(), await user(), await user()
    product = await models.Product.create(name="Camera")
    device = await models.Device.create(organization=customer, product=product, name="Left", serial_number="1")
    certificate = await service_certificate(organization=customer)
    await certificate.products.add(product)
    await models.Membership.create(organization=customer, user=ann, role=next(iter(OrganizationRole)), joined_at=NOW)
    busy = await ticket(organization=customer, requester=ann, owner=bob, certificate=certificate)
    await busy.devices.add(device)
    asked = await message(ticket=busy, actor=ann, language="en")
    await message(ticket=busy, actor=bob, sequence=2, public_sequence=2, in_reply_to=asked)
    await attachment(message=asked, uploaded_by=ann)
    raised = await escalation(ticket=busy, submitted_by=bob)
    entry = await models.EscalationEntry.create(
        escalation=raised, sequence=1, stage=EscalationStage.SUBMITTED, entered_at=NOW
    )
    await timeline_event(ticket=busy, sequence=3, public_sequence=3, entry=entry)
    await feedback(ticket=busy, submitted_by=ann)
    await models.Participant.create(ticket=busy, user=bob, role=next(iter(ParticipantRole)), added_at=NOW)
    return busy
