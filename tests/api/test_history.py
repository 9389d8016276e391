"""What is kept from an organization's people: by a regulation (S11), and from before its history begins (S12)."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

import models
from domain.enums import HistoryAvailability, OrganizationRole, TicketStatus
from resolvers.access import announce_access
from resolvers.context import Context, Services
from resolvers.transaction import Work, work_in_transaction
from tests.api.operations import create, mutate, refusal, send
from tests.api.world import codes, gid, nothing_changes
from tests.client import Refused
from tests.conftest import AsUser
from tests.engine.desk import planned_desk, viewer_of
from tests.factories import (
    LONG_AGO,
    make_appointment,
    make_call,
    make_escalation,
    make_follower,
    make_member,
    make_message,
    make_organization,
    make_request_type,
    make_staff,
    make_ticket,
)

pytestmark = pytest.mark.anyio

REGULATED = HistoryAvailability.UNAVAILABLE_REGULATORY
WITHHELD = ["HISTORY_UNAVAILABLE"]


TOLD_WHY = [
    "tickets { totalCount }",
    "tickets(scope: ALL) { totalCount }",
    "tickets(scope: FOLLOWING) { nodes { id } }",
    "tickets(scope: ORGANIZATION, organizationId: $o) { totalCount nodes { id } }",
    "unclaimedTickets(organizationId: $o) { totalCount }",
    "ticket(id: $t) { id }",
    "ticketByReference(reference: $reference) { id }",
    "node(id: $t) { id }",
    "node(id: $m) { id }",
    "escalation(id: $e) { id }",
    "escalationByReference(reference: $escalationReference) { id }",
    "node(id: $e) { id }",
    "escalations { totalCount }",
    "escalations(organizationId: $o) { nodes { id } }",
    'search(text: "black", kinds: [TICKET, ESCALATION]) { totalCount }',
    'search(text: "black", kinds: [MESSAGE], organizationId: $o) { totalCount }',
]
"""What asks for tickets, or for what is on them, and for nothing else."""

NOTHING_THERE = {
    "organization(id: $o) { historyAvailability tickets { totalCount nodes { id } } }": {
        "historyAvailability": "UNAVAILABLE_REGULATORY",
        "tickets": {"totalCount": 0, "nodes": []},
    },
    "room(id: $s) { name tickets { totalCount nodes { id } } }": {
        "name": "Rome",
        "tickets": {"totalCount": 0, "nodes": []},
    },
    "device(id: $d) { tickets { totalCount nodes { id } } }": {"tickets": {"totalCount": 0, "nodes": []}},
    'search(text: "black") { totalCount nodes { kind } }': {"totalCount": 0, "nodes": []},
    'suggestedSolutions(subject: "The camera stays black") { title }': [],
    "viewer { unreadTicketCount notifications { totalCount nodes { text } } }": {
        "unreadTicketCount": 0,
        "notifications": {"totalCount": 0, "nodes": []},
    },
}
"""What is about more than tickets: they are left out of it, and out of what is counted."""

STREAMS = [
    "ticket(ticketId: $t) { __typename }",
    "messages(ticketId: $t) { __typename }",
    "escalationTimeline(ticketId: $t) { __typename }",
    "escalationTimeline(escalationId: $e) { __typename }",
    "typing(ticketId: $t) { __typename }",
    "presence(ticketId: $t) { __typename }",
    "readState(ticketId: $t) { __typename }",
    "tickets(scope: MINE) { __typename }",
    "tickets(scope: ORGANIZATION, organizationId: $o) { __typename }",
]

REFUSED = {
    "ticketClose": "ticketId: $t",
    "ticketUpdate": "ticketId: $t, severity: CRITICAL",
    "messageSend": 'ticketId: $t, clientMessageId: "1", message: {body: "x"}',
    "typingSet": "ticketId: $t, isTyping: true",
    "presenceSet": "ticketId: $t, state: VIEWING",
    "ticketMarkRead": "ticketId: $t, upToSequence: 1",
    "ticketExport": "ticketId: $t",
    "ticketsExport": "filter: {isActive: true}",
    "ticketCreateLinked": 'sourceTicketId: $t, body: "x"',
    "escalationConfirmResolution": "escalationId: $e",
    "conferenceCallRespond": "conferenceCallId: $c, accept: true",
    "appointmentCancel": "appointmentId: $a",
}


@dataclass(slots=True)
class Kept:
    """A regulated organization with its owner, and all that a question about it may name."""

    organization: models.Organization
    ann: models.User
    named: dict[str, str]

    def given(self, document: str) -> dict[str, str]:
        return {name: value for name, value in self.named.items() if re.search(rf"\${name}\b", document)}

    def asking(self, kind: str, field: str) -> str:
        kinds = ["String!" if "eference" in name else "ID!" for name in self.given(field)]
        declared = ", ".join(f"${name}: {of}" for name, of in zip(self.given(field), kinds, strict=True))
        return f"{kind}({declared}) {{ {field} }}" if declared else f"{kind} {{ {field} }}"


@pytest.fixture
async def kept(db: str) -> Kept:
    organization = await make_organization(history_availability=REGULATED)
    ann = await make_member(organization, OrganizationRole.OWNER)
    room = await models.Space.create(organization=organization, kind=models.SpaceKind.ROOM, name="Rome")
    camera = await models.Product.create(name="Camera")
    device = await models.Device.create(
        organization=organization, product=camera, space=room, name="Camera", serial_number="1"
    )
    solved: Any = {"status": TicketStatus.RESOLVED, "resolved_at": LONG_AGO, "space": room}
    ticket = await make_ticket(organization, ann, **solved)
    await ticket.devices.add(device)
    message = await make_message(ticket, await make_staff(), "It stays black")
    escalation = await make_escalation(ticket, issue_description="Black picture", stage="VERIFYING_RESOLUTION")
    call, hour = await make_call(ticket), await make_appointment(ticket)
    await make_follower(ticket, ann)
    await models.Notification.create(
        user=ann, ticket=ticket, kind="REPLIED", visibility="PUBLIC", source="x", created_at=LONG_AGO
    )
    rows = {"o": organization, "t": ticket, "m": message, "e": escalation, "s": room, "d": device, "c": call, "a": hour}
    named = {name: gid(row) for name, row in rows.items()}
    references = {"reference": ticket.reference, "escalationReference": escalation.reference}
    return Kept(organization, ann, named | references)


@pytest.mark.parametrize("field", TOLD_WHY)
async def test_whoever_asks_for_what_a_regulation_withholds_is_told_so(
    as_user: AsUser, kept: Kept, field: str
) -> None:  # S11
    document = kept.asking("query", field)

    _, errors = await as_user(kept.ann).answer(document, **kept.given(document))

    assert codes(errors) == WITHHELD
    stranger, agent = as_user(await make_member(await make_organization())), as_user(await make_staff())
    assert not set(codes((await stranger.answer(document, **kept.given(document)))[1])) & set(WITHHELD)
    assert None not in (await agent.ask(document, **kept.given(document))).values()


async def test_of_several_that_are_asked_for_each_says_for_itself(as_user: AsUser, kept: Kept) -> None:  # S11
    ask = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    ids = [kept.named["o"], kept.named["t"], gid(kept.organization).replace("Organization", "Ticket")]

    data, errors = await as_user(kept.ann).answer(ask, ids=ids)

    assert data == {"nodes": [{"id": kept.named["o"]}, None, None]}
    assert [(error.path, *codes([error])) for error in errors] == [(["nodes", 1], *WITHHELD)]


async def test_what_is_withheld_is_left_out_of_everything_else_and_not_counted(
    as_user: AsUser, kept: Kept
) -> None:  # S11
    for field, expected in NOTHING_THERE.items():
        document = kept.asking("query", field)
        found = await as_user(kept.ann).ask(document, **kept.given(document))
        assert list(found.values()) == [expected], field
        shown = await as_user(await make_staff()).ask(document, **kept.given(document))
        assert "viewer" in field or list(shown.values()) != [expected], field


@pytest.mark.parametrize("field", STREAMS)
async def test_no_stream_of_what_is_withheld_begins(as_user: AsUser, kept: Kept, field: str) -> None:  # S11
    document = kept.asking("subscription", field)

    async with as_user(kept.ann).watch(document, **kept.given(document)) as stream:
        assert codes((await stream.result())[1]) == WITHHELD


async def test_nothing_is_done_to_what_is_withheld(as_user: AsUser, kept: Kept) -> None:  # S11
    async with nothing_changes():
        for mutation, arguments in REFUSED.items():
            document = kept.asking("mutation", f"{mutation}(input: {{{arguments}}}) {{ errors {{ code }} }}")
            done = await as_user(kept.ann).ask(document, **kept.given(document))
            assert done == {mutation: {"errors": [{"code": WITHHELD[0]}]}}, mutation


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


async def test_what_a_regulated_member_opened_is_given_again_to_who_did_not_hear_of_it(as_user: AsUser) -> None:
    """S11, S24, S25, J2: by the key of the first try, or by the draft."""
    kept = await make_organization(history_availability=REGULATED)
    ann = as_user(await make_member(kept))
    await make_request_type()
    draft = {"organizationId": gid(kept), "requestTypeKey": "TECHNICAL", "subject": "s", "description": "d"}
    saved = (await mutate(ann, "draftSave", "draft { id }", **draft))["draft"]["id"]

    made = await create(ann, kept, clientMutationId="one")
    submitted = await mutate(ann, "draftSubmit", "ticket { reference }", draftId=saved)
    async with nothing_changes():
        again = await create(ann, kept, clientMutationId="one")
        submitted_again = await mutate(ann, "draftSubmit", "ticket { reference }", draftId=saved)

    references = {row.reference for row in await models.Ticket.all()}
    assert {made["ticket"]["reference"], submitted["ticket"]["reference"]} == references
    assert (again["ticket"], submitted_again["ticket"]) == (made["ticket"], submitted["ticket"])


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
