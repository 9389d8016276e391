"""Who has a ticket open: each is told what concerns them, and it ends with the socket (J7)."""

from datetime import timedelta
from typing import Any

import pytest

import models
from domain.enums import OrganizationRole
from engine.instants import instant_text
from resolvers.context import Services
from tests.api.operations import mutate, on_ticket
from tests.api.world import codes, gid
from tests.client import Client, Refused, Stream
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import make_member, make_organization, make_participant, make_staff, make_ticket
from tests.realtime.support import eventually

pytestmark = pytest.mark.anyio

VIEWERS = "viewers { actor { displayName } state since expiresAt }"
PRESENCE = f"subscription($t: ID!) {{ presence(ticketId: $t) {{ ticketId {VIEWERS} }} }}"
TICKET = f"query($t: ID!) {{ ticket(id: $t) {{ {VIEWERS} }} }}"


class Desk:
    def __init__(self, as_user: AsUser, people: dict[str, models.User], ticket: models.Ticket) -> None:
        self.people, self.ticket = people, ticket
        self.ann, self.bob, self.olga, self.sam, self.pat = (as_user(people[n]) for n in people)

    async def is_there(self, client: Client, state: str = "VIEWING") -> Any:
        return await mutate(client, "presenceSet", "expiresAt", ticketId=gid(self.ticket), state=state)

    def watched_by(self, client: Client) -> Any:
        return client.watch(PRESENCE, t=gid(self.ticket))

    async def shown_to(self, client: Client) -> list[tuple[str, str]]:
        return names((await client.ask(TICKET, t=gid(self.ticket)))["ticket"])


@pytest.fixture
async def desk(as_user: AsUser) -> Desk:
    """Ann's ticket, in which Bob takes part; Olga manages the organization; Sam, the handler, and Pat are support."""
    acme = await make_organization("Acme")
    people = {"Ann": await make_member(acme, name="Ann"), "Bob": await make_member(acme, name="Bob")}
    people["Olga"] = await make_member(acme, OrganizationRole.OWNER, "Olga")
    people |= {"Sam": await make_staff(name="Sam"), "Pat": await make_staff(name="Pat")}
    ticket = await make_ticket(acme, people["Ann"], assignee=people["Sam"])
    await make_participant(ticket, people["Bob"])
    return Desk(as_user, people, ticket)


def names(event: Any) -> list[tuple[str, str]]:
    return [(each["actor"]["displayName"], each["state"]) for each in event["viewers"]]


async def told(stream: Stream) -> list[tuple[str, str]]:
    return names(await stream.next())


async def test_who_opens_a_ticket_is_shown_to_the_others_until_the_socket_goes(desk: Desk, clock: Clock) -> None:  # J7
    async with desk.watched_by(desk.sam) as watching:
        assert await watching.next() == {"ticketId": gid(desk.ticket), "viewers": []}
        async with desk.watched_by(desk.ann) as ann:
            await ann.next()
            until = instant_text(clock() + timedelta(seconds=45))
            assert await desk.is_there(desk.ann) == {"expiresAt": until, "errors": []}
            seen = {"actor": {"displayName": "Ann"}, "state": "VIEWING"}
            assert (await watching.next())["viewers"] == [{**seen, "since": instant_text(clock()), "expiresAt": until}]
            clock.advance(minutes=10)
            assert await desk.shown_to(desk.sam) == [("Ann", "VIEWING")], "kept while the socket is there"

        assert await told(watching) == []


async def test_without_a_subscription_it_is_over_after_45_seconds(desk: Desk, clock: Clock) -> None:  # J7
    await desk.is_there(desk.ann)
    async with desk.watched_by(desk.sam) as watching:
        assert await told(watching) == [("Ann", "VIEWING")]
        clock.advance(seconds=44)
        assert await desk.shown_to(desk.sam) == [("Ann", "VIEWING")]
        clock.advance(seconds=1)

        assert await told(watching) == []


