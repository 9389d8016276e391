"""What is made for one viewer, once: conditions as SQL, and the statements with them in it (`wording.py`)."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tortoise import Model
from tortoise.expressions import Q

from engine.declare import FieldGuard
from engine.keyset import Order
from engine.pages import PageBuilder
from engine.selects import Decision, Join, Select
from engine.statements import Dialect, Fragment, NotPlannable, where

if TYPE_CHECKING:
    from engine.wording import Statement


@dataclass(slots=True)
class RootList:
    """A root list as one viewer asks for it, and its statements by the shape of the page.

    A page that takes no rows has no statement.
    """

    demanded: Fragment
    order: Order
    pages: dict[Hashable, "tuple[PageBuilder, Statement | None]"] = field(default_factory=dict)
    count: "Statement | None" = None


@dataclass(slots=True)
class Binding:
    """What is made for one viewer, once: conditions as SQL, and whole statements. Never shown to another viewer."""

    viewer: Any
    dialect: Dialect
    fragments: dict[Hashable, Fragment] = field(default_factory=dict)
    statements: "dict[Hashable, Statement]" = field(default_factory=dict)
    lists: dict[Hashable, RootList] = field(default_factory=dict)
    decisions: dict[FieldGuard, bool | None] = field(default_factory=dict)

    def decided(self, guard: FieldGuard) -> bool | None:
        """What the viewer alone decides about a field; None where the row does.

        Raises:
            Whatever the guard raises: a refusal is not kept.
        """
        if guard not in self.decisions:
            self.decisions[guard] = guard.decide(self.viewer)
        return self.decisions[guard]

    def statement(self, key: Hashable, word: "Callable[..., Statement]", *given: Any) -> "Statement":
        """The statement that is kept under a key, or is worded now; the key tells what is `given` apart."""
        found = self.statements.get(key)
        if found is None:
            found = self.statements[key] = word(self, *given)
        return found

    def fragment(self, key: Hashable, model: type[Model], demanded: Callable[[Any], Q]) -> Fragment:
        found = self.fragments.get(key)
        if found is None:
            found = self.fragments[key] = where(model, demanded(self.viewer), self.dialect)
        return found

    def seen(self, model: Any) -> Fragment:
        """What a row reached through another must be to be shown to the viewer."""
        return self.fragment(("seen", model), model, model.seen_by)

    def columns(self, select: Select) -> list[str]:
        """The columns as this viewer's statement has them."""
        return [self.decision(each).sql if isinstance(each, Decision) else each for each in select.columns]

    def joins(self, select: Select) -> Fragment:
        """The joins; the values are all of those that stand before WHERE, hence those of the columns too."""
        key = ("joins", select.serial)
        found = self.fragments.get(key)
        if found is None:
            joined = [self.join(each) for each in select.joins]
            before = [self.decision(each) for each in select.decisions]
            values: tuple[Any, ...] = sum((piece.values for piece in (*before, *joined)), ())
            sql = select.link_sql + "".join(piece.sql for piece in joined)
            found = self.fragments[key] = Fragment(sql, values)
        return found

    def decision(self, decision: Decision) -> Fragment:
        """The column that says whether a field may be read."""
        key = ("decision", decision)
        found = self.fragments.get(key)
        if found is None:
            guard, model = decision.guard, decision.model
            demanded = guard.condition(self.viewer, model, self.dialect)
            demanded = demanded.of(model._meta.db_table, decision.alias)
            found = Fragment(f"CASE WHEN {demanded.sql} THEN 1 ELSE 0 END", demanded.values)
            self.fragments[key] = found
        return found

    def join(self, join: Join) -> Fragment:
        table = join.model._meta.db_table
        demanded = Fragment() if join.implied else self.seen(join.model)
        if join.seen:
            demanded = self.fragment(("joined", join.seen), join.model, join.seen)
        if f'FROM "{table}"' in demanded.sql:
            raise NotPlannable(f"{table} is seen by a condition that asks {table} itself: no join can carry it")
        demanded = demanded.of(table, join.alias)
        if self.dialect == "sqlite":
            demanded = unhelpful(demanded, join.alias)
        way = " JOIN" if join.inner else " LEFT JOIN"
        also = f" AND {demanded.sql}" if demanded else ""
        return Fragment(
            f'{way} "{table}" "{join.alias}" ON "{join.alias}"."{join.column}" = {join.on}{also}', demanded.values
        )


def unhelpful(demanded: Fragment, alias: str) -> Fragment:
    """The same condition on a joined row, from which SQLite's planner draws nothing.

    The row is found by its key. A condition besides makes the planner read the whole table into a filter first, as soon
    as it takes the other side for longer: in every run of the statement.
    """
    return Fragment(demanded.sql.replace(f'"{alias}".', f'+"{alias}".'), demanded.values)
