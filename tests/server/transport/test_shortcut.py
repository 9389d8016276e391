"""The shortcut to the endpoint: what goes past the router, and what does not."""

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from server.transport.shortcut import Shortcut

pytestmark = pytest.mark.anyio


async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("the endpoint")(scope, receive, send)


def routed(request: Request) -> PlainTextResponse:
    return PlainTextResponse("routed")


def client() -> httpx2.AsyncClient:
    app = Starlette(
        routes=[Route("/graphql", routed, methods=["GET", "POST"]), Route("/graphql/more", routed, methods=["POST"])],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=["desk.example"]),
            Middleware(Shortcut, path="/graphql", endpoint=endpoint),
        ],
    )
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://desk.example")


async def test_a_post_to_its_path_goes_past_the_router_and_everything_else_does_not() -> None:
    async with client() as http:
        posted = await http.post("/graphql")
        got, elsewhere, unknown = await http.get("/graphql"), await http.post("/graphql/more"), await http.post("/no")

    assert posted.text == "the endpoint"
    assert (got.text, elsewhere.text, unknown.status_code) == ("routed", "routed", 404)


async def test_what_stands_around_the_shortcut_is_asked_first() -> None:
    async with client() as http:
        refused = await http.post("/graphql", headers={"Host": "elsewhere.example"})

    assert (refused.status_code, refused.text) == (400, "Invalid host header")
