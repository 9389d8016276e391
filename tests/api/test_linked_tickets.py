"""How one goes on after a ticket is closed: a linked ticket, seen from both sides, and the notice that offers it."""

from datetime import timedelta
from typing import Any

import pytest

import models
from domain.enums import CertificateKind, Confidentiality, MemberVisibility, OrganizationRole, TicketStatus
from tests.api.operations import mutate, refusal
from tests.api.world import gid, nothing_changes
from tests.client import Client
from tests.clock import Clock
from tests.conftest import AsUser
from tests.engine.desk import planned_desk, viewer_of
from tests.factories import (
    make_file,
    make_member,
    make_organization,
    make_participant,
    make_request_type,
    make_staff,
    make_ticket,
)

pytestmark = pytest.mark.anyio

BOTH = "ticket { id reference subject status } source { id version } link { id kind source { id } target { id } }"
SIDES = """query($t: ID!) { ticket(id: $t) {
  links { kind source { id } target { id } } followUpOf { id } followUps { id } } }"""
WATCH = """subscription($t: ID!) { ticket(ticketId: $t) { ... on StreamCaughtUp { cursor }
  ... on TicketChange { changedFields ticket { version followUps { subject } } } } }"""


async def test_a_closed_ticket_says_how_to_go_on_and_no_other_does(as_user: AsUser, clock: Clock) -> None:  # S68
    acme = await make_organization()
    ann = await make_member(acme)
    ask = "query($t: ID!) { ticket(id: $t) { reference notice { text offersLinkedTicket referenceToQuote } } }"

    for status in TicketStatus:
        ticket = await make_ticket(acme, ann, status=status, resolved_at=clock(), closed_at=clock())
        notice = (await as_user(ann).ask(ask, t=gid(ticket)))["ticket"]["notice"]

        assert notice == (
            {
                "text": "This ticket is closed for good. If you need more help, open a new ticket and quote "
                f"{ticket.reference}.",
                "offersLinkedTicket": True,
                "referenceToQuote": ticket.reference,
            }
            if status is TicketStatus.CLOSED
            else None
        )


async def test_a_linked_ticket_takes_the_extra_information_and_both_sides_show_the_link(
    as_user: AsUser, clock: Clock
) -> None:  # S69, S70
    acme = await make_organization(member_visibility=MemberVisibility.OWN)
    ann, bob, cleo = await make_member(acme), await make_member(acme), await make_member(acme)
    closed = await make_ticket(acme, ann, status=TicketStatus.CLOSED, closed_at=clock(), severity="CRITICAL")
    await make_participant(closed, bob)
    file = await make_file(ann)

    async with as_user(bob).watch(WATCH, t=gid(closed)) as stream:
        assert "cursor" in await stream.next()
        made = await link(as_user(ann), closed, "It is back.\r\nSee the log", attachmentIds=[gid(file)])
        told = await stream.next()

    new = await models.Ticket.get(reference=made["ticket"]["reference"])
    assert made["errors"] == []
    assert (new.subject, new.description, new.status) == (closed.subject, "It is back.\nSee the log", TicketStatus.NEW)
    assert (new.severity, new.requester_id, new.owner_id, new.quotes_id) == ("CRITICAL", ann.id, ann.id, closed.id)
    assert [each.body for each in await models.Message.filter(ticket=new)] == ["It is back.\nSee the log"]
    assert (await models.Attachment.get(id=file.id)).ticket_id == new.id
    assert told == {
        "changedFields": ["links", "followUps", "lastSequence"],
        "ticket": {"version": 1, "followUps": [{"subject": closed.subject}]},
    }
    shown = {"kind": "FOLLOW_UP_OF", "source": {"id": gid(new)}, "target": {"id": gid(closed)}}
    assert {key: made["link"][key] for key in shown} == shown
    for person in (ann, bob):
        earlier, later = [(await as_user(person).ask(SIDES, t=gid(each)))["ticket"] for each in (closed, new)]
        assert earlier == {"links": [shown], "followUpOf": None, "followUps": [{"id": gid(new)}]}
        assert later == {"links": [shown], "followUpOf": {"id": gid(closed)}, "followUps": []}
    assert (await as_user(cleo).ask(SIDES, t=gid(new)))["ticket"] is None


async def test_nobody_is_told_of_a_link_to_a_ticket_that_is_not_there_for_them(
    db: str, as_user: AsUser, clock: Clock
) -> None:  # S07, J4
    acme = await make_organization()
    ann, bob, agent = await make_member(acme), await make_member(acme), await make_staff()
    closed = await make_ticket(acme, ann, status=TicketStatus.CLOSED, closed_at=clock())
    made = await link(as_user(ann), closed, "More")
    new = await models.Ticket.get(reference=made["ticket"]["reference"])
    new.confidentiality = Confidentiality.AUTHOR_ONLY
    await new.save()
    node = "query($l: ID!) { node(id: $l) { id } }"

    for person, seen in ((ann, True), (agent, True), (bob, False)):
        found = (await as_user(person).ask(SIDES, t=gid(closed)))["ticket"]
        assert (len(found["links"]), len(found["followUps"])) == (seen, seen)
        alone = await as_user(person).ask(node, l=made["link"]["id"])
        assert (alone["node"] is not None) is seen

    document = "{ tickets(scope: ALL, filter: {}) { nodes { notice { text } links { id source { id } target { id } } "
    document += "followUpOf { reference } followUps { reference } } } }"
    async with planned_desk(db) as desk:
        for person in (ann, agent, bob):
            assert await desk.agreed(document, await viewer_of(person)) is not None


