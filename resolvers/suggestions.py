"""Solved problems like the one that somebody is about to report (S21): asked while the subject is typed.

Three statements at most: the newest solved tickets and articles that share two telling words with the subject, found
by the full-text index; and their rows. How alike they are is reckoned from those few.
"""

from dataclasses import dataclass
from itertools import combinations
from uuid import UUID

from domain import naming, policy
from domain.enums import SearchKind
from domain.errors import Invalid
from domain.naming import line, quoted
from domain.searching import excerpt, likeness, telling
from engine.statements import MARK, Fragment, conjunction, dialect_of, finished, stored
from models import KnowledgeArticle, SearchDocument, Ticket
from models.database import reader
from models.searching import FOUND, matching, possible, shown
from resolvers.context import Context

MOST_SUGGESTIONS = 20
MOST_LOOKED_THROUGH = 2_000
"""Documents with the words that are asked whether they are solved, and may be seen: the newest."""
MOST_COMPARED = 150
MOST_TELLING = 6
"""Words of a subject that are searched for, two by two."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    title: str
    excerpt: str
    score: float
    article: KnowledgeArticle | None = None
    ticket: Ticket | None = None


async def suggest_solutions(
    ctx: Context,
    subject: str,
    *,
    request_type_key: str | None = None,
    product_id: UUID | None = None,
    locale: str | None = None,
    first: int = 5,
) -> list[Suggestion]:
    """Solved tickets that the viewer may see, and published articles, the most alike first.

    A request type and a product narrow the tickets, a locale narrows both to its language; texts of no known language
    are kept. A subject that says nothing yet has no suggestions.

    Raises:
        Unauthenticated: nobody is signed in.
        Invalid: the subject is too long or cannot be stored, the locale is none, or `first` is out of range.
    """
    policy.check_authenticated(ctx.viewer)
    if not 0 <= first <= MOST_SUGGESTIONS:
        raise Invalid("`first` is a number from 0 to {limit}.", field=("first",), limit=MOST_SUGGESTIONS)
    spoken = naming.locale(locale, field="locale") if locale is not None else ""
    words = telling(line(subject, field="subject"))[:MOST_TELLING] if subject.strip() else ()
    if not words or not first:
        return []
    ids = await _candidates(ctx, words, _narrowed(ctx, request_type_key, product_id))
    language = spoken.partition("-")[0].lower()
    made = [*await _tickets(ctx, ids[SearchKind.TICKET], words, language),
            *await _articles(ctx, ids[SearchKind.KNOWLEDGE_ARTICLE], words, language)]  # fmt: skip
    return sorted(made, key=lambda each: -each.score)[:first]


async def _candidates(ctx: Context, words: tuple[str, ...], solved: Fragment) -> dict[SearchKind, list[UUID]]:
    dialect = dialect_of(SearchDocument)
    alike = matching(
        dialect,
        words,
        kinds=(SearchKind.TICKET, SearchKind.KNOWLEDGE_ARTICLE),
        organization_ids=possible(ctx.viewer),
        pairs=list(combinations(words, 2)) or [words],
    )
    number = '"search_index"."rowid"' if dialect == "sqlite" else '"d"."id"'
    newest = f'SELECT {number} AS "id" {FOUND[dialect]} WHERE {alike.sql} ORDER BY {number} DESC LIMIT {MARK}'
    demanded = conjunction(solved, shown(ctx.viewer, dialect))
    sql = (
        f'SELECT "d"."kind", "d"."row_id" FROM ({newest}) "n" JOIN "search_document" "d" ON "d"."id" = "n"."id" '
        f'WHERE {demanded.sql} ORDER BY "d"."id" DESC LIMIT {MARK}'
    )
    values = [*alike.values, MOST_LOOKED_THROUGH, *demanded.values, MOST_COMPARED]
    found: dict[SearchKind, list[UUID]] = {SearchKind.TICKET: [], SearchKind.KNOWLEDGE_ARTICLE: []}
    for row in await reader().execute_query_dict(finished(sql, dialect), values):
        found[SearchKind(row["kind"])].append(UUID(str(row["row_id"])))
    return found


def _narrowed(ctx: Context, request_type_key: str | None, product_id: UUID | None) -> Fragment:
    """An article, or a solved ticket of that request type and product."""
    dialect = dialect_of(Ticket)
    parts = [Fragment("\"s\".\"status\" IN ('RESOLVED', 'CLOSED')")]
    if product_id:
        parts.append(Fragment(f'"s"."product_id" = {MARK}', (stored(product_id, dialect),)))
    if request_type_key is not None:
        of_type = f'"s"."request_type_id" = (SELECT "id" FROM "request_type" WHERE "key" = {MARK})'
        parts.append(Fragment(of_type, (quoted(request_type_key) or "",)))
    ticket = conjunction(*parts)
    return Fragment(
        f'("d"."kind" = \'{SearchKind.KNOWLEDGE_ARTICLE}\' OR EXISTS '
        f'(SELECT 1 FROM "ticket" "s" WHERE "s"."id" = "d"."ticket_id" AND {ticket.sql}))',
        ticket.values,
    )


async def _tickets(ctx: Context, ids: list[UUID], words: tuple[str, ...], language: str) -> list[Suggestion]:
    rows = await Ticket.shown_to(ctx.viewer).filter(id__in=ids).order_by("-id") if ids else []
    return [
        Suggestion(
            row.subject,
            excerpt(row.description, words),
            likeness(words, row.subject, row.description),
            ticket=row,
        )
        for row in rows
        if _speaks(row.language, language)
    ]


async def _articles(ctx: Context, ids: list[UUID], words: tuple[str, ...], language: str) -> list[Suggestion]:
    rows = await KnowledgeArticle.shown_to(ctx.viewer).filter(id__in=ids).order_by("-id") if ids else []
    return [
        Suggestion(row.title, excerpt(row.body, words), likeness(words, row.title, row.body), article=row)
        for row in rows
        if _speaks(row.locale, language)
    ]


def _speaks(locale: str | None, language: str) -> bool:
    return not locale or not language or locale.partition("-")[0].lower() == language
