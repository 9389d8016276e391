"""Search: rows of every kind by words, the best first, and never one that the viewer may not see (S38).

The best are those whose reference or serial number is the text itself; then those that have every word in their title;
then the rest; among equals the newest. So a row's place never depends on other rows, and a page stays right while rows
come in. Rights are part of every statement: what one may not see is neither shown nor counted.
"""

import asyncio
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain import policy
from domain.enums import SearchKind
from domain.errors import Invalid
from domain.naming import quoted
from domain.searching import highlights, searched
from engine.keyset import DEFAULT_SIZE, LazyPage, Order, Page, PageArgs, PagingError
from engine.statements import MARK, Dialect, Fragment, conjunction, dialect_of, finished, stored
from models import (
    Device,
    Escalation,
    KnowledgeArticle,
    Message,
    Organization,
    SearchDocument,
    Space,
    Ticket,
    User,
)
from models.base import BaseModel
from models.database import reader
from models.searching import FOUND, OF_TICKETS, matching, possible, shown
from resolvers.context import Context
from resolvers.history import check_history_of
from resolvers.reading import found

TABLES: dict[SearchKind, tuple[type[BaseModel], tuple[str, ...]]] = {
    SearchKind.TICKET: (Ticket, ("subject", "reference", "description")),
    SearchKind.MESSAGE: (Message, ("email_subject", "body")),
    SearchKind.ESCALATION: (Escalation, ("reference", "issue_description")),
    SearchKind.USER: (User, ("display_name", "username", "email")),
    SearchKind.ORGANIZATION: (Organization, ("name",)),
    SearchKind.ROOM: (Space, ("name",)),
    SearchKind.DESK: (Space, ("name",)),
    SearchKind.DEVICE: (Device, ("name", "serial_number")),
    SearchKind.KNOWLEDGE_ARTICLE: (KnowledgeArticle, ("title", "body")),
}
"""Where the rows of a kind are, and what of them is shown around the words found."""

