"""Groups of subscribers who follow alike and are at the same place: what is told to one is told to all, in one payload.

No task, queue or generator is left per subscriber, nor per group: `server.transport.rounds` tells them.
"""

import asyncio
import random
import struct
from collections.abc import Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import structlog

from domain.errors import DomainError
from engine.declare import Following
from engine.executing import Operation
from engine.streaming import StreamPlan
from realtime.access import ACCESS_CHANGE, Interest
from realtime.cursor import Cursor
from realtime.hub import Moved, Pass
from realtime.log import Event
from realtime.reader import patiently
from realtime.seat import Seat

if TYPE_CHECKING:
    from server.transport.fanout import Fanout
    from server.transport.websocket import Handler, SafeOperation

WRITES_BEFORE_YIELD = 200
"""Sockets written to before others get their turn: some 2 ms."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Stream:
    """What a subscriber follows: a plan with its variables, a topic with its guard, and the socket's protocol."""

    operation: Operation
    given: Mapping[str, Any]
    plan: StreamPlan
    variables: Mapping[str, Any]
    following: Following
    protocol: Any

    def tells_of(self, event: Event) -> bool:
        return event.kind in self.plan.declared.kinds and self.following.wanted(event)


@dataclass(eq=False, slots=True, weakref_slot=True)
class Making:
    """What is made of rows: one for all groups that have the same made of them, whichever topic they follow."""

    key: Hashable


@dataclass(eq=False, slots=True)
class Member:
    """A subscriber. It has a task of its own while it catches up, and none while it is in a group."""

    handler: "Handler"
    operation: "SafeOperation"
    stream: Stream
    context: Any
    prefix: bytes
    group: "Group | None" = None
    interest: Interest | None = None
    caught_up: bool = False

    def write(self, tail: bytes) -> bool:
        """Send a payload whose envelope ends in `tail`; False where the socket has not taken what went before."""
        protocol = self.stream.protocol
        transport = protocol.transport
        if protocol.disconnected or protocol.close_sent or self.handler.is_shut or transport.is_closing():
            return True  # it is about to leave by itself
        if not protocol.writable.is_set():
            return False
        prefix = self.prefix
        transport.write(frame_head(len(prefix) + len(tail)) + prefix + tail)
        return True

    def leave(self) -> None:
        if self.group is not None:
            self.group.remove(self)


