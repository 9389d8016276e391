"""What rows refer to, as conditions that are asked row by row."""

from pypika_tortoise.context import SqlContext
from pypika_tortoise.terms import Term, ValueWrapper
from tortoise import Model
from tortoise.expressions import Q

from engine.statements import MARK, Fragment, conjunction, dialect_of, where


class OwnRow(Term):
    """The row that a column of `model` refers to, if it meets a condition: `Q(ticket_id__in=OwnRow(…))`.

    A `Subquery` says the same. But SQLite makes the list of all rows that it finds before it looks at the first row
    that is asked about: every ticket of an organization, to show one message.
    """

    def __init__(self, model: type[Model], column: str, referred: type[Model], demanded: Q) -> None:
        super().__init__()
        self._model, self._column, self._referred, self._demanded = model, column, referred, demanded

    def get_sql(self, ctx: SqlContext) -> str:
        table, of = self._referred._meta.db_table, self._model._meta.db_table
        own = Fragment(f'"{table}"."id" = "{of}"."{self._column}"')
        wanted = conjunction(own, where(self._referred, self._demanded, dialect_of(self._referred)))
        return f'(SELECT "{table}"."id" FROM "{table}" WHERE {spelled(wanted, ctx)})'


def spelled(fragment: Fragment, ctx: SqlContext) -> str:
    """A fragment as part of a statement that Tortoise makes: its values become the statement's."""
    before, *after = fragment.sql.split(MARK)
    values = [ValueWrapper(value).get_sql(ctx) for value in fragment.values]
    return before + "".join(value + piece for value, piece in zip(values, after, strict=True))
