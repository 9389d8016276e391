"""Resolving, closing, reopening and assigning; what happens by itself; and two people who change the same ticket."""

from typing import Any

import pytest

import models
from domain.enums import LifecyclePreset, OrganizationRole, StaffRole, TicketStatus
from resolvers import sweeps
from resolvers.context import Context, Services
from tests.api.operations import on_ticket, refusal, reopen, send
from tests.api.world import everything_stored, gid, nothing_changes
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import make_member, make_organization, make_staff, make_ticket

pytestmark = pytest.mark.anyio

NEW, OPEN, PENDING, ON_HOLD, RESOLVED, CLOSED = TicketStatus
NOW = "2026-03-02T09:00:00.000000Z"


@pytest.fixture
async def acme(db: str) -> models.Organization:
    return await make_organization("Acme")


@pytest.fixture
async def ann(acme: models.Organization) -> models.User:
    return await make_member(acme, name="Ann")


@pytest.fixture
async def sam(db: str) -> models.User:
    return await make_staff(name="Sam")


async def in_status(status: TicketStatus, acme: models.Organization, ann: models.User, clock: Clock) -> models.Ticket:
    times = {RESOLVED: {"resolved_at": clock()}, CLOSED: {"closed_at": clock()}}.get(status, {})
    return await make_ticket(acme, ann, status=status, **times)


async def test_who_resolves_says_why_or_it_says_itself(
    as_user: AsUser, acme: models.Organization, ann: models.User, sam: models.User
) -> None:  # S61
    for person, given, reason in (
        (sam, {}, "SUPPORT_RESOLVED"),
        (ann, {}, "CUSTOMER_RESOLVED"),
        (sam, {"reason": "DUPLICATE", "message": "See T-000001"}, "DUPLICATE"),
    ):
        ticket = await make_ticket(acme, ann)

        payload = await on_ticket(as_user(person), "ticketResolve", ticket, **given)

        assert payload["errors"] == []
        found = payload["ticket"]
        assert (found["status"], found["resolutionReason"], found["resolvedAt"]) == ("RESOLVED", reason, NOW)
        assert (found["version"], found["closedAt"]) == (2, None)
        said = [each.body for each in await models.Message.filter(ticket=ticket)]
        assert said == ([given["message"]] if given else [])


async def test_what_support_says_as_it_resolves_or_reopens_answers_the_ticket(
    as_user: AsUser, acme: models.Organization, ann: models.User, sam: models.User, clock: Clock
) -> None:
    """S61, S64: as a message of its own would; neither the customer's words nor a silent end do."""
    said = await make_ticket(acme, ann)
    silent, own = await make_ticket(acme, ann), await make_ticket(acme, ann)
    reopened = await in_status(RESOLVED, acme, ann, clock)

    await on_ticket(as_user(sam), "ticketResolve", said, message="Turn it on")
    await on_ticket(as_user(sam), "ticketResolve", silent)
    await on_ticket(as_user(ann), "ticketResolve", own, message="It was off")
    await reopen(as_user(sam), reopened)
    clock.advance(hours=1)
    await reopen(as_user(ann), said)
    await on_ticket(as_user(sam), "ticketResolve", said, message="It is on again")

    asked = "query($t: ID!) { ticket(id: $t) { firstRespondedAt } }"
    found = [(await as_user(ann).ask(asked, t=gid(each)))["ticket"] for each in (said, silent, own, reopened)]
    assert [each["firstRespondedAt"] for each in found] == [NOW, None, None, NOW]


async def test_who_closes_is_recorded(
    as_user: AsUser, acme: models.Organization, ann: models.User, sam: models.User
) -> None:  # S60
    ada = await make_member(acme, OrganizationRole.SUPPORT_REQUEST_ADMIN)
    for person, reason in ((ann, "CUSTOMER_CLOSED"), (ada, "ORG_MANAGER_CLOSED"), (sam, "SUPPORT_CLOSED")):
        ticket = await make_ticket(acme, ann)

        found = (await on_ticket(as_user(person), "ticketClose", ticket))["ticket"]

        assert (found["status"], found["closureReason"], found["closedAt"]) == ("CLOSED", reason, NOW)
        (told,) = await models.TimelineEvent.filter(ticket=ticket)
        assert (told.old_value, told.new_value, told.reason, told.actor_id) == ("OPEN", "CLOSED", reason, person.id)


