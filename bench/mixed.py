"""A chat while the same process is asked for ticket lists without a pause: how long its messages take then."""

import random
from collections.abc import Callable
from contextlib import ExitStack

from bench.contestants import able, running, token_for
from bench.fanout import Fanout, own_databases
from bench.load import Load, request_bytes
from bench.queries import queries_of
from bench.records import Record
from bench.world import World

CONNECTIONS = 4


def measure_mixed(
    world: World,
    *,
    watchers: int,
    rounds: int,
    seconds: float,
    say: Callable[[str], None],
    names: tuple[str, ...] | None = None,
) -> list[Record]:
    """One record per server and round: delays of the chat alone, and beside the lists."""
    contestants, missing = able("sqlite", names=names)
    contestants = [each for each in contestants if each.fans_out]
    for reason in missing:
        say(f"  without {reason}")
    records = []
    listing = queries_of(world)[0]
    token = token_for(listing.viewer)
    with own_databases(world, contestants) as paths:
        urls = {name: f"sqlite://{path}" for name, path in paths.items()}
        with running(contestants, urls) as processes:
            for each in contestants:
                Fanout(each, processes[each.name], world, str(paths[each.name]), min(50, watchers), 1.0).warm_up()
            for turn in range(rounds):
                for each in random.sample(contestants, len(contestants)):
                    process = processes[each.name]
                    chat = Fanout(each, process, world, str(paths[each.name]), watchers, seconds)
                    body = {"query": listing.document, "variables": listing.variables[0]}
                    request = request_bytes(each.path("list"), body, token)
                    with ExitStack() as stack:
                        post, crowd = stack.enter_context(chat.watching_one_ticket())
                        alone = chat.measured(crowd, lambda: chat.steady(crowd, post))  # noqa: B023
                        load = Load(process.port, [request], connections=CONNECTIONS, seconds=seconds)
                        stack.callback(load.close)
                        load.begun()
                        beside = chat.measured(crowd, lambda: chat.steady(crowd, post))  # noqa: B023
                        lists = load.report()
                    figures = {
                        "alone_p50_ms": alone["p50_ms"],
                        "alone_p99_ms": alone["p99_ms"],
                        "p50_ms": beside["p50_ms"],
                        "p99_ms": beside["p99_ms"],
                        "lists_rate": lists.requests / lists.seconds,
                    }
                    records.append(Record("mixed", "chat", each.name, turn, figures))
                say(f"  round {turn + 1} of {rounds}")
    return records
