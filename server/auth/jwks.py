"""The public keys of an outside identity provider: fetched, kept for a while, fetched again for an unknown name."""

import asyncio
import json
import urllib.request
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from http.client import HTTPException, HTTPMessage
from typing import IO, Any

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, RSAKey

from server.auth.jwt import Clock, utc_now
from server.setting_kinds import is_safe_to_fetch

log = structlog.get_logger(__name__)

FRESH_FOR = timedelta(minutes=10)
"""A key that the provider withdrew is trusted for this long at most, while its address answers."""

STALE_FOR = timedelta(hours=24)
"""And this long while it does not: an outage there must not sign everybody out here."""

RETRY_AFTER = timedelta(seconds=30)
"""Least time between two fetches: tokens with made-up key names must not become requests to the provider."""

TIMEOUT_SECONDS = 5
MAX_BYTES = 256 * 1024
MIN_RSA_BITS = 2048

Fetch = Callable[[str], bytes]
"""Takes an address, blocks, and returns the body. Raises OSError, HTTPException or ValueError."""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """An address that was checked must not lead to one that was not."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


def fetch(url: str) -> bytes:
    """The body at `url`, `MAX_BYTES` at most; blocks.

    Raises:
        OSError, HTTPException: there is no good answer in time (a redirect is none).
        ValueError: the address is not safe, or the body too large.
    """
    if not is_safe_to_fetch(url):
        raise ValueError("the address is neither https nor on this machine")
    opener = urllib.request.build_opener(NoRedirect)
    request = urllib.request.Request(url, headers={"Accept": "application/json", "User-Agent": "casewire"})
    with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
        body: bytes = response.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise ValueError(f"the key set is larger than {MAX_BYTES} bytes")
    return body


def usable_keys(body: bytes) -> dict[str, Key]:
    """The keys of a JWK set by `kid`: those that can sign with one of our algorithms. Others are left out.

    Raises:
        ValueError: it is not a JWK set.
    """
    try:
        entries = json.loads(body)["keys"]
        return {entry["kid"]: key for entry in list(entries) if (key := usable_key(entry))}
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("not a JWK set") from error


def usable_key(entry: Any) -> Key | None:
    """A public signing key with a name: RSA from 2048 bits, P-256 or Ed25519. Symmetric ones have no place here."""
    if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str) or entry.get("use", "sig") != "sig":
        return None
    match entry:
        case {"kty": "RSA"} | {"kty": "EC", "crv": "P-256"} | {"kty": "OKP", "crv": "Ed25519"}:
            try:
                key = JWKRegistry.import_key(entry)
            except (JoseError, ValueError, TypeError):
                return None
        case _:
            return None
    if isinstance(key, RSAKey) and key.raw_value.key_size < MIN_RSA_BITS:
        return None
    return key


class KeySource:
    """The keys behind one address. One fetch at a time, shared by all who wait for it."""

    def __init__(self, url: str, *, fetch: Fetch = fetch, now: Clock = utc_now) -> None:
        self._url = url
        self._fetch = fetch
        self._now = now
        self._keys: Mapping[str, Key] = {}
        self._fetched_at: datetime | None = None
        self._attempted_at: datetime | None = None
        self._fetching: asyncio.Task[None] | None = None

    async def get(self, kid: str) -> Key | None:
        """The key of that name, if the provider has published one."""
        if kid not in self._keys or self._age() >= FRESH_FOR:
            await self._refresh()
        return self._keys.get(kid) if self._age() < STALE_FOR else None

    def _age(self) -> timedelta:
        return self._now() - self._fetched_at if self._fetched_at else timedelta.max

    async def _refresh(self) -> None:
        if self._fetching is None:
            now = self._now()
            if self._attempted_at is not None and now - self._attempted_at < RETRY_AFTER:
                return
            self._attempted_at = now
            self._fetching = asyncio.create_task(self._load())
        await asyncio.shield(self._fetching)  # one waiter that gives up must not stop the others

    async def _load(self) -> None:
        try:
            async with asyncio.timeout(2 * TIMEOUT_SECONDS):  # the fetch's own timeout is for each read, not the whole
                body = await asyncio.to_thread(self._fetch, self._url)
            self._keys = usable_keys(body)
            self._fetched_at = self._now()
        except (OSError, HTTPException, ValueError) as error:
            log.warning("jwks_fetch_failed", url=self._url, error=repr(error))
        finally:
            self._fetching = None
