"""What every table shares: UUIDv7 keys, instants in UTC, rows that are not awaitable."""

from datetime import UTC, datetime
from typing import Any

from tortoise import Model, fields
from uuid_utils.compat import uuid7

from domain.enums import Described

UNSET: Any = object()


def instant_text(moment: datetime) -> str:
    """RFC 3339 in UTC with six decimals, `2026-11-22T09:30:00.000000Z`: its order as text is the order in time.

    Raises:
        ValueError: a naive datetime, which means a different instant on every machine.
    """
    if moment.tzinfo is None:
        raise ValueError(f"a naive datetime cannot be stored: {moment!r}")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


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
    enum: type[Described], *, max_length: int, null: bool = False, default: Any = UNSET, description: str | None = None
) -> Any:
    """A column that holds the name of an enum's member."""
    given = {} if default is UNSET else {"default": default}
    return fields.CharEnumField(enum, max_length=max_length, null=null, description=description or "", **given)


class _NotAwaitable:
    """graphql-core makes a task of every value that has `__await__`; a row is no coroutine, so it must not have one."""

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        raise AttributeError("__await__")


class BaseModel(Model):
    id = fields.UUIDField(primary_key=True, default=uuid7)

    __await__ = _NotAwaitable()

    class Meta:
        abstract = True
