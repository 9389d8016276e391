"""Where the demo's stories are played: who is who, and what time it is there."""

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from domain.policy import Viewer
from models import Organization, User
from models.base import BaseModel
from resolvers.context import Context, Services
from resolvers.transaction import Work
from resolvers.viewers import load_viewer

Row = TypeVar("Row", bound=BaseModel)


class MovingClock:
    """`Services.clock` for a past that is being made."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class Stage:
    """One unit of work that passes through time: `clock` is the clock of its services, and moves its `Work` along."""

    def __init__(self, services: Services, clock: MovingClock, work: Work) -> None:
        self._services, self._clock, self._work = services, clock, work
        self._viewers: dict[str, Viewer] = {}
        self.companies: dict[str, Organization] = {}
        self.people: dict[str, User] = {}

    def at(self, moment: datetime) -> None:
        self._clock.now = self._work.now = moment

    @property
    def now(self) -> datetime:
        return self._clock.now

    async def acting_as(self, handle: str) -> Context:
        """What an operation of this person is given."""
        if handle not in self._viewers:
            viewer = await load_viewer(self.people[handle].id)
            assert viewer is not None, handle
            self._viewers[handle] = viewer
        return Context(self._viewers[handle], self._services)

    def nobody(self, viewer: Viewer) -> Context:
        """What an operation is given that nobody by name is behind."""
        return Context(viewer, self._services)


async def key_of(model: type[Row], name: str | None, **where: Any) -> UUID | None:
    """The key of the row of that name; None for no name."""
    return (await model.get(name=name, **where)).id if name else None
