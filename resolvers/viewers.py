"""Who asks: the viewer, made from the database once a request or socket."""

from datetime import datetime
from uuid import UUID

from domain.policy import Membership, Viewer
from models import Membership as MembershipRow
from models import User


async def load_viewer(user_id: UUID, *, expires_at: datetime | None = None) -> Viewer | None:
    """The viewer for a person, or None when the account is gone or switched off."""
    user = await User.get_or_none(id=user_id, is_active=True)
    if user is None:
        return None
    rows = await MembershipRow.filter(user_id=user_id).select_related("organization").order_by("joined_at", "id")
    return Viewer(
        user_id=user.id,
        staff_role=user.staff_role,
        memberships=tuple(_membership(row) for row in rows),
        expires_at=expires_at,
    )


def _membership(row: MembershipRow) -> Membership:
    return Membership(
        organization_id=row.organization_id,
        role=row.role,
        member_visibility=row.organization.member_visibility,
        history_starts_at=row.organization.history_starts_at,
    )
