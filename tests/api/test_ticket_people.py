"""Who is put on a ticket and whose it is: sharing, contacts, claiming, replies stopped (S04-S06, S13, S14, S72)."""

import asyncio
from typing import Any

import pytest

import models
from domain.enums import Confidentiality, MemberVisibility, OrganizationRole, ParticipantRole, StaffRole, TicketStatus
from tests.api.operations import create, mutate, note, on_ticket, refusal, reopen, send
from tests.api.test_mutation_permissions import MUTATIONS, code, expected
from tests.api.world import codes, gid, make_world, nothing_changes
from tests.conftest import AsUser
from tests.factories import (
    LONG_AGO,
    make_escalation,
    make_file,
    make_member,
    make_organization,
    make_participant,
    make_request_type,
    make_staff,
    make_ticket,
)

pytestmark = pytest.mark.anyio

OWN = MemberVisibility.OWN
REQUESTS = OrganizationRole.SUPPORT_REQUEST_ADMIN
SHARED = "{ tickets(scope: SHARED_WITH_ME, filter: {}) { nodes { id } } }"
UNCLAIMED = "query($o: ID!) { unclaimedTickets(organizationId: $o) { totalCount nodes { id isImported status } } }"


async def test_whom_a_ticket_is_shared_with_sees_it_from_then_on(as_user: AsUser) -> None:
    """S72, S15: a READ_ONLY member too, who still writes nothing."""
    acme = await make_organization(member_visibility=OWN)
    ann, bob = await make_member(acme), await make_member(acme)
    reader = await make_member(acme, OrganizationRole.READ_ONLY)
    ticket = await make_ticket(acme, ann)

    before = (await as_user(bob).ask(SHARED))["tickets"]["nodes"]
    shared = await share(as_user, ann, ticket, bob, reader)
    again = await share(as_user, ann, ticket, bob)

    assert before == []
    assert [each["role"] for each in shared["participants"]] == ["PARTICIPANT", "PARTICIPANT"]
    assert again["participants"] == shared["participants"][:1]
    for person in (bob, reader):
        assert (await as_user(person).ask(SHARED))["tickets"]["nodes"] == [{"id": gid(ticket)}]
    assert refusal(await send_as(as_user, reader, ticket))[0] == "FORBIDDEN"
    assert (await send_as(as_user, bob, ticket))["errors"] == []
    assert (await as_user(ann).ask(SHARED))["tickets"]["nodes"] == []


@pytest.mark.parametrize("asking", ["ann", "bob", "sam"])
async def test_who_takes_part_in_a_ticket_is_listed_with_their_part(as_user: AsUser, asking: str) -> None:  # S45
    """For everybody who may read it, in the order in which they came; and counted."""
    acme = await make_organization(member_visibility=OWN)
    people = {"ann": await make_member(acme, name="Ann"), "bob": await make_member(acme, name="Bob")}
    people |= {"sam": await make_staff(name="Sam"), "eve": await make_member(acme, name="Eve")}
    ticket = await make_ticket(acme, people["ann"], assignee=people["sam"])
    await share(as_user, people["ann"], ticket, people["bob"])
    given = {"ticketId": gid(ticket), "userId": gid(people["eve"])}
    await mutate(as_user(people["sam"]), "ticketContactAdd", "participant { id }", **given)
    ask = "query($t: ID!) { ticket(id: $t) { participants { totalCount nodes { role user { displayName } } } } }"

    found = await as_user(people[asking]).ask(ask, t=gid(ticket))
    assert found["ticket"]["participants"] == {
        "totalCount": 2,
        "nodes": [
            {"role": "PARTICIPANT", "user": {"displayName": "Bob"}},
            {"role": "CONTACT", "user": {"displayName": "Eve"}},
        ],
    }
    stranger = await make_member(acme)
    assert await as_user(stranger).ask(ask, t=gid(ticket)) == {"ticket": None}


