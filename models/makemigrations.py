"""Write the migration that brings the tables up to the models: `python -m models.makemigrations NAME`.

What it writes is a draft: read it, and run `tests/models`, which apply every migration to both engines.
"""

import asyncio
import logging
import sys
from pathlib import Path

from tortoise.context import TortoiseContext
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.writer import MigrationWriter

from models.database import APP, database_config

log = logging.getLogger(__name__)


async def unwritten_migrations() -> list[MigrationWriter]:
    """The migration that the models need and the files lack; empty when nothing is forgotten. Opens no database."""
    config = database_config("sqlite://never-opened.db")
    async with TortoiseContext() as context:
        await context.init(config=config, init_connections=False)
        assert context.apps is not None, "init fills the registry"
        for model in context.apps[APP].values():
            # A docstring is for whoever reads the code; to mend one must not need a migration.
            model._meta.table_description = ""
        return await MigrationAutodetector(context.apps, config["apps"]).changes()


async def write_migration(name: str) -> Path | None:
    """Write the next migration as `NNNN_<name>.py`; None when the models need none."""
    writers = await unwritten_migrations()
    if not writers:
        return None
    (writer,) = writers
    number = writer.name.partition("_")[0]
    writer.name = f"{number}_{name}"
    return Path(writer.write())


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if len(sys.argv) != 2:
        sys.exit("usage: python -m models.makemigrations NAME")
    written = asyncio.run(write_migration(sys.argv[1]))
    log.info("The models need no migration." if written is None else f"Wrote {written}. Read it before you use it.")
