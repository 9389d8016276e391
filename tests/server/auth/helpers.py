"""A clock that moves by hand, and people to sign in."""

from datetime import UTC, datetime, timedelta

from argon2 import PasswordHasher

import models

CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""The tests ask what is hashed and when, not how hard it is."""


class Clock:
    def __init__(self) -> None:
        self._now = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self._now

    def advance(self, **by: float) -> None:
        self._now += timedelta(**by)


async def make_user(email: str, clock: Clock, *, password: str | None = "correct horse") -> models.User:
    name = email.partition("@")[0]
    return await models.User.create(
        email=email,
        username=name,
        display_name=name.title(),
        password_hash=CHEAP.hash(password) if password else None,
        created_at=clock(),
    )
