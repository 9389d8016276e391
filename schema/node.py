"""Things with an id of their own, and how rows become them.

An id is the type's name and the key, `Ticket_0198…`: clients treat it as opaque. Rows flow through as they are;
`entity` says which table's rows are of which type, and prints the rule that the table's rows are read by.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import strawberry

from domain.enums import Described
from domain.errors import Invalid, NotFound
from engine.declare import PLAN, NodeId, Rows
from models.base import BaseModel
from schema.access import signed_in

Type = TypeVar("Type", bound=type)

AnyRow = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Table:
    """Where the rows of a type are, and which of the table's rows they are."""

    model: type[BaseModel]
    when: AnyRow


TABLES: dict[str, Table] = {}


def entity(
    model: type[BaseModel], *, description: str, where: tuple[str, Described] | None = None
) -> Callable[[Type], Type]:
    """A type whose values are rows of a table: all of them, or those where a column has a value."""

    def when(row: Any) -> bool:
        return where is None or getattr(row, where[0]) is where[1]

    def wrap(cls: Type) -> Type:
        def is_type_of(cls: type, value: object, info: object) -> bool:
            return isinstance(value, cls) or (isinstance(value, model) and when(value))

        cls.is_type_of = classmethod(is_type_of)  # type: ignore[attr-defined]
        directives = signed_in(model.read_rule) if model.read_rule else []
        TABLES[cls.__name__] = Table(model, when)
        cls.engine_rows = Rows(model, where[0], where[1].value) if where else Rows(model)  # type: ignore[attr-defined]
        return strawberry.type(cls, description=description, directives=directives)

    return wrap


def _node_id(root: strawberry.Parent[Any], info: strawberry.Info) -> strawberry.ID:
    return global_id(info._raw_info.parent_type.name, root.id)


@strawberry.interface(description="Anything that has an id of its own.")
class Node:
    id: strawberry.ID = strawberry.field(
        resolver=_node_id,
        description="Opaque and stable; `node(id:)` finds the object by it.",
        metadata={PLAN: NodeId()},
    )


def global_id(type_name: str, key: UUID) -> strawberry.ID:
    return strawberry.ID(f"{type_name}_{key}")


def split_id(given: str, *, field: str) -> tuple[str, UUID]:
    """The type's name and the key.

    Raises:
        Invalid: not an id of this API.
    """
    name, _, key = given.partition("_")
    try:
        if name in TABLES and len(key) == 36:
            return name, UUID(key)
    except ValueError:
        pass
    raise Invalid("This is not an id. Ids come from this API and are sent back as they are.", field=(field,))


def key_of(given: str, *names: str, field: str) -> UUID:
    """The key of an object of one of these types.

    Raises:
        Invalid: not an id, or one of another type.
    """
    name, key = split_id(given, field=field)
    if name not in names:
        raise Invalid(
            "This is an id of the type {type}; here goes one of the type {wanted}.",
            field=(field,),
            type=name,
            wanted=" / ".join(names),
        )
    return key


def key_or_none(given: str | None, *names: str, field: str) -> UUID | None:
    return None if given is None else key_of(given, *names, field=field)


def keys_or_none(given: list[strawberry.ID] | None, *names: str, field: str) -> list[UUID] | None:
    return None if given is None else [key_of(each, *names, field=field) for each in given]


def sought_key(given: str, name: str) -> UUID:
    """The key that a query by id looks for; what cannot be one of this type answers like what does not exist.

    Raises:
        Invalid: not an id at all.
    """
    found, key = split_id(given, field="id")
    if found != name:
        raise NotFound(name.lower(), field=("id",))
    return key


def type_name_of(row: BaseModel) -> str:
    """The GraphQL type of a row."""
    return next(name for name, table in TABLES.items() if isinstance(row, table.model) and table.when(row))
