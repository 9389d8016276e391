"""The doorbell tells other processes, proves that it works, and is built anew when it does not."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest

from realtime.backends import make_broadcast
from realtime.doorbell import Doorbell, messages_for
from realtime.tasks import Tasks
from tests.realtime.support import PATIENCE, eventually, leaves_no_task
from tests.realtime.wire import Wire

pytestmark = pytest.mark.anyio


class Ear:
    """A process with a doorbell, and what it heard."""

    def __init__(self) -> None:
        self.kicks: list[tuple[str, int]] = []
        self.resyncs = 0

    def kick(self, topic: str, seq: int) -> None:
        self.kicks.append((topic, seq))

    def resync(self) -> None:
        self.resyncs += 1

    @asynccontextmanager
    async def listening(self, wire: Wire, canary: float = 0.02) -> AsyncIterator[Doorbell]:
        tasks = Tasks()
        tasks.open()
        bell = Doorbell("wire://", self.kick, self.resync, tasks, canary=canary, connect=wire.connect)
        bell.start()
        try:
            await eventually(lambda: bell.healthy)
            yield bell
        finally:
            await bell.stop()
            await tasks.close()


async def test_a_ring_reaches_every_process_and_carries_topic_and_number() -> None:
    wire, here, there = Wire(), Ear(), Ear()
    async with here.listening(wire) as bell, there.listening(wire):
        bell.ring({"ticket:1": 7, "ticket:2": 1})

        await eventually(lambda: len(there.kicks) == 2)

    assert there.kicks == here.kicks == [("ticket:1", 7), ("ticket:2", 1)]
    assert orjson.dumps([["ticket:1", 7], ["ticket:2", 1]]).decode() in wire.messages


async def test_rings_of_one_moment_share_a_message_and_the_highest_number_stays() -> None:
    wire, ear = Wire(), Ear()
    async with ear.listening(wire, canary=5) as bell:
        wire.messages.clear()
        for seq in (1, 3, 2):
            bell.ring({"t": seq, "u": 1})

        await eventually(lambda: len(ear.kicks) == 2)

    assert wire.messages == ['[["t",3],["u",1]]']


def test_a_message_has_forty_topics_at_most_and_fits_a_notification_of_postgresql() -> None:
    rings = [(f"{n:03}" + "t" * 117, 10**18) for n in range(85)]

    messages = list(messages_for(rings))

    assert [len(orjson.loads(message)) for message in messages] == [40, 40, 5]
    assert [tuple(ring) for message in messages for ring in orjson.loads(message)] == rings
    assert max(len(message.encode()) for message in messages) < 8_000


async def test_the_memory_doorbell_hears_itself() -> None:
    ear, tasks = Ear(), Tasks()
    tasks.open()
    bell = Doorbell("memory://", ear.kick, ear.resync, tasks)
    assert not bell.healthy
    bell.start()
    try:
        await eventually(lambda: bell.healthy)
        bell.ring({"t": 1})
        await eventually(lambda: ear.kicks == [("t", 1)])
    finally:
        await bell.stop()
        await tasks.close()

    assert not bell.reaches_others
    assert ear.resyncs == 1


async def test_a_doorbell_that_hears_nothing_is_unhealthy_then_rebuilt_and_resynced() -> None:
    """A frozen broker keeps the connection and says nothing: only the missing canary tells."""
    wire, ear = Wire(), Ear()
    async with ear.listening(wire) as bell:
        assert (wire.connected, ear.resyncs) == (1, 1)

        wire.frozen = True
        await eventually(lambda: not bell.healthy)
        assert bell.stats.rebuilt == 0
        await eventually(lambda: wire.connected >= 2)
        wire.frozen = False

        await eventually(lambda: bell.healthy)
        assert ear.resyncs >= 2
        bell.ring({"t": 1})
        await eventually(lambda: ("t", 1) in ear.kicks)
    assert wire.ends == set()


async def test_a_broker_that_refuses_is_tried_again_and_never_raises_into_a_writer() -> None:
    wire, ear = Wire(), Ear()
    async with ear.listening(wire) as bell:
        wire.refuses = True
        failed = bell.stats.failed
        bell.ring({"t": 1})
        await eventually(lambda: bell.stats.failed > failed)
        await eventually(lambda: bell.stats.rebuilt >= 2)

        wire.refuses = False

        await eventually(lambda: bell.healthy)


async def test_a_backend_may_say_that_it_missed_something() -> None:
    wire, ear = Wire(), Ear()
    async with ear.listening(wire):
        assert ear.resyncs == 1

        wire.say("resync")

        await eventually(lambda: ear.resyncs == 2)


@pytest.mark.parametrize("message", ["", "{", "7", "null", '[["t"]]', '[["t",1,2]]', '[["t","x"]]', "[[1]]", '{"a":1}'])
async def test_a_message_that_is_not_ours_is_ignored(message: str, caplog: pytest.LogCaptureFixture) -> None:
    wire, ear = Wire(), Ear()
    async with ear.listening(wire) as bell:
        with caplog.at_level(logging.WARNING, logger="realtime.doorbell"):
            wire.say(message)
            wire.say('[["t",1]]')
            await eventually(lambda: ear.kicks == [("t", 1)])

        assert bell.healthy
        assert "not one of ours" in caplog.text


async def test_what_was_rung_is_sent_before_the_doorbell_stops() -> None:
    wire, here, there = Wire(), Ear(), Ear()
    async with there.listening(wire):
        async with here.listening(wire) as bell:
            bell.ring({"t": 1})

        await eventually(lambda: there.kicks == [("t", 1)])


async def test_a_frozen_broker_does_not_keep_a_process_from_stopping() -> None:
    wire, ear = Wire(), Ear()
    async with asyncio.timeout(PATIENCE):
        others = asyncio.all_tasks()
        async with ear.listening(wire, canary=5) as bell:
            wire.frozen = True
            bell.ring({f"t{n}": 1 for n in range(400)})
        await leaves_no_task(others)


@pytest.mark.parametrize("url", ["redis-stream://x", "kafka://x", "nonsense", "", "//x"])
def test_an_unknown_scheme_is_refused_with_what_is_supported(url: str) -> None:
    with pytest.raises(ValueError, match=r"no doorbell for .*supported schemes are .*memory://"):
        make_broadcast(url)
