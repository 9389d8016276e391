"""A small world with one of everything that permissions tell apart, and the ways to ask it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tortoise import Model

import models
from domain.enums import (
    CertificateKind,
    ChangeType,
    Confidentiality,
    EscalationStage,
    MemberVisibility,
    OrganizationRole,
    ServiceLevel,
    StaffRole,
    TimelineEventKind,
    Visibility,
)
from models.base import BaseModel
from models.database import reader
from schema.node import global_id, type_name_of
from tests.factories import (
    LONG_AGO,
    make_appointment,
    make_call,
    make_escalation,
    make_event,
    make_follower,
    make_member,
    make_message,
    make_organization,
    make_participant,
    make_request_type,
    make_resource,
    make_staff,
    make_ticket,
)

Json = dict[str, Any]

MEMBERS = {
    "owner": OrganizationRole.OWNER,
    "admin": OrganizationRole.ADMIN,
    "requests": OrganizationRole.SUPPORT_REQUEST_ADMIN,
    "licences": OrganizationRole.LICENSE_MANAGER,
    "member": OrganizationRole.MEMBER,
    "reader": OrganizationRole.READ_ONLY,
    "author": OrganizationRole.MEMBER,
    "helper": OrganizationRole.READ_ONLY,
}
STAFF = {
    "agent": StaffRole.AGENT,
    "lead": StaffRole.LEAD,
    "engineer": StaffRole.ENGINEER,
    "chief": StaffRole.ADMIN,
}
VIEWERS = [*MEMBERS, "stranger", *STAFF, "nobody"]
"""Those of Acme (`author` opened the ticket, `helper` takes part in it), the owner of Other, support, and nobody."""


@dataclass(slots=True)
class World:
    people: dict[str, models.User | None]
    acme: models.Organization
    other: models.Organization
    request_type: models.RequestType
    space: models.Space
    device: models.Device
    ticket: models.Ticket
    message: models.Message
    internal: models.Message
    event: models.TimelineEvent
    attachment: models.Attachment
    participant: models.Participant
    follower: models.Follower
    change: models.TimelineEvent
    feedback: models.Feedback
    call: models.ConferenceCall
    called: models.TimelineEvent
    appointment: models.Appointment
    resource: models.SharedResource
    escalation: models.Escalation
    entry: models.EscalationEntry

    def __getitem__(self, name: str) -> models.User:
        person = self.people[name]
        assert person is not None
        return person

    @property
    def ids(self) -> dict[str, str]:
        """The variables that the documents of these tests name things by."""
        rows = {
            "organization": self.acme,
            "author": self["author"],
            "space": self.space,
            "device": self.device,
            "ticket": self.ticket,
            "message": self.message,
            "internal": self.internal,
            "event": self.event,
            "attachment": self.attachment,
            "participant": self.participant,
            "follower": self.follower,
            "change": self.change,
            "feedback": self.feedback,
            "call": self.call,
            "called": self.called,
            "appointment": self.appointment,
            "resource": self.resource,
            "escalation": self.escalation,
            "entry": self.entry,
        }
        return {name: gid(row) for name, row in rows.items()}


async def make_world(
    visibility: MemberVisibility = MemberVisibility.OPEN,
    confidentiality: Confidentiality = Confidentiality.ORGANIZATION,
) -> World:
    acme = await make_organization("Acme", member_visibility=visibility)
    other = await make_organization("Other")
    people: dict[str, models.User | None] = {"nobody": None}
    for name, role in MEMBERS.items():
        people[name] = await make_member(acme, role, name)
    people["stranger"] = await make_member(other, OrganizationRole.OWNER, "stranger")
    for name, staff_role in STAFF.items():
        people[name] = await make_staff(staff_role, name)
    space, device = await _make_inventory(acme)
    ticket = await make_ticket(
        acme, people["author"], space=space, confidentiality=confidentiality, is_escalated=True, snoozed_until=LONG_AGO
    )
    await ticket.devices.add(device)
    assert people["helper"]
    participant = await make_participant(ticket, people["helper"])
    follower = await make_follower(ticket, email="boss@elsewhere.example", added_by=people["author"])
    message = await make_message(ticket, people["author"], "It is broken")
    internal = await make_message(ticket, people["agent"], "Customer is upset", Visibility.INTERNAL)
    escalation = await make_escalation(ticket, submitted_by=people["agent"], entry_count=1)
    entry = await _make_entry(escalation)
    call = await make_call(ticket, join_url="https://meet.example/1", passcode="4711")
    return World(
        people=people,
        acme=acme,
        other=other,
        request_type=await make_request_type(),
        space=space,
        device=device,
        ticket=ticket,
        message=message,
        internal=internal,
        event=await make_event(
            ticket, TimelineEventKind.ESCALATION, entry=entry, occurred_at=LONG_AGO + timedelta(hours=1)
        ),
        attachment=await _make_attachment(message),
        participant=participant,
        follower=follower,
        change=await _make_change(ticket, follower, people["author"]),
        feedback=await models.Feedback.create(ticket=ticket, rating=4, submitted_at=LONG_AGO),
        call=call,
        called=await make_event(ticket, TimelineEventKind.CALL, conference_call=call, new_value=call.status),
        appointment=await make_appointment(ticket),
        resource=await make_resource(ticket, shared_by=people["agent"]),
        escalation=escalation,
        entry=entry,
    )


def gid(row: BaseModel) -> str:
    """The id that the API gives a row."""
    return global_id(type_name_of(row), row.id)


def objects(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    """Every object of an answer, with its path."""
    if isinstance(value, dict):
        yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, each in inner:
        yield from objects(each, (*path, step))


def codes(errors: list[Any]) -> list[str | None]:
    return [(error.extensions or {}).get("code") for error in errors]


def said(errors: list[Any]) -> list[Json]:
    """Errors as a client reads them, but for where in the document they arose."""
    return [{"message": e.message, "path": e.path, "extensions": e.extensions} for e in errors]


async def everything_stored() -> dict[str, list[str]]:
    """Every row of every table, the log and its streams' heads among them."""
    found: dict[str, list[str]] = {}
    for table in sorted(_tables()):
        rows = await reader().execute_query_dict(f'SELECT * FROM "{table}"')
        found[table] = sorted(repr(sorted(row.items())) for row in rows)
    return found


