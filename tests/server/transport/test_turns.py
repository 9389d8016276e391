"""Turns: what takes long comes one at a time, with room in between for what is short."""

import asyncio

import pytest

from server.transport.turns import Turns

pytestmark = pytest.mark.anyio


async def test_a_short_thing_waits_for_one_long_one_at_each_of_its_steps() -> None:
    turns, order = Turns(), list[str]()

    async def long() -> None:
        await turns.mine()
        order.append("long")

    async def short() -> None:
        for _ in range(4):
            order.append("short")
            await asyncio.sleep(0)

    await asyncio.gather(*(long() for _ in range(4)), short())

    assert order.count("long") == 4
    assert all(order[at : at + 2] != ["long", "long"] for at in range(order.index("short"), len(order) - 3)), order


async def test_whoever_does_not_wait_any_longer_keeps_nobody_from_a_turn() -> None:
    turns, order = Turns(), list[int]()

    async def long(number: int) -> None:
        await turns.mine()
        order.append(number)

    tasks = [asyncio.create_task(long(number)) for number in range(5)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    tasks[3].cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(*tasks, return_exceptions=True)
        await long(5)

    assert order == [0, 2, 4, 5]


async def test_where_nobody_is_to_be_made_room_for_a_turn_is_there_at_once() -> None:
    sockets = list[str]()
    turns, order = Turns(sockets.__len__), list[str]()

    async def long() -> None:
        await turns.mine()
        order.append("long")

    async def short() -> None:
        for _ in range(3):
            order.append("short")
            await asyncio.sleep(0)

    await asyncio.gather(*(long() for _ in range(3)), short())
    sockets.append("one")
    await asyncio.gather(*(long() for _ in range(3)), short())

    assert order[:6] == ["long", "long", "long", "short", "short", "short"]
    assert order[6:8] == ["long", "short"], "from now on there is somebody to be made room for"
