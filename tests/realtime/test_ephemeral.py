"""What passes: told to every process, forgotten by itself, bounded, and harmless when the broker is away (J7)."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest

from realtime.entries import MOST_ENTRIES, MOST_WAITING, Entry, Key, Watch
from realtime.ephemeral import CHANNEL, FORGET, MESSAGE_BYTES, RENEW, Ephemeral, messages_for
from tests.realtime.support import PATIENCE, Clock, eventually
from tests.realtime.wire import Wire

pytestmark = pytest.mark.anyio

ANN = Key("ticket:1", "presence", "ann")
VIEWING = {"state": "VIEWING"}


class Office:
    """Processes on one wire, with one clock."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.wire, self.clock, self.stack = Wire(CHANNEL), Clock(), stack

    async def process(self) -> Ephemeral:
        made = Ephemeral("wire://", clock=self.clock, tick=0.005, canary=0.02, connect=self.wire.connect)
        await made.start()
        self.stack.push_async_callback(made.stop)
        await eventually(lambda: self.wire.refuses or made.line.healthy)
        return made

    async def pass_time(self, seconds: float) -> None:
        """In steps, so that every process renews in between what it has to."""
        for _ in range(int(seconds)):
            self.clock.advance(1)
            await asyncio.sleep(0.012)


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with AsyncExitStack() as stack:
        yield Office(stack)


def said(process: Ephemeral, key: Key = ANN) -> list[tuple[str, Any]]:
    return [(entry.key.user, dict(entry.data)) for entry in process.said(key.topic, key.kind)]


async def next_of(watch: Watch) -> list[tuple[str, bool]]:
    """Who changed, and whether it is over."""
    async with asyncio.timeout(PATIENCE):
        return [(entry.key.user, entry.is_over) for entry in await watch.take()]


async def test_what_is_said_is_heard_by_every_process_and_forgotten_when_its_time_has_passed(office: Office) -> None:
    here, there = await office.process(), await office.process()
    with there.watching("ticket:1", "presence") as watch:
        here.say(ANN, VIEWING, ttl=5)

        assert said(here) == [("ann", VIEWING)]
        assert await next_of(watch) == [("ann", False)]
        assert said(there) == [("ann", VIEWING)]
        assert said(there, ANN._replace(topic="ticket:2")) == said(there, ANN._replace(kind="typing")) == []

        office.clock.advance(5)
        assert said(here) == said(there) == []
        assert await next_of(watch) == [("ann", True)]


async def test_within_a_process_everything_works_without_a_broker(office: Office) -> None:
    office.wire.refuses = True
    alone = await office.process()
    with alone.watching("ticket:1", "presence") as watch:
        alone.say(ANN, VIEWING, ttl=5)
        assert await next_of(watch) == [("ann", False)]
        alone.drop(ANN)
        assert await next_of(watch) == [("ann", True)]


async def test_what_is_kept_outlasts_every_time_and_ends_with_who_keeps_it(office: Office) -> None:
    here, there = await office.process(), await office.process()
    here.say(ANN, VIEWING, ttl=FORGET)
    with here.keeping(ANN):
        await office.pass_time(3 * FORGET)
        assert said(here) == said(there) == [("ann", VIEWING)]

    assert said(here) == []
    await eventually(lambda: said(there) == [])


async def test_what_is_kept_stands_though_its_renewal_is_late(office: Office) -> None:
    here = await office.process()
    here.say(ANN, VIEWING, ttl=FORGET)
    with here.keeping(ANN):
        office.clock.advance(2 * FORGET)

        assert said(here) == [("ann", VIEWING)]


async def test_a_process_that_dies_without_a_word_is_forgotten(office: Office) -> None:
    """As by kill -9: nobody says that it is over, and nobody renews it."""
    here, there = await office.process(), await office.process()
    here.say(ANN, VIEWING, ttl=FORGET)
    with here.keeping(ANN):
        await eventually(lambda: said(there) == [("ann", VIEWING)])
        await here._tasks.close()

    await office.pass_time(FORGET - 1)
    assert said(there) == [("ann", VIEWING)]
    office.clock.advance(1)
    assert said(there) == []


async def test_another_process_may_keep_what_was_said_here(office: Office) -> None:
    """A mutation by HTTP arrives at one process, the socket is at another: its end ends it everywhere."""
    here, there = await office.process(), await office.process()
    with there.keeping(ANN):
        here.say(ANN, VIEWING, ttl=FORGET)
        await eventually(lambda: said(there) == [("ann", VIEWING)])
        await office.pass_time(2 * FORGET)
        assert said(here) == [("ann", VIEWING)]

    await eventually(lambda: said(here) == [])


async def test_who_is_at_two_processes_stays_when_one_is_left(office: Office) -> None:
    here, there = await office.process(), await office.process()
    here.say(ANN, VIEWING, ttl=FORGET)
    with here.keeping(ANN), here.keeping(ANN):
        await eventually(lambda: said(there) == [("ann", VIEWING)])
        with there.keeping(ANN):
            pass
        await eventually(lambda: said(there) == [("ann", VIEWING)])

        assert said(here) == [("ann", VIEWING)]


