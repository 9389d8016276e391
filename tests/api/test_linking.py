"""Linking tickets by hand, merging and splitting them: what it does, who is told of it, and what is refused."""

import asyncio
from typing import Any

import pytest

import models
from domain.enums import Confidentiality, MemberVisibility, TicketLinkKind, TicketStatus, Visibility
from tests.api.operations import mutate, refusal, send
from tests.api.world import gid, nothing_changes
from tests.client import Client
from tests.clock import Clock
from tests.conftest import AsUser
from tests.engine.desk import planned_desk, viewer_of
from tests.factories import (
    LONG_AGO,
    make_file,
    make_follower,
    make_member,
    make_message,
    make_organization,
    make_participant,
    make_staff,
    make_ticket,
)

pytestmark = pytest.mark.anyio

BY_HAND = sorted({*TicketLinkKind} - {TicketLinkKind.MERGED_INTO, TicketLinkKind.SPLIT_FROM})
LINK = "link { id kind source { id } target { id } }"
LINKS = "query($t: ID!, $k: [TicketLinkKind!]) { ticket(id: $t) { links(kinds: $k) { kind } } }"
STATE = "id status closureReason version mergedInto { id } notice { text }"
WATCH = """subscription($t: ID!) { ticket(ticketId: $t) { ... on StreamCaughtUp { cursor }
  ... on TicketChange { changedFields item { __typename ... on TicketLinkedEvent { change link { kind } } } } } }"""
LINKED = ["links", "lastSequence"]


class House:
    """An organization whose members see only their own tickets, two of them, and support."""

    def __init__(self, as_user: AsUser) -> None:
        self.as_user = as_user

    async def begin(self) -> None:
        self.acme = await make_organization("Acme", member_visibility=MemberVisibility.OWN)
        self.ann_row, self.bob_row = await make_member(self.acme, name="Ann"), await make_member(self.acme, name="Bob")
        self.ann, self.bob = self.as_user(self.ann_row), self.as_user(self.bob_row)
        self.sam = self.as_user(await make_staff(name="Sam"))

    async def ticket(self, **given: Any) -> models.Ticket:
        return await make_ticket(self.acme, given.pop("requester", self.ann_row), **given)


@pytest.fixture
async def house(as_user: AsUser) -> House:
    house = House(as_user)
    await house.begin()
    return house


async def link(client: Client, source: models.Ticket, target: models.Ticket, kind: str = "RELATED_TO") -> Any:
    ends = {"sourceTicketId": gid(source), "targetTicketId": gid(target)}
    return await mutate(client, "ticketLink", LINK, **ends, kind=kind)


async def merge(client: Client, source: models.Ticket, target: models.Ticket) -> Any:
    ends = {"sourceTicketId": gid(source), "targetTicketId": gid(target)}
    return await mutate(client, "ticketMerge", f"source {{ {STATE} }} target {{ {STATE} }}", **ends)


async def split(client: Client, ticket: models.Ticket, messages: list[models.Message], **given: Any) -> Any:
    values = {"messageIds": [gid(each) for each in messages], "subject": "The other thing", **given}
    selection = "ticket { id reference subject description requester { displayName } } source { id version }"
    return await mutate(client, "ticketSplit", selection, ticketId=gid(ticket), **values)


async def kinds_of(client: Client, ticket: models.Ticket, kinds: list[str] | None = None) -> Any:
    return [each["kind"] for each in (await client.ask(LINKS, t=gid(ticket), k=kinds))["ticket"]["links"]]


# --- links


async def test_every_kind_is_read_from_source_to_target_and_stands_on_both_sides(house: House) -> None:  # S70
    a, b = await house.ticket(), await house.ticket(status=TicketStatus.CLOSED, closed_at=LONG_AGO)

    async with house.ann.watch(WATCH, t=gid(a)) as one, house.ann.watch(WATCH, t=gid(b)) as other:
        assert "cursor" in await one.next()
        assert "cursor" in await other.next()
        made = {kind: await link(house.ann, a, b, kind) for kind in BY_HAND}
        told = [(await one.next(), await other.next()) for _ in made]

    for kind, payload in made.items():
        ends = {"kind": kind, "source": {"id": gid(a)}, "target": {"id": gid(b)}}
        assert {key: payload["link"][key] for key in ends} == ends
    for kind, (here, there) in zip(made, told, strict=True):
        item = {"__typename": "TicketLinkedEvent", "change": "ADDED", "link": {"kind": kind}}
        assert (here["item"], there["item"]) == (item, item)
        follow_up = kind == "FOLLOW_UP_OF"
        assert here["changedFields"] == ["links", *(["followUpOf"] if follow_up else []), "lastSequence"]
        assert there["changedFields"] == ["links", *(["followUps"] if follow_up else []), "lastSequence"]
    for ticket in (a, b):
        assert await kinds_of(house.ann, ticket) == list(made)
        assert await kinds_of(house.ann, ticket, ["BLOCKED_BY", "RELATED_TO"]) == ["BLOCKED_BY", "RELATED_TO"]
        assert await kinds_of(house.ann, ticket, []) == []
        assert (await models.Ticket.get(id=ticket.id)).version == 1


