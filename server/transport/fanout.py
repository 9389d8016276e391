"""Direct fan-out: an event is executed and serialised once for all who follow alike, and its bytes go to each socket.

A subscriber first follows by itself, until it has caught up; then it joins the group of those who follow alike and are
at the same place. A group is one task: no task, queue or generator is left per subscriber. Whoever cannot take what is
written to it leaves the group, follows by itself again at its own pace, and comes back when it has caught up.
"""

import asyncio
import struct
from collections.abc import Hashable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from starlette.types import Scope

from domain.enums import StreamResetReason
from domain.errors import DomainError, Forbidden
from engine.batching import EventRows
from engine.declare import Following
from engine.executing import Engine, Operation
from engine.plans import RootRow
from engine.running import Run
from engine.statements import Bail, NotPlannable
from engine.streaming import CAUGHT_UP, EVENT_ROW, MOST, RESET, ReadRow, StreamPlan
from realtime.access import Interest
from realtime.cursor import Cursor
from realtime.hub import CaughtUp, Delivered, Hub, Moved, Pass, Reset, Step
from realtime.reader import OUTAGES
from server.transport import masking
from server.transport.resuming import Unplannable
from server.transport.uvicorn_server import PROTOCOL

if TYPE_CHECKING:
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
        if self.handler.is_shut or protocol.disconnected or protocol.close_sent or protocol.transport.is_closing():
            return True  # it is about to leave by itself
        if not protocol.writable.is_set():
            return False
        protocol.transport.write(frame_head(len(self.prefix) + len(tail)) + self.prefix + tail)
        return True

    def leave(self) -> None:
        if self.group is not None:
            self.group.remove(self)


@dataclass(eq=False, slots=True)
class Group:
    """Those who follow alike and are at the same `place`. The first of them stands for all: `stream`, `viewer`.

    `making` is the same for groups that have the same made of rows, whichever topic they follow.
    """

    fanout: "Fanout"
    key: Hashable
    stream: Stream
    viewer: Any
    making: Hashable
    place: Cursor
    members: dict[Member, None] = field(default_factory=dict)
    arriving: dict[int, dict[Member, None]] = field(default_factory=dict)
    told: set[Member] = field(default_factory=set)
    """Those who have been sent the event after `place` already, while it is being sent."""
    task: asyncio.Task[None] | None = None

    def take(self, member: Member, seq: int, permission: Pass) -> bool:
        """Whether a member that is at `seq` is in the group from here on, or as soon as the group comes there.

        A change of access that concerns it sends it out again, so that it is asked about before its next event.
        """
        if seq < self.place.seq or permission.is_stale:
            return False
        member.group = self
        member.interest = Interest(permission.subjects, partial(self.send_out, member))
        self.fanout.hub.access.add(member.interest)
        here = self.members if seq == self.place.seq else self.arriving.setdefault(seq, {})
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
            self.fanout.groups.pop(self.key, None)
            if self.task is not None:
                self.task.cancel()

    async def run(self) -> None:
        """Follow until nobody is left. What goes wrong sends everybody back to follow by themselves."""
        following = self.stream.following
        try:
            async with aclosing(self.fanout.hub.follow(following.topic, self.place, guard=self.check)) as steps:
                async for step in steps:
                    if isinstance(step, Reset):
                        break
                    if isinstance(step, Delivered):
                        await self.deliver(step)
        except Bail:
            pass  # each is handed to graphql-core when it comes to that event by itself
        except Exception:
            log.exception("a group of subscribers is dissolved")
        self.dissolve()

    async def deliver(self, step: Delivered) -> None:
        """Tell every member of an event. Only then is the group at the event's place, with nothing awaited between."""
        payload = await self.fanout.payload(self.stream, step, self.read)
        if payload is not None:
            self.fanout.executions += 1
            await self.send(orjson.dumps(payload) + b"}")
        self.place = step.cursor
        self.told.clear()
        self.members |= self.arriving.pop(self.place.seq, {})

    async def read(self, row: RootRow, row_id: str) -> Any:
        """What is made of a row: for all groups that want the same of other rows at this moment, by one statement."""
        key = (row.serial, self.making)
        return await self.fanout.rows.read(key, partial(self.fanout.run, self.stream, self.viewer), row, row_id)

    async def send(self, tail: bytes) -> None:
        """Write to every member, also to those who join meanwhile: they are at the place before this event too."""
        while waiting := [member for member in self.members if member not in self.told]:
            for number, member in enumerate(waiting, 1):
                if member not in self.members:
                    continue
                if member.write(tail):
                    self.told.add(member)
                    self.fanout.deliveries += 1
                else:
                    self.send_out(member)
                if number % WRITES_BEFORE_YIELD == 0:
                    await asyncio.sleep(0)

    async def check(self) -> None:
        """Ask for every member whether it may still follow, and whether it still follows alike."""
        for member in self.everybody():
            viewer = member.context.viewer
            with suppress(DomainError, Moved):  # it meets the refusal again by itself, and is told
                await member.stream.following.guard()
                if member.context.viewer == viewer:
                    continue
            self.send_out(member)

    def dissolve(self) -> None:
        self.fanout.groups.pop(self.key, None)
        for member in self.everybody():
            self.send_out(member)

    def send_out(self, member: Member) -> None:
        """Let a member follow by itself from where it is. Its access is asked about first."""
        if member.group is self:
            self.fanout.go_alone(member, self.place_of(member))

    def place_of(self, member: Member) -> Cursor:
        arrived = next((seq for seq, waiting in self.arriving.items() if member in waiting), self.place.seq)
        return Cursor(self.place.epoch, self.place.seq + 1 if member in self.told else max(arrived, self.place.seq))

    def everybody(self) -> list[Member]:
        """All members, those who are still arriving too."""
        return [*self.members, *(member for waiting in self.arriving.values() for member in waiting)]


