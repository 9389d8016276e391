"""How many SQL statements an operation takes, whatever the size of its page. Counted, not timed."""

import urllib.request

import orjson

from bench.contestants import LISTENED, start
from bench.data import sqlite_database
from bench.documents import Query
from bench.processes import Process
from bench.queries import answer, queries_of
from bench.world import World

SIZES = (5, 50)


def count_statements(world: World) -> dict[str, dict[int, list[str]]]:
    """By query, and by the number of rows asked for: the statements, with the second time it is asked."""
    process = start(LISTENED, f"sqlite://{sqlite_database(world)}")
    try:
        return {query.name: {size: heard(process, query, size) for size in SIZES} for query in queries_of(world)}
    finally:
        process.stop()


def heard(process: Process, query: Query, size: int) -> list[str]:
    document = query.document.replace("first: 50", f"first: {size}").replace("last: 50", f"last: {size}")
    sized = Query(query.name, document, query.viewer)
    for _ in range(2):
        statements_since(process)
        answer(LISTENED, process, sized, query.variables[0])
    return [" ".join(each.split()) for each in statements_since(process)]


def statements_since(process: Process) -> list[str]:
    """What was executed since this was asked last."""
    with urllib.request.urlopen(f"http://127.0.0.1:{process.port}/bench/statements", timeout=10) as response:
        found: list[str] = orjson.loads(response.read())
        return found


if __name__ == "__main__":
    for name, sizes in count_statements(World()).items():
        for text in sizes[SIZES[-1]]:
            print(f"{name}: {text}\n")
