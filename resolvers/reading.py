"""Reading rows and pages for a viewer: batched, and never a row that the viewer may not see."""

from asyncio import gather
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from domain.errors import Invalid
from domain.policy import Viewer
from engine.keyset import LazyPage, Order, Page, PageArgs, PagingError, merged, page, page_of_rows
from engine.loading import counts_by_parent, pages_by_parent, rows_by_id
from models import Membership, User
from models.base import BaseModel
from resolvers.context import Context

Row = TypeVar("Row", bound=BaseModel)


async def related(ctx: Context, model: type[Row], row_id: UUID | None) -> Row | None:
    """The row that a visible row refers to, or None where there is none that the viewer may see."""
    if row_id is None:
        return None

    async def load(ids: list[UUID]) -> list[Row | None]:
        rows = await rows_by_id(model.shown_to(ctx.viewer), ids)
        await _tell_people_apart(ctx.viewer, rows)
        return rows

    return await ctx.loaders.get(("row", model), load).load(row_id)


async def found(ctx: Context, model: type[Row], row_id: UUID) -> Row | None:
    """The row that somebody asks for by its id alone."""

    async def load(ids: list[UUID]) -> list[Row | None]:
        rows = await rows_by_id(model.shown_to(ctx.viewer).filter(model.found_by(ctx.viewer)), ids)
        await _tell_people_apart(ctx.viewer, rows)
        return rows

    return await ctx.loaders.get(("found", model), load).load(row_id)


async def whole_rows(ctx: Context, model: type[Row], ids: list[UUID]) -> list[Row]:
    """Rows as ordinary resolvers get them, in the order of `ids`, which the viewer has been shown already.

    Raises:
        LookupError: one of them is not to be seen.
    """
    rows = await gather(*(related(ctx, model, each) for each in ids))
    found = [row for row in rows if row is not None]
    if len(found) < len(ids):
        raise LookupError(f"a {model.__name__} that is not to be seen")
    return found


def listing(ctx: Context, query: QuerySet[Row], order: Order, args: PageArgs) -> LazyPage[Row]:
    """A page of a list of its own.

    Raises:
        Invalid: the paging arguments cannot be used.
    """
    _check(ctx, order, args)

    async def load() -> Page[Row]:
        found = await page(query, order, args)
        await _tell_people_apart(ctx.viewer, found.rows)
        return found

    async def count() -> int:
        return await query.count()

    return LazyPage(load, count, query=query, order=order)


def children(
    ctx: Context,
    query: QuerySet[Row],
    by: str,
    parent_id: UUID,
    order: Order,
    args: PageArgs,
    *,
    variant: str = "",
) -> LazyPage[Row]:
    """A page of a row's children; parents that are asked at the same time share one statement.

    `by` is the column that names the parent. `variant` tells apart lists of the same children by different queries.

    Raises:
        Invalid: the paging arguments cannot be used.
    """
    _check(ctx, order, args)
    name = (query.model, by, order, args, variant)

    async def load_pages(parents: list[UUID]) -> list[Page[Row]]:
        pages = await pages_by_parent(query, by, parents, order, args)
        await _tell_people_apart(ctx.viewer, [row for each in pages for row in each.rows])
        return pages

    async def load_counts(parents: list[UUID]) -> list[int]:
        return await counts_by_parent(query, by, parents)

    async def load() -> Page[Row]:
        return await ctx.loaders.get(("page", *name), load_pages).load(parent_id)

    async def count() -> int:
        return await ctx.loaders.get(("count", *name), load_counts).load(parent_id)

    return LazyPage(load, count)


def merged_children(
    ctx: Context,
    queries: Sequence[QuerySet[Any]],
    by: str,
    parent_id: UUID,
    order: Order,
    args: PageArgs,
    *,
    variant: str = "",
) -> LazyPage[Any]:
    """As `children`, of rows of several tables in one order: a statement for each table.

    Raises:
        Invalid: the paging arguments cannot be used.
    """
    _check(ctx, order, args)
    lists = [children(ctx, each, by, parent_id, order, args, variant=variant) for each in queries]

    async def load() -> Page[Any]:
        return merged(await gather(*(each.page() for each in lists)), order, args)

    async def count() -> int:
        return sum(await gather(*(each.count() for each in lists)))

    return LazyPage(load, count)


async def every_child(ctx: Context, query: QuerySet[Row], by: str, parent_id: UUID, *, most: int = 1000) -> list[Row]:
    """All children of a row that by nature has few, in the order of `query`; parents that ask it alike share it."""

    async def load(parents: list[UUID]) -> list[list[Row]]:
        rows: dict[UUID, list[Row]] = {parent: [] for parent in parents}
        for row in await query.filter(**{f"{by}__in": list(rows)}).limit(most * len(rows)):
            rows[getattr(row, by)].append(row)
        return [rows[parent] for parent in parents]

    return await ctx.loaders.get(("every", query.sql(params_inline=True), by), load).load(parent_id)


async def linked(ctx: Context, row: BaseModel, relation: str, model: type[Row]) -> list[Row]:
    """The rows at the other end of a many-to-many relation, by name; two statements, however many parents ask."""
    parent = type(row)

    async def load(parents: list[UUID]) -> list[list[Row]]:
        pairs = await parent.filter(id__in=list(set(parents))).values_list("id", f"{relation}__id")
        shown = model.shown_to(ctx.viewer).filter(id__in=[there for _, there in pairs if there])
        rows = {each.id: each for each in await shown.order_by("name", "id")}
        return [[each for key, each in rows.items() if (here, key) in set(pairs)] for here in parents]

    return await ctx.loaders.get(("linked", parent, relation), load).load(row.id)


def listed(ctx: Context, rows: Callable[[], Awaitable[list[Row]]], order: Order, args: PageArgs) -> LazyPage[Row]:
    """A page of rows that by nature are few, cut from all of them.

    Raises:
        Invalid: the paging arguments cannot be used.
    """
    _check(ctx, order, args)

    async def load() -> Page[Row]:
        return page_of_rows(await rows(), order, args)

    async def count() -> int:
        return len(await rows())

    return LazyPage(load, count)


def _check(ctx: Context, order: Order, args: PageArgs) -> None:
    try:
        args.check(most=ctx.services.max_page_size)
        if args.after:
            order.position(args.after, "after")
        if args.before:
            order.position(args.before, "before")
    except PagingError as error:
        raise Invalid(error.message, field=(error.argument,), **error.values) from None


async def _tell_people_apart(viewer: Viewer, rows: Sequence[object]) -> None:
    """Tell every person among `rows` which of the viewer's organizations it belongs to: field guards ask that."""
    people = [row for row in rows if isinstance(row, User)]
    if people and viewer.memberships:
        shared = Q(user_id__in=[user.id for user in people])
        shared &= Q(organization_id__in=[m.organization_id for m in viewer.memberships])
        places: dict[UUID, set[UUID]] = {}
        for user_id, organization_id in await Membership.filter(shared).values_list("user_id", "organization_id"):
            places.setdefault(user_id, set()).add(organization_id)
        for user in people:
            user.shared_organization_ids = frozenset(places.get(user.id, ()))
