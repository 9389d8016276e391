"""What is kept from an organization's people: by a regulation (S11), and from before its history begins (S12)."""

from datetime import timedelta

import pytest

import models
from domain.enums import HistoryAvailability, OrganizationRole
from resolvers.access import announce_access
from resolvers.context import Context, Services
from resolvers.transaction import Work, work_in_transaction
from tests.api.operations import create, refusal, send
from tests.api.world import codes, gid, nothing_changes
from tests.client import Refused
from tests.conftest import AsUser
from tests.engine.desk import planned_desk, viewer_of
from tests.factories import (
    LONG_AGO,
    make_escalation,
    make_member,
    make_organization,
    make_request_type,
    make_staff,
    make_ticket,
)

pytestmark = pytest.mark.anyio

REGULATED = HistoryAvailability.UNAVAILABLE_REGULATORY
WITHHELD = ["HISTORY_UNAVAILABLE"]


async def test_a_regulated_organizations_people_are_told_that_its_history_is_not_shown(as_user: AsUser) -> None:  # S11
    kept = await make_organization(history_availability=REGULATED)
    ann, agent = await make_member(kept, OrganizationRole.OWNER), await make_staff()
    ticket = await make_ticket(kept, ann)
    await make_escalation(ticket)
    lists = ["tickets", "tickets(scope: ALL)", "tickets(scope: ORGANIZATION, organizationId: $o)"]
    asked = [f"{each} {{ totalCount }}" for each in (*lists, "unclaimedTickets(organizationId: $o)")]
    asked += ["ticket(id: $t) { id }", f'ticketByReference(reference: "{ticket.reference}") {{ id }}']

    for each in asked:
        declared = " ".join(f"${name}: ID!" for name in ("o", "t") if f"${name}" in each)
        document = f"query({declared}) {{ {each} }}" if declared else f"{{ {each} }}"
        given = {name: value for name, value in {"o": gid(kept), "t": gid(ticket)}.items() if f"${name}" in each}
        _, errors = await as_user(ann).answer(document, **given)
        assert codes(errors) == WITHHELD, each
        if "unclaimed" not in each and each not in asked[:1]:
            assert (await as_user(agent).ask(document, **given)) is not None
    readable = """query($o: ID!, $t: ID!) { organization(id: $o) { historyAvailability } node(id: $t) { id }
      escalations { totalCount } }"""
    found = await as_user(ann).ask(readable, o=gid(kept), t=gid(ticket))

    assert found == {
        "organization": {"historyAvailability": "UNAVAILABLE_REGULATORY"},
        "node": None,
        "escalations": {"totalCount": 0},
    }


async def test_a_regulated_organizations_people_open_requests_and_reply_to_none(as_user: AsUser) -> None:
    """S11, S25: what was just opened is shown once, with its reference, and why there is no editor."""
    kept = await make_organization(history_availability=REGULATED)
    ann = as_user(await make_member(kept))
    await make_request_type()
    document = """mutation($o: ID!) { ticketCreate(input: {
      organizationId: $o, requestTypeKey: "TECHNICAL", subject: "s", description: "d"}) {
      ticket { reference viewerPermissions { canReply replyBlockedReason canClose } } } }"""

    made = (await ann.ask(document, o=gid(kept)))["ticketCreate"]
    row = await models.Ticket.get(reference=made["ticket"]["reference"])
    async with nothing_changes():
        reply = await send(ann, row)

    denied = {"canReply": False, "replyBlockedReason": "HISTORY_UNAVAILABLE", "canClose": False}
    assert made["ticket"]["viewerPermissions"] == denied
    assert refusal(reply) == ("HISTORY_UNAVAILABLE", ["input", "ticketId"])
    assert (await create(ann, kept))["errors"] == []


async def test_such_a_member_is_told_nothing_of_what_would_be_hidden_anyway(
    as_user: AsUser,
) -> None:
    """S07, S10, S11: and sees the other organization's tickets as ever."""
    kept, open_ = await make_organization(history_availability=REGULATED), await make_organization()
    ann = await make_member(open_)
    await models.Membership.create(organization=kept, user=ann, role=OrganizationRole.READ_ONLY, joined_at=LONG_AGO)
    theirs, mine = await make_ticket(kept, None, confidentiality="AUTHOR_ONLY"), await make_ticket(open_, ann)
    ask = "query($t: ID!) { ticket(id: $t) { id } tickets { nodes { id } } }"

    assert await as_user(ann).ask(ask, t=gid(theirs)) == {"ticket": None, "tickets": {"nodes": [{"id": gid(mine)}]}}


async def test_the_planned_way_leaves_the_explanation_to_the_ordinary_one(db: str) -> None:  # S11
    kept = await make_organization(history_availability=REGULATED)
    ann = await make_member(kept)
    ticket = await make_ticket(kept, ann)
    other = await make_member(await make_organization())
    ask = "query($t: ID!) { ticket(id: $t) { id } }"

    async with planned_desk(db) as desk:
        assert await desk.planned(ask, await viewer_of(ann), {"t": gid(ticket)}) is None
        assert await desk.planned(ask, await viewer_of(other), {"t": gid(ticket)}) == {"ticket": None}


async def test_a_running_stream_ends_when_the_organization_comes_under_a_regulation(
    as_user: AsUser, services: Services
) -> None:
    """S11, J3."""
    acme = await make_organization()
    ann, agent = await make_member(acme), await make_staff()
    ticket = await make_ticket(acme, ann)

    async def regulate(work: Work) -> None:
        await models.Organization.filter(id=acme.id).update(history_availability=REGULATED)
        announce_access(work, organization_id=acme.id)

    async with as_user(ann).watch(
        "subscription($t: ID!) { messages(ticketId: $t) { __typename } }", t=gid(ticket)
    ) as stream:
        assert (await stream.next())["__typename"] == "StreamCaughtUp"
        await work_in_transaction(Context(await as_user(agent).viewer(), services), regulate)
        with pytest.raises(Refused) as ended:
            await stream.next()

    assert ended.value.codes == WITHHELD


@pytest.mark.parametrize(("moment", "shown"), [(-1, False), (0, True), (1, True)])
async def test_what_was_filed_before_the_history_begins_is_not_shown_nor_its_escalations(
    as_user: AsUser, moment: int, shown: bool
) -> None:
    """S12: to the microsecond, its author included."""
    acme = await make_organization(history_starts_at=LONG_AGO)
    ann = await make_member(acme, OrganizationRole.OWNER)
    at = LONG_AGO + timedelta(microseconds=moment)
    ticket = await make_ticket(acme, ann, created_at=at)
    escalation = await make_escalation(ticket, submitted_at=at)
    ask = """query($t: ID!, $e: ID!) { ticket(id: $t) { id } escalation(id: $e) { id }
      tickets(filter: {}) { totalCount } escalations { totalCount } }"""

    found = await as_user(ann).ask(ask, t=gid(ticket), e=gid(escalation))

    assert found == {
        "ticket": {"id": gid(ticket)} if shown else None,
        "escalation": {"id": gid(escalation)} if shown else None,
        "tickets": {"totalCount": int(shown)},
        "escalations": {"totalCount": int(shown)},
    }