@asynccontextmanager
async def nothing_changes() -> AsyncIterator[None]:
    """What is refused leaves no trace: no row is written, no number is taken, nothing is announced."""
    before = await everything_stored()
    yield
    after = await everything_stored()
    assert {table for table in before if before[table] != after[table]} == set()


JOINING = {"ticket_device", "certificate_product", "ticket_draft_device"}
"""Tables that join others, which have no model."""


def _tables() -> set[str]:
    kinds = [each for each in vars(models).values() if isinstance(each, type) and issubclass(each, Model)]
    return {each._meta.db_table for each in kinds if not each._meta.abstract} | JOINING


async def _make_inventory(acme: models.Organization) -> tuple[models.Space, models.Device]:
    space = await models.Space.create(organization=acme, kind=models.SpaceKind.ROOM, name="Rome")
    product = await models.Product.create(name="Camera")
    device = await models.Device.create(
        organization=acme, product=product, space=space, name="Camera 1", serial_number="SN-1"
    )
    days: Json = {"starts_at": date(2026, 1, 1), "ends_at": date(2026, 12, 31)}
    await models.ServiceLicense.create(
        organization=acme, space=space, level=ServiceLevel.SELECT, created_at=LONG_AGO, **days
    )
    await models.ServiceCertificate.create(organization=acme, number="C-1", kind=CertificateKind.SERVICES, **days)
    return space, device


async def _make_entry(escalation: models.Escalation) -> models.EscalationEntry:
    return await models.EscalationEntry.create(
        escalation=escalation,
        sequence=1,
        stage=EscalationStage.SUBMITTED,
        entered_at=LONG_AGO,
        note="We are on it",
        internal_note="Known defect 17",
    )


async def _make_change(
    ticket: models.Ticket, follower: models.Follower, person: models.User | None
) -> models.TimelineEvent:
    """As if the person had begun to follow; the follower is another, so that each is reached by a way of its own."""
    return await make_event(
        ticket,
        TimelineEventKind.PARTICIPANT,
        occurred_at=LONG_AGO + timedelta(hours=2),
        new_value=ChangeType.ADDED,
        follower_id=follower.id,
        user=person,
    )


async def _make_attachment(message: models.Message) -> models.Attachment:
    return await models.Attachment.create(
        message=message,
        ticket_id=message.ticket_id,
        visibility=message.visibility,
        file_name="log.txt",
        media_type="text/plain",
        size_bytes=1,
        checksum="0" * 64,
        created_at=LONG_AGO,
        stored_at=LONG_AGO,
    )
