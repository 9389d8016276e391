"""Those who leave a group: by force, by falling behind, or because something went wrong. The others go on."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

import models
from domain.enums import OrganizationRole
from models import Membership
from server.transport.fanout import Fanout
from server.transport.groups import Group
from tests.databases import ENGINES
from tests.realtime.support import leaves_no_task
from tests.server.desk import MESSAGES, Desk, running_desk
from tests.server.running import until

pytestmark = pytest.mark.anyio

RECHECK = 0.1
ADDRESSES = """subscription($t: ID!) { messages(ticketId: $t) { __typename
  ... on MessageChange { message { body actor { ... on User { email } } } } } }"""


@pytest.fixture
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    async with running_desk(getattr(request, "param", "sqlite"), tmp_path, recheck=RECHECK) as desk:
        yield desk


@pytest.fixture
async def narrow(tmp_path: Path) -> AsyncIterator[Desk]:
    """The system takes little for a client that does not read."""
    async with running_desk("sqlite", tmp_path, send_buffer=8192) as desk:
        yield desk


async def membership(desk: Desk, user: models.User) -> Membership:
    return await Membership.get(organization=desk.organization, user=user)


@pytest.mark.parametrize("desk", ENGINES, indirect=True)
async def test_whoever_may_no_longer_watch_is_told_so_and_nothing_more(desk: Desk) -> None:
    (revoked,), (other,) = await desk.members(desk.bob, 1), await desk.members(desk.ann, 1)

    await (await membership(desk, desk.bob)).delete()

    assert await revoked.refused() == ["NOT_FOUND"]
    await desk.say("one", "two")
    assert await other.bodies(2) == ["one", "two"]
    assert revoked.frames.empty()
    assert desk.grouped == 1


async def test_an_agent_who_is_one_no_longer_is_not_shown_internal_things(desk: Desk) -> None:
    (demoted,), (other,) = await desk.members(desk.kim, 1), await desk.members(desk.sam, 1)

    desk.kim.staff_role = None
    await desk.kim.save()

    assert await demoted.refused() == ["NOT_FOUND"]
    await desk.whisper("internal")
    assert await other.bodies(1) == ["internal"]
    assert demoted.frames.empty()


async def test_a_change_of_role_that_changes_what_is_shown_moves_the_member(desk: Desk) -> None:
    place = await membership(desk, desk.bob)
    place.role = OrganizationRole.ADMIN
    await place.save()
    (bob,) = await desk.members(desk.bob, 1, ADDRESSES)
    (before,) = desk.served.fanout.groups
    await desk.served.say(desk.ann, desk.ticket, "to an admin")
    place.role = OrganizationRole.MEMBER
    await place.save()
    await until(lambda: desk.grouped == 1 and before not in desk.served.fanout.groups)

    await desk.served.say(desk.ann, desk.ticket, "to a member")

    told = [(await bob.next())["message"] for _ in range(2)]
    assert told == [
        {"body": "to an admin", "actor": {"email": desk.ann.email}},
        {"body": "to a member", "actor": {"email": None}},
    ]


async def test_a_change_of_role_that_changes_nothing_shown_loses_nothing(desk: Desk) -> None:
    watches = [*await desk.members(desk.bob, 2), *await desk.members(desk.ann, 1)]
    place = await membership(desk, desk.bob)
    place.role = OrganizationRole.ADMIN
    await place.save()

    for number in range(30):
        await desk.say(f"{number}")

    assert [await watch.bodies(30) for watch in watches] == [[f"{number}" for number in range(30)]] * 3
    await until(lambda: desk.grouped == 3)
    assert len(desk.served.fanout.groups) == 1


async def test_whoever_does_not_read_holds_up_nobody_and_gets_everything_later(narrow: Desk) -> None:
    reading = (await narrow.members(narrow.ann, 1))[0]
    stalled = await (await narrow.socket(narrow.bob, receive_buffer=4096)).watch(MESSAGES, t=narrow.id)
    await stalled.caught_up()
    await until(lambda: narrow.grouped == 2)
    (group,) = narrow.served.fanout.groups.values()
    protocol = next(m.stream.protocol for m in group.members if m.context.viewer.user_id == narrow.bob.id)
    stalled.socket.stall()
    said = [f"{number} " + "x" * 8000 for number in range(40)]

    await narrow.say(*said)

    assert await reading.bodies(40) == said
    assert narrow.grouped == 1
    assert protocol.transport.get_write_buffer_size() < 100_000
    stalled.socket.wake()
    assert await stalled.bodies(40) == said
    await until(lambda: narrow.grouped == 2)
    await narrow.say("all together again")
    assert await stalled.bodies(1) == await reading.bodies(1) == ["all together again"]


async def test_a_payload_that_fails_once_dissolves_the_group_and_loses_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    watches = await desk.members(desk.bob, 3)
    await desk.say("before")
    made, failures = Fanout.payload, [RuntimeError("once")]

    def payload(self: Fanout, *given: Any) -> Any:
        if failures:
            raise failures.pop()
        return made(self, *given)

    monkeypatch.setattr(Fanout, "payload", payload)
    with capture_logs() as lines:
        await desk.say("during")
        await desk.say("after")
        told = [await watch.bodies(3) for watch in watches]

    assert told == [["before", "during", "after"]] * 3
    assert [line["event"] for line in lines] == ["a group of subscribers is dissolved"]
    await until(lambda: desk.grouped == 3)


async def test_an_event_that_always_fails_is_an_error_in_its_place_and_the_streams_go_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is told that something was not told, and finds it in our log by the number that it got."""
    watches = await desk.members(desk.bob, 2)
    made = Fanout.payload
    await desk.say("before")
    assert [await watch.bodies(1) for watch in watches] == [["before"]] * 2

    def payload(self: Fanout, stream: Any, event: Any, *given: Any) -> Any:
        if event.seq == failing:
            raise RuntimeError("the secret of a database")
        return made(self, stream, event, *given)

    head = await models.FeedStream.get(topic=f"ticket:{desk.ticket.id}:pub")
    failing = head.head + 1
    monkeypatch.setattr(Fanout, "payload", payload)
    with capture_logs() as lines:
        await desk.say("during", "after")
        told = [await watch.message() for watch in watches]
        assert [await watch.bodies(1) for watch in watches] == [["after"]] * 2

    assert [(message["type"], message["payload"]["data"]) for message in told] == [("next", None)] * 2
    errors = [error["extensions"] for message in told for error in message["payload"]["errors"]]
    assert [error["code"] for error in errors] == ["INTERNAL"] * 2
    assert {error["errorId"] for error in errors} == {line["error_id"] for line in lines if "error_id" in line}
    assert {line["seq"] for line in lines if line["event"] == "an event cannot be told"} == {failing}
    assert "secret" not in json.dumps(told)
    await until(lambda: desk.grouped == 2)


async def test_a_database_that_is_away_sends_subscribers_away_to_come_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither an error, after which a client would not come back, nor an event that is passed over."""
    (watch,) = await desk.members(desk.bob, 1)

    def payload(self: Fanout, *given: Any) -> Any:
        raise ConnectionRefusedError("the database is away")

    monkeypatch.setattr(Fanout, "payload", payload)
    await desk.say("during")
    assert await watch.socket.closed() == 1013

    monkeypatch.undo()
    again = await desk.watch(desk.bob, after=watch.cursor)
    assert await again.bodies(1) == ["during"]


async def test_a_server_that_stops_lets_go_of_all_and_leaves_no_task(tmp_path: Path) -> None:
    mine = asyncio.all_tasks()
    async with running_desk("sqlite", tmp_path) as desk:
        watches = [*await desk.members(desk.bob, 3), *await desk.members(desk.kim, 2)]
        groups: list[Group] = list(desk.served.fanout.groups.values())
        desk.served.server.should_exit = True

        codes = [await watch.socket.closed() for watch in watches]

    assert codes == [1012] * 5
    assert all(group.has_ended for group in groups)
    await leaves_no_task(mine)
