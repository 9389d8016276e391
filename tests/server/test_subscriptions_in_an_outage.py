"""While the database is away: who cannot be served is sent away to come back, and then has missed nothing."""

from collections.abc import AsyncIterator
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from engine.streaming import StreamPlan
from server.auth.authenticator import Authenticator
from tests.server.desk import Desk, running_desk

pytestmark = pytest.mark.anyio

TICKET = "subscription($t: ID!) { ticket(ticketId: $t) { __typename ... on TicketChange { cursor } } }"

TRY_AGAIN_LATER = 1013


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with running_desk("sqlite", tmp_path) as desk:
        yield desk


def away(times: int, then: Any) -> Any:
    """A function that the database does not answer so many times."""
    left = iter(range(times))

    def ask(*given: Any, **named: Any) -> Any:
        if next(left, None) is not None:
            raise asyncpg.CannotConnectNowError("the database system is starting up")
        return then(*given, **named)

    async def ask_and_wait(*given: Any, **named: Any) -> Any:
        return await ask(*given, **named)

    return ask_and_wait if iscoroutinefunction(then) else ask


async def test_an_event_that_cannot_be_read_is_told_to_whoever_comes_back_for_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (watch,) = await desk.members(desk.ann, 1)
    monkeypatch.setattr(StreamPlan, "payload", away(2, StreamPlan.payload))

    await desk.say("one", "two")

    assert await watch.socket.closed() == TRY_AGAIN_LATER
    again = await desk.watch(desk.ann, after=watch.cursor)
    assert await again.bodies(2) == ["one", "two"]


async def test_a_subscription_that_cannot_begin_is_sent_away_to_come_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = await desk.socket(desk.ann)
    monkeypatch.setattr(Authenticator, "__call__", away(1, Authenticator.__call__))

    await socket.watch(TICKET, t=desk.id)

    assert await socket.closed() == TRY_AGAIN_LATER
