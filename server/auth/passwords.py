"""Passwords: hashed with Argon2id, off the event loop, a few at a time."""

import asyncio
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from secrets import token_bytes

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from domain.credentials import canonical_password

CONCURRENCY = 2
"""Each hash takes 64 MiB and some 100 ms of several cores; more at once only slows each of them."""


def hash_of_nobody(hasher: PasswordHasher) -> str:
    """A hash of these parameters that no password has: random bytes, so that making it costs nothing at the start."""
    salt, made = (b64encode(token_bytes(size)).decode().rstrip("=") for size in (hasher.salt_len, hasher.hash_len))
    return (
        f"$argon2id$v={ARGON2_VERSION}$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}${salt}${made}"
    )


class Passwords:
    def __init__(self, hasher: PasswordHasher | None = None, *, concurrency: int = CONCURRENCY) -> None:
        self._hasher = hasher or PasswordHasher()
        # Threads of our own, not asyncio.to_thread: the bound then holds also when a caller gives up waiting (its
        # hash runs on), and a rush of sign-ins cannot take the threads that others use.
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="password")
        self._nobody = hash_of_nobody(self._hasher)

    async def hash(self, password: str) -> str:
        """The text to store: Argon2id with its parameters and a random salt."""
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, self._hasher.hash, canonical_password(password)
        )

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether `password` belongs to the `stored` hash.

        Without one (no such account, or no password set) the answer is False after the same work, so that the time
        it takes does not tell who has an account.
        """
        matches = await asyncio.get_running_loop().run_in_executor(
            self._threads, self._matches, stored or self._nobody, canonical_password(password)
        )
        return matches and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's, and should be made again."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
