"""What happens by itself: who goes round, what is due on which side of a window, and what the log lets go of."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import models
from domain.enums import ClosureReason, LifecyclePreset, ResolutionReason, TicketStatus
from models import FeedEvent, FeedStream, Ticket
from resolvers import sweeps
from resolvers.context import Services
from server.settings import Settings
from server.sweeps import HELD_FOR, Swept, sweep_once, take_lease
from tests.api.operations import send
from tests.api.world import gid
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import make_member, make_organization, make_ticket
from tests.server.desk import MESSAGES
from tests.server.running import settings_for

pytestmark = pytest.mark.anyio

WEEK, SECOND = timedelta(days=7), timedelta(seconds=1)
NOTHING = Swept(resolved=0, closed=0, events_let_go=0, tokens_forgotten=0)


@pytest.fixture
def settings(db: str, tmp_path: Path) -> Settings:
    return settings_for(db, tmp_path, replay_max_events=3, replay_window=timedelta(days=1))


@pytest.fixture
async def acme(services: Services) -> models.Organization:
    return await make_organization("Acme")


# --- who goes round


async def test_of_two_that_come_at_once_one_goes_round(services: Services) -> None:
    got = await asyncio.gather(*(take_lease(services, holder) for holder in ("one", "two")))

    assert sorted(got) == [False, True]
    (lease,) = await models.Lease.all()
    assert (lease.holder, lease.until) == (("one", "two")[got.index(True)], services.clock() + HELD_FOR)


async def test_the_lease_is_renewed_by_its_holder_and_taken_over_when_it_has_run_out(
    services: Services, clock: Clock
) -> None:
    assert await take_lease(services, "one")
    clock.advance(seconds=60)
    assert await take_lease(services, "one")
    clock.advance(seconds=90)
    assert not await take_lease(services, "two")
    clock.advance(seconds=1)

    assert await take_lease(services, "two")
    assert not await take_lease(services, "one")


# --- what is due


async def waiting(acme: models.Organization, clock: Clock, since: timedelta, **given: Any) -> Ticket:
    values = {"status": TicketStatus.PENDING_CUSTOMER, "waiting_since": clock() - since, **given}
    return await make_ticket(acme, None, **values)


async def resolved(acme: models.Organization, clock: Clock, since: timedelta) -> Ticket:
    return await make_ticket(acme, None, status=TicketStatus.RESOLVED, resolved_at=clock() - since)


async def statuses(*tickets: Ticket) -> list[TicketStatus]:
    return [(await Ticket.get(id=ticket.id)).status for ticket in tickets]


async def test_a_customer_who_is_silent_for_seven_days_has_no_longer_a_question(
    services: Services, settings: Settings, clock: Clock, acme: models.Organization
) -> None:
    """S63; on hold it is support that is waited for (S67)."""
    due, early = await waiting(acme, clock, WEEK), await waiting(acme, clock, WEEK - SECOND)
    on_hold = await waiting(acme, clock, 2 * WEEK, status=TicketStatus.ON_HOLD)

    swept = await sweep_once(services, settings)

    assert swept == Swept(resolved=1, closed=0, events_let_go=0, tokens_forgotten=0)
    assert await statuses(due, early, on_hold) == [
        TicketStatus.RESOLVED,
        TicketStatus.PENDING_CUSTOMER,
        TicketStatus.ON_HOLD,
    ]
    after = await Ticket.get(id=due.id)
    assert (after.resolution_reason, after.resolved_at) == (ResolutionReason.INACTIVITY, clock())
    clock.advance(seconds=1)
    assert (await sweep_once(services, settings)).resolved == 1
    assert await statuses(early) == [TicketStatus.RESOLVED]


@pytest.mark.parametrize(
    ("preset", "window"), [(LifecyclePreset.WEEK, WEEK), (LifecyclePreset.HOURS_72, timedelta(hours=72))]
)
async def test_a_resolved_ticket_closes_just_after_the_last_moment_to_reopen_it(
    services: Services, settings: Settings, clock: Clock, preset: LifecyclePreset, window: timedelta
) -> None:
    """S64, S65: at the last instant of the window a reply still reopens it."""
    theirs = await make_organization(lifecycle_preset=preset)
    due, early = await resolved(theirs, clock, window + SECOND), await resolved(theirs, clock, window)

    swept = await sweep_once(services, settings)

    assert swept == Swept(resolved=0, closed=1, events_let_go=0, tokens_forgotten=0)
    assert await statuses(due, early) == [TicketStatus.CLOSED, TicketStatus.RESOLVED]
    after = await Ticket.get(id=due.id)
    assert (after.closure_reason, after.closed_at) == (ClosureReason.AUTO_AFTER_RESOLVED, clock())


async def test_after_a_day_without_rounds_all_that_was_due_is_done_once(
    services: Services, settings: Settings, clock: Clock, acme: models.Organization
) -> None:
    silent = [await waiting(acme, clock, WEEK - timedelta(hours=hour)) for hour in (1, 12, 23)]
    solved = [await resolved(acme, clock, WEEK - timedelta(hours=hour)) for hour in (1, 12, 23)]
    assert await sweep_once(services, settings) == NOTHING
    clock.advance(days=1)

    first = await sweep_once(services, settings)
    announced = await FeedEvent.all().count()
    second = await sweep_once(services, settings)

    assert (first.resolved, first.closed) == (3, 3)
    assert second == NOTHING
    assert await statuses(*silent, *solved) == [TicketStatus.RESOLVED] * 3 + [TicketStatus.CLOSED] * 3
    assert await FeedEvent.all().count() == announced
    once = await Ticket.filter(id__in=[ticket.id for ticket in silent])
    assert [(ticket.resolved_at, ticket.last_sequence) for ticket in once] == [(clock(), 1)] * 3
    clock.advance(days=7)
    assert (await sweep_once(services, settings)).closed == 0
    clock.advance(seconds=1)
    assert (await sweep_once(services, settings)).closed == 3


async def test_more_than_a_round_takes_is_done_in_the_rounds_after_it_the_oldest_first(
    services: Services, settings: Settings, clock: Clock, acme: models.Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S63, S65."""
    monkeypatch.setattr(sweeps, "BATCH", 2)
    silent = [await waiting(acme, clock, WEEK + hours * timedelta(hours=1)) for hours in range(5)]

    swept = [(await sweep_once(services, settings)).resolved for _ in range(4)]

    assert swept == [2, 2, 1, 0]
    told = await models.TimelineEvent.filter(ticket_id__in=[each.id for each in silent]).order_by("id")
    assert [each.ticket_id for each in told] == [each.id for each in silent[::-1]]


