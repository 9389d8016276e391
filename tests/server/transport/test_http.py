"""The endpoint over HTTP: what is answered, in which form, and what is refused before anything is executed."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from strawberry.extensions import SchemaExtension
from structlog.testing import capture_logs

from server.transport.http import GRAPHQL_JSON, LEGACY_JSON, negotiate
from server.transport.limits import Limits
from tests.server.transport.support import http, make_endpoint, make_schema, post, within

pytestmark = pytest.mark.anyio

JSON = {"content-type": "application/json"}
PREFLIGHT = {"graphql-require-preflight": "1"}
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


async def send(
    method: str = "POST", *, content: Any = None, headers: dict[str, str] | None = None, **options: Any
) -> httpx2.Response:
    endpoint = options.pop("endpoint", None) or make_endpoint()
    async with http(endpoint) as client:
        return await within(client.request(method, "/graphql", content=content, headers=headers or {}, **options))


def code(response: httpx2.Response) -> str:
    [error] = response.json()["errors"]
    assert "data" not in response.json()
    assert error["message"]
    return str(error["extensions"]["code"])


async def test_a_query_is_answered() -> None:
    response = await post(make_endpoint(), "query ($v: Int!) { me double(value: $v) }", {"v": 21})

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.json() == {"data": {"me": "nobody", "double": 42}}


async def test_a_field_that_fails_leaves_the_others_and_the_status() -> None:
    response = await post(make_endpoint(), "{ me refused }", accept=GRAPHQL_JSON)

    assert response.status_code == 200
    assert response.json()["data"] == {"me": "nobody", "refused": None}
    assert response.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"


# --- who


async def test_a_bearer_token_says_who_asks() -> None:
    assert (await post(make_endpoint(), "{ me }", authorization="bearer ann")).json() == {"data": {"me": "ann"}}


@pytest.mark.parametrize("authorization", ["Bearer wrong", "Bearer", "Bearer ", "Basic YW5uOmFubg==", "ann", ""])
async def test_a_bad_token_is_never_taken_for_nobody(authorization: str) -> None:
    response = await post(make_endpoint(), "{ me }", authorization=authorization)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json() == {
        "errors": [
            {
                "message": "Sign in and send a valid bearer token.",
                "extensions": {"code": "UNAUTHENTICATED"},
            }
        ]
    }


async def test_a_failure_of_ours_before_execution_is_masked() -> None:
    with capture_logs() as logged:
        response = await post(make_endpoint(), "{ me }", authorization="Bearer broken")

    assert response.status_code == 500
    [error] = response.json()["errors"]
    assert error["message"] == "Something went wrong on our side."
    assert error["extensions"] == {"code": "INTERNAL", "errorId": logged[0]["error_id"]}


# --- media types and statuses


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, LEGACY_JSON),
        ("", LEGACY_JSON),
        ("*/*", LEGACY_JSON),
        ("application/*", LEGACY_JSON),
        ("application/graphql-response+json", GRAPHQL_JSON),
        ("Application/GraphQL-Response+JSON; charset=utf-8", GRAPHQL_JSON),
        ("application/json, application/graphql-response+json", LEGACY_JSON),
        ("application/graphql-response+json, application/json, text/event-stream, multipart/mixed", GRAPHQL_JSON),
        ("application/graphql-response+json;q=0.5, application/json;q=0.9", LEGACY_JSON),
        ("application/json;q=0.1, */*", GRAPHQL_JSON),
        ("application/json;q=0, */*;q=0.1", GRAPHQL_JSON),
        ("application/json;q=0", None),
        ("application/json;q=lots", None),
        ("application/json;q=nan", None),
        ("text/event-stream", None),
        ("text/html", None),
    ],
)
def test_the_answer_has_the_type_that_is_liked_best(accept: str | None, chosen: str | None) -> None:
    assert negotiate(accept) == chosen


@pytest.mark.parametrize(
    ("query", "variables"),
    [("{ me", None), ("{ nope }", None), ("query ($v: Int!) { double(value: $v) }", {"v": "x"})],
    ids=["syntax", "validation", "variables"],
)
async def test_a_request_that_is_not_executed_has_no_data_and_status_400_where_clients_know_it(
    query: str, variables: Any
) -> None:
    modern = await post(make_endpoint(), query, variables, accept=GRAPHQL_JSON)
    legacy = await post(make_endpoint(), query, variables, accept=LEGACY_JSON)

    assert (modern.status_code, modern.headers["content-type"]) == (400, f"{GRAPHQL_JSON}; charset=utf-8")
    assert (legacy.status_code, legacy.headers["content-type"]) == (200, f"{LEGACY_JSON}; charset=utf-8")
    assert modern.json() == legacy.json()
    assert modern.json().keys() == {"errors"}


async def test_what_we_cannot_answer_in_is_refused() -> None:
    response = await post(make_endpoint(), "{ me }", accept="application/xml")

    assert (response.status_code, code(response)) == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_told_which_there_are(method: str) -> None:
    response = await send(method)

    assert (response.status_code, code(response)) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/plain,application/json",
        "application/json-but-not-really",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "",
    ],
)
async def test_only_json_is_taken(content_type: str) -> None:
    response = await send(content=b'{"query": "{ me }"}', headers={"content-type": content_type})

    assert (response.status_code, code(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"7",
        b'"{ me }"',
        b'[{"query": "{ me }"}]',
        b'{"query": "{ me }\xff"}',
        b'{"query": "{ me }", "variables": {"a": NaN}}',
        b'{"query": "{ me }", "variables": {"a": ' + b"9" * 5_000 + b"}}",
        b'{"query": ' + b"[" * 2_000 + b"]" * 2_000 + b"}",
        b"{}",
        b'{"query": null}',
        b'{"query": ""}',
        b'{"query": ["{ me }"]}',
        b'{"query": "{ me }", "variables": []}',
        b'{"query": "{ me }", "variables": "{}"}',
        b'{"query": "{ me }", "operationName": 1}',
        b'{"query": "{ me }", "extensions": 1}',
    ],
)
async def test_a_body_that_is_no_request_is_refused_as_json(content: bytes) -> None:
    with capture_logs() as logged:
        response = await send(content=content, headers=JSON)

    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")
    assert logged == []


async def test_null_for_what_is_optional_is_fine() -> None:
    content = b'{"query": "{ me }", "variables": null, "operationName": null, "extensions": null}'

    assert (await send(content=content, headers=JSON)).json() == {"data": {"me": "nobody"}}


# --- bodies


async def test_a_body_may_not_be_too_large_whether_it_says_so_or_not() -> None:
    endpoint = make_endpoint(limits=Limits(max_body_bytes=1_000))
    body = json.dumps({"query": "{ me }" + " " * 1_000}).encode()
    sent = 0

    async def in_chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for start in range(0, len(body), 100):
            sent += 1
            yield body[start : start + 100]

    declared = await send(content=body, headers=JSON, endpoint=endpoint)
    chunked = await send(content=in_chunks(), headers=JSON, endpoint=endpoint)

    for response in (declared, chunked):
        assert (response.status_code, code(response)) == (413, "LIMIT_EXCEEDED")
        assert response.headers["connection"] == "close"


async def test_a_body_that_does_not_arrive_is_not_waited_for() -> None:
    endpoint = make_endpoint(limits=Limits(body_timeout=0.01))

    async def stuck() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"accept", b"*/*")],
    }
    sent: list[Any] = []

    async def collect(message: Any) -> None:
        sent.append(message)

    await within(endpoint(scope, stuck, collect))

    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"])["errors"][0]["extensions"] == {"code": "REQUEST_TIMEOUT"}


# --- which operation


TWO = "query A { me } query B { double }"


async def test_of_two_operations_the_named_one_is_executed() -> None:
    content = json.dumps({"query": TWO, "operationName": "B"})

    assert (await send(content=content, headers=JSON)).json() == {"data": {"double": 2}}


@pytest.mark.parametrize("name", [None, "C", ""])
async def test_no_operation_is_executed_if_it_is_not_clear_which(name: str | None) -> None:
    content = json.dumps({"query": TWO, "operationName": name})

    response = await send(content=content, headers=JSON | {"accept": GRAPHQL_JSON})

    assert (response.status_code, code(response)) == (400, "OPERATION_RESOLUTION_FAILURE")


async def test_a_subscription_is_refused_with_the_way_on() -> None:
    response = await post(make_endpoint(), "subscription { count }")

    assert response.status_code == 400
    assert response.json()["errors"][0]["message"] == (
        "A subscription needs a WebSocket: connect to this address with graphql-transport-ws."
    )


async def test_get_answers_queries_for_those_who_can_set_a_header() -> None:
    params = {"query": "query ($v: Int!) { double(value: $v) }", "variables": '{"v": 2}', "operationName": ""}

    for headers in (PREFLIGHT, {"apollo-require-preflight": "yes"}, JSON):
        assert (await send("GET", params=params, headers=headers)).json() == {"data": {"double": 4}}
    plain = await send("GET", params=params)
    assert (plain.status_code, code(plain)) == (403, "FORBIDDEN")


async def test_get_changes_nothing() -> None:
    response = await send("GET", params={"query": 'mutation { rename(name: "x") }'}, headers=PREFLIGHT)

    assert (response.status_code, code(response)) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "POST"


# --- limits


async def test_a_fragment_bomb_is_answered_at_once() -> None:
    levels = "".join(f"fragment F{n} on Query {{...F{n + 1} ...F{n + 1}}}" for n in range(24))
    bomb = "{...F0}" + levels + "fragment F24 on Query {me}"

    response = await within(post(make_endpoint(), bomb, accept=GRAPHQL_JSON))

    assert (response.status_code, code(response)) == (400, "LIMIT_EXCEEDED")


@pytest.mark.parametrize(
    "query",
    ["{ " + "me " * 2_001 + "}", "{ box " * 400 + "{ name }" + " }" * 400, "#x\n" * 3_000 + "{ me }"],
    ids=["tokens", "nesting", "comments"],
)
async def test_a_document_too_large_to_parse_exceeds_a_limit(query: str) -> None:
    with capture_logs() as logged:
        response = await post(make_endpoint(), query)

    assert code(response) == "LIMIT_EXCEEDED"
    assert logged == []


async def test_many_fragments_inside_each_other_exceed_a_limit() -> None:
    chain = "".join(f"fragment F{n} on Query {{...F{n + 1}}} " for n in range(500))
    query = "{...F0} " + chain + "fragment F500 on Query {me}"

    response = await post(make_endpoint(limits=Limits(max_tokens=100_000)), query)

    assert response.json()["errors"][0]["message"] == "This document is nested too deeply."
    assert code(response) == "LIMIT_EXCEEDED"


async def test_limits_are_asked_again_with_every_set_of_variables() -> None:
    endpoint = make_endpoint(limits=Limits(max_cost=30))
    query = "query ($n: Int) { box { boxes(first: $n) { pageInfo { hasNextPage } } } }"

    small, large, again = [await post(endpoint, query, {"n": n}) for n in (5, 50, 5)]

    assert small.json() == again.json() == {"data": {"box": {"boxes": {"pageInfo": {"hasNextPage": False}}}}}
    assert large.json()["errors"][0]["extensions"] == {"code": "LIMIT_EXCEEDED", "allowed": 30, "reached": 52}


@pytest.mark.parametrize("n", [5, 50])
async def test_what_an_operation_costs_is_told_to_whoever_asks(n: int) -> None:
    """J9: before it is too much, and where it is."""
    endpoint = make_endpoint(limits=Limits(max_cost=30))
    query = "query ($n: Int) { box { boxes(first: $n) { pageInfo { hasNextPage } } } }"
    asked = {"query": query, "variables": {"n": n}, "extensions": {"cost": True}}

    answer = (await send("POST", endpoint=endpoint, json=asked)).json()

    assert answer["extensions"] == {"cost": {"operation": n + 2, "allowed": 30}}
    assert ("errors" in answer) == (n == 50)


async def test_the_cost_is_told_to_nobody_else() -> None:
    for extensions in ({}, {"cost": False}, {"cost": "1"}, {"price": True}):
        answer = (await send("POST", json={"query": "{ me }", "extensions": extensions})).json()
        assert answer == {"data": {"me": "nobody"}}, extensions


async def test_an_operation_that_takes_too_long_is_cut() -> None:
    response = await post(make_endpoint(limits=Limits(operation_timeout=0.01)), "{ never }")

    assert (response.status_code, code(response)) == (503, "TIMEOUT")
    assert response.json()["errors"][0]["message"] == "This operation took longer than 0.01 seconds."


async def test_a_schema_keeps_its_own_extensions() -> None:
    class Counted(SchemaExtension):
        def get_results(self) -> dict[str, Any]:
            return {"counted": 1}

    response = await post(make_endpoint(schema=make_schema(extensions=[Counted])), "{ me }")

    assert response.json() == {"data": {"me": "nobody"}, "extensions": {"counted": 1}}


async def test_a_browser_without_a_console_gets_404() -> None:
    response = await send("GET", headers={"accept": BROWSER})

    assert (response.status_code, code(response)) == (404, "NOT_FOUND")
