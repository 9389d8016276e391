from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.databases import ENGINES, fresh_database


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=ENGINES)
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An empty, migrated database, on each engine in turn."""
    async with fresh_database(request.param, tmp_path, lent=False) as fresh:
        yield fresh
