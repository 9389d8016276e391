"""The cursor of an item of the timeline resumes the streams of its ticket (J1, S49)."""

from typing import Any

import pytest

import models
from models.database import writer
from realtime import log
from resolvers.streams import streams_of
from resolvers.transaction import run_in_transaction
from tests.api.operations import note, on_ticket, send
from tests.api.world import gid
from tests.client import Client
from tests.conftest import AsUser
from tests.factories import make_member, make_message, make_organization, make_staff, make_ticket

pytestmark = pytest.mark.anyio

ITEMS = "query($t: ID!) { ticket(id: $t) { timeline(first: 50) { nodes { cursor sequence } } } }"
WATCH = """subscription($t: ID!, $a: Cursor) { ticket(ticketId: $t, after: $a) {
  ... on StreamCaughtUp { cursor } ... on StreamReset { reason } ... on TicketChange { item { sequence } } } }"""
MESSAGES = """subscription($t: ID!, $a: Cursor) { messages(ticketId: $t, after: $a) {
  ... on StreamCaughtUp { cursor } ... on StreamReset { reason } ... on MessageChange { message { body } } } }"""


async def cursors(client: Client, ticket: models.Ticket) -> list[str]:
    return [each["cursor"] for each in (await client.ask(ITEMS, t=gid(ticket)))["ticket"]["timeline"]["nodes"]]


async def replayed(client: Client, document: str, ticket: models.Ticket, after: str) -> list[Any]:
    """What comes before the stream has caught up."""
    found: list[Any] = []
    async with client.watch(document, t=gid(ticket), a=after) as stream:
        while "cursor" not in (item := await stream.next()):
            found.append(item)
    return found


async def test_a_stream_goes_on_after_any_item(as_user: AsUser) -> None:
    acme = await make_organization()
    ann, agent = as_user(await make_member(acme)), as_user(await make_staff())
    ticket = await make_ticket(acme, ann.user)
    await send(ann, ticket, "one")
    await send(agent, ticket, "two")
    await note(agent, ticket, "for us", visibility="INTERNAL")
    await send(ann, ticket, "three")
    await on_ticket(agent, "ticketResolve", ticket)

    for client in (ann, agent):
        places = await cursors(client, ticket)
        for number, place in enumerate(places, 1):
            told = [each["item"]["sequence"] for each in await replayed(client, WATCH, ticket, place)]
            assert told == list(range(number + 1, len(places) + 1))
    bodies = [
        each["message"]["body"] for each in await replayed(ann, MESSAGES, ticket, (await cursors(ann, ticket))[0])
    ]
    assert bodies == ["two", "three"]


async def test_a_place_that_cannot_be_resumed_says_so(as_user: AsUser) -> None:
    acme = await make_organization()
    ann, agent = as_user(await make_member(acme)), as_user(await make_staff())
    ticket, other = await make_ticket(acme, ann.user), await make_ticket(acme, ann.user)
    await make_message(ticket, ann.user, "never announced")
    await send(ann, ticket, "one")
    await send(ann, ticket, "two")
    await send(ann, other, "elsewhere")
    unknown, first, *_ = await cursors(ann, ticket)

    for place in (unknown, (await cursors(ann, other))[0]):
        assert await replayed(ann, WATCH, ticket, place) == [{"reason": "CURSOR_INVALID"}]
    async with ann.watch(WATCH, t=gid(ticket), a=(await cursors(agent, ticket))[0]) as stream:
        _, errors = await stream.result()
        assert [(each.extensions or {}).get("code") for each in errors] == ["INVALID"]

    async def compact() -> None:
        for topic in streams_of(ticket.id):
            await log.compact(writer(), topic, keep=1)

    await run_in_transaction(compact)
    assert await replayed(ann, WATCH, ticket, first) == [{"reason": "CURSOR_TOO_OLD"}]