async def test_what_is_for_its_author_alone_is_shared_with_nobody(as_user: AsUser) -> None:  # S07, S72
    acme, other = await make_organization(), await make_organization()
    ann, bob, stranger, agent = (
        await make_member(acme),
        await make_member(acme),
        await make_member(other),
        await make_staff(),
    )
    private = await make_ticket(acme, ann, confidentiality=Confidentiality.AUTHOR_ONLY)
    ticket = await make_ticket(acme, ann)

    async with nothing_changes():
        by_author, by_agent = await share(as_user, ann, private, bob), await share(as_user, agent, private, bob)
        outside = [await share(as_user, ann, ticket, each) for each in (stranger, agent)]
        nobody = await share(as_user, ann, ticket)

    assert [refusal(each)[0] for each in (by_author, by_agent)] == ["CONFLICT", "CONFLICT"]
    assert [refusal(each) for each in outside] == [("NOT_FOUND", ["input", "userIds"])] * 2
    assert refusal(nobody)[0] == "REQUIRED"


async def test_only_the_assigned_agent_adds_a_contact_and_puts_it_into_the_thread(as_user: AsUser) -> None:  # S06
    acme = await make_organization(member_visibility=OWN)
    ann, bob, cleo = [await make_member(acme) for _ in range(3)]
    agent, other = await make_staff(), await make_staff(StaffRole.ADMIN)
    ticket = await make_ticket(acme, ann, assignee=agent)
    await make_participant(ticket, cleo)

    async with nothing_changes():
        refused = await contact(as_user, other, ticket, bob)
    added = await contact(as_user, agent, ticket, bob)
    raised = await contact(as_user, agent, ticket, cleo, includeInEmailThread=False)

    assert refusal(refused)[0] == "FORBIDDEN"
    assert [added["participant"]["role"], raised["participant"]["role"]] == ["CONTACT", "CONTACT"]
    rows = {row.user_id: row.in_email_thread for row in await models.Participant.filter(ticket=ticket)}
    assert rows == {bob.id: True, cleo.id: False}
    assert (await as_user(bob).ask(SHARED))["tickets"]["nodes"] == [{"id": gid(ticket)}]


async def test_whoever_is_taken_off_no_longer_sees_it_and_who_answers_for_it_stays(as_user: AsUser) -> None:  # S06
    acme = await make_organization(member_visibility=OWN)
    ann, bob, agent = await make_member(acme), await make_member(acme), await make_staff()
    ticket = await make_ticket(acme, ann, assignee=agent)
    submitter = await models.Participant.create(
        ticket=ticket, user=ann, role=ParticipantRole.SUBMITTER, added_at=LONG_AGO
    )
    participant = await make_participant(ticket, bob)

    async with nothing_changes():
        kept = await mutate(as_user(agent), "ticketParticipantRemove", "ticket { id }", participantId=gid(submitter))
    gone = await mutate(as_user(agent), "ticketParticipantRemove", "ticket { id }", participantId=gid(participant))

    assert refusal(kept)[0] == "CONFLICT"
    assert gone["errors"] == []
    assert (await as_user(bob).ask(SHARED))["tickets"]["nodes"] == []


async def test_whatever_a_manager_does_from_the_organizations_list_makes_no_participant(as_user: AsUser) -> None:  # S05
    """Every write that a manager has on a colleague's ticket; what adds people adds those named, never who adds."""
    acme = await make_organization()
    manager, author, bob = (
        await make_member(acme, OrganizationRole.OWNER),
        await make_member(acme),
        await make_member(acme),
    )
    boss = as_user(manager)
    talk, ended, done = [await make_ticket(acme, author) for _ in range(3)]
    back = await make_ticket(acme, author, status=TicketStatus.RESOLVED, resolved_at=LONG_AGO.replace(month=3))
    escalated = await make_ticket(acme, author, is_escalated=True)
    escalation = await make_escalation(escalated, stage="VERIFYING_RESOLUTION")

    payloads = [
        await send(boss, talk),
        await note(boss, talk),
        await mutate(boss, "ticketFollow", "ticket { id }", ticketId=gid(talk)),
        await mutate(boss, "ticketFollowersAdd", "followers { id }", ticketId=gid(talk), emails=["a@b.example"]),
        await share(as_user, manager, talk, bob),
        await on_ticket(boss, "ticketResolve", done),
        await on_ticket(boss, "ticketClose", ended),
        await reopen(boss, back),
        await mutate(boss, "escalationConfirmResolution", "escalation { id }", escalationId=gid(escalation)),
    ]

    assert [payload["errors"] for payload in payloads] == [[]] * len(payloads)
    assert {row.user_id for row in await models.Participant.all()} == {bob.id}
    assert await models.Participant.filter(in_email_thread=True).count() == 0
    assert await models.Ticket.filter(owner=author).count() == 5


