"""Fan-out: what a delivery costs, how many come in a second, and how soon.

Two shapes. `one ticket`: everybody watches the same ticket, and messages are posted to it through the API, first as
fast as they are delivered, then at a steady rate. `own tickets`: everybody watches a ticket of their own, so that
no two deliveries are the same; the messages are in the database already, and the server is told of many at once. What
is written while it is measured are the events of the log, by a thread that is ahead of the telling: storing messages
took 25 ms for a hundred, and nothing was delivered faster than that.
"""

import itertools
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from bench.contestants import Contestant, able, running, token_for
from bench.data import RESULTS, sqlite_database
from bench.documents import WATCH
from bench.posting import Ahead, LogWriter, Poster, log_writer
from bench.processes import Process
from bench.records import Record
from bench.watchers import Watchers, WatchReport
from bench.world import World

UNDER_WAY = 3
"""Messages, or batches of them, that are posted before the first of them has reached everybody."""
STEADY_DELIVERIES = 1_500
"""Per second, together, at the steady rate."""
TOO_FAR_BEHIND = 6
"""Messages of the steady rate that have not reached everybody."""
LAST_DELIVERY_SECONDS = 180.0
BATCH = 100


@contextmanager
def own_databases(world: World, contestants: list[Contestant]) -> Iterator[dict[str, Path]]:
    """A copy of the database for each, since they are written to."""
    source = sqlite_database(world)
    with TemporaryDirectory(dir=RESULTS) as folder:
        paths = {each.name: Path(folder) / f"{each.name}.db" for each in contestants}
        for path in paths.values():
            shutil.copyfile(source, path)
        yield paths


def tokens_of_members(world: World) -> list[str]:
    """Forty people but those who have left: watchers are not all the same person."""
    return [token_for(world.member(0, n)) for n in range(world.users_each) if n % 10 != 9]


def measure_fanout(
    world: World,
    *,
    watchers: int,
    rounds: int,
    seconds: float,
    say: Callable[[str], None],
    names: tuple[str, ...] | None = None,
) -> list[Record]:
    """One record per server, shape and round."""
    contestants, missing = able("sqlite", names=names)
    contestants = [each for each in contestants if each.fans_out]
    for reason in missing:
        say(f"  without {reason}")
    dice = random.Random()
    records = []
    with own_databases(world, contestants) as paths:
        urls = {name: f"sqlite://{path}" for name, path in paths.items()}
        with running(contestants, urls) as processes:
            for each in contestants:
                Fanout(each, processes[each.name], world, str(paths[each.name]), min(50, watchers), 1.0).warm_up()
            for turn in range(rounds):
                for each in dice.sample(contestants, len(contestants)):
                    bench = Fanout(each, processes[each.name], world, str(paths[each.name]), watchers, seconds)
                    records += bench.one_ticket(turn) + bench.own_tickets(turn)
                say(f"  round {turn + 1} of {rounds}")
    return records


