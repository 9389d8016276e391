"""The short way of a plain query: what it keeps."""

from types import SimpleNamespace
from typing import Any, cast

from engine.executing import Engine
from schema.build import build_schema
from server.transport.documents import Documents
from server.transport.fast import FastPath
from server.transport.limits import Limits


def test_names_that_no_operation_has_are_not_kept() -> None:
    schema = build_schema()
    fast = FastPath(Documents(schema._schema, Limits()), schema)
    fast.engine = Engine(schema._schema, cast(Any, SimpleNamespace(dialect="sqlite")), kind=str, key=str)
    text = "query Known { server { version } }"

    found = [fast.operation(text, name, {}) for name in ("Known", "a", "b", "c")]

    assert [operation is not None for operation in found] == [True, False, False, False]
    assert list(fast.documents.open(text).operations) == ["Known"]
