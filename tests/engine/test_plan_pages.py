"""Pages in plans: of a list, of many parents at once, among equals, and of nothing."""

import pytest

from tests.engine.asking import EVERYTHING, Json, answer, left_alone
from tests.engine.desk import Desk, viewer_of
from tests.engine.world import World

pytestmark = pytest.mark.anyio


async def test_the_same_page_of_many_parents_takes_one_statement(desk: Desk, world: World) -> None:
    document = f"""query($first: Int, $last: Int) {{
      tickets({EVERYTHING}, orderBy: {{field: REFERENCE, direction: ASC}}) {{ nodes {{
        messages(first: $first, last: $last) {{
          nodes {{ body }} pageInfo {{ hasNextPage hasPreviousPage }} }} }} }} }}"""
    viewer = await viewer_of(world.people["agent of staff"])

    first = await answer(desk, document, viewer, first=2)
    last = await answer(desk, document, viewer, last=2)

    def bodies(found: Json) -> list[list[str]]:
        return [[m["body"] for m in each["messages"]["nodes"]] for each in found["tickets"]["nodes"]]

    numbers = range(13)
    assert bodies(first) == [[f"Message {m}" for m in range(n)][:2] for n in numbers]
    assert bodies(last) == [[f"Message {m}" for m in range(n)][-2:] for n in numbers]
    more = [each["messages"]["pageInfo"] for each in last["tickets"]["nodes"]]
    assert more == [{"hasNextPage": False, "hasPreviousPage": n > 2} for n in numbers]
    assert desk.engine.stats["statements"] == 4


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_pages_among_equals_leave_nothing_out_and_show_nothing_twice(
    desk: Desk, world: World, direction: str
) -> None:
    viewer = await viewer_of(world.people["agent of staff"])
    document = f"""query($first: Int, $after: Cursor, $last: Int, $before: Cursor) {{
      tickets({EVERYTHING}, orderBy: {{field: LAST_ACTIVITY_AT, direction: {direction}}},
              first: $first, after: $after, last: $last, before: $before) {{
        edges {{ cursor node {{ id }} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"""
    whole = [e["node"]["id"] for e in (await answer(desk, document, viewer, first=50))["tickets"]["edges"]]

    forwards: list[str] = []
    page: Json = {"hasNextPage": True, "endCursor": None}
    while page["hasNextPage"]:
        found = (await answer(desk, document, viewer, first=3, after=page["endCursor"]))["tickets"]
        forwards, page = forwards + [e["node"]["id"] for e in found["edges"]], found["pageInfo"]
    backwards: list[str] = []
    page = {"hasPreviousPage": True, "startCursor": None}
    while page["hasPreviousPage"]:
        found = (await answer(desk, document, viewer, last=3, before=page["startCursor"]))["tickets"]
        backwards, page = [e["node"]["id"] for e in found["edges"]] + backwards, found["pageInfo"]

    assert len(whole) == 13
    assert forwards == backwards == whole


async def test_what_cannot_be_paged_is_left_to_graphql_core(desk: Desk, world: World) -> None:
    viewer = await viewer_of(world.people["agent of staff"])
    document = f"""query($first: Int, $after: Cursor, $before: Cursor, $last: Int) {{
      tickets({EVERYTHING}, first: $first, after: $after, before: $before, last: $last) {{
        pageInfo {{ endCursor }} }} }}"""
    inner = """query($first: Int, $after: Cursor) { organizations { nodes {
      spaces(first: $first, after: $after) { pageInfo { endCursor } } } } }"""
    ours = (await answer(desk, document, viewer, first=3))["tickets"]["pageInfo"]["endCursor"]
    theirs = (await answer(desk, "{ organizations { pageInfo { endCursor } } }", viewer))["organizations"]["pageInfo"]

    assert await left_alone(desk, document, viewer, after=theirs["endCursor"]) == ["INVALID"]
    assert await left_alone(desk, document, viewer, before="nonsense") == ["INVALID"]
    assert await left_alone(desk, document, viewer, first=101) == ["INVALID"]
    assert await left_alone(desk, document, viewer, first=-1) == ["INVALID"]
    assert await left_alone(desk, document, viewer, first=1, last=1) == ["INVALID"]
    assert set(await left_alone(desk, inner, viewer, first=101)) == {"INVALID"}
    assert set(await left_alone(desk, inner, viewer, after=ours)) == {"INVALID"}
    assert await answer(desk, document, viewer, first=100, after=ours)


async def test_a_page_of_nothing_says_whether_there_is_something(desk: Desk, world: World) -> None:
    viewer = await viewer_of(world.people["owner"])
    document = """query($first: Int, $last: Int) { organizations(first: $first, last: $last) {
      nodes { id } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""

    empty: Json = {"nodes": [], "edges": []}
    ends = {"startCursor": None, "endCursor": None}
    assert await answer(desk, document, viewer, first=0) == {
        "organizations": {**empty, "pageInfo": {"hasNextPage": True, "hasPreviousPage": False, **ends}}
    }
    assert await answer(desk, document, viewer, last=0) == {
        "organizations": {**empty, "pageInfo": {"hasNextPage": False, "hasPreviousPage": True, **ends}}
    }
