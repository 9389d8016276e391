"""The languages that are shipped, and which of them a tag or a browser's wish comes to."""

import re
from functools import lru_cache

SOURCE = "en"
"""What the texts in the code are written in: it needs no catalogue."""

LOCALES = (SOURCE, "fr", "it", "pt", "ru")
"""Every language that people are spoken to in, as the server tells its clients."""

LONGEST_HEADER = 200
"""Characters of an `Accept-Language` that are looked at."""

_QUALITY = re.compile(r"q\s*=\s*([01](?:\.\d{0,3})?)", re.IGNORECASE)


def language(tag: str | None) -> str | None:
    """The shipped language of a tag: `it` for `it-CH`; None where there is none."""
    if not tag:
        return None
    found = tag.partition("-")[0].lower()
    return found if found in LOCALES else None


@lru_cache(maxsize=500)
def accepted(header: str) -> str | None:
    """The shipped language that an `Accept-Language` likes best; None where it likes none of them.

    The order counts between those that are liked alike, `q=0` excludes, and `*` is no wish for one of them.
    """
    best, liked = None, 0.0
    for part in header[:LONGEST_HEADER].split(","):
        tag, _, parameters = part.partition(";")
        found = language(tag.strip())
        quality = _QUALITY.search(parameters)
        wish = float(quality[1]) if quality else 1.0
        if found is not None and wish > liked:
            best, liked = found, wish
    return best
