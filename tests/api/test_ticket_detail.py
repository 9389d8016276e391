"""What a ticket's page shows besides its conversation: deadlines, whom to ask, coverage, headers of e-mails."""

from datetime import timedelta
from typing import Any

import pytest

import models
from domain.enums import LifecyclePreset, MessageKind, ParticipantRole, TicketStatus
from engine.instants import instant_text
from tests.api.world import gid, make_world
from tests.clock import Clock
from tests.conftest import AsUser
from tests.engine.desk import planned_desk, viewer_of
from tests.factories import LONG_AGO, make_member, make_message, make_organization, make_participant, make_ticket

pytestmark = pytest.mark.anyio

DETAIL = """query($t: ID!) { ticket(id: $t) { subject reference status displayStatus createdAt updatedAt description
  assignee { displayName } requester { displayName } participants { nodes { role user { displayName } } }
  followers { nodes { kind user { displayName } } } resources { title url sharedBy { displayName } }
  activeEscalation { reference stage timeline { nodes { stage note enteredAt } } } } }"""
TIMES = "query($t: ID!) { ticket(id: $t) { autoResolveAt autoCloseAt reopenDeadline } }"


@pytest.mark.parametrize(
    ("preset", "days"), [(LifecyclePreset.WEEK, timedelta(days=7)), (LifecyclePreset.HOURS_72, timedelta(hours=72))]
)
async def test_a_ticket_says_when_what_happens_by_itself_would_happen(
    as_user: AsUser, clock: Clock, preset: LifecyclePreset, days: timedelta
) -> None:  # S63, S64, S65
    acme = await make_organization(lifecycle_preset=preset)
    ann = await make_member(acme)
    nothing = {"autoResolveAt": None, "autoCloseAt": None, "reopenDeadline": None}
    end, week = instant_text(clock() + days), instant_text(clock() + timedelta(days=7))

    for status, given, expected in (
        (TicketStatus.OPEN, {}, nothing),
        (TicketStatus.ON_HOLD, {"waiting_since": clock()}, nothing),
        (TicketStatus.PENDING_CUSTOMER, {"waiting_since": clock()}, nothing | {"autoResolveAt": week}),
        (TicketStatus.RESOLVED, {"resolved_at": clock()}, nothing | {"autoCloseAt": end, "reopenDeadline": end}),
        (TicketStatus.CLOSED, {"resolved_at": clock(), "closed_at": clock()}, nothing),
    ):
        ticket = await make_ticket(acme, ann, status=status, **given)
        assert (await as_user(ann).ask(TIMES, t=gid(ticket)))["ticket"] == expected, status


async def test_a_resolved_ticket_keeps_the_times_that_it_was_resolved_under(
    as_user: AsUser, clock: Clock
) -> None:  # S64, S65
    acme = await make_organization(lifecycle_preset=LifecyclePreset.WEEK)
    ann = await make_member(acme)
    given: Any = {"status": TicketStatus.RESOLVED, "resolved_at": clock(), "resolved_under": LifecyclePreset.HOURS_72}

    found = (await as_user(ann).ask(TIMES, t=gid(await make_ticket(acme, ann, **given))))["ticket"]

    assert found["reopenDeadline"] == found["autoCloseAt"] == instant_text(clock() + timedelta(hours=72))


@pytest.mark.parametrize("name", ["author", "helper", "owner", "member", "reader", "agent"])
async def test_a_tickets_page_shows_who_is_on_it_how_far_it_is_and_what_was_shared(as_user: AsUser, name: str) -> None:
    """S41, S44, S45, S46: to everybody who reads it the same; and nothing at all to a stranger."""
    world = await make_world()
    world.ticket.assignee = world["agent"]
    await world.ticket.save()

    found = (await as_user(world[name]).ask(DETAIL, t=gid(world.ticket)))["ticket"]

    at = instant_text(LONG_AGO)
    assert found == {
        "subject": "The camera stays black",
        "reference": world.ticket.reference,
        "status": "OPEN",
        "displayStatus": "ESCALATED",
        "createdAt": at,
        "updatedAt": at,
        "description": "It did so since Monday.",
        "assignee": {"displayName": "agent"},
        "requester": {"displayName": "author"},
        "participants": {"nodes": [{"role": "PARTICIPANT", "user": {"displayName": "helper"}}]},
        "followers": {"nodes": [{"kind": "EXTERNAL_EMAIL_ONLY", "user": None}]},
        "resources": [
            {
                "title": "How to reset the camera",
                "url": "https://help.example/camera",
                "sharedBy": {"displayName": "agent"},
            }
        ],
        "activeEscalation": {
            "reference": world.escalation.reference,
            "stage": "SUBMITTED",
            "timeline": {"nodes": [{"stage": "SUBMITTED", "note": "We are on it", "enteredAt": at}]},
        },
    }
    assert await as_user(world["stranger"]).ask(DETAIL, t=gid(world.ticket)) == {"ticket": None}


