"""What it costs that all writers lock the row of one stream just before their commit: `python -m bench.locking URL`.

Messages are written by the product's own function, on different tickets, by several processes at once. Then again with
events of the list `desk` left out, which everybody writes to, and with those of all lists left out. URL is a database
of PostgreSQL whose name begins with `casewire_bench`: it is made anew. A server that waits for its disk (`fsync`) holds
the rows for as long; compare one that does with one that does not.
"""

import argparse
import asyncio
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from bench.data import postgres_database
from bench.postgres import backends
from bench.world import World
from models.database import open_database, reader
from realtime.hub import Hub
from realtime.log import Draft
from resolvers import transaction
from resolvers.context import Context, Services
from resolvers.list_events import list_drafts
from resolvers.list_topics import DESK
from resolvers.messages import send_message
from resolvers.viewers import load_viewer

WORLD = World(tickets=2_000)
SETTLES = 0.5
SAMPLE = 0.02

Drafts = list[Draft]


async def without_desk(drafts: Iterable[Draft], before: Mapping[UUID, Any]) -> Drafts:
    return [each for each in await list_drafts(drafts, before) if each.topic != DESK]


async def without_lists(drafts: Iterable[Draft], before: Mapping[UUID, Any]) -> Drafts:
    return []


WAYS: dict[str, Callable[..., Any]] = {
    "as it is": list_drafts,
    "without `desk`": without_desk,
    "without any list": without_lists,
}


def write(url: str, way: str, place: int, tickets: list[UUID], until: float, answers: Any) -> None:
    asyncio.run(_write(url, way, place, tickets, until, answers))


async def _write(url: str, way: str, place: int, tickets: list[UUID], until: float, answers: Any) -> None:
    transaction.list_drafts = WAYS[way]  # type: ignore[attr-defined]
    async with open_database(url):
        services = Services(hub=Hub(reader))
        viewer = await load_viewer(WORLD.agent(place))
        assert viewer is not None, "the bench has agents"
        context = partial(Context, viewer, services)
        took: list[float] = []
        await asyncio.gather(*(_keep_writing(context, ticket, 0.0) for ticket in tickets))
        began = resource.getrusage(resource.RUSAGE_SELF)
        for each in await asyncio.gather(*(_keep_writing(context, ticket, until) for ticket in tickets)):
            took += each
        ended = resource.getrusage(resource.RUSAGE_SELF)
        answers.put((took, ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime))


async def _keep_writing(context: Callable[[], Context], ticket: UUID, until: float) -> list[float]:
    """Seconds that each message took; at least one is written."""
    took: list[float] = []
    while not took or time.time() < until:
        began = time.perf_counter()
        await send_message(context(), ticket, body="Still the same.", client_message_id=str(uuid7()))
        took.append(time.perf_counter() - began)
    return took


async def _waiting(url: str, until: float) -> float:
    """How many sessions wait for a lock, on an average."""
    server, _, name = url.rpartition("/")
    connection = await asyncpg.connect(f"{server}/postgres")
    seen: list[int] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, until - time.time())):
            while True:
                seen.append(
                    await connection.fetchval(
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'", name
                    )
                )
                await asyncio.sleep(SAMPLE)
    await connection.close()
    return statistics.fmean(seen)


def measure(url: str, way: str, processes: int, tasks: int, seconds: float) -> dict[str, float]:
    tickets = asyncio.run(_open_tickets(url, processes * tasks))
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.Queue()
    until = time.time() + seconds + 6.0  # until all have started, which takes its time
    writers = [
        spawn.Process(target=write, args=(url, way, place, tickets[place::processes], until, answers))
        for place in range(processes)
    ]
    for each in writers:
        each.start()
    time.sleep(6.0)
    before, began = backends(url).cpu_seconds(), time.time()
    heads = asyncio.run(_count(url))
    waiting = asyncio.run(_waiting(url, until - SETTLES))
    commits, took = asyncio.run(_count(url)) - heads, time.time() - began
    database = backends(url).cpu_seconds() - before
    found = [answers.get(timeout=60) for _ in writers]
    for each in writers:
        each.join()
    latencies = sorted(each for one, _ in found for each in one)
    return {
        "commits/s": commits / took,
        "p50 ms": 1e3 * latencies[len(latencies) // 2],
        "p99 ms": 1e3 * latencies[int(len(latencies) * 0.99)],
        "waiting for a lock": waiting,
        "server CPU ms a commit": 1e3 * sum(cpu for _, cpu in found) / len(latencies),
        "database CPU ms a commit": 1e3 * database / max(1, commits),
    }


async def _open_tickets(url: str, number: int) -> list[UUID]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT id FROM ticket WHERE status = 'OPEN' ORDER BY number LIMIT $1", number)
    finally:
        await connection.close()
    return [UUID(str(row["id"])) for row in rows]


async def _count(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM message"))
    finally:
        await connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.locking", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--tasks", type=int, default=4, help="writers in each process (4)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement (5)")
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    postgres_database(WORLD, given.url)
    rows: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(given.rounds):
        for way, found in rows.items():
            found.append(measure(given.url, way, given.processes, given.tasks, given.seconds))
    names = list(rows["as it is"][0])
    print("| " + " | ".join(["", *names]) + " |\n" + "|---" * (len(names) + 1) + "|")
    for way, found in rows.items():
        print(
            f"| {way} | " + " | ".join(f"{statistics.fmean(each[name] for each in found):.2f}" for name in names) + " |"
        )


if __name__ == "__main__":
    main()
