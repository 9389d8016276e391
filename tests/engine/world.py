"""One world in which everything that may be null is null somewhere, made once for many questions.

Rows are kept by name, so that a question can be asked again of another database, whose ids are others.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import models
from domain.enums import (
    CertificateKind,
    ChangeType,
    ClosureReason,
    Confidentiality,
    EscalationStage,
    MemberVisibility,
    MessageKind,
    OrganizationRole,
    ResolutionReason,
    ServiceLevel,
    StaffRole,
    TicketChannel,
    TicketLinkKind,
    TicketPriority,
    TicketStatus,
    TimelineEventKind,
    Visibility,
)
from models.base import BaseModel
from models.feed import FeedStream
from schema.node import global_id, type_name_of
from tests.factories import (
    LONG_AGO,
    make_appointment,
    make_article,
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
    make_user,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAYS: dict[str, Any] = {"starts_at": date(2026, 1, 1), "ends_at": date(2026, 12, 31)}


@dataclass(slots=True)
class World:
    people: dict[str, models.User | None] = field(default_factory=dict)
    organizations: dict[str, models.Organization] = field(default_factory=dict)
    rows: dict[type[BaseModel], list[Any]] = field(default_factory=dict)

    def keep(self, row: Any) -> Any:
        self.rows.setdefault(type(row), []).append(row)
        return row

    def ids(self, *kinds: type[BaseModel]) -> list[str]:
        """The API's ids of rows of these tables, in the order of their making."""
        return [global_id(type_name_of(row), row.id) for kind in kinds for row in self.rows[kind]]


async def make_world() -> World:
    world = World()
    await _organizations(world)
    await _people(world)
    await _catalog(world)
    await _inventory(world)
    await _tickets(world)
    for number, ticket in enumerate(world.rows[models.Ticket]):
        await _conversation(world, ticket, number)
        await _around(world, ticket, number)
    return world


async def _organizations(world: World) -> None:
    given: dict[str, dict[str, Any]] = {
        "acme": {"domains": ["acme.example", "acme.test"]},
        "own": {"member_visibility": MemberVisibility.OWN},
        "old": {"history_starts_at": LONG_AGO + 3 * HOUR, "domains": ["old.example"]},
        "other": {},
        "bare": {},
    }
    for name, values in given.items():
        world.organizations[name] = world.keep(await make_organization(name.title(), **values))
    world.organizations["own"].partner = world.organizations["acme"]
    await world.organizations["own"].save()


async def _people(world: World) -> None:
    places = world.organizations
    for role in OrganizationRole:
        world.people[role.lower()] = await make_member(places["acme"], role, role.lower())
    for name in ("old", "own", "other"):
        world.people[f"{name} member"] = await make_member(places[name], OrganizationRole.MEMBER, f"{name} member")
    world.people["other owner"] = await make_member(places["other"], OrganizationRole.OWNER, "other owner")
    for staff_role in StaffRole:
        world.people[staff_role.lower() + " of staff"] = await make_staff(staff_role, f"staff {staff_role.lower()}")
    both = await make_member(places["acme"], OrganizationRole.READ_ONLY, "both")
    for name, role in (("own", OrganizationRole.OWNER), ("old", OrganizationRole.LICENSE_MANAGER)):
        await models.Membership.create(organization=places[name], user=both, role=role, joined_at=LONG_AGO)
    world.people["both"] = both
    world.people["stranger"] = await make_user("stranger", locale="pt-BR", time_zone="Europe/Rome")
    gone = await make_user("switched off", is_active=False, avatar_url="https://example.com/off.png")
    for person in [*world.people.values(), gone]:
        world.keep(person)
    world.people["nobody"] = None