BY_LABEL, BY_TITLE, BY_TEXT = 3, 2, 1
SCORES = {BY_LABEL: 1.0, BY_TITLE: 0.6, BY_TEXT: 0.3}
_NUMBERS = 2**56
"""More than there will be documents: a place is the rank times this, and the document's number."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that was found. `place` tells it from every other hit of the same search, greater for better."""

    kind: SearchKind
    row: BaseModel
    place: int
    words: tuple[str, ...]

    @property
    def pk(self) -> UUID:
        return self.row.id

    @property
    def score(self) -> float:
        return SCORES[self.place // _NUMBERS]

    def highlights(self) -> list[str]:
        texts = (getattr(self.row, name) for name in TABLES[self.kind][1])
        return highlights([text for text in texts if text], self.words)


def search(
    ctx: Context,
    text: str,
    args: PageArgs,
    *,
    kinds: Collection[SearchKind] | None = None,
    organization_id: UUID | None = None,
) -> LazyPage[Any]:
    """A page of `Hit`s, the best first. Every word must be found, as a word or as the beginning of one.

    Raises:
        Unauthenticated: nobody is signed in.
        NotFound: the organization is not one of the viewer's.
        HistoryUnavailable: only tickets and what is on them is searched, and a regulation forbids to show them (S11).
        Required, Invalid: the text or a paging argument cannot be used.
    """
    policy.check_authenticated(ctx.viewer)
    if organization_id:
        policy.check_belongs(ctx.viewer, organization_id)
    if kinds and set(kinds) <= set(OF_TICKETS):
        check_history_of(ctx.viewer, organization_id)
    words, label = searched(text), quoted(text)
    wanted = sorted(SearchKind if kinds is None else set(kinds))
    order = _order(words, wanted, organization_id)
    place = _start(ctx, order, args)
    asked = _Asked(ctx, words, label or "", wanted, organization_id)

    async def load() -> Page[Any]:
        size = args.size(DEFAULT_SIZE)
        documents = await asked.documents(place, size + 1) if words and wanted else []
        rows = await asked.rows(documents[:size])
        return Page(rows, order, has_next_page=len(documents) > size, has_previous_page=bool(args.after))

    async def count() -> int:
        return await asked.count() if words and wanted else 0

    return LazyPage(load, count)


class _Asked:
    """What is searched for, as statements."""

    def __init__(
        self,
        ctx: Context,
        words: tuple[str, ...],
        label: str,
        kinds: Sequence[SearchKind],
        organization_id: UUID | None,
    ) -> None:
        self.ctx, self.words, self.label = ctx, words, label
        self.kinds = () if len(kinds) == len(SearchKind) else tuple(kinds)
        self.places = [organization_id] if organization_id else possible(ctx.viewer)
        self.dialect: Dialect = dialect_of(SearchDocument)
        self.rights = conjunction(shown(ctx.viewer, self.dialect), self._within(organization_id))

    async def documents(self, below: int | None, most: int) -> list[tuple[int, SearchKind, UUID]]:
        """The best documents below a place: their places, kinds and rows. A statement for each rank that is needed."""
        found: list[tuple[int, SearchKind, UUID]] = []
        for rank in (BY_LABEL, BY_TITLE, BY_TEXT):
            if below is not None and rank > below // _NUMBERS:
                continue
            number = below % _NUMBERS if below is not None and rank == below // _NUMBERS else None
            sql, values = self.statement(rank, number, most - len(found))
            for row in await reader().execute_query_dict(sql, list(values)):
                found.append((rank * _NUMBERS + row["id"], SearchKind(row["kind"]), UUID(str(row["row_id"]))))
            if len(found) == most:
                break
        return found

    def statement(self, rank: int, below: int | None, most: int) -> tuple[str, tuple[Any, ...]]:
        # On SQLite the index itself gives documents by their numbers: nothing is sorted.
        number = '"search_index"."rowid"' if self.dialect == "sqlite" and rank != BY_LABEL else '"d"."id"'
        source, condition = self._found(rank)
        before = Fragment(f"{number} < {MARK}", (below,)) if below is not None else Fragment()
        whole = conjunction(condition, self.rights, before)
        sql = (
            f'SELECT "d"."id", "d"."kind", "d"."row_id" {source} WHERE {whole.sql} ORDER BY {number} DESC LIMIT {MARK}'
        )
        return finished(sql, self.dialect), (*whole.values, most)

    async def count(self) -> int:
        sql, values = self.counting()
        rows = await reader().execute_query_dict(sql, list(values))
        return int(rows[0]["found"])

    def counting(self) -> tuple[str, tuple[Any, ...]]:
        every = matching(self.dialect, self.words, kinds=self.kinds, organization_ids=self.places)
        whole = conjunction(every, self.rights)
        sql = f"SELECT count(*) AS found {FOUND[self.dialect]} WHERE {whole.sql}"
        return finished(sql, self.dialect), whole.values

    async def rows(self, documents: list[tuple[int, SearchKind, UUID]]) -> list[Any]:
        """The rows, read as the viewer may see them: one statement for each table."""
        rows = await asyncio.gather(*(found(self.ctx, TABLES[kind][0], key) for _, kind, key in documents))
        hits = zip(documents, rows, strict=True)
        return [Hit(kind, row, place, self.words) for (place, kind, _), row in hits if row is not None]

    def _found(self, rank: int) -> tuple[str, Fragment]:
        """Where the documents of a rank are found, and how."""
        if rank == BY_LABEL:
            return 'FROM "search_document" "d"', Fragment(f'"d"."label" = {MARK}', (self.label,))
        by_words = matching(
            self.dialect,
            self.words,
            kinds=self.kinds,
            organization_ids=self.places,
            in_title=rank == BY_TITLE,
            not_in_title=rank == BY_TEXT,
        )
        others = Fragment(f'("d"."label" IS NULL OR "d"."label" <> {MARK})', (self.label,))
        return FOUND[self.dialect], conjunction(by_words, others)

    def _within(self, organization_id: UUID | None) -> Fragment:
        kinds, place = Fragment(), Fragment()
        if self.kinds:
            kinds = Fragment('"d"."kind" IN (' + ", ".join(f"'{kind}'" for kind in self.kinds) + ")")
        if organization_id:
            place = Fragment(f'"d"."organization_id" = {MARK}', (stored(organization_id, self.dialect),))
        return conjunction(kinds, place)


def _order(words: tuple[str, ...], kinds: Sequence[SearchKind], organization_id: UUID | None) -> Order:
    """The order of one search: its cursors are of no use to another one."""
    asked = hashlib.sha256(repr((words, kinds, organization_id)).encode()).hexdigest()[:12]
    return Order(f"search {asked}", "place", kind="bigint", descending=True)


def _start(ctx: Context, order: Order, args: PageArgs) -> int | None:
    try:
        args.check(most=ctx.services.max_page_size)
        return int(order.position(args.after, "after")[0]) if args.after else None
    except PagingError as error:
        raise Invalid(error.message, field=(error.argument,), **error.values) from None
