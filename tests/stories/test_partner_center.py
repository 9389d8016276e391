"""A day in the partner's portal, over HTTP and websocket: who sees what, and who is on it (S01-S15, S72, S83)."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import models
from domain.enums import Confidentiality, HistoryAvailability, MemberVisibility, OrganizationRole
from tests.api.world import gid
from tests.databases import fresh_database
from tests.factories import (
    LONG_AGO,
    make_escalation,
    make_member,
    make_organization,
    make_request_type,
    make_staff,
    make_ticket,
)
from tests.server.running import Served, Socket, ask, http, serving, settings_for

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

LIST = """query($scope: TicketListScope!, $o: ID, $f: TicketFilter) {
  tickets(scope: $scope, organizationId: $o, filter: $f) { nodes { subject associatedUsernames } } }"""
LIVE = """subscription($scope: TicketListScope!, $o: ID) { tickets(scope: $scope, organizationId: $o, filter: null) {
  __typename ... on TicketChange { changeType ticket { subject } } } }"""
MAY = """query($t: ID!) { ticket(id: $t) {
  viewerPermissions { canReply replyBlockedReason canClaim canFollow canShare } } }"""


@dataclass(slots=True)
class Portal:
    """The partner with its people, a customer of it, and support; each opens the portal when first asked."""

    served: Served
    stack: AsyncExitStack
    partner: models.Organization
    bank: models.Organization
    people: dict[str, models.User] = field(default_factory=dict)

    async def asks(self, name: str, document: str, **variables: Any) -> Any:
        async with http(self.served.address, self.served.token(self.people[name])) as client:
            return await ask(client, document, **variables)

    async def code(self, name: str, document: str, **variables: Any) -> str:
        """The code of the error that the question is answered with."""
        async with http(self.served.address, self.served.token(self.people[name])) as client:
            answer = (await client.post("/graphql", json={"query": document, "variables": variables})).json()
            code: str = answer["errors"][0]["extensions"]["code"]
            return code

    async def does(self, name: str, mutation: str, **given: Any) -> str | None:
        """The code that a mutation is refused with; None where it is done."""
        kind = f"{mutation[0].upper()}{mutation[1:]}Input"
        document = f"mutation($i: {kind}!) {{ {mutation}(input: $i) {{ errors {{ code }} }} }}"
        errors = (await self.asks(name, document, i=given))[mutation]["errors"]
        return errors[0]["code"] if errors else None

    async def lists(self, name: str, scope: str, **given: Any) -> list[str]:
        variables = {"scope": scope, "f": {}, **given}
        return [each["subject"] for each in (await self.asks(name, LIST, **variables))["tickets"]["nodes"]]

    async def opens(self, name: str, subject: str, **given: Any) -> str:
        document = "mutation($i: TicketCreateInput!) { ticketCreate(input: $i) { ticket { id } errors { code } } }"
        values = {"requestTypeKey": "TECHNICAL", "subject": subject, "description": "Please help."}
        values |= {"organizationId": gid(self.partner), **given}
        ticket_id: str = (await self.asks(name, document, i=values))["ticketCreate"]["ticket"]["id"]
        return ticket_id

    async def socket(self, name: str) -> Socket:
        return await self.stack.enter_async_context(self.served.socket(self.people[name]))


@pytest.fixture
async def portal(tmp_path: Path) -> AsyncIterator[Portal]:
    async with (
        fresh_database("sqlite", tmp_path) as url,
        serving(settings_for(url, tmp_path)) as served,
        AsyncExitStack() as stack,
    ):
        partner = await make_organization(
            "Brightside", member_visibility=MemberVisibility.OWN, history_starts_at=LONG_AGO
        )
        portal = Portal(served, stack, partner, await make_organization("Bank", partner=partner))
        for name, role in (("Olga", "ADMIN"), ("Ann", "MEMBER"), ("Bob", "MEMBER"), ("Rita", "READ_ONLY")):
            portal.people[name] = await make_member(partner, OrganizationRole(role), name)
        portal.people["Sam"] = await make_staff(name="Sam")
        await make_request_type()
        yield portal


async def test_a_day_in_the_partners_portal(portal: Portal) -> None:
    here = gid(portal.partner)
    live = await (await (await portal.socket("Olga")).watch(LIVE, scope="ORGANIZATION", o=here)).caught_up()

    # Ann opens a request, one for a customer of the partner, and an incentive claim that is her own affair.
    own = await portal.opens("Ann", "No picture")
    await portal.opens("Ann", "For the bank", onBehalfOfOrganizationId=gid(portal.bank))  # S08
    await portal.opens("Ann", "My incentive", confidentiality="AUTHOR_ONLY")  # S07

    assert await portal.lists("Ann", "MINE") == ["My incentive", "For the bank", "No picture"]  # S01
    assert [(await live.next())["ticket"]["subject"] for _ in range(2)] == ["No picture", "For the bank"]
    assert await portal.lists("Olga", "ORGANIZATION", o=here) == ["For the bank", "No picture"]  # S02, S07
    assert await portal.lists("Olga", "ORGANIZATION", o=here, f={"isOnBehalf": False}) == ["No picture"]  # S08
    assert await portal.code("Bob", LIST, scope="ORGANIZATION", o=here) == "FORBIDDEN"  # S03

    # Usernames stand in the organization's list alone; Olga's note and reply put her on nothing.
    rows = (await portal.asks("Olga", LIST, scope="ORGANIZATION", o=here, f={"isOnBehalf": False}))["tickets"]["nodes"]
    assert rows[0]["associatedUsernames"] == ["ann"]  # S09
    assert (await portal.asks("Ann", LIST, scope="MINE", f={}))["tickets"]["nodes"][0][
        "associatedUsernames"
    ] == []  # S09
    note = {"ticketId": own, "body": "We tried another cable."}
    assert await portal.does("Olga", "noteAdd", **note) is None  # S04
    assert {row.user_id for row in await models.Participant.all()} == {portal.people["Ann"].id}  # S05

    # Sharing shows it to Bob; Sam, once it is his, adds a contact. Rita may be shown it, and only reads.
    bob, rita = gid(portal.people["Bob"]), gid(portal.people["Rita"])
    assert await portal.does("Ann", "ticketShare", ticketId=own, userIds=[bob, rita]) is None  # S72
    assert await portal.lists("Bob", "SHARED_WITH_ME") == ["No picture"]
    contact = {"ticketId": own, "userId": bob}
    assert await portal.does("Sam", "ticketContactAdd", **contact) == "FORBIDDEN"  # S06
    assert await portal.does("Sam", "ticketAssign", ticketId=own, assigneeId=gid(portal.people["Sam"])) is None
    assert await portal.does("Sam", "ticketContactAdd", **contact) is None  # S06
    assert (await portal.asks("Rita", MAY, t=own))["ticket"]["viewerPermissions"] == {  # S15
        "canReply": False,
        "replyBlockedReason": "READ_ONLY_ROLE",
        "canClaim": False,
        "canFollow": False,
        "canShare": False,
    }
    assert await portal.does("Rita", "ticketFollow", ticketId=own) == "FORBIDDEN"  # S15
    assert await portal.does("Bob", "ticketFollow", ticketId=own) is None  # S83
    assert await portal.lists("Bob", "FOLLOWING") == ["No picture"]


async def test_what_an_earlier_system_knew_of_nobody_is_claimed_while_others_watch(portal: Portal) -> None:
    """S12, S13, S14."""
    here = gid(portal.partner)
    old = {"is_imported": True, "created_at": LONG_AGO}
    ticket = await make_ticket(portal.partner, None, subject="Imported", **old)
    await make_ticket(portal.partner, None, subject="Private", confidentiality=Confidentiality.AUTHOR_ONLY, **old)
    before = await make_ticket(portal.partner, None, subject="Before", created_at=LONG_AGO - timedelta(microseconds=1))
    await make_escalation(before, submitted_at=before.created_at)
    live = await (await (await portal.socket("Bob")).watch(LIVE, scope="UNCLAIMED", o=here)).caught_up()
    tab = "query($o: ID!) { unclaimedTickets(organizationId: $o) { nodes { subject } } escalations { totalCount } }"

    found = await portal.asks("Bob", tab, o=here)
    claimed = await portal.does("Ann", "ticketClaim", ticketId=gid(ticket))
    too_late = await portal.does("Bob", "ticketClaim", ticketId=gid(ticket))

    assert found == {"unclaimedTickets": {"nodes": [{"subject": "Imported"}]}, "escalations": {"totalCount": 0}}
    assert (claimed, too_late) == (None, "NOT_FOUND")
    assert (await live.next())["changeType"] == "REMOVED"
    assert await portal.lists("Ann", "MINE") == ["Imported"]
    assert await portal.code("Rita", tab, o=here) == "FORBIDDEN"  # S15


async def test_somebody_of_two_organizations_picks_one_and_the_regulated_one_says_why_it_is_empty(
    portal: Portal,
) -> None:
    """S10, S11."""
    agency = await make_organization("Agency", history_availability=HistoryAvailability.UNAVAILABLE_REGULATORY)
    ann = portal.people["Ann"]
    await models.Membership.create(organization=agency, user=ann, role=OrganizationRole.OWNER, joined_at=LONG_AGO)
    hidden = await make_ticket(agency, ann)
    await portal.opens("Ann", "No sound")

    assert await portal.lists("Ann", "MINE") == ["No sound"]
    assert await portal.code("Ann", LIST, scope="ORGANIZATION", o=gid(agency)) == "HISTORY_UNAVAILABLE"
    assert await portal.code("Ann", MAY, t=gid(hidden)) == "HISTORY_UNAVAILABLE"
    assert await portal.lists("Sam", "ORGANIZATION", o=gid(agency)) == [hidden.subject]
