"""What may be wrong with what an operation is given: every argument that the schema has, with everything that does not
belong there. New operations and arguments are covered by being in the schema.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_input_object_type,
    is_required_argument,
    parse_value,
    value_from_ast_untyped,
)

from schema.build import sdl
from tests.api.test_mutation_permissions import MUTATIONS

Path = tuple[str, ...]
Variables = dict[str, Any]

NEVER = UUID(int=1)
HUGE = "x" * 1_000_000
"""As much as a request may have at all: tests/server/test_bad_requests.py sends more."""

NO_TEXTS: list[Any] = ["a\x00b", "a\ud800b", HUGE, {"a": "b"}]
NO_IDS: list[Any] = ["", "x", "Ticket_", "Ticket_1", f"{NEVER}", f"ticket_{NEVER}", f"Nothing_{NEVER}", 1.5]
NO_IDS += [f"Ticket_{NEVER}0", f"Ticket_{{{str(NEVER)[:34]}}}", "\x00", "\ud800", HUGE, f"SystemActor_{NEVER}"]
NO_VALUES: dict[str, list[Any]] = {
    "ID": NO_IDS,
    "Int": ["1", 1.5, 2**31, -(2**31) - 1, 1e400, True, "x"],
    "Boolean": ["true", 1, "x"],
    "DateTime": ["2026-01-01T00:00:00", "2026-01-01", "yesterday", "", 1767225600, "2026-13-01T00:00:00Z"],
    "Date": ["2026-02-30", "yesterday", "", 20260101, "2026-01-01T00:00:00Z", "\x00", HUGE],
    "Duration": ["7 days", "", "P", "PT", "-P1D", 7, "P1Y", HUGE, "\x00"],
    "EmailAddress": [*NO_TEXTS, "", "ann", "ann@", "@example.com", "a b@example.com"],
    "Locale": [*NO_TEXTS, "", "english language", "e"],
    "TimeZone": [*NO_TEXTS, "", "Mars/Olympus", "../etc/passwd"],
    "Cursor": [*NO_TEXTS, "garbage", "é" * 100, "W10", "bnVsbA"],
}
OF_ANOTHER_LIST: list[Any] = [
    base64.urlsafe_b64encode(json.dumps(["another list:asc", value, *more]).encode()).decode().rstrip("=")
    for value, more in (
        ("2026-01-01T00:00:00.000000Z", [f"{NEVER}"]),
        ("a", [f"{NEVER}"]),
        (1, [f"{NEVER}"]),
        (1, []),
    )
]
"""Cursors that are well made, of each form there is, and of no list at hand."""

NO_VALUES["Cursor"] += OF_ANOTHER_LIST
NO_VALUES["DateTime"] += ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "\ud800", HUGE]
"""By scalar; a text where there is nothing else."""

NO_PAGES: list[Any] = [-1, 101, 2**31 - 1]

LOOKED_UP = {"reference", "serialNumber", "references", "escalationReferences", "requestTypeKeys"}
"""What nothing can be called is found as little as what nothing is called: it is no mistake to look for it."""

DOUBTFUL: dict[str, list[Any]] = {"Int": [-1, 0, 2**31 - 1], "ID": [], "String": ["", " \n"], "Markdown": ["", " \n"]}
"""What is wrong for some and right for others. No answer may be a fault of ours."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value somewhere in the variables."""

    path: Path
    kind: GraphQLInputType
    alone: bool
    """Whether it is one value, rather than a list of them."""

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def is_looked_up(self) -> bool:
        return self.name in LOOKED_UP or self.path == ("requestTypeKey",)

    def wrong(self) -> Iterator[Any]:
        """Values that are refused wherever they are given."""
        if self.is_looked_up:
            return
        known = get_named_type(self.kind)
        wrong = ["NOPE", 1] if isinstance(known, GraphQLEnumType) else NO_VALUES.get(known.name, NO_TEXTS)
        yield from (each if self.alone else [each] for each in wrong)
        if self.name in ("first", "last"):
            yield from NO_PAGES
        if not self.alone:
            yield [None]
            if known.name == "ID":
                yield [f"Ticket_{NEVER}"] * 10_000

    def doubtful(self) -> Iterator[Any]:
        known = get_named_type(self.kind)
        yield from (
            each if self.alone else [each]
            for each in DOUBTFUL.get(known.name, [*NO_TEXTS[:3]] if self.is_looked_up else [])
        )
        if not self.alone:
            yield []


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation of one field, with variables that are right."""

    name: str
    document: str
    variables: Variables
    takes: dict[str, GraphQLInputType] = field(default_factory=dict)

    def leaves(self) -> Iterator[Leaf]:
        for name, kind in self.takes.items():
            yield from _leaves((name,), kind)

    def given(self, leaf: Leaf, value: Any) -> Variables:
        return _with(self.variables, leaf.path, value)


@cache
def printed() -> GraphQLSchema:
    return build_schema(sdl())


def mutation(name: str, ids: dict[str, str]) -> Asked:
    """A mutation as the permission tests send it."""
    kind = f"{name[0].upper()}{name[1:]}Input"
    document = f"mutation($input: {kind}!) {{ {name}(input: $input) {{ errors {{ __typename code message field }} }} }}"
    given = value_from_ast_untyped(parse_value(f"{{{MUTATIONS[name][1]}}}"), ids)
    root = printed().mutation_type
    assert root
    return Asked(name, document, {"input": given}, {"input": root.fields[name].args["input"].type})


def queries(ids: dict[str, str]) -> Iterator[Asked]:
    """Every root field that takes something, every field of the others, and every field of every kind of node."""
    root = printed().query_type
    assert root
    for name, each in root.fields.items():
        if each.args:
            yield _asked("query", name, each, ids)
        elif isinstance(inner := get_named_type(each.type), GraphQLObjectType):
            yield from (_asked("query", n, f, ids, within=name) for n, f in inner.fields.items() if f.args)
    for kind, id in ids.items():
        thing = printed().type_map[kind]
        assert isinstance(thing, GraphQLObjectType)
        around = f'node(id: "{id}") {{ ... on {kind}'
        yield from (_asked("query", n, f, ids, within=around) for n, f in thing.fields.items() if f.args)


def subscriptions(ids: dict[str, str]) -> Iterator[Asked]:
    root = printed().subscription_type
    assert root
    yield from (_asked("subscription", name, each, ids) for name, each in root.fields.items() if each.args)


RIGHT = {"text": "camera", "subject": "camera", "reference": "T-000001", "serialNumber": "SN-1", "scope": "ALL"}


def _asked(kind: str, name: str, of: GraphQLField, ids: dict[str, str], within: str = "") -> Asked:
    takes = {each: argument.type for each, argument in of.args.items()}
    right: Variables = {}
    for each, argument in of.args.items():
        if is_required_argument(argument) or each in RIGHT:
            wanted = get_named_type(of.type).name if each == "id" else f"{each[0].upper()}{each[1:]}".removesuffix("Id")
            right[each] = [ids["Ticket"]] if each == "ids" else RIGHT.get(each) or ids.get(wanted) or ids["Ticket"]
    heading = ", ".join(
        f"${each}: {type if each in right else get_nullable_type(type)}" for each, type in takes.items()
    )
    arguments = ", ".join(f"{each}: ${each}" for each in takes)
    asked = f"{name}({arguments}) {_selection(of.type)}"
    inner = f"{within} {{ {asked} }}" if within else asked
    return Asked(f"{within}.{name}", f"{kind}({heading}) {{ {inner}{' }' * within.count('{')} }}", right, takes)


def _selection(kind: GraphQLOutputType) -> str:
    named = get_named_type(kind)
    if not is_composite_type(named):
        return ""
    counted = "totalCount " if "totalCount" in getattr(named, "fields", {}) else ""
    return f"{{ {counted}nodes {{ __typename }} }}" if "nodes" in getattr(named, "fields", {}) else "{ __typename }"


def _leaves(path: Path, kind: GraphQLInputType, inside: tuple[str, ...] = ()) -> Iterator[Leaf]:
    bare = get_nullable_type(kind)
    named = get_named_type(kind)
    if not is_input_object_type(named):
        yield Leaf(path, kind, not isinstance(bare, GraphQLList))
    elif named.name not in inside:
        for name, each in named.fields.items():
            yield from _leaves((*path, name), each.type, (*inside, named.name))


def _with(values: Any, path: Path, value: Any) -> Any:
    first, *others = path
    return {**(values or {}), first: _with((values or {}).get(first), tuple(others), value) if others else value}
