"""What a page costs when there are a hundred times as many tickets: the first page, and one from the middle."""

import random
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench.contestants import CASEWIRE, FLOOR, start
from bench.data import sqlite_database
from bench.documents import Query
from bench.queries import measure_one, queries_of
from bench.records import Record
from bench.servers.floor_queries import cursor
from bench.world import World, key

MIDDLE = """
    SELECT id, last_activity_at FROM ticket WHERE organization_id = ? ORDER BY last_activity_at DESC, id DESC
    LIMIT 1 OFFSET (SELECT count(*) / 2 FROM ticket WHERE organization_id = ?)"""


def measure_scale(
    small: World, large: World, *, rounds: int, seconds: float, say: Callable[[str], None]
) -> list[Record]:
    """One record per server, size, page and round; the job names size and page."""
    dice = random.Random()
    records = []
    with ExitStack() as stack:
        cells = []
        for world in (small, large):
            say(f"  {world.tickets} tickets")
            path = sqlite_database(world)
            for each in (CASEWIRE, FLOOR):
                process = start(each, f"sqlite://{path}")
                stack.callback(process.stop)
                cells += [(world, each, process, name, query) for name, query in pages(world, path)]
        for turn in range(rounds):
            for world, each, process, name, query in dice.sample(cells, len(cells)):
                record = measure_one(each, process, query, "sqlite://", seconds)
                record.suite, record.round = "scale", turn
                record.job, record.server = f"{name}, {world.tickets} tickets", each.name
                records.append(record)
            say(f"  round {turn + 1} of {rounds}")
    return records


def pages(world: World, path: Path) -> list[tuple[str, Query]]:
    listing = queries_of(world)[0]
    first = listing.variables[0]
    organization = str(key("organization", 0))
    connection = sqlite3.connect(path)
    ((row_id, active),) = connection.execute(MIDDLE, (organization, organization)).fetchall()
    connection.close()
    middle = cursor("tickets by activity:desc", active, row_id)
    return [
        ("first page", Query("list", listing.document, listing.viewer, [first])),
        ("middle page", Query("list", listing.document, listing.viewer, [{**first, "after": middle}])),
    ]
