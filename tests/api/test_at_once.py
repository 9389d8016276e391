"""Two people who change the same ticket at the same moment: one of them does, the other is told (J8, S60, S66, S71)."""

import asyncio
from typing import Any

import pytest

import models
from domain.enums import TicketStatus
from tests.api.operations import mutate, on_ticket
from tests.api.world import gid
from tests.client import Client
from tests.conftest import AsUser
from tests.factories import LONG_AGO, make_member, make_organization, make_participant, make_staff, make_ticket

pytestmark = pytest.mark.anyio

CHANGES: dict[str, list[dict[str, Any]]] = {
    "ticketUpdate": [{"priority": "HIGH"}, {"subject": "No sound"}],
    "ticketAssign": [{"assigneeId": "sam"}, {"assigneeId": "eve"}],
    "ticketResolve": [{}, {"message": "It works"}],
    "ticketClose": [{}, {}],
}


def codes(answers: list[Any]) -> list[str]:
    return sorted(each["errors"][0]["code"] if each["errors"] else "done" for each in answers)


@pytest.mark.parametrize("name", CHANGES)
async def test_of_two_who_saw_the_same_version_one_changes_it(as_user: AsUser, name: str) -> None:  # J8
    acme = await make_organization()
    staff = {key: await make_staff(name=key) for key in ("sam", "eve")}
    ticket = await make_ticket(acme, await make_member(acme))

    async def change(person: models.User, given: dict[str, Any]) -> Any:
        named = {key: gid(staff[value]) if key == "assigneeId" else value for key, value in given.items()}
        return await on_ticket(as_user(person), name, ticket, expectedVersion=1, **named)

    answers = await asyncio.gather(*map(change, staff.values(), CHANGES[name]))

    assert codes(answers) == ["STALE_VERSION", "done"]
    assert [each["currentVersion"] for answer in answers for each in answer["errors"]] == [2]
    row = await models.Ticket.get(id=ticket.id)
    told = await models.TimelineEvent.filter(ticket=ticket).count()
    assert (row.version, told) == (2, 1)


async def test_a_ticket_is_closed_once_and_a_resolved_one_resolved_once(as_user: AsUser) -> None:  # S60, S61, S66
    acme = await make_organization()
    people = [await make_member(acme), await make_staff(), await make_staff()]
    found = {}

    for name in ("ticketClose", "ticketResolve"):
        ticket = await make_ticket(acme, people[0])
        answers = await asyncio.gather(*(on_ticket(as_user(each), name, ticket) for each in people))
        found[name] = (codes(answers), await models.TimelineEvent.filter(ticket=ticket).count())

    assert found == {
        "ticketClose": (["TICKET_CLOSED", "TICKET_CLOSED", "done"], 1),
        "ticketResolve": (["CONFLICT", "CONFLICT", "done"], 1),
    }


async def test_feedback_of_two_at_once_is_one(as_user: AsUser) -> None:  # S71
    acme = await make_organization()
    ann, bob = await make_member(acme), await make_member(acme)
    ticket = await make_ticket(acme, ann, status=TicketStatus.CLOSED, closed_at=LONG_AGO)
    await make_participant(ticket, bob)

    async def submit(client: Client, rating: int) -> Any:
        return await mutate(client, "feedbackSubmit", "feedback { rating }", ticketId=gid(ticket), rating=rating)

    answers = await asyncio.gather(submit(as_user(ann), 1), submit(as_user(bob), 5), submit(as_user(ann), 3))

    assert codes(answers) == ["FEEDBACK_ALREADY_SUBMITTED", "FEEDBACK_ALREADY_SUBMITTED", "done"]
    assert await models.Feedback.filter(ticket=ticket).count() == 1
