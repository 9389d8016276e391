"""What may be attached: how many files, how large, of which kinds."""

import re
from dataclasses import dataclass

from domain.errors import FileTooLarge, FileTypeNotAllowed, Invalid, TooManyFiles
from domain.naming import line

MOST_FILES = 5
"""Files of one message."""

MOST_BYTES = 512_000
"""Bytes of one file: 500 KB."""

MEDIA_TYPES = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "jpg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "har": "application/json",
}
"""The kinds that are taken, by extension. Source: S53."""

LONGEST_NAME = 255
_MISLEADING = re.compile("[/\\\\\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What makes a name a path, or lets it read backwards: `xcod.exe` can be made to look like `exe.docx`."""

_CHECKSUM = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class AttachmentPolicy:
    """The limits, as they are told to clients."""

    max_files_per_message: int = MOST_FILES
    max_file_size_bytes: int = MOST_BYTES
    allowed_extensions: tuple[str, ...] = tuple(MEDIA_TYPES)


def file_name(given: str) -> str:
    """A file's name as it is kept.

    Raises:
        Required, Invalid: not a name, longer than 255 characters, a path, or one that reads backwards.
        FileTypeNotAllowed: it ends in none of the 13 extensions (S53).
    """
    name = line(given, field="fileName", limit=LONGEST_NAME)
    if _MISLEADING.search(name):
        raise Invalid("Give the plain name of the file, without folders.", field=("fileName",))
    if extension_of(name) not in MEDIA_TYPES:
        raise FileTypeNotAllowed("Files of these kinds can be attached: {kinds}.", field=("fileName",), kinds=_kinds())
    return name


def extension_of(name: str) -> str:
    """What stands after the last dot, in lower case; nothing where there is no name before it."""
    stem, _, extension = name.rpartition(".")
    return extension.lower() if stem else ""


def media_type_of(name: str) -> str:
    """What a file of this name is handed out as; the name has been through `file_name`."""
    return MEDIA_TYPES[extension_of(name)]


def check_size(size_bytes: int) -> None:
    """
    Raises:
        Invalid: an empty file.
        FileTooLarge: more than 512,000 bytes (S53).
    """
    if size_bytes < 1:
        raise Invalid("This file is empty.", field=("sizeBytes",))
    if size_bytes > MOST_BYTES:
        raise FileTooLarge(
            "A file has at most {limit} bytes; this has {size}. Make it smaller, or cut it.",
            limit=MOST_BYTES,
            size=size_bytes,
            field=("sizeBytes",),
        )


def check_count(files: int, *, field: tuple[str, ...] = ("attachmentIds",)) -> None:
    """
    Raises:
        TooManyFiles: more than 5 (S53).
    """
    if files > MOST_FILES:
        raise TooManyFiles(
            "At most {limit} files at a time; these are {files}. Send the rest in another message.",
            field=field,
            limit=MOST_FILES,
            files=files,
        )


def checksum(given: str) -> str:
    """A SHA-256 in hexadecimal, in lower case.

    Raises:
        Invalid: it is none.
    """
    found = given.lower()
    if not _CHECKSUM.fullmatch(found):
        raise Invalid("A checksum is the SHA-256 of the file: 64 hexadecimal digits.", field=("checksum",))
    return found


def not_what_it_says(name: str) -> FileTypeNotAllowed:
    """The refusal of bytes that are not what the file's name says they are."""
    return FileTypeNotAllowed(
        "The content of this file is not that of a .{extension} file. Save it as one of: {kinds}.",
        extension=extension_of(name),
        kinds=_kinds(),
        field=("fileName",),
    )


def _kinds() -> str:
    return ", ".join(each.upper() for each in MEDIA_TYPES)
