"""The floor: what the same answers cost when every statement is written by hand, in Starlette, for these routes only.

Same database, same token check, same look at the viewer, same rows withheld; no GraphQL. SQLite is read in the loop,
as the product's engine is meant to; PostgreSQL through asyncpg. Started with the same uvicorn as the product.
"""

import base64
import hmac
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache
from itertools import count
from typing import Any

import asyncpg
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from bench.servers import floor_chat, floor_queries


class Sqlite:
    """One read-only connection, used in the loop."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
        self._connection.execute("PRAGMA query_only=ON")
        self._connection.execute("PRAGMA cache_size=-65536")

    async def fetch(self, sql: str, *values: Any) -> Sequence[Sequence[Any]]:
        return self._connection.execute(sql, values).fetchall()

    def instant(self, text: str) -> str:
        """As it is stored."""
        return text


class Postgres:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def fetch(self, sql: str, *values: Any) -> Sequence[Sequence[Any]]:
        rows: Sequence[Sequence[Any]] = await self._pool.fetch(numbered(sql), *values)
        return rows

    def instant(self, text: str) -> datetime:
        return datetime.fromisoformat(text)


@cache
def numbered(sql: str) -> str:
    """PostgreSQL numbers its parameters."""
    head, *rest = sql.split("?")
    numbers = count(1)
    return head + "".join(f"${next(numbers)}{part}" for part in rest)


VIEWER = """
    SELECT u.staff_role, m.organization_id, m.role, o.member_visibility, o.history_starts_at
    FROM app_user u
    LEFT JOIN membership m ON m.user_id = u.id LEFT JOIN organization o ON o.id = m.organization_id
    WHERE u.id = ? AND u.is_active ORDER BY m.joined_at, m.id"""


class Tokens:
    """Access tokens as the product signs them: HS256, our own issuer, not expired."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def subject(self, authorization: str | None) -> str:
        """Whom the token speaks for.

        Raises:
            HTTPException: 401, for anything but a good token.
        """
        scheme, _, token = (authorization or "").partition(" ")
        signed, _, signature = token.rpartition(".")
        expected = hmac.digest(self._key, signed.encode(), "sha256")
        if scheme != "Bearer" or not hmac.compare_digest(_unpacked(signature), expected):
            raise HTTPException(401)
        claims = orjson.loads(_unpacked(signed.partition(".")[2]))
        if claims["iss"] != "casewire" or claims["aud"] != "casewire" or claims["exp"] <= time.time():
            raise HTTPException(401)
        return str(claims["sub"])


def _unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Answer(Response):
    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps({"data": content})


def create_app(database_url: str, tokens: Tokens) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if database_url.startswith("sqlite://"):
            app.state.database = Sqlite(database_url.removeprefix("sqlite://"))
            app.state.chat = floor_chat.Chat(database_url.removeprefix("sqlite://"))
            yield
        else:
            async with asyncpg.create_pool(database_url, min_size=1, max_size=5) as pool:
                app.state.database = Postgres(pool)
                yield

    async def viewer_of(request: Request) -> floor_queries.Viewer:
        user_id = tokens.subject(request.headers.get("authorization"))
        rows = await request.app.state.database.fetch(VIEWER, user_id)
        if not rows:
            raise HTTPException(401)
        return floor_queries.viewer_from(user_id, rows)

    async def tickets(request: Request) -> Response:
        viewer = await viewer_of(request)
        asked = orjson.loads(await request.body())["variables"]
        return Answer(await floor_queries.tickets(request.app.state.database, viewer, **asked))

    async def ticket(request: Request) -> Response:
        viewer = await viewer_of(request)
        asked = orjson.loads(await request.body())["variables"]
        return Answer(await floor_queries.ticket(request.app.state.database, viewer, **asked))

    async def send(request: Request) -> Response:
        user_id = tokens.subject(request.headers.get("authorization"))
        return Answer(
            await request.app.state.chat.send(user_id, orjson.loads(await request.body())["variables"]["input"])
        )

    async def publish(request: Request) -> Response:
        await request.app.state.chat.publish(orjson.loads(await request.body()))
        return Answer(None)

    async def watch(websocket: Any) -> None:
        await websocket.app.state.chat.serve(websocket, tokens.subject)

    routes = [
        Route("/list", tickets, methods=["POST"]),
        Route("/graph", ticket, methods=["POST"]),
        Route("/send", send, methods=["POST"]),
        Route("/publish", publish, methods=["POST"]),
        WebSocketRoute("/graphql", watch),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def main() -> None:
    tokens = Tokens(bytes.fromhex(os.environ["BENCH_TOKEN_KEY"]))
    app = create_app(os.environ["BENCH_DATABASE_URL"], tokens)
    uvicorn.run(
        app, port=int(os.environ["PORT"]), log_level="warning", ws_per_message_deflate=False, server_header=False
    )


if __name__ == "__main__":
    main()
