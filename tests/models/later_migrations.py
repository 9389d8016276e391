"""Migrations of a day to come, in a package of their own beside copies of today's."""

import shutil
from pathlib import Path
from textwrap import dedent
from uuid import uuid4

import pytest

import models.migrations
from models.migrate import migrate
from tests.databases import quiet

TODAY = sorted(path.stem for path in Path(models.migrations.__path__[0]).glob("[0-9]*.py"))

HEAD = """
from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint


class Migration(migrations.Migration):
    dependencies = [("casewire", "{before}")]
    operations = [
{operations}
    ]
"""


class LaterMigrations:
    """A package that begins as a copy of today's migrations; `add` writes the next one."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.package = f"later_{uuid4().hex}"
        self.names = list(TODAY)
        self._folder = folder / self.package
        self._folder.mkdir()
        for name in ("__init__", *TODAY):
            shutil.copy(Path(models.migrations.__path__[0]) / f"{name}.py", self._folder)
        monkeypatch.syspath_prepend(folder)

    def add(self, name: str, operations: str) -> None:
        indented = "\n".join(" " * 8 + line for line in dedent(operations).strip().splitlines())
        (self._folder / f"{name}.py").write_text(HEAD.format(before=self.names[-1], operations=indented))
        self.names.append(name)

    async def migrate(self, url: str) -> list[str]:
        return await migrate(url, report=quiet, package=self.package)
