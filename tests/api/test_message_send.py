"""Writing in a conversation: what it does to the ticket, that a retry never doubles it, and who can tell of it."""

import asyncio
import base64
import json
from typing import Any

import pytest

import models
from domain.enums import LifecyclePreset, OrganizationRole, TicketStatus
from tests.api.operations import STATE, note, on_ticket, refusal, send
from tests.api.world import gid, nothing_changes
from tests.client import Client
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import make_member, make_organization, make_staff, make_ticket

pytestmark = pytest.mark.anyio

NEW, OPEN, PENDING, ON_HOLD, RESOLVED, CLOSED = TicketStatus


class Desk:
    """Ann, who opened a ticket at Acme, and Sam from support."""

    def __init__(self, as_user: AsUser, acme: models.Organization, ann: models.User, sam: models.User) -> None:
        self.as_user, self.acme, self.ann_row, self.sam_row = as_user, acme, ann, sam
        self.ann, self.sam = as_user(ann), as_user(sam)

    async def ticket(self, status: TicketStatus = OPEN, **given: Any) -> models.Ticket:
        at = given.pop("at", None)
        times = {"resolved_at": at} if status is RESOLVED else {"closed_at": at} if status is CLOSED else {}
        return await make_ticket(self.acme, self.ann_row, status=status, **times, **given)


@pytest.fixture
async def desk(as_user: AsUser) -> Desk:
    acme = await make_organization("Acme")
    return Desk(as_user, acme, await make_member(acme, name="Ann"), await make_staff(name="Sam"))


async def test_a_message_stands_in_the_conversation_of_both_sides(desk: Desk, clock: Clock) -> None:  # S50, S97
    ticket = await desk.ticket()

    sent = await send(desk.ann, ticket, "It **still** does\r\nnothing", clientMutationId="echo")
    answer = await send(desk.sam, ticket, "Try again", message={"inReplyToId": sent["message"]["id"]})

    assert (sent["errors"], sent["message"]["body"]) == ([], "It **still** does\nnothing")
    for reader in (desk.ann, desk.sam):
        shown = await reader.ask(
            """query($t: ID!) { ticket(id: $t) { lastActivityAt firstRespondedAt messages { totalCount nodes {
              body sequence source deliveryState actor { displayName } inReplyTo { body } } } } }""",
            t=gid(ticket),
        )
        assert shown["ticket"]["lastActivityAt"] == shown["ticket"]["firstRespondedAt"] == "2026-03-02T09:00:00.000000Z"
        assert shown["ticket"]["messages"]["totalCount"] == 2
        assert [
            (m["body"], m["actor"]["displayName"], m["inReplyTo"]) for m in shown["ticket"]["messages"]["nodes"]
        ] == [
            ("It **still** does\nnothing", "Ann", None),
            ("Try again", "Sam", {"body": "It **still** does\nnothing"}),
        ]
    assert answer["ticket"]["status"] == "PENDING_CUSTOMER"


AFTER_A_REPLY = {
    (NEW, "ann"): "NEW",
    (NEW, "sam"): "PENDING_CUSTOMER",
    (OPEN, "ann"): "OPEN",
    (OPEN, "sam"): "PENDING_CUSTOMER",
    (PENDING, "ann"): "OPEN",
    (PENDING, "sam"): "PENDING_CUSTOMER",
    (ON_HOLD, "ann"): "OPEN",
    (ON_HOLD, "sam"): "PENDING_CUSTOMER",
    (RESOLVED, "ann"): "OPEN",
    (RESOLVED, "sam"): "RESOLVED",
}


async def test_a_reply_moves_the_status(desk: Desk, clock: Clock) -> None:
    """S62, S64: and the change of status stands on the timeline and counts as an item of it."""
    for (status, who), expected in AFTER_A_REPLY.items():
        ticket = await desk.ticket(status, at=clock())

        sent = await send(desk.ann if who == "ann" else desk.sam, ticket)

        moved = expected != status.value
        assert (sent["ticket"]["status"], sent["ticket"]["lastSequence"]) == (expected, 2 if moved else 1), status
        assert sent["ticket"]["version"] == 2
        row = await models.Ticket.get(id=ticket.id)
        assert row.waiting_since == (clock() if expected == "PENDING_CUSTOMER" else None), status
        assert (row.resolved_at is None) is (expected != "RESOLVED"), status
        told = [(e.old_value, e.new_value) for e in await models.TimelineEvent.filter(ticket=ticket)]
        assert told == ([(status.value, expected)] if moved else []), status


