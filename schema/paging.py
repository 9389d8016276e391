"""Connections: a list in pages, as Relay's specification has it."""

from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

import strawberry

from engine.keyset import LazyPage, Page, PageArgs
from schema.scalars import Cursor

Item = TypeVar("Item")

First: TypeAlias = Annotated[int | None, strawberry.argument(description="At most this many, from the beginning on.")]
After: TypeAlias = Annotated[Cursor | None, strawberry.argument(description="Only what comes after this place.")]
Last: TypeAlias = Annotated[int | None, strawberry.argument(description="At most this many, up to the end.")]
Before: TypeAlias = Annotated[Cursor | None, strawberry.argument(description="Only what comes before this place.")]


@dataclass(frozen=True, slots=True)
class EdgeRow:
    cursor: str
    node: Any


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether there is more after `endCursor`.")
    has_previous_page: bool = strawberry.field(description="Whether there is more before `startCursor`.")
    start_cursor: Cursor | None = strawberry.field(description="The place of the first row; null on an empty page.")
    end_cursor: Cursor | None = strawberry.field(description="The place of the last row; null on an empty page.")


@strawberry.type(description="A row of a list, with its place.")
class Edge(Generic[Item]):
    cursor: Cursor = strawberry.field(description="Its place, for `after` and `before`.")
    node: Item = strawberry.field(description="The row itself.")


@strawberry.type(description="A page of a list. Only what is selected is read.")
class Connection(Generic[Item]):
    @strawberry.field(description="The rows with their places.")
    @staticmethod
    async def edges(root: strawberry.Parent[LazyPage[Any]]) -> list[Edge[Item]]:
        page = await root.page()
        return [EdgeRow(page.cursor(row), row) for row in page.rows]  # type: ignore[misc]

    @strawberry.field(description="The rows alone.")
    @staticmethod
    async def nodes(root: strawberry.Parent[LazyPage[Any]]) -> list[Item]:
        return (await root.page()).rows

    @strawberry.field(description="Where this page stands.")
    @staticmethod
    async def page_info(root: strawberry.Parent[LazyPage[Any]]) -> PageInfo:
        return _info(await root.page())

    @strawberry.field(description="How many rows the whole list has. Costs a count: ask for it when you show it.")
    @staticmethod
    async def total_count(root: strawberry.Parent[LazyPage[Any]]) -> int:
        return await root.count()


def page_args(first: int | None, after: str | None, last: int | None = None, before: str | None = None) -> PageArgs:
    return PageArgs(first=first, after=after, last=last, before=before)


def _info(page: Page[Any]) -> PageInfo:
    return PageInfo(
        has_next_page=page.has_next_page,
        has_previous_page=page.has_previous_page,
        start_cursor=Cursor(page.cursor(page.rows[0])) if page.rows else None,
        end_cursor=Cursor(page.cursor(page.rows[-1])) if page.rows else None,
    )
