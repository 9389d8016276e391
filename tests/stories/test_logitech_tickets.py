"""Logitech Sync, a ticket of a meeting room: opened where the device stands, an appointment for it, and seven days to
come back to it (S10, S24-S28, S32, S33, S62-S64, S66-S71, S90-S95).
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import models
from domain.enums import LifecyclePreset, OrganizationRole, ServiceLevel
from tests.api.world import gid
from tests.databases import ENGINES
from tests.factories import LONG_AGO, make_member, make_organization, make_request_type, make_staff
from tests.stories.portal import Portal, open_portal, until

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

WEEK, SECOND, DAY = timedelta(days=7), timedelta(seconds=1), timedelta(days=1)

ORGANIZATIONS = "{ viewer { organizations { id name viewerRole } } }"
INVENTORY = """query($o: ID!) { organization(id: $o) {
  groups { name spaces(first: 9) { nodes { id name serviceLevel } } }
  licenses(first: 9) { nodes { level isActive space { name } } } } }"""
ROOM = """query($s: ID!) { room(id: $s) { name group { name } coverage { level benefits responseTarget channels }
  devices(first: 9) { nodes { id name serialNumber } } tickets { nodes { reference } } } }"""
NUMBER = """query($o: ID!, $n: String!) { deviceBySerialNumber(organizationId: $o, serialNumber: $n) {
  id space { name } } }"""
ISSUES = "query($o: ID!) { requestTypes(organizationId: $o) { key issueTypes { id name appointmentsAvailable } } }"
DRAFT = """query($d: ID!) { draft(id: $d) { subject space { name } devices { name } issueType { name } } }"""
LIST = """query($o: ID!) { tickets(scope: ORGANIZATION, organizationId: $o) { nodes {
  reference subject priority severity appointment { status startsAt } } } }"""
LIVE = """subscription($o: ID!) { tickets(scope: ORGANIZATION, organizationId: $o) { __typename
  ... on TicketChange { changeType ticket { reference subject } } } }"""
TICKET = """subscription($t: ID!) { ticket(ticketId: $t) { __typename ... on TicketChange {
  ticket { status resolutionReason closureReason appointment { status } assignee { displayName } } } } }"""
DETAIL = """query($t: ID!) { ticket(id: $t) { reference status space { name } devices { nodes { serialNumber } }
  coverage { level } issueType { name } priority severity autoResolveAt autoCloseAt reopenDeadline
  notice { offersLinkedTicket referenceToQuote } followUpOf { reference } holdUntil
  viewerPermissions {
    canReply replyBlockedReason canScheduleAppointment appointmentBlockedReason canLeaveFeedback } } }"""


@pytest.fixture(params=ENGINES)
async def portal(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Portal]:
    """Ann is of two organizations; Lea gives out licences, Olga owns, Rita looks on."""
    async with open_portal(request.param, tmp_path, monkeypatch, lifecycle_preset=LifecyclePreset.WEEK) as portal:
        for name, role in (("Ann", "MEMBER"), ("Olga", "OWNER"), ("Lea", "LICENSE_MANAGER"), ("Rita", "READ_ONLY")):
            portal.people[name] = await make_member(portal.acme, OrganizationRole(role), name)
        other = await make_organization("Branch")
        await models.Membership.create(organization=other, user=portal.people["Ann"], role="MEMBER", joined_at=LONG_AGO)
        portal.people["Sam"] = await make_staff(name="Sam")
        await furnish(portal)
        yield portal


async def furnish(portal: Portal) -> None:
    """A floor with a room of two devices and a full plan, and a desk with neither; calendars are looked at by
    appointment."""
    floor = await models.SpaceGroup.create(organization=portal.acme, name="Third floor")
    room, _ = [
        await models.Space.create(organization=portal.acme, kind=models.SpaceKind(kind), name=name, group=floor)
        for kind, name in (("ROOM", "Rome"), ("DESK", "Desk 7"))
    ]
    bar = await models.Product.create(name="Rally Bar")
    for name, number in (("Camera", "SN-77"), ("Panel", "SN-78")):
        await models.Device.create(organization=portal.acme, product=bar, space=room, name=name, serial_number=number)
    today = portal.clock.now.date()
    await models.ServiceLicense.create(
        organization=portal.acme, space=room, level=ServiceLevel.SELECT, created_at=LONG_AGO,
        starts_at=today - DAY, ends_at=today + 300 * DAY,
    )  # fmt: skip
    kind = await make_request_type()
    for name, on_a_date in (("Calendar", True), ("Video", False)):
        await models.IssueType.create(request_type=kind, name=name, appointments_available=on_a_date)


async def issue_types(portal: Portal) -> dict[str, str]:
    (kind,) = (await portal.asks("Ann", ISSUES, o=gid(portal.acme)))["requestTypes"]
    assert [(each["name"], each["appointmentsAvailable"]) for each in kind["issueTypes"]] == [
        ("Calendar", True),
        ("Video", False),
    ]
    return {each["name"]: each["id"] for each in kind["issueTypes"]}


async def test_a_ticket_is_opened_from_the_room_where_the_device_stands(portal: Portal) -> None:
    """S10, S24-S28, S33, S90-S93."""
    # Ann picks the organization, walks through its inventory, and finds the room with its plan.
    places = (await portal.asks("Ann", ORGANIZATIONS))["viewer"]["organizations"]
    here = {each["name"]: each["id"] for each in places}["Acme"]
    assert [(each["name"], each["viewerRole"]) for each in places] == [("Acme", "MEMBER"), ("Branch", "MEMBER")]
    seen = (await portal.asks("Lea", INVENTORY, o=here))["organization"]
    (floor,) = seen["groups"]
    assert [(each["name"], each["serviceLevel"]) for each in floor["spaces"]["nodes"]] == [
        ("Desk 7", "BASIC"),
        ("Rome", "SELECT"),
    ]
    assert seen["licenses"]["nodes"] == [{"level": "SELECT", "isActive": True, "space": {"name": "Rome"}}]  # S91
    assert await portal.refused("Ann", INVENTORY, o=here) == "FORBIDDEN", "the plans are not hers to see"
    rome = floor["spaces"]["nodes"][1]["id"]
    room = (await portal.asks("Ann", ROOM, s=rome))["room"]
    assert (room["group"], room["coverage"]["level"], room["tickets"]["nodes"]) == (
        {"name": "Third floor"},
        "SELECT",
        [],
    )
    assert {each["name"]: each["serialNumber"] for each in room["devices"]["nodes"]} == {
        "Camera": "SN-77",
        "Panel": "SN-78",
    }

    # The number on the device is checked: in this organization, and in this room.
    assert (await portal.asks("Ann", NUMBER, o=here, n="SN-99"))["deviceBySerialNumber"] is None
    camera = (await portal.asks("Ann", NUMBER, o=here, n=" sn-77"))["deviceBySerialNumber"]
    assert camera["space"] == {"name": "Rome"}
    form = {"organizationId": here, "requestTypeKey": "TECHNICAL", "subject": "Nobody can book the room"}
    form |= {"issueTypeId": (await issue_types(portal))["Calendar"], "deviceIds": [camera["id"]]}
    desk = {**form, "description": "x", "spaceId": floor["spaces"]["nodes"][0]["id"]}
    assert await portal.code("Ann", "ticketCreate", **desk) == "NOT_FOUND"

    # Looked through before it is sent; then it is on top of everybody's list at once, by a reference of its own.
    form |= {"spaceId": rome, "description": "Since the update."}
    draft = (await portal.did("Ann", "draftSave", "draft { id }", **form))["draft"]["id"]
    assert (await portal.asks("Ann", DRAFT, d=draft))["draft"] == {
        "subject": "Nobody can book the room",
        "space": {"name": "Rome"},
        "devices": [{"name": "Camera"}],
        "issueType": {"name": "Calendar"},
    }
    live = await portal.watches("Olga", LIVE, o=here)
    made = (await portal.did("Ann", "draftSubmit", "ticket { id reference }", draftId=draft))["ticket"]
    change = await live.next()
    assert (change["changeType"], change["ticket"]["reference"]) == ("ADDED", made["reference"])
    assert made["reference"].startswith("T-")
    detail = (await portal.asks("Rita", DETAIL, t=made["id"]))["ticket"]
    assert (detail["space"], detail["coverage"], detail["issueType"]) == (
        {"name": "Rome"},
        {"level": "SELECT"},
        {"name": "Calendar"},
    )
    assert (await portal.asks("Ann", ROOM, s=rome))["room"]["tickets"]["nodes"] == [{"reference": made["reference"]}]

    # A room is no must; how bad it is can be said.
    urgent = {"priority": "URGENT", "severity": "CRITICAL"}
    await portal.opens("Ann", "All screens are dark", **urgent)
    rows = (await portal.asks("Olga", LIST, o=here))["tickets"]["nodes"]
    assert [(row["subject"], row["priority"], row["severity"]) for row in rows] == [
        ("All screens are dark", "URGENT", "CRITICAL"),
        ("Nobody can book the room", "NORMAL", "UNKNOWN"),
    ]
    assert await portal.code("Rita", "ticketCreate", **{**desk, "spaceId": rome}) == "FORBIDDEN"  # S15


async def test_an_appointment_is_made_once_somebody_handles_it_and_shows_in_the_list(portal: Portal) -> None:
    """S94, S95, S46."""
    issues = await issue_types(portal)
    ticket = await portal.opens("Ann", "No calendar", issueTypeId=issues["Calendar"])
    video = await portal.opens("Ann", "No video", issueTypeId=issues["Video"])
    state = await portal.watches("Ann", TICKET, t=ticket)
    starts = portal.clock.now + DAY
    hour = {"startsAt": starts.isoformat(), "endsAt": (starts + timedelta(hours=1)).isoformat()}

    async def why(of: str) -> str | None:
        may = (await portal.asks("Ann", DETAIL, t=of))["ticket"]["viewerPermissions"]
        assert may["canScheduleAppointment"] is (may["appointmentBlockedReason"] is None)
        reason: str | None = may["appointmentBlockedReason"]
        return reason

    assert (await why(ticket), await why(video)) == ("NO_ENGINEER_ASSIGNED", "ISSUE_TYPE_NOT_ELIGIBLE")
    assert await portal.code("Ann", "appointmentSchedule", ticketId=ticket, **hour) == "APPOINTMENT_NOT_AVAILABLE"
    for each in (ticket, video):
        await portal.did("Sam", "ticketAssign", ticketId=each, assigneeId=portal.id("Sam"))
    assert (await until(state, assignee={"displayName": "Sam"}))["appointment"] is None  # S46
    assert (await why(ticket), await why(video)) == (None, "ISSUE_TYPE_NOT_ELIGIBLE")

    await portal.did("Ann", "appointmentSchedule", ticketId=ticket, **hour)
    await until(state, appointment={"status": "REQUESTED"})
    await portal.did("Sam", "appointmentSchedule", ticketId=ticket, **hour)
    await until(state, appointment={"status": "CONFIRMED"})

    rows = (await portal.asks("Olga", LIST, o=gid(portal.acme)))["tickets"]["nodes"]
    at = starts.isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert {row["subject"]: row["appointment"] for row in rows} == {
        "No calendar": {"status": "CONFIRMED", "startsAt": at},
        "No video": None,
    }


async def test_a_silent_customer_has_seven_days_and_seven_more(portal: Portal) -> None:
    """S62, S63, S64, S66, S68-S71, S32."""
    ticket = await portal.opens("Ann", "No picture")
    state = await portal.watches("Ann", TICKET, t=ticket)

    async def detail() -> Any:
        return (await portal.asks("Ann", DETAIL, t=ticket))["ticket"]

    def after(span: timedelta) -> str:
        return (portal.clock.now + span).isoformat(timespec="microseconds").replace("+00:00", "Z")

    await portal.says("Sam", ticket, "Does it work now?")
    await until(state, status="PENDING_CUSTOMER")
    assert (await detail())["autoResolveAt"] == after(WEEK)
    assert (await portal.sweeps(WEEK - SECOND)).resolved == 0
    assert (await portal.sweeps(SECOND)).resolved == 1
    await until(state, status="RESOLVED", resolutionReason="INACTIVITY")
    assert [(await detail())[name] for name in ("reopenDeadline", "autoCloseAt")] == [after(WEEK)] * 2

    assert (await portal.sweeps(WEEK - SECOND)).closed == 0
    assert (await portal.says("Ann", ticket, "No, still black"))["errors"] == []
    await until(state, status="OPEN")
    await portal.did("Sam", "ticketResolve", ticketId=ticket, message="The cable was loose")
    await until(state, status="RESOLVED", resolutionReason="SUPPORT_RESOLVED")
    assert (await portal.sweeps(WEEK)).closed == 0, "the last instant is still one to reply in"
    assert (await portal.sweeps(SECOND)).closed == 1
    await until(state, status="CLOSED", closureReason="AUTO_AFTER_RESOLVED")

    closed = await detail()
    reference = closed["reference"]
    assert closed["notice"] == {"offersLinkedTicket": True, "referenceToQuote": reference}
    assert closed["viewerPermissions"]["replyBlockedReason"] == "TICKET_CLOSED"
    late = await portal.says("Ann", ticket, "It is back")
    assert [(each["code"], each["ticket"], each["offersLinkedTicket"]) for each in late["errors"]] == [
        ("TICKET_CLOSED", {"reference": reference}, True)
    ]
    linked = await portal.did("Ann", "ticketCreateLinked", "ticket { id }", sourceTicketId=ticket, body="It is back")
    assert (await portal.asks("Ann", DETAIL, t=linked["ticket"]["id"]))["ticket"]["followUpOf"] == {
        "reference": reference
    }  # S70
    assert closed["viewerPermissions"]["canLeaveFeedback"] is True
    given = await portal.did("Ann", "feedbackSubmit", "feedback { rating }", ticketId=ticket, rating=5)
    assert given["feedback"] == {"rating": 5}
    assert await portal.code("Ann", "feedbackSubmit", ticketId=ticket, rating=1) == "FEEDBACK_ALREADY_SUBMITTED"
    again = await portal.opens("Ann", f"As in {reference}", referencesTicketId=ticket)
    assert (await portal.asks("Ann", DETAIL, t=again))["ticket"]["status"] == "NEW"


async def test_nobody_is_taken_for_silent_while_support_waits_for_a_part(portal: Portal) -> None:
    """S67: held for ten days, a ticket that waited for its customer is open again, and is not resolved."""
    ticket = await portal.opens("Ann", "No picture")
    state = await portal.watches("Ann", TICKET, t=ticket)
    await portal.says("Sam", ticket, "A new cable is on its way")
    await until(state, status="PENDING_CUSTOMER")
    end = portal.clock.now + 10 * DAY
    await portal.did("Sam", "ticketHold", ticketId=ticket, until=end.isoformat(), reason="Waiting for a cable")
    await until(state, status="ON_HOLD")
    shown = (await portal.asks("Ann", DETAIL, t=ticket))["ticket"]
    assert (shown["autoResolveAt"], shown["holdUntil"]) == (
        None,
        end.isoformat(timespec="microseconds").replace("+00:00", "Z"),
    )

    first = await portal.sweeps(WEEK + SECOND)
    second = await portal.sweeps(3 * DAY)

    assert (first.resolved, first.holds_ended, second.resolved, second.holds_ended) == (0, 0, 0, 1)
    await until(state, status="OPEN", resolutionReason=None)
