"""A little schema of its own for the endpoint's tests, and a client for each of its two transports."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NewType, TypeVar
from uuid import UUID

import httpx2
import strawberry
from httpx2.websockets import ASGIWebSocketTransport, AsyncWebSocketSession, WebSocketDisconnect
from strawberry.schema.config import StrawberryConfig

from domain.errors import NotFound, Unauthenticated
from server.transport.endpoint import Endpoint


@dataclass
class Visitor:
    name: str
    expires_at: datetime | None = None
    user_id: UUID | None = None


@dataclass
class World:
    """The context of an operation. `refreshed` counts the events of a subscription."""

    visitor: Visitor
    languages: str | None = None
    refreshed: int = 0

    def refresh(self) -> None:
        self.refreshed += 1


async def authenticate(token: str | None) -> Visitor:
    if token is None:
        return Visitor("nobody")
    if token == "broken":
        raise KeyError("the key store is away")
    if token.startswith("expires-in-"):
        seconds = float(token.removeprefix("expires-in-"))
        return Visitor("soon", expires_at=datetime.now(UTC) + timedelta(seconds=seconds))
    if token != "ann":
        raise Unauthenticated
    return Visitor("ann")


def parse_even(value: Any) -> int:
    if int(value) % 2:
        raise ValueError("secret of the parser")
    return int(value)


T = TypeVar("T")

Even = NewType("Even", int)

Info = strawberry.Info[World, None]


@strawberry.type
class PageInfo:
    has_next_page: bool = False


@strawberry.type
class BoxConnection:
    nodes: list["Box"]
    page_info: PageInfo


@strawberry.type
class Box:
    name: str

    @strawberry.field
    def inner(self) -> "Box":
        return Box(name=f"{self.name}.")

    @strawberry.field
    def all(self) -> list["Box"]:
        return [Box(name="a"), Box(name="b")]

    @strawberry.field
    def boxes(self, first: int | None = 20, last: int | None = None) -> BoxConnection:
        return BoxConnection(nodes=[Box(name=str(n)) for n in range(first or 0)], page_info=PageInfo())

    @strawberry.field
    def broken(self) -> str | None:
        raise RuntimeError(f"secret of {self.name}")


@strawberry.type
class Query:
    @strawberry.field
    def me(self, info: Info) -> str:
        return info.context.visitor.name

    @strawberry.field
    def box(self) -> Box:
        return Box(name="box")

    @strawberry.field
    def even(self, value: Even) -> int:
        return value

    @strawberry.field
    def double(self, value: int = 1) -> int:
        return 2 * value

    @strawberry.field
    def refused(self) -> str | None:
        raise NotFound("box", field=("id",))

    @strawberry.field
    def wrong_type(self) -> int | None:
        return "secret"  # type: ignore[return-value]

    @strawberry.field
    async def never(self) -> int | None:
        await asyncio.Event().wait()
        return 1


@strawberry.type
class Mutation:
    @strawberry.mutation
    def rename(self, name: str) -> str:
        return name


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, info: Info, to: int = 3) -> AsyncGenerator[str, None]:
        for number in range(to):
            yield f"{info.context.visitor.name} {number} {info.context.refreshed}"

    @strawberry.subscription
    async def boxes(self, count: int) -> AsyncGenerator[Box, None]:
        for number in range(count):
            yield Box(name=str(number))

    @strawberry.subscription
    async def fails(self, after: int = 1, refused: bool = False) -> AsyncGenerator[int, None]:
        for number in range(after):
            yield number
        if refused:
            raise NotFound("box")
        raise RuntimeError("secret of the source")

    @strawberry.subscription
    async def silent(self) -> AsyncGenerator[int, None]:
        await asyncio.Event().wait()
        yield 1


def make_schema(**options: Any) -> strawberry.Schema:
    scalars: dict[object, Any] = {Even: strawberry.scalar(name="Even", parse_value=parse_even)}
    config = StrawberryConfig(scalar_map=scalars)
    return strawberry.Schema(Query, Mutation, Subscription, config=config, **options)


def make_endpoint(**options: Any) -> Endpoint:
    schema = options.pop("schema", None) or make_schema()
    return Endpoint(schema, authenticate=authenticate, open_context=World, **options)


def http(endpoint: Any) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(endpoint), base_url="http://test")


async def post(endpoint: Any, query: str, variables: Any = None, **headers: str) -> httpx2.Response:
    async with http(endpoint) as client:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.post("/graphql", json={"query": query, "variables": variables}, headers=given)


class Wire:
    """A graphql-transport-ws client that shows every frame. Nothing it waits for may take longer than two seconds."""

    def __init__(self, session: AsyncWebSocketSession) -> None:
        self.session = session

    async def send(self, **message: Any) -> None:
        await self.session.send_text(json.dumps(message))

    async def init(self, **payload: Any) -> Any:
        await self.send(type="connection_init", payload=payload)
        return await self.receive()

    async def subscribe(self, id: str, query: str, **more: Any) -> None:
        await self.send(type="subscribe", id=id, payload={"query": query, **more})

    async def receive(self) -> Any:
        return json.loads(await within(self.session.receive_text()))

    async def closed(self) -> tuple[int, str | None]:
        """Waits until the server closes: the code and the reason."""
        try:
            while True:
                await within(self.session.receive_text())
        except WebSocketDisconnect as end:
            return end.code, end.reason


@asynccontextmanager
async def wire(endpoint: Any, *, protocol: str = "graphql-transport-ws", **headers: str) -> AsyncIterator[Wire]:
    async with (
        httpx2.AsyncClient(transport=ASGIWebSocketTransport(endpoint), base_url="http://test") as client,
        client.websocket("ws://test/graphql", subprotocols=[protocol], headers=headers) as session,
    ):
        yield Wire(session)


async def upgrade(endpoint: Any, **headers: str) -> Any:
    """The first thing that the server answers to an upgrade, as an ASGI message."""
    sent: asyncio.Queue[Any] = asyncio.Queue()
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    inbox.put_nowait({"type": "websocket.connect"})
    inbox.put_nowait({"type": "websocket.disconnect", "code": 1001})
    scope = {
        "type": "websocket",
        "path": "/graphql",
        "headers": [(name.encode(), value.encode()) for name, value in {"host": "test", **headers}.items()],
        "client": ("127.0.0.1", 1234),
        "subprotocols": ["graphql-transport-ws"],
        "extensions": {"websocket.http.response": {}},
    }
    await within(endpoint(scope, inbox.get, sent.put))
    return sent.get_nowait()


async def within(work: Awaitable[T], seconds: float = 2) -> T:
    async with asyncio.timeout(seconds):
        return await work