MANAGERS = ("owner", "admin", "requests")


async def test_no_mutation_puts_a_manager_on_a_colleagues_ticket(as_user: AsUser) -> None:
    """S05: every one that a manager has, each new one too; one's own are those that one opens, or claims."""
    world = await make_world()
    done = 0
    for mutation, (prepare, _) in MUTATIONS.items():
        for name in MANAGERS:
            if expected(MemberVisibility.OPEN)[mutation][name] == "+":
                given = await prepare(world)
                assert await code(as_user, world, name, mutation, given) is None, (name, mutation)
                done += 1
            others = models.Participant.filter(user=world[name]).exclude(ticket__requester=world[name])
            assert await others.count() == 0, (name, mutation)
            followed = await models.Follower.filter(user=world[name]).count()
            assert followed == int(mutation == "ticketFollow"), (name, mutation)
            await models.Follower.filter(user=world[name]).delete()

    assert done > 60
    assert await models.Participant.filter(in_email_thread=True).count() == 0
    assert await models.Participant.filter(role=ParticipantRole.CONTACT).count() == 0


@pytest.mark.parametrize("preset", MemberVisibility)
async def test_who_manages_requests_moves_notes_and_attaches_on_a_colleagues_ticket(
    as_user: AsUser, preset: MemberVisibility
) -> None:  # S04
    acme = await make_organization(member_visibility=preset)
    author, manager = await make_member(acme, name="Ann"), await make_member(acme, REQUESTS, "Rob")
    boss, ann, ticket = as_user(manager), as_user(author), await make_ticket(acme, author)
    may = "query($t: ID!) { ticket(id: $t) { viewerPermissions { canUpdateStatus canAddNote canAttach } } }"
    said = """query($t: ID!) { ticket(id: $t) { status timeline { nodes { __typename actor { displayName }
      ... on Message { body attachments { fileName } } } } } }"""
    files = [gid(await make_file(manager, name)) for name in ("note.txt", "reply.txt")]

    allowed = (await boss.ask(may, t=gid(ticket)))["ticket"]["viewerPermissions"]
    done = [
        await note(boss, ticket, "For support", attachmentIds=files[:1]),
        await send(boss, ticket, "For all", message={"attachmentIds": files[1:]}),
        await on_ticket(boss, "ticketResolve", ticket),
        await reopen(boss, ticket, "Not yet"),
        await on_ticket(boss, "ticketClose", ticket),
    ]

    assert allowed == {"canUpdateStatus": True, "canAddNote": True, "canAttach": True}
    assert [each["errors"] for each in done] == [[]] * 5
    shown = (await ann.ask(said, t=gid(ticket)))["ticket"]
    assert {each["actor"]["displayName"] for each in shown["timeline"]["nodes"]} == {"Rob"}
    found = [(each["body"], each["attachments"]) for each in shown["timeline"]["nodes"] if "body" in each]
    assert found == [
        ("For support", [{"fileName": "note.txt"}]),
        ("For all", [{"fileName": "reply.txt"}]),
        ("Not yet", []),
    ]
    assert shown["status"] == "CLOSED"


@pytest.mark.parametrize(
    ("role", "open_", "own"),
    [
        (OrganizationRole.MEMBER, "FORBIDDEN", "NOT_FOUND"),
        (OrganizationRole.LICENSE_MANAGER, "NOT_FOUND", "NOT_FOUND"),
        (OrganizationRole.READ_ONLY, "FORBIDDEN", "FORBIDDEN"),
        (None, "NOT_FOUND", "NOT_FOUND"),
    ],
)
async def test_nobody_else_does_so_with_a_colleagues_ticket(
    as_user: AsUser, role: OrganizationRole | None, open_: str, own: str
) -> None:
    """S04: a file that was uploaded for it stays the uploader's; None is the owner of another organization."""
    for preset, wanted in ((MemberVisibility.OPEN, open_), (OWN, own)):
        acme = await make_organization(member_visibility=preset)
        ticket = await make_ticket(acme, await make_member(acme))
        person = await (make_member(acme, role) if role else make_member(await make_organization(), REQUESTS))
        client, file = as_user(person), await make_file(person)

        async with nothing_changes():
            refused = [
                await note(client, ticket, attachmentIds=[gid(file)]),
                await send(client, ticket, message={"attachmentIds": [gid(file)]}),
                await on_ticket(client, "ticketResolve", ticket),
                await on_ticket(client, "ticketClose", ticket),
            ]

        assert [refusal(each)[0] for each in refused] == [wanted] * 4


