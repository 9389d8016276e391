"""The desk's numbers: what they count, who may see them, and that looking costs the same for one as for many (S99)."""

import time
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest

import models
from domain.enums import OrganizationRole, StaffRole, TicketChannel, TicketStatus
from models.database import reader
from resolvers.access import announce_access
from resolvers.agents_online import being_there
from resolvers.context import Context, Services
from resolvers.queue_feed import _COUNT, QueueFeed
from resolvers.transaction import Work, work_in_transaction
from tests.api.operations import on_ticket, send
from tests.api.world import codes, gid, nothing_changes
from tests.client import Client, Stream
from tests.clock import Clock
from tests.factories import LONG_AGO, make_member, make_organization, make_staff, make_ticket

pytestmark = pytest.mark.anyio

NUMBERS = "open pendingCustomer onHold escalated unassigned chatsWaiting agentsOnline"
QUERY = f"{{ queueStats {{ at {NUMBERS} }} }}"
LIVE = f"subscription {{ queueStats {{ at {NUMBERS} }} }}"

PAUSE = 0.2


@pytest.fixture
async def desk(services: Services) -> Services:
    """A desk that counts again after a fifth of a second."""
    return replace(services, queue=QueueFeed(PAUSE))


async def until(stream: Stream, **numbers: int) -> Any:
    """The first that says this; at most ten are looked at."""
    for _ in range(10):
        told = await stream.next()
        if {name: told[name] for name in numbers} == numbers:
            return told
    raise AssertionError(f"never said {numbers}")


async def test_each_number_counts_what_it_says(services: Services, clock: Clock) -> None:  # S99
    acme, sam = await make_organization(), await make_staff()
    ann = await make_member(acme)
    for status in TicketStatus:
        for channel in (TicketChannel.CHAT, TicketChannel.EMAIL):
            for assignee in (None, sam):
                over: dict[str, Any] = {"resolved_at": LONG_AGO, "closed_at": LONG_AGO}
                given = {"status": status, "channel": channel, "assignee": assignee, **over}
                await make_ticket(acme, ann, is_escalated=channel is TicketChannel.EMAIL, **given)

    with being_there(services.ephemeral, await Client(services, sam).viewer()):
        told = (await Client(services, sam).ask(QUERY))["queueStats"]

    assert told == {
        "at": "2026-03-02T09:00:00.000000Z",
        "open": 8,
        "pendingCustomer": 4,
        "onHold": 4,
        "escalated": 8,
        "unassigned": 8,
        "chatsWaiting": 2,
        "agentsOnline": 1,
    }


async def test_the_numbers_are_for_support_alone(services: Services) -> None:
    acme = await make_organization()
    owner = Client(services, await make_member(acme, OrganizationRole.OWNER))

    for client, code in ((owner, "FORBIDDEN"), (Client(services, None), "UNAUTHENTICATED")):
        data, errors = await client.answer(QUERY)
        assert (data, codes(errors)) == ({"queueStats": None}, [code])
        async with client.watch(LIVE) as stream:
            assert codes((await stream.result())[1]) == [code]
    for role in StaffRole:
        person = await make_staff(role)
        async with nothing_changes():
            told = (await Client(services, person).ask(QUERY))["queueStats"]
        assert told["open"] == 0


async def test_the_numbers_are_told_as_they_are_and_when_they_change(desk: Services) -> None:
    """S99: only when a number changes."""
    acme, sam = await make_organization(), await make_staff()
    ann, ticket = await make_member(acme), await make_ticket(acme, None, status=TicketStatus.NEW)
    async with Client(desk, sam).watch(LIVE) as stream:
        first = await stream.next()
        assert (first["open"], first["chatsWaiting"], first["unassigned"]) == (1, 1, 1)
        await send(Client(desk, sam), ticket, "Hello")
        await until(stream, open=0, pendingCustomer=1, chatsWaiting=0)
        counted = desk.queue.counts
        await send(Client(desk, sam), ticket, "Still there?")
        await on_ticket(Client(desk, sam), "ticketAssign", ticket, assigneeId=gid(sam))
        await until(stream, pendingCustomer=1, unassigned=0)
        assert desk.queue.counts > counted
        with being_there(desk.ephemeral, await Client(desk, ann).viewer()):
            with being_there(desk.ephemeral, await Client(desk, sam).viewer()):
                await until(stream, agentsOnline=1)
            await until(stream, agentsOnline=0)


async def test_fifty_who_look_cost_no_more_than_one(desk: Services) -> None:
    """J6, S99: one count for all, and at most one in a pause however much happens."""
    acme, sam = await make_organization(), await make_staff()
    tickets = [await make_ticket(acme, None, status=TicketStatus.NEW) for _ in range(8)]
    client = Client(desk, sam)
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(client.watch(LIVE)) for _ in range(50)]
        for stream in streams:
            assert (await stream.next())["unassigned"] == 8
        assert desk.queue.counts == 1

        began = time.monotonic()
        for ticket in tickets:
            await on_ticket(client, "ticketAssign", ticket, assigneeId=gid(sam))
        for stream in streams:
            await until(stream, unassigned=0)
        assert desk.queue.counts <= 2 + (time.monotonic() - began) / PAUSE

    assert desk.queue._tasks == []


async def test_who_leaves_support_is_told_no_more_numbers(desk: Services) -> None:
    """J3: as soon as it is announced, without any change of a ticket."""
    sam = await make_staff()
    async with Client(desk, sam).watch(LIVE) as stream:
        await stream.next()

        async def leave(work: Work) -> None:
            await models.User.filter(id=sam.id).update(staff_role=None)
            announce_access(work, user_id=sam.id)

        await work_in_transaction(Context(await Client(desk, sam).viewer(), desk), leave)

        assert codes((await stream.result())[1]) == ["FORBIDDEN"]


async def test_counting_reads_an_index_alone_however_many_tickets_are_closed(db: str) -> None:  # J5
    acme = await make_organization()
    closed = {"status": TicketStatus.CLOSED, "closed_at": LONG_AGO}
    row = await make_ticket(acme, None, **closed)
    columns = ", ".join(f'"{name}"' for name in row._meta.db_fields if name not in ("id", "number", "reference"))
    await models.database.writer().execute_script(
        f"""INSERT INTO ticket (id, number, reference, {columns})
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
        SELECT {UUIDS[reader().capabilities.dialect]}, 900000 + i, 'X-' || i, {columns} FROM ticket, n"""
    )
    await models.database.writer().execute_script("ANALYZE ticket")

    plan = await reader().execute_query_dict(f"{EXPLAIN[reader().capabilities.dialect]} {_COUNT}")

    assert any("ticket_queue" in str(line) for line in plan), plan
    assert not any("Seq Scan" in str(line) or "SCAN ticket" in str(line) for line in plan), plan


EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "postgres": "EXPLAIN"}
UUIDS = {
    "sqlite": "printf('%08x-0000-7000-8000-000000000000', i)",
    "postgres": "gen_random_uuid()",
}