async def test_what_support_opens_stays_the_request_of_whose_it_was(as_user: AsUser, clock: Clock) -> None:
    """S70, S07: what was for its author alone still is."""
    acme = await make_organization()
    ann, agent = await make_member(acme), await make_staff()
    author_only = {"confidentiality": Confidentiality.AUTHOR_ONLY, "status": TicketStatus.CLOSED, "closed_at": clock()}
    closed = await make_ticket(acme, ann, **author_only)

    made = await link(as_user(agent), closed, "We found it", subject=" A  new  one ", kind="RELATED_TO")

    new = await models.Ticket.get(reference=made["ticket"]["reference"])
    assert (new.subject, new.requester_id, new.opened_by_id) == ("A new one", ann.id, agent.id)
    assert new.confidentiality is Confidentiality.AUTHOR_ONLY
    assert made["link"]["kind"] == "RELATED_TO"
    assert (await as_user(ann).ask(SIDES, t=gid(closed)))["ticket"]["followUps"] == []


async def test_the_same_key_opens_no_second_ticket(as_user: AsUser, clock: Clock) -> None:  # J2
    acme = await make_organization()
    ann = await make_member(acme)
    closed, other = [await make_ticket(acme, ann, status=TicketStatus.CLOSED, closed_at=clock()) for _ in range(2)]

    first = await link(as_user(ann), closed, "More", clientMutationId="1")
    async with nothing_changes():
        again = await link(as_user(ann), closed, "More", clientMutationId="1")
        refused = [
            await link(as_user(ann), closed, "Else", clientMutationId="1"),
            await link(as_user(ann), other, "More", clientMutationId="1"),
        ]

    assert again == first
    assert [refusal(each)[0] for each in refused] == ["IDEMPOTENCY_MISMATCH"] * 2


async def test_what_cannot_be_linked_is_refused_and_leaves_no_trace(as_user: AsUser, clock: Clock) -> None:
    """S07, S15, S70."""
    acme, other = await make_organization(), await make_organization()
    ann, stranger = await make_member(acme), await make_member(other, OrganizationRole.OWNER)
    closed = await make_ticket(acme, ann, status=TicketStatus.CLOSED, closed_at=clock())

    async with nothing_changes():
        hidden = await link(as_user(stranger), closed, "More")
        texts = [await link(as_user(ann), closed, each) for each in (" ", "a\x00b", "x" * 64_001)]
        subject = await link(as_user(ann), closed, "More", subject="x" * 301)
        wrong = await mutate(as_user(ann), "ticketCreateLinked", BOTH, sourceTicketId=gid(ann), body="More")

    assert refusal(hidden) == ("NOT_FOUND", ["input", "sourceTicketId"])
    assert [refusal(each) for each in texts] == [
        (code, ["input", "body"]) for code in ("REQUIRED", "INVALID", "INVALID")
    ]
    assert refusal(subject) == ("INVALID", ["input", "subject"])
    assert refusal(wrong) == ("INVALID", ["input", "sourceTicketId"])


async def test_a_linked_ticket_names_a_certificate_that_is_in_force(as_user: AsUser, clock: Clock) -> None:
    """S18, S19, S70: the other's while it is, and no longer than that."""
    acme = await make_organization()
    ann, kind = await make_member(acme), await make_request_type(required_certificate_kind=CertificateKind.SERVICES)
    today, day = clock().date(), timedelta(days=1)
    camera, panel = [await models.Product.create(name=name) for name in ("Camera", "Panel")]
    ended, current, of_panel = [
        await models.ServiceCertificate.create(
            organization=acme, number=number, kind=CertificateKind.SERVICES, starts_at=today - 9 * day, ends_at=last
        )
        for number, last in (("SV-1", today - day), ("SV-2", today), ("SV-3", today + day))
    ]
    await of_panel.products.add(panel)

    found = []
    for earlier, product in ((ended, camera), (current, camera), (ended, panel), (None, camera)):
        given: Any = {"request_type": kind, "product": product, "certificate": earlier}
        source = await make_ticket(acme, ann, status=TicketStatus.CLOSED, closed_at=clock(), **given)
        made = await link(as_user(ann), source, "More")
        opened = await models.Ticket.get(reference=made["ticket"]["reference"])
        found.append(opened.certificate_id)

    assert found == [current.id, current.id, of_panel.id, None]


async def link(client: Client, source: models.Ticket, body: str, **given: Any) -> Any:
    return await mutate(client, "ticketCreateLinked", BOTH, sourceTicketId=gid(source), body=body, **given)
