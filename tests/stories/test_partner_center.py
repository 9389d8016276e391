"""Partner Center, the support requests of an organization: who sees what, who is on it, who manages it (S01-S15, S60,
S72, S83).
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

import models
from domain.enums import Confidentiality, HistoryAvailability, MemberVisibility, OrganizationRole
from tests.api.world import gid
from tests.factories import (
    LONG_AGO,
    make_escalation,
    make_member,
    make_organization,
    make_request_type,
    make_staff,
    make_ticket,
)
from tests.stories.portal import Portal, open_portal

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

LIST = """query($scope: TicketListScope!, $o: ID, $f: TicketFilter) {
  tickets(scope: $scope, organizationId: $o, filter: $f) { nodes { subject associatedUsernames } } }"""
LIVE = """subscription($scope: TicketListScope!, $o: ID) { tickets(scope: $scope, organizationId: $o, filter: null) {
  __typename ... on TicketChange { changeType ticket { subject status } } } }"""
MAY = """query($t: ID!) { ticket(id: $t) {
  viewerPermissions { canReply replyBlockedReason canClaim canFollow canShare } } }"""
SHOWN = """query($t: ID!) { ticket(id: $t) { status closureReason
  participants(first: 9) { nodes { user { displayName } } }
  messages { nodes { __typename body attachments { fileName } } } } }"""
MEMBERS = """query($o: ID!) { organization(id: $o) { viewerRole
  members(first: 9) { nodes { id role user { displayName } } } } }"""


@pytest.fixture
async def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Portal]:
    """The partner, whose members see their own requests only; a customer of it is the bank."""
    history = {"member_visibility": MemberVisibility.OWN, "history_starts_at": LONG_AGO}
    async with open_portal("sqlite", tmp_path, monkeypatch, "Brightside", **history) as portal:
        for name, role in (("Olga", "ADMIN"), ("Ann", "MEMBER"), ("Bob", "MEMBER"), ("Rita", "READ_ONLY")):
            portal.people[name] = await make_member(portal.acme, OrganizationRole(role), name)
        portal.people["Sam"] = await make_staff(name="Sam")
        await make_request_type()
        yield portal


async def lists(portal: Portal, name: str, scope: str, **given: object) -> list[str]:
    variables = {"scope": scope, "f": {}, **given}
    return [each["subject"] for each in (await portal.asks(name, LIST, **variables))["tickets"]["nodes"]]


async def test_a_day_in_the_partners_portal(portal: Portal) -> None:
    here, bank = gid(portal.acme), await make_organization("Bank", partner=portal.acme)
    live = await portal.watches("Olga", LIVE, scope="ORGANIZATION", o=here)

    # Ann opens a request, one for a customer of the partner, and an incentive claim that is her own affair.
    own = await portal.opens("Ann", "No picture")
    await portal.opens("Ann", "For the bank", onBehalfOfOrganizationId=gid(bank))  # S08
    await portal.opens("Ann", "My incentive", confidentiality="AUTHOR_ONLY")  # S07

    assert await lists(portal, "Ann", "MINE") == ["My incentive", "For the bank", "No picture"]  # S01
    assert [(await live.next())["ticket"]["subject"] for _ in range(2)] == ["No picture", "For the bank"]
    assert await lists(portal, "Olga", "ORGANIZATION", o=here) == ["For the bank", "No picture"]  # S02, S07
    assert await lists(portal, "Olga", "ORGANIZATION", o=here, f={"isOnBehalf": False}) == ["No picture"]  # S08
    assert await portal.refused("Bob", LIST, scope="ORGANIZATION", o=here) == "FORBIDDEN"  # S03

    # Usernames stand in the organization's list alone; Olga's note and reply put her on nothing.
    shown = await portal.asks("Olga", LIST, scope="ORGANIZATION", o=here, f={"isOnBehalf": False})
    assert shown["tickets"]["nodes"][0]["associatedUsernames"] == ["ann"]  # S09
    hers = await portal.asks("Ann", LIST, scope="MINE", f={})
    assert hers["tickets"]["nodes"][0]["associatedUsernames"] == []  # S09
    await portal.did("Olga", "noteAdd", ticketId=own, body="We tried another cable.")  # S04
    assert {row.user_id for row in await models.Participant.all()} == {portal.people["Ann"].id}  # S05

    # Sharing shows it to Bob; Sam, once it is his, adds a contact. Rita may be shown it, and only reads.
    bob, rita = portal.id("Bob"), portal.id("Rita")
    await portal.did("Ann", "ticketShare", ticketId=own, userIds=[bob, rita])  # S72
    assert await lists(portal, "Bob", "SHARED_WITH_ME") == ["No picture"]
    contact = {"ticketId": own, "userId": bob}
    assert await portal.code("Sam", "ticketContactAdd", **contact) == "FORBIDDEN"  # S06
    await portal.did("Sam", "ticketAssign", ticketId=own, assigneeId=portal.id("Sam"))
    await portal.did("Sam", "ticketContactAdd", **contact)  # S06
    assert (await portal.asks("Rita", MAY, t=own))["ticket"]["viewerPermissions"] == {  # S15
        "canReply": False,
        "replyBlockedReason": "READ_ONLY_ROLE",
        "canClaim": False,
        "canFollow": False,
        "canShare": False,
    }
    assert await portal.code("Rita", "ticketFollow", ticketId=own) == "FORBIDDEN"  # S15
    assert await portal.code("Rita", "ticketCreate", organizationId=here, requestTypeKey="TECHNICAL",
                             subject="Mine", description="x") == "FORBIDDEN"  # S15  # fmt: skip
    await portal.did("Bob", "ticketFollow", ticketId=own)  # S83
    assert await lists(portal, "Bob", "FOLLOWING") == ["No picture"]
    await portal.did("Bob", "ticketUnfollow", ticketId=own)  # S72
    assert await lists(portal, "Bob", "FOLLOWING") == []


async def test_a_colleague_becomes_request_administrator_and_manages_what_others_opened(portal: Portal) -> None:
    """S03, S04, S05, S60: the list, the status, notes and files; but not the conversation, nor an incentive claim."""
    here = gid(portal.acme)
    ticket = await portal.opens("Ann", "No picture")
    claim = await portal.opens("Ann", "My incentive", confidentiality="AUTHOR_ONLY")
    assert (await portal.asks("Bob", SHOWN, t=ticket))["ticket"] is None
    found = (await portal.asks("Olga", MEMBERS, o=here))["organization"]
    (bob,) = [each["id"] for each in found["members"]["nodes"] if each["user"]["displayName"] == "Bob"]

    await portal.did("Olga", "organizationMemberSetRole", membershipId=bob, role="SUPPORT_REQUEST_ADMIN")

    assert (await portal.asks("Bob", MEMBERS, o=here))["organization"]["viewerRole"] == "SUPPORT_REQUEST_ADMIN"
    assert await lists(portal, "Bob", "ORGANIZATION", o=here) == ["No picture"]
    live = await portal.watches("Bob", LIVE, scope="ORGANIZATION", o=here)
    file = await portal.attaches("Bob", "log.txt", b"No signal\n")
    await portal.did("Bob", "noteAdd", ticketId=ticket, body="The log of the room", attachmentIds=[file])
    await portal.did("Bob", "ticketResolve", ticketId=ticket)
    await portal.did("Bob", "ticketReopen", ticketId=ticket, comment="It was another room")
    await portal.did("Bob", "ticketClose", ticketId=ticket)

    shown = (await portal.asks("Ann", SHOWN, t=ticket))["ticket"]
    assert (shown["status"], shown["closureReason"]) == ("CLOSED", "ORG_MANAGER_CLOSED")
    (note,) = [each for each in shown["messages"]["nodes"] if each["__typename"] == "Note"]
    assert (note["body"], note["attachments"]) == ("The log of the room", [{"fileName": "log.txt"}])
    assert [each["user"]["displayName"] for each in shown["participants"]["nodes"]] == ["Ann"]
    while (change := await live.next())["ticket"]["status"] != "CLOSED":
        assert change["ticket"]["subject"] == "No picture", "nothing of the claim is told"
    assert (await portal.asks("Bob", SHOWN, t=claim))["ticket"] is None
    assert await portal.code("Bob", "ticketClose", ticketId=claim) == "NOT_FOUND"


async def test_what_an_earlier_system_knew_of_nobody_is_claimed_while_others_watch(portal: Portal) -> None:
    """S12, S13, S14."""
    here = gid(portal.acme)
    old = {"is_imported": True, "created_at": LONG_AGO}
    ticket = await make_ticket(portal.acme, None, subject="Imported", **old)
    await make_ticket(portal.acme, None, subject="Private", confidentiality=Confidentiality.AUTHOR_ONLY, **old)
    before = await make_ticket(portal.acme, None, subject="Before", created_at=LONG_AGO - timedelta(microseconds=1))
    await make_escalation(before, submitted_at=before.created_at)
    live = await portal.watches("Bob", LIVE, scope="UNCLAIMED", o=here)
    tab = "query($o: ID!) { unclaimedTickets(organizationId: $o) { nodes { subject } } escalations { totalCount } }"

    found = await portal.asks("Bob", tab, o=here)
    await portal.did("Ann", "ticketClaim", ticketId=gid(ticket))
    too_late = await portal.code("Bob", "ticketClaim", ticketId=gid(ticket))

    assert found == {"unclaimedTickets": {"nodes": [{"subject": "Imported"}]}, "escalations": {"totalCount": 0}}
    assert too_late == "NOT_FOUND"
    assert (await live.next())["changeType"] == "REMOVED"
    mine = await portal.asks(
        "Ann", '{ tickets(scope: MINE, filter: {text: "import"}) { nodes { subject isImported } } }'
    )
    assert mine["tickets"]["nodes"] == [{"subject": "Imported", "isImported": True}]  # S13
    assert await portal.refused("Rita", tab, o=here) == "FORBIDDEN"  # S15

    # Of another support knows whose it is.
    known = await make_ticket(portal.acme, None, subject="Bob's, says the mail")
    await portal.did("Sam", "ticketSetRequester", ticketId=gid(known), userId=portal.id("Bob"))
    assert await lists(portal, "Bob", "MINE") == ["Bob's, says the mail"]


async def test_somebody_of_two_organizations_picks_one_and_the_regulated_one_says_why_it_is_empty(
    portal: Portal,
) -> None:
    """S10, S11."""
    agency = await make_organization("Agency", history_availability=HistoryAvailability.UNAVAILABLE_REGULATORY)
    ann = portal.people["Ann"]
    await models.Membership.create(organization=agency, user=ann, role=OrganizationRole.OWNER, joined_at=LONG_AGO)
    hidden = await make_ticket(agency, ann)
    await portal.opens("Ann", "No sound")

    assert await lists(portal, "Ann", "MINE") == ["No sound"]
    assert await portal.refused("Ann", LIST, scope="ORGANIZATION", o=gid(agency)) == "HISTORY_UNAVAILABLE"
    assert await portal.refused("Ann", MAY, t=gid(hidden)) == "HISTORY_UNAVAILABLE"
    assert await lists(portal, "Sam", "ORGANIZATION", o=gid(agency)) == [hidden.subject]
