"""Direct fan-out on a running server: every watcher gets every event once and in order, a group is executed once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.databases import ENGINES
from tests.server.desk import MESSAGES, Desk, running_desk
from tests.server.running import PATIENCE, Watch, until

pytestmark = pytest.mark.anyio

BODIES = "subscription($t: ID!) { messages(ticketId: $t) { ... on MessageChange { message { %s } } __typename } }"
ADDRESSES = BODIES % "body actor { ... on User { email } }"
USERNAMES = BODIES % "body actor { ... on User { username } }"

CHANGES = """subscription($t: ID!, $after: Cursor) { ticket(ticketId: $t, after: $after) { __typename
  ... on TicketChange { cursor changedFields item { __typename ... on Message { body } } }
  ... on StreamCaughtUp { cursor } } }"""


@pytest.fixture
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    async with running_desk(getattr(request, "param", "sqlite"), tmp_path) as desk:
        yield desk


class Follower:
    """Follows the messages of a ticket to the one that says "end", and comes and goes as `random` has it."""

    def __init__(self, desk: Desk, staff: bool, random: Random) -> None:
        self.desk, self.user, self.random = desk, desk.kim if staff else desk.bob, random
        self.got: list[str] = []
        self.after: str | None = None
        self.joined = asyncio.Event()

    async def run(self) -> list[str]:
        socket = await self.desk.socket(self.user)
        while True:
            watch = await socket.watch(MESSAGES, t=self.desk.id, after=self.after)
            await self.read(watch, self.random.randrange(1, 12))
            if self.got[-1:] == ["end"]:
                return self.got
            if self.random.random() < 0.5:
                await watch.stop()
            else:
                await socket.connection.close()
                socket = await self.desk.socket(self.user)

    async def read(self, watch: Watch, most: int) -> None:
        """Some items, the last of which may be the end. What comes after them is lost with the operation."""
        while most and self.got[-1:] != ["end"]:
            item = await watch.next()
            assert item["__typename"] != "StreamReset"
            self.after = watch.cursor
            self.joined.set()
            most -= 1
            if item["__typename"] == "MessageChange":
                self.got.append(item["message"]["body"])


@pytest.mark.parametrize("desk", ENGINES, indirect=True)
async def test_whoever_comes_and_goes_gets_every_event_once_and_in_order(desk: Desk) -> None:
    random = Random(20261122)
    places = {user.id: (await (await desk.watch(user)).caught_up()).cursor for user in (desk.bob, desk.kim)}
    followers = [Follower(desk, staff=number % 2 == 0, random=Random(number)) for number in range(12)]
    for follower in followers[:8]:
        follower.after = places[follower.user.id]
    for_all, for_customers = [], []
    waits = [asyncio.create_task(follower.run()) for follower in followers[:6]]

    for number in range(60):
        internal = random.random() < 0.4
        await (desk.whisper if internal else desk.say)(f"{number}")
        for_all.append(f"{number}")
        for_customers += [] if internal else [f"{number}"]
        if number % 10 == 5:  # the others come one after another, some with a place far behind, some with none
            waits.append(asyncio.create_task(followers[len(waits)].run()))
    async with asyncio.timeout(PATIENCE):
        for follower in followers:
            await follower.joined.wait()
        await desk.say("end")
        seen = await asyncio.gather(*waits)

    assert len(seen) == 12
    for number, (follower, got) in enumerate(zip(followers, seen, strict=True)):
        whole = [*(for_all if follower.user is desk.kim else for_customers), "end"]
        assert got == (whole if number < 8 else whole[len(whole) - len(got) :])


async def test_an_event_is_executed_once_for_all_who_follow_alike(desk: Desk) -> None:
    customers = [*await desk.members(desk.bob, 3), *await desk.members(desk.ann, 2)]
    agents = await desk.members(desk.kim, 2)
    fanout = desk.served.fanout
    executed, delivered = fanout.executions, fanout.deliveries

    await desk.say("one", "two")
    await desk.whisper("internal")
    await desk.say("three")

    assert [await watch.bodies(3) for watch in customers] == [["one", "two", "three"]] * 5
    assert [await watch.bodies(4) for watch in agents] == [["one", "two", "internal", "three"]] * 2
    assert len(fanout.groups) == 2
    assert fanout.executions - executed == 3 + 4
    assert fanout.deliveries - delivered == 5 * 3 + 2 * 4


async def test_customers_and_support_count_a_conversation_apart(desk: Desk) -> None:
    """Sam's answer changes the status, and that is an item too: the third for support, the second for customers."""
    (customer,), (agent,) = await desk.members(desk.bob, 1), await desk.members(desk.kim, 1)

    await desk.whisper("internal")
    await desk.say("public")

    assert [(await agent.next())["message"]["sequence"] for _ in range(2)] == [2, 4]
    told = await customer.next()
    assert (told["message"]["body"], told["message"]["sequence"]) == ("public", 3)


