"""Rows that many parents ask for at once, read in one statement for all of them."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader
from tortoise import Model
from tortoise.expressions import RawSQL
from tortoise.functions import Count
from tortoise.queryset import QuerySet

from engine.keyset import DEFAULT_SIZE, Order, Page, PageArgs, cut, page, restrict

Row = TypeVar("Row", bound=Model)
Key = TypeVar("Key")
Value = TypeVar("Value")

_NUMBER = "row_number_"


class Loaders:
    """The loaders of one operation or of one event, made as they are first asked for.

    They remember what they read, so they must not outlive it: a new registry for every operation and every event.
    """

    def __init__(self) -> None:
        self._by_name: dict[Hashable, DataLoader[Any, Any]] = {}

    def get(
        self, name: Hashable, load: Callable[[list[Key]], Awaitable[Sequence[Value | BaseException]]]
    ) -> DataLoader[Key, Value]:
        """The loader of that name; `load` answers a list of keys in their order."""
        loader = self._by_name.get(name)
        if loader is None:
            loader = self._by_name[name] = DataLoader(load_fn=load)
        return loader


async def rows_by_id(query: QuerySet[Row], ids: list[UUID]) -> list[Row | None]:
    """Rows in the order of `ids`; None where there is none."""
    found = {row.pk: row for row in await query.filter(id__in=list(set(ids)))}
    return [found.get(each) for each in ids]


async def pages_by_parent(
    query: QuerySet[Row], by: str, parents: list[UUID], order: Order, args: PageArgs
) -> list[Page[Row]]:
    """The same page of every parent's children, in the order of `parents`: one statement, however many parents."""
    if len(parents) == 1:
        return [await page(query.filter(**{by: parents[0]}), order, args)]
    restricted, way = restrict(query.filter(**{f"{by}__in": list(set(parents))}), order, args)
    number = RawSQL(f'ROW_NUMBER() OVER (PARTITION BY "{by}" ORDER BY {way.sql})')
    rows = await _numbered_up_to(restricted.annotate(**{_NUMBER: number}), args.size(DEFAULT_SIZE) + 1)
    children: dict[UUID, list[Row]] = {parent: [] for parent in parents}
    for row in rows:
        children[getattr(row, by)].append(row)
    return [cut(children[parent], order, args) for parent in parents]


async def counts_by_parent(query: QuerySet[Any], by: str, parents: list[UUID]) -> list[int]:
    """How many children every parent has, in the order of `parents`."""
    counted = query.filter(**{f"{by}__in": list(set(parents))}).annotate(n=Count("id")).group_by(by).values(by, "n")
    found = {each[by]: each["n"] for each in await counted}
    return [found.get(parent, 0) for parent in parents]


async def _numbered_up_to(query: QuerySet[Row], most: int) -> list[Row]:
    """Rows whose number within their parent is at most `most`; a window cannot be filtered in its own SELECT."""
    query._choose_db_if_not_chosen()
    query._make_query()
    sql, values = query.query.get_parameterized_sql()
    wrapped = f'SELECT * FROM ({sql}) AS numbered WHERE "{_NUMBER}" <= {most} ORDER BY "{_NUMBER}"'
    extra = list(query._annotations)
    found: list[Row] = []
    for columns in await query._db.execute_query_dict(wrapped, values):
        row = query.model._init_from_db(**{name: columns[name] for name in columns if name not in extra})
        for name in extra:
            setattr(row, name, columns[name])
        found.append(row)
    return found
