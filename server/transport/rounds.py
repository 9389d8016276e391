"""Telling groups what has happened, in rounds: the next event of each group that has one, and all their rows at once.

One task a process, while there is something to tell. Rows that several groups want the same made of are read by one
statement, whichever events they are about.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
import structlog

from engine.plans import RootRow
from engine.statements import Bail
from realtime.log import Event
from server.transport.groups import Group, Making

if TYPE_CHECKING:
    from server.transport.fanout import Fanout

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Reading:
    """Rows that are made the same of; `group` stands for all that want some of them."""

    group: Group
    row: RootRow
    ids: dict[str, None] = field(default_factory=dict)
    found: Mapping[str, Any] = field(default_factory=dict)
    failure: Exception | None = None

    def made_of(self, row_id: str) -> Any:
        """What was made of a row; None where it is not there, or not to be seen."""
        if self.failure is not None:
            raise self.failure
        return self.found.get(row_id)


Readings = dict[tuple[int, Making], Reading]


@dataclass(slots=True)
class Telling:
    """The next event of a group, and the rows that it takes to tell of it."""

    group: Group
    event: Event
    rows: list[tuple[RootRow, str] | None]


class Rounds:
    """Create it where its task belongs: outside of any transaction."""

    def __init__(self, fanout: "Fanout") -> None:
        self._fanout = fanout
        self._waiting: dict[Group, None] = {}
        self._task: asyncio.Task[None] | None = None
        self.written = 0
        """Sockets written to since others had their turn."""

    def want(self, group: Group) -> None:
        """Have a group told soon, which may have something to be told."""
        self._waiting[group] = None
        if self._task is None:
            self._task = self._fanout.start(self._run())

    async def _breathe(self) -> None:
        """Let others have their turn."""
        self.written = 0
        await asyncio.sleep(0)

    async def _run(self) -> None:
        try:
            while self._waiting:
                groups, self._waiting = list(self._waiting), {}
                await self._round(groups)
                await asyncio.sleep(0)
        finally:
            self._task = None

    async def _round(self, groups: list[Group]) -> None:
        tellings = [telling for group in groups if (telling := self._next_of(group)) is not None]
        readings = await self._read(tellings)
        for each in tellings:
            if each.group.has_ended:
                continue
            try:
                if tail := self._tail(each, readings):
                    self._fanout.executions += 1
                    while not each.group.send(tail):
                        await self._breathe()
                each.group.go_on(each.event)
            except Bail:
                each.group.dissolve()  # each is handed to graphql-core when it comes to that event by itself
            except Exception:
                self._give_up(each.group)

    def _next_of(self, group: Group) -> Telling | None:
        try:
            event = group.next_event()
            return None if event is None else Telling(group, event, group.stream.plan.rows_of(event))
        except Exception:
            self._give_up(group)
            return None

    def _give_up(self, group: Group) -> None:
        log.exception("a group of subscribers is dissolved")
        group.dissolve()

    async def _read(self, tellings: list[Telling]) -> Readings:
        readings: Readings = {}
        for each in tellings:
            for wanted in each.rows:
                if wanted is None:
                    continue
                row, row_id = wanted
                reading = readings.get((row.serial, each.group.making))
                if reading is None:
                    reading = readings[row.serial, each.group.making] = Reading(each.group, row)
                reading.ids[row_id] = None
        if len(readings) == 1:
            await self._made(*readings.values())
        elif readings:
            await asyncio.gather(*map(self._made, readings.values()))
        return readings

    async def _made(self, reading: Reading) -> None:
        group = reading.group
        try:
            reading.found = await self._fanout.run(group.stream, group.viewer).rows(reading.row, list(reading.ids))
        except Exception as failure:
            reading.failure = failure

    def _tail(self, telling: Telling, readings: Readings) -> bytes | None:
        """The payload with the end of its envelope; None where there is nothing to be seen of the event."""
        group, event = telling.group, telling.event
        made = [each and readings[each[0].serial, group.making].made_of(each[1]) for each in telling.rows]
        payload = self._fanout.payload(group.stream, event, group.place_after(event), made)
        return None if payload is None else orjson.dumps(payload) + b"}"
