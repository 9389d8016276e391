"""Hashing and verifying, and what can be told from how long it takes."""

import asyncio
import threading
from typing import Literal

import pytest
from argon2 import PasswordHasher

from server.auth.passwords import Passwords
from tests.server.auth.helpers import CHEAP

pytestmark = pytest.mark.anyio


class Watched(PasswordHasher):
    """Counts what it verifies, and at most how many at once; each waits until it `may_end`."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=64, parallelism=1)
        self.verified: list[str] = []
        self.running = 0
        self.most = 0
        self.reached = threading.Semaphore(0)
        self.may_end = threading.Event()
        self.may_end.set()
        self._lock = threading.Lock()

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        with self._lock:
            self.verified.append(str(hash))
            self.running += 1
            self.most = max(self.most, self.running)
        self.reached.release()
        assert self.may_end.wait(timeout=5)
        with self._lock:
            self.running -= 1
        return super().verify(hash, password)


async def test_the_right_password_matches_and_another_does_not(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse")

    assert await passwords.verify(stored, "correct horse") is True
    assert await passwords.verify(stored, "correct horsE") is False
    assert await passwords.verify(stored, "") is False


async def test_the_same_password_is_stored_differently_each_time(passwords: Passwords) -> None:
    first, second = await passwords.hash("correct horse"), await passwords.hash("correct horse")

    assert first != second
    assert first.startswith("$argon2id$")
    assert "correct" not in first


async def test_letters_that_look_alike_are_the_same_password(passwords: Passwords) -> None:
    stored = await passwords.hash("caf\u00e9")

    assert await passwords.verify(stored, "cafe\u0301") is True


@pytest.mark.parametrize("password", ["a\x00b", "\ufffd", "x" * 16_000])
async def test_strange_passwords_are_passwords(passwords: Passwords, password: str) -> None:
    assert await passwords.verify(await passwords.hash(password), password) is True


async def test_without_an_account_the_same_work_is_done() -> None:
    hasher = Watched()
    passwords = Passwords(hasher)
    stored = await passwords.hash("correct horse")

    assert await passwords.verify(stored, "wrong") is False
    assert await passwords.verify(None, "wrong") is False

    with_account, without = hasher.verified
    parameters = stored.split("$")[1:4]
    assert with_account == stored
    assert without.split("$")[1:4] == parameters


async def test_nobody_has_the_password_of_the_stand_in(passwords: Passwords) -> None:
    assert await passwords.verify(None, "nobody has this password") is False


async def test_a_stored_hash_that_is_damaged_matches_nothing(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse")

    assert await passwords.verify(stored[:-4], "correct horse") is False
    assert await passwords.verify("plain", "plain") is False


async def test_a_hash_with_other_parameters_is_outdated(passwords: Passwords) -> None:
    older = PasswordHasher(time_cost=2, memory_cost=64, parallelism=1).hash("correct horse")

    assert passwords.is_outdated(older) is True
    assert passwords.is_outdated(CHEAP.hash("correct horse")) is False


async def test_no_more_than_the_allowed_number_run_at_once_even_when_callers_give_up() -> None:
    hasher = Watched()
    hasher.may_end.clear()
    passwords = Passwords(hasher, concurrency=2)
    stored = CHEAP.hash("correct horse")

    async with asyncio.timeout(5):
        waiting = [asyncio.create_task(passwords.verify(stored, "correct horse")) for _ in range(4)]
        for _ in range(2):
            assert await asyncio.to_thread(hasher.reached.acquire, timeout=5)
        for task in waiting[:2]:
            task.cancel()
        last = asyncio.create_task(passwords.verify(stored, "correct horse"))
        hasher.may_end.set()

        assert await last is True

    assert hasher.most == 2


async def test_the_loop_is_free_while_a_password_is_verified() -> None:
    hasher = Watched()
    hasher.may_end.clear()
    passwords = Passwords(hasher)

    async with asyncio.timeout(5):
        verifying = asyncio.create_task(passwords.verify(CHEAP.hash("x"), "x"))
        assert await asyncio.to_thread(hasher.reached.acquire, timeout=5)
        hasher.may_end.set()

        assert await verifying is True