async def _catalog(world: World) -> None:
    bare = world.keep(await make_request_type("BARE"))
    full = world.keep(await make_request_type("FULL", required_certificate_kind=CertificateKind.SERVICES))
    world.keep(await models.SupportProject.get(id=full.project_id))
    for name in ("Picture", "Sound"):
        world.keep(await models.Classification.create(request_type=full, name=name))
        world.keep(await models.IssueType.create(request_type=full, name=name, appointments_available=name == "Sound"))
    world.keep(await models.IssueType.create(request_type=bare, name="Sound"))
    camera, _ = [world.keep(await models.Product.create(name=name)) for name in ("Camera", "Microphone")]
    for number, until in (("1", None), ("2", date(2027, 6, 30))):
        version = await models.ProductVersion.create(product=camera, name=number, supported_until=until)
        for update, released in (("a", None), ("b", date(2026, 2, 3))):
            world.keep(await models.ProductUpdate.create(version=version, name=update, released_at=released))
        world.keep(version)
    for name in ("acme", "own"):
        place = world.organizations[name]
        given: dict[str, Any] = {"organization": place, "number": f"C-{name}", "kind": CertificateKind.TRAINING}
        world.keep(await models.ServiceCertificate.create(**given, **DAYS))


async def _inventory(world: World) -> None:
    camera, microphone = world.rows[models.Product]
    for name in ("acme", "own", "old"):
        place = world.organizations[name]
        tower = world.keep(await models.SpaceGroup.create(organization=place, name="Tower"))
        floor = world.keep(await models.SpaceGroup.create(organization=place, name="Floor", parent=tower))
        spaces: list[dict[str, Any]] = [
            {"name": "Rome", "group": floor, "kind": models.SpaceKind.ROOM, "capacity": 12},
            {"name": "Oslo", "group": tower, "kind": models.SpaceKind.DESK},
            {"name": "Rome", "kind": models.SpaceKind.ROOM},
            {"name": "Bern", "group": floor, "kind": models.SpaceKind.DESK},
        ]
        rooms = [world.keep(await models.Space.create(organization=place, **given)) for given in spaces]
        for number, room in enumerate([rooms[0], rooms[0], rooms[1], None, None]):
            given: dict[str, Any] = {"organization": place, "product": (camera, microphone)[number % 2], "space": room}
            named: dict[str, Any] = {
                "name": "Same" if number < 2 else f"D{number}",
                "serial_number": f"{name}-{number}".upper(),
            }
            world.keep(await models.Device.create(**given, **named, firmware_version="1.2" if number % 2 else None))
        for level, room in ((ServiceLevel.SELECT, rooms[0]), (ServiceLevel.ESSENTIAL, None)):
            given = {"organization": place, "space": room, "level": level, "created_at": LONG_AGO}
            world.keep(await models.ServiceLicense.create(**given, **DAYS))


