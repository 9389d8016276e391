"""A cursor is opaque text: what we wrote is read back, anything else is refused as the client's mistake."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from realtime.cursor import Cursor


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@given(epoch=st.from_regex(r"[0-9a-f]{8}", fullmatch=True), seq=st.integers(0, 10**18 - 1))
def test_a_cursor_is_read_back_from_its_text(epoch: str, seq: int) -> None:
    cursor = Cursor(epoch, seq)

    assert Cursor.parse(str(cursor)) == cursor
    assert "=" not in str(cursor)


def test_the_place_before_a_stream_exists_is_a_cursor() -> None:
    assert Cursor.parse(str(Cursor("-", 0))) == Cursor("-", 0)
    assert str(Cursor("0123abcd", 7)) == "MDEyM2FiY2Q6Nw"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "Incorrect padding",
        "MDEyM2FiY2Q6Nw==",
        "MDEyM2FiY2Q6Nw\n",
        "MDEy M2FiY2Q6Nw",
        "MDEyM2FiY2Q6Nx",
        "é",
        "\0",
        "A" * 10_000,
        encoded("0123abcd:-1"),
        encoded("0123abcd:+1"),
        encoded("0123abcd:01"),
        encoded("0123abcd:1_0"),
        encoded("0123abcd:²"),
        encoded("0123abcd:٣"),
        encoded("0123abcd: 1"),
        encoded("0123abcd:"),
        encoded("0123abcd:1:2"),
        encoded("0123abc:1"),
        encoded("0123abcd:" + "9" * 19),
        encoded("-:1"),
        encoded(":1"),
        base64.urlsafe_b64encode(b"0123abc\xff:1").decode().rstrip("="),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="not one of ours") as refused:
        Cursor.parse(text)

    assert refused.value.extensions == {"code": "INVALID", "field": ["after"]}


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("="))))
def test_no_text_whatever_gives_another_error(text: str) -> None:
    try:
        cursor = Cursor.parse(text)
    except Invalid:
        return
    assert str(cursor) == text
