"""Pages of rows of several tables in one order: the same page of each table is read, and one is cut from them.

Each table gives at most a page, so what is read does not depend on how much there is; which rows hang below is asked of
those that stay alone.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from tortoise.expressions import Q

from engine.declare import Pages
from engine.pages import PageBuilder, Rows
from engine.plans import Asked, ChildMerged, ChildPages
from engine.selects import next_serial
from engine.statements import Bail
from engine.wording import direction, place_values

MOST_NARROWED = 100
"""Choices among the kinds of rows that a plan remembers."""


class Placed(NamedTuple):
    """A row where it stands in the order: its value there and its id, which of the tables it is of, and itself."""

    value: Any
    id: str
    member: int
    row: Any


async def merged_pages(run: Any, child: ChildMerged, parents: list[Any]) -> dict[Any, Any]:
    """What `Run.child_pages` gives, of all tables together: a statement for each table, however many parents."""
    first, members = child.members[0], narrowed(run, child)
    asked: Asked = run.asked(first)
    places = place_values(run.binding, first.order, asked.args)
    builders: list[PageBuilder] = [run.builder(each, each.order, asked) for each in members]
    frame: PageBuilder = run.builder(first, first.order, asked).framed()
    pages: list[list[Placed]] = [[] for _ in parents]
    if frame.wants_rows:
        for number, (member, builder) in enumerate(zip(members, builders, strict=True)):
            at, row_id = builder.place()
            found: list[Rows] = await run.rows_of_pages(member, builder, asked, places, parents)
            for page, rows in zip(pages, found, strict=True):
                page += [Placed(row[at], row[row_id], number, row) for row in rows]
    descending = direction(first.order, asked.args).descending
    for page in pages:
        page.sort(key=lambda each: each[:2], reverse=descending)
    counts: list[int | None] = [None] * len(parents)
    if frame.wants_count:
        by_member = [await run.counts(each, parents) for each in members]
        counts = [sum(each[number] for each in by_member) for number in range(len(parents))]
    kept = [frame.kept(page, asked.size) for page in pages]
    made = await shaped(run, builders, [each for page in kept for each in page], len(frame.shapes))
    answers: dict[Any, Any] = {}
    start = 0
    for parent, page, rows, count in zip(parents, pages, kept, counts, strict=True):
        answers[parent] = frame.page(made, rows, start, len(page) > asked.size, count)
        start += len(rows)
    return answers


async def shaped(run: Any, builders: Sequence[PageBuilder], rows: list[Placed], shapes: int) -> list[list[Any]]:
    """For each shape what it makes of the rows, in their order; each table's are made at once."""
    made = []
    for number, builder in enumerate(builders):
        mine = [each.row for each in rows if each.member == number]
        made.append([iter(each) for each in await run.shaped(builder.select, mine, builder.shapes)])
    return [[next(made[each.member][shape]) for each in rows] for shape in range(shapes)]


def narrowed(run: Any, child: ChildMerged) -> list[ChildPages]:
    """The members that have rows of the kinds asked for, with these alone.

    Raises:
        Bail: something is asked for that there is not.
    """
    given = run.arguments(child.members[0].arguments).get(child.declared.narrowed_by)
    if given is None:
        return child.members
    key = repr(given)
    found = child.narrowed.get(key)
    if found is None:
        if len(child.narrowed) >= MOST_NARROWED:
            child.narrowed.clear()
        try:
            found = child.narrowed[key] = [
                narrow(member, wanted)
                for member in child.members
                if (wanted := child.declared.narrow(member.declared.model, given)) is not None
            ]
        except ValueError:
            raise Bail("rows of no kind") from None
    return found


def narrow(member: ChildPages, wanted: Q) -> ChildPages:
    """The same pages of some of the rows."""
    declared = member.declared
    fewer = Pages(declared.model, declared.by, declared.order, lambda viewer: declared.seen(viewer) & wanted)
    return replace(member, declared=fewer, serial=next_serial(), builders={})
