"""Many that come back at once, and those that read nothing: what they cost the server that serves them."""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from realtime.tail import PAGE
from tests.realtime.faults.checks import QUIET, SMALL, calm_desk, write_many
from tests.realtime.faults.desk import gid
from tests.realtime.faults.entry import FaultyServer
from tests.realtime.faults.storm import Storm
from tests.realtime.faults.verdict import Verdict, verdict_on
from tests.realtime.faults.watching import BEGINNING, MESSAGES, Watcher
from tests.realtime.faults.writing import Written
from tests.server.running import Watch, open_socket

PER_TRANSACTION = 100
FIRST = 10
"""Watchers, one of each person, that come before the herd is measured."""

TOLD_WITHIN = 300.0
"""Seconds for everybody to have everything."""


@dataclass(frozen=True)
class Herd:
    """`pages` are log reads for catching up; alone, each watcher would need `alone` of them. Bytes and seconds."""

    watchers: int
    behind: int
    seconds: float
    pages: int
    memory: int
    verdict: Verdict

    @property
    def alone(self) -> int:
        return self.watchers * -(-self.behind // PAGE)

    def __str__(self) -> str:
        return (
            f"{self.watchers} watchers, {self.behind} events behind: {self.seconds:.1f} s, "
            f"{self.pages} pages read (alone they would be {self.alone}), +{self.memory / 1e6:.1f} MB; {self.verdict}"
        )


async def herd(folder: Path, *, watchers: int, behind: int) -> Herd:
    """Everybody watches one ticket; the server is killed, and is back when so many events were written meanwhile."""
    weather = replace(QUIET, servers=1, tickets=1, watchers=watchers)
    async with calm_desk(folder, "sqlite", None, None, weather) as storm:
        (ticket,), (server,) = storm.desk.tickets, storm.servers
        for watcher in storm.watchers:
            watcher.document = MESSAGES
        await write_many(storm, ticket, 1)
        async with storm.watching():
            await everybody_told(storm, 1)
            await server.kill()
        for _ in range(behind // PER_TRANSACTION):
            await write_many(storm, ticket, PER_TRANSACTION)
        await server.start()
        first, others = storm.watchers[:FIRST], storm.watchers[FIRST:]
        async with storm.watching(first):  # what a server needs for the first of all is not the herd's
            await everybody_told(storm, 1 + behind, first)
            server.forget_most_memory()
            before, began = server.memory(), time.monotonic()
            async with storm.watching(others):
                await everybody_told(storm, 1 + behind)
                took = time.monotonic() - began
                stats = await server.stats()
        verdict = await verdict_on(storm.desk, storm.watchers, storm.counts, Written())
        return Herd(watchers, behind, took, stats["pages"], server.most_memory() - before, verdict)


@dataclass(frozen=True)
class Stalled:
    """Bytes by which the server's memory grew for clients that read nothing, and what they were told in the end."""

    clients: int
    memory: int
    resets: list[str]
    lively: Verdict


async def stalled(folder: Path, *, clients: int, events: int, max_lag: int) -> Stalled:
    """Some read nothing while `events` of 1 kB come; others read as ever. Then those that slept wake up."""
    weather = replace(QUIET, servers=1, tickets=1, watchers=10)
    limits = {"FAULTS_MAX_LAG": str(max_lag), "FAULTS_SEND_BUFFER": str(SMALL)}
    async with AsyncExitStack() as stack:
        storm = await stack.enter_async_context(calm_desk(folder, "sqlite", None, None, weather, environment=limits))
        (ticket,), (server,) = storm.desk.tickets, storm.servers
        await write_many(storm, ticket, 1)
        await stack.enter_async_context(storm.watching())
        await everybody_told(storm, 1)
        asleep = [await fall_asleep(stack, server, storm, number) for number in range(clients)]
        before = server.memory()
        for _ in range(events // PER_TRANSACTION):
            await write_many(storm, ticket, PER_TRANSACTION, size=1_000)
        await everybody_told(storm, 1 + events)
        grown = server.memory() - before
        resets = [await reset_of(watch) for watch in asleep]
        return Stalled(clients, grown, resets, await storm.verdict())


async def fall_asleep(stack: AsyncExitStack, server: FaultyServer, storm: Storm, number: int) -> Watch:
    person = storm.desk.members[number % len(storm.desk.members)]
    socket = await stack.enter_async_context(open_socket(server.address, person.token, receive_buffer=SMALL))
    watch = await socket.watch(MESSAGES, t=gid(storm.desk.tickets[0]), after=BEGINNING)
    await watch.next()
    await watch.caught_up()
    socket.stall()
    return watch


async def reset_of(watch: Watch) -> str:
    """The reason that it is told on waking up, after what was on its way already."""
    watch.socket.wake()
    while (item := await watch.next())["__typename"] == "MessageChange":
        pass
    return str(item.get("reason"))


async def everybody_told(storm: Storm, number: int, watchers: list[Watcher] | None = None) -> None:
    def lacking(watcher: Watcher) -> bool:
        return not watcher.live or len([told for told in watcher.told if told.body]) < number

    async with asyncio.timeout(TOLD_WITHIN):
        for watcher in watchers or storm.watchers:
            while lacking(watcher):  # noqa: ASYNC110 - the network tells, and has no event to wait for
                await asyncio.sleep(0.05)
