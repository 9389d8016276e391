"""Who is typing: told at once, over by itself, and to nobody whom it does not concern (J7)."""

from datetime import timedelta
from typing import Any

import pytest

import models
from domain.enums import OrganizationRole
from engine.instants import instant_text
from resolvers.context import Services
from tests.api.operations import mutate, refusal
from tests.api.world import codes, gid, nothing_changes
from tests.client import Client, Refused, Stream
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import make_member, make_organization, make_staff, make_ticket

pytestmark = pytest.mark.anyio

TYPING = """subscription($t: ID!) { typing(ticketId: $t) {
  ticketId isTyping visibility expiresAt actor { displayName } } }"""


class Desk:
    def __init__(self, as_user: AsUser, people: dict[str, models.User], ticket: models.Ticket) -> None:
        self.people, self.ticket = people, ticket
        self.ann, self.olga, self.sam, self.pat = (as_user(people[name]) for name in ("Ann", "Olga", "Sam", "Pat"))

    async def types(self, client: Client, is_typing: bool = True, **given: Any) -> Any:
        return await mutate(client, "typingSet", "expiresAt", ticketId=gid(self.ticket), isTyping=is_typing, **given)

    def watched_by(self, client: Client) -> Any:
        return client.watch(TYPING, t=gid(self.ticket))


@pytest.fixture
async def desk(as_user: AsUser) -> Desk:
    """Ann's ticket; Olga manages the organization, Sam and Pat are from support."""
    acme = await make_organization("Acme")
    ann, olga = await make_member(acme, name="Ann"), await make_member(acme, OrganizationRole.OWNER, "Olga")
    people = {"Ann": ann, "Olga": olga, "Sam": await make_staff(name="Sam"), "Pat": await make_staff(name="Pat")}
    return Desk(as_user, people, await make_ticket(acme, ann))


async def told(stream: Stream) -> tuple[str, bool, str]:
    event = await stream.next()
    return event["actor"]["displayName"], event["isTyping"], event["visibility"]


async def test_typing_is_told_at_once_and_over_after_five_seconds(desk: Desk, clock: Clock) -> None:  # J7
    async with desk.watched_by(desk.ann) as stream, desk.watched_by(desk.olga) as other:
        answer = await desk.types(desk.sam)
        until = instant_text(clock() + timedelta(seconds=5))
        assert answer == {"expiresAt": until, "errors": []}
        assert await stream.next() == {
            "ticketId": gid(desk.ticket),
            "isTyping": True,
            "visibility": "PUBLIC",
            "expiresAt": until,
            "actor": {"displayName": "Sam"},
        }
        assert await told(other) == ("Sam", True, "PUBLIC")

        clock.advance(seconds=5)

        assert await told(stream) == await told(other) == ("Sam", False, "PUBLIC")


async def test_who_comes_later_is_told_who_types_now(desk: Desk) -> None:  # J7
    await desk.types(desk.sam)
    async with desk.watched_by(desk.ann) as stream:
        assert await told(stream) == ("Sam", True, "PUBLIC")
        await desk.types(desk.sam, is_typing=False)
        assert await told(stream) == ("Sam", False, "PUBLIC")


async def test_ones_own_typing_is_not_echoed(desk: Desk) -> None:  # J7
    async with desk.watched_by(desk.ann) as stream:
        await desk.types(desk.ann)
        await desk.types(desk.ann, is_typing=False)
        await desk.types(desk.sam)

        assert await told(stream) == ("Sam", True, "PUBLIC")


async def test_it_is_announced_at_most_every_two_seconds(desk: Desk, clock: Clock, services: Services) -> None:
    """J7: a client that says it with every key costs the others nothing."""
    first = await desk.types(desk.sam)
    clock.advance(seconds=1.9)
    assert await desk.types(desk.sam) == first
    clock.advance(seconds=0.1)
    assert (await desk.types(desk.sam))["expiresAt"] == instant_text(clock() + timedelta(seconds=5))
    await desk.types(desk.sam, is_typing=False)

    assert await desk.types(desk.sam) == {"expiresAt": None, "errors": []}


async def test_internal_typing_is_for_staff_alone(desk: Desk) -> None:  # J7
    async with desk.watched_by(desk.ann) as customer, desk.watched_by(desk.pat) as support:
        await desk.types(desk.olga)
        assert await told(customer) == await told(support) == ("Olga", True, "PUBLIC")
        await desk.types(desk.sam, visibility="INTERNAL")
        assert await told(support) == ("Sam", True, "INTERNAL")
        await desk.types(desk.sam, visibility="PUBLIC")

        assert [await told(support), await told(support)] == [("Sam", False, "INTERNAL"), ("Sam", True, "PUBLIC")]
        assert await told(customer) == ("Sam", True, "PUBLIC"), "the first that a customer is told of Sam"
        await desk.types(desk.sam, visibility="INTERNAL")
        assert await told(customer) == ("Sam", False, "PUBLIC")


async def test_a_customer_cannot_type_internally_and_a_stranger_not_at_all(
    desk: Desk, as_user: AsUser, services: Services
) -> None:  # J7
    stranger = as_user(await make_member(await make_organization("Other"), OrganizationRole.OWNER))
    async with nothing_changes():
        assert refusal(await desk.types(desk.ann, visibility="INTERNAL")) == ("FORBIDDEN", None)
        assert refusal(await desk.types(stranger)) == ("NOT_FOUND", ["input", "ticketId"])
        async with stranger.watch(TYPING, t=gid(desk.ticket)) as stream:
            assert codes((await stream.result())[1]) == ["NOT_FOUND"]
        async with as_user(None).watch(TYPING, t=gid(desk.ticket)) as stream:
            assert codes((await stream.result())[1]) == ["UNAUTHENTICATED"]

    assert [services.ephemeral.said(f"ticket:{desk.ticket.id}", kind) for kind in ("typing", "typing:internal")] == [
        [],
        [],
    ]


@pytest.mark.parametrize("given", ["", "garbage", "Ticket_", "\x00", "User_019c0000-0000-7000-8000-000000000000"])
async def test_what_is_no_ticket_is_refused(desk: Desk, given: str) -> None:
    payload = await mutate(desk.sam, "typingSet", "expiresAt", ticketId=given, isTyping=True)

    assert refusal(payload) == ("INVALID", ["input", "ticketId"])


async def test_who_may_no_longer_see_the_ticket_is_told_nothing_more(desk: Desk) -> None:
    """J3: rights are asked before each event, whenever the last one was."""
    async with desk.watched_by(desk.olga) as stream, desk.watched_by(desk.ann) as other:
        await desk.types(desk.sam)
        assert await told(stream) == await told(other) == ("Sam", True, "PUBLIC")

        await models.Membership.filter(user=desk.people["Olga"]).delete()
        await desk.types(desk.sam, is_typing=False)

        with pytest.raises(Refused) as refused:
            await stream.next()
        assert refused.value.codes == ["NOT_FOUND"]
        assert await told(other) == ("Sam", False, "PUBLIC")
