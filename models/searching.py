"""Finding by words: the documents of the full-text index, and who is shown which of them.

Documents are written by triggers alone (`migrations/0005_search.py`). A search asks the index for words, narrowed to
what the viewer can possibly see, and looks at rights row by row from the newest one on: it stops when a page is full.
"""

from collections.abc import Collection
from uuid import UUID

from pypika_tortoise.context import SqlContext
from pypika_tortoise.terms import Term
from tortoise import Model, fields
from tortoise.expressions import Q
from tortoise.indexes import Index

from domain.enums import SearchKind
from domain.policy import SEE_SERIAL_NUMBER, OrganizationFacts, Viewer, allows, sees_internal
from engine.statements import MARK, Dialect, Fragment, conjunction, dialect_of, stored, where
from models.base import Choice
from models.referred import spelled
from models.tickets import Ticket

OF_TICKETS = (SearchKind.TICKET, SearchKind.MESSAGE, SearchKind.ESCALATION)
OF_PLACES = (SearchKind.ROOM, SearchKind.DESK)
FOR_STAFF = (SearchKind.USER, SearchKind.ORGANIZATION)
_NOTHING = Fragment("1 = 0")


class SearchDocument(Model):
    """What the index knows of a row besides its words. The greater its number, the newer."""

    id = fields.BigIntField(primary_key=True, generated=True)
    kind: SearchKind = Choice(SearchKind, max_length=20)
    row_id = fields.UUIDField(unique=True)
    ticket_id = fields.UUIDField(null=True, description="the ticket that decides who sees it")
    organization_id = fields.UUIDField(null=True)
    label = fields.CharField(100, null=True, description="a reference or serial number, in capitals")
    internal = fields.BooleanField(default=False)

    class Meta:
        app = "casewire"
        table = "search_document"
        indexes = [Index(fields=("label", "id"), name="search_document_by_label")]


FOUND = {
    "sqlite": 'FROM "search_index" CROSS JOIN "search_document" "d" ON "d"."id" = "search_index"."rowid"',
    "postgres": 'FROM "search_document" "d"',
}
"""Where documents are found by words."""


def matching(
    dialect: Dialect,
    words: Collection[str],
    *,
    kinds: Collection[SearchKind] = (),
    organization_ids: Collection[UUID | None] = (),
    in_title: bool = False,
    not_in_title: bool = False,
    pairs: Collection[tuple[str, ...]] = (),
) -> Fragment:
    """The condition that a document has every word, or begins with it, in its title or body.

    `in_title`: all in the title; `not_in_title`: not so. `pairs`: instead of every word, all of one of these groups.
    Kinds and organizations (None: of no organization) narrow it; none of them given, they do not.
    """
    write = _fts5 if dialect == "sqlite" else _tsquery
    groups = list(pairs) or [tuple(words)]
    kinded = [f"k{each.lower().replace('_', '')}" for each in kinds]
    placed = [f"o{each.hex if each else 'nobody'}" for each in organization_ids]
    return write(groups, kinded, placed, in_title, not_in_title)


def _fts5(
    groups: list[tuple[str, ...]], kinds: list[str], places: list[str], in_title: bool, not_in_title: bool
) -> Fragment:
    def term(word: str) -> str:
        return f'"{word}"' + ("*" if len(word) > 1 else "")

    wanted = " OR ".join("(" + " AND ".join(map(term, group)) + ")" for group in groups)
    asked = f"{{title}} : ({wanted})" if in_title else f"{{title body}} : ({wanted})"
    for marks in (kinds, places):
        if marks:
            alternatives = " OR ".join(f'"{mark}"' for mark in marks)
            asked = f"{{place}} : ({alternatives}) AND ({asked})"
    if not_in_title:
        asked = f"({asked}) NOT {{title}} : ({wanted})"
    return Fragment(f'"search_index" MATCH {MARK}', (asked,))


