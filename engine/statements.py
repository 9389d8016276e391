"""SQL from models and conditions: what stands in a SELECT, and what Tortoise's conditions become.

A `Fragment` marks each value with one character until the statement is whole; `finished` numbers them for the dialect.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pypika_tortoise.terms import Parameterizer
from tortoise import Model, fields
from tortoise.expressions import Q, Subquery
from tortoise.query_utils import EmptyCriterion
from tortoise.queryset import QuerySet

from engine.instants import instant_text
from engine.keyset import Order

Dialect = Literal["sqlite", "postgres"]
MARK = "\x00"


class NotPlannable(Exception):
    """This part of an operation cannot be planned; graphql-core executes the operation."""


class Bail(Exception):
    """The plan met an error or a null that it cannot answer; graphql-core executes the operation again."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of SQL, each value in it marked, and the values in order."""

    sql: str = ""
    values: tuple[Any, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.sql)

    def of(self, table: str, alias: str) -> "Fragment":
        """The same of the table under another name."""
        return Fragment(self.sql.replace(f'"{table}".', f'"{alias}".'), self.values)


ALWAYS, NEVER = Fragment("1 = 1"), Fragment("1 = 0")
"""Conditions that every row meets, and none."""


def any_of(*fragments: Fragment) -> Fragment:
    """Met by what meets one of them."""
    return _joined(" OR ", fragments) if fragments else NEVER


def all_of(*fragments: Fragment) -> Fragment:
    """Met by what meets every one of them."""
    return _joined(" AND ", fragments) if fragments else ALWAYS


def _joined(word: str, fragments: tuple[Fragment, ...]) -> Fragment:
    if len(fragments) == 1:
        return fragments[0]
    values: tuple[Any, ...] = sum((fragment.values for fragment in fragments), ())
    return Fragment(f"({word.join(fragment.sql for fragment in fragments)})", values)


def condition(query: QuerySet[Any], dialect: Dialect) -> Fragment:
    """What a query demands of its rows. One that joins others to ask them becomes: to be among the rows found so."""
    query = query._clone()
    query._choose_db_if_not_chosen()
    query._make_query()
    built = query.query
    if built._joins:
        return where(query.model, Q(id__in=Subquery(query.values("id"))), dialect)
    if built._wheres is None or isinstance(built._wheres, EmptyCriterion):
        return Fragment()
    marks = Parameterizer(lambda number: MARK)
    context = built.QUERY_CLS.SQL_CONTEXT.copy(parameterizer=marks, with_namespace=True, subquery=True)
    return Fragment(f"({built._wheres.get_sql(context)})", tuple(stored(value, dialect) for value in marks.values))


def where(model: type[Model], demanded: Q, dialect: Dialect) -> Fragment:
    return condition(model.filter(demanded), dialect)


def stored(value: Any, dialect: Dialect) -> Any:
    """A value as the driver takes it."""
    if dialect == "sqlite":
        if isinstance(value, UUID):
            return str(value)
        if isinstance(value, datetime):
            return instant_text(value)
    return value


def finished(sql: str, dialect: Dialect) -> str:
    if dialect == "sqlite":
        return sql.replace(MARK, "?")
    first, *rest = sql.split(MARK)
    return first + "".join(f"${number}{piece}" for number, piece in enumerate(rest, 1))


def column(model: type[Model], name: str, alias: str, dialect: Dialect) -> str:
    """The SQL of a column whose value comes as it is sent: ids, instants and dates as text."""
    field = model._meta.fields_map[name]
    sql = f'"{alias}"."{field.source_field or name}"'
    if dialect == "postgres":
        if isinstance(field, fields.DatetimeField):
            return f"to_char({sql} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
        if isinstance(field, fields.DateField):
            return f"to_char({sql}, 'YYYY-MM-DD')"
        if isinstance(field, fields.UUIDField):
            return f"{sql}::text"
    return sql


def among(sql: str, dialect: Dialect) -> str:
    """Membership of an id in a list that is one value: the statement is the same however long the list."""
    if dialect == "sqlite":
        return f"{sql} IN (SELECT value FROM json_each({MARK}))"
    return f"{sql} = ANY({MARK}::uuid[])"


def id_list(ids: list[Any], dialect: Dialect) -> Any:
    """The value that `among` takes."""
    return "[" + ",".join(f'"{each}"' for each in ids) + "]" if dialect == "sqlite" else ids


def dialect_of(model: type[Model]) -> Dialect:
    return "sqlite" if model._meta.db.capabilities.dialect == "sqlite" else "postgres"


def beyond(order: Order, table: str, cursor: str, argument: Literal["after", "before"], dialect: Dialect) -> Fragment:
    """The rows after, or before, a cursor's row; as `Order.beyond`, in SQL."""
    value, row_id = order.position(cursor, argument)
    side = "<" if order.descending == (argument == "after") else ">"
    at, tie = f'"{table}"."{order.column}"', f'"{table}"."id"'
    value, row_id = stored(value, dialect), stored(row_id, dialect)
    return Fragment(f"({at} {side}= {MARK} AND ({at} {side} {MARK} OR {tie} {side} {MARK}))", (value, value, row_id))


def ordering(order: Order, table: str) -> str:
    way = "DESC" if order.descending else "ASC"
    return f'"{table}"."{order.column}" {way}, "{table}"."id" {way}'


def conjunction(*fragments: Fragment) -> Fragment:
    given = [fragment for fragment in fragments if fragment]
    values: tuple[Any, ...] = sum((fragment.values for fragment in given), ())
    return Fragment(" AND ".join(fragment.sql for fragment in given), values)
