"""`python -m bench`: measure, print, compare with the baseline. `--help` says the rest."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import baseline, peers, picture, postgres
from bench.data import RESULTS, postgres_database, sqlite_database
from bench.fanout import measure_fanout
from bench.goals import reached
from bench.latency import measure_catch_up, measure_latency
from bench.memory import measure_memory
from bench.mixed import measure_mixed
from bench.queries import measure_queries
from bench.records import Record
from bench.report import tables
from bench.scale import measure_scale
from bench.starting import measure_start
from bench.statements import count_statements
from bench.world import World

POSTGRES = "postgres://root@127.0.0.1:5432/casewire_bench"
KEPT = ("rounds", "seconds", "tickets", "large", "watchers", "events")
SUITES = ("queries", "postgres", "fanout", "latency", "memory", "mixed", "scale", "start")
README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- results: written by `python -m bench --save` -->", "<!-- end of results -->"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Casewire beside a floor and peers.")
    choices = [*SUITES, "peers"]
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"of {', '.join(choices)} (installs them); all suites")
    parser.add_argument("--quick", action="store_true", help="small and short: rough figures in about two minutes")
    parser.add_argument("--rounds", type=int, help="rounds of every suite (5; quick 2)")
    parser.add_argument("--seconds", type=float, help="of each measurement (2; quick 1)")
    parser.add_argument("--tickets", type=int, default=World.tickets, help="in the database (10,000)")
    parser.add_argument("--large", type=int, help="tickets of the large database of `scale` (1,000,000; quick 50,000)")
    parser.add_argument("--watchers", type=int, help="of fan-out and memory (1,000; quick 100)")
    parser.add_argument("--events", type=int, help="on the subscription whose growth is measured (50,000; quick 2,000)")
    parser.add_argument(
        "--servers", help="only these, comma-separated: casewire,unguarded,floor,mercurius,yoga,postgraphile"
    )
    parser.add_argument(
        "--postgres", default="postgres://root@127.0.0.1:5432/casewire_bench", help="dropped and filled"
    )
    parser.add_argument(
        "--save", action="store_true", help="make this run the baseline, the README's table and picture"
    )
    given = parser.parse_args()
    if unknown := set(given.what) - set(choices):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there is {', '.join(choices)}")
    for name, quick, full in (
        ("rounds", 2, 5),
        ("seconds", 1.0, 2.0),
        ("large", 50_000, 1_000_000),
        ("watchers", 100, 1_000),
        ("events", 2_000, 50_000),
    ):
        if getattr(given, name) is None:
            setattr(given, name, quick if given.quick else full)
    if given.watchers > given.tickets // 5 - 10:
        parser.error(f"{given.tickets} tickets are too few for {given.watchers} watchers of tickets of their own")
    return given


def measurements(given: argparse.Namespace) -> dict[str, Callable[[], list[Record]]]:
    world = World(tickets=given.tickets)
    names = tuple(given.servers.split(",")) if given.servers else None
    common: dict[str, Any] = {"rounds": given.rounds, "seconds": given.seconds, "say": say}
    on_file = lambda: f"sqlite://{sqlite_database(world)}"  # noqa: E731

    def on_postgres() -> list[Record]:
        if not postgres.answers(given.postgres):
            say("  left out: no PostgreSQL server answers")
            return []
        postgres_database(world, given.postgres)
        return measure_queries(world, given.postgres, names=names, suite="postgres", **common)

    return {
        "queries": lambda: measure_queries(world, on_file(), names=names, **common),
        "postgres": on_postgres,
        "fanout": lambda: measure_fanout(world, watchers=given.watchers, names=names, **common),
        "latency": lambda: [
            *measure_latency(world, given.postgres, **common),
            *measure_catch_up(world, watchers=given.watchers, say=say),
        ],
        "memory": lambda: measure_memory(world, watchers=given.watchers, events=given.events, say=say, names=names),
        "mixed": lambda: measure_mixed(world, watchers=min(200, given.watchers), names=names, **common),
        "scale": lambda: measure_scale(world, World(tickets=given.large), **common),
        "start": lambda: measure_start(world, rounds=given.rounds),
    }


def say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    given = arguments()
    RESULTS.mkdir(exist_ok=True)
    if "peers" in given.what:
        peers.install()
        given.what.remove("peers")
        if not given.what:
            return 0
    suites = [name for name in SUITES if name in given.what or not given.what]
    records: list[Record] = []
    failed = False
    for name in suites:
        began = time.monotonic()
        say(f"{name}:")
        try:
            records += measurements(given)[name]()
        except Exception as problem:  # one suite that fails must not lose the figures of the others
            failed = True
            say(f"  {name} failed: {type(problem).__name__}: {problem}")
        say(f"  {time.monotonic() - began:.0f} s")
    statements = counted(World(tickets=given.tickets)) if "queries" in suites else {}
    finish(given, records, statements)
    return 1 if failed else 0


def counted(world: World) -> dict[str, dict[int, int]]:
    return {name: {size: len(each) for size, each in sizes.items()} for name, sizes in count_statements(world).items()}


def finish(given: argparse.Namespace, records: list[Record], statements: dict[str, dict[int, int]]) -> None:
    text = "\n\n".join(tables(records, statements))
    say(f"\n{text}\n")
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    raw = {"options": vars(given), "machine": baseline.machine(), "records": [asdict(each) for each in records]}
    (RESULTS / f"run-{stamp}.json").write_text(json.dumps(raw, indent=1, default=str))
    moves = baseline.moved(records, statements)
    if not baseline.BASELINE.exists():
        say("There is no baseline to compare with: --save makes this run the first.")
    else:
        say("Moved against the baseline:" if moves else "Nothing moved against the baseline.")
    for line in moves:
        say(f"  {line}")
    if given.save:
        options = {
            name: getattr(given, name) for name in ("rounds", "seconds", "tickets", "large", "watchers", "events")
        }
        baseline.save(records, statements, options)
        machine = baseline.machine()
        caption = f"Casewire, {stamp[:10]}, {machine['cores']} cores, {machine['cpu']}"
        picture.draw(reached(records), caption)
        write_readme(f"{caption}. Options: {options}.\n\n{text}\n\n{versions(machine)}")
        say("Saved: baseline.json, table.svg, README.md.")


def versions(machine: dict[str, Any]) -> str:
    return "Versions: " + ", ".join(
        f"{name} {value}" for name, value in machine.items() if name not in ("cores", "cpu")
    )


def write_readme(text: str) -> None:
    before, _, rest = README.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


if __name__ == "__main__":
    sys.exit(main())