@dataclass(eq=False, slots=True)
class Group:
    """Those who follow alike and are at the same `place`. The first of them stands for all: `stream`, `viewer`."""

    fanout: "Fanout"
    key: Hashable
    stream: Stream
    viewer: Any
    making: Making
    epoch: str
    seq: int
    """Of the event that everybody was told last. With the epoch it is the place where all are."""
    members: dict[Member, None] = field(default_factory=dict)
    arriving: dict[int, dict[Member, None]] = field(default_factory=dict)
    told: set[Member] = field(default_factory=set)
    """Those who have been sent the event after that already, while it is being sent."""
    has_ended: bool = False
    _seat: Seat | None = None
    _asking: asyncio.Task[None] | None = None
    _next_asking: asyncio.TimerHandle | None = None
    _answered: float = 0.0
    """When it was last begun to ask for everybody, so that everybody was answered."""
    _asked_before: int = 0
    """The number of the last change of access in this topic before which everybody was asked for."""

    # ---- beginning and ending

    def begin(self) -> bool:
        """Follow from here on; whether the place is one to follow from. Whoever joins has been asked about just now."""
        self._seat = self.fanout.hub.sit(self.stream.following.topic, self.place, self._has_news)
        if self._seat is None:
            return False
        self.fanout.groups[self.key] = self
        self._ask_later(asyncio.get_running_loop().time())
        if self._seat.has_more:
            self._has_news()
        return True

    def end(self) -> None:
        """Nobody is left, or is to be."""
        if self.has_ended:
            return
        self.has_ended = True
        self.fanout.groups.pop(self.key, None)
        if self._seat is not None:
            self.fanout.hub.rise(self.stream.following.topic, self._seat)
        if self._next_asking is not None:
            self._next_asking.cancel()
        if self._asking is not None and self._asking is not asyncio.current_task():
            self._asking.cancel()

    def dissolve(self) -> None:
        """Everybody follows by itself from where it is."""
        for member in self.everybody():
            self.send_out(member)
        self.end()

    # ---- who is in it

    def take(self, member: Member, seq: int, permission: Pass) -> bool:
        """Whether a member that is at `seq` is in the group from here on, or as soon as the group comes there.

        A change of access that concerns it sends it out again, so that it is asked about before its next event.
        """
        if seq < self.seq or permission.is_stale:
            return False
        member.group = self
        member.interest = Interest(permission.subjects, partial(self.send_out, member))
        self.fanout.hub.access.add(member.interest)
        here = self.members if seq == self.seq else self.arriving.setdefault(seq, {})
        here[member] = None
        return True

    def remove(self, member: Member) -> None:
        """Let a member go; with the last one the group ends."""
        member.group = None
        if member.interest is not None:
            self.fanout.hub.access.discard(member.interest)
        self.members.pop(member, None)
        for waiting in self.arriving.values():
            waiting.pop(member, None)
        if not self.members and not any(self.arriving.values()):
            self.end()

    def send_out(self, member: Member) -> None:
        """Let a member follow by itself from where it is. Its access is asked about first."""
        if member.group is self:
            self.fanout.go_alone(member, self._place_of(member))

    def everybody(self) -> list[Member]:
        """All members, those who are still arriving too."""
        return [*self.members, *(member for waiting in self.arriving.values() for member in waiting)]

    @property
    def place(self) -> Cursor:
        return Cursor(self.epoch, self.seq)

    def place_after(self, event: Event) -> Cursor:
        return Cursor(self.epoch, event.seq)

    def _place_of(self, member: Member) -> Cursor:
        arrived = next((seq for seq, waiting in self.arriving.items() if member in waiting), self.seq)
        return Cursor(self.epoch, self.seq + 1 if member in self.told else max(arrived, self.seq))

    # ---- what is told

    def next_event(self) -> Event | None:
        """The next event to tell of; what is not to be told is passed over. None where there is none for now."""
        while not self.has_ended and not self._must_wait():
            assert self._seat is not None
            event = self._seat.next_event()
            if event is None:
                if self._seat.has_more:
                    self.dissolve()  # it is not at hand any more: whoever follows by itself finds out what became of it
                return None
            if event.kind == ACCESS_CHANGE and self._asked_before < event.seq:
                self._ask(before=event.seq)
            elif self.stream.tells_of(event):
                return event
            else:
                self._pass(event)
        return None

    def send(self, tail: bytes) -> bool:
        """Write to the members who have not been told of the next event, and say whether that is all of them. Others
        are to have their turn where it is not; whoever joins meanwhile is at the place before this event, too.

        `tail` is the payload with the end of its envelope.
        """
        rounds = self.fanout.rounds
        for member in list(self.members):
            if member in self.told:
                continue
            if rounds.written >= WRITES_BEFORE_YIELD:
                return False
            rounds.written += 1
            if member.write(tail):
                self.told.add(member)
                self.fanout.deliveries += 1
            else:
                self.send_out(member)
        return True

    def go_on(self, event: Event) -> None:
        """Be at the place after this event, of which everybody has been told. Nothing may be awaited in between."""
        if not self.has_ended:
            self._pass(event)
            if self._seat is not None and self._seat.has_more:
                self._has_news()

    def _pass(self, event: Event) -> None:
        assert self._seat is not None
        self._seat.seq = self.seq = event.seq
        self.told.clear()
        if self.arriving:
            self.members |= self.arriving.pop(event.seq, {})

    def _has_news(self) -> None:
        self.fanout.rounds.want(self)

    # ---- whether they may still be told

    def _must_wait(self) -> bool:
        """Nothing is told while a change of access in the topic itself has everybody asked about, nor once the last
        answers are older than they may be."""
        if self._asking is None:
            return False
        overdue = asyncio.get_running_loop().time() - self._answered >= self.fanout.hub.recheck
        return overdue or self._next_is_change_of_access()

    def _next_is_change_of_access(self) -> bool:
        event = self._seat.next_event() if self._seat else None
        return event is not None and event.kind == ACCESS_CHANGE and self._asked_before < event.seq

    def _ask_later(self, answered: float) -> None:
        """Begin to ask early enough that all are answered in time: one after another, while the others are told."""
        self._answered = answered
        loop, soon = asyncio.get_running_loop(), self.fanout.hub.recheck * random.uniform(0.6, 0.8)
        self._next_asking = loop.call_later(soon, self._ask)

    def _ask(self, before: int = 0) -> None:
        """Ask for every member whether it may still follow, and whether it still follows alike."""
        if self._asking is None and not self.has_ended:
            self._asking = self.fanout.start(self._ask_for_everybody(before))

    async def _ask_for_everybody(self, before: int) -> None:
        if self._next_asking is not None:
            self._next_asking.cancel()
        began = asyncio.get_running_loop().time()
        try:
            for member in self.everybody():
                await self._ask_for(member)
        except Exception:
            log.exception("a group of subscribers is dissolved")
            self.dissolve()
        self._asking = None
        if not self.has_ended:
            self._asked_before = max(self._asked_before, before)
            self._ask_later(began)
            self._has_news()

    async def _ask_for(self, member: Member) -> None:
        viewer = member.context.viewer
        with suppress(DomainError, Moved):  # it meets the refusal again by itself, and is told
            await patiently(member.stream.following.guard)
            if member.context.viewer == viewer:
                return
        self.send_out(member)


@lru_cache(maxsize=4096)
def frame_head(length: int) -> bytes:
    """The head of an unmasked text frame (RFC 6455)."""
    if length < 126:
        return bytes((0x81, length))
    if length < 65536:
        return struct.pack("!BBH", 0x81, 126, length)
    return struct.pack("!BBQ", 0x81, 127, length)
