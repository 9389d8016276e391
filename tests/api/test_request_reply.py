"""Support asks its customer for something: then it is the customer's turn (S62, S63, S64, J2)."""

from datetime import timedelta
from typing import Any

import pytest

import models
from domain.enums import TicketChannel, TicketStatus, Visibility
from engine.instants import instant_text
from tests.api.operations import STATE, mutate, refusal, send
from tests.api.world import gid, nothing_changes
from tests.client import Client
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import make_member, make_organization, make_staff, make_ticket

pytestmark = pytest.mark.anyio

MESSAGE = f"message {{ __typename id body visibility }} ticket {{ {STATE} autoResolveAt }}"


async def ask_for(sam: Client, ticket: models.Ticket, body: str = "Which room?", **given: Any) -> Any:
    message = {"body": body, **given.pop("message", {})}
    return await mutate(sam, "ticketRequestReply", MESSAGE, ticketId=gid(ticket), message=message, **given)


async def test_a_question_is_a_message_after_which_the_customer_is_waited_for(as_user: AsUser, clock: Clock) -> None:
    acme = await make_organization()
    ann, sam = await make_member(acme), as_user(await make_staff())
    ticket = await make_ticket(acme, ann, status=TicketStatus.NEW)

    asked = await ask_for(sam, ticket)

    assert asked["errors"] == []
    assert asked["message"]["__typename"] == "ChatMessage"
    assert (asked["message"]["body"], asked["ticket"]["status"]) == ("Which room?", "PENDING_CUSTOMER")
    row = await models.Ticket.get(id=ticket.id)
    assert (row.waiting_since, row.first_responded_at) == (clock(), clock())
    assert (await send(as_user(ann), ticket, "Rome"))["ticket"]["status"] == "OPEN"


async def test_asking_again_waits_anew(as_user: AsUser, clock: Clock) -> None:  # S63
    acme = await make_organization()
    sam, ticket = as_user(await make_staff()), await make_ticket(acme, await make_member(acme))
    await ask_for(sam, ticket)
    clock.advance(hours=100)

    again = await ask_for(sam, ticket, "Any news?")

    assert (again["ticket"]["status"], again["ticket"]["autoResolveAt"]) == (
        "PENDING_CUSTOMER",
        instant_text(clock() + timedelta(days=7)),
    )


async def test_a_question_opens_a_resolved_ticket_and_no_closed_one(as_user: AsUser, clock: Clock) -> None:
    """S64, S66: unlike an answer, which leaves it resolved; and not when a reply would not open it any more."""
    acme = await make_organization()
    sam, ann = as_user(await make_staff()), await make_member(acme)
    resolved: Any = {"status": TicketStatus.RESOLVED, "resolved_at": clock()}
    answered, asked, late = [await make_ticket(acme, ann, **resolved) for _ in range(3)]
    closed = await make_ticket(acme, ann, status=TicketStatus.CLOSED, closed_at=clock())

    assert (await send(sam, answered, "You are welcome"))["ticket"]["status"] == "RESOLVED"
    opened = (await ask_for(sam, asked))["ticket"]
    assert (opened["status"], opened["resolvedAt"]) == ("PENDING_CUSTOMER", None)
    clock.advance(hours=7 * 24 + 1)
    async with nothing_changes():
        assert (await ask_for(sam, late))["errors"][0]["code"] == "REOPEN_WINDOW_EXPIRED"
        assert (await ask_for(sam, closed))["errors"][0]["code"] == "TICKET_CLOSED"


async def test_a_question_that_is_sent_twice_is_asked_once(as_user: AsUser) -> None:  # J2
    acme = await make_organization()
    sam, ticket = as_user(await make_staff()), await make_ticket(acme, await make_member(acme))
    first = await ask_for(sam, ticket, clientMutationId="q-1")

    async with nothing_changes():
        again = await ask_for(sam, ticket, clientMutationId="q-1")
        other = await ask_for(sam, ticket, "Which floor?", clientMutationId="q-1")

    assert again["message"]["id"] == first["message"]["id"]
    assert refusal(other) == ("IDEMPOTENCY_MISMATCH", ["input", "clientMutationId"])


async def test_the_customer_sees_what_is_asked(as_user: AsUser) -> None:
    """S50: by e-mail, on a ticket that came by e-mail; nothing internal is asked."""
    acme = await make_organization()
    sam = as_user(await make_staff())
    ticket = await make_ticket(acme, await make_member(acme), channel=TicketChannel.EMAIL)

    async with nothing_changes():
        hidden = await ask_for(sam, ticket, message={"visibility": Visibility.INTERNAL})
        assert refusal(hidden) == ("INVALID", ["input", "message", "visibility"])

    assert (await ask_for(sam, ticket))["message"]["__typename"] == "EmailMessage"
