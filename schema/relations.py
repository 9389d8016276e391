"""Fields that lead from a row to others, each declared in one line."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from inspect import isawaitable
from typing import Any

import strawberry
from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from domain.naming import spoken
from domain.policy import Viewer
from engine.declare import PLAN, Batched, Derived, Every, Pages, SameRow, TheOne, Told, ToOne
from engine.keyset import LazyPage, Order
from models.base import BaseModel
from resolvers.context import Context
from resolvers.reading import children, every_child, linked, listed, related
from schema.paging import After, Before, First, Last, page_args
from schema.scalars import ChosenLocale


def to_one(relation: str, description: str, *, implied: bool = False) -> Any:
    """The row that the column `<relation>_id` refers to; null where it refers to none that the viewer may see.

    `implied` says that whoever sees this row sees that one.
    """
    column = f"{relation}_id"

    def resolve(root: strawberry.Parent[Any], info: strawberry.Info) -> Any:
        key = getattr(root, column)
        if key is None:
            return None
        return related(info.context, _other_end(type(root), relation), key)

    return strawberry.field(resolver=resolve, description=description, metadata={PLAN: ToOne(relation, implied)})


def to_one_through(first: str, second: str, description: str) -> Any:
    """The row that `second` leads to from the row that `first` leads to; whoever sees this row sees both."""

    async def resolve(root: strawberry.Parent[Any], info: strawberry.Info) -> Any:
        between = await related(info.context, _other_end(type(root), first), getattr(root, f"{first}_id"))
        if between is None:
            return None
        return await related(info.context, _other_end(type(between), second), getattr(between, f"{second}_id"))

    planned = ToOne(f"{first}.{second}", implied=True)
    return strawberry.field(resolver=resolve, description=description, metadata={PLAN: planned})


def _other_end(model: type[BaseModel], relation: str) -> type[BaseModel]:
    found: type[BaseModel] = model._meta.fields_map[relation].related_model  # type: ignore[attr-defined]
    return found


def all_of(
    model: type[BaseModel], by: str, order: str, description: str, *, seen: Callable[[Viewer], Q] | None = None
) -> Any:
    """Every row of `model` whose column `by` names this one; for what by nature is few.

    `seen` replaces the table's own condition where the parent has been checked.
    """

    async def resolve(root: strawberry.Parent[Any], info: strawberry.Info) -> Any:
        viewer = info.context.viewer
        query = model.filter(seen(viewer)) if seen else model.shown_to(viewer)
        return await every_child(info.context, query.order_by(order, "id"), by, root.id)

    planned = Every(model, by, order, seen or model.seen_by)
    return strawberry.field(resolver=resolve, description=description, metadata={PLAN: planned})


def all_linked(model: type[BaseModel], relation: str, description: str) -> Any:
    """Every row of `model` at the other end of a many-to-many relation, by name; for what by nature is few."""

    async def resolve(root: strawberry.Parent[Any], info: strawberry.Info) -> Any:
        return await linked(info.context, root, relation, model)

    planned = Every(model, "id", "name", model.seen_by, relation=relation)
    return strawberry.field(resolver=resolve, description=description, metadata={PLAN: planned})


def pages_linked(model: type[BaseModel], relation: str, order: Order, description: str) -> Any:
    """The rows of `model` at the other end of a many-to-many relation that by nature has few, in pages."""

    def resolve(
        root: strawberry.Parent[Any],
        info: strawberry.Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Any:
        async def rows() -> list[Any]:
            return await linked(info.context, root, relation, model)

        return listed(info.context, rows, order, page_args(first, after, last, before))

    planned = Pages(model, "id", lambda viewer: order, model.seen_by, relation)
    return strawberry.field(resolver=resolve, description=description, metadata={PLAN: planned})


def the_one_of(model: type[BaseModel], by: str, order: str, where: Q, description: str) -> Any:
    """The first row of `model` whose column `by` names this one, or null; seen by whoever sees this one."""

    async def resolve(root: strawberry.Parent[Any], info: strawberry.Info) -> Any:
        found = await every_child(info.context, model.filter(where).order_by(order, "id"), by, root.id)
        return found[0] if found else None

    planned = Every(model, by, order, lambda viewer: where, single=True)
    return strawberry.field(resolver=resolve, description=description, metadata={PLAN: planned})


def joined(model: type[BaseModel], by: str, seen: Callable[[Viewer], Q], description: str) -> Any:
    """The only row of `model` that is `seen` and whose column `by` names this one, or null.

    Lists show it without a statement more: an index of the table must say that there is only one.
    """

    async def resolve(root: strawberry.Parent[Any], info: strawberry.Info) -> Any:
        viewer = info.context.viewer
        found = await every_child(info.context, model.shown_to(viewer).filter(seen(viewer)), by, root.id)
        return found[0] if found else None

    return strawberry.field(resolver=resolve, description=description, metadata={PLAN: TheOne(model, by, seen)})


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

    def demanded(viewer: Viewer) -> Q:
        shown = seen(viewer) if seen else model.seen_by(viewer)
        return shown & where if where else shown

    def ordered(viewer: Viewer) -> Order:
        return order if isinstance(order, Order) else order(viewer)

    def resolve(
        root: strawberry.Parent[Any],
        info: strawberry.Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Any:
        viewer = info.context.viewer
        query: QuerySet[Any] = model.filter(demanded(viewer)) if seen else model.shown_to(viewer)
        args = page_args(first, after, last, before)
        page: LazyPage[Any] = children(
            info.context,
            query.filter(where) if where else query,
            by,
            root.id,
            ordered(viewer),
            args,
            variant=str(where),
        )
        return page

    return strawberry.field(
        resolver=resolve,
        description=description,
        directives=directives or [],
        metadata={PLAN: Pages(model, by, ordered, demanded)},
    )


def derived(needs: str | tuple[str, ...], read: Callable[..., Any], description: str) -> Any:
    """A value made from the row's own columns and nothing else, whoever asks.

    `read` gets them as rows hold them or as text, and is not asked twice for the same.
    """
    columns = (needs,) if isinstance(needs, str) else needs

    def resolve(root: strawberry.Parent[Any]) -> Any:
        return read(*[getattr(root, name) for name in columns])

    remembered = lru_cache(maxsize=1024)(read)
    planned = Derived(lambda viewer: columns, lambda viewer: remembered)
    return strawberry.field(resolver=resolve, description=description, metadata={PLAN: planned})


def derived_for(
    needs: Callable[[Viewer], tuple[str, ...]], read: Callable[[Viewer], Callable[..., Any]], description: str
) -> Any:
    """As `derived`, where the kind of viewer decides: staff, or anybody else."""

    def resolve(root: strawberry.Parent[Any], info: strawberry.Info) -> Any:
        viewer = info.context.viewer
        return read(viewer)(*[getattr(root, name) for name in needs(viewer)])

    return strawberry.field(resolver=resolve, description=description, metadata={PLAN: Derived(needs, read)})


def same_row(description: str, *, directives: list[object] | None = None) -> Any:
    """Another view of the same row."""

    def resolve(root: strawberry.Parent[Any]) -> Any:
        return root

    return strawberry.field(
        resolver=resolve, description=description, directives=directives or [], metadata={PLAN: SameRow()}
    )


def computed(needs: str | tuple[str, ...], read: Callable[..., Any], description: str) -> Any:
    """An object made from the row's own columns and nothing else, whoever asks."""
    columns = (needs,) if isinstance(needs, str) else needs

    def resolve(root: strawberry.Parent[Any]) -> Any:
        return read(*[getattr(root, name) for name in columns])

    planned = Batched(columns, lambda context, rows: [read(*row) for row in rows])
    return strawberry.field(resolver=resolve, description=description, metadata={PLAN: planned})


