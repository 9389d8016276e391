"""A database filled with the rows of a `World`: migrated as the product migrates, then written in bulk."""

import asyncio
import hashlib
import sqlite3
import sys
from collections.abc import Iterable
from datetime import datetime
from importlib import import_module
from pathlib import Path
from uuid import UUID

import asyncpg

from bench.rows import tables
from bench.world import World
from engine.instants import instant_text
from models.migrate import migrate

SEARCH = import_module("models.migrations.0005_search")
"""Row by row the full-text index would be written in as many pieces: it is taken off, and made anew at once."""

RESULTS = Path(__file__).parent / "results"


def sqlite_database(world: World) -> Path:
    """A filled SQLite file; made once, and kept until the sizes, the rows or the migrations change."""
    RESULTS.mkdir(exist_ok=True)
    here = Path(__file__)
    sources = [here, here.with_name("rows.py"), here.with_name("world.py"), *sorted(_migrations())]
    mark = hashlib.sha256(repr(world).encode() + b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    path = RESULTS / f"tickets-{world.tickets}-{mark}.db"
    if not path.exists():
        for old in RESULTS.glob(f"tickets-{world.tickets}-*"):
            old.unlink()
        draft = path.with_suffix(".draft")
        for leftover in draft.parent.glob(draft.name + "*"):
            leftover.unlink()
        asyncio.run(migrate(f"sqlite://{draft.resolve()}", report=lambda line: None))
        fill_sqlite(draft, world)
        draft.rename(path)
        draft.with_name(f"{draft.name}.migrating").unlink()
    return path


def _migrations() -> Iterable[Path]:
    return (Path(__file__).parent.parent / "models" / "migrations").glob("0*.py")


def fill_sqlite(path: Path, world: World) -> None:
    sqlite3.register_adapter(UUID, str)
    sqlite3.register_adapter(datetime, instant_text)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA cache_size=-1000000")
    for statement in SEARCH.off_sqlite():
        connection.execute(statement)
    for name, columns, rows in tables(world):
        names = columns.split()
        connection.execute("BEGIN")
        marks = ", ".join("?" for _ in names)
        connection.executemany(f'INSERT INTO "{name}" ({", ".join(names)}) VALUES ({marks})', rows)
        connection.execute("COMMIT")
    connection.execute("BEGIN")
    for statement in SEARCH.on_sqlite():
        connection.execute(statement)
    connection.execute("COMMIT")
    connection.execute("ANALYZE")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def postgres_database(world: World, url: str) -> None:
    """Make the database of `url` anew, and fill it.

    Raises:
        OSError, asyncpg.PostgresError: the server does not answer, or refuses.
    """
    asyncio.run(_recreate(url))
    asyncio.run(migrate(url, report=lambda line: None))
    asyncio.run(fill_postgres(url, world))


async def _recreate(url: str) -> None:
    server, _, name = url.rpartition("/")
    if not name.startswith("casewire_bench"):
        raise ValueError(f"the bench drops what it fills, and {name!r} does not begin with casewire_bench")
    connection = await asyncpg.connect(f"{server}/postgres")
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()


async def fill_postgres(url: str, world: World) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(SEARCH.off_postgres())
    for name, columns, rows in tables(world):
        await connection.copy_records_to_table(name, columns=columns.split(), records=rows)
    await connection.execute(SEARCH.on_postgres())
    await connection.execute("ANALYZE")
    await connection.close()


if __name__ == "__main__":
    print(sqlite_database(World(tickets=int(sys.argv[1]) if len(sys.argv) > 1 else World.tickets)))