async def test_a_link_that_is_there_leads_in_a_circle_or_tells_of_something_else_is_refused(house: House) -> None:
    """J9: each by its own code, and none leaves a trace."""
    a, b, c, d = [await house.ticket() for _ in range(4)]
    for kind in ("BLOCKED_BY", "DUPLICATE_OF"):
        for here, there in ((a, b), (b, c), (c, d)):
            assert (await link(house.sam, here, there, kind))["errors"] == []
    assert (await link(house.sam, a, b))["errors"] == []

    async with nothing_changes():
        again = [await link(house.sam, *ends) for ends in ((a, b), (b, a))]
        circles = [
            await link(house.sam, *ends, kind) for kind in ("BLOCKED_BY", "DUPLICATE_OF") for ends in ((b, a), (d, a))
        ]
        itself = await link(house.sam, a, a)
        told = [await link(house.sam, a, d, kind) for kind in ("MERGED_INTO", "SPLIT_FROM")]

    assert [refusal(each) for each in again] == [("DUPLICATE", ["input", "targetTicketId"])] * 2
    assert [refusal(each) for each in circles] == [("CONFLICT", ["input", "targetTicketId"])] * 4
    assert refusal(itself) == ("INVALID", ["input", "targetTicketId"])
    assert [refusal(each) for each in told] == [("INVALID", ["input", "kind"])] * 2


async def test_a_customer_links_only_what_is_there_and_is_taken_part_in(house: House, as_user: AsUser) -> None:  # S07
    own, theirs, foreign = await house.ticket(), await house.ticket(requester=house.bob_row), None
    other = await make_organization("Other")
    foreign = await make_ticket(other, await make_member(other))
    manager = as_user(await make_member(house.acme, "ADMIN"))

    async with nothing_changes():
        hidden = [await link(house.ann, own, each) for each in (theirs, foreign)]
        hidden += [await link(house.ann, each, own) for each in (theirs, foreign)]
        manages = await link(manager, own, theirs)

    fields = ["targetTicketId"] * 2 + ["sourceTicketId"] * 2
    assert [refusal(each) for each in hidden] == [("NOT_FOUND", ["input", field]) for field in fields]
    assert refusal(manages) == ("FORBIDDEN", None)


async def test_who_sees_one_ticket_alone_is_told_of_no_link(house: House, db: str) -> None:
    """S07: neither on the stream, nor by a gap in its numbers, nor on the timeline."""
    own, theirs = await house.ticket(), await house.ticket(requester=house.bob_row)

    async with house.ann.watch(WATCH, t=gid(own)) as stream, house.sam.watch(WATCH, t=gid(own)) as staff:
        assert "cursor" in await stream.next()
        assert "cursor" in await staff.next()
        assert (await link(house.sam, own, theirs))["errors"] == []
        assert (await send(house.ann, own))["message"]["sequence"] == 1
        told, seen = await stream.next(), await staff.next()

    assert told["item"]["__typename"] == "ChatMessage"
    assert (seen["changedFields"], seen["item"]["link"]) == (LINKED, {"kind": "RELATED_TO"})
    assert await kinds_of(house.ann, own) == await kinds_of(house.bob, theirs) == []
    document = "{ tickets(scope: ALL, filter: {}) { nodes { mergedInto { id } links(kinds: [RELATED_TO]) { kind } } } }"
    async with planned_desk(db) as desk:
        for person in (house.ann_row, await make_staff()):
            assert await desk.agreed(document, await viewer_of(person)) is not None


async def test_support_takes_tickets_apart_again(house: House) -> None:
    a, b = await house.ticket(), await house.ticket()
    made = (await link(house.ann, a, b))["link"]
    selection = "source { id } target { id }"

    async with nothing_changes():
        customer = await mutate(house.ann, "ticketUnlink", selection, linkId=made["id"])
    async with house.ann.watch(WATCH, t=gid(b)) as stream:
        assert "cursor" in await stream.next()
        apart = await mutate(house.sam, "ticketUnlink", selection, linkId=made["id"])
        told = await stream.next()
    async with nothing_changes():
        again = await mutate(house.sam, "ticketUnlink", selection, linkId=made["id"])

    assert refusal(customer) == ("FORBIDDEN", None)
    assert (apart["source"], apart["target"]) == ({"id": gid(a)}, {"id": gid(b)})
    assert told["item"] == {"__typename": "TicketLinkedEvent", "change": "REMOVED", "link": None}
    assert refusal(again) == ("NOT_FOUND", ["input", "linkId"])
    assert await kinds_of(house.ann, a) == []


