"""What is aimed at, and how each figure is taken from the records of a run."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench.records import Ratio, Record, ratio

Take = Callable[[list[Record]], Ratio | None]


@dataclass(frozen=True)
class Goal:
    name: str
    must: float
    stretch: float | None
    take: Take
    more_is_better: bool = False

    def verdict(self, measured: Ratio) -> str:
        if self.stretch is not None and self._reaches(measured.median, self.stretch):
            return "stretch"
        return "must" if self._reaches(measured.median, self.must) else "missed"

    def _reaches(self, value: float, aim: float) -> bool:
        return value >= aim if self.more_is_better else value <= aim

    @property
    def sign(self) -> str:
        return "≥" if self.more_is_better else "≤"


def versus(suite: str, job: str, figure: str, base: str) -> Take:
    """Casewire ÷ another server at the same job."""
    return lambda records: ratio(records, suite, job, figure, "casewire", base)


def itself(suite: str, job: str, figure: str) -> Take:
    """Casewire's own figure, in its own unit."""

    def take(records: list[Record]) -> Ratio | None:
        found = [
            each.figures[figure] for each in records if (each.suite, each.job, each.server) == (suite, job, "casewire")
        ]
        return Ratio(median(found), min(found), max(found)) if found else None

    return take


def large_by_small(page: str) -> Take:
    """Casewire's page on the largest database ÷ the same page on the smallest."""

    def take(records: list[Record]) -> Ratio | None:
        sizes = sorted(
            {int(each.job.split()[2]) for each in records if each.suite == "scale" and each.job.startswith(page)}
        )
        if len(sizes) < 2:
            return None
        names = {f"{page}, {size} tickets": size for size in sizes}
        by_size = [
            Record("scale", page, str(names[each.job]), each.round, each.figures)
            for each in records
            if each.server == "casewire" and each.job in names
        ]
        return ratio(by_size, "scale", page, "cpu_ms", str(sizes[-1]), str(sizes[0]))

    return take


GOALS = [
    Goal("list: CPU ÷ floor", 1.25, 1.0, versus("queries", "list", "cpu_ms", "floor")),
    Goal("graph: CPU ÷ floor", 1.25, 1.0, versus("queries", "graph", "cpu_ms", "floor")),
    Goal("list: CPU ÷ mercurius-jit", 1.15, 0.9, versus("queries", "list", "cpu_ms", "mercurius")),
    Goal("graph: CPU ÷ mercurius-jit", 1.15, 0.9, versus("queries", "graph", "cpu_ms", "mercurius")),
    Goal("list on PostgreSQL: CPU ÷ PostGraphile", 0.5, 0.35, versus("postgres", "list", "cpu_ms", "postgraphile")),
    Goal("graph on PostgreSQL: CPU ÷ PostGraphile", 1.0, 0.7, versus("postgres", "graph", "cpu_ms", "postgraphile")),
    Goal("list: CPU, field guards on ÷ off", 1.10, 1.03, versus("queries", "list", "cpu_ms", "unguarded")),
    Goal("one ticket: deliveries/s ÷ yoga", 2.5, 3.5, versus("fanout", "one ticket", "rate", "yoga"), True),
    Goal("own tickets: deliveries/s ÷ yoga", 1.3, 2.0, versus("fanout", "own tickets", "rate", "yoga"), True),
    Goal("one ticket: CPU per delivery ÷ floor", 1.3, 0.85, versus("fanout", "one ticket", "cpu_us", "floor")),
    Goal("memory per idle subscriber, KB", 32, 25, itself("memory", "subscriber", "kb_per_watcher")),
    Goal("memory growth on one subscription, MB", 2, None, itself("memory", "subscriber", "growth_mb")),
    Goal("chat p99 beside lists ÷ mercurius-jit", 0.6, 0.3, versus("mixed", "chat", "p99_ms", "mercurius")),
    Goal("first page, many tickets ÷ few: CPU", 1.5, 1.1, large_by_small("first page")),
    Goal("middle page, many tickets ÷ few: CPU", 1.5, 1.1, large_by_small("middle page")),
    Goal("process start to first answer, s", 1.5, 0.8, itself("start", "first answer", "seconds")),
]


def reached(records: list[Record]) -> list[tuple[Goal, Ratio]]:
    """The goals that this run says something about."""
    found = [(goal, goal.take(records)) for goal in GOALS]
    return [(goal, measured) for goal, measured in found if measured is not None]
