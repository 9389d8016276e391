"""What no client of good will sends, over TCP: an answer to act on, never a fault of ours, and no trace (J9)."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed

from server import sweeps
from tests.api.bad_input import Asked, mutation, queries, subscriptions
from tests.api.test_mutation_permissions import MUTATIONS, who_may
from tests.api.test_nodes_and_scalars import one_of_everything
from tests.api.world import World, gid, make_world, nothing_changes
from tests.databases import ENGINES, fresh_database
from tests.server.running import Served, http, serving, settings_for

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

Desk = tuple[Served, World]

SEND = """mutation($t: ID!, $b: Markdown!) {
  messageSend(input: {ticketId: $t, clientMessageId: "1", message: {body: $b}}) { errors { code } } }"""
FIND = "query($f: TicketFilter) { tickets(scope: ALL, filter: $f) { totalCount } }"


@pytest.fixture(params=ENGINES)
async def desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """A server at which nothing happens by itself."""
    monkeypatch.setattr(sweeps, "EVERY", timedelta(hours=1))
    monkeypatch.setattr(logging.getLogger("strawberry.execution"), "disabled", True)
    async with (
        fresh_database(request.param, tmp_path) as url,
        serving(settings_for(url, tmp_path, max_operations_per_socket=1000)) as served,
    ):
        yield served, await make_world()


async def refusal(client: httpx2.AsyncClient, body: bytes) -> tuple[int, str]:
    """The status, and the code of the first error."""
    response = await client.post("/graphql", content=body, headers={"content-type": "application/json"})
    answer = response.json()
    errors = answer.get("errors") or next(iter(answer["data"].values()))["errors"]
    return response.status_code, errors[0].get("code") or errors[0]["extensions"]["code"]


def nested(depth: int) -> str:
    return '{"not":' * depth + "{}" + "}" * depth


async def test_a_request_beyond_all_bounds_is_refused(desk: Desk) -> None:
    served, world = desk
    ticket, text = gid(world.ticket), "x" * 10_000_000
    lists = {"or": [{"statuses": ["OPEN"]}] * 10_000}
    ids = {"requesterIds": [gid(world["author"])] * 10_000}
    sent: list[tuple[str, bytes, set[int], str]] = [
        ("10 MB", as_bytes(SEND, t=ticket, b=text), {413}, "LIMIT_EXCEEDED"),
        ("nearly 1 MB", as_bytes(SEND, t=ticket, b=text[:900_000]), {200}, "INVALID"),
        ("a document of 900 kB", as_bytes("{ a " + " a" * 450_000 + "}"), {200, 400}, "LIMIT_EXCEEDED"),
        (
            "fields 200 deep",
            as_bytes("{ viewer " + "{ user " * 200 + "{ id }" + "}" * 201),
            {200, 400},
            "LIMIT_EXCEEDED",
        ),
        ("filters 6 deep", filters(nested(7)), {200}, "INVALID"),
        ("filters 300 deep", filters(nested(300)), {200}, "LIMIT_EXCEEDED"),
        ("filters 100 000 deep", filters(nested(100_000)), {400}, "BAD_REQUEST"),
        ("a list 100 000 deep", filters("[" * 100_000 + "]" * 100_000), {400}, "BAD_REQUEST"),
        ("10 000 conditions", as_bytes(FIND, f=lists), {200}, "LIMIT_EXCEEDED"),
        ("10 000 ids", as_bytes(FIND, f=ids), {200}, "INVALID"),
        ("no JSON", b'{"query": "{ a }"', {400}, "BAD_REQUEST"),
        ("no UTF-8", b'{"query": "\xff"}', {400}, "BAD_REQUEST"),
        ("no object", b"[]", {400}, "BAD_REQUEST"),
        ("nothing", b"", {400}, "BAD_REQUEST"),
        ("a number of 4 000 digits", filters("1" * 4_000), {400}, "BAD_REQUEST"),
    ]
    found = []

    async with http(served.address, served.token(world["author"])) as client, nothing_changes():
        for name, body, statuses, code in sent:
            status, told = await refusal(client, body)
            if status not in statuses or told != code:
                found.append((name, status, told))
    assert found == []


async def test_no_text_that_cannot_be_kept_passes_either_way_of_writing_it(desk: Desk) -> None:
    """NUL and a lone surrogate, as JSON's escapes and in the document itself."""
    served, world = desk
    async with http(served.address, served.token(world["author"])) as client, nothing_changes():
        for text in ("\\u0000", "a\\ud800b", "\\udc00", "\\u001b"):
            body = f'{{"query": {json.dumps(SEND)}, "variables": {{"t": "{gid(world.ticket)}", "b": "{text}"}}}}'
            status, code = await refusal(client, body.encode())
            assert (status, code) in {(200, "INVALID"), (400, "BAD_REQUEST")}, text
            inline = SEND.replace("$t: ID!, $b: Markdown!", "$t: ID!").replace("$b", f'"{text}"')
            body = f'{{"query": {json.dumps(inline)}, "variables": {{"t": "{gid(world.ticket)}"}}}}'
            status, code = await refusal(client, body.encode())
            assert (status, code) in {(200, "INVALID"), (200, "GRAPHQL_PARSE_FAILED")}, text


