"""What was measured, and what is made of it: ratios within a round, and their medians."""

from dataclasses import dataclass, field
from statistics import median


@dataclass
class Record:
    """Figures of one server at one job in one round."""

    suite: str
    job: str
    server: str
    round: int = 0
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Ratio:
    """One server ÷ another at one job: the median over the rounds, and the lowest and highest round."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3g} ({self.low:.3g}–{self.high:.3g})"


def ratio(records: list[Record], suite: str, job: str, figure: str, server: str, base: str) -> Ratio | None:
    """None unless both were measured in at least one round."""
    by_round: dict[int, dict[str, float]] = {}
    for each in records:
        if (each.suite, each.job) == (suite, job) and figure in each.figures:
            by_round.setdefault(each.round, {})[each.server] = each.figures[figure]
    found = [
        figures[server] / figures[base]
        for figures in by_round.values()
        if server in figures and figures.get(base, 0) > 0
    ]
    return Ratio(median(found), min(found), max(found)) if found else None


def typical(records: list[Record], suite: str, job: str, figure: str, server: str) -> float | None:
    """The median over the rounds."""
    found = [
        each.figures[figure]
        for each in records
        if (each.suite, each.job, each.server) == (suite, job, server) and figure in each.figures
    ]
    return median(found) if found else None
