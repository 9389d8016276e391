"""Whatever happens when: a client that resumes by its cursor sees every event once, in order, and no other.

Each schedule is drawn from a seed: who writes what, which transactions roll back, which keys are sent again, which
rings are lost, doubled, early or late, and when the clients of two server processes come and go. A failure names its
seed; `CASEWIRE_TEST_SEED=17 pytest tests/realtime/test_schedules.py` draws that schedule again, alone. (Threads and
the database still choose the fine timing.)
"""

import asyncio
import os
import random
from contextlib import aclosing, suppress
from dataclasses import dataclass, field

import pytest

from realtime import log
from realtime.cursor import Cursor
from realtime.hub import CaughtUp, Delivered, Hub
from tests.realtime.conftest import MakeHub
from tests.realtime.support import NOON, RollBack, Store, draft, welcome

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

BLOCKS = 10
SQLITE_BLOCK, POSTGRES_BLOCK = 20, 5
"""Schedules in a block: 200 on SQLite, 50 on PostgreSQL."""

AT_ONCE = 5
WRITERS, TRANSACTIONS, CLIENTS = 3, 5, 4


@dataclass
class Schedule:
    seed: int
    store: Store
    hubs: list[Hub]
    committed: dict[str, set[str]] = field(default_factory=dict)
    writing: bool = True

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.topics = [f"schedule:{self.seed}:{letter}" for letter in "ab"]
        self.committed = {topic: set() for topic in self.topics}

    async def run(self) -> None:
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            clients = [group.create_task(self.come_and_go(topic)) for topic in self.topics * (CLIENTS // 2)]
            async with asyncio.TaskGroup() as writers:
                for number in range(WRITERS):
                    writers.create_task(self.write(number))
            self.writing = False
        seen = [client.result() for client in clients]

        for number, topic in enumerate(self.topics):
            logged = [(event.seq, event.key) for event in await self.store.read_all(topic)]
            assert [seq for seq, _ in logged] == list(range(1, len(logged) + 1)), self
            assert sorted(key for _, key in logged) == sorted(self.committed[topic]), self
            for client in seen[number::2]:
                assert client == logged, self

    async def write(self, writer: int) -> None:
        sent: list[tuple[str, str]] = []
        for number in range(TRANSACTIONS):
            topics = self.chance.choice([self.topics, self.topics[:1], self.topics[1:]])
            fresh = [(topic, f"{writer}.{number}.{n}") for topic in topics for n in range(self.chance.randint(1, 4))]
            again = self.chance.sample(sent, k=min(len(sent), self.chance.choice([0, 0, 2])))
            with suppress(RollBack):
                async with self.store.transaction(writer % len(self.store.writers)) as conn:
                    drafts = [draft(topic, key) for topic, key in fresh + again]
                    heads = await log.append(conn, drafts, at=NOON)
                    if self.chance.random() < 0.1:
                        self.ring(heads)
                    await asyncio.sleep(self.chance.choice([0, 0, 0.002]))
                    if self.chance.random() < 0.2:
                        raise RollBack
                sent += fresh
                for topic, key in fresh:
                    self.committed[topic].add(key)
                self.ring(heads)
            await asyncio.sleep(self.chance.choice([0, 0, 0.001, 0.004]))

    def ring(self, heads: dict[str, int]) -> None:
        """Lost, or once or twice, at once or so late that others overtake it; for each process by itself."""
        loop = asyncio.get_running_loop()
        for hub in self.hubs:
            for _ in range(self.chance.choice([0, 1, 1, 2])):
                loop.call_later(self.chance.choice([0, 0, 0.001, 0.01]), hub.ring, heads)

    async def come_and_go(self, topic: str) -> list[tuple[int, str]]:
        seen: list[tuple[int, str]] = []
        cursor = str(Cursor("-", 0))
        while self.writing or len(seen) < (await self.store.position(topic)).head:
            hub = self.chance.choice(self.hubs)
            stay = self.chance.choice([0.0, 0.001, 0.003, 0.01, 0.05])
            events_left, caught_up = self.chance.choice([1, 2, 5, 1000]), 0
            async with aclosing(hub.follow(topic, Cursor.parse(cursor), guard=welcome)) as stream:
                with suppress(TimeoutError):
                    async with asyncio.timeout(stay):
                        async for step in stream:
                            cursor = str(step.cursor)
                            if isinstance(step, Delivered):
                                assert step.event.seq == len(seen) + 1 == step.cursor.seq, self
                                seen.append((step.event.seq, step.event.key))
                                events_left -= 1
                            else:
                                assert isinstance(step, CaughtUp), (step, self)
                                caught_up += 1
                            if not events_left:
                                break
            assert caught_up <= 1, self
            await asyncio.sleep(self.chance.choice([0, 0.003, 0.01, 0.02]))
        return seen


def seeds_of(block: int, size: int) -> list[int]:
    if chosen := os.environ.get("CASEWIRE_TEST_SEED"):
        return [int(chosen)] if block == 0 else []
    return list(range(block * size, (block + 1) * size))


@pytest.mark.parametrize("block", range(BLOCKS))
async def test_every_schedule_delivers_every_event_once_and_in_order(
    store: Store, make_hub: MakeHub, block: int
) -> None:
    other_reader = store.another_reader()
    looking = {"poll": 0.01, "sweep_every": 0.02, "sweep_every_when_deaf": 0.01}
    hubs = [await make_hub(**looking), await make_hub(lambda: other_reader, **looking)]

    seeds = seeds_of(block, SQLITE_BLOCK if store.is_sqlite else POSTGRES_BLOCK)
    for first in range(0, len(seeds), AT_ONCE):
        async with asyncio.TaskGroup() as group:
            for seed in seeds[first : first + AT_ONCE]:
                group.create_task(Schedule(seed, store, hubs).run())

    assert [hub.stats.watchers for hub in hubs] == [0, 0]
    assert [hub.stats.resets for hub in hubs] == [0, 0]
