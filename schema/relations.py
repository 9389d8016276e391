"""Fields that lead from a row to others, each declared in one line."""

from collections.abc import Callable
from typing import Any

import strawberry
from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from domain.policy import Viewer
from engine.keyset import LazyPage, Order
from models.base import BaseModel
from resolvers.reading import children, every_child, related
from schema.paging import After, Before, First, Last, page_args


def to_one(relation: str, description: str, *, directives: list[object] | None = None) -> Any:
    """The row that the column `<relation>_id` refers to; null where it refers to none that the viewer may see."""
    column = f"{relation}_id"

    def resolve(root: strawberry.Parent[Any], info: strawberry.Info) -> Any:
        key = getattr(root, column)
        if key is None:
            return None
        model: type[BaseModel] = type(root)._meta.fields_map[relation].related_model
        return related(info.context, model, key)

    return strawberry.field(resolver=resolve, description=description, directives=directives or [])


def all_of(model: type[BaseModel], by: str, order: str, description: str) -> Any:
    """Every row of `model` whose column `by` names this one; for what by nature is few."""

    async def resolve(root: strawberry.Parent[Any], info: strawberry.Info) -> Any:
        query = model.shown_to(info.context.viewer).order_by(order, "id")
        return await every_child(info.context, query, by, root.id)

    return strawberry.field(resolver=resolve, description=description)


def pages_of(
    model: type[BaseModel],
    by: str,
    order: Order | Callable[[Viewer], Order],
    description: str,
    *,
    seen: Callable[[Viewer], Q] | None = None,
    where: Q | None = None,
    directives: list[object] | None = None,
) -> Any:
    """The rows of `model` whose column `by` names this one, in pages.

    `order` may depend on the viewer. `seen` replaces the table's own condition where the parent has been checked;
    `where` narrows the list.
    """

    def resolve(
        root: strawberry.Parent[Any],
        info: strawberry.Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Any:
        viewer = info.context.viewer
        query: QuerySet[Any] = model.filter(seen(viewer)) if seen else model.shown_to(viewer)
        chosen = order if isinstance(order, Order) else order(viewer)
        args = page_args(first, after, last, before)
        page: LazyPage[Any] = children(
            info.context, query.filter(where) if where else query, by, root.id, chosen, args, variant=str(where)
        )
        return page

    return strawberry.field(resolver=resolve, description=description, directives=directives or [])


def computed(read: Callable[[Any], Any], description: str, *, directives: list[object] | None = None) -> Any:
    """A value made from the row alone."""

    def resolve(root: strawberry.Parent[Any]) -> Any:
        return read(root)

    return strawberry.field(resolver=resolve, description=description, directives=directives or [])
