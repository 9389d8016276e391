"""Queries whose text is made once. What is asked in every write then costs its rows, and not its wording."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from tortoise import Model
from tortoise.queryset import QuerySet

from engine.statements import Dialect, dialect_of, stored

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Text:
    """A statement, its values with gaps where `places` says which of the given ones stand, and the annotations."""

    sql: str
    values: tuple[Any, ...]
    places: tuple[tuple[int, int], ...]
    annotations: tuple[str, ...]


class Prepared(Generic[Row]):
    """A query of one table, by columns whose values are given later.

    `make` narrows and annotates it. It must not depend on anything but the table: its result is kept. Values are ids or
    text.
    """

    def __init__(self, model: type[Row], by: dict[str, type], make: Callable[[QuerySet[Row]], QuerySet[Row]]) -> None:
        self._model, self._by, self._make = model, by, make
        self._texts: dict[Dialect, Text] = {}

    async def first(self, *given: Any) -> Row | None:
        """The first row whose columns, in their order, have these values; read where the running task reads."""
        dialect = dialect_of(self._model)
        text = self._texts.get(dialect)
        if text is None:
            text = self._texts[dialect] = self._worded(dialect)
        values = list(text.values)
        for place, which in text.places:
            values[place] = stored(given[which], dialect)
        _, rows = await self._model._choose_db(for_write=True).execute_query(text.sql, values)
        if not rows:
            return None
        row = self._model._init_from_db(**rows[0])
        for name in text.annotations:
            object.__setattr__(row, name, rows[0][name])
        return row

    def _worded(self, dialect: Dialect) -> Text:
        marks = [UUID(int=n + 1) if kind is UUID else f"\x01{n}" for n, kind in enumerate(self._by.values())]
        query = self._make(self._model.filter(**dict(zip(self._by, marks, strict=True)))).limit(1)
        query._choose_db_if_not_chosen(True)
        query._make_query()
        sql, values = query.query.get_parameterized_sql()
        values = [str(value) if isinstance(value, UUID) else value for value in values]
        looked_for = [str(mark) for mark in marks]
        places = tuple((n, looked_for.index(value)) for n, value in enumerate(values) if value in looked_for)
        if len(places) != len(marks):
            raise ValueError(f"a value of {self._model.__name__}'s query is not where it can be put in later")
        return Text(sql, tuple(values), places, tuple(query._annotations))
