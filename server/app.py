"""The application: the parts put together once, their life, and the routes."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

from graphql import GraphQLSchema
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from strawberry.extensions import DisableIntrospection

from domain.policy import Viewer
from engine.executing import Engine
from engine.reads import PostgresReads, Reads, SqliteReads
from models.database import is_sqlite, open_database, reader, sqlite_path
from models.migrate import MigrationRefused, pending
from models.sqlite import LoopClient
from realtime.ephemeral import Ephemeral
from realtime.hub import Hub
from realtime.reader import OUTAGES
from resolvers.agents_online import being_there
from resolvers.context import Context, ServerFacts, Services, utc_now
from resolvers.links import FileLinks
from resolvers.reading import whole_rows
from resolvers.transaction import settle
from resolvers.viewers import load_viewer, viewer_key, viewer_kind, viewers_by
from schema.access import Schema
from schema.build import build_schema
from server.auth import Auth, auth_from
from server.jobs import Worker
from server.notifier import notify_for_ever
from server.results import result_routes
from server.settings import Settings
from server.storage import storage_from
from server.sweeps import sweep_for_ever
from server.telemetry import MeasuredSchema, Telemetry
from server.transport.endpoint import Endpoint
from server.transport.fanout import Fanout
from server.transport.ide import Console
from server.transport.limits import Limits
from server.transport.shortcut import Shortcut
from server.transport.sockets import Sockets
from server.uploads import attachment_routes

VERSION = "0.1.0"
"""As in pyproject.toml; a test compares."""

READY_WITHIN = 2.0
"""Seconds that the database may take to answer before this process is called not ready."""


@dataclass(frozen=True, slots=True)
class Casewire:
    """A server process: the ASGI application, and the sockets that it lets go before it ends."""

    app: Starlette
    sockets: Sockets
    services: Services


def create_app(settings: Settings) -> Casewire:
    """Everything that serves, ready to run; nothing is opened before the application starts."""
    services = services_from(settings)
    auth = auth_from(settings, services)
    storage = storage_from(settings)
    worker = Worker(services, storage, settings)
    sockets = Sockets()
    console = Console() if settings.graphql_ide else None
    endpoint = endpoint_from(settings, services, auth, sockets, console)
    telemetry = Telemetry(partial(counted, endpoint, services, worker), partial(held, sockets, services))
    measure(endpoint, telemetry)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with (
            open_database(settings.database_url),
            planned(endpoint, auth, settings),
            quick_log(services, settings),
            running(services, settings, worker),
            hearing_of_ends(services, auth),
            fanned_out(endpoint, services),
        ):
            collect_from_here_on()
            yield
        auth.passwords.close()

    routes = [
        Route("/graphql", endpoint, methods=["GET", "POST"]),  # first: routes are tried one after the other
        WebSocketRoute("/graphql", endpoint),
        Route("/", lambda request: RedirectResponse("/graphql")),
        Route("/healthz", alive),
        Route("/readyz", readiness(settings)),
        *auth.routes,
        *attachment_routes(services, storage),
        *result_routes(services, storage),
        *(console.routes() if console else []),
        *([Route("/metrics", telemetry.metrics)] if settings.metrics else []),
    ]
    middleware = [*around(settings), Middleware(Shortcut, path="/graphql", endpoint=endpoint)]
    return Casewire(Starlette(routes=routes, lifespan=lifespan, middleware=middleware), sockets, services)


def measure(endpoint: Endpoint, telemetry: Telemetry) -> None:
    """Have operations measured on either way."""
    endpoint.fast.telemetry = telemetry
    for schema in (cast(Schema, endpoint.schema), endpoint.fast.completing):
        schema.extensions = (partial(MeasuredSchema, telemetry), *schema.extensions)


def counted(endpoint: Endpoint, services: Services, worker: Worker) -> dict[str, float]:
    """What the parts have counted since the process began."""
    engine, fanout, hub = endpoint.fast.engine, endpoint.fanout, services.hub
    stats = engine.stats if engine else {}
    return {
        **{f"engine_{name}": stats.get(name, 0) for name in ("planned", "fallbacks", "bails", "plans", "statements")},
        "stream_events_executed": fanout.executions if fanout else 0,
        "stream_deliveries": fanout.deliveries if fanout else 0,
        "stream_resets": hub.stats.resets,
        "log_reads": hub.stats.reads,
        "doorbell_messages_failed": hub.doorbell.stats.failed,
        "doorbell_rebuilt": hub.doorbell.stats.rebuilt,
        "jobs_done": worker.counts.done,
        "jobs_failed": worker.counts.failed,
        "jobs_put_back": worker.counts.put_back,
    }


def held(sockets: Sockets, services: Services) -> dict[str, float]:
    """What there is at this moment."""
    hub = services.hub
    return {"sockets": len(sockets), "stream_watchers": hub.stats.watchers, "doorbell_healthy": hub.doorbell.healthy}


COLLECT_AFTER = 2_000, 20, 50
"""Objects more than before, then rounds, until the collector looks at them. By Python's own figures, 700 and 10, it
looked at all that the open sockets hold several times a second, which was an eighth of what deliveries cost."""


def collect_from_here_on() -> None:
    """Let the collector begin, but not look at what is there already: the schema and the rest of the program stay."""
    if not gc.isenabled():
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        gc.enable()


def services_from(settings: Settings) -> Services:
    facts = ServerFacts(
        version=VERSION,
        replay_window=settings.replay_window,
        replay_max_events=settings.replay_max_events,
        max_query_depth=settings.max_depth,
        max_query_cost=settings.max_cost,
    )
    return Services(
        hub=Hub(reader, settings.broadcast_url),
        clock=utc_now,
        max_page_size=settings.max_page_size,
        facts=facts,
        ephemeral=Ephemeral(settings.broadcast_url),
        links=FileLinks(settings.public_url, settings.key_for("file addresses")),
    )


def endpoint_from(
    settings: Settings, services: Services, auth: Auth, sockets: Sockets, console: Console | None
) -> Endpoint:
    def open_context(viewer: Viewer, languages: str | None) -> Context:
        return Context(viewer.accepting(languages, settings.default_locale), services)

    return Endpoint(
        build_schema(extensions=[] if settings.introspection else [DisableIntrospection]),
        authenticate=auth.authenticator,
        open_context=open_context,
        language_of=lambda context: context.viewer.language,
        limits=limits_from(settings),
        allowed_origins=settings.allowed_origins,
        ide=console,
        sockets=sockets,
        watch_sign_in=auth.ended.watch,
        present=partial(being_there, services.ephemeral),
    )


def limits_from(settings: Settings) -> Limits:
    return Limits(
        max_body_bytes=settings.max_body_bytes,
        max_tokens=settings.max_tokens,
        max_depth=settings.max_depth,
        max_cost=settings.max_cost,
        max_page_size=settings.max_page_size,
        operation_timeout=settings.operation_timeout_seconds,
        init_timeout=settings.init_timeout_seconds,
        max_operations_per_socket=settings.max_operations_per_socket,
        max_sockets_per_user=settings.max_sockets_per_user,
        max_sockets_per_address=settings.max_sockets_per_address,
    )


@contextlib.asynccontextmanager
async def planned(endpoint: Endpoint, auth: Auth, settings: Settings) -> AsyncIterator[None]:
    """Queries are planned, and viewers read, on connections that do nothing but read."""
    reads = await open_reads(settings.database_url)
    fast = endpoint.fast
    fast.engine = planner(fast.documents.schema, reads, settings.max_page_size)
    auth.authenticator.load = viewers_by(reads.fetch, reads.dialect)
    try:
        yield
    finally:
        fast.engine = None
        auth.authenticator.load = load_viewer
        await reads.close()


def planner(schema: GraphQLSchema, reads: Reads, max_page_size: int) -> Engine:
    """The engine as the product uses it."""
    return Engine(schema, reads, kind=viewer_kind, key=viewer_key, load=whole_rows, most=max_page_size)


async def open_reads(database_url: str) -> Reads:
    if is_sqlite(database_url):
        return SqliteReads(sqlite_path(database_url))
    return await PostgresReads.open(database_url)


@contextlib.asynccontextmanager
async def fanned_out(endpoint: Endpoint, services: Services) -> AsyncIterator[None]:
    """Events go out to groups of subscribers; the groups end before the hub does."""
    assert endpoint.fast.engine is not None
    endpoint.fanout = Fanout(services.hub, endpoint.fast.engine)
    try:
        yield
    finally:
        await endpoint.fanout.close()
        endpoint.fanout = None


@contextlib.asynccontextmanager
async def quick_log(services: Services, settings: Settings) -> AsyncIterator[None]:
    """On SQLite the log is read in the loop's thread, like everything else that is short."""
    if not is_sqlite(settings.database_url):
        yield
        return
    client = LoopClient(sqlite_path(settings.database_url))
    services.hub.read_by(lambda: client)
    try:
        yield
    finally:
        services.hub.read_by(reader)
        client.close()