@pytest.mark.parametrize(("preset", "hours"), [(LifecyclePreset.HOURS_72, 72), (LifecyclePreset.WEEK, 168)])
async def test_a_reply_reopens_up_to_the_end_of_the_window(
    desk: Desk, clock: Clock, preset: LifecyclePreset, hours: int
) -> None:
    """S64, S65: at 71:59:59 and at 72:00:00 it does; at 72:00:01 it leaves everything as it was."""
    desk.acme.lifecycle_preset = preset
    await desk.acme.save()
    in_time, sharp, late = [await desk.ticket(RESOLVED, at=clock()) for _ in range(3)]

    clock.advance(hours=hours, seconds=-1)
    assert (await send(desk.ann, in_time))["ticket"]["status"] == "OPEN"
    clock.advance(seconds=1)
    assert (await send(desk.ann, sharp))["ticket"]["status"] == "OPEN"
    clock.advance(seconds=1)
    async with nothing_changes():
        refused = await send(desk.ann, late)

    assert refusal(refused) == ("REOPEN_WINDOW_EXPIRED", None)
    (error,) = refused["errors"]
    assert "linked ticket" in error["message"]
    assert (error["ticket"]["reference"], error["offersLinkedTicket"]) == (late.reference, True)


async def test_a_closed_ticket_offers_a_linked_one_instead(desk: Desk, clock: Clock) -> None:
    """S66, S68, S69."""
    ticket = await desk.ticket(CLOSED, at=clock())

    for client in (desk.ann, desk.sam):
        async with nothing_changes():
            refused = await send(client, ticket)
            noted = await note(client, ticket)
        for payload in (refused, noted):
            assert refusal(payload) == ("TICKET_CLOSED", None)
            assert payload["errors"] == [
                {
                    "__typename": "TicketClosedError",
                    "code": "TICKET_CLOSED",
                    "message": "This ticket is closed. Open a linked ticket and quote this one's reference.",
                    "field": None,
                    "ticket": {"id": gid(ticket), "reference": ticket.reference},
                    "offersLinkedTicket": True,
                }
            ]


async def test_a_message_that_is_sent_again_is_the_same_message(desk: Desk) -> None:  # J2
    ticket = await desk.ticket()
    first = await send(desk.ann, ticket, "Hello", clientMessageId="one")

    async with nothing_changes():
        again = await send(desk.ann, ticket, "Hello", clientMessageId="one")

    assert again["message"] == first["message"]
    assert await models.Message.filter(ticket=ticket).count() == 1


async def test_a_message_whose_answer_was_lost_before_the_ticket_was_closed_is_found_again(desk: Desk) -> None:
    """J2: the retry tells what happened the first time, not what would happen now."""
    ticket = await desk.ticket()
    first = await send(desk.ann, ticket, "Hello", clientMessageId="one")
    await on_ticket(desk.sam, "ticketClose", ticket)

    again = await send(desk.ann, ticket, "Hello", clientMessageId="one")

    assert (again["errors"], again["message"]) == ([], first["message"])


async def test_a_key_that_is_used_for_something_else_is_refused(desk: Desk) -> None:  # J2
    ticket = await desk.ticket()
    await send(desk.sam, ticket, "Hello", clientMessageId="one")

    async with nothing_changes():
        other_text = await send(desk.sam, ticket, "Hello!", clientMessageId="one")
        other_kind = await note(desk.sam, ticket, "Hello", clientMessageId="one")
        internal = await send(desk.sam, ticket, "Hello", clientMessageId="one", message={"visibility": "INTERNAL"})

    for payload in (other_text, other_kind, internal):
        assert refusal(payload) == ("IDEMPOTENCY_MISMATCH", ["input", "clientMessageId"])


async def test_a_key_counts_for_one_author_on_one_ticket(desk: Desk) -> None:  # J2
    ticket, other = await desk.ticket(), await desk.ticket()

    sent = [
        await send(client, where, body, clientMessageId="one")
        for client, where, body in ((desk.ann, ticket, "a"), (desk.sam, ticket, "b"), (desk.ann, other, "c"))
    ]

    assert [each["message"]["body"] for each in sent] == ["a", "b", "c"]


