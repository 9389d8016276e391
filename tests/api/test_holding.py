"""On hold: nothing happens to a ticket by itself until the moment named, and then it goes on, once (S63, S67)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

import models
from domain.enums import TicketStatus
from resolvers import sweeps
from resolvers.context import Context, Services
from tests.api.operations import mutate, refusal, send
from tests.api.world import gid, nothing_changes
from tests.client import Client
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import make_member, make_organization, make_staff, make_ticket

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


async def test_a_hold_suspends_what_happens_by_itself_and_ends_once_also_after_a_day_off(
    as_user: AsUser, services: Services, clock: Clock
) -> None:  # S63, S67
    acme = await make_organization()
    ann, sam = await make_member(acme), await make_staff()
    ticket = await make_ticket(acme, ann)
    await send(as_user(sam), ticket, "We ordered a part")
    until = clock() + 10 * DAY
    desk = Context(await as_user(sam).viewer(), services)

    held = await hold(as_user(sam), ticket, until, reason=" Waiting for  a part ")
    clock.advance(days=10, seconds=-1)
    early = (await sweeps.resolve_waiting(desk), await sweeps.end_holds(desk))
    clock.advance(days=1, seconds=1)
    ended = [await sweeps.end_holds(desk) for _ in range(2)]

    assert (held["errors"], held["ticket"]) == ([], {"status": "ON_HOLD", "holdUntil": text(until), "version": 3})
    assert (early, ended) == ((0, 0), [1, 0])
    row = await models.Ticket.get(id=ticket.id)
    assert (row.status, row.hold_until, row.waiting_since, row.version) == (TicketStatus.OPEN, None, None, 4)
    told = await models.TimelineEvent.filter(ticket=ticket).order_by("sequence")
    assert [(each.old_value, each.new_value, each.reason, each.automatic) for each in told[1:]] == [
        ("PENDING_CUSTOMER", "ON_HOLD", "Waiting for a part", False),
        ("ON_HOLD", "OPEN", None, True),
    ]


async def test_a_hold_ends_at_its_instant_or_with_a_reply(as_user: AsUser, services: Services, clock: Clock) -> None:
    """S62, S67: not a second before; and a customer who writes does not wait for it."""
    acme = await make_organization()
    ann, sam = await make_member(acme), await make_staff()
    sharp, answered = await make_ticket(acme, ann), await make_ticket(acme, ann)
    for each in (sharp, answered):
        await hold(as_user(sam), each, clock() + DAY)
    desk = Context(await as_user(sam).viewer(), services)

    await send(as_user(ann), answered)
    clock.advance(days=1, seconds=-1)
    before = await sweeps.end_holds(desk)
    clock.advance(seconds=1)

    assert (before, await sweeps.end_holds(desk)) == (0, 1)
    for each in (sharp, answered):
        row = await models.Ticket.get(id=each.id)
        assert (row.status, row.hold_until) == (TicketStatus.OPEN, None)


async def test_a_hold_is_moved_and_the_same_again_changes_nothing(as_user: AsUser, clock: Clock) -> None:  # S67
    acme = await make_organization()
    ann, sam = await make_member(acme), await make_staff()
    ticket = await make_ticket(acme, ann)
    first, second = clock() + DAY, clock() + 2 * DAY

    await hold(as_user(sam), ticket, first)
    moved = await hold(as_user(sam), ticket, second)
    async with nothing_changes():
        again = await hold(as_user(sam), ticket, second)

    assert moved["ticket"] == again["ticket"] == {"status": "ON_HOLD", "holdUntil": text(second), "version": 3}
    told = await models.TimelineEvent.get(ticket=ticket, field="holdUntil")
    assert (told.old_value, told.new_value) == (text(first), text(second))


async def test_what_has_ended_is_not_held_nor_is_anything_until_the_past(as_user: AsUser, clock: Clock) -> None:
    """S66, S67."""
    acme = await make_organization()
    ann, sam = await make_member(acme), await make_staff()
    times = {"resolved_at": clock(), "closed_at": clock()}
    ended = [
        await make_ticket(acme, ann, status=each, **times) for each in (TicketStatus.RESOLVED, TicketStatus.CLOSED)
    ]
    ticket = await make_ticket(acme, ann)

    async with nothing_changes():
        over = [await hold(as_user(sam), each, clock() + DAY) for each in ended]
        wrong = [await hold(as_user(sam), ticket, clock() + each) for each in (timedelta(0), -DAY, 367 * DAY)]
        reason = await hold(as_user(sam), ticket, clock() + DAY, reason="a\x00b")

    assert [refusal(each)[0] for each in over] == ["CONFLICT", "TICKET_CLOSED"]
    assert [refusal(each) for each in wrong] == [("INVALID", ["input", "until"])] * 3
    assert refusal(reason) == ("INVALID", ["input", "reason"])


async def hold(client: Client, ticket: models.Ticket, until: datetime, **given: Any) -> Any:
    selection = "ticket { status holdUntil version }"
    return await mutate(client, "ticketHold", selection, ticketId=gid(ticket), until=text(until), **given)


def text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
