"""Memory: what an idle subscriber holds, and whether a subscription that lives long grows."""

import time
from collections.abc import Callable

from bench.contestants import Contestant, able, start, token_for
from bench.documents import WATCH
from bench.fanout import LAST_DELIVERY_SECONDS, own_databases, tokens_of_members
from bench.posting import Poster, log_writer
from bench.processes import Process
from bench.records import Record
from bench.watchers import Watchers
from bench.world import World

WARM_UP_WATCHERS = 20
BATCH, BATCHES_UNDER_WAY = 100, 3
SETTLING_SECONDS = 1.0
"""For garbage to be collected and memory to be handed out; nothing is waited for that would be an event."""


def measure_memory(
    world: World,
    *,
    watchers: int,
    events: int,
    say: Callable[[str], None],
    names: tuple[str, ...] | None = None,
) -> list[Record]:
    """One record per server, each from a fresh process."""
    contestants, missing = able("sqlite", names=names)
    contestants = [each for each in contestants if each.fans_out]
    for reason in missing:
        say(f"  without {reason}")
    records = []
    with own_databases(world, contestants) as paths:
        for each in contestants:
            path = str(paths[each.name])
            process = start(each, f"sqlite://{path}")
            try:
                figures = {
                    "kb_per_watcher": _per_watcher(process, world, watchers) / 1024,
                    "growth_mb": _growth(each, process, world, path, events) / 1024**2,
                }
            finally:
                process.stop()
            records.append(Record("memory", "subscriber", each.name, 0, figures))
            say(f"  {each.name}")
    return records


def _per_watcher(process: Process, world: World, count: int) -> float:
    """Bytes that each of `count` idle watchers of one ticket adds to the resident memory."""
    ticket = {"ticket": f"Ticket_{world.watched(0)}"}
    tokens = tokens_of_members(world)
    Watchers(process.port, WATCH, [ticket] * WARM_UP_WATCHERS, tokens).close()
    time.sleep(SETTLING_SECONDS)
    before = process.resident_bytes()
    crowd = Watchers(process.port, WATCH, [ticket] * count, tokens)
    try:
        time.sleep(SETTLING_SECONDS)
        return (process.resident_bytes() - before) / count
    finally:
        crowd.close()


def _growth(contestant: Contestant, process: Process, world: World, path: str, events: int) -> float:
    """Bytes by which the resident memory grows over the last nine tenths of so many events on one subscription."""
    ticket = world.watched(1)
    poster, writer = Poster(contestant, process, world), log_writer(contestant, path)
    crowd = Watchers(process.port, WATCH, [{"ticket": f"Ticket_{ticket}"}], [token_for(world.manager)])
    crowd.reset()
    before = 0
    try:
        for posted in range(BATCH, events + 1, BATCH):
            poster.publish([ticket] * BATCH, writer)
            behind = posted - BATCH * BATCHES_UNDER_WAY
            if not crowd.wait_for(behind, timeout=LAST_DELIVERY_SECONDS):
                raise AssertionError(f"{contestant.name} delivered {crowd.delivered} of {posted} events")
            if not before and posted >= events / 10:
                before = process.resident_bytes()
        assert crowd.wait_for(events, timeout=LAST_DELIVERY_SECONDS), f"{contestant.name}: {crowd.report()}"
        return process.resident_bytes() - before
    finally:
        crowd.close()
        poster.close()
        if writer:
            writer.close()
