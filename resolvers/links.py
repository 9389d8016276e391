"""Addresses that carry their own permission: signed, for one file, and for a while."""

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from urllib.parse import urlencode
from uuid import UUID

PATH = "/attachments/{}/content"
RESULT_PATH = "/jobs/{}/result"
PUT, GET, RESULT = "put", "get", "result"


@dataclass(frozen=True, slots=True)
class FileLinks:
    """Makes and checks them. `base_url` is where clients reach this server, without a slash at its end."""

    base_url: str = "http://127.0.0.1:8000"
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def upload(self, attachment_id: UUID, viewer_id: UUID, expires_at: datetime) -> str:
        return self._link(PATH, PUT, attachment_id, viewer_id, expires_at)

    def download(self, attachment_id: UUID, viewer_id: UUID, expires_at: datetime) -> str:
        return self._link(PATH, GET, attachment_id, viewer_id, expires_at)

    def result(self, job_id: UUID, viewer_id: UUID, expires_at: datetime) -> str:
        """Of what a job has made."""
        return self._link(RESULT_PATH, RESULT, job_id, viewer_id, expires_at)

    def holds(self, action: str, key: UUID, viewer_id: UUID, expires: int, signature: str) -> bool:
        """Whether this server signed exactly that. Whether it has expired is for the caller to ask."""
        wanted = self._signature(action, key, viewer_id, expires)
        return hmac.compare_digest(wanted.encode(), signature.encode(errors="replace"))

    def _link(self, path: str, action: str, key: UUID, viewer_id: UUID, expires_at: datetime) -> str:
        expires = int(expires_at.timestamp())
        signature = self._signature(action, key, viewer_id, expires)
        query = urlencode({"viewer": str(viewer_id), "expires": expires, "signature": signature})
        return f"{self.base_url}{path.format(key)}?{query}"

    def _signature(self, action: str, key: UUID, viewer_id: UUID, expires: int) -> str:
        said = f"{action}\n{key}\n{viewer_id}\n{expires}"
        return hmac.digest(self.key, said.encode(), sha256).hex()
