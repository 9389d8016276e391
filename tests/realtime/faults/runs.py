"""Which run shows that a mutant is caught; the control; and how long runs are."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tests.realtime.faults import checks
from tests.realtime.faults.postgres import PostgresServer
from tests.realtime.faults.storm import POSTGRES_REDIS, SQLITE_ALONE, Weather, storm_over
from tests.realtime.faults.verdict import Verdict

SCALE = float(os.environ.get("CASEWIRE_FAULTS_SCALE", "1"))
"""Runs take so many times as long: 1 is for every commit, `make soak` says more."""

SECONDS = 8.0 * SCALE
"""Of a storm."""

Run = Callable[[Path, PostgresServer | None, str | None], Awaitable[Verdict]]


async def storm(
    weather: Weather, folder: Path, postgres: PostgresServer | None, mutant: str | None = None, seconds: float = SECONDS
) -> Verdict:
    async with storm_over(weather, folder, postgres=postgres, mutant=mutant) as blown:
        return await blown.blow(seconds)


def short_storm(weather: Weather, seconds: float = 3.0) -> Run:
    async def run(folder: Path, postgres: PostgresServer | None, mutant: str | None) -> Verdict:
        return await storm(weather, folder, postgres, mutant, seconds)

    return run


def check(one: Callable[..., Awaitable[Verdict]], engine: str = "sqlite") -> Run:
    async def run(folder: Path, postgres: PostgresServer | None, mutant: str | None) -> Verdict:
        return await one(folder, engine=engine, postgres=postgres, mutant=mutant)

    return run


SHORT = replace(SQLITE_ALONE, name="short storm", faults=("kill_server",), watchers=30, clock_jumps=False)
"""For mutants, that a few comings and goings show."""

TAKEN_BACK = replace(SHORT, faults=(), ways=(("http", 1), ("taken back", 1)))
"""Half of what is written is rolled back."""

SENT_AGAIN = replace(SHORT, faults=(), ways=(("http", 1), ("twice", 1), ("given up", 1)))


@dataclass(frozen=True)
class Trap:
    """A run that catches a mutant, by something that its verdict finds."""

    where: str
    run: Run
    finds: tuple[str, ...]


IN_A_STORM = ("deliveries lost", "deliveries doubled")

TRAPS = {
    "cursor_one_less": Trap("storm", short_storm(SHORT), ("deliveries doubled",)),
    "cursor_one_more": Trap("storm", short_storm(SHORT), ("deliveries lost",)),
    "cursor_ignored": Trap("storm", short_storm(SHORT), ("deliveries lost",)),
    "epoch_ignored": Trap("restored backup", check(checks.restored_backup), ("watchers that were not told",)),
    "floor_ignored": Trap("kept too short", check(checks.kept_too_short), ("watchers that were not told",)),
    "gap_ignored": Trap("overtaken follower", check(checks.overtaken), ("watchers that were not told",)),
    "live_not_joined": Trap("storm", short_storm(SHORT), ("deliveries lost",)),
    "group_joined_anywhere": Trap("storm", short_storm(SHORT), IN_A_STORM),
    "never_looks": Trap("quiet topic", check(checks.quiet_topic), ("deliveries lost",)),
    "doorbell_trusted": Trap("storm", short_storm(SHORT), (*IN_A_STORM, "resets")),
    "numbers_apart": Trap(
        "storm on PostgreSQL",
        short_storm(replace(TAKEN_BACK, engine="postgres", doorbell="dead")),
        ("holes in the log",),
    ),
    "announced_on_rollback": Trap("storm", short_storm(TAKEN_BACK), ("events without a message",)),
    "announced_apart": Trap(
        "storm", short_storm(SENT_AGAIN), ("messages without their events", "events not in the order of commits")
    ),
    "key_forgotten": Trap("storm", short_storm(SENT_AGAIN), ("messages doubled",)),
    "rung_before_commit": Trap("storm", short_storm(SHORT), ()),
}

STOCK_CALM = replace(POSTGRES_REDIS, name="stock, nothing breaks", faults=(), noisy=False, clock_jumps=False)
STOCK_STORM = replace(POSTGRES_REDIS, name="stock, with faults", noisy=False, clock_jumps=False)