async def test_what_nobody_opened_is_found_in_a_tab_of_its_own_and_claimed_once(as_user: AsUser) -> None:
    """S13, S14: imported and closed ones too, also where members see their own requests only."""
    acme = await make_organization(member_visibility=OWN)
    ann, bob = await make_member(acme, name="Ann"), await make_member(acme)
    old = await make_ticket(acme, None, is_imported=True, status=TicketStatus.CLOSED, closed_at=LONG_AGO)
    await make_ticket(acme, bob)
    private = await make_ticket(acme, None, confidentiality=Confidentiality.AUTHOR_ONLY)

    found = (await as_user(ann).ask(UNCLAIMED, o=gid(acme)))["unclaimedTickets"]
    claimed = await claim(as_user, ann, old)
    again, too_late = await claim(as_user, ann, old), await claim(as_user, bob, old)
    hidden = await claim(as_user, bob, private)

    assert found == {"totalCount": 1, "nodes": [{"id": gid(old), "isImported": True, "status": "CLOSED"}]}
    person = {"displayName": "Ann"}
    assert claimed["ticket"] == {"requester": person, "owner": person, "version": 2, "status": "CLOSED"}
    assert refusal(again)[0] == "CONFLICT"
    assert [refusal(each)[0] for each in (too_late, hidden)] == ["NOT_FOUND", "NOT_FOUND"]
    assert (await as_user(ann).ask("{ tickets(filter: {}) { nodes { id } } }"))["tickets"]["nodes"] == [
        {"id": gid(old)}
    ]
    (submitter,) = await models.Participant.all()
    assert (submitter.user_id, submitter.role) == (ann.id, ParticipantRole.SUBMITTER)


async def test_of_several_who_claim_at_once_one_has_it(as_user: AsUser) -> None:  # S14
    acme = await make_organization()
    people = [await make_member(acme) for _ in range(4)]
    ticket = await make_ticket(acme, None)

    answers = await asyncio.gather(*[claim(as_user, person, ticket) for person in people])

    winners = [n for n, answer in enumerate(answers) if not answer["errors"]]
    assert len(winners) == 1
    assert {answer["errors"][0]["code"] for answer in answers if answer["errors"]} == {"CONFLICT"}
    assert (await models.Ticket.get(id=ticket.id)).requester_id == people[winners[0]].id


async def test_support_says_whose_it_is_and_who_was_taken_for_the_author_leaves(as_user: AsUser) -> None:  # S14
    acme, other = await make_organization(member_visibility=OWN), await make_organization()
    ann, bob, stranger, agent = (
        await make_member(acme),
        await make_member(acme),
        await make_member(other),
        await make_staff(),
    )
    await make_request_type()
    ticket = await models.Ticket.get(reference=(await create(as_user(ann), acme))["ticket"]["reference"])

    async with nothing_changes():
        outside = await set_requester(as_user, agent, ticket, stranger)
    await set_requester(as_user, agent, ticket, bob)
    after = {who: await sees(as_user, who, ticket) for who in (ann, bob)}
    await set_requester(as_user, agent, ticket, None)

    assert refusal(outside) == ("NOT_FOUND", ["input", "userId"])
    assert after == {ann: False, bob: True}
    row = await models.Ticket.get(id=ticket.id)
    assert (row.requester_id, row.owner_id) == (None, None)
    assert await models.Participant.filter(ticket=ticket).count() == 0


