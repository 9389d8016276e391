"""Latency: from a commit to every watcher's receipt, by engine, doorbell and number of processes; and a herd's return.

A message is committed by a process of its own, which then tells the first server process, as that process's own
mutations do. The others hear of it by the doorbell, or find it by looking. Every server process has its share of the
watchers. The stamp that watchers compare with is made right before the commit.
"""

import http.client
import itertools
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import postgres
from bench.contestants import CASEWIRE
from bench.data import RESULTS, postgres_database, sqlite_database
from bench.documents import RESUME, WATCH
from bench.fanout import tokens_of_members
from bench.posting import LogWriter, Poster, PostgresLogWriter
from bench.processes import Process, free_port
from bench.records import Record
from bench.watchers import Watchers
from bench.world import World
from realtime.cursor import NO_EPOCH, Cursor

PROCESSES = (1, 3)
WATCHERS, TICKETS = 90, 10
EVENTS_A_SECOND = 20
LONGER = 3
"""A delay's 99th percentile wants more deliveries than a rate: so many times the seconds of other measurements."""

LAST_DELIVERY_SECONDS = 30.0
BEHIND, BATCH = 1_000, 100
CATCH_UP_SECONDS = 1_200.0


@dataclass(frozen=True)
class Way:
    name: str
    engine: str
    doorbell: str


WAYS = (
    Way("SQLite", "sqlite", "memory"),
    Way("PostgreSQL + Redis", "postgres", "redis"),
    Way("PostgreSQL alone", "postgres", "postgres"),
    Way("PostgreSQL, doorbell dead", "postgres", "dead"),
)


def measure_latency(
    world: World, postgres_url: str, *, rounds: int, seconds: float, say: Callable[[str], None]
) -> list[Record]:
    """One record per way, number of processes and round."""
    ways = [way for way in WAYS if (why := why_not(way, postgres_url)) is None or say(f"  without {way.name}: {why}")]
    if any(way.engine == "postgres" for way in ways):
        postgres_database(world, postgres_url)
    records = []
    with TemporaryDirectory(dir=RESULTS) as folder:
        path = Path(folder) / "latency.db"
        shutil.copyfile(sqlite_database(world), path)
        urls = {"sqlite": f"sqlite://{path}", "postgres": postgres_url}
        for turn in range(rounds):
            for way, number in itertools.product(ways, PROCESSES):
                with served(way, number, urls[way.engine], Path(folder)) as processes:
                    figures = delays(world, processes, urls[way.engine], seconds * LONGER)
                plural = "processes" if number > 1 else "process"
                records.append(Record("latency", f"{way.name}, {number} {plural}", CASEWIRE.name, turn, figures))
            say(f"  round {turn + 1} of {rounds}")
    return records


def why_not(way: Way, postgres_url: str) -> str | None:
    if way.engine == "postgres" and not postgres.answers(postgres_url):
        return "no PostgreSQL server answers"
    if way.doorbell == "redis" and shutil.which("redis-server") is None:
        return "there is no redis-server to start"
    return None


@contextmanager
def served(way: Way, number: int, url: str, folder: Path) -> Iterator[list[Process]]:
    """So many server processes on one database, with their doorbell."""
    with ExitStack() as stack:
        port = free_port()
        doorbells = {"memory": "memory://", "postgres": url, "redis": f"redis://127.0.0.1:{port}"}
        if way.doorbell == "redis":
            stack.callback(redis_server(port, folder).stop)
        doorbell = doorbells.get(way.doorbell, f"redis://127.0.0.1:{port}")
        processes = []
        for n in range(number):
            processes.append(casewire_process(f"casewire-{n}", url, doorbell))
            stack.callback(processes[-1].stop)
        for each in processes:
            each.wait_until_listening()
        yield processes


def redis_server(port: int, folder: Path) -> Process:
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = Process("redis-server", command, {}, port, RESULTS / "redis.log")
    process.wait_until_listening()
    return process


def casewire_process(name: str, url: str, doorbell: str = "memory://") -> Process:
    port = free_port()
    environment = {**CASEWIRE.environment(url, port), "CASEWIRE_BROADCAST_URL": doorbell}
    return Process(name, CASEWIRE.command(), environment, port, RESULTS / f"{name}.log")


