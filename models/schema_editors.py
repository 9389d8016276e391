"""Tables as the models declare them: what Tortoise's own migrations leave out or lose.

Stock, `Meta.constraints` never reach the database, and on SQLite a changed column costs a table its unique
constraints, indexes and triggers. Migrations run through these editors keep all of it, on both engines.
"""

import copy
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, TypeGuard

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.fields.base import Field
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from tortoise.migrations.schema_editor.asyncpg import AsyncpgSchemaEditor
from tortoise.migrations.schema_editor.base import BaseSchemaEditor
from tortoise.migrations.schema_editor.data import ModelSqlData
from tortoise.migrations.schema_editor.sqlite import SqliteSchemaEditor

AnyModel = Any
"""A model class, or what stands for one while its table is made anew: only `_meta` is read of it."""

Constraint = CheckConstraint | UniqueConstraint


def schema_editor(client: BaseDBAsyncClient, *, atomic: bool) -> BaseSchemaEditor:
    if client.capabilities.dialect == "sqlite":
        return SqliteEditor(client, atomic=atomic)
    return PostgresEditor(client, atomic=atomic)


def statements(script: str) -> Iterator[str]:
    """The statements of an SQL script, one by one. A trigger's body and a semicolon in a string stay whole."""
    pending = ""
    for piece in script.split(";"):
        pending += piece + ";"
        if sqlite3.complete_statement(pending):
            if pending.strip("; \n"):
                yield pending.strip()
            pending = ""
    if pending.strip("; \n"):
        raise ValueError(f"an SQL statement does not end: {pending.strip()!r}")


class WithConstraints(BaseSchemaEditor):
    """CREATE TABLE with everything that `Meta.constraints` declares (tortoise-orm #2272)."""

    _model: AnyModel
    """The one whose CREATE TABLE is being written."""

    def _get_model_sql_data(self, model: AnyModel) -> ModelSqlData:
        self._model = model
        data = super()._get_model_sql_data(model)
        partial = [self._partial_index_sql(model, c) for c in model._meta.constraints if _is_partial(c)]
        return replace(data, table_sql="\n".join([data.table_sql, *partial]))

    def _get_inner_statements(self) -> list[str]:
        return [self._constraint_sql(c) for c in self._model._meta.constraints if not _is_partial(c)]

    def _constraint_sql(self, constraint: Constraint) -> str:
        if isinstance(constraint, CheckConstraint):
            return self.CHECK_CONSTRAINT_CREATE_TEMPLATE.format(name=constraint.name, check=constraint.check)
        columns = self._columns_sql(self._model, constraint)
        return self.UNIQUE_CONSTRAINT_CREATE_TEMPLATE.format(index_name=constraint.name, fields=columns)

    def _partial_index_sql(self, model: AnyModel, constraint: UniqueConstraint) -> str:
        index = f"{self.quote(str(constraint.name))} ON {self.quote(model._meta.db_table)}"
        return f"CREATE UNIQUE INDEX {index} ({self._columns_sql(model, constraint)}) WHERE {constraint.condition};"

    def _columns_sql(self, model: AnyModel, constraint: UniqueConstraint) -> str:
        return ", ".join(self.quote(column) for column in self._resolve_fields_to_columns(model, constraint.fields))


class PostgresEditor(WithConstraints, AsyncpgSchemaEditor):
    pass


