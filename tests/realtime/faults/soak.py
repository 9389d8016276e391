"""`make soak`: long storms over every combination, the control, and all mutants; prints what came of each as a table.

`python -m tests.realtime.faults.soak --minutes 10` · `… --only "PostgreSQL + Redis"` · `… --mutants` ·
`… --herd 1000 1000`. It ends with 1 where something was found, or where a mutant was not.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from tests.realtime.faults.herd import herd
from tests.realtime.faults.mutants import MUTANTS
from tests.realtime.faults.postgres import PostgresServer, postgres_server
from tests.realtime.faults.runs import STOCK_CALM, STOCK_STORM, TRAPS, storm
from tests.realtime.faults.storm import ALL
from tests.realtime.faults.verdict import Verdict

CONTROL_SECONDS = 20.0


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.realtime.faults.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="of each combination (10)")
    parser.add_argument("--only", default="", help="combinations whose name contains this")
    parser.add_argument("--mutants", nargs="*", help="these mutants, or all, instead of storms")
    parser.add_argument("--herd", nargs=2, type=int, metavar=("WATCHERS", "BEHIND"), help="a herd instead of storms")
    return parser.parse_args()


async def timed(run: Awaitable[Any]) -> tuple[Any, float]:
    began = time.monotonic()
    return await run, time.monotonic() - began


async def storms(given: argparse.Namespace, postgres: PostgresServer) -> bool:
    """Whether all is well: nothing is wrong in a storm, and the control is."""
    well = True
    plan = [(weather, None, 60 * given.minutes) for weather in ALL]
    plan += [(weather, "stock", CONTROL_SECONDS) for weather in (STOCK_CALM, STOCK_STORM)]
    for weather, mutant, seconds in plan:
        if given.only in weather.name:
            with tempfile.TemporaryDirectory() as folder:
                verdict, took = await timed(storm(weather, Path(folder), postgres, mutant, seconds))
            say(f"{weather.name} ({took:.0f} s): {verdict}")
            well &= bool(verdict.wrong) == (mutant is not None)
    return well


async def bitten(names: list[str], postgres: PostgresServer) -> bool:
    """Whether every mutant was caught, and no harmless one."""
    well = True
    say("| what is broken | caught by | what was found |\n|---|---|---|")
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            verdict: Verdict = await TRAPS[name].run(Path(folder), postgres, name)
        found = ", ".join(f"{what}: {number}" for what, number in verdict.wrong.items()) or "nothing"
        say(f"| {MUTANTS[name].says} (`{name}`) | {TRAPS[name].where} | {found} |")
        well &= not verdict.wrong if MUTANTS[name].harmless else bool(verdict.wrong.keys() & set(TRAPS[name].finds))
    return well


async def main() -> int:
    given = arguments()
    if given.herd:
        with tempfile.TemporaryDirectory() as folder:
            seen = await herd(Path(folder), watchers=given.herd[0], behind=given.herd[1])
        say(str(seen))
        return 1 if seen.verdict.wrong else 0
    async with postgres_server() as postgres:
        if given.mutants is not None:
            return 0 if await bitten(given.mutants or list(TRAPS), postgres) else 1
        return 0 if await storms(given, postgres) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