async def test_the_first_contact_is_asked_first_and_else_who_opened_it(as_user: AsUser) -> None:  # S45
    acme = await make_organization()
    ann, bob, cleo = [await make_member(acme, name=name) for name in ("Ann", "Bob", "Cleo")]
    ticket, nobodys = await make_ticket(acme, ann), await make_ticket(acme, None)
    ask = "query($t: ID!) { ticket(id: $t) { primaryContact { displayName } } }"

    await make_participant(ticket, cleo)
    assert (await as_user(ann).ask(ask, t=gid(ticket)))["ticket"]["primaryContact"] == {"displayName": "Ann"}
    assert (await as_user(ann).ask(ask, t=gid(nobodys)))["ticket"]["primaryContact"] is None

    await models.Participant.create(ticket=ticket, user=bob, role=ParticipantRole.CONTACT, added_at=LONG_AGO)
    assert (await as_user(ann).ask(ask, t=gid(ticket)))["ticket"]["primaryContact"] == {"displayName": "Bob"}


async def test_a_ticket_about_a_room_shows_the_coverage_it_was_opened_under(as_user: AsUser) -> None:  # S92
    acme = await make_organization()
    ann = await make_member(acme)
    room = await models.Space.create(organization=acme, kind=models.SpaceKind.ROOM, name="Rome")
    ask = "query($t: ID!) { ticket(id: $t) { coverage { level responseTarget channels } } }"

    there = await make_ticket(acme, ann, space=room, service_level="ESSENTIAL")
    elsewhere = await make_ticket(acme, ann)

    assert (await as_user(ann).ask(ask, t=gid(there)))["ticket"]["coverage"] == {
        "level": "ESSENTIAL",
        "responseTarget": "PT8H",
        "channels": ["PORTAL", "EMAIL", "CHAT", "PHONE"],
    }
    assert (await as_user(ann).ask(ask, t=gid(elsewhere)))["ticket"]["coverage"] is None


async def test_an_e_mail_shows_what_is_recorded_of_its_headers(as_user: AsUser) -> None:  # S47, S50
    acme = await make_organization()
    ann = await make_member(acme)
    ticket = await make_ticket(acme, ann)
    headers = {
        "to": ["help@desk.example"],
        "cc": ["bob@acme.example"],
        "messageId": "<2@acme>",
        "references": ["<1@a>"],
    }
    mail: dict[str, Any] = {"kind": MessageKind.EMAIL, "email_subject": "Re: it", "email_from": "ann@acme.example"}
    await make_message(ticket, ann, "Dear all", email_headers=headers, **mail)
    await make_message(ticket, ann, "Bare", kind=MessageKind.EMAIL)
    ask = """query($t: ID!) { ticket(id: $t) { emails { nodes {
      subject from to cc messageId references } } } }"""

    found = (await as_user(ann).ask(ask, t=gid(ticket)))["ticket"]["emails"]["nodes"]

    assert found == [
        {"subject": "Re: it", "from": "ann@acme.example", **headers},
        {"subject": "", "from": None, "to": [], "cc": [], "messageId": None, "references": []},
    ]


async def test_lists_show_them_in_a_few_statements(db: str, clock: Clock) -> None:  # J5
    acme = await make_organization()
    ann = await make_member(acme)
    document = """query($n: Int) { tickets(scope: ALL, filter: {}, first: $n) { nodes {
      autoResolveAt autoCloseAt reopenDeadline primaryContact { displayName } coverage { level } } } }"""
    for _ in range(6):
        await make_ticket(acme, ann, status=TicketStatus.RESOLVED, resolved_at=clock())
    viewer = await viewer_of(ann)

    async with planned_desk(db) as planned:
        counts = []
        for first in (1, 6):
            before = planned.engine.stats["statements"]
            assert await planned.agreed(document, viewer, {"n": first}) is not None
            counts.append(planned.engine.stats["statements"] - before)

    assert counts[0] == counts[1]
