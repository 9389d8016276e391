"""What a ticket waits for: any sign of life of its customer, and none of support's (S63)."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import models
from domain.enums import EscalationStage, OrganizationRole, TicketStatus
from domain.policy import ANONYMOUS
from resolvers import sweeps
from resolvers.context import Context, Services
from tests.api.operations import mutate, note, on_ticket, send
from tests.api.world import gid
from tests.client import Client
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import (
    make_appointment,
    make_call,
    make_escalation,
    make_member,
    make_organization,
    make_request_type,
    make_staff,
    make_ticket,
)

pytestmark = pytest.mark.anyio

Act = Callable[[Client, models.Ticket], Awaitable[Any]]

JUNE = {"startsAt": "2026-06-01T10:00:00Z", "endsAt": "2026-06-01T11:00:00Z"}


async def decides(client: Client, ticket: models.Ticket, name: str, **given: Any) -> Any:
    escalation = await models.Escalation.get(ticket=ticket)
    return await mutate(client, name, "escalation { stage }", escalationId=gid(escalation), **given)


async def answers(client: Client, ticket: models.Ticket, accept: bool) -> Any:
    call = await models.ConferenceCall.get(ticket=ticket)
    return await mutate(
        client, "conferenceCallRespond", "conferenceCall { status }", conferenceCallId=gid(call), accept=accept
    )


async def cancels(client: Client, ticket: models.Ticket) -> Any:
    appointment = await models.Appointment.get(ticket=ticket)
    return await mutate(client, "appointmentCancel", "appointment { status }", appointmentId=gid(appointment))


async def asks_for_an_hour(client: Client, ticket: models.Ticket) -> Any:
    return await mutate(client, "appointmentSchedule", "appointment { status }", ticketId=gid(ticket), **JUNE)


async def renames(client: Client, ticket: models.Ticket) -> Any:
    return await mutate(client, "ticketUpdate", "ticket { subject }", ticketId=gid(ticket), subject="Still no sound")


async def proposes_a_call(client: Client, ticket: models.Ticket) -> Any:
    given = {"ticketId": gid(ticket), "scheduledFor": "2026-06-01T10:00:00Z"}
    return await mutate(client, "conferenceCallSchedule", "conferenceCall { status }", **given)


CUSTOMERS: dict[str, Act] = {
    "a note": note,
    "a solution confirmed": lambda client, ticket: decides(client, ticket, "escalationConfirmResolution"),
    "a solution rejected": lambda client, ticket: decides(client, ticket, "escalationRejectResolution", comment="No"),
    "a call accepted": lambda client, ticket: answers(client, ticket, True),
    "a call called off": lambda client, ticket: answers(client, ticket, False),
    "an appointment moved": asks_for_an_hour,
    "an appointment called off": cancels,
    "another subject": renames,
}

OF_SUPPORT: dict[str, Act] = {
    "a note": note,
    "an internal note": lambda client, ticket: note(client, ticket, visibility="INTERNAL"),
    "an internal message": lambda client, ticket: send(client, ticket, message={"visibility": "INTERNAL"}),
    "another handler": lambda client, ticket: on_ticket(client, "ticketAssign", ticket, assigneeId=None),
    "a call proposed": proposes_a_call,
    "an appointment confirmed": asks_for_an_hour,
    "another subject": renames,
}


class Waiting:
    """A ticket that waits for its customer, with a question of every kind on it; and the sweep."""

    def __init__(self, services: Services, ticket: models.Ticket, people: dict[str, Client]) -> None:
        self.sweep, self.ticket, self.people = Context(ANONYMOUS, services), ticket, people

    async def resolved(self) -> bool:
        await sweeps.resolve_waiting(self.sweep)
        return (await models.Ticket.get(id=self.ticket.id)).status is TicketStatus.RESOLVED


@pytest.fixture
async def waiting(as_user: AsUser, services: Services) -> Waiting:
    acme, kind = await make_organization(), await make_request_type()
    offering = await models.IssueType.create(request_type=kind, name="Fitting", appointments_available=True)
    ann, ada = await make_member(acme), await make_member(acme, OrganizationRole.SUPPORT_REQUEST_ADMIN)
    sam = await make_staff()
    ticket = await make_ticket(acme, ann, assignee=sam, issue_type=offering, is_escalated=True)
    await make_escalation(ticket, stage=EscalationStage.VERIFYING_RESOLUTION)
    later = services.clock().replace(month=5)
    await make_call(ticket, scheduled_for=later)
    await make_appointment(ticket, starts_at=later, ends_at=later.replace(hour=12))
    assert (await send(as_user(sam), ticket, "Is it better now?"))["ticket"]["status"] == "PENDING_CUSTOMER"
    people = {"ann": as_user(ann), "ada": as_user(ada), "sam": as_user(sam)}
    return Waiting(services, await models.Ticket.get(id=ticket.id), people)


@pytest.mark.parametrize("what", CUSTOMERS)
async def test_whatever_the_customer_does_is_waited_from_anew(waiting: Waiting, clock: Clock, what: str) -> None:
    clock.advance(days=7, seconds=-1)
    assert (await CUSTOMERS[what](waiting.people["ann"], waiting.ticket))["errors"] == []
    told = "query($t: ID!) { ticket(id: $t) { status autoResolveAt } }"
    shown = (await waiting.people["ann"].ask(told, t=gid(waiting.ticket)))["ticket"]

    clock.advance(days=7, seconds=-1)
    assert not await waiting.resolved()
    clock.advance(seconds=1)
    assert shown == {"status": "PENDING_CUSTOMER", "autoResolveAt": f"{clock():%Y-%m-%dT%H:%M:%S.%fZ}"}
    assert await waiting.resolved()


async def test_who_manages_the_organization_is_its_customer_too(waiting: Waiting, clock: Clock) -> None:
    clock.advance(days=7, seconds=-1)
    await note(waiting.people["ada"], waiting.ticket)

    clock.advance(days=7, seconds=-1)
    assert not await waiting.resolved()


@pytest.mark.parametrize("what", OF_SUPPORT)
async def test_what_support_does_meanwhile_is_no_sign_of_life(waiting: Waiting, clock: Clock, what: str) -> None:
    clock.advance(days=7, seconds=-1)
    assert (await OF_SUPPORT[what](waiting.people["sam"], waiting.ticket))["errors"] == []
    assert not await waiting.resolved()

    clock.advance(seconds=1)
    assert await waiting.resolved()
