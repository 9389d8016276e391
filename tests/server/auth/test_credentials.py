"""What can be an address, and what a refresh token is worth."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.credentials import RefreshVerdict, canonical_email, judge_refresh_token

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)


@pytest.mark.parametrize("text", ["ann@example.com", " Ann@Example.COM\n"])
def test_an_address_has_one_form(text: str) -> None:
    assert canonical_email(text) == "ann@example.com"


@pytest.mark.parametrize("text", ["", "ann", "ann@exam\x00ple.com", "a\nb@example.com", "a" * 250 + "@x.de"])
def test_what_cannot_be_an_address_is_none(text: str) -> None:
    """PostgreSQL takes no NUL in a text, so that one must not come as far as a query."""
    assert canonical_email(text) is None


@pytest.mark.parametrize(
    ("used_at", "revoked_at", "expires_at", "verdict"),
    [
        (None, None, LATER, RefreshVerdict.ROTATE),
        (None, None, NOW, RefreshVerdict.REFUSE),
        (None, EARLIER, LATER, RefreshVerdict.REFUSE),
        (NOW, None, LATER, RefreshVerdict.END_FAMILY),
        (EARLIER, None, EARLIER, RefreshVerdict.END_FAMILY),
        (EARLIER, EARLIER, LATER, RefreshVerdict.END_FAMILY),
    ],
)
def test_a_token_is_judged(
    used_at: datetime | None, revoked_at: datetime | None, expires_at: datetime, verdict: RefreshVerdict
) -> None:
    found = judge_refresh_token(used_at=used_at, revoked_at=revoked_at, expires_at=expires_at, now=NOW)

    assert found is verdict
