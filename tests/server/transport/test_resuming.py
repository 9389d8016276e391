"""The operation that graphql-core goes on with is the client's, from another place."""

from typing import Any

import pytest
from graphql import parse, print_ast

from server.transport.resuming import resumed


def same(text: str) -> str:
    return print_ast(parse(text))


@pytest.mark.parametrize(
    ("query", "variables", "becomes", "with_variables"),
    [
        ("subscription { a }", {}, 'subscription { a(after: "X") }', {}),
        ('subscription { a(t: 1, after: "Y") { b } }', {}, 'subscription { a(t: 1, after: "X") { b } }', {}),
        ("subscription { a(after: null) }", {"n": 1}, 'subscription { a(after: "X") }', {"n": 1}),
        (
            "subscription($p: Cursor) { a(after: $p) }",
            {"p": "Y", "n": 1},
            "subscription($p: Cursor) { a(after: $p) }",
            {"p": "X", "n": 1},
        ),
        ("subscription($p: Cursor) { a(after: $p) }", {}, "subscription($p: Cursor) { a(after: $p) }", {"p": "X"}),
        (
            "subscription { ...F ... on S { a { c } } } fragment F on S { a { b } }",
            {},
            'subscription { ...F ... on S { a(after: "X") { c } } } fragment F on S { a(after: "X") { b } }',
            {},
        ),
    ],
)
def test_it_begins_after_the_place_given(
    query: str, variables: dict[str, Any], becomes: str, with_variables: dict[str, Any]
) -> None:
    text, given = resumed(query, None, variables, "X")

    assert (same(text), given) == (same(becomes), with_variables)


def test_only_the_operation_that_is_meant_is_changed() -> None:
    text, _ = resumed("subscription A { a } subscription B { b }", "B", {}, "X")

    assert same(text) == same('subscription A { a } subscription B { b(after: "X") }')