async def test_links_that_would_close_a_circle_together_are_not_both_made(house: House) -> None:
    a, b, c, d = [await house.ticket() for _ in range(4)]
    for here, there in ((a, b), (c, d)):
        assert (await link(house.sam, here, there, "BLOCKED_BY"))["errors"] == []

    made = await asyncio.gather(link(house.sam, b, c, "BLOCKED_BY"), link(house.sam, d, a, "BLOCKED_BY"))

    assert sorted(len(each["errors"]) for each in made) == [0, 1]


# --- merging


async def test_a_merged_ticket_is_closed_points_on_and_brings_its_people(house: House) -> None:  # S60, S66
    source, target = await house.ticket(), await house.ticket(requester=house.bob_row)
    helper = await make_member(house.acme, name="Helper")
    await make_participant(source, helper)
    await make_follower(source, house.ann_row)
    await make_follower(source, email="boss@elsewhere.example")
    said = (await send(house.ann, source, "No picture"))["message"]

    async with house.ann.watch(WATCH, t=gid(source)) as here, house.bob.watch(WATCH, t=gid(target)) as there:
        assert "cursor" in await here.next()
        assert "cursor" in await there.next()
        merged = await merge(house.sam, source, target)
        told = [await here.next() for _ in range(2)], [await there.next() for _ in range(4)]
    async with nothing_changes():
        again = await merge(house.sam, source, target)

    assert merged["errors"] == []
    assert (merged["source"]["status"], merged["source"]["closureReason"]) == ("CLOSED", "MERGED")
    assert merged["source"]["mergedInto"] == {"id": gid(target)}
    assert merged["source"]["notice"]["text"] == (  # S68
        "This ticket was merged into another one and goes on there. If you cannot see that one, open a new ticket and "
        f"quote {source.reference}."
    )
    assert again["source"] == merged["source"]
    kinds = [[each["item"]["__typename"] for each in side] for side in told]
    assert kinds[0] == ["StatusChangedEvent", "TicketLinkedEvent"]
    # Bob, who does not see the one that was merged, is told who came, and not where from.
    assert kinds[1] == ["ParticipantChangedEvent"] * 4
    link_item = await models.TimelineEvent.get(ticket=target, kind="LINK")
    assert link_item.visibility is Visibility.INTERNAL
    people = {each.user_id: each.role for each in await models.Participant.filter(ticket=target)}
    assert people == {house.ann_row.id: "PARTICIPANT", helper.id: "PARTICIPANT"}
    followers = {(each.user_id, each.email) for each in await models.Follower.filter(ticket=target)}
    assert followers == {(house.ann_row.id, None), (None, "boss@elsewhere.example")}
    # Who opened the one sees both; what was said stays readable where it was said.
    assert await kinds_of(house.ann, source) == await kinds_of(house.ann, target) == ["MERGED_INTO"]
    assert (await house.ann.ask("query($m: ID!) { node(id: $m) { id } }", m=said["id"]))["node"] == {"id": said["id"]}
    assert refusal_of(await send(house.ann, source)) == "TICKET_CLOSED"


async def test_a_merge_shows_nobody_what_was_kept_from_the_person(house: House, clock: Clock) -> None:  # S07
    other = await make_organization("Other")
    private: dict[str, Any] = {"confidentiality": Confidentiality.AUTHOR_ONLY}
    foreign = await make_ticket(other, await make_member(other))
    secret, own = await house.ticket(**private), await house.ticket()
    theirs = await house.ticket(requester=house.bob_row)
    closed = await house.ticket(status=TicketStatus.CLOSED, closed_at=clock())
    escalated = await house.ticket(is_escalated=True)
    refused: list[tuple[models.Ticket, models.Ticket, str, list[str] | None]] = [
        (own, foreign, "INVALID", ["input", "targetTicketId"]),
        (secret, theirs, "INVALID", ["input", "targetTicketId"]),
        (theirs, secret, "INVALID", ["input", "targetTicketId"]),
        (own, own, "INVALID", ["input", "targetTicketId"]),
        (closed, own, "TICKET_CLOSED", ["input", "sourceTicketId"]),
        (own, closed, "TICKET_CLOSED", ["input", "targetTicketId"]),
        (escalated, own, "CONFLICT", None),
    ]

    async with nothing_changes():
        found = [(await merge(house.sam, source, target))["errors"][0] for source, target, _, _ in refused]
    assert [(each["code"], each["field"]) for each in found] == [(code, field) for _, _, code, field in refused]

    # The same author's: nobody comes along.
    await make_participant(own, house.bob_row)
    assert (await merge(house.sam, own, secret))["errors"] == []
    assert await models.Participant.filter(ticket=secret).count() == 0