def told(needs: str | tuple[str, ...], say: Callable[..., Any], description: str, *, asked: bool = True) -> Any:
    """A text, or an object with texts, made from the row's own columns for whoever reads it (S42).

    `say` gets the shipped language to speak, and the columns. With `asked` the field has an argument `locale`.
    """
    columns = (needs,) if isinstance(needs, str) else needs

    def resolve(root: strawberry.Parent[Any], info: strawberry.Info) -> Any:
        return say(info.context.viewer.language, *[getattr(root, name) for name in columns])

    def resolve_asked(root: strawberry.Parent[Any], info: strawberry.Info, locale: ChosenLocale = None) -> Any:
        return say(spoken(locale, info.context.viewer.language), *[getattr(root, name) for name in columns])

    def tell(language: str, arguments: Mapping[str, Any], rows: list[tuple[Any, ...]]) -> list[Any]:
        chosen = spoken(arguments.get("locale"), language)
        return [say(chosen, *row) for row in rows]

    return strawberry.field(
        resolver=resolve_asked if asked else resolve,
        description=description,
        metadata={PLAN: Told(columns, language_of, tell)},
    )


def made_of(
    column: str, make: Callable[[list[tuple[Any]]], Sequence[Any] | Awaitable[Sequence[Any]]], description: str
) -> Any:
    """A scalar made from one column of many rows at once, the same whoever asks; it may take some time."""

    async def resolve(root: strawberry.Parent[Any]) -> Any:
        found = make([(getattr(root, column),)])
        (made,) = await found if isawaitable(found) else found
        return made

    planned = Told((column,), anybody, lambda reader, arguments, rows: make(rows))
    return strawberry.field(resolver=resolve, description=description, metadata={PLAN: planned})


def anybody(viewer: Viewer) -> None:
    """Stands for every reader, where all are told the same."""


def language_of(viewer: Viewer) -> str:
    return viewer.language


def batched(
    resolve_many: Callable[[Context, list[Any]], Any],
    description: str,
    *,
    needs: str | tuple[str, ...] = "id",
    directives: list[object] | None = None,
) -> Any:
    """A value that a resolver gives for many rows at once.

    `resolve_many` takes the context and, for each row, a tuple of the columns that it `needs`; it answers in their
    order, with scalars, objects, rows, or lists of these, and may be a coroutine function.
    """
    columns = (needs,) if isinstance(needs, str) else needs

    async def resolve(root: strawberry.Parent[Any], info: strawberry.Info) -> Any:
        async def load(rows: list[Any]) -> Any:
            found = resolve_many(info.context, rows)
            return await found if isawaitable(found) else found

        row = tuple(getattr(root, name) for name in columns)
        return await info.context.loaders.get(("batched", resolve_many), load).load(row)

    return strawberry.field(
        resolver=resolve,
        description=description,
        directives=directives or [],
        metadata={PLAN: Batched(columns, resolve_many)},
    )
