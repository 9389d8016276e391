"""The content must agree with the extension (S53): what passes for each kind, and what is in disguise."""

import io
import json
import zipfile

import pytest

from domain.attachments import MEDIA_TYPES
from server.sniffing import agrees


def office(*parts: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in parts:
            archive.writestr(part, "<xml/>")
    return made.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)
HAR = json.dumps({"log": {"version": "1.2", "entries": []}}).encode()

GENUINE = {
    "csv": b"name;price\r\nCaf\xc3\xa9;3\r\n",
    "tsv": b"a\tb\n1\t2\n",
    "txt": "Привет, мир".encode(),
    "xlsx": office("[Content_Types].xml", "xl/workbook.xml"),
    "docx": office("[Content_Types].xml", "word/document.xml"),
    "doc": OLE + "WordDocument".encode("utf-16-le") + bytes(64),
    "pdf": b"%PDF-1.7\n1 0 obj",
    "jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(64),
    "png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(64),
    "gif": b"GIF89a" + bytes(64),
    "mp4": b"\x00\x00\x00\x18ftypmp42" + bytes(64),
    "mov": b"\x00\x00\x00\x14ftypqt  " + bytes(64),
    "har": HAR,
}

TEXTS = ("csv", "tsv", "txt")


def test_each_kind_is_known_by_its_content() -> None:  # S53
    assert GENUINE.keys() == MEDIA_TYPES.keys()
    assert [kind for kind, content in GENUINE.items() if not agrees(kind, content)] == []


def test_no_kind_passes_for_another() -> None:  # S53
    passed = {(name, kind) for kind, content in GENUINE.items() for name in GENUINE if agrees(name, content)}

    # Text is text: whether a table stands in it is for its reader to say. A HAR file is text too.
    alike = {(name, kind) for name in TEXTS for kind in (*TEXTS, "har")}
    assert passed == {(kind, kind) for kind in GENUINE} | alike


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><p>hello",
        b"\xef\xbb\xbf \n<html>",
        b"<script>alert(1)</script>",
        b"<SVG/onload=alert(1)>",
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        b"<!-- --><body onload=alert(1)>",
        "<html>".encode("utf-16"),
        b"<img src=x onerror=alert(1)>",
        b"%PDF-1.4 but text",
        b"{\\rtf1\\ansi hello}",
        b"%!PS-Adobe-3.0",
        b"text\x00with a nul",
        b"MZ\x90\x00\x03\x00",
        bytes(range(256)),
        "half".encode("utf-16") + b"\x00",
    ],
)
def test_a_page_a_picture_or_a_program_does_not_pass_for_text(kind: str, content: bytes) -> None:  # S53
    assert not agrees(kind, content)


@pytest.mark.parametrize(
    "content",
    [
        "a;b\r\nÅngström;1\r\n".encode("utf-16"),
        "a;b\r\nCafé;1\r\n".encode("cp1252"),
        b"\xef\xbb\xbfname,price\n",
        b"<13>Jan  5 08:00:00 bar kernel: up\n",
        b"a < b and b > c\n",
        b"\x1b[31mred\x1b[0m\n",
    ],
)
def test_text_of_other_programs_passes(content: bytes) -> None:
    assert agrees("txt", content)
    assert agrees("csv", content)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("docx", office("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin")),
        ("docx", office("word/document.xml")),
        ("docx", office("readme.txt")),
        ("docx", b"PK\x03\x04" + bytes(64)),
        ("docx", b"<html>" + GENUINE["docx"]),
        ("xlsx", GENUINE["docx"]),
        ("doc", OLE),
        ("har", b"[]"),
        ("har", b'{"log": []}'),
        ("har", b'{"log": {"entries": {}}}'),
        ("har", b"[" * 200_000),
        ("pdf", b" %PDF-1.7"),
        ("png", b"\x89PNG\r\n\x1a\x00"),
        ("gif", b"GIF88a"),
        ("mp4", b"\x00\x00\x00\x18ftypheic" + bytes(64)),
        ("mov", GENUINE["mp4"]),
        ("exe", GENUINE["txt"]),
    ],
)
def test_what_only_looks_like_its_kind_is_refused(kind: str, content: bytes) -> None:  # S53
    assert not agrees(kind, content)


def test_nothing_makes_the_check_fail_with_anything_but_no() -> None:
    """A file that is cut anywhere is refused or taken; it does not break the server."""
    for kind, content in GENUINE.items():
        for end in range(0, min(len(content), 400), 7):
            assert agrees(kind, content[:end]) in (True, False)
