"""A storm: writers that write, servers that serve, watchers that come and go, and what can break breaking meanwhile."""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import MappingProxyType
from uuid import uuid4

from tests.databases import fresh_sqlite
from tests.realtime.backends.brokers import RedisServer
from tests.realtime.faults.desk import Desk, furnished
from tests.realtime.faults.entry import FaultyServer
from tests.realtime.faults.postgres import PostgresServer
from tests.realtime.faults.verdict import Verdict, verdict_on
from tests.realtime.faults.watching import Counts, Watcher, crowd
from tests.realtime.faults.writing import WAYS, Written, start_writer
from tests.server.processes import STARTS_WITHIN, free_port, variables

SETTLES_WITHIN = 8.0
"""Seconds without a single delivery after which those that are missing are given up."""

ENDS_WITHIN = 60.0
"""Seconds for a process to finish what it is about."""


@dataclass(frozen=True)
class Weather:
    """What runs, and what happens to it. `faults` are names of methods of `Storm`, in the order in which they come."""

    name: str
    engine: str
    doorbell: str
    faults: tuple[str, ...]
    servers: int = 2
    watchers: int = 50
    tickets: int = 5
    writers: int = 2
    tasks: int = 3
    pause: float = 0.1
    least: int = 60
    """Writes, which a storm waits for if its seconds were not enough."""
    noisy: bool = True
    clock_jumps: bool = True
    ways: tuple[tuple[str, int], ...] = tuple(WAYS.items())


SQLITE_ALONE = Weather(
    "SQLite, one process", "sqlite", "memory", ("kill_server", "kill_writer", "drain_server", "kill_server"), servers=1
)
SQLITE_SEVERAL = Weather(
    "SQLite, three processes",
    "sqlite",
    "memory",
    ("kill_server", "kill_writer", "drain_server", "kill_server"),
    servers=3,
)
POSTGRES_REDIS = Weather(
    "PostgreSQL + Redis",
    "postgres",
    "redis",
    (
        "kill_server",
        "restart_redis",
        "cut_database",
        "kill_writer",
        "freeze_redis",
        "crash_database",
        "kill_server",
        "drain_server",
    ),
    servers=3,
)
POSTGRES_ALONE = Weather(
    "PostgreSQL alone",
    "postgres",
    "postgres",
    ("kill_server", "cut_database", "kill_writer", "crash_database", "drain_server"),
)
POSTGRES_DEAF = Weather(
    "PostgreSQL, doorbell dead", "postgres", "dead", ("kill_server", "kill_writer", "cut_database", "drain_server")
)
ALL = (SQLITE_ALONE, SQLITE_SEVERAL, POSTGRES_REDIS, POSTGRES_ALONE, POSTGRES_DEAF)


