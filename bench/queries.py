"""The two queries: processor time per request of every server, turn and turn about, on one database."""

import random
import urllib.request
from collections.abc import Callable
from typing import Any

import orjson

from bench import postgres
from bench.contestants import Contestant, able, running, token_for
from bench.documents import GRAPH, LIST, Query
from bench.load import Load, request_bytes
from bench.processes import Process
from bench.records import Record
from bench.world import World, key

CONNECTIONS = 8
WARM_UP_SECONDS = 1.5
"""For each server and query before the first round: just-in-time compilers and caches want to be fed."""


def queries_of(world: World) -> list[Query]:
    organization = f"Organization_{key('organization', 0)}"
    tickets = [{"id": f"Ticket_{key('ticket', n)}"} for n in (0, 5)]
    return [
        Query("list", LIST, world.manager, [{"organization": organization, "after": None}]),
        Query("graph", GRAPH, world.agent(0), tickets),
    ]


def answer(contestant: Contestant, process: Process, query: Query, variables: dict[str, Any]) -> Any:
    """The `data` of one answer.

    Raises:
        AssertionError: there are errors in it.
    """
    path, token = contestant.path(query.name), token_for(query.viewer)
    given = contestant.variables(query.name, variables)
    body = orjson.dumps({"query": contestant.document(query), "variables": given})
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"http://127.0.0.1:{process.port}{path}", body, headers)
    with urllib.request.urlopen(request, timeout=20) as response:
        found = orjson.loads(response.read())
    assert "errors" not in found, f"{process.name} answers {query.name} with {found['errors'][:2]}"
    return found["data"]


def check_alike(contestants: list[Contestant], processes: dict[str, Process], queries: list[Query]) -> None:
    """Every server gives the same JSON, to the order of the keys; and the second page is learnt from the first.

    Of those that answer in another form it is asked only that they show the same rows.

    Raises:
        AssertionError: two of them differ.
    """
    reference, *others = contestants
    for query in queries:
        if query.name == "list" and len(query.variables) == 1:
            first = answer(reference, processes[reference.name], query, query.variables[0])
            query.variables.append({**query.variables[0], "after": first["tickets"]["pageInfo"]["endCursor"]})
        for variables in query.variables:
            expected = answer(reference, processes[reference.name], query, variables)
            for each in others:
                given = answer(each, processes[each.name], query, variables)
                if each.answers_alike:
                    same = orjson.dumps(given) == orjson.dumps(expected)
                else:
                    same = rows_of(given) == rows_of(expected)
                assert same, f"{query.name}: {each.name} differs from {reference.name}\n" + difference(
                    orjson.dumps(given), orjson.dumps(expected)
                )


def rows_of(data: dict[str, Any]) -> list[Any]:
    """What tells the rows of an answer apart, in their order."""
    if "tickets" in data:
        return [each["reference"] for each in data["tickets"]["nodes"]]
    ticket = data["ticket"]
    messages = [each["body"] for each in ticket["messages"]["nodes"]]
    return [ticket["reference"], *messages, *[each["note"] for each in ticket["activeEscalation"]["timeline"]["nodes"]]]


def difference(given: bytes, reference: bytes) -> str:
    at = next((n for n, (a, b) in enumerate(zip(given, reference, strict=False)) if a != b), 0)
    around = slice(max(0, at - 80), at + 120)
    return f"{given[around]!r}\ninstead of\n{reference[around]!r}"


def measure_queries(
    world: World,
    url: str,
    *,
    rounds: int,
    seconds: float,
    say: Callable[[str], None],
    names: tuple[str, ...] | None = None,
    suite: str = "queries",
) -> list[Record]:
    """One record per server, query and round."""
    engine = "postgres" if url.startswith("postgres") else "sqlite"
    contestants, missing = able(engine, names=names)
    for reason in missing:
        say(f"  without {reason}")
    queries = queries_of(world)
    dice = random.Random()
    records = []
    with running(contestants, {each.name: url for each in contestants}) as processes:
        check_alike(contestants, processes, queries)
        alike = [each.name for each in contestants if each.answers_alike]
        say(f"  {', '.join(alike)} answer alike, to the byte")
        for query in queries:
            for each in contestants:
                measure_one(each, processes[each.name], query, url, WARM_UP_SECONDS)
        for turn in range(rounds):
            for query in queries:
                for each in dice.sample(contestants, len(contestants)):
                    record = measure_one(each, processes[each.name], query, url, seconds)
                    record.suite, record.round = suite, turn
                    records.append(record)
            say(f"  round {turn + 1} of {rounds}")
    return records


def measure_one(contestant: Contestant, process: Process, query: Query, url: str, seconds: float) -> Record:
    token = token_for(query.viewer)
    path = contestant.path(query.name)
    document = contestant.document(query)
    bodies = [
        request_bytes(path, {"query": document, "variables": contestant.variables(query.name, each)}, token)
        for each in query.variables
    ]
    helpers = postgres.backends(url)
    load = Load(process.port, bodies, connections=CONNECTIONS, seconds=seconds)
    try:
        load.begun()
        before = process.cpu_seconds() + helpers.cpu_seconds()
        report = load.report()
        used = process.cpu_seconds() + helpers.cpu_seconds() - before
    finally:
        load.close()
    process.check_alive()
    if not report.requests or report.failures:
        raise AssertionError(f"{process.name}: {report.failures} of {report.requests} answers to {query.name} failed")
    figures = {
        "cpu_ms": 1000 * used / report.requests,
        "rate": report.requests / report.seconds,
        "p50_ms": report.p50_ms,
        "p99_ms": report.p99_ms,
        "driver_core": report.cpu_seconds / report.seconds,
    }
    return Record(suite="queries", job=query.name, server=contestant.name, figures=figures)