@dataclass(eq=False, slots=True)
class Fanout:
    """All groups of a process; it counts executions of events and deliveries to sockets."""

    hub: Hub
    engine: Engine
    groups: dict[Hashable, Group] = field(default_factory=dict)
    rows: EventRows = field(default_factory=EventRows)
    executions: int = 0
    deliveries: int = 0

    async def open(self, operation: Operation, given: Mapping[str, Any], context: Any, scope: Scope) -> Stream | None:
        """What a subscription follows; None where it is not for direct fan-out, and graphql-core executes it.

        Raises:
            DomainError: its arguments are wrong, or it may not be followed.
        """
        protocol = scope.get("extensions", {}).get(PROTOCOL)
        return await self._opened(operation, given, context, protocol) if protocol is not None else None

    async def _opened(
        self, operation: Operation, given: Mapping[str, Any], context: Any, protocol: Any
    ) -> Stream | None:
        planned = self.engine.stream(operation, given, context.viewer)
        if planned is None:
            return None
        plan, variables = planned
        try:
            self._alike(plan, context.viewer, variables)
        except NotPlannable as reason:
            self.engine.stats[f"unplanned stream: {reason}"] += 1
            return None
        following = await plan.declared.open(context, plan.given(variables))
        return Stream(operation, given, plan, variables, following, protocol)

    def member(self, handler: "Handler", operation: "SafeOperation", stream: Stream, context: Any) -> Member:
        """A subscriber to be, which has not begun to follow."""
        prefix = b'{"id":' + orjson.dumps(operation.id) + b',"type":"next","payload":'
        return Member(handler, operation, stream, context, prefix)

    async def follow(self, member: Member, after: Cursor | None) -> bool:
        """Follow by itself until the member can join a group: True. False where the stream has come to its end.

        A member who has come to follow another topic gets a reset with ACCESS_CHANGED, and goes on there.

        Raises:
            DomainError: the member may not follow, or no longer.
            Unplannable: there is an event that only graphql-core can tell.
        """
        lost = None
        while True:
            try:
                return await self._follow(member, after, lost)
            except Moved:
                await self._reopen(member)
                after, lost = None, StreamResetReason.ACCESS_CHANGED

    async def _follow(self, member: Member, after: Cursor | None, lost: StreamResetReason | None) -> bool:
        following = member.stream.following
        with self.hub.admit(following.guard) as permission:
            async with aclosing(self.hub.follow(following.topic, after, guard=permission, lost=lost)) as steps:
                async for step in steps:
                    payload = await self._told_or_error(member, step)
                    if payload is not None:
                        await member.operation.send_payload(payload)
                    member.caught_up |= isinstance(step, CaughtUp)
                    if member.caught_up and self._joined(member, step.cursor, permission):
                        return True
        return False

    async def _reopen(self, member: Member) -> None:
        """Plan the member's stream for the viewer that it has become."""
        was = member.stream
        opened = await self._opened(was.operation, was.given, member.context, was.protocol)
        if opened is None:
            raise Forbidden("Your access has changed. Subscribe again.")
        member.stream = opened

    def go_alone(self, member: Member, after: Cursor) -> None:
        """Let a member follow by itself from a place on, as at first."""
        member.leave()
        member.operation.task = asyncio.create_task(member.handler.run_member(member, after))

    async def payload(self, stream: Stream, step: Delivered, read: ReadRow) -> dict[str, Any] | None:
        """What is sent of an event; None where it is not one that is followed."""
        plan, event = stream.plan, step.event
        if event.kind not in plan.declared.kinds or not stream.following.wanted(event):
            return None
        return await plan.payload(event, str(step.cursor), read)

    def run(self, stream: Stream, viewer: Any, row_id: str | None = None) -> Run:
        """What reads rows for a viewer of a stream."""
        variables = {**stream.variables, EVENT_ROW: row_id}
        return Run(self.engine.binding(viewer), self.engine.reads.fetch, variables, MOST)

    async def close(self) -> None:
        for group in list(self.groups.values()):
            if group.task is not None:
                group.task.cancel()
                with suppress(asyncio.CancelledError):
                    await group.task
        self.groups.clear()

    async def _told_or_error(self, member: Member, step: Step) -> dict[str, Any] | None:
        """As `_told`; an event whose telling fails becomes an error in its place, and the stream goes on after it.

        Without that, one event that always fails would end every subscription of its topic at each attempt. What went
        wrong is in the log, under the `errorId` that the client gets.

        Raises:
            Unplannable: a refusal or a null that graphql-core has to word.
            OSError and the like: the database is away, and the event can be told later.
        """
        try:
            return await self._told(member, step)
        except OUTAGES:
            raise
        except Bail:
            raise Unplannable(str(Cursor(step.cursor.epoch, step.cursor.seq - 1))) from None
        except Exception as error:
            log.error("an event cannot be told", topic=member.stream.following.topic, seq=step.cursor.seq)
            return {"data": None, "errors": [masking.internal_error(error, member.operation.language)]}

    async def _told(self, member: Member, step: Step) -> dict[str, Any] | None:
        plan = member.stream.plan
        match step:
            case CaughtUp(cursor):
                return None if member.caught_up else plan.marker(CAUGHT_UP, cursor=str(cursor))
            case Reset(reason, cursor):
                return plan.marker(RESET, cursor=str(cursor), reason=str(reason))
            case Delivered():
                return await self.payload(member.stream, step, partial(self._row_for, member))

    async def _row_for(self, member: Member, row: RootRow, row_id: str) -> Any:
        return await self.run(member.stream, member.context.viewer, row_id).row(row)

    def _joined(self, member: Member, place: Cursor, permission: Pass) -> bool:
        if place.seq == 0:
            return False  # the topic has no event yet, hence no epoch that a group could go on from
        stream, viewer = member.stream, member.context.viewer
        key = (id(stream.plan), stream.following.topic, self._alike(stream.plan, viewer, stream.variables))
        group = self.groups.get(key)
        if group is not None:
            return group.take(member, place.seq, permission)
        if permission.is_stale:
            return False
        making = stream.plan.making(self.engine.binding(viewer), self.engine.key(viewer), stream.variables)
        group = self.groups[key] = Group(self, key, stream, viewer, making, place)
        group.take(member, place.seq, permission)
        group.task = asyncio.create_task(group.run())
        return True

    def _alike(self, plan: StreamPlan, viewer: Any, variables: Mapping[str, Any]) -> Hashable:
        return plan.sharing(self.engine.binding(viewer), self.engine.key(viewer), variables)


def frame_head(length: int) -> bytes:
    """The head of an unmasked text frame (RFC 6455)."""
    if length < 126:
        return bytes((0x81, length))
    if length < 65536:
        return struct.pack("!BBH", 0x81, 126, length)
    return struct.pack("!BBQ", 0x81, 127, length)
