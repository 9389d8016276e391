"""What every table shares: UUIDv7 keys, instants in UTC, rows that are not awaitable."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, ClassVar, Self
from uuid import UUID

from tortoise import Model, fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.expressions import Q
from tortoise.models import ModelMeta
from tortoise.queryset import QuerySet
from uuid_utils.compat import uuid7

from domain.enums import Described
from domain.policy import Facts, Rule, Viewer
from engine.statements import Dialect, Fragment

UNSET: Any = object()


class InstantField(fields.DatetimeField[Any]):
    """An instant in UTC; on SQLite the text of `instant_text`, on PostgreSQL a timestamptz."""

    def to_python_value(self, value: Any) -> datetime | None:
        if value is None:
            return None
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return moment.astimezone(UTC)

    def to_db_value(self, value: Any, instance: Any) -> Any:
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError(f"{self.model_field_name} needs a time zone: {value!r}")
        return value


def Instant(*, null: bool = False, description: str | None = None) -> Any:  # noqa: N802  (reads as a field type)
    return InstantField(null=null, description=description)  # type: ignore[call-overload]


def Choice(  # noqa: N802
    enum: type[Described],
    *,
    max_length: int,
    null: bool = False,
    default: Any = UNSET,
    db_default: Any = UNSET,
    description: str | None = None,
) -> Any:
    """A column that holds the name of an enum's member."""
    given = {} if default is UNSET else {"default": default}
    given |= {} if db_default is UNSET else {"db_default": db_default}
    return fields.CharEnumField(enum, max_length=max_length, null=null, description=description or "", **given)


def SortKey(kind: type[fields.Field[Any]], empty: int | str, **options: Any) -> Any:  # noqa: N802
    """A column that a list is ordered by. Triggers keep it: whatever a row says here when it is saved, they mend it."""
    return kind(default=empty, db_default=empty, **options)


def nothing() -> Q:
    """A condition that no row meets."""
    return Q(id=UUID(int=0))


def anyone_signed_in(viewer: Viewer) -> Q:
    return Q() if viewer.is_authenticated else nothing()


def member_of(viewer: Viewer, column: str = "organization_id") -> Q:
    """Rows of the organizations that the viewer belongs to; all of them for support staff."""
    if viewer.is_staff:
        return Q()
    if not viewer.memberships:
        return nothing()
    mine: dict[str, Any] = {f"{column}__in": [m.organization_id for m in viewer.memberships]}
    return Q(**mine)


class _NotAwaitable:
    """graphql-core makes a task of every value that has `__await__`; a row is no coroutine, so it must not have one."""

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        raise AttributeError("__await__")


class Table(ModelMeta):
    """Tortoise reads the source of every model for comments that describe its columns, a tenth of all the time that a
    process takes to start. Ours have none: a column's description is an argument."""

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> "Table":
        found: Table = super().__new__(cls, name, bases, {"_no_comments": True, **attrs})  # type: ignore[assignment]
        return found


class BaseModel(Model, metaclass=Table):
    id = fields.UUIDField(primary_key=True, default=uuid7)

    _as_read: dict[str, Any] | None = None

    def keep_as_read(self) -> None:
        """Remember the columns as they are: `save` then writes those that have changed since, and no other."""
        self._as_read = {name: getattr(self, name) for name in self._meta.fields_db_projection}

    async def save(
        self,
        using_db: BaseDBAsyncClient | None = None,
        update_fields: Iterable[str] | None = None,
        force_create: bool = False,
        force_update: bool = False,
    ) -> None:
        if self._as_read is not None and update_fields is None:
            update_fields = [name for name, value in self._as_read.items() if getattr(self, name) != value]
            if not update_fields:
                return
        await super().save(using_db, update_fields, force_create, force_update)
        if self._as_read is not None:
            self.keep_as_read()

    __await__ = _NotAwaitable()

    read_rule: ClassVar[Rule | None] = None
    """The rule that `seen_by` is the SQL form of, where it has a name; the API prints it on the type."""

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        """Which rows the viewer may be shown when they are reached through another object or a list.

        Nothing, unless the table says otherwise: a table that forgets its rule shows no row.
        """
        return nothing()

    @classmethod
    def found_by(cls, viewer: Viewer) -> Q:
        """Which rows the viewer may ask for by id alone."""
        return cls.seen_by(viewer)

    @classmethod
    def found_for(cls, viewer: Viewer) -> Q:
        """What a row asked for by id must be: both of the above."""
        return cls.seen_by(viewer) & cls.found_by(viewer)

    decides_in_sql: ClassVar[bool] = False
    """Whether there is an `allowed_sql`; otherwise a row's facts decide about its fields."""

    @classmethod
    def allowed_sql(cls, viewer: Viewer, rule: Rule, dialect: Dialect) -> Fragment:
        """The rows for which a rule holds, as a condition; `domain.policy.allows` is the same rule on facts."""
        raise NotImplementedError

    fact_columns: ClassVar[tuple[str, ...]] = ()
    """The columns that `facts` is made of."""

    @classmethod
    async def facts_by_columns(cls, keys: set[tuple[Any, ...]], viewer: Viewer, read: Any) -> dict[Any, Facts]:
        """For rows that are known by `fact_columns` alone, as text, what decides about them."""
        return dict.fromkeys(keys)

    @classmethod
    def shown_to(cls, viewer: Viewer) -> QuerySet[Self]:
        """Rows as they are shown: `seen_by`, with whatever a shown row carries besides its columns."""
        return cls.filter(cls.seen_by(viewer))

    class Meta:
        abstract = True
