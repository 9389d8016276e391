"""The tables of the bench can be made of every suite's records."""

from bench.records import Record
from bench.report import suite_rows

JOBS = ["SQLite, 3 processes", "1,000 watchers, 1000 events behind", "100 watchers, 1000 events behind", "list"]


def test_jobs_that_begin_with_a_number_and_with_a_word_stand_in_one_table() -> None:
    records = [Record("latency", job, "casewire", 0, {"p50_ms": 1.0}) for job in [*JOBS, "SQLite, 1 process"]]

    rows = [row[0].removesuffix(", casewire") for row in suite_rows(records, "latency")[1:]]

    assert rows == ["list", JOBS[2], JOBS[1], "SQLite, 1 process", "SQLite, 3 processes"]
