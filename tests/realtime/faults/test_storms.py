"""Nothing lost, doubled or reordered, whatever dies: real processes, real sockets, faults on purpose.

Two processes write, one to three serve, fifty watchers come and go at random, most without a word, and resume by their
cursors. `CASEWIRE_FAULTS_SCALE=20` makes the storms twenty times as long; docs/realtime.md says what else there is.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.databases import ENGINES
from tests.realtime.faults import checks
from tests.realtime.faults.herd import herd, stalled
from tests.realtime.faults.postgres import PostgresServer
from tests.realtime.faults.runs import SCALE, STOCK_CALM, storm
from tests.realtime.faults.storm import (
    POSTGRES_ALONE,
    POSTGRES_DEAF,
    POSTGRES_REDIS,
    SQLITE_ALONE,
    SQLITE_SEVERAL,
    Weather,
)

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180 + 30 * SCALE)]


@dataclass(frozen=True)
class Place:
    engine: str
    postgres: PostgresServer | None


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest) -> Place:
    return Place(request.param, request.getfixturevalue("own_postgres") if request.param == "postgres" else None)


ON_POSTGRES = [
    pytest.param(POSTGRES_REDIS, marks=[pytest.mark.postgres, pytest.mark.redis], id="postgres-redis"),
    pytest.param(POSTGRES_ALONE, marks=pytest.mark.postgres, id="postgres-alone"),
    pytest.param(POSTGRES_DEAF, marks=pytest.mark.postgres, id="postgres-doorbell-dead"),
]
ON_SQLITE = [pytest.param(SQLITE_ALONE, id="sqlite-alone"), pytest.param(SQLITE_SEVERAL, id="sqlite-several")]


@pytest.mark.parametrize("weather", ON_SQLITE)
async def test_a_storm_over_sqlite_loses_doubles_and_reorders_nothing(  # J1 J2 J6
    weather: Weather, tmp_path: Path
) -> None:
    verdict = await storm(weather, tmp_path, None)

    assert (verdict.wrong, verdict.got) == ({}, verdict.expected), str(verdict)
    assert enough(verdict.events, verdict.connections), str(verdict)


@pytest.mark.parametrize("weather", ON_POSTGRES)
async def test_a_storm_over_postgresql_loses_doubles_and_reorders_nothing(  # J1 J2 J6
    weather: Weather, tmp_path: Path, own_postgres: PostgresServer
) -> None:
    verdict = await storm(weather, tmp_path, own_postgres)

    assert (verdict.wrong, verdict.got) == ({}, verdict.expected), str(verdict)
    assert enough(verdict.events, verdict.connections), str(verdict)


@pytest.mark.postgres
@pytest.mark.redis
async def test_the_ordinary_way_does_not_weather_even_a_calm(tmp_path: Path, own_postgres: PostgresServer) -> None:
    """The control: a subscription to a channel, a publication after the commit, and not one fault."""
    verdict = await storm(STOCK_CALM, tmp_path, own_postgres, "stock", seconds=5)

    assert verdict.wrong.keys() & {"deliveries lost"} == {"deliveries lost"}, str(verdict)
    assert verdict.got > 0, str(verdict)


async def test_what_nobody_rang_for_comes_all_the_same(place: Place, tmp_path: Path) -> None:
    verdict = await checks.quiet_topic(tmp_path, engine=place.engine, postgres=place.postgres)

    assert (verdict.wrong, verdict.got) == ({}, verdict.expected), str(verdict)


async def test_a_restored_backup_is_owned_up_to(tmp_path: Path) -> None:
    verdict = await checks.restored_backup(tmp_path)

    assert verdict.wrong == {}, str(verdict)


async def test_events_that_are_no_longer_kept_are_owned_up_to(place: Place, tmp_path: Path) -> None:
    verdict = await checks.kept_too_short(tmp_path, engine=place.engine, postgres=place.postgres)

    assert verdict.wrong == {}, str(verdict)


async def test_a_follower_that_the_compaction_overtakes_is_told(tmp_path: Path) -> None:
    verdict = await checks.overtaken(tmp_path)

    assert verdict.wrong == {}, str(verdict)


async def test_a_herd_that_comes_back_reads_the_log_together(tmp_path: Path) -> None:  # I7 I10
    seen = await herd(tmp_path, watchers=int(80 * SCALE**0.5), behind=300)

    assert (seen.verdict.wrong, seen.verdict.got) == ({}, seen.verdict.expected), str(seen)
    assert seen.pages <= seen.alone / 10, str(seen)
    assert seen.memory <= seen.watchers * 100_000 + 10e6, str(seen)


async def test_those_who_read_nothing_hold_no_memory_and_are_told_that_they_are_too_slow(tmp_path: Path) -> None:  # I7
    seen = await stalled(tmp_path, clients=20, events=1_000, max_lag=300)

    assert seen.lively.wrong == {}, str(seen)
    assert seen.resets == ["SLOW_CONSUMER"] * 20, str(seen)
    assert seen.memory < 20 * 1_000 * 1_000 / 2, str(seen)


def enough(events: int, connections: int) -> bool:
    """Whether there was a storm at all."""
    return events >= 30 and connections >= 100
