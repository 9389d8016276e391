"""What a column map may say, and how it tells what is wrong with it."""

from pathlib import Path
from typing import Any

import pytest

from domain.enums import TicketStatus
from server.importers import ImportRefused, load_column_map
from server.importers.column_map import read_column_map
from tests.server.importers.files import COLUMNS, example_map

LEAST = {
    "source": {"name": "old desk"},
    "columns": {"key": "No", "subject": "Subject", "description": "Text", "status": "State"},
}


def problems_of(given: dict[str, Any]) -> list[str]:
    with pytest.raises(ImportRefused) as refused:
        read_column_map(given)
    return refused.value.problems


def test_the_example_names_every_column_of_the_data_set() -> None:
    example_map().check_header(COLUMNS)

    assert example_map().values.status["Pending Customer Response"] is TicketStatus.PENDING_CUSTOMER


def test_a_setting_that_does_not_exist_is_named() -> None:
    assert problems_of(LEAST | {"columns": LEAST["columns"] | {"prioritty": "Prio"}}) == [
        "columns.prioritty: the map knows no such setting"
    ]


def test_a_column_that_must_be_named_is_asked_for() -> None:
    assert problems_of({"source": {"name": "old desk"}, "columns": {"key": "No", "subject": "S", "status": "X"}}) == [
        "columns.description: missing"
    ]


def test_a_value_that_means_nothing_here_is_named_with_what_would() -> None:
    assert problems_of(LEAST | {"values": {"status": {"Open": "OPENED"}}}) == [
        'values.status."Open": there is no status OPENED; '
        "expected one of NEW, OPEN, PENDING_CUSTOMER, ON_HOLD, RESOLVED, CLOSED"
    ]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"times": {"zone": "Mars/Base"}}, "times.zone: there is no time zone 'Mars/Base'"),
        ({"source": {"name": "x", "encoding": "utf-9"}}, "source.encoding: there is no encoding 'utf-9'"),
    ],
)
def test_an_unknown_zone_or_encoding_is_named(given: dict[str, Any], problem: str) -> None:
    assert problems_of(LEAST | given) == [problem]


def test_all_problems_with_a_header_are_told_at_once() -> None:
    column_map = read_column_map(LEAST | {"note": ["Serial"]})

    with pytest.raises(ImportRefused) as refused:
        column_map.check_header(["No", "Subject", "State", "State", "Mood"])

    assert refused.value.problems == [
        'columns.description: the file has no column "Text"',
        'note: the file has no column "Serial"',
        'the map says nothing about the column "Mood": name it in [columns], or list it in `note` or `ignore`',
        'the file has the column "State" twice',
    ]


def test_a_file_that_is_no_toml_or_is_not_there_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "map.toml"
    broken.write_text("[source\n")

    with pytest.raises(ImportRefused, match=r"map\.toml: Expected"):
        load_column_map(broken)
    with pytest.raises(ImportRefused, match="No such file"):
        load_column_map(tmp_path / "none.toml")
