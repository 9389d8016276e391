"""What every operation is given: who asks, what time it is, and what has been read so far."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.errors import Unauthenticated
from domain.policy import Viewer
from engine.loading import Loaders
from realtime.ephemeral import Ephemeral
from realtime.hub import Hub
from resolvers.links import FileLinks
from resolvers.queue_feed import QueueFeed
from resolvers.shared_reads import SharedReads

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server tells of itself; its settings fill it."""

    version: str = "0"
    replay_window: timedelta = timedelta(days=7)
    replay_max_events: int = 1000
    max_query_depth: int = 12
    max_query_cost: int = 10_000


@dataclass(frozen=True, slots=True)
class Services:
    """What a process has one of."""

    hub: Hub
    clock: Clock = utc_now
    max_page_size: int = 100
    facts: ServerFacts = ServerFacts()
    ephemeral: Ephemeral = field(default_factory=Ephemeral)
    notices: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when something was put down that people may have to be told of."""
    jobs: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when something was asked for that is done in the background."""
    links: FileLinks = field(default_factory=FileLinks)
    shared: SharedReads = field(default_factory=SharedReads)
    queue: QueueFeed = field(default_factory=QueueFeed)


@dataclass(slots=True)
class Context:
    """One operation's surroundings. A subscription refreshes it before every event."""

    viewer: Viewer
    services: Services
    loaders: Loaders = field(default_factory=Loaders)

    def now(self) -> datetime:
        return self.services.clock()

    def refresh(self) -> None:
        """Forget what was read: rows may have changed since."""
        self.loaders = Loaders()

    @property
    def user_id(self) -> UUID:
        """
        Raises:
            Unauthenticated: nobody is signed in.
        """
        if self.viewer.user_id is None:
            raise Unauthenticated
        return self.viewer.user_id
