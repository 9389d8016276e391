"""The tables of a run, as Markdown that can be read in a terminal too."""

from collections.abc import Iterator

from bench.goals import Goal, reached
from bench.records import Ratio, Record, ratio, typical

Rows = list[list[str]]

FIGURES = {
    "cpu_ms": "CPU ms",
    "cpu_us": "CPU µs",
    "rate": "per s",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "steady_p50_ms": "steady p50 ms",
    "steady_p99_ms": "steady p99 ms",
    "alone_p99_ms": "alone p99 ms",
    "lists_rate": "lists per s",
    "pages": "pages read",
    "grown_mb": "grown MB",
    "kb_per_watcher": "KB each",
    "growth_mb": "growth MB",
    "seconds": "s",
    "cpu_seconds": "CPU s",
    "driver_core": "driver, cores",
}
LEADING = {"queries": "cpu_ms", "postgres": "cpu_ms", "fanout": "cpu_us", "scale": "cpu_ms", "mixed": "p99_ms"}
SERVERS = ("casewire", "unguarded", "floor", "mercurius", "yoga", "postgraphile")
BASES = ("floor", "mercurius", "yoga", "postgraphile")
VERDICTS = {"stretch": "reached, stretch too", "must": "reached", "missed": "**missed**"}


def markdown(rows: Rows) -> str:
    """The first row is the head; all columns but the first are figures."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    rule = ["-" * widths[0], *["-" * (width - 1) + ":" for width in widths[1:]]]
    lines = [
        "| "
        + " | ".join(
            cell.ljust(width) if n == 0 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        + " |"
        for row in [rows[0], rule, *rows[1:]]
    ]
    return "\n".join(lines)


def goal_rows(measured: list[tuple[Goal, Ratio]]) -> Rows:
    rows = [["goal", "must", "stretch", "measured (rounds)", ""]]
    for goal, value in measured:
        stretch = f"{goal.sign} {goal.stretch:g}" if goal.stretch is not None else ""
        rows.append([goal.name, f"{goal.sign} {goal.must:g}", stretch, str(value), VERDICTS[goal.verdict(value)]])
    return rows


def suite_rows(records: list[Record], suite: str) -> Rows:
    """Every server at every job, with medians over the rounds, and the leading figure ÷ each of the bases."""
    here = [each for each in records if each.suite == suite]
    figures = [name for name in FIGURES if any(name in each.figures for each in here)]
    lead = LEADING.get(suite)
    bases = [base for base in BASES if lead and any(each.server == base for each in here)]
    rows = [
        ["job, server", *[FIGURES[name] for name in figures], *[f"{FIGURES[str(lead)]} ÷ {base}" for base in bases]]
    ]
    for job in sorted({each.job for each in here}, key=in_order):
        for server in [name for name in SERVERS if any((each.job, each.server) == (job, name) for each in here)]:
            values = [typical(records, suite, job, name, server) for name in figures]
            ratios = [ratio(records, suite, job, str(lead), server, base) for base in bases]
            rows.append([f"{job}, {server}", *map(number, values), *[str(each) if each else "" for each in ratios]])
    return rows


def in_order(job: str) -> tuple[bool, list[tuple[bool, int, str]]]:
    """The list before the graph; numbers before words, by their size."""
    return job != "list", [
        (False, int(word), "") if word.isdecimal() else (True, 0, word) for word in job.replace(",", "").split()
    ]


def number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def tables(records: list[Record], statements: dict[str, dict[int, int]]) -> Iterator[str]:
    """Title and table, one after the other, in the order to be read in."""
    measured = reached(records)
    if measured:
        yield "### Goals"
        yield markdown(goal_rows(measured))
    if statements:
        yield "### SQL statements of an operation, by size of its page"
        sizes = sorted(next(iter(statements.values())))
        head = ["query", *[f"{size} rows" for size in sizes]]
        yield markdown([head, *[[name, *[str(counts[size]) for size in sizes]] for name, counts in statements.items()]])
    for suite in dict.fromkeys(each.suite for each in records):
        yield f"### {suite}"
        yield markdown(suite_rows(records, suite))
