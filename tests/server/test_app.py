"""The application as a whole, on a running server: its routes, its two ways of answering, and who gets in."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx2
import pytest

from models.migrate import migrate
from server.app import VERSION
from tests.databases import SERVER, fresh_database, fresh_postgres, quiet
from tests.server.auth.helpers import CHEAP
from tests.server.desk import MESSAGES, Desk, running_desk
from tests.server.running import ask, http, open_socket, serving, settings_for

pytestmark = pytest.mark.anyio

TICKET = """query($t: ID!) { ticket(id: $t) { reference feedCursor
  messages { totalCount nodes { body sequence } } } }"""
SEND = """mutation($input: MessageSendInput!) { messageSend(input: $input) {
  message { body sequence } errors { code } } }"""


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with running_desk("sqlite", tmp_path) as desk:
        yield desk


@asynccontextmanager
async def alone(folder: Path, **given: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a server with settings of its own."""
    async with (
        fresh_database("sqlite", folder) as url,
        serving(settings_for(url, folder, **given)) as served,
        http(served.address) as client,
    ):
        yield client


def text(desk: Desk, body: str, key: str = "1") -> dict[str, Any]:
    return {"input": {"ticketId": desk.id, "clientMessageId": key, "message": {"body": body}}}


async def test_a_healthy_server_says_so(desk: Desk) -> None:
    async with http(desk.served.address) as client:
        alive, ready = await client.get("/healthz"), await client.get("/readyz")

    assert (alive.status_code, alive.json()) == (200, {"status": "ok", "version": VERSION})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


@pytest.mark.postgres
async def test_a_server_is_ready_while_its_database_is_there_and_migrated(tmp_path: Path) -> None:
    async with (
        fresh_postgres(migrated=False) as url,
        serving(settings_for(url, tmp_path)) as served,
        http(served.address) as client,
    ):
        empty = await client.get("/readyz")
        await migrate(url, report=quiet)
        migrated = await client.get("/readyz")
        await drop(url)
        dropped, alive = await client.get("/readyz"), await client.get("/healthz")

    assert (empty.status_code, empty.json()["status"]) == (503, "not ready")
    assert empty.json()["problem"].startswith("migrations wait to be applied: 0001_initial, 0002_beyond_models, ")
    assert (migrated.status_code, migrated.json()) == (200, {"status": "ready"})
    assert dropped.status_code == 503
    assert dropped.json()["problem"].startswith("the database does not answer: ")
    assert alive.status_code == 200


async def drop(url: str) -> None:
    server = await asyncpg.connect(SERVER)
    try:
        await server.execute(f"DROP DATABASE {urlsplit(url).path[1:]} WITH (FORCE)")
    finally:
        await server.close()


async def test_from_signing_in_to_a_message_that_arrives(desk: Desk) -> None:
    desk.sam.password_hash = CHEAP.hash("correct horse")
    await desk.sam.save()
    async with http(desk.served.address) as stranger:
        given = {"grant_type": "password", "username": desk.sam.email, "password": "correct horse"}
        token = (await stranger.post("/auth/token", json=given)).json()["access_token"]

    async with http(desk.served.address, token) as client, open_socket(desk.served.address, token) as socket:
        page = (await ask(client, TICKET, t=desk.id))["ticket"]
        watch = await (await socket.watch(MESSAGES, t=desk.id, after=page["feedCursor"])).caught_up()
        sent = (await ask(client, SEND, **text(desk, "Hello")))["messageSend"]
        told = await watch.next()

    assert page["messages"] == {"totalCount": 1, "nodes": [{"body": "It is broken", "sequence": 1}]}
    assert sent == {"message": {"body": "Hello", "sequence": 3}, "errors": []}
    assert told["message"] == {"body": "Hello", "sequence": 3, "visibility": "PUBLIC", "actor": {"displayName": "Sam"}}


async def test_the_short_and_the_ordinary_way_answer_the_same_bytes(desk: Desk) -> None:
    """A body that comes in pieces is not for the short way, and the server takes at most some 64 kB at once."""
    stats = desk.served.fanout.engine.stats
    body = json.dumps({"query": TICKET, "variables": {"t": desk.id}}).encode()
    async with http(desk.served.address, desk.served.token(desk.ann), content_type="application/json") as client:
        short = await client.post("/graphql", content=body)
        planned = stats["planned"]
        ordinary = await client.post("/graphql", content=body + b" " * 900_000)

    assert planned == stats["planned"] == 1
    assert short.content == ordinary.content
    assert short.headers["content-type"] == ordinary.headers["content-type"]
    assert short.json()["data"]["ticket"]["reference"] == desk.ticket.reference


async def test_a_bad_token_is_refused_also_where_none_would_do(desk: Desk) -> None:
    async with http(desk.served.address, "nonsense") as client:
        response = await client.post("/graphql", json={"query": "{ server { version } }"})

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_an_account_that_is_switched_off_is_refused_at_once(desk: Desk) -> None:
    """Also on a socket that is open: who asks is looked up for each operation."""
    token = desk.served.token(desk.bob)
    async with http(desk.served.address, token) as client, open_socket(desk.served.address, token) as socket:
        before = await (await socket.watch("{ viewer { id } }")).message()
        desk.bob.is_active = False
        await desk.bob.save()

        over_http = await client.post("/graphql", json={"query": "{ viewer { id } }"})
        over_socket = await (await socket.watch("{ viewer { id } }")).refused()

    assert "errors" not in before["payload"]
    assert over_http.status_code == 401
    assert over_socket == ["UNAUTHENTICATED"]


async def test_only_the_hosts_of_the_settings_are_served(tmp_path: Path) -> None:
    async with alone(tmp_path, allowed_hosts=("desk.example",)) as client:
        other = await client.get("/healthz")
        ours = await client.get("/healthz", headers={"host": "desk.example"})

    assert (other.status_code, ours.status_code) == (400, 200)


async def test_pages_of_other_origins_read_answers_only_where_the_settings_say_so(tmp_path: Path) -> None:
    portal, other = "https://portal.example", "https://other.example"
    async with alone(tmp_path, allowed_origins=(portal,)) as client:
        answers = [
            await client.post("/graphql", json={"query": "{ __typename }"}, headers={"origin": origin})
            for origin in (portal, other)
        ]
        asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
        preflight = await client.options("/graphql", headers={"origin": portal, **asked})

    assert [each.headers.get("access-control-allow-origin") for each in answers] == [portal, None]
    assert preflight.status_code == 200
    assert "Authorization" in preflight.headers["access-control-allow-headers"]


async def test_without_allowed_origins_there_are_no_headers_for_them(desk: Desk) -> None:
    async with http(desk.served.address) as client:
        answer = await client.post(
            "/graphql", json={"query": "{ __typename }"}, headers={"origin": "https://a.example"}
        )

    assert [name for name in answer.headers if name.startswith("access-control")] == []


async def test_in_production_the_schema_is_not_told_and_there_is_no_console(tmp_path: Path) -> None:
    async with alone(tmp_path, env="production") as client:
        schema = await client.post("/graphql", json={"query": "{ __schema { queryType { name } } }"})
        console = await client.get("/graphql", headers={"accept": "text/html"})

    assert schema.json().get("data") is None
    assert {error["extensions"]["code"] for error in schema.json()["errors"]} == {"GRAPHQL_VALIDATION_FAILED"}
    assert console.status_code == 404
