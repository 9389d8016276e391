"""What a name, a password and a refresh token are worth, decided from values alone."""

import unicodedata
from datetime import datetime
from enum import Enum, auto

MAX_EMAIL = 254
"""The longest address that mail can be sent to (RFC 5321 § 4.5.3.1.3), and the width of its column."""


def canonical_email(text: str) -> str | None:
    """The form in which addresses are stored and compared; None for what cannot be one."""
    email = text.strip().lower()
    if not email.isprintable() or "@" not in email or len(email) > MAX_EMAIL:
        return None
    return email


def canonical_password(text: str) -> str:
    """One form for passwords that look alike: keyboards differ in how they compose é (NIST SP 800-63B § 3.1.1.2)."""
    return unicodedata.normalize("NFKC", text)


class RefreshVerdict(Enum):
    ROTATE = auto()
    """Good: it is used up now, and a successor takes its place."""

    REFUSE = auto()
    """Too old, or its family was ended."""

    END_FAMILY = auto()
    """It was used before: two hold it, and one of them should not."""


def judge_refresh_token(
    *, used_at: datetime | None, revoked_at: datetime | None, expires_at: datetime, now: datetime
) -> RefreshVerdict:
    """Decide about a refresh token that somebody presents. It works up to, not at, `expires_at` (all in UTC).

    A second use always ends the family, without a time of grace, even when both come at the same moment. Whether the
    owner or a thief was first cannot be known, and with a grace of some seconds a thief who is quick would keep the
    successor. The price: a client must refresh from one place at a time, and one whose answer was lost signs in again.

    Source: RFC 9700 § 4.14.2 (refresh token rotation).
    """
    if used_at is not None:
        return RefreshVerdict.END_FAMILY
    if revoked_at is not None or now >= expires_at:
        return RefreshVerdict.REFUSE
    return RefreshVerdict.ROTATE