async def test_customers_see_their_own_side_and_the_assigned_agent_and_staff_sees_all(desk: Desk) -> None:  # J7
    for client in (desk.ann, desk.bob, desk.sam, desk.pat):
        await desk.is_there(client)

    customers = [("Ann", "VIEWING"), ("Bob", "VIEWING"), ("Sam", "VIEWING")]
    assert await desk.shown_to(desk.ann) == await desk.shown_to(desk.olga) == customers
    assert await desk.shown_to(desk.sam) == [*customers, ("Pat", "VIEWING")]


async def test_a_customer_is_not_told_what_support_does_among_itself(desk: Desk, clock: Clock) -> None:
    """J7: neither who else looks, nor that the handler writes, nor when either changed."""
    await desk.is_there(desk.sam)
    async with desk.watched_by(desk.ann) as customer, desk.watched_by(desk.pat) as support:
        first = await customer.next()
        assert await told(support) == [("Sam", "VIEWING")]
        clock.advance(seconds=10)
        await desk.is_there(desk.sam, "TYPING")
        assert await told(support) == [("Sam", "TYPING")]
        await desk.is_there(desk.pat)
        assert await told(support) == [("Sam", "TYPING"), ("Pat", "VIEWING")]
        await desk.is_there(desk.sam, "EDITING")
        assert ("Sam", "EDITING") in await told(support)
        await desk.is_there(desk.bob)

        after = await customer.next()

    assert names(first) == [("Sam", "VIEWING")]
    assert names(after) == [("Sam", "VIEWING"), ("Bob", "VIEWING")], "the first that a customer is told"
    assert first["viewers"][0]["since"] == after["viewers"][0]["since"]


async def test_who_is_offline_is_not_shown_however_long_it_watches(desk: Desk, clock: Clock) -> None:  # J7
    async with desk.watched_by(desk.sam) as watching, desk.watched_by(desk.pat) as pat:
        assert (await told(watching), await told(pat)) == ([], [])
        await desk.is_there(desk.pat)
        assert await told(watching) == [("Pat", "VIEWING")]
        assert await desk.is_there(desk.pat, "OFFLINE") == {"expiresAt": None, "errors": []}
        assert await told(watching) == []
        clock.advance(minutes=5)

        assert await desk.shown_to(desk.sam) == []


async def test_who_comes_back_as_handler_is_seen_by_customers(desk: Desk) -> None:  # J7
    await desk.is_there(desk.pat)
    assert await desk.shown_to(desk.ann) == []
    await on_ticket(desk.sam, "ticketAssign", desk.ticket, assigneeId=gid(desk.people["Pat"]))

    assert await desk.shown_to(desk.ann) == [("Pat", "VIEWING")]


async def test_who_may_no_longer_see_the_ticket_is_neither_told_nor_shown(desk: Desk, services: Services) -> None:
    """J3."""
    async with desk.watched_by(desk.bob) as bob, desk.watched_by(desk.sam) as watching:
        await bob.next()
        await watching.next()
        await desk.is_there(desk.bob)
        assert await told(bob) == await told(watching) == [("Bob", "VIEWING")]

        await models.Membership.filter(user=desk.people["Bob"]).delete()
        await desk.is_there(desk.ann)

        with pytest.raises(Refused) as refused:
            await bob.next()
        assert refused.value.codes == ["NOT_FOUND"]
        await eventually(lambda: len(services.ephemeral.said(f"ticket:{desk.ticket.id}", "presence")) == 1)
        assert await desk.shown_to(desk.sam) == [("Ann", "VIEWING")]


async def test_a_stranger_is_told_nothing(desk: Desk, as_user: AsUser) -> None:
    stranger = as_user(await make_member(await make_organization("Other"), OrganizationRole.OWNER))
    for client, code in ((stranger, "NOT_FOUND"), (as_user(None), "UNAUTHENTICATED")):
        async with desk.watched_by(client) as stream:
            assert codes((await stream.result())[1]) == [code]
