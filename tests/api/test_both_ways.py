"""That operations of tests are asked both ways: what compares must not quietly compare nothing."""

import pytest

from tests import both_ways
from tests.api.operations import create, refusal
from tests.both_ways import ASKED
from tests.conftest import AsUser
from tests.factories import make_member, make_organization, make_request_type

pytestmark = pytest.mark.anyio


async def test_queries_mutations_and_refusals_are_answered_by_the_engine_too(as_user: AsUser) -> None:
    acme = await make_organization("Acme")
    ann = as_user(await make_member(acme))
    await make_request_type()
    before = ASKED.copy()

    await create(ann, acme)
    refused = await create(ann, acme, subject="")
    await ann.ask("{ viewer { user { displayName } } tickets { totalCount } }")

    assert refusal(refused)[0] == "REQUIRED"
    assert ASKED - before == {
        "queries": 1,
        "queries answered by the engine too": 1,
        "mutations": 2,
        "mutations answered by the engine too": 2,
    }


async def test_a_difference_between_the_two_ways_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="differ"):
        both_ways.compare("{ a }", {}, {"a": 1}, {"a": 2}, [])
    with pytest.raises(AssertionError, match="where there are errors"):
        both_ways.compare("{ a }", {}, {"a": 1}, {"a": 1}, ["an error"])
