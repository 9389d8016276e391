"""The servers that can be measured, and how each is started, asked and written to."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from bench import peers
from bench.data import RESULTS
from bench.documents import Query
from bench.peers import postgraphile
from bench.processes import Process, free_port
from server.auth import mint_access_token
from server.settings import Settings, load_settings

SECRET = "only-ever-used-by-the-bench-on-loopback-addresses"


def bench_settings() -> Settings:
    return load_settings(env="test", secret_key=SECRET, access_token_ttl="24h")


def token_for(user_id: UUID) -> str:
    return mint_access_token(bench_settings(), user_id, timedelta(hours=23))


@dataclass(frozen=True)
class Contestant:
    """A server that can be measured. `paths` differ from `/graphql` for what is no GraphQL server."""

    name: str
    command: Callable[[], list[str]]
    environment: Callable[[str, int], dict[str, str]]
    paths: dict[str, str] = field(default_factory=dict)
    why_not: Callable[[], str | None] = lambda: None
    """Why it cannot run on this machine; None where it can."""
    engines: tuple[str, ...] = ("sqlite", "postgres")
    fans_out: bool = True
    answers_alike: bool = True

    documents: dict[str, str] = field(default_factory=dict)
    """Its own wording of a query, where its schema is not ours."""
    variables: Callable[[str, dict[str, Any]], dict[str, Any]] = lambda name, ours: ours

    def path(self, operation: str) -> str:
        return self.paths.get(operation, "/graphql")

    def document(self, query: Query) -> str:
        return self.documents.get(query.name, query.document)


def _casewire_environment(database_url: str, port: int) -> dict[str, str]:
    return {
        "CASEWIRE_ENV": "test",
        "CASEWIRE_DATABASE_URL": database_url,
        "CASEWIRE_SECRET_KEY": SECRET,
        "CASEWIRE_PORT": str(port),
        "CASEWIRE_LOG_LEVEL": "warning",
        "CASEWIRE_MAX_SOCKETS_PER_USER": "100000",
        "CASEWIRE_MAX_SOCKETS_PER_ADDRESS": "100000",
    }


def _plain_environment(database_url: str, port: int) -> dict[str, str]:
    key = bench_settings().key_for("access token").hex()
    return {"BENCH_DATABASE_URL": database_url, "BENCH_TOKEN_KEY": key, "PORT": str(port), "NODE_ENV": "production"}


FLOOR_PATHS = {"list": "/list", "graph": "/graph", "send": "/send", "publish": "/publish"}
PEER_PATHS = {"publish": "/publish"}

CASEWIRE = Contestant(
    "casewire",
    lambda: [sys.executable, "-m", "bench.servers.casewire"],
    _casewire_environment,
    {"publish": "/bench/ring"},
)
UNGUARDED = Contestant(
    "unguarded",
    lambda: [sys.executable, "-m", "bench.servers.casewire"],
    lambda database_url, port: {**_casewire_environment(database_url, port), "BENCH_GUARDS": "off"},
    engines=("sqlite",),
    fans_out=False,
    answers_alike=False,
)
"""Casewire with the guards of its fields taken off; which rows are seen, and who asks, is still checked."""
LISTENED = Contestant(
    "listened",
    lambda: [sys.executable, "-m", "bench.servers.casewire"],
    lambda database_url, port: {**_casewire_environment(database_url, port), "BENCH_LISTEN": "on"},
)
"""Casewire with its statements written down: to count them, never to be timed."""
FLOOR = Contestant("floor", lambda: [sys.executable, "-m", "bench.servers.floor"], _plain_environment, FLOOR_PATHS)
MERCURIUS = Contestant(
    "mercurius",
    lambda: peers.command("mercurius.mjs"),
    _plain_environment,
    PEER_PATHS,
    why_not=peers.why_not,
    engines=("sqlite",),
)
YOGA = Contestant(
    "yoga",
    lambda: peers.command("yoga.mjs"),
    _plain_environment,
    PEER_PATHS,
    why_not=peers.why_not,
    engines=("sqlite",),
)
POSTGRAPHILE = Contestant(
    "postgraphile",
    lambda: peers.command("postgraphile.mjs"),
    _plain_environment,
    why_not=peers.why_not,
    engines=("postgres",),
    fans_out=False,
    answers_alike=False,
    documents=postgraphile.DOCUMENTS,
    variables=postgraphile.variables,
)
EVERYONE = (CASEWIRE, UNGUARDED, FLOOR, MERCURIUS, YOGA, POSTGRAPHILE)


def able(engine: str, *, names: tuple[str, ...] | None = None) -> tuple[list[Contestant], list[str]]:
    """Who can run on this machine with this engine, and why each of the others cannot."""
    wanted = [each for each in EVERYONE if engine in each.engines and (names is None or each.name in names)]
    reasons = [(each, each.why_not()) for each in wanted]
    return [each for each, why in reasons if why is None], [f"{each.name}: {why}" for each, why in reasons if why]


def start(contestant: Contestant, database_url: str) -> Process:
    """A listening server. The caller stops it.

    Raises:
        ServerFailed: it did not start.
    """
    port = free_port()
    log = RESULTS / f"{contestant.name}.log"
    process = Process(contestant.name, contestant.command(), contestant.environment(database_url, port), port, log)
    try:
        process.wait_until_listening()
    except BaseException:
        process.stop()
        raise
    return process


@contextmanager
def running(contestants: list[Contestant], urls: dict[str, str]) -> Iterator[dict[str, Process]]:
    """All of them at once, each on the database that `urls` names for it; stopped at the end, whatever happens."""
    with ExitStack() as stack:
        processes = {}
        for each in contestants:
            process = start(each, urls[each.name])
            stack.callback(process.stop)
            processes[each.name] = process
        yield processes