@contextlib.asynccontextmanager
async def running(services: Services, settings: Settings, worker: Worker) -> AsyncIterator[None]:
    """The hub listens, the sweeps go round, jobs are done; writes under way are finished before the database closes."""
    await services.hub.start()
    await services.ephemeral.start()
    background = [
        asyncio.create_task(sweep_for_ever(services, settings)),
        asyncio.create_task(notify_for_ever(services)),
        asyncio.create_task(worker.work_for_ever()),
    ]
    try:
        yield
    finally:
        for task in background:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await settle()
        await services.ephemeral.stop()
        await services.hub.stop()


@contextlib.asynccontextmanager
async def hearing_of_ends(services: Services, auth: Auth) -> AsyncIterator[None]:
    """Sign-ins that have ended are known before the first request, and heard of from then on.

    Without a database, or without its tables, nobody can ask for anything: they are known as soon as it is there.
    """
    services.hub.access.listeners.append(auth.ended.heard)

    async def know() -> None:
        await services.hub.access.begin()
        await auth.ended.load()

    try:
        await know()
    except OUTAGES:
        auth.ended.load_later(know)
    try:
        yield
    finally:
        services.hub.access.listeners.remove(auth.ended.heard)
        await auth.ended.close()


async def alive(request: Request) -> Response:
    """The process answers: whoever restarts it asks here."""
    return JSONResponse({"status": "ok", "version": VERSION})


