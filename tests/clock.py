"""Time that moves only when a test says so."""

from datetime import UTC, datetime, timedelta


class Clock:
    """`clock()` is the instant; `clock.advance(hours=72)` moves it."""

    def __init__(self, now: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now
