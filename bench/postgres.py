"""PostgreSQL's own processes: they work for the server that is measured, and their time counts as its own."""

import asyncio

import asyncpg

from bench.processes import cpu_seconds_of


class Backends:
    """The processes that serve the connections to one database; none for SQLite.

    They are looked up anew each time, because a pool may open connections under load. One that was opened in between
    counts whole, which is right; one that was closed in between is lost, and pools do not close under load.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def cpu_seconds(self) -> float:
        if not self._url.startswith("postgres"):
            return 0.0
        return sum(cpu_seconds_of(pid) for pid in asyncio.run(self._pids()))

    async def _pids(self) -> list[int]:
        server, _, name = self._url.rpartition("/")
        connection = await asyncpg.connect(f"{server}/postgres")
        rows = await connection.fetch("SELECT pid FROM pg_stat_activity WHERE datname = $1", name)
        await connection.close()
        return [row["pid"] for row in rows]


def backends(url: str) -> Backends:
    return Backends(url)


async def _answers(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=2)
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    await connection.close()
    return True


def answers(url: str) -> bool:
    """Whether a PostgreSQL server is there."""
    server, _, _ = url.rpartition("/")
    return asyncio.run(_answers(f"{server}/postgres"))
