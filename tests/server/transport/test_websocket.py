"""The endpoint over graphql-transport-ws: every rule of the protocol that Strawberry's own handler does not keep."""

import json
import sys
from typing import Any

import pytest
from strawberry.extensions import SchemaExtension
from structlog.testing import capture_logs

from server.transport.limits import Limits
from server.transport.sockets import Sockets
from server.transport.websocket import Handler
from tests.server.transport.served import wire_of_our_server
from tests.server.transport.support import make_endpoint, make_schema, upgrade, wire

pytestmark = pytest.mark.anyio

ACK = {"type": "connection_ack"}


@pytest.fixture(params=["any ASGI server", "our server"], autouse=True)
def by_either_server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours hands sockets over to the endpoint; any other keeps them itself."""
    if request.param == "our server":
        monkeypatch.setattr(sys.modules[__name__], "wire", wire_of_our_server)


async def test_a_subscription_runs_to_its_own_end() -> None:
    async with wire(make_endpoint()) as client:
        assert await client.init() == ACK
        await client.subscribe("1", "subscription { count(to: 2) }")

        assert [await client.receive() for _ in range(3)] == [
            {"id": "1", "type": "next", "payload": {"data": {"count": "nobody 0 0"}}},
            {"id": "1", "type": "next", "payload": {"data": {"count": "nobody 1 1"}}},
            {"id": "1", "type": "complete"},
        ]


async def test_every_operation_has_a_context_of_its_own() -> None:
    async with wire(make_endpoint()) as client:
        await client.init()
        for id in ("1", "2"):
            await client.subscribe(id, "subscription { count(to: 1) }")

            assert (await client.receive())["payload"] == {"data": {"count": "nobody 0 0"}}
            assert (await client.receive())["type"] == "complete"


async def test_queries_and_mutations_are_answered_too() -> None:
    async with wire(make_endpoint()) as client:
        await client.init(token="ann")
        await client.subscribe("q", "query B($v: Int!) { me double(value: $v) }", variables={"v": 4}, operationName="B")

        assert (await client.receive())["payload"] == {"data": {"me": "ann", "double": 8}}
        assert await client.receive() == {"id": "q", "type": "complete"}


# --- who


@pytest.mark.parametrize(
    "payload",
    [{"authorization": "Bearer ann"}, {"Authorization": "bearer ann"}, {"token": "ann"}, {"TOKEN": "ann", "x": 1}],
)
async def test_the_token_comes_with_connection_init(payload: dict[str, Any]) -> None:
    async with wire(make_endpoint(), authorization="Bearer wrong") as client:
        assert await client.init(**payload) == ACK
        await client.subscribe("1", "{ me }")

        assert (await client.receive())["payload"] == {"data": {"me": "ann"}}


async def test_the_token_may_come_with_the_upgrade() -> None:
    async with wire(make_endpoint(), authorization="Bearer ann") as client:
        await client.init(authorization=None)
        await client.subscribe("1", "{ me }")

        assert (await client.receive())["payload"] == {"data": {"me": "ann"}}


@pytest.mark.parametrize(
    "payload", [{"token": "wrong"}, {"token": ""}, {"token": 7}, {"authorization": "ann"}, {"authorization": ["ann"]}]
)
async def test_a_bad_token_closes_with_the_code_that_clients_retry(payload: dict[str, Any]) -> None:
    async with wire(make_endpoint()) as client:
        await client.send(type="connection_init", payload=payload)

        assert await client.closed() == (4403, "Forbidden")


async def test_an_expired_token_ends_its_socket() -> None:
    async with wire(make_endpoint()) as client:
        assert await client.init(token="expires-in-0.05") == ACK
        await client.subscribe("1", "subscription { silent }")

        assert await client.closed() == (4403, "The token has expired")


async def test_a_socket_that_is_gone_waits_for_no_expiry() -> None:
    endpoint = make_endpoint()
    async with wire(endpoint) as client:
        await client.init(token="expires-in-3600")
        [handler] = endpoint.sockets._open

    assert isinstance(handler, Handler)
    assert handler._time_limit is not None
    assert handler._time_limit.cancelled()


async def test_a_failure_of_ours_asks_to_come_back_and_says_nothing_else() -> None:
    with capture_logs() as logged:
        async with wire(make_endpoint()) as client:
            await client.send(type="connection_init", payload={"token": "broken"})

            assert await client.closed() == (1013, "Try again later")

    assert [entry["event"] for entry in logged] == ["could not authenticate a socket"]


# --- messages


@pytest.mark.parametrize("payload", [None, {}, {"any": ["thing"]}])
async def test_ping_is_answered_with_its_payload(payload: Any) -> None:
    async with wire(make_endpoint()) as client:
        await client.send(type="ping", payload=payload)

        assert await client.receive() == {"type": "pong"} | ({} if payload is None else {"payload": payload})


async def test_null_is_no_payload_and_pong_needs_no_answer() -> None:
    async with wire(make_endpoint()) as client:
        await client.send(type="pong", payload={"late": True})
        await client.send(type="connection_init", payload=None)

        assert await client.receive() == ACK


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "WebSocket message must be valid JSON"),
        ('{"type": "ping", "payload": {"a": NaN}}', "WebSocket message must be valid JSON"),
        ("[" * 5_000 + "]" * 5_000, "WebSocket message must be valid JSON"),
        ("7", "A message must be a JSON object"),
        ("null", "A message must be a JSON object"),
        ("[]", "A message must be a JSON object"),
        ("{}", "A message must have a type"),
        ('{"type": null}', "A message must have a type"),
        ('{"type": {}}', "A message must have a type"),
        ('{"type": "next"}', "Unknown message type: next"),
        ('{"type": "' + "é" * 100 + '"}', "Unknown message type: " + "é" * 49),
        ('{"type": "ping", "payload": 1}', "Invalid ping message: payload must be an object"),
        ('{"type": "connection_init", "payload": []}', "Invalid connection_init message: payload must be an object"),
        ('{"type": "complete"}', "Invalid complete message: id must be a string that is not empty"),
        ('{"type": "complete", "id": []}', "Invalid complete message: id must be a string that is not empty"),
        ('{"type": "subscribe"}', "Invalid subscribe message: id must be a string that is not empty"),
        (
            '{"type": "subscribe", "id": 1, "payload": {"query": "{ me }"}}',
            "Invalid subscribe message: id must be a string that is not empty",
        ),
        (
            '{"type": "subscribe", "id": "", "payload": {"query": "{ me }"}}',
            "Invalid subscribe message: id must be a string that is not empty",
        ),
        ('{"type": "subscribe", "id": "1"}', "Invalid subscribe message: payload must be an object"),
        (
            '{"type": "subscribe", "id": "1", "payload": {}}',
            "Invalid subscribe message: payload.query must be a string",
        ),
        (
            '{"type": "subscribe", "id": "1", "payload": {"query": "{ me }", "variables": []}}',
            "Invalid subscribe message: payload.variables must be an object",
        ),
        (
            '{"type": "subscribe", "id": "1", "payload": {"query": "{ me }", "operationName": {}}}',
            "Invalid subscribe message: payload.operationName must be a string",
        ),
        (
            '{"type": "subscribe", "id": "1", "payload": {"query": "{ me }", "extensions": "x"}}',
            "Invalid subscribe message: payload.extensions must be an object",
        ),
    ],
)
async def test_a_malformed_message_is_told_what_is_wrong(text: str, reason: str) -> None:
    with capture_logs() as logged:
        async with wire(make_endpoint()) as client:
            await client.init()
            await client.session.send_text(text)

            assert await client.closed() == (4400, reason)

    assert logged == []


async def test_bytes_are_no_messages() -> None:
    async with wire(make_endpoint()) as client:
        await client.session.send_bytes(b'{"type": "connection_init"}')

        assert await client.closed() == (4400, "WebSocket message type must be text")


async def test_nothing_may_be_asked_before_the_acknowledgement() -> None:
    async with wire(make_endpoint()) as client:
        await client.subscribe("1", "{ me }")

        assert await client.closed() == (4401, "Unauthorized")


async def test_there_is_one_init() -> None:
    async with wire(make_endpoint()) as client:
        await client.init()
        await client.send(type="connection_init")

        assert await client.closed() == (4429, "Too many initialisation requests")


async def test_a_silent_socket_is_closed() -> None:
    async with wire(make_endpoint(limits=Limits(init_timeout=0.01))) as client:
        assert await client.closed() == (4408, "Connection initialisation timeout")


async def test_an_id_can_be_used_once_at_a_time() -> None:
    id = "x" * 200
    async with wire(make_endpoint()) as client:
        await client.init()
        await client.subscribe(id, "subscription { silent }")
        await client.subscribe(id, "subscription { silent }")

        assert await client.closed() == (4409, ("Subscriber for " + id)[:120])


async def test_an_id_is_free_again_after_complete() -> None:
    async with wire(make_endpoint()) as client:
        await client.init()
        await client.subscribe("1", "subscription { silent }")
        await client.send(type="complete", id="1")
        await client.send(type="complete", id="never heard of")
        await client.subscribe("1", "{ me }")

        assert await client.receive() == {"id": "1", "type": "next", "payload": {"data": {"me": "nobody"}}}


@pytest.mark.parametrize("protocol", ["graphql-ws", "something"])
async def test_other_protocols_are_not_spoken(protocol: str) -> None:
    async with wire(make_endpoint(), protocol=protocol) as client:
        assert await client.closed() == (4406, "Subprotocol not acceptable")


# --- operations that fail


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"query": "{ me"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nope }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": ""}, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": "fragment A on Query { me }"}, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": "{ me }", "operationName": "A"}, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": "query A { me } query B { me }"}, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": "query ($v: Int!) { double(value: $v) }"}, "BAD_USER_INPUT"),
        ({"query": "subscription ($v: Int!) { count(to: $v) }"}, "BAD_USER_INPUT"),
        ({"query": "{ " + "me " * 3_000 + "}"}, "LIMIT_EXCEEDED"),
        ({"query": "{ box { boxes(first: 1000) { nodes { name } } } }"}, "LIMIT_EXCEEDED"),
        ({"query": "{ never }"}, "TIMEOUT"),
        ({"query": "subscription { fails(after: 0) }"}, "INTERNAL"),
        ({"query": "subscription { fails(after: 0, refused: true) }"}, "NOT_FOUND"),
    ],
)
async def test_a_failed_operation_is_an_error_of_its_own_and_the_others_go_on(
    payload: dict[str, Any], code: str
) -> None:
    with capture_logs():
        async with wire(make_endpoint(limits=Limits(operation_timeout=0.05))) as client:
            await client.init()
            await client.send(type="subscribe", id="bad", payload=payload)
            failed = await client.receive()
            await client.subscribe("good", "{ me }")
            good = await client.receive()

    assert (failed["id"], failed["type"]) == ("bad", "error")
    assert failed["payload"][0]["extensions"]["code"] == code
    assert good["payload"] == {"data": {"me": "nobody"}}


async def test_a_subscription_that_fails_half_way_ends_with_error_and_not_with_complete() -> None:
    with capture_logs() as logged:
        async with wire(make_endpoint()) as client:
            await client.init()
            await client.subscribe("1", "subscription { fails(after: 1) }")
            event, failed = await client.receive(), await client.receive()
            await client.subscribe("1", "{ me }")
            after = await client.receive()

    assert event == {"id": "1", "type": "next", "payload": {"data": {"fails": 0}}}
    assert (failed["id"], failed["type"]) == ("1", "error")
    assert failed["payload"] == [
        {
            "message": "Something went wrong on our side.",
            "extensions": {"code": "INTERNAL", "errorId": logged[0]["error_id"]},
        }
    ]
    assert after["type"] == "next"


async def test_a_field_that_fails_in_an_event_does_not_end_the_subscription() -> None:
    with capture_logs():
        async with wire(make_endpoint()) as client:
            await client.init()
            await client.subscribe("1", "subscription { boxes(count: 2) { name broken } }")
            one, two, end = [await client.receive() for _ in range(3)]

    assert [frame["payload"]["data"] for frame in (one, two)] == [
        {"boxes": {"name": "0", "broken": None}},
        {"boxes": {"name": "1", "broken": None}},
    ]
    assert one["payload"]["errors"][0]["message"] == "Something went wrong on our side."
    assert end == {"id": "1", "type": "complete"}


async def test_what_an_extension_raises_is_an_error_frame() -> None:
    class Broken(SchemaExtension):
        def on_operation(self) -> Any:
            raise RuntimeError("secret of an extension")
            yield

    with capture_logs():
        async with wire(make_endpoint(schema=make_schema(extensions=[Broken]))) as client:
            await client.init()
            await client.subscribe("1", "{ me }")
            failed = await client.receive()

    assert (failed["type"], failed["payload"][0]["extensions"]["code"]) == ("error", "INTERNAL")


async def test_the_extensions_of_a_request_reach_the_schema() -> None:
    class Echo(SchemaExtension):
        def get_results(self) -> dict[str, Any]:
            return {"echo": self.execution_context.operation_extensions}

    async with wire(make_endpoint(schema=make_schema(extensions=[Echo]))) as client:
        await client.init()
        await client.subscribe("1", "{ me }", extensions={"trace": 1})

        assert (await client.receive())["payload"]["extensions"] == {"echo": {"trace": 1}}


async def test_one_operation_too_many_is_refused_and_the_others_go_on() -> None:
    async with wire(make_endpoint(limits=Limits(max_operations_per_socket=2))) as client:
        await client.init()
        for id in ("1", "2", "3"):
            await client.subscribe(id, "subscription { silent }")
        refused = await client.receive()
        await client.send(type="complete", id="1")
        await client.subscribe("3", "{ me }")

        assert (refused["id"], refused["type"]) == ("3", "error")
        assert refused["payload"][0]["extensions"] == {"code": "LIMIT_EXCEEDED", "allowed": 2, "reached": 3}
        assert (await client.receive())["payload"] == {"data": {"me": "nobody"}}


# --- the sockets of a process


async def test_sockets_are_counted_and_forgotten() -> None:
    endpoint = make_endpoint()
    async with wire(endpoint) as one, wire(endpoint) as two:
        await one.init()
        await two.init()

        assert len(endpoint.sockets) == 2
        assert endpoint.sockets.count_from("127.0.0.1") == 2

    assert len(endpoint.sockets) == 0
    assert endpoint.sockets.count_from("127.0.0.1") == 0


async def test_one_address_may_not_take_them_all() -> None:
    endpoint = make_endpoint(limits=Limits(max_sockets_per_address=1))
    async with wire(endpoint) as client:
        await client.init()

        refused = await upgrade(endpoint)

        assert (refused["type"], refused["status"]) == ("websocket.http.response.start", 429)
        await client.send(type="ping")
        assert await client.receive() == {"type": "pong"}


@pytest.mark.parametrize(
    ("origin", "welcome"),
    [("http://test", True), ("https://app.example", True), ("https://evil.example", False), ("null", False)],
)
async def test_pages_of_other_origins_need_to_be_listed(origin: str, welcome: bool) -> None:
    endpoint = make_endpoint(allowed_origins=["https://app.example"])

    answer = await upgrade(endpoint, origin=origin)

    assert answer["type"] == ("websocket.accept" if welcome else "websocket.close")


async def test_draining_sends_everybody_away_to_come_back_and_lets_nobody_in() -> None:
    sockets = Sockets()
    endpoint = make_endpoint(sockets=sockets)
    async with wire(endpoint) as one, wire(endpoint) as two:
        for client in (one, two):
            await client.init()
            await client.subscribe("1", "subscription { silent }")

        await sockets.drain(0.02)

        assert [await client.closed() for client in (one, two)] == [(1012, "Service restart")] * 2
        assert (await upgrade(endpoint))["status"] == 503


async def test_text_that_is_not_ascii_arrives_as_text() -> None:
    async with wire(make_endpoint()) as client:
        await client.init()
        await client.subscribe("1", "mutation ($n: String!) { rename(name: $n) }", variables={"n": "città €"})
        frame = await client.session.receive_text()

    assert json.loads(frame)["payload"] == {"data": {"rename": "città €"}}
