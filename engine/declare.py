"""What a field of the schema tells the planner: where its value comes from, in terms of tables and columns.

A field without a declaration and without a resolver is a column of its own name. A field with a resolver and without a
declaration is planned too, but costs more: whole rows are read for it, and the resolver is called once for each. The
declarations are put into a field's `metadata` by the helpers of the schema; the resolver beside them says the same to
graphql-core.
"""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tortoise import Model
from tortoise.expressions import Q

from engine.keyset import Order
from engine.statements import Dialect, Fragment

PLAN = "engine.plan"
"""The key of a declaration in a field's metadata."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A type is made of rows of this table: all, or those whose `column` has `value`."""

    model: type[Model]
    column: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class NodeId:
    """The type's name and the row's key."""


@dataclass(frozen=True, slots=True)
class ToOne:
    """The row that `<relation>_id` refers to; `one.other`: that the row which `one_id` refers to refers to.

    `implied`: whoever sees this row sees that one.
    """

    relation: str
    implied: bool = False


@dataclass(frozen=True, slots=True)
class TheOne:
    """The row whose column `by` names this one and that is `seen`. An index of the table says that there is only one:
    so it is joined."""

    model: type[Model]
    by: str
    seen: Callable[[Any], Q]


@dataclass(frozen=True, slots=True)
class Doer:
    """A person, or where the column `automatic` says so, the constant row of another type of the interface."""

    relation: str
    automatic: str | None
    constant_type: str
    constant: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SameRow:
    """An object that is another view of the same row."""


@dataclass(frozen=True, slots=True)
class Derived:
    """A value made from columns: their names, and what is made of their values as they are sent, for a viewer."""

    needs: Callable[[Any], tuple[str, ...]]
    read: Callable[[Any], Callable[..., Any]]


@dataclass(frozen=True, slots=True)
class SqlValue:
    """A value computed in the row's own SELECT. `sql` may depend on the viewer."""

    sql: Callable[[Any], str]
    read: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Batched:
    """A value that a resolver gives, asked once for all rows of a level.

    `resolve` takes the context and, for each row, the values of the columns that it `needs`; it answers in their order,
    with scalars, objects, rows, or lists of these.
    """

    needs: tuple[str, ...]
    resolve: "Callable[[Any, list[tuple[Any, ...]]], Sequence[Any] | Awaitable[Sequence[Any]]]"


@dataclass(frozen=True, slots=True)
class Told:
    """A value made from columns for a reader: a scalar, or an object without resolvers of its own.

    `tell` takes what `reader` makes of the viewer, the field's arguments and, for each row, the values of the columns
    that it `needs`. Nothing else decides: viewers of whom `reader` makes the same are told the same.
    """

    needs: tuple[str, ...]
    reader: Callable[[Any], Hashable]
    tell: "Callable[[Any, Mapping[str, Any], list[tuple[Any, ...]]], Sequence[Any] | Awaitable[Sequence[Any]]]"


@dataclass(frozen=True, slots=True)
class Pages:
    """A connection over the rows whose column `by` names this row, or that a many-to-many relation leads to."""

    model: type[Model]
    by: str
    order: Callable[[Any], Order]
    seen: Callable[[Any], Q]
    relation: str | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """A connection over the rows of several tables, each as `Pages` would have them, all in one order.

    The argument `narrowed_by` may ask for some of them: `narrow` says which that is in a table, None for none of it. It
    takes the argument as it was sent or as it was coerced, and raises ValueError for what it does not know.
    """

    parts: tuple[Pages, ...]
    narrowed_by: str
    narrow: Callable[[type[Model], Any], Q | None]


@dataclass(frozen=True, slots=True)
class Every:
    """All rows whose column `by` names this row, or that a many-to-many relation leads to.

    They come in the order of a column and the id. `single`: only the first of them, or null.
    """

    model: type[Model]
    by: str
    order: str
    seen: Callable[[Any], Q]
    single: bool = False
    relation: str | None = None


@dataclass(frozen=True, slots=True)
class RowKey:
    """Stands for a row, by the name of its type and its key; null where there is none to be seen."""

    type_name: str
    pk: Any


@dataclass(frozen=True, slots=True)
class Keys:
    """A field of an object that is no row: the keys of the rows it refers to, as `RowKey`s, from the context."""

    keys: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Sought:
    """A root field that finds objects of any type: `keys` makes a `RowKey`, or a list of them, from the arguments.

    What is no row may stand among them as it is. `seen` is what a row of a table must be to be found.
    """

    keys: Callable[[Mapping[str, Any]], Any]
    seen: Callable[[type[Model], Any], Q]
    worded: Callable[[Any], bool] = lambda viewer: False
    """As of `Found`."""


@dataclass(frozen=True, slots=True)
class Found:
    """A root field: the row that `column` identifies. `key` makes the column's value from the arguments, or raises."""

    model: type[Model]
    column: str
    key: Callable[[Mapping[str, Any]], Any]
    seen: Callable[[Any], Q]
    worded: Callable[[Any], bool] = lambda viewer: False
    """Whether it may have to be said why there is no row for this viewer; graphql-core answers then."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A root connection: its resolver is called once for a viewer and arguments, and its query is planned from."""

    model: type[Model]


@dataclass(frozen=True, slots=True)
class EventRow:
    """A row that an event is about: its id is made from the event; None where the event is about none."""

    model: type[Model]
    key: Callable[[Any], str | None]
    seen: Callable[[Any], Q]


@dataclass(frozen=True, slots=True)
class Following:
    """What one subscriber follows. `guard` is asked anew from time to time, and raises when it may no longer."""

    topic: str
    after: Any
    guard: Callable[[], Any]
    wanted: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Followed:
    """A subscription whose events can be made once for all who follow alike.

    `open` says, for a context and arguments, what is followed, or raises. An event of one of `kinds` becomes an object
    of type `event_type`: its fields are made from the event by `values`, or are the rows of `rows`; where a field's
    row is of one of several tables, the first that the event is about. The event is told only if there is the row
    of the field `must`, whether that is selected or not.
    """

    open: Callable[[Any, Mapping[str, Any]], Any]
    kinds: frozenset[str]
    event_type: str
    values: Mapping[str, Callable[[Any], Any]]
    rows: Mapping[str, tuple[EventRow, ...]]
    must: str | None = None

    def __hash__(self) -> int:
        return id(self)


class FieldGuard(Protocol):
    """What an extension of a field must offer for the field to be planned."""

    def decide(self, viewer: Any) -> bool | None:
        """True or False where the viewer alone decides; None where the row does."""

    def in_sql(self, model: type[Model]) -> bool:
        """Whether `condition` can say for rows of this table what it demands of them."""

    def condition(self, viewer: Any, model: type[Model], dialect: Dialect) -> Fragment:
        """What a row must be for the field to be read, of the table under its own name."""

    def fact_columns(self, model: type[Model]) -> tuple[str, ...]:
        """The columns that the row's facts are made of, where it is not said in SQL."""

    async def decide_rows(
        self, viewer: Any, model: type[Model], keys: set[tuple[Any, ...]], read: Any
    ) -> dict[tuple[Any, ...], bool]:
        """For each combination of those columns, whether the field may be read; `read(sql, values)` asks for more."""

    def reason(self, viewer: Any) -> Exception:
        """Why a viewer may not read a field whose refusal has to be worded."""

    @property
    def denied(self) -> Any:
        """What is answered instead; raises where an error is."""
