"""Fields that may not be read, and that say so: null in the answer, and an error beside it that names the place.

While a plan runs, a refusal stands where the value would be. It is looked for only where one was met.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from graphql import FieldNode, GraphQLError

from engine.declare import FieldGuard

Place = tuple[Any, Any, "Refusal", list[str | int]]
"""A dict or list, the key or index there, what stands at it, and its path in the answer."""


@dataclass(frozen=True, slots=True, eq=False)
class Refusal:
    guard: FieldGuard
    nodes: list[FieldNode]


@dataclass(slots=True)
class Answer:
    """The `data` of an operation, and the errors beside it: those of fields that may not be read."""

    data: dict[str, Any]
    errors: list[GraphQLError] = field(default_factory=list)


def worded(data: dict[str, Any], viewer: Any) -> Answer:
    """The answer to data with refusals in it, as graphql-core words it."""
    places = list(refusals(data, []))
    errors = []
    for _, _, refusal, path in places:
        reason = refusal.guard.reason(viewer)
        errors.append(GraphQLError(str(reason), refusal.nodes, path=path, original_error=reason))
    for container, key, _, _ in places:  # an object may stand in several places: only now
        container[key] = None
    return Answer(data, errors)


def refusals(value: Any, path: list[str | int]) -> Iterator[Place]:
    pairs: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        if isinstance(inner, Refusal):
            yield value, key, inner, [*path, key]
        else:
            yield from refusals(inner, [*path, key])
