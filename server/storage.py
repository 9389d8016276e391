"""Where the bytes of attachments and of what was exported are: a folder, or a bucket of an S3-compatible store."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import parse_qsl, urlsplit

import obstore
from obstore.store import LocalStore, ObjectStore, S3Store

from server.settings import Settings

FOLDER = "attachments"
OF_A_BUCKET = frozenset({"endpoint", "region"})
"""What the address of a bucket may say after its question mark."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Blobs by key. What is put is there whole or not at all."""

    store: ObjectStore

    async def put(self, key: str, content: bytes) -> None:
        await obstore.put_async(self.store, key, content, use_multipart=False)

    async def put_file(self, key: str, content: IO[bytes]) -> None:
        """From its place on to its end, in pieces: however large it is, little of it is held."""
        await obstore.put_async(self.store, key, content)

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """The blob in pieces.

        Raises:
            FileNotFoundError: there is none.
        """
        found = await obstore.get_async(self.store, key)

        async def pieces() -> AsyncIterator[bytes]:
            async for piece in found.stream(min_chunk_size=64 * 1024):
                yield bytes(piece)

        return pieces()

    async def delete(self, key: str) -> None:
        """It is gone afterwards, whether or not it was there."""
        with contextlib.suppress(FileNotFoundError):
            await obstore.delete_async(self.store, key)


def storage_from(settings: Settings) -> Storage:
    """Credentials of a bucket are those of the environment: `AWS_ACCESS_KEY_ID` and so on."""
    if settings.attachments_url is None:
        return Storage(LocalStore(prefix=(settings.data_dir / FOLDER).absolute(), mkdir=True))
    parts = urlsplit(settings.attachments_url)
    given: Any = {name: value for name, value in parse_qsl(parts.query) if name in OF_A_BUCKET}
    plain = given.get("endpoint", "").startswith("http://")
    prefix = parts.path.strip("/") or None
    client: Any = {"allow_http": True} if plain else {}
    return Storage(S3Store(parts.netloc, prefix=prefix, client_options=client, **given))
