from typing import Any

import pytest
from graphql import DocumentNode, GraphQLError, parse, specified_rules
from strawberry.extensions import ParserCache, SchemaExtension, ValidationCache

from server.transport import documents
from server.transport.documents import Documents
from server.transport.limits import Limits
from tests.server.transport.support import make_endpoint, make_schema, post

pytestmark = pytest.mark.anyio


def make_documents(**limits: int) -> Documents:
    return Documents(make_schema()._schema, Limits(**limits))


def test_a_document_is_parsed_and_validated_once() -> None:
    store = make_documents()

    one, two = store.open("{ nope }"), store.open("{ nope }")

    assert one is two
    rules = tuple(specified_rules)
    assert one.errors(rules, None, {}) is two.errors(rules, None, {})
    assert one.errors((), None, {}) == []  # other rules, another verdict


async def test_a_request_the_ordinary_way_validates_no_document_again(monkeypatch: pytest.MonkeyPatch) -> None:
    validated: list[DocumentNode] = []

    def validate(schema: Any, node: DocumentNode, rules: Any) -> list[GraphQLError]:
        validated.append(node)
        return validate_document(schema, node, rules)

    validate_document = documents.validate_document
    monkeypatch.setattr(documents, "validate_document", validate)
    endpoint = make_endpoint(schema=make_schema(extensions=[ParserCache, ValidationCache]))

    answers = [(await post(endpoint, "{ me }")).json() for _ in range(3)]

    assert all("errors" not in answer for answer in answers), answers
    assert len(validated) == 1


def test_the_documents_used_least_recently_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "HELD_CHARACTERS", 20)
    store = make_documents()
    first, second = store.open("{ me }"), store.open("{ a:me }")

    store.open("{ me }")
    store.open("{ b:me }")

    assert store.open("{ me }") is first
    assert store.open("{ a:me }") is not second


def test_what_is_no_document_is_not_held() -> None:
    store = make_documents(max_tokens=5)

    with pytest.raises(GraphQLError, match=r"Document contains more than 5 tokens\. Parsing aborted\."):
        store.open("{ me me me me me }")


async def test_limits_hold_for_a_document_that_an_extension_brings() -> None:
    class Trusted(SchemaExtension):
        def on_parse(self) -> Any:
            self.execution_context.graphql_document = parse("{ box { inner { name } } }")
            yield

    schema = make_schema(extensions=[Trusted])

    allowed = await post(make_endpoint(schema=schema, limits=Limits(max_depth=3)), "{ me }")
    refused = await post(make_endpoint(schema=schema, limits=Limits(max_depth=2)), "{ me }")

    assert allowed.json() == {"data": {"box": {"inner": {"name": "box."}}}}
    assert refused.json()["errors"][0]["extensions"] == {"code": "LIMIT_EXCEEDED", "allowed": 2, "reached": 3}
