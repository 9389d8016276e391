"""What a person's words are when they are searched for."""

import pytest

from domain.errors import Invalid, Required
from domain.searching import begins, excerpt, folded, highlights, likeness, searched, telling, words_of


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("Perché non funziona più?", "perche non funziona piu?"),
        ("Ёлка мой", "елка мой"),
        ("\u0415\u0308лка мои\u0306", "елка мой"),
        ("Cœur déjà reçu", "coeur deja recu"),
        ("São João não", "sao joao nao"),
        ("CAMERA", "camera"),
        ("Tiếng Việt", "tieng viet"),
        ("naïve co-operate", "naive co-operate"),
    ],
)
def test_text_is_compared_without_case_and_without_the_marks_of_latin_letters(written: str, compared: str) -> None:
    assert folded(written) == compared  # S38


def test_the_words_of_a_text_are_what_stands_between_signs_each_once() -> None:
    assert words_of('"Camera" OR (camera* NOT T-000042) -- не_включается') == (
        *("camera", "or", "not", "t", "000042", "не", "включается"),
    )


def test_of_very_many_or_very_long_words_the_beginning_is_taken() -> None:
    assert words_of(" ".join(f"w{n}" for n in range(40))) == tuple(f"w{n}" for n in range(12))
    assert words_of("x" * 500) == ("x" * 60,)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [("", Required), ("   ", Required), ("x" * 201, Invalid), ("a\x00b", Invalid), ("\ud800", Invalid)],
)
def test_what_cannot_be_searched_for_is_refused(text: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        searched(text)


def test_what_is_just_short_enough_and_what_has_only_signs_is_not_refused() -> None:
    assert searched("x" * 200) == ("x" * 60,)
    assert searched("?!") == ()


def test_words_that_are_said_of_everything_tell_nothing() -> None:  # S21
    assert telling("The camera is not on in the room") == ("camera", "room")
    assert telling("La camera non si accende perché è nera") == ("camera", "accende", "perche", "nera")
    assert telling("Это не работает") == ("работает",)


def test_a_word_is_found_by_its_beginning_but_a_single_letter_only_by_itself() -> None:
    assert begins("camera", ["cam"])
    assert not begins("camera", ["amera"])
    assert begins("t", ["t"])
    assert not begins("ticket", ["t"])


def test_likeness_is_the_share_of_words_found_and_the_title_counts_twice() -> None:  # S21
    wanted = ("camera", "black")

    assert likeness(wanted, "Camera black", "") == 1.0
    assert likeness(wanted, "Camera", "It is black") == 0.75
    assert likeness(wanted, "Other", "The cameras went black") == 0.5
    assert likeness(wanted, "Other", "Nothing") == 0.0
    assert likeness((), "Camera", "") == 0.0


def test_a_highlight_is_escaped_and_marks_what_was_found() -> None:  # S38
    found = highlights(["<b>Perché</b> la camera & l'altra"], ("perche", "cam"))

    assert found == ["&lt;b&gt;<mark>Perché</mark>&lt;/b&gt; la <mark>camera</mark> &amp; l&#x27;altra"]


def test_a_long_text_is_shown_in_pieces_around_its_words() -> None:  # S38
    text = "start " + "lorem ipsum " * 40 + "camera " + "dolor sit " * 40 + "camera end"

    pieces = highlights([text], ("camera",), length=60)

    assert len(pieces) == 2
    assert pieces[0].startswith("… ")
    assert pieces[0].endswith(" …")
    assert pieces[1].endswith("<mark>camera</mark> end")
    assert all(piece.count("<mark>camera</mark>") == 1 for piece in pieces)
    assert len(highlights([text] * 9, ("camera",), most=3)) == 3


def test_single_letters_are_marked_only_where_nothing_longer_is_searched_for() -> None:  # S38
    assert highlights(["T-000042"], ("t", "000042")) == ["T-<mark>000042</mark>"]
    assert highlights(["T-000042"], ("t",)) == ["<mark>T</mark>-000042"]


def test_an_excerpt_is_plain_and_begins_near_what_was_found() -> None:  # S21
    assert excerpt("Short <text>", ("nothing",)) == "Short <text>"
    assert excerpt("a " * 300 + "camera " + "b " * 300, ("camera",), length=40).count("camera") == 1
    assert len(excerpt("x" * 5000, ("camera",), length=40)) == 42
