"""A database filled with the rows of a `World`: migrated as the product migrates, then written in bulk."""

import asyncio
import hashlib
import sqlite3
import sys
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
MIGRATIONS = Path(__file__).parent.parent / "models" / "migrations"


def sqlite_database(world: World) -> Path:
    """A filled SQLite file; made once, and kept until the sizes or the rows change.

    Migrations that have come since are applied to it, as they would be to a desk's own file.
    """
    RESULTS.mkdir(exist_ok=True)
    migrations = sorted(MIGRATIONS.glob("0*.py"))
    path = database_path(world, migrations)
    if path.exists():
        return path
    older = (database_path(world, migrations[:count]) for count in range(len(migrations) - 1, 0, -1))
    found = next((each for each in older if each.exists()), None)
    if found is not None:
        draft = found.rename(path.with_suffix(".draft"))
    else:
        for leftover in RESULTS.glob(f"tickets-{world.tickets}-*"):
            leftover.unlink()
        draft = path.with_suffix(".draft")
    asyncio.run(migrate(f"sqlite://{draft.resolve()}", report=lambda line: None))
    if found is None:
        fill_sqlite(draft, world)
    settle_sqlite(draft)
    draft.with_name(f"{draft.name}.migrating").unlink(missing_ok=True)
    return draft.rename(path)


def database_path(world: World, migrations: list[Path]) -> Path:
    """Its name says of which sizes, rows and migrations it is."""
    here = Path(__file__)
    rows = digest(repr(world).encode(), *(here.with_name(name).read_bytes() for name in ("rows.py", "world.py")))
    schema = digest(*(path.name.encode() + path.read_bytes() for path in migrations))
    return RESULTS / f"tickets-{world.tickets}-{rows}-{schema}.db"


def digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()[:8]


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
    connection.close()


def settle_sqlite(path: Path) -> None:
    """Nothing is left beside the file. SQLite's planner goes by what the migrations have told it, as on every desk."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
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
