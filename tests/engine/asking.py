"""Asking both ways, for the tests of plans: `Desk.agreed` compares, and these say besides that there was an answer."""

from typing import Any

import models
from domain.policy import Viewer
from tests.api.world import codes, gid
from tests.engine.desk import Desk
from tests.engine.documents import Hot
from tests.engine.world import World

Json = dict[str, Any]
EVERYTHING = "scope: ALL, filter: null"


async def answer(desk: Desk, document: str, viewer: Viewer, **variables: Any) -> Json:
    """The engine's answer, the same as graphql-core's; falling back is a failure."""
    found = await desk.agreed(document, viewer, variables)
    assert found is not None, desk.engine.stats
    return found


async def left_alone(desk: Desk, document: str, viewer: Viewer, **variables: Any) -> list[str | None]:
    """The codes of the errors that graphql-core answers with, where the engine does not answer."""
    assert await desk.planned(document, viewer, variables) is None
    _, errors = await desk.ordinary(document, viewer, variables)
    return codes(errors)


def ticket_by(world: World, requester: str) -> models.Ticket:
    """The first ticket that somebody opened."""
    person = world.people[requester]
    assert person is not None
    found: models.Ticket = next(each for each in world.rows[models.Ticket] if each.requester_id == person.id)
    return found


def filled(world: World, hot: Hot) -> Json:
    named = {f"<{kind.__name__}>": gid(rows[0]) for kind, rows in world.rows.items() if kind is not models.User}
    named["<reference>"] = world.rows[models.Ticket][0].reference

    def known(value: Any) -> Any:
        return [known(each) for each in value] if isinstance(value, list) else named.get(str(value), value)

    return {name: known(value) for name, value in hot.variables.items()}