def readiness(settings: Settings) -> Callable[[Request], Awaitable[Response]]:
    async def ready(request: Request) -> Response:
        """Requests can be served: whoever sends them asks here. 503 while the database is away or not migrated."""
        problem = await _problem(settings.database_url)
        if problem:
            return JSONResponse({"status": "not ready", "problem": problem}, 503)
        return JSONResponse({"status": "ready"})

    return ready


async def _problem(database_url: str) -> str | None:
    try:
        async with asyncio.timeout(READY_WITHIN):
            await reader().execute_query("SELECT 1")
            waiting = await pending(database_url)
    except MigrationRefused as error:
        return str(error)
    except Exception as error:
        return f"the database does not answer: {type(error).__name__}"
    return f"migrations wait to be applied: {', '.join(waiting)}" if waiting else None


def around(settings: Settings) -> list[Middleware]:
    """What stands around every route: the hosts served, and the other origins that may read answers."""
    found = []
    if "*" not in settings.allowed_hosts:
        found.append(Middleware(TrustedHostMiddleware, allowed_hosts=list(settings.allowed_hosts)))
    if settings.allowed_origins:
        found.append(
            Middleware(
                CORSMiddleware,
                allow_origins=list(settings.allowed_origins),
                allow_methods=["GET", "POST", "PUT"],
                allow_headers=["Authorization", "Content-Type", "GraphQL-Require-Preflight"],
                max_age=3600,
            )
        )
    return found
