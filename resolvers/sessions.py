"""Ending a sign-in: its refresh tokens are no good any more, and every process hears of it."""

from uuid import UUID

from models import RefreshToken
from realtime.access import ACCESS_CHANGE
from realtime.log import ACCESS
from resolvers.transaction import Work

SESSION = "session"
"""What a change of access is about when a sign-in ends; the family of its refresh tokens names it."""


async def end_session(work: Work, family: UUID) -> bool:
    """Revoke every refresh token of a sign-in. Access tokens and sockets of it end as soon as a process hears of it.

    Returns whether it had not ended before.
    """
    ended = await RefreshToken.filter(family=family, revoked_at=None).update(revoked_at=work.now)
    if ended:
        work.emit((ACCESS,), ACCESS_CHANGE, {SESSION: str(family)})
    return bool(ended)
