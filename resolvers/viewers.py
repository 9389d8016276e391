"""Who asks: the viewer, made from the database once a request or socket."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Protocol
from uuid import UUID

from domain.enums import HistoryAvailability, MemberVisibility, OrganizationRole, StaffRole
from domain.policy import Membership, Viewer
from domain.words.languages import SOURCE
from engine.statements import MARK, Dialect, column, dialect_of, finished, stored
from models import Membership as MembershipRow
from models import Organization, User
from models.database import reading

MOST_REMEMBERED = 5_000
"""Viewers that are kept ready; what they are made from is read anew every time."""

Read = Callable[[str, tuple[Any, ...]], Awaitable[Sequence[Any]]]


class LoadViewer(Protocol):
    async def __call__(
        self,
        user_id: UUID,
        *,
        expires_at: datetime | None = None,
        session_id: UUID | None = None,
        accepts: str = SOURCE,
    ) -> Viewer | None:
        """The viewer for a person, or None when the account is gone or switched off. One statement.

        `session_id` names the sign-in that the token is of. `accepts` is the language of those who chose none.
        """


def viewers_by(read: Read, dialect: Dialect) -> LoadViewer:
    """Loads viewers on a way to the database of the caller's."""
    sql = _statement(dialect)

    async def load(
        user_id: UUID,
        *,
        expires_at: datetime | None = None,
        session_id: UUID | None = None,
        accepts: str = SOURCE,
    ) -> Viewer | None:
        rows = await read(sql, (stored(user_id, dialect),))
        return _viewer(user_id, expires_at, session_id, accepts, tuple(map(tuple, rows))) if rows else None

    return load


async def load_viewer(
    user_id: UUID, *, expires_at: datetime | None = None, session_id: UUID | None = None, accepts: str = SOURCE
) -> Viewer | None:
    """As `LoadViewer`, on the connection that this task reads on."""
    load = viewers_by(_read, dialect_of(User))
    return await load(user_id, expires_at=expires_at, session_id=session_id, accepts=accepts)


def viewer_kind(viewer: Viewer) -> str:
    """Viewers of a kind have the same plans: staff, or not."""
    return viewer.audience


def viewer_key(viewer: Viewer) -> Hashable:
    """Viewers with the same key see the same: nothing made for one viewer is ever used for another."""
    return viewer.user_id, viewer.staff_role, viewer.memberships, viewer.scopes, viewer.language


@lru_cache(maxsize=MOST_REMEMBERED)
def _viewer(
    user_id: UUID,
    expires_at: datetime | None,
    session_id: UUID | None,
    accepts: str,
    rows: tuple[tuple[Any, ...], ...],
) -> Viewer:
    """The viewer that these rows tell of. The same rows always tell of the same one: it is made once."""
    return Viewer(
        user_id=user_id,
        staff_role=StaffRole(rows[0][0]) if rows[0][0] else None,
        memberships=tuple(_membership(row) for row in rows if row[1]),
        expires_at=expires_at,
        session_id=session_id,
        locale=rows[0][-1],
        accepts=accepts,
    )


async def load_again(viewer: Viewer) -> Viewer | None:
    """The viewer with the rights of now; None when the account is gone or switched off, or nobody was signed in."""
    if viewer.user_id is None:
        return None
    return await load_viewer(
        viewer.user_id, expires_at=viewer.expires_at, session_id=viewer.session_id, accepts=viewer.accepts
    )


@cache
def _statement(dialect: Dialect) -> str:
    """One row for each membership, in the order of joining; one without any where there is none."""
    columns = [
        column(User, "staff_role", "u", dialect),
        column(MembershipRow, "organization_id", "m", dialect),
        column(MembershipRow, "role", "m", dialect),
        column(Organization, "member_visibility", "o", dialect),
        column(Organization, "history_starts_at", "o", dialect),
        column(Organization, "history_availability", "o", dialect),
        column(User, "locale", "u", dialect),
    ]
    sql = (
        f'SELECT {", ".join(columns)} FROM "app_user" "u" '
        'LEFT JOIN "membership" "m" ON "m"."user_id" = "u"."id" '
        'LEFT JOIN "organization" "o" ON "o"."id" = "m"."organization_id" '
        f'WHERE "u"."id" = {MARK} AND "u"."is_active" ORDER BY "m"."joined_at", "m"."id"'
    )
    return finished(sql, dialect)


async def _read(sql: str, values: tuple[Any, ...]) -> Sequence[Any]:
    _, rows = await reading().execute_query(sql, list(values))
    return rows


def _membership(row: Sequence[Any]) -> Membership:
    return Membership(
        organization_id=UUID(row[1]),
        role=OrganizationRole(row[2]),
        member_visibility=MemberVisibility(row[3]),
        history_starts_at=datetime.fromisoformat(row[4]) if row[4] else None,
        history_is_available=HistoryAvailability(row[5]) is HistoryAvailability.AVAILABLE,
    )