async def test_the_same_message_sent_at_the_same_time_is_stored_once(desk: Desk) -> None:  # J2
    ticket = await desk.ticket()

    sent = await asyncio.gather(*(send(desk.ann, ticket, "Hello", clientMessageId="one") for _ in range(5)))

    assert [each["errors"] for each in sent] == [[]] * 5
    assert len({each["message"]["id"] for each in sent}) == 1
    assert await models.Message.filter(ticket=ticket).count() == 1


async def test_messages_sent_at_the_same_time_are_numbered_without_a_gap(desk: Desk) -> None:
    ticket = await desk.ticket()

    sent = await asyncio.gather(*(send(desk.ann, ticket, f"{n}") for n in range(8)))

    assert sorted(each["message"]["sequence"] for each in sent) == [1, 2, 3, 4, 5, 6, 7, 8]
    row = await models.Ticket.get(id=ticket.id)
    assert (row.last_sequence, row.last_public_sequence, row.version) == (8, 8, 9)


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"body": ""}, "REQUIRED", "message"),
    ({"body": " \u3000\n"}, "REQUIRED", "message"),
    ({"body": "a\x00b"}, "INVALID", "message"),
    ({"body": "a\ud800"}, "INVALID", "message"),
    ({"body": "x" * 64_001}, "INVALID", "message"),
    ({"body": "x" * 10_000_000}, "INVALID", "message"),
    ({"clientMessageId": ""}, "REQUIRED", "clientMessageId"),
    ({"clientMessageId": "x" * 101}, "INVALID", "clientMessageId"),
    ({"clientMessageId": "\x00"}, "INVALID", "clientMessageId"),
    ({"clientMessageId": "\udc00"}, "INVALID", "clientMessageId"),
    ({"ticketId": "Ticket_1"}, "INVALID", "ticketId"),
    ({"message": {"inReplyToId": "x"}}, "INVALID", "message"),
]


async def test_what_cannot_be_stored_is_refused_and_leaves_no_trace(desk: Desk) -> None:
    ticket = await desk.ticket()

    async with nothing_changes():
        found = [refusal(await send(desk.ann, ticket, **given)) for given, _, _ in REFUSED]

    assert found == [(code, ["input", field]) for _, code, field in REFUSED]


async def test_a_reply_quotes_a_message_of_the_same_ticket_that_its_author_may_see(desk: Desk) -> None:  # J7
    ticket, other = await desk.ticket(), await desk.ticket()
    internal = await send(desk.sam, ticket, "Upset", message={"visibility": "INTERNAL"})
    elsewhere = await send(desk.ann, other, "Elsewhere")

    async with nothing_changes():
        for quoted in (internal, elsewhere):
            refused = await send(desk.ann, ticket, message={"inReplyToId": quoted["message"]["id"]})
            assert refusal(refused) == ("NOT_FOUND", ["input", "message", "inReplyToId"])


async def test_customers_write_nothing_internal(desk: Desk) -> None:  # J7
    ticket = await desk.ticket()

    async with nothing_changes():
        assert refusal(await send(desk.ann, ticket, message={"visibility": "INTERNAL"})) == ("FORBIDDEN", None)
        assert refusal(await note(desk.ann, ticket, visibility="INTERNAL")) == ("FORBIDDEN", None)


async def test_an_internal_message_leaves_the_status_and_the_customers_clock_alone(desk: Desk) -> None:  # S62, S63, J7
    for status in (NEW, OPEN, PENDING, ON_HOLD):
        ticket = await desk.ticket(status)

        sent = await send(desk.sam, ticket, message={"visibility": "INTERNAL"})

        row = await models.Ticket.get(id=ticket.id)
        assert (sent["ticket"]["status"], row.waiting_since, row.first_responded_at) == (status.value, None, None)


SEEN = """query($t: ID!, $f: Int) { ticket(id: $t) {
  lastSequence feedCursor
  messages(first: $f) { totalCount nodes { id body sequence cursor inReplyTo { body } } pageInfo { hasNextPage } }
  transcript { messages { totalCount nodes { body } } } } }"""