async def test_a_customer_does_not_give_the_reasons_of_support(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:
    """A customer does not say that support solved it, that it timed out, or that the desk closed it."""
    ticket = await make_ticket(acme, ann)
    for name, reason in (
        ("ticketResolve", "INACTIVITY"),
        ("ticketResolve", "SUPPORT_RESOLVED"),
        ("ticketClose", "MERGED"),
    ):
        async with nothing_changes():
            assert refusal(await on_ticket(as_user(ann), name, ticket, reason=reason))[0] in ("FORBIDDEN", "INVALID")


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("ticketResolve", [None, None, None, None, "CONFLICT", "TICKET_CLOSED"]),
        ("ticketClose", [None, None, None, None, None, "TICKET_CLOSED"]),
        ("ticketAssign", [None, None, None, None, None, "TICKET_CLOSED"]),
        ("ticketReopen", [*["REOPEN_NOT_ALLOWED"] * 4, None, "TICKET_CLOSED"]),
    ],
)
async def test_what_a_status_does_not_allow_is_refused_and_leaves_no_trace(
    as_user: AsUser,
    acme: models.Organization,
    ann: models.User,
    sam: models.User,
    clock: Clock,
    name: str,
    answers: list[str | None],
) -> None:
    """S60, S61, S64, S66: closed is final for everybody."""
    found: list[str | None] = []
    for status in TicketStatus:
        ticket = await in_status(status, acme, ann, clock)
        client = as_user(sam)
        before = await everything_stored()
        payload = await (reopen(client, ticket) if name == "ticketReopen" else on_ticket(client, name, ticket))
        found.append(refusal(payload)[0] if payload["errors"] else None)
        if payload["errors"]:
            assert await everything_stored() == before, status

    assert found == answers


async def test_a_closed_ticket_comes_with_the_offer_of_a_linked_one(
    as_user: AsUser, acme: models.Organization, ann: models.User, clock: Clock
) -> None:
    """S68, S69."""
    ticket = await in_status(CLOSED, acme, ann, clock)

    for payload in (
        await reopen(as_user(ann), ticket),
        await on_ticket(as_user(ann), "ticketResolve", ticket),
        await on_ticket(as_user(ann), "ticketClose", ticket),
    ):
        (error,) = payload["errors"]
        assert error["ticket"] == {"id": gid(ticket), "reference": ticket.reference}
        assert error["offersLinkedTicket"] is True


@pytest.mark.parametrize(("preset", "hours"), [(LifecyclePreset.HOURS_72, 72), (LifecyclePreset.WEEK, 168)])
async def test_reopening_asks_for_a_reason_and_has_its_time(
    as_user: AsUser, acme: models.Organization, ann: models.User, clock: Clock, preset: LifecyclePreset, hours: int
) -> None:
    """S64, S65."""
    acme.lifecycle_preset = preset
    await acme.save()
    sharp, late = [await in_status(RESOLVED, acme, ann, clock) for _ in range(2)]

    async with nothing_changes():
        assert refusal(await reopen(as_user(ann), sharp, " ")) == ("REQUIRED", ["input", "comment"])
    clock.advance(hours=hours)
    reopened = await reopen(as_user(ann), sharp)
    clock.advance(seconds=1)
    async with nothing_changes():
        refused = await reopen(as_user(ann), late)

    assert reopened["message"] == {"body": "It is back", "sequence": 2}
    assert (reopened["ticket"]["status"], reopened["ticket"]["resolvedAt"]) == ("OPEN", None)
    assert refusal(refused) == ("REOPEN_WINDOW_EXPIRED", None)
    assert refused["errors"][0]["ticket"] == {"id": gid(late), "reference": late.reference}
    assert refused["errors"][0]["offersLinkedTicket"] is True


