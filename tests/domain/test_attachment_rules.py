"""What may be attached: the numbers of S53, on both sides of each."""

import pytest

from domain import attachments
from domain.errors import DomainError, FileTooLarge, FileTypeNotAllowed, Invalid, Required, TooManyFiles

S53_KINDS = ["csv", "tsv", "xlsx", "doc", "docx", "pdf", "txt", "jpg", "png", "gif", "mp4", "mov", "har"]


def test_five_files_go_on_a_message_and_a_sixth_does_not() -> None:  # S53
    attachments.check_count(5)

    with pytest.raises(TooManyFiles) as refused:
        attachments.check_count(6)

    assert refused.value.extensions == {"code": "TOO_MANY_FILES", "field": ["attachmentIds"]}


def test_a_file_of_512000_bytes_is_taken_and_one_byte_more_is_not() -> None:  # S53
    attachments.check_size(512_000)

    with pytest.raises(FileTooLarge) as refused:
        attachments.check_size(512_001)

    assert refused.value.extensions == {"code": "FILE_TOO_LARGE", "field": ["sizeBytes"]}


@pytest.mark.parametrize("size", [0, -1, -(2**31)])
def test_a_file_of_nothing_or_less_is_none(size: int) -> None:
    with pytest.raises(Invalid):
        attachments.check_size(size)


def test_thirteen_kinds_are_taken_in_upper_and_lower_case() -> None:  # S53
    assert list(attachments.AttachmentPolicy().allowed_extensions) == S53_KINDS
    assert [attachments.file_name(f"a.{kind}") for kind in S53_KINDS] == [f"a.{kind}" for kind in S53_KINDS]
    assert attachments.file_name("  Plan B.PDF ") == "Plan B.PDF"
    assert attachments.media_type_of("Plan B.PDF") == "application/pdf"


@pytest.mark.parametrize("name", ["a.exe", "a.jpeg", "a.svg", "a.html", "a.docm", "a.pdf.exe", "a.pdf.", "a", ".txt"])
def test_a_fourteenth_kind_is_refused_by_its_own_code(name: str) -> None:  # S53
    with pytest.raises(FileTypeNotAllowed) as refused:
        attachments.file_name(name)

    assert refused.value.code == "FILE_TYPE_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", Required),
        (" ", Required),
        ("x" * 252 + ".txt", Invalid),
        ("../a.txt", Invalid),
        ("..\\a.txt", Invalid),
        ("exe\u202etxt.txt", Invalid),
        ("a\x00.txt", Invalid),
        ("a\ud800.txt", Invalid),
    ],
)
def test_what_is_no_name_of_a_file_is_refused(name: str, error: type[DomainError]) -> None:
    with pytest.raises(error):
        attachments.file_name(name)


def test_a_name_of_255_characters_is_kept() -> None:
    assert attachments.file_name("é" * 251 + ".txt") == "é" * 251 + ".txt"


def test_a_checksum_is_64_hexadecimal_digits() -> None:
    assert attachments.checksum("AB" * 32) == "ab" * 32
    for given in ("", "ab" * 31, "ab" * 33, "xy" * 32, "０" * 64):
        with pytest.raises(Invalid):
            attachments.checksum(given)
