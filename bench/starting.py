"""From the start of the process to its first answer to a real query."""

import time

from bench.contestants import CASEWIRE, FLOOR, start
from bench.data import sqlite_database
from bench.queries import answer, queries_of
from bench.records import Record
from bench.world import World


def measure_start(world: World, *, rounds: int) -> list[Record]:
    """One record per server and round; the files are in the page cache from the second round on."""
    url = f"sqlite://{sqlite_database(world)}"
    listing = queries_of(world)[0]
    records = []
    for turn in range(rounds):
        for each in (CASEWIRE, FLOOR):
            began = time.monotonic()
            process = start(each, url)
            try:
                answer(each, process, listing, listing.variables[0])
                figures = {"seconds": time.monotonic() - began, "cpu_seconds": process.cpu_seconds()}
            finally:
                process.stop()
            records.append(Record("start", "first answer", each.name, turn, figures))
    return records
