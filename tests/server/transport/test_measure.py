from typing import Any

import pytest
from graphql import get_introspection_query, parse

from server.transport.limits import CEILING, Limits
from server.transport.measure import Measure, input_objects
from tests.server.transport.support import make_schema

SCHEMA = make_schema()._schema


def measure(query: str, variables: dict[str, object] | None = None, **limits: int) -> Measure:
    return Measure(SCHEMA, parse(query), variables or {}, Limits(**limits))


def reached(query: str, variables: dict[str, object] | None = None, **limits: int) -> dict[str, int]:
    """What each exceeded figure came to, by the first words of its message."""
    errors = measure(query, variables, **limits).errors()
    return {error.message.split(" may be ")[0]: error.extensions["reached"] for error in errors}  # type: ignore[index]


def doubling_fragments(levels: int, *, on: str = "Box", leaf: str = "name") -> str:
    chain = "".join(f"fragment F{n} on {on} {{ ...F{n + 1} ...F{n + 1} }} " for n in range(levels))
    return f"{chain} fragment F{levels} on {on} {{ {leaf} }}"


def test_a_fragment_is_walked_once_however_often_it_is_spread() -> None:
    measured = measure("{ box { ...F0 } }" + doubling_fragments(24))

    errors = measured.errors()

    assert measured.visited == 51  # 2 in the operation, 2 in each of 24 fragments, 1 in the last
    assert [error.extensions for error in errors] == [
        {"code": "LIMIT_EXCEEDED", "allowed": 2_000, "reached": 2**25 + 2**24}
    ]


def test_sums_stop_growing_at_the_ceiling() -> None:
    errors = measure("{ box { ...F0 } }" + doubling_fragments(60)).errors()

    assert errors[0].extensions == {"code": "LIMIT_EXCEEDED", "allowed": 2_000, "reached": CEILING}
    assert errors[0].message == (
        "The number of fields of an operation may be at most 2000; here it is 1 000 000 000 or more."
    )


def test_fragments_that_spread_each_other_end() -> None:
    measured = measure("{ box { ...A } } fragment A on Box { ...B } fragment B on Box { ...A name }")

    assert measured.errors() == []
    assert measured.visited == 5


def test_depth_counts_fields_also_through_fragments() -> None:
    query = "{ box { ...A } } fragment A on Box { inner { ... on Box { inner { name } } } }"

    assert reached(query, max_depth=3) == {"The depth of an operation": 4}
    assert reached(query, max_depth=4) == {}


def test_the_introspection_query_of_the_tools_passes() -> None:
    assert measure(get_introspection_query(input_value_deprecation=True, specified_by_url=True)).errors() == []


@pytest.mark.parametrize(
    ("query", "cost"),
    [
        ("{ box { name } }", 1),
        ("{ box { boxes(first: 50) { nodes { name } } } }", 1 + 1 + 50),
        ("{ box { boxes(first: 50) { nodes { inner { name } } pageInfo { hasNextPage } } } }", 1 + 1 + 50 * (2 + 1)),
        ("{ box { boxes { nodes { name } } } }", 1 + 1 + 20),
        ("{ box { boxes(first: null, last: 30) { nodes { name } } } }", 1 + 1 + 30),
        ("{ box { boxes(first: 0) { nodes { name } } } }", 1 + 1),
        ("{ box { all { name } } }", 1 + 10),
        ("{ box { boxes(first: 50) { nodes { boxes(first: 50) { nodes { name } } } } } }", 2 + 50 * (1 + 1 + 50)),
    ],
)
def test_cost_is_the_objects_of_full_pages(query: str, cost: int) -> None:
    assert reached(query, max_cost=cost - 1) == {"The cost of an operation": cost}
    assert reached(query, max_cost=cost) == {}


@pytest.mark.parametrize(
    ("variables", "cost"), [({"n": 40}, 42), ({"n": 40.0}, 42), ({}, 9), ({"n": None}, 22), ({"n": -5}, 2)]
)
def test_cost_follows_the_variables(variables: dict[str, object], cost: int) -> None:
    query = "query ($n: Int = 7) { box { boxes(first: $n) { nodes { name } } } }"

    assert reached(query, variables, max_cost=1) == {"The cost of an operation": cost}


@pytest.mark.parametrize("size", ["101", "9" * 5_000])
def test_a_page_may_not_be_too_large(size: str) -> None:
    figures = reached(f"{{ box {{ boxes(first: {size}) {{ nodes {{ name }} }} }} }}", max_cost=CEILING)

    assert figures == {"A page": min(int(size[:12]), CEILING)}


def test_root_fields_are_counted_through_aliases_and_fragments() -> None:
    query = "mutation { a: rename(name: 1) ...F } fragment F on Mutation { b: rename(name: 2) c: rename(name: 3) }"

    assert reached(query, max_root_fields=2) == {"The number of root fields": 3}


def test_repeated_object_fields_are_counted_once_per_place() -> None:
    repeated = "{ box { inner { name } ...A ...B } } fragment A on Box { ...B } fragment B on Box { inner { name } }"

    assert reached(repeated, max_repeated_fields=0) == {"The number of repeated fields": 1}
    assert reached("{ box { name name name } }", max_repeated_fields=0) == {}


def test_repeated_fields_are_counted_in_fragments_that_nobody_spreads() -> None:
    unused = "{ me } fragment A on Box { " + "inner { name } " * 102 + "}"

    assert reached(unused) == {"The number of repeated fields": 101}


@pytest.mark.parametrize("depth", [1, 50, 200])
def test_objects_and_lists_in_variables_are_counted_however_they_are_nested(depth: int) -> None:
    """Each becomes an object of ours before anybody can refuse it: ten thousand kept a server busy for seconds."""
    side_by_side = {"filter": {"or": [{}] * (depth - 1)}, "ids": ["x"] * 1_000}
    nested: Any = {}
    for _ in range(depth):
        nested = {"not": nested}

    assert input_objects(side_by_side, 200) == min(depth + 2, 201)
    assert input_objects(nested, 200) == depth
    assert input_objects({"f": nested}, 200) == min(depth + 1, 201)
    assert input_objects({"a": 1, "b": "x", "c": None}, 200) == 0
