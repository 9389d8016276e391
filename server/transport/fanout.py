"""Direct fan-out: an event is executed and serialised once for all who follow alike, and its bytes go to each socket.

A subscriber first follows by itself, until it has caught up; then it joins the group of those who follow alike and are
at the same place. Whoever cannot take what is written to it leaves the group, follows by itself again at its own pace,
and comes back when it has caught up.
"""

import asyncio
import contextvars
from collections.abc import Coroutine, Hashable, Iterable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import orjson
import structlog

from domain.enums import StreamResetReason
from domain.errors import Forbidden
from engine.executing import Engine, Operation
from engine.running import Run
from engine.statements import Bail, NotPlannable
from engine.streaming import CAUGHT_UP, EVENT_ROW, MOST, RESET, StreamPlan
from realtime.cursor import Cursor
from realtime.hub import CaughtUp, Delivered, Hub, Moved, Pass, Reset, Step
from realtime.log import Event
from realtime.reader import OUTAGES
from server.transport import masking
from server.transport.groups import Group, Making, Member, Stream
from server.transport.resuming import Unplannable
from server.transport.rounds import Rounds

if TYPE_CHECKING:
    from server.transport.websocket import Handler, SafeOperation

log = structlog.get_logger(__name__)


class Fanout:
    """All groups of a process; it counts executions of events and deliveries to sockets.

    Create it where its tasks belong: outside of any transaction.
    """

    def __init__(self, hub: Hub, engine: Engine) -> None:
        self.hub = hub
        self.engine = engine
        self.groups: dict[Hashable, Group] = {}
        self.rounds = Rounds(self)
        self.executions = 0
        self.deliveries = 0
        self._makings: WeakValueDictionary[Hashable, Making] = WeakValueDictionary()
        self._context = contextvars.copy_context()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, operation: Operation, given: Mapping[str, Any], context: Any, protocol: Any) -> Stream | None:
        """What a subscription follows; None where it is not for direct fan-out, and graphql-core executes it.

        Raises:
            DomainError: its arguments are wrong, or it may not be followed.
        """
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
        opened = await self.open(was.operation, was.given, member.context, was.protocol)
        if opened is None:
            raise Forbidden("Your access has changed. Subscribe again.")
        member.stream = opened

    def go_alone(self, member: Member, after: Cursor) -> None:
        """Let a member follow by itself from a place on, as at first."""
        member.leave()
        member.handler.follow_alone(member, after)

    def payload(self, stream: Stream, event: Event, cursor: Cursor, made: Iterable[Any]) -> dict[str, Any] | None:
        """What is sent of an event that is followed; None where there is nothing to be seen of it.

        `made` is what was made of the plan's `rows_of` the event.
        """
        return stream.plan.payload(event, str(cursor), made)

    def run(self, stream: Stream, viewer: Any, row_id: str | None = None) -> Run:
        """What reads rows for a viewer of a stream."""
        variables = {**stream.variables, EVENT_ROW: row_id}
        return Run(self.engine.binding(viewer), self.engine.reads.fetch, variables, MOST)

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task of the process's own, whatever it is that asks for it at the moment."""
        task = asyncio.get_running_loop().create_task(work, context=self._context.copy())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        for group in list(self.groups.values()):
            group.end()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

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
            case Delivered(event, cursor):
                return await self._told_of(member, event, cursor) if member.stream.tells_of(event) else None

    async def _told_of(self, member: Member, event: Event, cursor: Cursor) -> dict[str, Any] | None:
        stream, viewer = member.stream, member.context.viewer
        made = [
            await self.run(stream, viewer, wanted[1]).row(wanted[0]) if wanted else None
            for wanted in stream.plan.rows_of(event)
        ]
        return self.payload(stream, event, cursor, made)

    def _joined(self, member: Member, place: Cursor, permission: Pass) -> bool:
        if place.seq == 0 or permission.is_stale:
            return False  # a topic without an event yet has no epoch that a group could go on from
        stream, viewer = member.stream, member.context.viewer
        key = (id(stream.plan), stream.following.topic, self._alike(stream.plan, viewer, stream.variables))
        group = self.groups.get(key)
        if group is not None and group.epoch != place.epoch:
            return False
        if group is None:
            group = Group(self, key, stream, viewer, self._making(stream, viewer), place.epoch, place.seq)
            if not group.begin():
                return False
        return group.take(member, place.seq, permission)

    def _making(self, stream: Stream, viewer: Any) -> Making:
        key = stream.plan.making(self.engine.binding(viewer), self.engine.key(viewer), stream.variables)
        making = self._makings.get(key)
        if making is None:
            making = self._makings[key] = Making(key)
        return making

    def _alike(self, plan: StreamPlan, viewer: Any, variables: Mapping[str, Any]) -> Hashable:
        return plan.sharing(self.engine.binding(viewer), self.engine.key(viewer), variables)
