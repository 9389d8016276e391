"""The statements of a plan in one viewer's words. Each is made once for a viewer, and kept in the binding.

What differs from run to run (a key, the parents, a cursor, the size of a page) are values between those that do not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from sys import intern
from typing import Any

from engine.binding import Binding
from engine.given import KnownRows
from engine.keyset import Order, PageArgs
from engine.pages import PageBuilder
from engine.plans import ChildPages, ChildRows, RootRow
from engine.selects import Select
from engine.statements import MARK, Fragment, among, beyond, conjunction, finished, ordering


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, and its values before and after those that change."""

    sql: str
    before: tuple[Any, ...]
    after: tuple[Any, ...]


# --- single rows, and rows by their keys


def row(binding: Binding, root: RootRow) -> Statement:
    """The row of one key."""
    return found(binding, root, f'"{root.select.table}"."{root.declared.column}" = {MARK}')


def rows(binding: Binding, root: RootRow) -> Statement:
    """As `row`, for a list of ids."""
    return found(binding, root, among(f'"{root.select.table}"."id"', binding.dialect))


def found(binding: Binding, root: RootRow, by_key: str) -> Statement:
    seen = binding.fragment(("found", root.declared), root.declared.model, root.declared.seen)
    return selected(binding, root.select, by_key, seen)


def known(binding: Binding, known: KnownRows) -> Statement:
    """Rows of a table, or of one type of it, for a list of ids."""
    of, select = known.rows, known.select
    by_key = among(f'"{select.table}"."id"', binding.dialect)
    of_kind = Fragment(f'"{select.table}"."{of.column}" = {MARK}', (of.value,)) if of.column else Fragment()
    seen = binding.fragment(("known", known.serial), of.model, partial(known.seen, of.model))
    return selected(binding, select, by_key, conjunction(of_kind, seen))


def selected(binding: Binding, select: Select, of: str, seen: Fragment, tail: str = "", *more: str) -> Statement:
    """`of` is the condition whose value changes; `more` columns come after the SELECT's own."""
    joins = binding.joins(select)
    sql = worded(binding, select, joins, conjunction(Fragment(of), seen), tail, *more)
    return Statement(sql, joins.values, seen.values)


def worded(binding: Binding, select: Select, joins: Fragment, demanded: Fragment, tail: str = "", *more: str) -> str:
    wanted = f" WHERE {demanded.sql}" if demanded else ""
    columns = ", ".join([*binding.columns(select), *more]) or "1"
    # Viewers have the same text far more often than not: it is kept once.
    return intern(finished(f'SELECT {columns} FROM "{select.table}"{joins.sql}{wanted}{tail}', binding.dialect))


# --- what hangs below rows


def every(binding: Binding, child: ChildRows, single: bool) -> Statement:
    """All children of one parent, or of several: their parent's key is the last column then."""
    declared, select = child.declared, child.select
    seen = binding.fragment(("every", declared), declared.model, declared.seen)
    tail = f' ORDER BY "{select.table}"."{declared.order}", "{select.table}"."id" LIMIT {MARK}'
    by = select.by(declared.by)
    if single:
        return selected(binding, select, f"{by} = {MARK}", seen, tail)
    return selected(binding, select, among(by, binding.dialect), seen, tail, select.key_text(by))


def child_page(binding: Binding, child: ChildPages, builder: PageBuilder, args: PageArgs) -> Statement:
    """The page of one parent's children."""
    select, seen = builder.select, seen_below(binding, child)
    of = Fragment(f"{select.by(child.declared.by)} = {MARK}")
    return Statement(cut(binding, builder, conjunction(of, seen), args), binding.joins(select).values, seen.values)


def child_windows(binding: Binding, child: ChildPages, builder: PageBuilder, args: PageArgs) -> Statement:
    """The same page of every parent's children, in one statement; their parent's key is the last column."""
    select, seen, dialect = builder.select, seen_below(binding, child), binding.dialect
    joins, by = binding.joins(select), select.by(child.declared.by)
    demanded = conjunction(Fragment(among(by, dialect)), seen, *places(binding, builder.order, select.table, args))
    columns = [*binding.columns(select), select.key_text(by)]
    named = ", ".join(f"{each} AS c{number}" for number, each in enumerate(columns))
    way = ordering(direction(builder.order, args), select.table)
    number = f"ROW_NUMBER() OVER (PARTITION BY {by} ORDER BY {way}) AS n"
    inner = f'SELECT {named}, {number} FROM "{select.table}"{joins.sql} WHERE {demanded.sql}'
    outer = ", ".join(f"c{number}" for number in range(len(columns)))
    whole = f"SELECT {outer} FROM ({inner}) AS numbered WHERE n <= {MARK} ORDER BY n"
    return Statement(intern(finished(whole, dialect)), joins.values, seen.values)


def child_counts(binding: Binding, child: ChildPages) -> Statement:
    """How many children each parent has that has any, by its key."""
    select, seen = child.parts.select, seen_below(binding, child)
    key = select.by(child.declared.by)
    demanded = conjunction(Fragment(among(key, binding.dialect)), seen)
    counted = f'SELECT {select.key_text(key)}, count(*) FROM "{select.table}"{select.link_sql}'
    sql = finished(f"{counted} WHERE {demanded.sql} GROUP BY {key}", binding.dialect)
    return Statement(intern(sql), (), seen.values)


def seen_below(binding: Binding, child: ChildPages) -> Fragment:
    """What the children must be to be shown."""
    return binding.fragment(("pages", child.declared), child.declared.model, child.declared.seen)


# --- pages of root lists


def page(binding: Binding, builder: PageBuilder, demanded: Fragment, args: PageArgs) -> Statement:
    before = (*binding.joins(builder.select).values, *demanded.values)
    return Statement(cut(binding, builder, demanded, args), before, ())


def count(binding: Binding, select: Select, demanded: Fragment) -> Statement:
    sql = f'SELECT count(*) FROM "{select.table}"' + (f" WHERE {demanded.sql}" if demanded else "")
    return Statement(intern(finished(sql, binding.dialect)), demanded.values, ())


def cut(binding: Binding, builder: PageBuilder, demanded: Fragment, args: PageArgs) -> str:
    """A page of what is demanded, and the row too many."""
    select = builder.select
    placed = conjunction(demanded, *places(binding, builder.order, select.table, args))
    tail = f" ORDER BY {ordering(direction(builder.order, args), select.table)} LIMIT {MARK}"
    return worded(binding, select, binding.joins(select), placed, tail)


def direction(order: Order, args: PageArgs) -> Order:
    return order.flipped() if args.backwards else order


def places(binding: Binding, order: Order, table: str, args: PageArgs) -> list[Fragment]:
    """The conditions of the cursors."""
    return list(_beyond(binding, order, table, args))


def place_values(binding: Binding, order: Order, args: PageArgs) -> tuple[Any, ...]:
    """The values of the cursors, as they stand in the statement.

    Raises:
        PagingError: a bad cursor.
    """
    if not args.after and not args.before:
        return ()
    return conjunction(*_beyond(binding, order, "", args)).values


def _beyond(binding: Binding, order: Order, table: str, args: PageArgs) -> Iterable[Fragment]:
    if args.after:
        yield beyond(order, table, args.after, "after", binding.dialect)
    if args.before:
        yield beyond(order, table, args.before, "before", binding.dialect)
