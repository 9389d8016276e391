"""What waits to be read has an end; beyond it one resync stands for everything."""

import asyncio

import pytest
from broadcaster import Event

from realtime.backends.inbox import Inbox
from tests.realtime.support import PATIENCE

pytestmark = pytest.mark.anyio


async def take(inbox: Inbox, number: int) -> list[str]:
    async with asyncio.timeout(PATIENCE):
        return [(await inbox.take()).message for _ in range(number)]


async def test_messages_are_taken_in_the_order_they_came() -> None:
    inbox = Inbox({"c"}, size=3)
    for message in "123":
        inbox.put("c", message)

    assert await take(inbox, 3) == ["1", "2", "3"]


async def test_the_message_that_finds_no_room_turns_all_into_one_resync() -> None:
    inbox = Inbox({"c"}, size=3)
    for message in "1234567":
        inbox.put("c", message)

    assert await take(inbox, 1) == ["resync"]
    inbox.put("c", "8")
    assert await take(inbox, 1) == ["8"]


async def test_until_a_resync_is_taken_it_stands_for_what_comes_too() -> None:
    inbox = Inbox({"c"}, size=3)
    inbox.put("c", "1")
    inbox.resync()
    inbox.put("c", "2")
    inbox.resync()

    assert await take(inbox, 1) == ["resync"]
    inbox.put("c", "3")
    assert await take(inbox, 1) == ["3"]


async def test_each_channel_is_told_that_it_missed_something() -> None:
    channels = {"a"}
    inbox = Inbox(channels, size=3)
    channels.add("b")
    inbox.resync()
    async with asyncio.timeout(PATIENCE):
        assert {repr(await inbox.take()), repr(await inbox.take())} == {
            repr(Event("a", "resync")),
            repr(Event("b", "resync")),
        }


async def test_who_comes_first_waits() -> None:
    inbox = Inbox({"c"}, size=3)
    coming = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    assert not coming.done()

    inbox.put("c", "1")

    async with asyncio.timeout(PATIENCE):
        assert await coming == Event("c", "1")