async def test_a_ticket_is_given_to_somebody_in_support(
    as_user: AsUser, acme: models.Organization, ann: models.User, sam: models.User
) -> None:
    """S46: the change is told by names, and giving it to whoever has it changes nothing."""
    eve = await make_staff(StaffRole.ENGINEER, "Eve")
    ticket = await make_ticket(acme, ann)

    given = await on_ticket(as_user(sam), "ticketAssign", ticket, assigneeId=gid(sam))
    passed_on = await on_ticket(as_user(sam), "ticketAssign", ticket, assigneeId=gid(eve))
    async with nothing_changes():
        same = await on_ticket(as_user(sam), "ticketAssign", ticket, assigneeId=gid(eve))
    taken = await on_ticket(as_user(sam), "ticketAssign", ticket, assigneeId=None)

    assert [p["ticket"]["assignee"] for p in (given, passed_on, same, taken)] == [
        {"displayName": "Sam"},
        {"displayName": "Eve"},
        {"displayName": "Eve"},
        None,
    ]
    told = [
        (e.field, e.old_value, e.new_value) for e in await models.TimelineEvent.filter(ticket=ticket).order_by("id")
    ]
    assert told == [("assignee", None, "Sam"), ("assignee", "Sam", "Eve"), ("assignee", "Eve", None)]


async def test_a_ticket_is_given_to_nobody_outside_support(
    as_user: AsUser, acme: models.Organization, ann: models.User, sam: models.User
) -> None:
    """S46: nor to somebody who has left it."""
    gone = await make_staff(name="Gone")
    gone.is_active = False
    await gone.save()
    ticket = await make_ticket(acme, ann)

    for given, code in ((gid(ann), "NOT_FOUND"), (gid(gone), "NOT_FOUND"), (gid(ticket), "INVALID")):
        async with nothing_changes():
            payload = await on_ticket(as_user(sam), "ticketAssign", ticket, assigneeId=given)
        assert refusal(payload) == (code, ["input", "assigneeId"])


@pytest.mark.parametrize("name", ["ticketAssign", "ticketResolve", "ticketClose"])
async def test_who_saw_an_older_version_overwrites_nothing(
    as_user: AsUser, acme: models.Organization, ann: models.User, sam: models.User, name: str
) -> None:
    """J8: the refusal says which version there is now; with that one it works."""
    eve = await make_staff(name="Eve")
    ticket = await make_ticket(acme, ann)
    await on_ticket(as_user(eve), "ticketAssign", ticket, assigneeId=gid(eve), expectedVersion=1)

    async with nothing_changes():
        refused = await on_ticket(as_user(sam), name, ticket, expectedVersion=1)
        ahead = await on_ticket(as_user(sam), name, ticket, expectedVersion=3)
    done = await on_ticket(as_user(sam), name, ticket, expectedVersion=2)

    for payload in (refused, ahead):
        assert payload["errors"] == [
            {
                "__typename": "StaleVersionError",
                "code": "STALE_VERSION",
                "message": "Somebody changed this ticket in the meantime. Load it again and repeat your change.",
                "field": ["input", "expectedVersion"],
                "currentVersion": 2,
            }
        ]
    assert (done["errors"], done["ticket"]["version"]) == ([], 3)


async def test_a_message_makes_an_older_version_stale(
    as_user: AsUser, acme: models.Organization, ann: models.User, sam: models.User
) -> None:
    """J8: support does not resolve what the customer has just answered."""
    ticket = await make_ticket(acme, ann)
    await send(as_user(ann), ticket, "Wait, it is back")

    refused = await on_ticket(as_user(sam), "ticketResolve", ticket, expectedVersion=1)

    assert refusal(refused) == ("STALE_VERSION", ["input", "expectedVersion"])


