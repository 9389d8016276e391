"""How long a ticket waits for whom: as its organization has it, or its request type; and what a change of that does."""

from datetime import timedelta
from typing import Any

import pytest

import models
from domain.enums import LifecyclePreset, StaffRole, TicketStatus
from domain.policy import ANONYMOUS
from resolvers import sweeps
from resolvers.context import Context, Services
from tests.api.operations import mutate, on_ticket, refusal, reopen, send
from tests.api.world import gid, nothing_changes
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import make_member, make_organization, make_request_type, make_staff, make_ticket

pytestmark = pytest.mark.anyio

WEEK, HOURS_72 = LifecyclePreset
SPANS = {WEEK: timedelta(days=7), HOURS_72: timedelta(hours=72)}
CHOSEN = [(WEEK, None, WEEK), (HOURS_72, None, HOURS_72), (WEEK, HOURS_72, HOURS_72), (HOURS_72, WEEK, WEEK)]
"""The organization's choice, the request type's, and the one that counts."""
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)

RESOLVED, CLOSED, OPEN = TicketStatus.RESOLVED, TicketStatus.CLOSED, TicketStatus.OPEN
PERMISSIONS = "query($t: ID!) { ticket(id: $t) { viewerPermissions { canReopen canReply } } }"
TYPE = "requestType { key name lifecyclePreset }"


class Acme:
    """Acme with its Ann, support with its Sam, and tickets of one request type."""

    def __init__(self, as_user: AsUser, services: Services, clock: Clock) -> None:
        self.as_user, self.clock = as_user, clock
        self.sweep = Context(ANONYMOUS, services)

    async def begin(self, organization: LifecyclePreset, request_type: LifecyclePreset | None) -> None:
        self.row = await make_organization("Acme", lifecycle_preset=organization)
        self.kind = await make_request_type(lifecycle_preset=request_type)
        self.ann_row = await make_member(self.row, name="Ann")
        self.ann, self.sam = self.as_user(self.ann_row), self.as_user(await make_staff(name="Sam"))

    async def ticket(self, **given: Any) -> models.Ticket:
        return await make_ticket(self.row, self.ann_row, request_type=self.kind, **given)

    async def resolved(self) -> models.Ticket:
        ticket = await self.ticket()
        assert (await on_ticket(self.sam, "ticketResolve", ticket))["errors"] == []
        return ticket


@pytest.fixture
def acme(as_user: AsUser, services: Services, clock: Clock) -> Acme:
    return Acme(as_user, services, clock)


async def status(ticket: models.Ticket) -> TicketStatus:
    return (await models.Ticket.get(id=ticket.id)).status


@pytest.mark.parametrize(("organization", "request_type", "counts"), CHOSEN)
async def test_mutations_permissions_and_sweeps_know_the_same_end(
    acme: Acme, clock: Clock, organization: LifecyclePreset, request_type: LifecyclePreset | None, counts: Any
) -> None:
    """S64, S65: a minute before the end, at it, a second after; the request type is asked before the organization."""
    await acme.begin(organization, request_type)
    early, by_reply, sharp, late = [await acme.resolved() for _ in range(4)]

    clock.now += SPANS[counts] - MINUTE
    assert (await reopen(acme.ann, early))["ticket"]["status"] == "OPEN"
    assert (await send(acme.ann, by_reply))["ticket"]["status"] == "OPEN"
    clock.now += MINUTE
    assert await may(acme, late) == {"canReopen": True, "canReply": True}
    assert await sweeps.close_resolved(acme.sweep) == 0
    assert (await reopen(acme.ann, sharp))["ticket"]["status"] == "OPEN"
    clock.now += SECOND
    assert await may(acme, late) == {"canReopen": False, "canReply": False}
    async with nothing_changes():
        refused = [await reopen(acme.ann, late), await send(acme.ann, late)]
    assert [refusal(each) for each in refused] == [("REOPEN_WINDOW_EXPIRED", None)] * 2
    assert await sweeps.close_resolved(acme.sweep) == 1

    assert [await status(each) for each in (early, by_reply, sharp, late)] == [OPEN, OPEN, OPEN, CLOSED]