async def test_two_merges_in_opposite_directions_end_with_one(house: House) -> None:
    for _ in range(3):
        a, b = await house.ticket(), await house.ticket()

        async with asyncio.timeout(30):
            done = await asyncio.gather(merge(house.sam, a, b), merge(house.sam, b, a))

        assert sorted(len(each["errors"]) for each in done) == [0, 1]
        statuses = sorted([(await models.Ticket.get(id=each.id)).status for each in (a, b)])
        assert statuses == [TicketStatus.CLOSED, TicketStatus.OPEN]


# --- splitting


async def test_messages_are_copied_into_a_ticket_of_their_own_and_stay_where_they_were(house: House) -> None:
    ticket = await house.ticket(severity="CRITICAL")
    await make_participant(ticket, house.bob_row)
    await make_message(ticket, house.ann_row, "The camera")
    hidden = await make_message(ticket, None, "She is upset", Visibility.INTERNAL)
    wanted = await make_message(ticket, house.ann_row, "And the screen", occurred_at=LONG_AGO)
    answer = await make_message(ticket, house.bob_row, "Mine too", in_reply_to=wanted)
    at = {"message": wanted, "ticket": ticket, "visibility": "PUBLIC"}
    file = await make_file(house.ann_row, **at)

    made = await split(house.sam, ticket, [answer, wanted, hidden], clientMutationId="1")
    async with nothing_changes():
        again = await split(house.sam, ticket, [answer, wanted, hidden], clientMutationId="1")
        other = await split(house.sam, ticket, [answer], clientMutationId="1", subject="Else")

    assert made["errors"] == []
    new = await models.Ticket.get(reference=made["ticket"]["reference"])
    assert made["ticket"]["description"] == "And the screen"
    assert (new.severity, new.requester_id, new.status) == ("CRITICAL", house.ann_row.id, TicketStatus.NEW)
    assert (again["ticket"]["id"], refusal(other)[0]) == (gid(new), "IDEMPOTENCY_MISMATCH")
    copies = await models.Message.filter(ticket=new).order_by("sequence")
    assert [(each.body, each.visibility, each.sequence, each.public_sequence) for each in copies] == [
        ("She is upset", "INTERNAL", 1, None),
        ("And the screen", "PUBLIC", 2, 1),
        ("Mine too", "PUBLIC", 3, 2),
    ]
    assert (copies[1].actor_id, copies[1].occurred_at) == (house.ann_row.id, LONG_AGO)
    assert copies[2].in_reply_to_id == copies[1].id
    assert await models.Message.filter(ticket=ticket).count() == 4
    (copied,) = await models.Attachment.filter(ticket=new)
    assert (copied.blob_key, copied.file_name, copied.message_id) == (file.blob_key, file.file_name, copies[1].id)
    for client in (house.ann, house.bob):
        assert await kinds_of(client, ticket) == await kinds_of(client, new) == ["SPLIT_FROM"]
    ask = "query($t: ID!) { ticket(id: $t) { attachments { nodes { fileName downloadUrl } } messages { totalCount } } }"
    found = (await house.bob.ask(ask, t=gid(new)))["ticket"]
    assert [each["fileName"] for each in found["attachments"]["nodes"]] == ["log.txt"]
    assert found["attachments"]["nodes"][0]["downloadUrl"] is not None
    assert found["messages"]["totalCount"] == 2


async def test_what_is_on_another_ticket_or_for_support_alone_is_not_split_off(house: House) -> None:
    ticket, other = await house.ticket(), await house.ticket()
    here, there = await make_message(ticket, house.ann_row), await make_message(other, house.ann_row)
    hidden = await make_message(ticket, None, "Psst", Visibility.INTERNAL)

    async with nothing_changes():
        found = [refusal(await split(house.sam, ticket, each)) for each in ([here, there], [], [hidden])]
        many = refusal(await split(house.sam, ticket, [here], messageIds=[f"ChatMessage_{i:032x}" for i in range(101)]))
        blank = refusal(await split(house.sam, ticket, [here], subject=" "))
        customer = refusal(await split(house.ann, ticket, [here]))

    assert found == [(code, ["input", "messageIds"]) for code in ("NOT_FOUND", "REQUIRED", "REQUIRED")]
    assert many == ("INVALID", ["input", "messageIds"])
    assert (blank, customer) == (("REQUIRED", ["input", "subject"]), ("FORBIDDEN", None))


def refusal_of(payload: Any) -> str:
    code: str = payload["errors"][0]["code"]
    return code
