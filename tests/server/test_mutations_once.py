"""A mutation runs once, whatever becomes of its answer: over HTTP and on a socket, planned or left to graphql-core."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import models
import schema.mutation
from domain.enums import TicketStatus
from tests.databases import ENGINES
from tests.factories import LONG_AGO
from tests.server.desk import Desk, running_desk
from tests.server.running import http

pytestmark = pytest.mark.anyio

SEND = """mutation($input: MessageSendInput!) { messageSend(input: $input) {
  message { __typename id body sequence actor { displayName } }
  ticket { id subject lastSequence %s }
  errors { __typename code field ... on TicketClosedError { ticket { id reference } } } } }"""
PLAINLY = SEND % ""
REFUSED_FIELD = SEND % "snoozedUntil"
"""Only support may read it, and the refusal has to be worded: no plan can."""


@pytest.fixture(params=ENGINES)
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    async with running_desk(request.param, tmp_path) as desk:
        yield desk


async def posted(desk: Desk, user: models.User, document: str, **variables: Any) -> tuple[int, Any]:
    async with http(desk.served.address, desk.served.token(user)) as client:
        response = await client.post("/graphql", json={"query": document, "variables": variables})
        return response.status_code, response.json()


async def on_a_socket(desk: Desk, user: models.User, document: str, **variables: Any) -> tuple[int, Any]:
    watch = await (await desk.socket(user)).watch(document, **variables)
    message = await watch.message()
    assert message["type"] == "next", message
    assert (await watch.message())["type"] == "complete"
    return 200, message["payload"]


WAYS = [pytest.param(posted, id="http"), pytest.param(on_a_socket, id="socket")]


def given(desk: Desk, body: str = "Hello") -> dict[str, Any]:
    return {"input": {"ticketId": desk.id, "clientMessageId": body, "message": {"body": body}}}


async def said(desk: Desk) -> list[str]:
    return [each.body for each in await models.Message.filter(ticket=desk.ticket).order_by("sequence")]


@pytest.mark.parametrize("ask", WAYS)
async def test_a_payload_is_read_by_a_plan_after_the_commit(desk: Desk, ask: Any) -> None:
    stats = desk.served.fanout.engine.stats
    before = stats["statements"]

    status, answer = await ask(desk, desk.ann, PLAINLY, **given(desk))

    assert status == 200
    payload = answer.pop("data")["messageSend"]
    assert answer == {}
    (message,) = await models.Message.filter(body="Hello")
    assert payload["message"] == {
        "__typename": "ChatMessage",
        "id": f"ChatMessage_{message.id}",
        "body": "Hello",
        "sequence": 2,
        "actor": {"displayName": "Ann"},
    }
    assert payload["ticket"] == {"id": desk.id, "subject": desk.ticket.subject, "lastSequence": 2}
    assert payload["errors"] == []
    the_message, the_ticket = 1, 1
    assert stats["statements"] - before == the_message + the_ticket
    assert (stats["planned"], stats["fallbacks"], stats["bails"]) == (1, 0, 0)
    assert await said(desk) == ["It is broken", "Hello"]


@pytest.mark.parametrize("ask", WAYS)
async def test_what_a_plan_cannot_answer_is_completed_and_not_run_again(desk: Desk, ask: Any) -> None:
    status, answer = await ask(desk, desk.ann, REFUSED_FIELD, **given(desk))

    assert status == 200
    payload = answer["data"]["messageSend"]
    assert (payload["message"]["body"], payload["ticket"]["snoozedUntil"]) == ("Hello", None)
    (error,) = answer["errors"]
    assert error["path"] == ["messageSend", "ticket", "snoozedUntil"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert await said(desk) == ["It is broken", "Hello"]
    assert desk.served.fanout.engine.stats["bails:Bail"] == 1


@pytest.mark.parametrize("ask", WAYS)
async def test_a_refusal_is_planned_too(desk: Desk, ask: Any) -> None:
    await models.Ticket.filter(id=desk.ticket.id).update(status=TicketStatus.CLOSED, closed_at=LONG_AGO)

    status, answer = await ask(desk, desk.ann, PLAINLY, **given(desk))

    assert status == 200
    payload = answer.pop("data")["messageSend"]
    assert (answer, payload["message"], payload["ticket"]) == ({}, None, None)
    closed = {"id": desk.id, "reference": desk.ticket.reference}
    assert payload["errors"] == [
        {"__typename": "TicketClosedError", "code": "TICKET_CLOSED", "field": None, "ticket": closed}
    ]
    assert await said(desk) == ["It is broken"]
    assert desk.served.fanout.engine.stats["planned"] == 1


@pytest.mark.parametrize("ask", WAYS)
async def test_several_fields_run_once_each_and_in_their_order(desk: Desk, ask: Any) -> None:
    document = """mutation($a: MessageSendInput!, $b: MessageSendInput!, $c: MessageSendInput!) {
      a: messageSend(input: $a) { message { body sequence } }
      b: messageSend(input: $b) { message { body sequence } ticket { snoozedUntil } }
      c: messageSend(input: $c) { message { body sequence } } }"""
    variables = {name: given(desk, name)["input"] for name in ("a", "b", "c")}

    _, answer = await ask(desk, desk.ann, document, **variables)

    assert [(key, each["message"]) for key, each in answer["data"].items()] == [
        (name, {"body": name, "sequence": place}) for place, name in enumerate("abc", 2)
    ]
    assert [error["path"] for error in answer["errors"]] == [["b", "ticket", "snoozedUntil"]]
    assert await said(desk) == ["It is broken", "a", "b", "c"]


@pytest.mark.parametrize("ask", WAYS)
async def test_an_error_of_a_resolver_is_masked_and_told_once(
    desk: Desk, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []

    def broken(**given: Any) -> Any:
        calls.append(given)
        raise KeyError("secret")

    monkeypatch.setattr(schema.mutation.payloads, "MessageSendPayload", broken)

    _, answer = await ask(desk, desk.ann, PLAINLY, **given(desk))

    assert answer["data"] is None
    (error,) = answer["errors"]
    assert (error["message"], error["extensions"]["code"]) == ("Something went wrong on our side.", "INTERNAL")
    assert len(calls) == 1
    assert "secret" not in json.dumps(answer)


async def test_whoever_is_not_signed_in_runs_nothing(desk: Desk) -> None:
    async with http(desk.served.address) as client:
        response = await client.post("/graphql", json={"query": PLAINLY, "variables": given(desk)})

    assert [each["extensions"]["code"] for each in response.json()["errors"]] == ["UNAUTHENTICATED"]
    assert await said(desk) == ["It is broken"]


async def test_a_mutation_that_takes_too_long_is_not_begun_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Any] = []

    send = schema.mutation.messages.send_message

    async def slow(*given: Any, **named: Any) -> Any:
        begun.append(given)
        await send(*given, **named)
        await asyncio.Event().wait()

    monkeypatch.setattr(schema.mutation.messages, "send_message", slow)
    object.__setattr__(desk.served.endpoint.limits, "operation_timeout", 0.3)

    status, answer = await posted(desk, desk.ann, PLAINLY, **given(desk))

    assert status == 503
    assert answer["errors"][0]["message"] == "This operation took longer than 0.3 seconds."
    assert len(begun) == 1
    assert await said(desk) == ["It is broken", "Hello"]


async def test_queries_on_a_socket_are_planned_within_the_same_limits(desk: Desk) -> None:
    stats = desk.served.fanout.engine.stats
    document = "query($t: ID!, $n: Int) { ticket(id: $t) { subject messages(first: $n) { nodes { body } } } }"

    _, answer = await on_a_socket(desk, desk.ann, document, t=desk.id, n=5)
    assert answer == {
        "data": {"ticket": {"subject": desk.ticket.subject, "messages": {"nodes": [{"body": "It is broken"}]}}}
    }
    assert (stats["planned"], stats["statements"]) == (1, 2)

    watch = await (await desk.socket(desk.ann)).watch(document, t=desk.id, n=101)
    assert await watch.refused() == ["LIMIT_EXCEEDED"]
    too_deep = f"{{ tickets {{ nodes {{ {'activeEscalation { ticket { ' * 20} id {'} } ' * 20} }} }} }}"
    watch = await (await desk.socket(desk.ann)).watch(too_deep)
    assert await watch.refused() == ["LIMIT_EXCEEDED"]
    watch = await (await desk.socket(desk.ann)).watch("{ nothing }")
    assert await watch.refused() == ["GRAPHQL_VALIDATION_FAILED"]
    assert stats["planned"] == 1
