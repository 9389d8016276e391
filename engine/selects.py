"""One SELECT under construction: its columns, its joins, what hangs below it, and how its rows become objects."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import orjson
from tortoise import Model
from tortoise.expressions import Q

from engine.declare import FieldGuard
from engine.statements import Bail, Dialect, column

_serials = count(1)


def next_serial() -> int:
    """A number that no other part of any plan has: statements are remembered under it, longer than a plan may live."""
    return next(_serials)


@dataclass(slots=True)
class Join:
    """A row that a column refers to, or whose `column` refers to this one.

    Unless `implied`, the viewer may have to be kept from it; `seen` says by what, if not by the rule of its table.
    """

    model: type[Model]
    alias: str
    on: str
    inner: bool
    implied: bool
    column: str = "id"
    seen: Callable[[Any], Q] | None = None


@dataclass(slots=True)
class RowGuard:
    """A field that only the row can decide about; `columns` are where its facts stand in the row."""

    guard: FieldGuard
    model: type[Model]
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """A column that says whether a field of the row at `alias` may be read: what it holds differs by viewer."""

    guard: FieldGuard
    model: type[Model]
    alias: str


@dataclass(frozen=True, slots=True)
class Link:
    """The table of a many-to-many relation, its column that names the parent, and the one that names the row."""

    table: str
    here: str
    there: str


@dataclass(slots=True)
class Select:
    """The rows of `model`, and of what they refer to, in one statement.

    Expressions that are made for it read `r`, the row; `M`, what hangs below, by parent id, for each of `children`;
    and `D`, for each of `guards`, what was decided by facts. The last of `D` takes a refusal, and gives what stands for
    the value.
    """

    model: type[Model]
    dialect: Dialect
    path: str = ""
    """Where in the answer its rows are: the keys of the fields that lead there, `tickets.messages`."""
    columns: list[str | Decision] = field(default_factory=list)
    joins: list[Join] = field(default_factory=list)
    children: list[Any] = field(default_factory=list)
    guards: list[RowGuard] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)
    link: Link | None = None
    """Where its rows are reached through a many-to-many relation."""
    serial: int = field(default_factory=next_serial)

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def decisions(self) -> list[Decision]:
        """In the order in which they stand in the statement."""
        return [each for each in self.columns if isinstance(each, Decision)]

    @property
    def link_sql(self) -> str:
        """The join with the relation's table, if there is one."""
        link = self.link
        return f' JOIN "{link.table}" ON "{link.table}"."{link.there}" = "{self.table}"."id"' if link else ""

    def by(self, name: str) -> str:
        """The SQL of what names the parent: a column of the row's, or the relation's."""
        return f'"{self.link.table}"."{self.link.here}"' if self.link else f'"{self.table}"."{name}"'

    def key_text(self, sql: str) -> str:
        """The SQL of a key as text."""
        return sql if self.dialect == "sqlite" else f"{sql}::text"

    def sql_column(self, sql: str | Decision) -> int:
        """The place in the row of an SQL expression."""
        if sql not in self.columns:
            self.columns.append(sql)
        return self.columns.index(sql)

    def column(self, model: type[Model], alias: str, name: str) -> int:
        return self.sql_column(column(model, name, alias, self.dialect))

    def join(self, model: type[Model], alias: str, foreign_key: str, *, inner: bool, implied: bool) -> str:
        """The name under which the row that `alias.foreign_key` refers to can be selected from.

        `inner`: there is one if there is `alias`. Where `alias` may be missing itself, the row must not go with it.
        """
        on, inner = f'"{alias}"."{foreign_key}"', inner and self.is_certain(alias)
        return self._joined(Join(model, f"j{len(self.joins) + 1}", on, inner, implied))

    def join_back(self, model: type[Model], alias: str, column: str, seen: Callable[[Any], Q]) -> str:
        """The same for the only row that is `seen` and whose `column` refers to `alias`."""
        return self._joined(Join(model, f"j{len(self.joins) + 1}", f'"{alias}"."id"', False, False, column, seen))

    def _joined(self, wanted: Join) -> str:
        for each in self.joins:
            if replace(each, alias=wanted.alias) == wanted:
                return each.alias
        self.joins.append(wanted)
        return wanted.alias

    def is_certain(self, alias: str) -> bool:
        """Whether every row of the SELECT has this part."""
        return alias == self.table or any(each.inner for each in self.joins if each.alias == alias)

    def name(self, value: Any) -> str:
        """A name by which an expression can use a value."""
        given = f"v{len(self.names)}"
        self.names[given] = value
        return given

    def compiled(self, expression: str) -> Callable[[list[Any], list[Any], list[Any]], list[Any]]:
        """A function from rows to a list of what the expression makes of each."""
        names = {**self.names, "bail": bail, "required": required, "small": small, "loads": orjson.loads}
        source = f"def shape(R, M, D):\n    return [{expression} for r in R]\n"
        exec(compile(source, f"<plan of {self.table}>", "exec"), names)  # our own source, made from the schema
        shape: Callable[[list[Any], list[Any], list[Any]], list[Any]] = names["shape"]
        return shape


def bail() -> Any:
    raise Bail("a null where none may be")


def required(value: Any) -> Any:
    if value is None:
        raise Bail("a null where none may be")
    return value


def small(value: Any) -> Any:
    """An integer of a column that holds larger ones than GraphQL's Int."""
    if value is not None and not -(2**31) <= value < 2**31:
        raise Bail("an integer of more than 32 bits")
    return value
