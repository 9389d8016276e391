"""A place in a stream, as clients keep it."""

import base64
import binascii
import re
from typing import NamedTuple, Self

from domain.errors import Invalid

NO_EPOCH = "-"
"""The epoch of a stream that does not exist yet; its only place is 0, before the first event."""

NO_SUCH_EPOCH = "ZZZZZZZZ"
"""The epoch of no stream: a place in it cannot be resumed. Those of streams are hexadecimal."""

_PLACE = re.compile(r"(-):(0)|([0-9A-Za-z]{8}):(0|[1-9][0-9]{0,17})", re.ASCII)
_LONGEST = 64


class Cursor(NamedTuple):
    """After event `seq` of the stream while it counts in `epoch`. Numbers of another epoch mean other events."""

    epoch: str
    seq: int

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(f"{self.epoch}:{self.seq}".encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises: Invalid, for anything that `str()` of a cursor never wrote."""
        try:
            if len(text) > _LONGEST:
                raise ValueError("too long")
            # `altchars` and `validate` refuse what the plain decoder would skip over.
            place = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
        except (binascii.Error, ValueError):
            place = ""
        match = _PLACE.fullmatch(place)
        cursor = match and cls(match[1] or match[3], int(match[2] or match[4]))
        if not cursor or str(cursor) != text:
            raise Invalid("This cursor is not one of ours. Load the page again and use its cursor.", field=("after",))
        return cursor
