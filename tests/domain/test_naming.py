"""What may stand in a name, a subject or a text, at both sides of every limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import DomainError, Invalid, Required
from domain.naming import SUBJECT_LIMIT, TEXT_LIMIT, email, escalation_reference, line, text, ticket_reference

UNSTORABLE = ["a\x00b", "\x00", "a\ud800", "\udfffb", "a\x08", "a\x0bb", "a\x0cb", "\x1f.", "a\x7fb"]
BLANK = ["", " ", "\t\n ", "\u3000", "\xa0\u2028"]


@pytest.mark.parametrize("given", BLANK)
def test_nothing_but_space_is_nothing(given: str) -> None:
    for check in (line, text):
        with pytest.raises(Required) as refusal:
            check(given, field="subject")
        assert refusal.value.extensions == {"code": "REQUIRED", "field": ["subject"]}


@pytest.mark.parametrize("given", UNSTORABLE)
def test_what_no_store_can_keep_is_refused(given: str) -> None:
    for check in (line, text):
        with pytest.raises(Invalid) as refusal:
            check(given, field="subject")
        assert refusal.value.extensions == {"code": "INVALID", "field": ["subject"]}


def test_a_line_has_at_most_300_characters() -> None:
    assert SUBJECT_LIMIT == 300
    assert line("é" * 300, field="subject") == "é" * 300
    with pytest.raises(Invalid, match="At most 300 characters; this has 301"):
        line("é" * 301, field="subject")


def test_a_text_has_at_most_64_000_characters() -> None:
    assert TEXT_LIMIT == 64_000
    assert text("🙂" * 64_000, field="body") == "🙂" * 64_000
    with pytest.raises(Invalid, match="At most 64,000 characters; this has 64,001"):
        text("🙂" * 64_001, field="body")


def test_a_limit_of_ones_own_counts() -> None:
    assert line("abc", field="key", limit=3) == "abc"
    with pytest.raises(Invalid):
        line("abcd", field="key", limit=3)


def test_a_line_is_folded_into_one() -> None:
    assert line("  The\tcamera \r\n stays\u2003black ", field="subject") == "The camera stays black"


def test_a_text_keeps_its_lines_and_spaces() -> None:
    assert text("  one\r\ntwo\rthree\n\n\tfour ", field="body") == "  one\ntwo\nthree\n\n\tfour "


@given(st.text(alphabet=st.characters(), max_size=400))
def test_whatever_a_line_lets_through_can_be_stored_on_one_line(given: str) -> None:
    """And so can what a text lets through, on several."""
    for check in (line, text):
        try:
            kept = check(given, field="subject")
        except DomainError:
            continue
        kept.encode()
        assert "\x00" not in kept
        assert kept.strip()
        assert check(kept, field="subject") == kept
        if check is line:
            assert len(kept.splitlines()) == 1


@pytest.mark.parametrize(
    ("given", "kept"), [("Ann@Example.COM ", "ann@example.com"), ("a.b+c@x-y.co.uk", "a.b+c@x-y.co.uk")]
)
def test_an_address_is_compared_in_lower_case(given: str, kept: str) -> None:
    assert email(given) == kept


@pytest.mark.parametrize(
    "given", ["", "ann", "ann@", "@example.com", "ann@example", "a b@example.com", "a@b@c.de", f"{'a' * 65}@b.de"]
)
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(Invalid) as refusal:
        email(given)
    assert refusal.value.field == ("email",)


@pytest.mark.parametrize("given", ["a\x00b@example.com", "a\ud800@example.com", "a@exa\x00mple.com"])
def test_an_address_that_no_store_can_keep_is_refused(given: str) -> None:
    with pytest.raises(Invalid):
        email(given)


def test_references_are_what_people_quote() -> None:  # S25, S75
    assert [ticket_reference(n) for n in (1, 42, 999_999, 1_000_000)] == [
        "T-000001",
        "T-000042",
        "T-999999",
        "T-1000000",
    ]
    assert [escalation_reference(n) for n in (1, 99_999, 100_000)] == ["CP-00001", "CP-99999", "CP-100000"]