async def test_a_lock_stops_what_customers_write_and_nothing_else(as_user: AsUser) -> None:
    acme = await make_organization()
    ann, agent = await make_member(acme), await make_staff()
    ticket = await make_ticket(acme, ann)
    resolved = await make_ticket(
        acme, ann, status=TicketStatus.RESOLVED, resolved_at=LONG_AGO.replace(month=3), locked=True
    )

    await lock(as_user, agent, ticket, locked=True)
    async with nothing_changes():
        refused = [
            await send_as(as_user, ann, ticket),
            await note(as_user(ann), ticket),
            await reopen(as_user(ann), resolved),
        ]
        refused.append(await on_ticket(as_user(ann), "ticketResolve", ticket, message="Thanks"))
        await lock(as_user, agent, ticket, locked=True)
    answered = await send_as(as_user, agent, ticket)
    solved = await on_ticket(as_user(ann), "ticketResolve", ticket)

    assert [refusal(each)[0] for each in refused] == ["CONFLICT"] * 4
    assert answered["errors"] == solved["errors"] == []
    assert (await lock(as_user, agent, ticket, locked=False))["ticket"]["locked"] is False


async def test_a_partners_own_requests_are_listed_apart_from_those_for_its_customers(as_user: AsUser) -> None:  # S08
    partner = await make_organization("Partner")
    bank = await make_organization("Bank", partner=partner)
    ann, teller = await make_member(partner, OrganizationRole.ADMIN), await make_member(bank, OrganizationRole.OWNER)
    await make_request_type()
    own = (await create(as_user(ann), partner))["ticket"]["id"]
    for_bank = (await create(as_user(ann), partner, onBehalfOfOrganizationId=gid(bank)))["ticket"]["id"]
    ask = """query($o: ID!, $f: TicketFilter) { tickets(scope: ORGANIZATION, organizationId: $o, filter: $f) {
      nodes { id onBehalfOf { name } } } organization(id: $o) { customers { nodes { name members { totalCount } } } }
      organizations { nodes { name } } }"""

    async def listed(**filter: Any) -> list[str]:
        data, _ = await as_user(ann).answer(ask, o=gid(partner), f=filter)
        return [each["id"] for each in data["tickets"]["nodes"]]

    assert await listed() == [for_bank, own]
    assert await listed(isOnBehalf=False) == [own]
    assert await listed(isOnBehalf=True) == await listed(onBehalfOfOrganizationIds=[gid(bank)]) == [for_bank]
    data, errors = await as_user(ann).answer(ask, o=gid(partner), f={})
    assert data["tickets"]["nodes"][0]["onBehalfOf"] == {"name": "Bank"}
    assert data["organization"]["customers"]["nodes"] == [{"name": "Bank", "members": None}]
    assert codes(errors) == ["FORBIDDEN"]
    assert data["organizations"]["nodes"] == [{"name": "Partner"}]
    assert (await as_user(teller).ask("{ tickets(scope: ALL) { totalCount } }"))["tickets"]["totalCount"] == 0


async def send_as(as_user: AsUser, who: models.User, ticket: models.Ticket) -> Any:
    return await send(as_user(who), ticket)


async def share(as_user: AsUser, who: models.User, ticket: models.Ticket, *people: models.User) -> Any:
    ids = [gid(each) for each in people]
    return await mutate(as_user(who), "ticketShare", "participants { id role }", ticketId=gid(ticket), userIds=ids)


async def contact(as_user: AsUser, who: models.User, ticket: models.Ticket, person: models.User, **given: Any) -> Any:
    values = {"ticketId": gid(ticket), "userId": gid(person), **given}
    return await mutate(as_user(who), "ticketContactAdd", "participant { role }", **values)


async def claim(as_user: AsUser, who: models.User, ticket: models.Ticket) -> Any:
    selection = "ticket { requester { displayName } owner { displayName } version status }"
    return await mutate(as_user(who), "ticketClaim", selection, ticketId=gid(ticket))


async def set_requester(as_user: AsUser, who: models.User, ticket: models.Ticket, person: models.User | None) -> Any:
    given = {"ticketId": gid(ticket), "userId": gid(person) if person else None}
    return await mutate(as_user(who), "ticketSetRequester", "ticket { id }", **given)


async def lock(as_user: AsUser, who: models.User, ticket: models.Ticket, *, locked: bool) -> Any:
    return await mutate(as_user(who), "ticketLock", "ticket { locked }", ticketId=gid(ticket), locked=locked)


async def sees(as_user: AsUser, who: models.User, ticket: models.Ticket) -> bool:
    return (await as_user(who).ask("query($t: ID!) { ticket(id: $t) { id } }", t=gid(ticket)))["ticket"] is not None
