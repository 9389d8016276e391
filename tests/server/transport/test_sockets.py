import asyncio

import pytest

from server.transport.sockets import Sockets
from tests.server.transport.support import within

pytestmark = pytest.mark.anyio


class Peer:
    def __init__(self, *, stalled: bool = False) -> None:
        self.stalled = stalled
        self.closed_with: tuple[int, str] | None = None
        self.gone = asyncio.Event()

    async def close(self, code: int, reason: str) -> None:
        if self.stalled:
            await asyncio.Event().wait()
        self.closed_with = (code, reason)
        self.gone.set()


async def test_a_peer_that_reads_nothing_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.transport.sockets.STALLED_AFTER", 0.02)
    sockets = Sockets()
    peers = [Peer(stalled=True), Peer(), Peer()]
    for peer in peers:
        sockets.add(peer)

    await within(sockets.drain(0.0))

    assert [peer.closed_with for peer in peers] == [None, (1012, "Service restart"), (1012, "Service restart")]


async def test_sockets_are_closed_one_after_another_over_the_time_given() -> None:
    sockets = Sockets()
    peers = [Peer(), Peer()]
    for peer in peers:
        sockets.add(peer)

    draining = asyncio.create_task(sockets.drain(3_600))
    waiting = [asyncio.create_task(peer.gone.wait()) for peer in peers]
    await asyncio.wait(waiting, timeout=2, return_when=asyncio.FIRST_COMPLETED)

    assert sorted(peer.closed_with is None for peer in peers) == [False, True]
    for task in (draining, *waiting):
        task.cancel()


async def test_draining_none_takes_no_time() -> None:
    await within(Sockets().drain(3_600))


def test_a_seat_is_given_back() -> None:
    sockets = Sockets()
    for address in ("a", "a", "b"):
        sockets.sit(address)
    assert (sockets.count_from("a"), sockets.count_from("b")) == (2, 1)

    for address in ("a", "a", "b"):
        sockets.rise(address)
    assert (sockets.count_from("a"), sockets.count_from("b")) == (0, 0)
