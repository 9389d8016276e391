import logging
from typing import Any

import pytest
from strawberry.extensions import SchemaExtension
from structlog.testing import capture_logs

from tests.server.transport.support import make_endpoint, make_schema, post

pytestmark = pytest.mark.anyio

APOLOGY = "Something went wrong on our side."


async def errors_of(query: str, variables: Any = None) -> Any:
    return (await post(make_endpoint(), query, variables)).json()["errors"]


async def test_a_bug_becomes_a_number_that_is_in_the_log() -> None:
    with capture_logs() as logged:
        [error] = await errors_of("{ box { broken } }")

    assert error["message"] == APOLOGY
    assert error["path"] == ["box", "broken"]
    assert error["extensions"]["code"] == "INTERNAL"
    [entry] = logged
    assert entry["error_id"] == error["extensions"]["errorId"]
    assert entry["field"] == "box.broken"
    assert str(entry["exc_info"]) == "secret of box"
    assert entry["exc_info"].__traceback__ is not None


async def test_rows_that_fail_alike_are_logged_once() -> None:
    with capture_logs() as logged:
        errors = await errors_of("{ box { boxes(first: 30) { nodes { all { broken } } } } }")

    assert len(errors) == 60
    assert [str(entry["exc_info"]) for entry in logged] == ["secret of a", "secret of b"]
    assert {error["extensions"]["errorId"] for error in errors} == {entry["error_id"] for entry in logged}


async def test_a_refusal_of_ours_passes_with_its_extensions_and_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with capture_logs() as logged, caplog.at_level(logging.DEBUG):
        [error] = await errors_of("{ refused }")

    assert error == {
        "message": "There is no such box.",
        "locations": [{"line": 1, "column": 3}],
        "path": ["refused"],
        "extensions": {"code": "NOT_FOUND", "field": ["id"]},
    }
    assert logged == []
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_value_of_ours_that_does_not_fit_its_type_is_a_bug() -> None:
    with capture_logs():
        [error] = await errors_of("{ wrongType }")

    assert error["message"] == APOLOGY
    assert error["extensions"]["code"] == "INTERNAL"


@pytest.mark.parametrize(
    ("query", "variables", "code", "message"),
    [
        ("{ me", None, "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found <EOF>."),
        ("{ nope }", None, "GRAPHQL_VALIDATION_FAILED", "Cannot query field 'nope' on type 'Query'."),
        ("query ($a: Int) { me }", None, "GRAPHQL_VALIDATION_FAILED", "Variable '$a' is never used."),
        ("{ double(value: $a) }", None, "GRAPHQL_VALIDATION_FAILED", "Variable '$a' is not defined."),
        (
            "query ($a: Int!) { double(value: $a) }",
            {"a": "x"},
            "BAD_USER_INPUT",
            "Variable '$a' has invalid value: Int cannot represent non-integer value: 'x'",
        ),
        (
            "query ($a: Int!) { double(value: $a) }",
            {},
            "BAD_USER_INPUT",
            "Variable '$a' has invalid value: Expected a value of non-null type 'Int!' to be provided.",
        ),
        (
            "query ($a: Even!) { even(value: $a) }",
            {"a": 3},
            "BAD_USER_INPUT",
            "Variable '$a' has invalid value: Expected value of type 'Even'; found: 3.",
        ),
        (
            "{ even(value: 3) }",
            None,
            "GRAPHQL_VALIDATION_FAILED",
            "Expected value of type 'Even'; found: 3.",
        ),
    ],
)
async def test_what_the_client_did_wrong_is_said(query: str, variables: Any, code: str, message: str) -> None:
    with capture_logs() as logged:
        [error] = await errors_of(query, variables)

    assert error["message"] == message
    assert error["extensions"] == {"code": code}
    assert logged == []


async def test_what_fails_outside_of_any_field_is_masked_too() -> None:
    class Broken(SchemaExtension):
        def on_operation(self) -> Any:
            raise RuntimeError("secret of an extension")
            yield

    endpoint = make_endpoint(schema=make_schema(extensions=[Broken]))

    with capture_logs():
        [error] = (await post(endpoint, "{ me }")).json()["errors"]

    assert error["message"] == APOLOGY
    assert error["extensions"]["code"] == "INTERNAL"