def delays(world: World, processes: list[Process], url: str, seconds: float) -> dict[str, float]:
    tickets = [world.watched(1 + n) for n in range(TICKETS)]
    subscriptions = [{"ticket": f"Ticket_{tickets[n // len(processes) % TICKETS]}"} for n in range(WATCHERS)]
    ports = [each.port for each in processes]
    with (
        closing(Watchers(ports, WATCH, subscriptions, tokens_of_members(world))) as crowd,
        closing(Poster(CASEWIRE, processes[0], world)) as poster,
        closing(PostgresLogWriter(url) if url.startswith("postgres") else LogWriter(path_of(url))) as writer,
    ):
        for ticket in tickets:  # what the first event of all costs is not what the others cost
            poster.publish([ticket], writer)
        expect(crowd, WATCHERS)
        crowd.reset()
        posted, began = 0, time.monotonic()
        while time.monotonic() - began < seconds:
            poster.publish([tickets[posted % TICKETS]], writer)
            posted += 1
            time.sleep(max(0.0, began + posted / EVENTS_A_SECOND - time.monotonic()))
        expected = sum(
            subscription["ticket"] == f"Ticket_{tickets[n % TICKETS]}"
            for n in range(posted)
            for subscription in subscriptions
        )
        expect(crowd, expected)
        report = crowd.report()
    if (report.deliveries, report.closed, report.resets) != (expected, 0, 0):
        raise AssertionError(f"{expected} deliveries expected: {report}")
    return {"p50_ms": report.p50_ms, "p99_ms": report.p99_ms, "rate": posted / seconds}


def expect(crowd: Watchers, deliveries: int) -> None:
    if not crowd.wait_for(deliveries, timeout=LAST_DELIVERY_SECONDS):
        raise AssertionError(f"{crowd.delivered} deliveries, {deliveries} expected")


def measure_catch_up(world: World, *, watchers: int, say: Callable[[str], None]) -> list[Record]:
    """Everybody at once, as after a restart, `BEHIND` events behind on the same ticket: one record."""
    ticket = world.watched(0)
    with TemporaryDirectory(dir=RESULTS) as folder, ExitStack() as stack:
        path = Path(folder) / "behind.db"
        shutil.copyfile(sqlite_database(world), path)
        with closing(LogWriter(str(path))) as writer:
            for _ in range(BEHIND // BATCH):
                writer.write([ticket] * BATCH, str(world.manager))
        process = casewire_process("casewire", f"sqlite://{path}")
        stack.callback(process.stop)
        process.wait_until_listening()
        after = str(Cursor(NO_EPOCH, 0))
        first = {"ticket": f"Ticket_{ticket}", "after": after}
        Watchers(process.port, RESUME, [first], tokens_of_members(world)).close()
        before, pages, used, began = (
            process.resident_bytes(),
            pages_of(process),
            process.cpu_seconds(),
            time.monotonic(),
        )
        crowd = Watchers(
            process.port,
            RESUME,
            [first] * watchers,
            tokens_of_members(world),
            at_a_time=watchers,
            patience=CATCH_UP_SECONDS,
        )
        stack.callback(crowd.close)
        took, deliveries = time.monotonic() - began, crowd.delivered
        if deliveries != watchers * BEHIND:
            raise AssertionError(f"{deliveries} deliveries, {watchers * BEHIND} expected")
        figures = {
            "seconds": took,
            "rate": deliveries / took,
            "cpu_us": 1e6 * (process.cpu_seconds() - used) / deliveries,
            "pages": pages_of(process) - pages,
            "grown_mb": (process.resident_bytes() - before) / 1024**2,
        }
        say(f"  {watchers} watchers have caught up with {BEHIND} events")
    return [Record("latency", f"{watchers} watchers, {BEHIND} events behind", CASEWIRE.name, 0, figures)]


def pages_of(process: Process) -> int:
    """Reads of the log for catching up, so far."""
    connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=30)
    with closing(connection):
        connection.request("GET", "/bench/stats")
        pages: int = json.loads(connection.getresponse().read())["pages"]
    return pages


def path_of(url: str) -> str:
    return url.removeprefix("sqlite://")