async def test_other_documents_and_other_variables_make_other_groups(desk: Desk) -> None:
    pages = (
        "subscription($t: ID!, $n: Int) { messages(ticketId: $t) { ... on MessageChange { message { body ticket {"
        + (" messages(last: $n) { nodes { body } } } } } __typename } }")
    )
    documents: list[tuple[str, dict[str, Any]]] = [
        (MESSAGES, {}),
        (MESSAGES + " ", {}),
        (pages, {"n": 1}),
        (pages, {"n": 2}),
    ]
    watches = [(await desk.members(desk.bob, 2, text, **given))[0] for text, given in documents]
    executed = desk.served.fanout.executions

    await desk.say("one")

    told = [(await watch.next())["message"] for watch in watches]
    assert [len(each["ticket"]["messages"]["nodes"]) for each in told[2:]] == [1, 2]
    assert desk.served.fanout.executions - executed == len(desk.served.fanout.groups) == 4


async def test_what_a_row_decides_is_made_for_each_viewer(desk: Desk) -> None:
    """Everybody may see the own address; support may see all, so its people share."""
    (ann,), (bob,) = await desk.members(desk.ann, 1, ADDRESSES), await desk.members(desk.bob, 1, ADDRESSES)
    (kim,), (sam,) = await desk.members(desk.kim, 1, ADDRESSES), await desk.members(desk.sam, 1, ADDRESSES)
    executed = desk.served.fanout.executions

    await desk.served.say(desk.ann, desk.ticket, "It is I")

    shown = [(await watch.next())["message"]["actor"]["email"] for watch in (ann, bob, kim, sam)]
    assert shown == [desk.ann.email, None, desk.ann.email, desk.ann.email]
    assert desk.served.fanout.executions - executed == len(desk.served.fanout.groups) == 3


async def test_a_refusal_that_has_to_be_worded_is_told_the_ordinary_way(desk: Desk) -> None:
    """Whoever is refused nothing is told directly meanwhile."""
    refused = await (await desk.watch(desk.bob, USERNAMES)).caught_up()
    change = await (await desk.watch(desk.bob, CHANGES)).caught_up()

    await desk.say("one")

    message = (await refused.message())["payload"]
    assert message["data"]["messages"]["message"] == {"body": "one", "actor": {"username": None}}
    assert [error["extensions"]["code"] for error in message["errors"]] == ["FORBIDDEN"]
    assert (await change.next())["item"] == {"__typename": "StatusChangedEvent"}
    assert (await change.next())["item"] == {"__typename": "ChatMessage", "body": "one"}
    assert (desk.served.fanout.executions, len(desk.served.fanout.groups)) == (2, 1)

    assert (await refused.message())["payload"]["data"]["messages"]["__typename"] == "StreamCaughtUp"
    await desk.say("two")
    message = (await refused.message())["payload"]
    assert message["data"]["messages"]["message"] == {"body": "two", "actor": {"username": None}}


async def test_the_first_of_a_group_may_leave_and_even_lose_its_account(desk: Desk) -> None:
    (first,) = await desk.members(desk.ann, 1)
    others = await desk.members(desk.bob, 2)
    await first.stop()
    desk.ann.is_active = False
    await desk.ann.save()
    await until(lambda: desk.grouped == 2)
    executed = desk.served.fanout.executions

    await desk.say("one")

    assert [await watch.bodies(1) for watch in others] == [["one"]] * 2
    assert desk.served.fanout.executions - executed == 1
    assert first.frames.empty()


async def test_with_its_last_member_a_group_ends(desk: Desk) -> None:
    one, two = await desk.members(desk.bob, 2)
    (group,) = desk.served.fanout.groups.values()

    await one.stop()
    await two.socket.connection.close()

    await until(lambda: desk.served.fanout.groups == {})
    await until(lambda: desk.served.casewire.services.hub.stats.watchers == 0)
    assert group.has_ended
