"""What is kept between questions: once for those who are alike, within bounds, and right beyond them."""

from collections.abc import Mapping
from typing import Any

import pytest

import models
from engine import executing, held
from engine.running import LONGEST_KEY
from engine.statements import NotPlannable
from resolvers.context import Context
from tests.api.world import gid
from tests.engine.asking import answer
from tests.engine.desk import Desk, viewer_of
from tests.engine.world import World

pytestmark = pytest.mark.anyio


async def test_a_plan_is_made_once_for_a_document_a_kind_of_viewer_and_its_flags(desk: Desk, world: World) -> None:
    document = "query($id: ID!, $a: Boolean!) { ticket(id: $id) { id subject @include(if: $a) } }"
    viewers = [await viewer_of(world.people[who]) for who in ("agent of staff", "lead of staff", "owner", "stranger")]

    for _ in range(3):
        for viewer in viewers:
            for flag in (True, False):
                for ticket in world.rows[models.Ticket][:2]:
                    assert await desk.planned(document, viewer, {"id": gid(ticket), "a": flag}) is not None

    assert (desk.engine.stats["plans"], desk.engine.stats["planned"]) == (4, 48)
    assert len(desk.open(document).plans) == 4


async def test_everything_that_is_kept_has_a_bound_and_answers_stay_right_beyond_it(
    desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, most in {"MOST_BINDINGS": 2, "MOST_LISTS": 3, "MOST_STATEMENTS": 4}.items():
        monkeypatch.setattr(executing, name, most)
    monkeypatch.setattr(held, "MOST_VARIANTS", 2)
    flags = ("a", "b")
    document = """query($id: ID!, $n: String!, $a: Boolean!, $b: Boolean!) { ticket(id: $id) {
      subject @include(if: $a) reference @include(if: $b)
      messages(first: 1) { nodes { body attachments { fileName } } } }
      tickets(scope: ALL, filter: {references: [$n]}) { totalCount nodes { id subject @skip(if: $a) } } }"""
    viewers = [await viewer_of(world.people[who]) for who in ("owner", "agent of staff", "member", "both")]

    for turn in range(16):
        ticket = world.rows[models.Ticket][turn % 7]
        given: Mapping[str, Any] = {name: bool(turn >> place & 1) for place, name in enumerate(flags)}
        await answer(desk, document, viewers[turn // 2 % 4], id=gid(ticket), n=ticket.reference, **given)
        assert len(desk.engine.bindings) <= 2
        assert len(desk.open(document).plans) <= 2
        for binding in desk.engine.bindings.values():
            assert len(binding.lists) <= 4
            assert len(binding.statements) <= 8

    assert desk.engine.stats["plans"] == 16, "each was dropped before it was needed again, and made anew"


async def test_what_is_kept_of_one_viewer_stays_within_its_bound_and_what_one_question_needs(
    desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Statements and conditions count together; the bound is held before each question, and not within one."""
    viewer = await viewer_of(world.people["owner"])
    ticket = gid(world.rows[models.Ticket][0])

    async def kept(selection: str) -> int:
        await answer(desk, f"query($id: ID!) {{ ticket(id: $id) {{ {selection} }} }}", viewer, id=ticket)
        (binding,) = desk.engine.bindings.values()
        return len(binding.statements) + len(binding.fragments)

    selections = [f"a{number}: messages(first: 1) {{ nodes {{ body }} }}" for number in range(40)]
    one_question = await kept(selections[0])
    monkeypatch.setattr(executing, "MOST_STATEMENTS", most := 20)

    sizes = [await kept(each) for each in selections[1:]]

    assert max(sizes) <= most + one_question
    assert sorted(sizes) != sizes, "it was emptied in between"


async def test_plans_of_all_documents_together_have_a_bound(
    desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By their fields: a large plan counts for more. What was made first goes first, and is made again when asked."""
    viewer, ticket = await viewer_of(world.people["owner"]), gid(world.rows[models.Ticket][0])
    desk.engine.held = held.HeldPlans()
    monkeypatch.setattr(held, "MOST_HELD_FIELDS", 40)
    documents = [
        f"query($id: ID!) {{ ticket(id: $id) {{ {' '.join(f'{letter}{n}: subject' for n in range(size))} }} }}"
        for letter, size in zip("abcde", (9, 9, 9, 30, 1), strict=True)
    ]

    for document in documents:
        await answer(desk, document, viewer, id=ticket)
        assert desk.engine.held.fields <= 40

    assert [len(desk.open(document).plans) for document in documents] == [0, 0, 0, 1, 1]
    await answer(desk, documents[0], viewer, id=ticket)
    assert desk.engine.stats["plans"] == 6


async def test_a_plan_that_is_asked_all_day_outlives_many_that_are_asked_once(
    desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, ticket = await viewer_of(world.people["owner"]), gid(world.rows[models.Ticket][0])
    desk.engine.held = held.HeldPlans()
    monkeypatch.setattr(held, "MOST_HELD_FIELDS", 40)
    hot = "query($id: ID!) { ticket(id: $id) { subject } }"
    once = [
        f"query($id: ID!) {{ ticket(id: $id) {{ {' '.join(f'a{i}_{n}: id' for n in range(9))} }} }}" for i in range(12)
    ]

    for document in once:
        await answer(desk, hot, viewer, id=ticket)
        await answer(desk, document, viewer, id=ticket)
        assert desk.engine.held.fields <= 40

    assert desk.engine.stats["plans"] == len(once) + 1
    assert [len(desk.open(document).plans) for document in (hot, *once)] == [1] + [0] * 9 + [1] * 3


async def test_a_list_by_very_long_arguments_is_answered_and_not_kept(desk: Desk, world: World) -> None:
    document = "query($given: [String!]) { tickets(scope: ALL, filter: {references: $given}) { totalCount } }"
    viewer = await viewer_of(world.people["agent of staff"])

    await answer(desk, document, viewer, given=["x" * LONGEST_KEY])
    await answer(desk, document, viewer, given=["x"])

    (binding,) = desk.engine.bindings.values()
    assert len(binding.lists) == 1


async def test_viewers_with_the_same_statement_share_its_text(desk: Desk, world: World) -> None:
    document = "query($id: ID!) { ticket(id: $id) { subject } }"
    for who in ("owner", "admin"):
        await answer(desk, document, await viewer_of(world.people[who]), id=gid(world.rows[models.Ticket][0]))

    one, other = (next(iter(binding.statements.values())) for binding in desk.engine.bindings.values())
    assert one.sql is other.sql


async def test_what_is_not_a_query_or_not_in_the_document_is_not_answered(desk: Desk) -> None:
    viewer = await viewer_of(None)

    for document in ("mutation { __typename }", "subscription { __typename }"):
        assert await desk.planned(document, viewer) is None
        with pytest.raises(NotPlannable, match="not a query"):
            await desk.engine.shown(desk.open(document), {}, Context(viewer, desk.services))
    assert await desk.planned("{ __typename }", viewer) == {"__typename": "Query"}
    assert await desk.planned("{ __schema { types { name } } }", viewer) is None
    assert dict(desk.engine.stats) == {
        "plans": 2,
        "planned": 1,
        "fallbacks": 1,
        "statements": 0,
        "unplanned: __schema": 1,
    }