@pytest.mark.parametrize(("before", "after"), [(WEEK, HOURS_72), (HOURS_72, WEEK)])
async def test_a_resolved_ticket_keeps_the_time_that_it_was_resolved_under(
    acme: Acme, clock: Clock, before: LifecyclePreset, after: LifecyclePreset
) -> None:
    """S64, S65: another choice closes none earlier than people were told, and opens none that was over."""
    await acme.begin(before, None)
    in_time, late = await acme.resolved(), await acme.resolved()
    acme.row.lifecycle_preset = after
    await acme.row.save()

    clock.now += SPANS[before]
    assert await sweeps.close_resolved(acme.sweep) == 0
    assert (await send(acme.ann, in_time))["ticket"]["status"] == "OPEN"
    clock.now += SECOND
    assert refusal(await reopen(acme.ann, late)) == ("REOPEN_WINDOW_EXPIRED", None)
    assert await sweeps.close_resolved(acme.sweep) == 1

    assert [await status(each) for each in (in_time, late)] == [OPEN, CLOSED]
    # Open again, it is an ordinary ticket: what is chosen now counts from its next resolution on.
    assert (await models.Ticket.get(id=in_time.id)).resolved_under is None
    await on_ticket(acme.sam, "ticketResolve", in_time)
    assert (await models.Ticket.get(id=in_time.id)).resolved_under is after
    clock.now += SPANS[after]
    assert await may(acme, in_time) == {"canReopen": True, "canReply": True}
    clock.now += SECOND
    assert await sweeps.close_resolved(acme.sweep) == 1


@pytest.mark.parametrize(("organization", "request_type", "counts"), CHOSEN)
async def test_a_silent_customer_is_waited_for_seven_days_under_every_choice(
    acme: Acme, clock: Clock, organization: LifecyclePreset, request_type: LifecyclePreset | None, counts: Any
) -> None:
    """S63: a second before, at, and after; and then the time to reopen begins. On hold nothing is over (S67)."""
    await acme.begin(organization, request_type)
    waiting, held = await acme.ticket(), await acme.ticket()
    for ticket in (waiting, held):
        assert (await send(acme.sam, ticket))["ticket"]["status"] == "PENDING_CUSTOMER"
    until = (clock() + timedelta(days=30)).isoformat()
    assert (await on_ticket(acme.sam, "ticketHold", held, until=until))["errors"] == []

    clock.now += timedelta(days=7) - SECOND
    assert await sweeps.resolve_waiting(acme.sweep) == 0
    clock.now += SECOND
    assert await sweeps.resolve_waiting(acme.sweep) == 1
    clock.now += SECOND
    assert await sweeps.resolve_waiting(acme.sweep) == 0

    row = await models.Ticket.get(id=waiting.id)
    assert (row.status, row.resolution_reason, row.resolved_under) == (RESOLVED, "INACTIVITY", counts)
    assert await status(held) is TicketStatus.ON_HOLD
    clock.now += SPANS[counts] - SECOND
    assert await sweeps.close_resolved(acme.sweep) == 0
    clock.now += SECOND
    assert await sweeps.close_resolved(acme.sweep) == 1


async def test_tickets_that_are_not_due_yet_keep_no_other_waiting(
    acme: Acme, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S65: a round takes so many at a time, and only those whose own time is over."""
    monkeypatch.setattr(sweeps, "BATCH", 2)
    await acme.begin(WEEK, None)
    quick = await make_request_type("QUICK", lifecycle_preset=HOURS_72)
    old = clock() - timedelta(hours=80)
    for _ in range(3):
        await acme.ticket(status=RESOLVED, resolved_at=old)
    due = await make_ticket(acme.row, None, request_type=quick, status=RESOLVED, resolved_at=old + timedelta(hours=1))

    assert await sweeps.close_resolved(acme.sweep) == 1
    assert await status(due) is CLOSED


async def test_a_request_type_is_given_a_time_of_its_own_and_none_again(acme: Acme) -> None:
    """S64, S65: what is left out stays."""
    await acme.begin(WEEK, None)
    chief = acme.as_user(await make_staff(StaffRole.ADMIN))
    given = {"key": "TECHNICAL", "projectId": f"SupportProject_{acme.kind.project_id}", "name": "Technical"}

    saved = [
        (await mutate(chief, "requestTypeSave", TYPE, **given, **more))["requestType"]["lifecyclePreset"]
        for more in ({"lifecyclePreset": "HOURS_72"}, {}, {"lifecyclePreset": None})
    ]

    assert saved == ["HOURS_72", "HOURS_72", None]
    found = await acme.ann.ask("query($o: ID!) { organization(id: $o) { lifecyclePreset } }", o=gid(acme.row))
    assert found == {"organization": {"lifecyclePreset": "WEEK"}}


async def may(acme: Acme, ticket: models.Ticket) -> Any:
    return (await acme.ann.ask(PERMISSIONS, t=gid(ticket)))["ticket"]["viewerPermissions"]