async def test_what_is_internal_is_in_no_list_count_number_or_cursor_of_a_customer(desk: Desk) -> None:
    """J7: two tickets, the same but for the internal messages on one of them, look alike to their customer."""
    plain, noted = await desk.ticket(), await desk.ticket()
    for n in range(4):
        for ticket in (plain, noted):
            await send((desk.ann, desk.sam)[n % 2], ticket, f"public {n}")
        internal = await send(desk.sam, noted, f"internal {n}", message={"visibility": "INTERNAL"})
        for ticket in (plain, noted):
            quoting = {"inReplyToId": internal["message"]["id"]} if ticket is noted else {}
            await send(desk.sam, ticket, f"answer {n}", message=quoting)
        await note(desk.sam, noted, "aside", visibility="INTERNAL")

    one, other = [await seen(desk.ann, ticket) for ticket in (plain, noted)]
    support = await seen(desk.sam, noted)

    assert one == other
    assert one["ticket"]["messages"]["totalCount"] == 8
    assert one["ticket"]["lastSequence"] == 8 + 3, "eight messages, and three changes of the status"
    assert support["ticket"]["messages"]["totalCount"] == 16


async def seen(client: Client, ticket: models.Ticket) -> Any:
    """What a customer sees of a ticket, without what has to differ: ids, and the stream's own name."""
    found = await client.ask(SEEN, t=gid(ticket), f=5)
    del found["ticket"]["feedCursor"]
    for each in found["ticket"]["messages"]["nodes"]:
        del each["id"], each["cursor"]
    return found


async def test_a_customers_cursors_count_what_the_customer_sees(desk: Desk) -> None:  # J7
    """A cursor is opaque, but whoever takes it apart learns nothing from it either."""
    ticket = await desk.ticket()
    for visibility in ("INTERNAL", "PUBLIC", "INTERNAL", "PUBLIC"):
        await send(desk.sam, ticket, message={"visibility": visibility})

    nodes = (await desk.ann.ask(SEEN, t=gid(ticket)))["ticket"]["messages"]["nodes"]

    # The first public reply also moved the status: an item of the timeline of its own.
    assert [each["sequence"] for each in nodes] == [2, 3]
    assert [place(each["cursor"]) for each in nodes] == [2, 3]


async def test_a_customer_cannot_tell_that_something_internal_was_written(desk: Desk, clock: Clock) -> None:
    """J7: nothing of the ticket moves, and an `expectedVersion` is not stale for a reason that nobody can see (J8)."""
    ticket = await desk.ticket()
    document = f"query($t: ID!) {{ ticket(id: $t) {{ {STATE} updatedAt lastActivityAt firstRespondedAt feedCursor }} }}"
    before = await desk.ann.ask(document, t=gid(ticket))

    clock.advance(hours=1)
    await send(desk.sam, ticket, message={"visibility": "INTERNAL"})
    await note(desk.sam, ticket, visibility="INTERNAL")

    assert await desk.ann.ask(document, t=gid(ticket)) == before


async def test_a_note_moves_no_status_and_stands_beside_the_conversation(desk: Desk) -> None:  # S04, S48
    ada = desk.as_user(await make_member(desk.acme, OrganizationRole.SUPPORT_REQUEST_ADMIN, "Ada"))
    ticket = await desk.ticket(PENDING)

    noted = await note(ada, ticket, "The serial number is SN-1", clientMessageId="one")
    again = await note(ada, ticket, "The serial number is SN-1", clientMessageId="one")
    await note(desk.sam, ticket, "Second", visibility="INTERNAL")

    assert noted["note"] | {"id": ""} == {
        "__typename": "Note",
        "id": "",
        "body": "The serial number is SN-1",
        "visibility": "PUBLIC",
        "sequence": 1,
    }
    assert again["note"] == noted["note"]
    row = await models.Ticket.get(id=ticket.id)
    assert (row.status, row.last_sequence, row.last_public_sequence) == (PENDING, 2, 1)


async def test_a_colleague_who_notes_becomes_no_contact(desk: Desk) -> None:  # S05
    ada = desk.as_user(await make_member(desk.acme, OrganizationRole.SUPPORT_REQUEST_ADMIN, "Ada"))
    ticket = await desk.ticket()

    await note(ada, ticket)
    await send(ada, ticket)
    await on_ticket(ada, "ticketResolve", ticket)

    assert await models.Participant.filter(ticket=ticket).count() == 0


def place(cursor: str) -> int:
    value: int = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))[1]
    return value