async def _tickets(world: World) -> None:
    """Three of four share the hour of their last activity, so that pages end among equals."""
    people, places = world.people, world.organizations
    full, camera = world.rows[models.RequestType][1], world.rows[models.Product][0]
    version = world.rows[models.ProductVersion][1]
    rooms = {name: [r for r in world.rows[models.Space] if r.organization_id == p.id] for name, p in places.items()}
    everything: dict[str, Any] = {
        "request_type": full,
        "project_id": full.project_id,
        "classification": world.rows[models.Classification][0],
        "issue_type": world.rows[models.IssueType][1],
        "product": camera,
        "product_version": version,
        "product_update": world.rows[models.ProductUpdate][3],
        "certificate": world.rows[models.ServiceCertificate][0],
        "space": rooms["acme"][0],
        "assignee": people["agent of staff"],
        "on_behalf_of": places["own"],
        "language": "en",
        "first_responded_at": LONG_AGO + HOUR,
        "hold_until": LONG_AGO + 9 * DAY,
        "snoozed_until": LONG_AGO + DAY,
        "status": TicketStatus.ON_HOLD,
        "priority": TicketPriority.URGENT,
    }
    over: dict[str, Any] = {
        "status": TicketStatus.CLOSED,
        "resolved_at": LONG_AGO + DAY,
        "closed_at": LONG_AGO + 2 * DAY,
        "resolution_reason": ResolutionReason.DUPLICATE,
        "closure_reason": ClosureReason.MERGED,
    }
    resolved: dict[str, Any] = {"status": TicketStatus.RESOLVED, "resolved_at": LONG_AGO + DAY}
    plans: list[tuple[str, str | None, dict[str, Any]]] = [
        ("acme", "member", everything),
        ("acme", "member", {}),
        ("acme", "member", {"confidentiality": Confidentiality.AUTHOR_ONLY, "space": rooms["acme"][1]}),
        ("acme", "read_only", {"owner": people["owner"], "is_escalated": True, "channel": TicketChannel.PHONE}),
        ("acme", None, {"product": camera, "is_imported": True}),
        ("acme", "both", over),
        ("acme", "owner", {**resolved, "locked": True, "space": rooms["acme"][0]}),
        ("own", "own member", {"space": rooms["own"][2], "assignee": people["lead of staff"]}),
        ("own", "both", {"status": TicketStatus.NEW, "request_type": world.rows[models.RequestType][0]}),
        ("old", "old member", {"created_at": LONG_AGO + 2 * HOUR}),
        ("old", "old member", {"created_at": LONG_AGO + 4 * HOUR, "status": TicketStatus.PENDING_CUSTOMER}),
        ("old", None, {"created_at": LONG_AGO + 3 * HOUR, "is_escalated": True, "on_behalf_of": places["acme"]}),
        ("other", "other owner", {}),
    ]
    for number, (place, requester, given) in enumerate(plans):
        at = {"last_activity_at": LONG_AGO + (10 + number // 4) * HOUR, "updated_at": LONG_AGO + (number % 3) * HOUR}
        person = people[requester] if requester else None
        ticket = await make_ticket(places[place], person, **{"subject": f"Subject {number}", **at, **given})
        world.keep(ticket)
        for device in [d for d in world.rows[models.Device] if d.organization_id == ticket.organization_id][:number]:
            await ticket.devices.add(device)


async def _conversation(world: World, ticket: models.Ticket, number: int) -> None:
    """As many messages as the ticket's number, of every kind, some of them from nobody, some for staff alone."""
    agent, requester = world.people["agent of staff"], await models.User.get_or_none(id=ticket.requester_id)
    before: models.Message | None = None
    for turn in range(number):
        visibility = Visibility.INTERNAL if turn % 3 == 2 else Visibility.PUBLIC
        given: dict[str, Any] = {
            "kind": list(MessageKind)[turn % 3],
            "in_reply_to": before if turn % 2 else None,
            "occurred_at": LONG_AGO + turn * HOUR,
            "automatic": turn % 4 == 3,
        }
        if turn % 2:
            given |= {"language": "de", "edited_at": LONG_AGO + DAY, "client_message_id": f"key {turn}"}
        if given["kind"] is MessageKind.EMAIL and turn % 2:
            given |= {"email_subject": "Re: it", "email_from": "ann@example.com"}
        author = (requester, agent, None)[turn % 3] if turn % 4 != 3 else None
        before = world.keep(await make_message(ticket, author, f"Message {turn}", visibility, **given))
        for file in range(turn % 3):
            world.keep(
                await models.Attachment.create(
                    message=before,
                    ticket=ticket,
                    visibility=visibility,
                    uploaded_by=author,
                    file_name=f"file {file}",
                    media_type="text/plain",
                    size_bytes=10 * file,
                    checksum="0" * 64,
                    created_at=LONG_AGO,
                    stored_at=LONG_AGO if file else None,
                )
            )


async def _around(world: World, ticket: models.Ticket, number: int) -> None:
    people = world.people
    for person in [people["own member"], people["read_only"], people["old member"]][: number % 4]:
        assert person is not None
        world.keep(await make_participant(ticket, person))
    follower = None
    for person in [None, people["member"], people["own member"]][: number % 4]:
        follower = world.keep(await make_follower(ticket, person, added_by=people["owner"] if person else None))
    if number % 2 == 0:
        await _changes_of_people(world, ticket, follower)
    if number % 3 == 0:
        ended = {"stage": EscalationStage.RESOLVED, "resolved_at": LONG_AGO + DAY}
        await _escalation(world, ticket, 2, ended)
        await _escalation(world, ticket, 3, {"submitted_by": people["engineer of staff"]})
    if number % 4 == 1:
        by = people["member"] if number % 8 == 1 else None
        given: dict[str, Any] = {"rating": 1 + number % 5, "comment": "Fine" if by else None, "submitted_by": by}
        world.keep(await models.Feedback.create(ticket=ticket, submitted_at=LONG_AGO, **given))
    await _told_besides(world, ticket, number)
    if number % 5 == 0:
        author = people["own member"] if number % 2 else people["agent of staff"]
        given = {"origin": "AUTOSAVE", "created_at": LONG_AGO, "updated_at": LONG_AGO + number * HOUR}
        given |= {"organization_id": ticket.organization_id, "subject": "Half written"} if number % 2 else {}
        world.keep(await models.TicketDraft.create(author=author, **given))
    if number % 2:
        for suffix, head in (("", 7 + number), (":pub", 3 + number)):
            await FeedStream.create(topic=f"ticket:{ticket.id}{suffix}", epoch="abcdefgh", head=head, floor=0)


async def _told_besides(world: World, ticket: models.Ticket, number: int) -> None:
    """Calls, appointments, resources and links: what is over, what is coming, and what is gone."""
    if number % 3 == 1:
        by = world.people["agent of staff"] if number % 2 else None
        over = await make_call(ticket, status="CANCELLED")
        coming = await make_call(ticket, status="ACCEPTED", join_url="https://meet.example/1", scheduled_by=by)
        for call in (over, coming):
            given: dict[str, Any] = {"conference_call": world.keep(call), "new_value": call.status}
            world.keep(await make_event(ticket, TimelineEventKind.CALL, **given))
        articles = [world.keep(await make_article(f"For {each}", visibility=each)) for each in Visibility]
        for shared in ({"shared_by": by}, *({"article": each} for each in articles)):
            resource = world.keep(await make_resource(ticket, **shared))
            world.keep(await make_event(ticket, TimelineEventKind.RESOURCE, resource=resource))
    if number % 4 == 2:
        booked = world.keep(await make_appointment(ticket, engineer=world.people["agent of staff"]))
        world.keep(await make_event(ticket, TimelineEventKind.CALL, appointment=booked, new_value=booked.status))
        both = {"source": world.rows[models.Ticket][0], "target": ticket, "created_at": LONG_AGO}
        link = world.keep(await models.TicketLink.create(kind=TicketLinkKind.RELATED_TO, **both))
        world.keep(await make_event(ticket, TimelineEventKind.LINK, link=link, new_value=ChangeType.ADDED))
        world.keep(await make_event(ticket, TimelineEventKind.LINK, new_value=ChangeType.REMOVED))


async def _changes_of_people(world: World, ticket: models.Ticket, follower: models.Follower | None) -> None:
    """Somebody put on the ticket, a follower who may be there, and one who was taken off again."""
    participant = await models.Participant.get_or_none(ticket=ticket, user=world.people["own member"])
    for given in (
        {"new_value": ChangeType.ADDED, "participant_id": participant and participant.id, "user": world.people["both"]},
        {"new_value": ChangeType.ADDED, "follower_id": follower and follower.id},
        {"new_value": ChangeType.REMOVED, "user": world.people["member"]},
    ):
        sequence, public_sequence = ticket.number_item(Visibility.PUBLIC)
        await ticket.save()
        values: dict[str, Any] = {"sequence": sequence, "public_sequence": public_sequence, **given}
        world.keep(
            await models.TimelineEvent.create(
                ticket=ticket,
                kind=TimelineEventKind.PARTICIPANT,
                visibility=Visibility.PUBLIC,
                occurred_at=LONG_AGO,
                **values,
            )
        )


async def _escalation(world: World, ticket: models.Ticket, entries: int, given: dict[str, Any]) -> None:
    escalation = world.keep(await make_escalation(ticket, **{"entry_count": entries, **given}))
    for sequence in range(1, entries + 1):
        world.keep(
            await models.EscalationEntry.create(
                escalation=escalation,
                sequence=sequence,
                stage=list(EscalationStage)[sequence - 1],
                entered_at=LONG_AGO + sequence * HOUR,
                actor=world.people["agent of staff"] if sequence == 1 else None,
                automatic=sequence == 2,
                note="On it" if sequence % 2 else None,
                internal_note="Defect 17" if sequence > 1 else None,
                estimated_resolution_at=LONG_AGO + DAY if sequence == 3 else None,
            )
        )
