"""Sign-ins that have ended: their access tokens are refused before they run out, and their sockets are closed.

A token names its sign-in. Which ones have ended lately is kept in memory, heard from the topic `access` of every
process; so no request asks the database for it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.policy import Viewer
from models import RefreshToken
from realtime.log import Event
from realtime.reader import patiently
from resolvers.sessions import SESSION
from resolvers.viewers import load_viewer
from server.auth.jwt import Clock, utc_now

Ended = Callable[[], None]


class EndedSessions:
    """`kept` is how long an access token can last: whatever ended before that has no valid token any more."""

    def __init__(
        self, *, kept: timedelta, now: Clock = utc_now, load: Callable[[UUID], Awaitable[Viewer | None]] = load_viewer
    ) -> None:
        self._kept = kept
        self._now = now
        self._load = load
        self._ended: dict[UUID, datetime] = {}
        self._watching: defaultdict[UUID, set[Ended]] = defaultdict(set)
        self._tasks: set[asyncio.Task[Any]] = set()

    def __contains__(self, session: object) -> bool:
        return session in self._ended

    def __len__(self) -> int:
        return len(self._ended)

    async def load(self) -> None:
        """Read which ended lately. To be called once the process hears of those that end from now on."""
        since = self._now() - self._kept
        rows = await RefreshToken.filter(revoked_at__gte=since).distinct().values_list("family", "revoked_at")
        for family, revoked_at in rows:
            self._end(family, revoked_at)

    def load_later(self, load: Callable[[], Awaitable[None]]) -> None:
        """Read it as soon as the database is there."""
        self._start(patiently(load))

    def heard(self, change: Event | None) -> None:
        """A change of access; None where some may have been missed."""
        if change is None:
            self._start(patiently(self.load))
        elif session := change.data.get(SESSION):
            self._end(UUID(session), change.at)
        elif (user := change.data.get("user")) and UUID(user) in self._watching:
            self._start(self._check_account(UUID(user)))

    def watch(self, viewer: Viewer, ended: Ended) -> Callable[[], None]:
        """Call `ended` once the viewer's sign-in is over or the account switched off; returns how to watch no longer.

        It is called before any event that was committed after the sign-in's end is handed out.
        """
        names = [name for name in (viewer.session_id, viewer.user_id) if name is not None]
        for name in names:
            self._watching[name].add(ended)
        if viewer.session_id in self._ended:
            ended()

        def leave() -> None:
            for name in names:
                self._watching[name].discard(ended)
                if not self._watching[name]:
                    del self._watching[name]

        return leave

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _end(self, session: UUID, at: datetime) -> None:
        self._forget_old()
        self._ended[session] = at
        self._tell(session)

    def _tell(self, name: UUID) -> None:
        for ended in list(self._watching.get(name, ())):
            ended()

    def _forget_old(self) -> None:
        """The oldest stand first, give or take a process's clock."""
        since = self._now() - self._kept
        while self._ended and next(iter(self._ended.values())) < since:
            del self._ended[next(iter(self._ended))]

    async def _check_account(self, user_id: UUID) -> None:
        if await patiently(lambda: self._load(user_id)) is None:
            self._tell(user_id)

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
