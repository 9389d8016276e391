"""The safeguards of the product, each broken once, to see that the suite notices.

A mutant is chosen by `FAULTS_MUTANT` and applied by `entry.py`, in processes of the suite alone. Each patches by a name
that must be there: a safeguard that was renamed fails loudly instead of leaving its mutant without a bite.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

import asyncpg
from tortoise.backends.base.client import BaseDBAsyncClient

from realtime import log, tail
from realtime.cursor import NO_EPOCH, Cursor
from realtime.hub import Hub, Pass
from realtime.log import Draft, Event, Position
from realtime.sweep import Sweep
from realtime.tail import Mark, Tail
from realtime.watcher import CaughtUp, ResetReason, Step, Watcher
from resolvers import messages, transaction
from resolvers.context import Context
from server.transport.groups import Group, Member


@dataclass(frozen=True)
class Mutant:
    """`harmless` ones break what is not needed for correctness: the suite must not complain of them."""

    name: str
    says: str
    apply: Callable[[], None]
    harmless: bool = False


MUTANTS: dict[str, Mutant] = {}


def mutant(says: str, *, harmless: bool = False) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def register(apply: Callable[[], None]) -> Callable[[], None]:
        name = apply.__name__
        MUTANTS[name] = Mutant(name, says, apply, harmless)
        return apply

    return register


def instead(owner: Any, name: str, new: Any) -> None:
    """For the life of the process. Raises AttributeError where there is no such thing to replace."""
    mock.patch.object(owner, name, new).start()


# ---- resuming


@mutant("the cursor is one too low: the last event comes again")
def cursor_one_less() -> None:
    original = Watcher._take_place

    def take_place(self: Watcher, after: Cursor | None, at: Position) -> ResetReason | None:
        lost = original(self, after, at)
        self.seq -= after is not None and self.seq > at.floor
        return lost

    instead(Watcher, "_take_place", take_place)


@mutant("the cursor is one too high: the next event is skipped")
def cursor_one_more() -> None:
    original = Watcher._take_place

    def take_place(self: Watcher, after: Cursor | None, at: Position) -> ResetReason | None:
        lost = original(self, after, at)
        self.seq += after is not None and self.seq < at.head
        return lost

    instead(Watcher, "_take_place", take_place)


@mutant("the cursor is ignored: who comes back begins at the head")
def cursor_ignored() -> None:
    original = Watcher._take_place
    instead(Watcher, "_take_place", lambda self, after, at: original(self, None, at))


@mutant("another epoch's numbers are taken for this one's")
def epoch_ignored() -> None:
    take_place, observe = Watcher._take_place, Tail.observe

    def place(self: Watcher, after: Cursor | None, at: Position) -> ResetReason | None:
        return take_place(self, after and Cursor(at.epoch, after.seq), at)

    def observed(self: Tail, at: Position, began: Mark) -> None:
        known = self.epoch if self._ready and self.epoch != NO_EPOCH else at.epoch
        observe(self, at._replace(epoch=known), began)

    instead(Watcher, "_take_place", place)
    instead(Tail, "observe", observed)


@mutant("events that are no longer kept are passed over in silence")
def floor_ignored() -> None:
    original = Watcher._take_place

    def take_place(self: Watcher, after: Cursor | None, at: Position) -> ResetReason | None:
        return original(self, after and Cursor(after.epoch, max(after.seq, at.floor)), at)

    instead(Watcher, "_take_place", take_place)


@mutant("a gap in what was read is passed over in silence")
def gap_ignored() -> None:
    def after(events: list[Event], seq: int) -> list[Event]:
        return [event for event in events if event.seq > seq]

    async def passing_over(self: Tail, seq: int) -> list[Event]:
        return (await self._log.events(self.topic, after=seq, limit=tail.SLICE)).events

    instead(tail, "run_after", after)
    instead(Tail, "after", passing_over)


# ---- from what was stored to what comes


@mutant("what comes while the stored events are replayed is not joined to them")
def live_not_joined() -> None:
    original = Watcher.steps

    async def steps(self: Watcher, *given: Any) -> AsyncGenerator[Step, None]:
        async for step in original(self, *given):
            if isinstance(step, CaughtUp):
                await asyncio.sleep(0.2)  # between the query and the subscription
                self.seq = self._tail.last
            yield step

    instead(Watcher, "steps", steps)


@mutant("a watcher joins its group wherever the group is")
def group_joined_anywhere() -> None:
    original = Group.take

    def take(self: Group, member: Member, seq: int, permission: Pass) -> bool:
        return original(self, member, self.place.seq, permission)

    instead(Group, "take", take)


@mutant("nobody looks for what nobody rang for, not even after a resync")
def never_looks() -> None:
    async def look_if_due(self: Sweep) -> float:
        self._now.clear()
        return 0.1

    instead(Sweep, "_look_if_due", look_if_due)


@mutant("what the doorbell says is believed")
def doorbell_trusted() -> None:
    def kick(self: Tail, seq: int) -> None:
        original(self, seq)
        if self._ready and seq > self.last:
            self.last = seq
            self.wake()

    original = Tail.kick
    instead(Tail, "kick", kick)


# ---- writing


@mutant("numbers are taken outside the transaction")
def numbers_apart() -> None:
    """On PostgreSQL only: SQLite has one writer at a time, and it would wait for itself."""

    async def take_numbers(conn: BaseDBAsyncClient, counts: Mapping[str, int]) -> dict[str, int]:
        rows = [(topic, "0000beef", counts[topic]) for topic in sorted(counts)]
        own = await asyncpg.connect(os.environ["CASEWIRE_DATABASE_URL"], server_settings={"lock_timeout": "2s"})
        try:
            taken = await own.fetch(
                log._sql("postgres", log._TAKE_NUMBERS_POSTGRES), *map(list, zip(*rows, strict=True))
            )
        finally:
            await own.close()
        return {row["topic"]: row["head"] for row in taken}

    instead(log, "_take_numbers", take_numbers)


@mutant("events are announced also when the change was rolled back")
def announced_on_rollback() -> None:
    original = transaction.work_in_transaction

    async def announcing(context: Context, body: Any) -> Any:
        seen: list[transaction.Work] = []

        async def remembered(work: transaction.Work) -> Any:
            seen.append(work)
            return await body(work)

        async def announce(work: transaction.Work) -> None:
            work.drafts += seen[0].drafts

        try:
            return await original(context, remembered)
        except BaseException:
            if seen and seen[0].drafts:
                await original(context, announce)
            raise

    instead(transaction, "work_in_transaction", announcing)


@mutant("events are stored after the change, in a transaction of their own")
def announced_apart() -> None:
    original = transaction.work_in_transaction

    async def in_two_steps(context: Context, body: Any) -> Any:
        drafts: list[Draft] = []

        async def change(work: transaction.Work) -> Any:
            result = await body(work)
            drafts.extend(work.drafts)
            work.drafts.clear()
            return result

        async def announce(work: transaction.Work) -> None:
            work.drafts += drafts

        result = await original(context, change)
        if drafts:
            await original(context, announce)
        return result

    instead(transaction, "work_in_transaction", in_two_steps)


@mutant("the client's key is forgotten: what is sent again is stored again")
def key_forgotten() -> None:
    original = messages.say

    async def not_sent_before(*given: Any) -> None:
        return None

    async def say(work: Any, ctx: Any, ticket: Any, saying: Any) -> Any:
        return await original(work, ctx, ticket, replace(saying, client_message_id=None))

    instead(messages, "_sent_before", not_sent_before)
    instead(messages, "say", say)


@mutant("the doorbell is rung before the commit", harmless=True)
def rung_before_commit() -> None:
    append, start = transaction._append, Hub.start
    hubs: list[Hub] = []

    async def started(self: Hub) -> None:
        hubs.append(self)
        await start(self)

    async def append_and_ring(connection: BaseDBAsyncClient, work: transaction.Work) -> dict[str, int]:
        heads = await append(connection, work)
        for hub in hubs:
            hub.ring(heads)
        await asyncio.sleep(0.005)
        return heads

    instead(Hub, "start", started)
    instead(transaction, "_append", append_and_ring)


@mutant("the ordinary way: subscribe to a channel of the broadcaster, publish after the commit")
def stock() -> None:
    from tests.realtime.faults import stock as control

    control.apply()