class SqliteEditor(WithConstraints, SqliteSchemaEditor):
    """SQLite can add a column, but not change one: the table is made anew and the rows are copied.

    Run it with `PRAGMA foreign_keys=OFF`, or dropping the old table deletes the rows that refer to it.
    """

    async def _run_sql(self, sql: str) -> None:
        if self.collect_sql:
            await super()._run_sql(sql)
            return
        for statement in statements(sql):
            await self.client.execute_query(statement)

    async def add_constraint(self, model: AnyModel, constraint: Constraint) -> None:
        if _is_partial(constraint):
            await self._run_sql(self._partial_index_sql(model, constraint))
        else:
            await self._remake_table(model)

    async def remove_constraint(self, model: AnyModel, constraint: Constraint) -> None:
        if _is_partial(constraint):
            await self._run_sql(f"DROP INDEX {self.quote(str(constraint.name))}")
        else:
            await self._remake_table(_without_constraint(model, constraint))

    async def rename_constraint(self, model: AnyModel, old_constraint: Constraint, new_constraint: Constraint) -> None:
        if _is_partial(old_constraint):
            await self.remove_constraint(model, old_constraint)
            await self.add_constraint(model, new_constraint)
        else:
            await self._remake_table(model)

    async def _remake_table(
        self,
        model: AnyModel,
        create_field: Field[Any] | None = None,
        delete_field: Field[Any] | None = None,
        alter_fields: list[tuple[Field[Any], Field[Any]]] | None = None,
    ) -> None:
        """Make the table of `model` anew, with its rows and with every index and trigger it had and keeps."""
        assert create_field is None, "a new column needs no new table"
        table = model._meta.db_table
        shape = _without_column(model, _column(delete_field)) if delete_field else model
        sources = {column: self.quote(column) for column in shape._meta.fields_db_projection.values()}
        sources.update({_column(after): self.quote(_column(before)) for before, after in alter_fields or ()})

        create, *indexes = statements(self._get_model_sql_data(shape).table_sql)
        others = await self._undeclared_parts(table, declared=indexes)
        new = self.quote(f"new__{table}")
        columns = ", ".join(self.quote(column) for column in sources)
        await self._run_sql(create.replace(self.quote(table), new, 1))
        await self._run_sql(
            f"INSERT INTO {new} ({columns}) SELECT {', '.join(sources.values())} FROM {self.quote(table)}"
        )
        await self._run_sql(f"DROP TABLE {self.quote(table)}")
        # Legacy: no look at other tables' triggers, which may name this table while it is not there.
        await self._run_sql("PRAGMA legacy_alter_table=ON")
        await self._run_sql(f"ALTER TABLE {new} RENAME TO {self.quote(table)}")
        await self._run_sql("PRAGMA legacy_alter_table=OFF")
        for statement in (*indexes, *others):
            await self._run_sql(statement)

    async def _undeclared_parts(self, table: str, *, declared: list[str]) -> list[str]:
        """The table's triggers, and the indexes that no model knows of: made by hand, in a migration."""
        rows = await self.client.execute_query_dict(
            "SELECT name, sql FROM sqlite_master"
            " WHERE tbl_name = ? AND type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY rowid",
            [table],
        )
        return [row["sql"] + ";" for row in rows if not any(f'INDEX "{row["name"]}" ON' in made for made in declared)]


def _is_partial(constraint: Constraint) -> TypeGuard[UniqueConstraint]:
    """Whether it holds for some rows only: SQL has no such constraint, but an index does it."""
    return isinstance(constraint, UniqueConstraint) and constraint.condition is not None


def _column(field: Field[Any]) -> str:
    return field.source_field or field.model_field_name


def _changed(model: AnyModel, **options: Any) -> AnyModel:
    """What the schema editor reads of a model, with some of its options replaced."""
    meta = copy.copy(model._meta)
    for name, value in options.items():
        setattr(meta, name, value)
    return SimpleNamespace(_meta=meta)


def _without_column(model: AnyModel, column: str) -> AnyModel:
    projection = {name: at for name, at in model._meta.fields_db_projection.items() if at != column}
    return _changed(model, fields_db_projection=projection)


def _without_constraint(model: AnyModel, constraint: Constraint) -> AnyModel:
    if constraint.name:
        kept = tuple(other for other in model._meta.constraints if other.name != constraint.name)
        return _changed(model, constraints=kept)
    fields = tuple(constraint.fields) if isinstance(constraint, UniqueConstraint) else ()
    return _changed(model, unique_together=tuple(u for u in model._meta.unique_together if tuple(u) != fields))
