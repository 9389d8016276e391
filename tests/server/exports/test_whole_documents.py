"""Nothing that was said or done is cut from a document, however long it is (S72)."""

from datetime import datetime
from typing import Any

import pytest

from server.exports.sheet import Sheet
from tests.server.exports.test_drawn_documents import ANN, AT, head, message, pages

LONG = "Анна-Мария Длиннофамильцева-Константинопольская из отдела внедрения"


def told(*items: Any, of: Any = None, **given: Any) -> str:
    """The whole document, with line ends taken for spaces."""
    return " ".join(" ".join(pages(*items, of=of, **given)).split())


def test_every_device_of_a_long_list_is_named_with_its_number() -> None:
    devices = [{"id": str(n), "name": f"Camera {n}", "serialNumber": f"SN-{n:06}"} for n in range(60)]

    found = told(of=head(devices=devices))

    assert [n for n in range(60) if f"Camera {n} (SN-{n:06})" not in found] == []


def test_a_long_file_name_has_a_line_of_its_own_and_who_and_when_another() -> None:
    name = "журнал за весь ноябрь две тысячи двадцать шестого года, с пояснениями и без сокращений.txt"
    file = {"fileName": name, "sizeBytes": 51_200, "uploadedBy": {**ANN, "displayName": LONG}, "createdAt": AT}

    found = told(message("Hello", attachments=[file]))

    assert f"{name} 51.2 kB · {LONG} · Nov 22, 2026, 11:30" in found


def test_a_long_change_is_told_to_its_end_and_a_long_name_too() -> None:
    before, after = "Чёрный экран " * 20, "Нет изображения " * 20
    event = {"type": "FieldChangedEvent", "sequence": 1, "occurredAt": AT, "visibility": "PUBLIC"}
    change = {**event, "actor": ANN, "field": "subject", "oldValue": before, "newValue": after}

    found = told(change, message("Hello", {**ANN, "displayName": LONG}))

    assert f"Subject: {after}(before: {before.strip()}) · Ann" in found
    assert f"{LONG} Hello" in found


def test_a_document_for_support_says_so_in_full_beside_the_longest_name() -> None:  # J7
    of = head(organization={"id": "1", "name": "Очень длинное название организации " * 5}) | {"includesInternal": True}

    for text in pages(*(message("word " * 300) for _ in range(4)), of=of):
        assert "Internal: with notes that are for support staff only" in text


def test_a_request_without_a_description_has_no_heading_for_one() -> None:
    assert ("Description" in told(of=head(description=" \n")), "Description" in told()) == (False, True)


def test_empty_lines_fill_no_page_and_begin_none() -> None:
    found = pages(message("first" + "\n" * 3000 + "last"))
    as_written = pages(message("first" + "\n" * 12_000 + "last"))

    assert (len(found), len(as_written)) == (1, 2)
    assert "first" in as_written[0]
    assert "last" in as_written[1]


@pytest.mark.parametrize(
    ("word", "lines"),
    [
        ("Длиннофамильцев-Константинопольский", ["Длиннофамильцев-", "Константинопольский"]),
        ("https://help.example/camera/reset", ["https://help.example/", "camera/reset"]),
        ("W" * 14, ["W" * 13, "W"]),
        ("a-" + "W" * 13, ["a-" + "W" * 12, "W"]),
    ],
)
def test_a_long_word_is_broken_at_a_joint_where_it_has_one(word: str, lines: list[str], sheet: Sheet) -> None:
    assert sheet.broken(word, size=10, width=110) == lines


@pytest.fixture
def sheet() -> Sheet:
    return Sheet(title="T-1", language="en", made_at=datetime.fromisoformat(AT))
