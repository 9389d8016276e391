"""A world that is made once for a module and engine: whatever is asked of it changes nothing."""

from collections.abc import AsyncIterator

import pytest

from models.database import open_database
from tests.databases import ENGINES, fresh_database
from tests.engine.desk import Desk, planned_desk
from tests.engine.world import World, make_world


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module", params=ENGINES)
async def asked_world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Desk, World]]:
    async with fresh_database(request.param, tmp_path_factory.mktemp("world")) as url, open_database(url):
        world = await make_world()
        async with planned_desk(url) as desk:
            yield desk, world


@pytest.fixture
def desk(asked_world: tuple[Desk, World]) -> Desk:
    """The engine beside graphql-core; it has forgotten what it knew of viewers and documents."""
    desk = asked_world[0]
    desk.operations.clear()
    desk.engine.bindings.clear()
    desk.engine.stats.clear()
    return desk


@pytest.fixture
def world(asked_world: tuple[Desk, World]) -> World:
    return asked_world[1]