async def test_a_process_that_comes_later_asks_what_is_kept(office: Office) -> None:
    here = await office.process()
    here.say(ANN, VIEWING, ttl=FORGET)
    with here.keeping(ANN):
        there = await office.process()

        await eventually(lambda: said(there) == [("ann", VIEWING)])


async def test_a_process_that_ends_says_so(office: Office) -> None:
    there, here = await office.process(), Ephemeral("wire://", clock=office.clock, connect=office.wire.connect)
    await here.start()
    await eventually(lambda: here.line.healthy)
    with here.keeping(ANN):
        here.say(ANN, VIEWING, ttl=FORGET)
        await eventually(lambda: said(there) == [("ann", VIEWING)])

        await here.stop()

        await eventually(lambda: said(there) == [])


async def test_what_was_lost_while_the_broker_was_away_is_made_up_for(office: Office) -> None:
    here, there = await office.process(), await office.process()
    with here.keeping(ANN):
        office.wire.refuses = True
        here.say(ANN, VIEWING, ttl=FORGET)
        failed = here.line.stats.failed
        await eventually(lambda: here.line.stats.failed > failed)
        office.wire.refuses = False
        await office.pass_time(RENEW + 1)

        await eventually(lambda: said(there) == [("ann", VIEWING)])


async def test_what_is_said_too_soon_again_is_not_said(office: Office) -> None:
    here = await office.process()
    assert here.say(ANN, VIEWING, ttl=5, spacing=2)
    office.clock.advance(1.9)
    again = here.say(ANN, {"state": "IDLE"}, ttl=5, spacing=2)
    assert again is not None
    assert (again.data, here.seconds_left(again)) == (VIEWING, pytest.approx(3.1))
    here.drop(ANN)
    assert here.say(ANN, VIEWING, ttl=5, spacing=2) is None
    office.clock.advance(0.2)

    assert here.say(ANN, VIEWING, ttl=5, spacing=2)


async def test_saying_the_same_again_is_no_news_to_who_watches(office: Office) -> None:
    here = await office.process()
    with here.watching("ticket:1", "presence") as watch:
        for _ in range(3):
            here.say(ANN, VIEWING, ttl=5)
        assert await next_of(watch) == [("ann", False)]
        here.say(ANN, VIEWING, ttl=5)
        here.say(ANN, {"state": "IDLE"}, ttl=5)
        here.say(ANN, VIEWING, ttl=5)
        here.say(ANN._replace(user="bob"), VIEWING, ttl=5)

        assert await next_of(watch) == [("ann", False), ("bob", False)]


async def test_a_watcher_that_does_not_read_and_a_flood_of_entries_are_bounded(office: Office) -> None:
    """J6: the oldest go, and the latest are there."""
    here = Ephemeral(clock=office.clock)
    with here.watching("ticket:1", "presence") as watch:
        for n in range(MOST_ENTRIES + 10):
            here.say(ANN._replace(user=str(n)), VIEWING, ttl=5)

        assert len(here.said("ticket:1", "presence")) == MOST_ENTRIES
        waiting = await next_of(watch)

    assert len(waiting) == MOST_WAITING
    assert waiting[-1] == (str(MOST_ENTRIES + 9), False)
    assert here._entries._watches == {}


@pytest.mark.parametrize(
    "message",
    ["", "{", "[]", "null", '{"said": []}', '{"from": "x"}', '{"from": "x", "said": [1]}', '{"from": "x", "said": 1}']
    + [f'{{"from": "x", "said": [{entry}]}}' for entry in ("[]", '["t", "k", "u", [], 5]', '["t", "k", "u", {}, "5"]')],
)
async def test_a_message_that_is_not_ours_is_ignored(
    office: Office, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    here = await office.process()
    with caplog.at_level(logging.WARNING, logger="realtime.ephemeral"):
        office.wire.say(message)
        office.wire.say(orjson.dumps({"from": "x", "said": [[*ANN, VIEWING, 1e9]]}).decode())
        await eventually(lambda: said(here) == [("ann", VIEWING)])

    assert "not one of ours" in caplog.text
    (entry,) = here.said("ticket:1", "presence")
    assert here.seconds_left(entry) == FORGET, "nobody is believed for longer"


def test_messages_fit_a_notification_of_postgresql_and_lose_nothing() -> None:
    told = [[f"ticket:{n}", "presence", "u" * 36, {"state": "VIEWING", "since": "x" * 32}, 45.0] for n in range(500)]

    messages = list(messages_for("me" * 16, told, asks=True))

    assert [each for message in messages for each in orjson.loads(message)["said"]] == told
    assert max(len(message.encode()) for message in messages) < 8_000 > MESSAGE_BYTES
    assert [bool(orjson.loads(message).get("asks")) for message in messages].count(True) == 1
    assert len(list(messages_for("me", []))) == 1, "the canary"


async def test_nothing_is_raised_at_who_says_something_before_the_beginning_or_after_the_end() -> None:
    idle = Ephemeral()
    assert idle.say(ANN, VIEWING, ttl=5)
    idle.drop(ANN)
    await idle.start()
    await idle.stop()
    with idle.keeping(ANN):
        assert isinstance(idle.say(ANN, VIEWING, ttl=5), Entry)
    assert idle.said("ticket:1", "presence") == []


def test_what_cannot_carry_it_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="carrier"):
        Ephemeral("carrier-pigeon://")