async def test_a_ticket_that_waits_too_long_is_resolved_by_itself(
    as_user: AsUser, services: Services, acme: models.Organization, ann: models.User, sam: models.User, clock: Clock
) -> None:
    """S63, S67: at 7 days sharp, once, by nobody, and not the one that is on hold."""
    waiting = await make_ticket(acme, ann)
    await send(as_user(sam), waiting, "Try again")
    held = await make_ticket(acme, ann, status=ON_HOLD, waiting_since=clock())
    desk = Context(await as_user(sam).viewer(), services)

    clock.advance(days=7, seconds=-1)
    assert await sweeps.resolve_waiting(desk) == 0
    clock.advance(seconds=1)
    assert await sweeps.resolve_waiting(desk) == 1
    assert await sweeps.resolve_waiting(desk) == 0

    row = await models.Ticket.get(id=waiting.id)
    assert (row.status, row.resolution_reason, row.resolved_at) == (RESOLVED, "INACTIVITY", clock())
    told = (await events(as_user, ann, waiting))[-1]
    assert told == {"from": "PENDING_CUSTOMER", "to": "RESOLVED", "actor": {"__typename": "SystemActor"}}
    assert (await models.Ticket.get(id=held.id)).status is ON_HOLD


@pytest.mark.parametrize(("preset", "hours"), [(LifecyclePreset.HOURS_72, 72), (LifecyclePreset.WEEK, 168)])
async def test_a_resolved_ticket_closes_by_itself_once_it_can_no_longer_be_reopened(
    as_user: AsUser,
    services: Services,
    acme: models.Organization,
    ann: models.User,
    sam: models.User,
    clock: Clock,
    preset: LifecyclePreset,
    hours: int,
) -> None:
    """S64, S65: not at 72:00:00, when a reply would still reopen it, but at 72:00:01."""
    acme.lifecycle_preset = preset
    await acme.save()
    ticket = await in_status(RESOLVED, acme, ann, clock)
    desk = Context(await as_user(sam).viewer(), services)

    clock.advance(hours=hours)
    assert await sweeps.close_resolved(desk) == 0
    clock.advance(seconds=1)
    assert await sweeps.close_resolved(desk) == 1
    assert await sweeps.close_resolved(desk) == 0

    row = await models.Ticket.get(id=ticket.id)
    assert (row.status, row.closure_reason, row.closed_at) == (CLOSED, "AUTO_AFTER_RESOLVED", clock())


async def test_what_is_done_by_itself_is_announced_to_whoever_watches(
    as_user: AsUser, services: Services, acme: models.Organization, ann: models.User, sam: models.User, clock: Clock
) -> None:
    ticket = await in_status(RESOLVED, acme, ann, clock)
    document = """subscription($t: ID!) { ticket(ticketId: $t) { ... on StreamCaughtUp { cursor }
      ... on TicketChange { changedFields ticket { status } item { __typename actor { id displayName } } } } }"""

    async with as_user(ann).watch(document, t=gid(ticket)) as stream:
        assert "cursor" in await stream.next()
        clock.advance(days=8)
        await sweeps.close_resolved(Context(await as_user(sam).viewer(), services))

        assert await stream.next() == {
            "changedFields": ["status", "displayStatus", "statusChangedAt", "version", "updatedAt"],
            "ticket": {"status": "CLOSED"},
            "item": {
                "__typename": "StatusChangedEvent",
                "actor": {"id": "SystemActor_casewire", "displayName": "Casewire"},
            },
        }


async def events(as_user: AsUser, ann: models.User, ticket: models.Ticket) -> Any:
    """The changes of status on a ticket's timeline."""
    rows = await models.TimelineEvent.filter(ticket=ticket, kind="STATUS").order_by("sequence")
    document = """query($ids: [ID!]!) { nodes(ids: $ids) {
      ... on StatusChangedEvent { from to actor { __typename } } } }"""
    return (await as_user(ann).ask(document, ids=[gid(row) for row in rows]))["nodes"]
