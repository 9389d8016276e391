import asyncio
from collections.abc import Iterator

import pytest

from tests.realtime.faults.postgres import PostgresServer, postgres_server


@pytest.fixture(scope="session")
def own_postgres() -> Iterator[PostgresServer]:
    """A server of this run's own, which tests may crash; it is up again after each of them."""
    with asyncio.Runner() as runner:
        server = postgres_server()
        yield runner.run(server.__aenter__())
        runner.run(server.__aexit__(None, None, None))
