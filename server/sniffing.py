"""Whether a file's bytes are what its name says: by their first bytes, their structure, or as plain text."""

import io
import re
import zipfile
from collections.abc import Callable

import filetype
import orjson

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
WORD_STREAM = "WordDocument".encode("utf-16-le")
"""The stream that makes a compound file a Word document; spreadsheets and installers are compound files too."""

MP4_BRANDS = frozenset(
    {
        b"isom",
        b"iso2",
        b"iso4",
        b"iso5",
        b"iso6",
        b"mp41",
        b"mp42",
        b"avc1",
        b"dash",
        b"M4V ",
        b"MSNV",
        b"3gp4",
        b"3gp5",
    }
)
OLD_MOVIE_BOXES = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
"""How QuickTime files begin that are older than the `ftyp` box."""

MOST_ENTRIES = 5_000
"""Entries of an office document; more is no document."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_MARKUP = re.compile(
    r"<(?:!doctype|!--|\?xml|html|head|title|body|script|style|iframe|svg|div|font|table|meta|link|img|form|object|embed"
    r"|h1|br|[abp])(?:[\s>/-]|$)",
    re.IGNORECASE,
)
"""How a page or picture in markup begins: what a browser would take for one (WHATWG MIME Sniffing, 7.1)."""


def agrees(extension: str, content: bytes) -> bool:
    """Whether `content` is of the kind that `extension` (in lower case) names; no for every unknown extension."""
    check = _CHECKS.get(extension)
    return check is not None and check(content)


def _begins(*signatures: bytes) -> Callable[[bytes], bool]:
    def check(content: bytes) -> bool:
        return content.startswith(signatures)

    return check


def _is_office(folder: str) -> Callable[[bytes], bool]:
    """A zip whose parts are those of that program, without macros; nothing is unpacked."""

    def check(content: bytes) -> bool:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                names = archive.namelist()
        except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError, OSError):
            return False
        return (
            content.startswith(b"PK\x03\x04")
            and len(names) <= MOST_ENTRIES
            and "[Content_Types].xml" in names
            and any(name.startswith(folder) for name in names)
            and not any(name.endswith("vbaProject.bin") for name in names)
        )

    return check


def _is_word(content: bytes) -> bool:
    return content.startswith(OLE) and WORD_STREAM in content


def _is_mp4(content: bytes) -> bool:
    return content[4:8] == b"ftyp" and content[8:12] in MP4_BRANDS


def _is_movie(content: bytes) -> bool:
    return (content[4:8] == b"ftyp" and content[8:12] == b"qt  ") or content[4:8] in OLD_MOVIE_BOXES


def _is_text(content: bytes) -> bool:
    """Characters and line ends only, no other kind of file that is written so (RTF, PostScript), and nothing that a
    browser would take for a page."""
    text = _decoded(content)
    if text is None or _CONTROL.search(text) or filetype.guess(content[:8192]) is not None:
        return False
    return not _MARKUP.match(text.lstrip("\ufeff \t\r\n\f"))


def _decoded(content: bytes) -> str | None:
    """As UTF-8, as UTF-16 where its mark says so, or as what Windows programs of the West write."""
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if marked else ("utf-8", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _is_har(content: bytes) -> bool:
    """A recording of a browser's traffic: JSON with a log of entries (HTTP Archive 1.2)."""
    try:
        found = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return False
    log = found.get("log") if isinstance(found, dict) else None
    return isinstance(log, dict) and isinstance(log.get("entries"), list)


_CHECKS: dict[str, Callable[[bytes], bool]] = {
    "csv": _is_text,
    "tsv": _is_text,
    "txt": _is_text,
    "xlsx": _is_office("xl/"),
    "docx": _is_office("word/"),
    "doc": _is_word,
    "pdf": _begins(b"%PDF-"),
    "jpg": _begins(b"\xff\xd8\xff"),
    "png": _begins(b"\x89PNG\r\n\x1a\n"),
    "gif": _begins(b"GIF87a", b"GIF89a"),
    "mp4": _is_mp4,
    "mov": _is_movie,
    "har": _is_har,
}