class Fanout:
    """One server, with as many watchers in one shape after the other."""

    def __init__(
        self, contestant: Contestant, process: Process, world: World, path: str, watchers: int, seconds: float
    ) -> None:
        self._contestant, self._process, self._world, self._path = contestant, process, world, path
        self._watchers, self._seconds = watchers, seconds

    def warm_up(self) -> None:
        """Just-in-time compilers want to be fed before they are measured."""
        with self.watching_one_ticket() as (post, crowd):
            crowd.reset()
            self._flood(crowd, self._watchers, post)

    def one_ticket(self, turn: int) -> list[Record]:
        with self.watching_one_ticket() as (post, crowd):
            flood = self.measured(crowd, lambda: self._flood(crowd, self._watchers, post))
            calm = self.measured(crowd, lambda: self.steady(crowd, post))
        figures = {**flood, **{f"steady_{name}": value for name, value in calm.items()}}
        return [Record("fanout", "one ticket", self._contestant.name, turn, figures)]

    def own_tickets(self, turn: int) -> list[Record]:
        tickets = [self._world.watched(1 + n) for n in range(self._watchers)]
        batch = min(BATCH, self._watchers)
        parts = itertools.cycle([tickets[n : n + batch] for n in range(0, self._watchers - batch + 1, batch)])
        writer = log_writer(self._contestant, self._path)
        if writer:
            writer.prepare(tickets, str(self._world.manager))
        try:
            with self._watching([{"ticket": f"Ticket_{each}"} for each in tickets]) as (poster, crowd):
                flood = self.measured(crowd, lambda: self._batches(crowd, poster, parts, writer, batch))
        finally:
            if writer:
                writer.close()
        figures = {name: flood[name] for name in ("cpu_us", "rate", "driver_core")}  # prepared messages tell no time
        return [Record("fanout", "own tickets", self._contestant.name, turn, figures)]

    def _batches(
        self, crowd: Watchers, poster: Poster, parts: Iterator[list[UUID]], writer: LogWriter | None, each: int
    ) -> int:
        if writer is None:
            return self._flood(crowd, each, lambda: poster.publish(next(parts), None))
        ahead = Ahead(writer, parts)
        posted = self._flood(crowd, each, lambda: poster.ring(ahead.next()))
        for heads in ahead.stop():
            poster.ring(heads)
            posted += each
        self._await(crowd, posted)
        return posted

    @contextmanager
    def watching_one_ticket(self) -> Iterator[tuple[Callable[[], None], Watchers]]:
        """What posts a message to the ticket that everybody watches, and everybody."""
        ticket = self._world.watched(0)
        with self._watching([{"ticket": f"Ticket_{ticket}"}] * self._watchers) as (poster, crowd):
            yield lambda: poster.send(ticket), crowd

    @contextmanager
    def _watching(self, subscriptions: list[dict[str, str]]) -> Iterator[tuple[Poster, Watchers]]:
        with ExitStack() as stack:
            crowd = Watchers(self._process.port, WATCH, subscriptions, tokens_of_members(self._world))
            stack.callback(crowd.close)
            poster = Poster(self._contestant, self._process, self._world)
            stack.callback(poster.close)
            yield poster, crowd

    def measured(self, crowd: Watchers, work: Callable[[], int]) -> dict[str, float]:
        """Figures of what `work` makes happen; it returns how many deliveries there must have been."""
        crowd.reset()
        before, began = self._process.cpu_seconds(), time.monotonic()
        expected = work()
        used, took = self._process.cpu_seconds() - before, time.monotonic() - began
        report: WatchReport = crowd.report()
        self._process.check_alive()
        if (report.deliveries, report.closed, report.resets) != (expected, 0, 0):
            raise AssertionError(f"{self._contestant.name}: {expected} deliveries expected: {report}")
        return {
            "cpu_us": 1e6 * used / report.deliveries,
            "rate": report.deliveries / report.seconds,
            "p50_ms": report.p50_ms,
            "p99_ms": report.p99_ms,
            "driver_core": report.cpu_seconds / took,
        }

    def _flood(self, crowd: Watchers, each: int, post: Callable[[], None]) -> int:
        posted, began = 0, time.monotonic()
        while time.monotonic() - began < self._seconds:
            post()
            posted += 1
            self._await(crowd, (posted - UNDER_WAY + 1) * each)
        self._await(crowd, posted * each)
        return posted * each

    def steady(self, crowd: Watchers, post: Callable[[], None]) -> int:
        """Ends early when the server falls behind for good: the delays would only tell how long it was measured."""
        every = self._watchers / STEADY_DELIVERIES
        posted, began = 0, time.monotonic()
        while time.monotonic() - began < self._seconds and posted - crowd.delivered // self._watchers < TOO_FAR_BEHIND:
            post()
            posted += 1
            time.sleep(max(0.0, began + posted * every - time.monotonic()))
        self._await(crowd, posted * self._watchers)
        return posted * self._watchers

    def _await(self, crowd: Watchers, deliveries: int) -> None:
        if not crowd.wait_for(deliveries, timeout=LAST_DELIVERY_SECONDS):
            self._process.check_alive()
            raise AssertionError(f"{self._contestant.name}: {crowd.delivered} deliveries, {deliveries} expected")
