"""What a run has shown: counts, and every way in which it was not what it has to be."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.realtime.faults.desk import Desk, Logged
from tests.realtime.faults.watching import Counts, Told, Watcher
from tests.realtime.faults.writing import Written


@dataclass
class Verdict:
    """`wrong` is empty when all is well: what went wrong, and how often."""

    events: int = 0
    expected: int = 0
    got: int = 0
    connections: int = 0
    acknowledged: int = 0
    details: dict[str, Any] = field(default_factory=dict)
    wrong: Counter[str] = field(default_factory=Counter)

    def find(self, what: str, how_often: int) -> None:
        if how_often:
            self.wrong[what] += how_often

    def __str__(self) -> str:
        figures = (
            f"{self.events} events, deliveries {self.expected} expected = {self.got} got"
            if self.expected == self.got
            else f"{self.events} events, deliveries {self.expected} expected ≠ {self.got} got"
        )
        wrong = ", ".join(f"{name} {number}" for name, number in self.wrong.items()) or "nothing wrong"
        more = ", ".join(f"{name} {value}" for name, value in self.details.items())
        return f"{figures}, {self.connections} connections, {self.acknowledged} writes answered; {wrong}; {more}"


async def verdict_on(desk: Desk, watchers: list[Watcher], counts: Counts, written: Written) -> Verdict:
    positions = await desk.positions()  # first: some streams are written to by what servers do by themselves
    log = await desk.read_log()
    found = Verdict(
        events=sum(len(events) for events in log.values()),
        connections=counts.connections,
        acknowledged=len(written.acknowledged),
    )
    check_log(found, positions, log)
    await check_writes(found, desk, log, written)
    check_watchers(found, watchers, log)
    delays = sorted(counts.delays)
    found.details |= {
        "p50_ms": round(delays[len(delays) // 2] / 1e6) if delays else None,
        "p99_ms": round(delays[int(len(delays) * 0.99)] / 1e6) if delays else None,
        "refused_connections": counts.refused,
        "ended": dict(counts.ended),
        "ways": written.ways,
    }
    return found


def check_log(found: Verdict, positions: dict[str, tuple[int, int]], log: dict[str, list[Logged]]) -> None:
    """I1: the numbers of a topic are exactly floor + 1 … head. I3: they are in the order of the commits."""
    for topic, (head, floor) in positions.items():
        numbers = [event.seq for event in log.get(topic, []) if event.seq <= head]
        if numbers != list(range(floor + 1, head + 1)):
            found.find("holes in the log", len(set(range(floor + 1, head + 1)) ^ set(numbers)) or 1)
            found.details.setdefault("topics with holes", []).append(topic)
    for events in log.values():
        items = [event.sequence for event in events if event.sequence is not None]
        found.find("events not in the order of commits", sum(a > b for a, b in pairwise(items)))


async def check_writes(found: Verdict, desk: Desk, log: dict[str, list[Logged]], written: Written) -> None:
    """I2: rows and events come together. I9: one message, and one event a stream, for every key."""
    stored = await desk.bodies()
    texts = Counter(body for _, body, _ in stored)
    found.find("messages doubled", sum(number - 1 for number in texts.values()))
    found.find("answered writes that are not stored", len(written.acknowledged - texts.keys()))
    found.find("writes taken back that are stored", len(written.taken_back & texts.keys()))
    found.find("writes refused", len(written.refused))
    if written.refused:
        found.details["refusals"] = dict(Counter(written.refused).most_common(5))
    announced = {topic: Counter(event.body for event in events if event.body) for topic, events in log.items()}
    for ticket, body, public in stored:
        staff, customers = (announced[topic] for topic in (f"ticket:{ticket}", f"ticket:{ticket}:pub"))
        found.find("messages without their events", (staff[body] == 0) + (public and customers[body] == 0))
        found.find("events of what customers may not see", not public and customers[body])
    for events in log.values():
        found.find("events without a message", sum(e.kind == "message.added" and e.body is None for e in events))
    for topic in desk.topics:
        found.find("events doubled", sum(number - 1 for number in announced[topic].values()))


def check_watchers(found: Verdict, watchers: list[Watcher], log: dict[str, list[Logged]]) -> None:
    """I4: exactly the events of the log, once, in order."""
    for watcher in watchers:
        expected = watcher.expected(log)
        found.expected += len(expected)
        found.got += len(watcher.told)
        if watcher.told != expected:
            _say_how(found, watcher.told, expected)
        found.find("resets", len(watcher.resets))


def _say_how(found: Verdict, told: list[Told], expected: list[Told]) -> None:
    times = Counter(told)
    wanted = set(expected)
    found.find("deliveries lost", len(wanted - times.keys()))
    found.find("deliveries doubled", sum(number - 1 for number in times.values()))
    found.find("deliveries of no event", len(times.keys() - wanted))
    found.find("deliveries out of order", sum(a.seq >= b.seq for a, b in pairwise(told)))
