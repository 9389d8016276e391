"""Instants as text: the one form that is stored on SQLite, put into cursors and sent to clients."""

from datetime import UTC, datetime


def instant_text(moment: datetime) -> str:
    """RFC 3339 in UTC with six decimals, `2026-11-22T09:30:00.000000Z`: its order as text is the order in time.

    Raises:
        ValueError: a naive datetime, which means a different instant on every machine.
    """
    if moment.tzinfo is None:
        raise ValueError(f"a naive datetime cannot be stored: {moment!r}")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