def _tsquery(
    groups: list[tuple[str, ...]], kinds: list[str], places: list[str], in_title: bool, not_in_title: bool
) -> Fragment:
    def term(word: str, mark: str) -> str:
        return f"'{mark}{word}'" + (":*" if len(word) > 1 else "")

    def wanted(mark: str) -> str:
        return "(" + " | ".join("(" + " & ".join(term(word, mark) for word in group) + ")" for group in groups) + ")"

    asked = [wanted("^" if in_title else "")]
    asked += ["(" + " | ".join(f"'@{mark}'" for mark in marks) + ")" for marks in (kinds, places) if marks]
    asked += [f"!{wanted('^')}"] if not_in_title else []
    return Fragment(f'"d"."words" @@ {MARK}::text::tsquery', (" & ".join(asked),))


def shown(viewer: Viewer, dialect: Dialect) -> Fragment:
    """The condition that the viewer may know of document "d": the rights of the rows themselves."""
    if viewer.is_staff:
        return Fragment()
    if not viewer.is_authenticated:
        return _NOTHING
    seen = where(Ticket, Ticket.seen_by(viewer), dialect).of("ticket", "t")
    hung = f'EXISTS (SELECT 1 FROM "ticket" "t" WHERE "t"."id" = "d"."ticket_id" AND {seen.sql})'
    mine = [m.organization_id for m in viewer.memberships]
    # Whoever is not shown serial numbers must not learn of them by searching for one.
    devices = [each for each in mine if allows(viewer, SEE_SERIAL_NUMBER, OrganizationFacts(each))]
    either = [
        Fragment(hung, seen.values),
        _of_organizations(OF_PLACES, mine, dialect),
        _of_organizations((SearchKind.DEVICE,), devices, dialect),
        Fragment(f'"d"."kind" = \'{SearchKind.KNOWLEDGE_ARTICLE}\''),
    ]
    values = tuple(value for each in either for value in each.values)
    some = Fragment("(" + " OR ".join(each.sql for each in either) + ")", values)
    return some if sees_internal(viewer) else conjunction(some, Fragment('NOT "d"."internal"'))


def possible(viewer: Viewer) -> list[UUID | None]:
    """Whose documents the viewer can possibly see, for `matching`; empty where that narrows nothing."""
    return [] if viewer.is_staff else [*(m.organization_id for m in viewer.memberships), None]


def _of_organizations(kinds: Collection[SearchKind], ids: list[UUID], dialect: Dialect) -> Fragment:
    if not ids:
        return _NOTHING
    named = ", ".join(f"'{kind}'" for kind in kinds)
    marks = ", ".join(MARK for _ in ids)
    here = f'("d"."kind" IN ({named}) AND "d"."organization_id" IN ({marks}))'
    return Fragment(here, tuple(stored(each, dialect) for each in ids))


class TicketsSaying(Term):
    """The ids of the tickets that say these words: in subject, description, reference, messages or escalations.

    Goes where a subquery goes: `Q(id__in=TicketsSaying(…))`. Whether a ticket may be seen is not asked here.
    """

    def __init__(self, words: Collection[str], viewer: Viewer) -> None:
        super().__init__()
        self.words, self.viewer = words, viewer

    def get_sql(self, ctx: SqlContext) -> str:
        dialect = dialect_of(SearchDocument)
        found = matching(dialect, self.words, kinds=OF_TICKETS, organization_ids=possible(self.viewer))
        wanted = found if sees_internal(self.viewer) else conjunction(found, Fragment('NOT "d"."internal"'))
        return f'(SELECT "d"."ticket_id" {FOUND[dialect]} WHERE {spelled(wanted, ctx)})'


def saying(words: Collection[str], viewer: Viewer) -> Q:
    """The condition on tickets that they say these words to the viewer; no words are said by none."""
    return Q(id__in=TicketsSaying(words, viewer)) if words else Q(id__in=[])