@asynccontextmanager
async def storm_over(
    weather: Weather,
    folder: Path,
    *,
    postgres: PostgresServer | None = None,
    mutant: str | None = None,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator["Storm"]:
    """A desk with its processes running. All of them are gone in the end, whatever happened."""
    async with AsyncExitStack() as stack:
        redis = None
        doorbell = {"memory": "memory://", "dead": f"redis://127.0.0.1:{free_port()}"}.get(weather.doorbell)
        if weather.doorbell == "redis":
            redis = RedisServer(folder)
            stack.push_async_callback(redis.kill)
            await redis.start()
            doorbell = redis.url
        if weather.engine == "postgres":
            assert postgres is not None
            url = await stack.enter_async_context(postgres.database(f"storm_{uuid4().hex[:12]}"))
        else:
            url = await fresh_sqlite(folder)
        desk = await stack.enter_async_context(furnished(url, folder, tickets=weather.tickets))
        given = variables(url, folder, BROADCAST_URL=doorbell or url, DRAIN_SECONDS="1", LOG_LEVEL="warning")
        environment = {**given, **environment}
        environment |= {"FAULTS_NOISE": "1"} if weather.noisy else {}
        environment |= {"FAULTS_CLOCK": "1"} if weather.clock_jumps else {}
        environment |= {"FAULTS_MUTANT": mutant} if mutant else {}
        storm = Storm(weather, desk, environment, redis, postgres)
        stack.push_async_callback(storm.end)
        await asyncio.gather(*(server.start() for server in storm.servers))
        yield storm


@dataclass
class Storm:
    weather: Weather
    desk: Desk
    environment: dict[str, str]
    redis: RedisServer | None
    postgres: PostgresServer | None
    counts: Counts = field(default_factory=Counts)
    happened: list[str] = field(default_factory=list)
    writers: list[BaseProcess] = field(default_factory=list)
    journals: list[Path] = field(default_factory=list)
    blowing: bool = False

    def __post_init__(self) -> None:
        self.servers = [
            FaultyServer(self.environment, self.desk.folder / f"server-{n}", free_port())
            for n in range(self.weather.servers)
        ]
        self.watchers = crowd(self.desk, self.weather.watchers, self.counts)

    @property
    def addresses(self) -> list[str]:
        return [server.address for server in self.servers]

    async def blow(self, seconds: float) -> Verdict:
        """So many seconds of it, then calm until everybody has everything, or nothing comes any more."""
        async with self.watching():
            self.blowing = True
            for _ in range(self.weather.writers):
                self.start_writer()
            await self.everybody_writes()
            step = seconds / (len(self.weather.faults) + 1)
            began = time.monotonic()
            for number, fault in enumerate(self.weather.faults, 1):
                await asyncio.sleep(max(0.0, began + number * step - time.monotonic()))
                await self.fault(fault)
            await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
            await self.written(self.weather.least)
            await self.stop_writing()
            self.blowing = False
            await self.calm()
            return await self.verdict()

    async def verdict(self) -> Verdict:
        written = Written()
        for journal in self.journals:
            written.read(journal)
        verdict = await verdict_on(self.desk, self.watchers, self.counts, written)
        verdict.details["faults"] = ", ".join(self.happened)
        return verdict

    @asynccontextmanager
    async def watching(self, watchers: list[Watcher] | None = None) -> AsyncIterator[None]:
        """All watchers, or some, come, and are gone in the end."""
        tasks = [
            asyncio.create_task(watcher.come_and_go(self.addresses, lambda: self.blowing))
            for watcher in watchers or self.watchers
        ]
        try:
            yield
            for task in tasks:
                assert not task.done(), task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def calm(self, patience: float = SETTLES_WITHIN) -> None:
        """Until every watcher stands at the end of its stream. Not for ever: until none has been told anything for
        `patience` seconds, or one has been told more than there is."""
        log = await self.desk.read_log()
        wanted = {watcher: watcher.expected(log) for watcher in self.watchers}
        self.counts.last_told = time.monotonic()
        while not all(watcher.live and watcher.told[-1:] == wanted[watcher][-1:] for watcher in self.watchers):
            too_much = any(len(watcher.told) > len(wanted[watcher]) for watcher in self.watchers)
            if too_much or time.monotonic() - self.counts.last_told > patience:
                return
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)  # for what should not come any more

    # ---- the processes

    def start_writer(self) -> None:
        name = f"writer-{len(self.journals)}"
        process, journal = start_writer(
            self.desk,
            name,
            self.environment,
            self.addresses,
            tasks=self.weather.tasks,
            pause=self.weather.pause,
            ways=dict(self.weather.ways),
        )
        self.writers.append(process)
        self.journals.append(journal)

    async def everybody_writes(self) -> None:
        """Until each writer has had an answer: on a busy machine it takes its time to start."""
        async with asyncio.timeout(STARTS_WITHIN):
            while not all(journal.exists() and journal.stat().st_size for journal in self.journals):
                assert all(process.is_alive() for process in self.writers), self.desk.folder
                await asyncio.sleep(0.05)

    async def written(self, number: int) -> None:
        """Until so many writes have come to an end, on a machine of whatever speed."""
        async with asyncio.timeout(ENDS_WITHIN):
            while sum(lines_of(journal) for journal in self.journals) < number:  # noqa: ASYNC110 - files have no event
                await asyncio.sleep(0.1)

    async def stop_writing(self) -> None:
        """Let every writer finish what it is about."""
        for process in self.writers:
            send(process, signal.SIGTERM)
        for process in self.writers:
            async with asyncio.timeout(ENDS_WITHIN):
                await asyncio.to_thread(process.join)
            assert process.exitcode == 0, f"a writer ended with {process.exitcode}: {self.desk.folder}"
        self.writers.clear()

    async def end(self) -> None:
        for process in self.writers:
            send(process, signal.SIGKILL)
            process.join(ENDS_WITHIN)
        for server in self.servers:
            await server.kill()

    # ---- what happens

    async def fault(self, name: str) -> None:
        happens: Callable[[], Awaitable[None]] = getattr(self, name)
        self.happened.append(name.replace("_", " "))
        await happens()

    async def kill_server(self) -> None:
        server = random.choice(self.servers)
        assert await server.kill() == -signal.SIGKILL
        await asyncio.sleep(0.3)
        await server.start()

    async def drain_server(self) -> None:
        server = random.choice(self.servers)
        assert await server.kill(signal.SIGTERM) == -signal.SIGTERM, server.said()
        await server.start()

    async def kill_writer(self) -> None:
        process = self.writers.pop(random.randrange(len(self.writers)))
        send(process, signal.SIGKILL)
        async with asyncio.timeout(ENDS_WITHIN):
            await asyncio.to_thread(process.join)
        self.start_writer()
        await self.everybody_writes()  # before the next fault: one that begins while the database is away gives up

    async def restart_redis(self) -> None:
        assert self.redis is not None
        await self.redis.kill()
        await asyncio.sleep(0.5)
        await self.redis.start()

    async def freeze_redis(self) -> None:
        """For longer than it takes the doorbell to notice."""
        assert self.redis is not None
        self.redis.freeze()
        await asyncio.sleep(4)
        self.redis.thaw()

    async def cut_database(self) -> None:
        assert self.postgres is not None
        assert await self.postgres.cut(self.desk.url.rpartition("/")[2]) > 0

    async def crash_database(self) -> None:
        assert self.postgres is not None
        await self.postgres.crash()
        await asyncio.sleep(0.3)
        await self.postgres.start()


def lines_of(journal: Path) -> int:
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def send(process: BaseProcess, how: signal.Signals) -> None:
    if process.pid is not None and process.is_alive():
        os.kill(process.pid, how)