async def test_one_that_fails_keeps_no_other_waiting_and_is_tried_again(
    services: Services, settings: Settings, clock: Clock, acme: models.Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S63, S65: nor what else there is to do in the round."""
    stuck, silent = await waiting(acme, clock, 2 * WEEK), await waiting(acme, clock, WEEK)
    solved = await resolved(acme, clock, WEEK + SECOND)
    lock = sweeps.lock_for_sweep

    async def failing(ticket_id: UUID) -> Ticket:
        if ticket_id == stuck.id:
            raise ConnectionError
        return await lock(ticket_id)

    monkeypatch.setattr(sweeps, "lock_for_sweep", failing)
    first = await sweep_once(services, settings)
    monkeypatch.undo()
    second = await sweep_once(services, settings)

    assert (first.resolved, first.closed) == (1, 1)
    assert (second.resolved, second.closed) == (1, 0)
    assert await statuses(stuck, silent, solved) == [
        TicketStatus.RESOLVED,
        TicketStatus.RESOLVED,
        TicketStatus.CLOSED,
    ]


async def test_two_processes_that_go_round_at_once_resolve_each_ticket_once(
    services: Services, settings: Settings, clock: Clock, acme: models.Organization
) -> None:
    """The lease keeps that from happening; should it happen, the lock of each ticket does."""
    tickets = [await waiting(acme, clock, WEEK) for _ in range(5)]

    rounds = await asyncio.gather(*(sweep_once(services, settings) for _ in range(2)))

    assert sum(swept.resolved for swept in rounds) == 5
    assert [(await Ticket.get(id=ticket.id)).last_sequence for ticket in tickets] == [1] * 5


# --- what the log lets go of


@pytest.mark.parametrize(("old", "recent", "kept"), [(10, 2, 3), (10, 5, 5), (3, 0, 3)])
async def test_events_stay_that_are_among_the_last_or_inside_the_window(
    services: Services, settings: Settings, clock: Clock, as_user: AsUser, old: int, recent: int, kept: int
) -> None:
    acme = await make_organization("Acme")
    ann = await make_member(acme)
    ticket = await make_ticket(acme, ann)
    first = None
    for number in range(old + recent):
        if number == old:
            clock.advance(days=2)
        payload = await send(as_user(ann), ticket, f"{number}")
        assert payload["errors"] == []
        first = first or await place(as_user, ann, ticket)
    clock.advance(days=2 if not recent else 0, hours=1)

    swept = await sweep_once(services, settings)

    gone = old + recent - kept
    streams = await FeedStream.all()
    assert len(streams) == 6  # of the ticket and of its organization, for support and for customers; the desk's; Ann's
    assert swept.events_let_go == len(streams) * gone
    for stream in streams:
        assert (stream.head, stream.floor) == (old + recent, gone)
        assert await FeedEvent.filter(topic=stream.topic).count() == kept
    assert await sweep_once(services, settings) == NOTHING
    async with as_user(ann).watch(MESSAGES, t=gid(ticket), after=first) as watch:
        item = await watch.next()
    if gone > 1:
        assert (item["__typename"], item["reason"]) == ("StreamReset", "CURSOR_TOO_OLD")
    else:
        assert item["message"]["body"] == "1"


async def place(as_user: AsUser, user: models.User, ticket: Ticket) -> str:
    """Where the ticket's stream stands for a person."""
    data = await as_user(user).ask("query($t: ID!) { ticket(id: $t) { feedCursor } }", t=gid(ticket))
    cursor: str = data["ticket"]["feedCursor"]
    return cursor
