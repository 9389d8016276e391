"""What was measured before, and what has moved since."""

import json
import os
import platform
import sqlite3
from dataclasses import asdict
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench import peers
from bench.goals import reached
from bench.records import Record

BASELINE = Path(__file__).with_name("baseline.json")

NOISE = 0.15
"""Two runs of the same code differ by so much: less is not called a move."""

PACKAGES = "strawberry-graphql graphql-core starlette uvicorn tortoise-orm aiosqlite asyncpg orjson"


def machine() -> dict[str, Any]:
    """What the figures depend on besides the code."""

    cpu = (
        next((line for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "").partition(":")[2].strip()
    )
    packages = {name: version(name) for name in PACKAGES.split()}
    peer_versions = peers.versions() if peers.why_not() is None else {}
    return {
        "cores": os.cpu_count(),
        "cpu": cpu or platform.machine(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **packages,
        **peer_versions,
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def load() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(BASELINE.read_text()) if BASELINE.exists() else {"figures": {}, "statements": {}}
    return found


def save(records: list[Record], statements: dict[str, dict[int, int]], options: dict[str, Any]) -> None:
    """Keeps the figures of suites that this run left out."""
    baseline = load()
    for goal, measured in reached(records):
        baseline["figures"][goal.name] = {**asdict(measured), "measured": date.today().isoformat()}
    baseline["statements"].update({name: counts[max(counts)] for name, counts in statements.items()})
    baseline |= {"machine": machine(), "options": options}
    BASELINE.write_text(json.dumps(baseline, indent=2, ensure_ascii=False) + "\n")


def moved(records: list[Record], statements: dict[str, dict[int, int]]) -> list[str]:
    """A line for everything that is not what it was, beyond what two runs of the same code differ by."""
    before = load()
    lines = []
    for goal, measured in reached(records):
        old = before["figures"].get(goal.name, {}).get("median")
        if old is None or old <= 0 or measured.median <= 0:
            continue
        change = measured.median / old
        if not 1 / (1 + NOISE) <= change <= 1 + NOISE:
            better = (change > 1) == goal.more_is_better
            lines.append(
                f"{goal.name}: {old:.3g} → {measured.median:.3g} (× {change:.2f}, {'better' if better else 'WORSE'})"
            )
    for name, counts in statements.items():
        old, new = before["statements"].get(name), counts[max(counts)]
        if old is not None and old != new:
            lines.append(f"{name}: {old} → {new} statements ({'better' if new < old else 'WORSE'})")
    return lines
