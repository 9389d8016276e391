"""The engine answers exactly as graphql-core does with the ordinary resolvers, or not at all.

The documents are drawn by hypothesis from the product's schema, the same ones in every run. For others, and more:
`AGREEMENT_EXAMPLES=5000 pytest tests/engine/test_agreement.py`.
"""

import os
from collections import Counter
from random import Random

import pytest
from anyio import from_thread, to_thread
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import models
from domain.policy import Viewer
from tests.client import schema
from tests.engine.desk import Desk, errors_of, viewer_of
from tests.engine.world import World
from tests.engine.writing import Asked, Known, Writer

pytestmark = pytest.mark.anyio

MORE = os.environ.get("AGREEMENT_EXAMPLES")
DRAWN = settings(
    max_examples=int(MORE or 200),
    derandomize=MORE is None,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(0 if MORE else 120)
async def test_whatever_is_asked_by_whomever_is_answered_as_graphql_core_answers(desk: Desk, world: World) -> None:
    viewers = {name: await viewer_of(person) for name, person in world.people.items()}
    names = [name for name in viewers if name != "nobody"] * 3 + ["nobody"]
    known = await everything_to_ask_for()
    tally: Counter[str] = Counter()

    @DRAWN
    @given(seed=st.integers(0, 2**32), size=st.integers(1, 40))
    def agree(seed: int, size: int) -> None:
        random = Random(seed)
        first, second = (viewers[random.choice(names)] for _ in range(2))
        asked = Writer(random, size, known, first).document()
        assume(not errors_of(asked.document))
        from_thread.run(compare, desk, asked, first, second, tally)

    await to_thread.run_sync(agree)

    assert tally["documents"] >= 150
    assert tally["planned"] >= 0.9 * tally["documents"]
    assert tally["answered"] >= 0.6 * tally["questions"]


async def compare(desk: Desk, asked: Asked, first: Viewer, second: Viewer, tally: Counter[str]) -> None:
    """Each document by two viewers in turn and with two sets of variables: plans and conditions are kept meanwhile."""
    one, other = asked.variants
    before = desk.engine.stats["fallbacks"]
    for viewer, variables in ((first, one), (second, other), (first, other), (first, one)):
        tally["questions"] += 1
        tally["answered"] += await desk.agreed(asked.document, viewer, variables) is not None
    tally["documents"] += 1
    tally["planned"] += desk.engine.stats["fallbacks"] == before
    desk.operations.clear()


async def everything_to_ask_for() -> Known:
    """Rows in the order of their making, which is that of their ids."""
    kinds = [
        each for each in vars(models).values() if isinstance(each, type) and issubclass(each, models.base.BaseModel)
    ]
    return Known(schema()._schema, {each: await each.all().order_by("id") for each in kinds if not each._meta.abstract})