async def test_every_operation_over_http_refuses_what_is_no_value(desk: Desk) -> None:
    served, world = desk
    ids = {name: gid(row) for name, row in (await one_of_everything(world)).items()}
    asked = [("chief", each) for each in queries(ids)]
    asked += [
        (who_may(name), mutation(name, {"agent": gid(world["agent"]), **await prepare(world)}))
        for name, (prepare, _) in MUTATIONS.items()
    ]
    found = []

    async with nothing_changes():
        for who, each in asked:
            async with http(served.address, served.token(world[who])) as client:
                for leaf in each.leaves():
                    value = next((value for value in leaf.wrong() if is_json(value)), None)
                    if value is None:
                        continue
                    sent = {"query": each.document, "variables": each.given(leaf, value)}
                    status, code = await refusal(client, json.dumps(sent).encode())
                    if status not in (200, 400) or code in ("INTERNAL", "TIMEOUT"):
                        found.append((each.name, leaf.path, value, status, code))
    assert found == []


async def test_every_subscription_refuses_what_is_no_value(desk: Desk) -> None:
    served, world = desk
    ids = {name: gid(row) for name, row in (await one_of_everything(world)).items()}
    found = []

    async with served.socket(world["chief"]) as socket, nothing_changes():
        for asked in subscriptions(ids):
            for leaf in asked.leaves():
                for value in (each for each in leaf.wrong() if is_json(each)):
                    watch = await socket.watch(asked.document, **asked.given(leaf, value))
                    message = await watch.message()
                    if message["type"] != "error" or not codes(message) <= CODES:
                        found.append((asked.name, leaf.path, str(value)[:80], message))
                        await watch.stop()
        watch = await socket.watch("query { viewer { user { displayName } } }")
        assert await watch.next() == {"user": {"displayName": "chief"}}, "the socket has lived through all of it"
    assert found == []


async def test_every_mutation_over_a_socket_refuses_what_is_no_value(desk: Desk) -> None:
    """All of them over one socket for each person, which lives through all of it."""
    served, world = desk
    asked: dict[str, list[Asked]] = {}
    for name, (prepare, _) in MUTATIONS.items():
        given = mutation(name, {"agent": gid(world["agent"]), **await prepare(world)})
        asked.setdefault(who_may(name), []).append(given)
    found, tried = [], set()

    async with nothing_changes():
        for who, each_of in asked.items():
            async with served.socket(world[who]) as socket:
                for each in each_of:
                    for leaf in each.leaves():
                        for value in [value for value in leaf.wrong() if is_small(value)][:3]:
                            watch = await socket.watch(each.document, **each.given(leaf, value))
                            told = codes_of_mutation(await watch.message())
                            tried.add(each.name)
                            if not told or not told <= CODES | BY_THE_CLOCK:
                                found.append((each.name, leaf.path, value, told))
                watch = await socket.watch("query { viewer { user { displayName } } }")
                assert await watch.next() == {"user": {"displayName": who}}
    assert found == []
    assert tried == MUTATIONS.keys()


async def test_a_mutation_too_large_for_a_socket_closes_it_and_changes_nothing(desk: Desk) -> None:
    served, world = desk
    given = {"t": gid(world.ticket), "b": "x" * 10_000_000}

    async with served.socket(world["author"]) as socket, served.socket(world["agent"]) as other, nothing_changes():
        with suppress(ConnectionClosed):  # the server may hang up before all of it is sent
            await socket.watch(SEND, **given)
        assert await socket.closed() in (1009, 1006), "too big; a reset can overtake the reason"
        watch = await other.watch("query { viewer { user { displayName } } }")
        assert await watch.next() == {"user": {"displayName": "agent"}}


BY_THE_CLOCK = {"REOPEN_WINDOW_EXPIRED"}
"""A ticket that was resolved in March is looked at before what is said on it; this server has the clock of the day."""


def is_small(value: Any) -> bool:
    """Whether it fits into one message of a socket."""
    return is_json(value) and len(json.dumps(value)) < 40_000


def codes_of_mutation(message: Any) -> set[str]:
    """What an operation was refused with, as a whole or in its payload."""
    if message["type"] == "error":
        return codes(message)
    payload = message["payload"]
    if payload.get("errors"):
        return {error["extensions"]["code"] for error in payload["errors"]}
    (found,) = payload["data"].values()
    return {error["code"] for error in found["errors"]}


CODES = {"INVALID", "REQUIRED", "BAD_USER_INPUT", "NOT_FOUND"}


def codes(message: Any) -> set[str]:
    return {error["extensions"]["code"] for error in message["payload"]}


def is_json(value: Any) -> bool:
    """Whether a client can say it in JSON, and in a request of decent size."""
    try:
        return len(json.dumps(value, allow_nan=False)) < 400_000
    except ValueError:
        return False


def as_bytes(document: str, **variables: Any) -> bytes:
    return json.dumps({"query": document, "variables": variables}).encode()


def filters(value: str) -> bytes:
    return f'{{"query": {json.dumps(FIND)}, "variables": {{"f": {value}}}}}'.encode()
