"""Reading a file: lines, encodings, what is no record, and memory."""

import tracemalloc
from pathlib import Path
from uuid import uuid4

import pytest

from server.importers import ImportRefused
from server.importers.column_map import read_column_map
from server.importers.records import Record, Unreadable, count_records, open_records
from server.importers.rows import RowReader
from tests.server.importers.files import OPEN, example_map, write_csv

SMALL_MAP = read_column_map(
    {
        "source": {"name": "old desk"},
        "columns": {"key": "No", "subject": "Subject", "description": "Text", "status": "State"},
    }
)
HEADER = "No,Subject,Text,State\n"


def records_of(path: Path, text: str) -> list[Record | Unreadable]:
    path.write_text(text, newline="")
    file, records = open_records(path, SMALL_MAP)
    with file:
        found = records.take(100)
    assert count_records(path, SMALL_MAP) == len(found)
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tickets.csv"


def test_a_record_is_told_by_the_line_it_begins_on(path: Path) -> None:
    found = records_of(path, HEADER + '1,One,"first\nsecond\r\nthird",OPEN\n\n2,Two,Text,OPEN')

    assert found == [
        Record(2, {"No": "1", "Subject": "One", "Text": "first\nsecond\r\nthird", "State": "OPEN"}),
        Record(6, {"No": "2", "Subject": "Two", "Text": "Text", "State": "OPEN"}),
    ]


def test_what_is_no_record_is_told_and_the_next_one_is_read(path: Path) -> None:
    found = records_of(path, HEADER + '1,One,"a"b,OPEN\n2,Two,OPEN\n3,Three,Text,OPEN\n')

    assert found == [
        Unreadable(2, "not readable as CSV: ',' expected after '\"'"),
        Unreadable(3, "has 3 cells where the header has 4"),
        Record(4, {"No": "3", "Subject": "Three", "Text": "Text", "State": "OPEN"}),
    ]


def test_a_file_that_was_cut_off_inside_a_cell_is_told(path: Path) -> None:
    assert records_of(path, HEADER + '1,One,"first\nsec') == [
        Unreadable(2, "not readable as CSV: unexpected end of data")
    ]


def test_a_byte_order_mark_belongs_to_no_column(path: Path) -> None:
    write_csv(path, [OPEN], encoding="utf-8-sig")

    assert count_records(path, example_map()) == 1


def test_another_encoding_is_refused_before_anything_is_read(path: Path) -> None:
    path.write_bytes((HEADER + "1,One,Caf\xe9,OPEN\n").encode("latin-1"))

    with pytest.raises(ImportRefused, match="not all of it is utf-8-sig"):
        count_records(path, SMALL_MAP)


def test_an_empty_file_has_no_columns(path: Path) -> None:
    path.write_text("")

    with pytest.raises(ImportRefused, match=r'columns\.key: the file has no column "No"'):
        count_records(path, SMALL_MAP)


def test_ten_times_the_records_take_no_more_memory(path: Path) -> None:
    def peak(count: int) -> int:
        long = OPEN | {"Ticket Description": "All of it. " * 100}
        write_csv(path, (long | {"Ticket ID": str(n)} for n in range(count)))
        reader = RowReader(example_map(), uuid4())
        tracemalloc.start()
        assert count_records(path, example_map()) == count
        file, records = open_records(path, example_map())
        with file:
            while batch := records.take(200):
                assert all(isinstance(each, Record) and reader.ticket(each.values) for each in batch)
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    small, large = peak(1_000), peak(10_000)

    assert path.stat().st_size > 12_000_000
    assert large < small * 1.2
    assert large < 4_000_000
