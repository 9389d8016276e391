"""What is said to whom: texts, values, forms and languages (S42, S40)."""

from datetime import UTC, date, datetime
from unittest import mock

import pytest

import domain.words
from domain.errors import Invalid
from domain.naming import spoken
from domain.policy import Viewer
from domain.words import Text
from domain.words.catalogues import Catalogue
from domain.words.formats import day, instant, number
from domain.words.languages import LOCALES, accepted, language

RUSSIAN = Catalogue(
    {
        (None, "{count} file of {name}"): (
            "{count} файл {name}",
            "{count} файла {name}",
            "{count} файлов {name}",
        ),
        (None, "Open"): ("Открыть",),
        ("status", "Open"): ("Открыто",),
    },
    lambda n: 0 if n % 10 == 1 and n % 100 != 11 else 1 if n % 10 in (2, 3, 4) and n % 100 not in (12, 13, 14) else 2,
)
EVENING = datetime(2026, 11, 30, 23, 5, tzinfo=UTC)


def in_russian(text: Text) -> str:
    with mock.patch.object(domain.words, "catalogue", lambda spoken: {"ru": RUSSIAN}[spoken]):
        return text.in_("ru")


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 файлов Ann"),
        (1, "1 файл Ann"),
        (3, "3 файла Ann"),
        (12, "12 файлов Ann"),
        (21, "21 файл Ann"),
        (1500, "1\xa0500 файлов Ann"),
    ],
)
def test_russian_has_three_forms_of_a_number(count: int, said: str) -> None:  # S42
    assert (
        in_russian(Text.counted("{count} file of {name}", "{count} files of {name}", count=count, name="Ann")) == said
    )


def test_one_english_word_can_be_two_words_elsewhere() -> None:  # S42
    assert in_russian(Text("Open")) == "Открыть"
    assert in_russian(Text("Open", context="status")) == "Открыто"


def test_what_is_not_translated_is_said_in_english() -> None:  # S42
    assert in_russian(Text("Close")) == "Close"
    assert Text("Open").in_("de") == "Open"


def test_english_needs_no_catalogue() -> None:
    with mock.patch.object(domain.words, "catalogue", side_effect=AssertionError):
        assert Text.counted("{count} file", "{count} files", count=1).in_("en") == "1 file"
        assert str(Text.counted("{count} file", "{count} files", count=2)) == "2 files"


def test_a_value_is_written_as_the_language_writes_it() -> None:  # S40
    text = Text(
        "{n} {day} {at} {inner} {name}", n=12345, day=date(2026, 11, 22), at=EVENING, inner=Text("Open"), name="{x}"
    )

    assert text.in_("en") == "12,345 November 22, 2026 November 30, 2026, 11:05\u202fPM (UTC) Open {x}"
    assert in_russian(text) == "12\xa0345 22 ноября 2026 года 30 ноября 2026 года, 23:05 (UTC) Открыть {x}"


def test_braces_in_a_text_without_values_are_only_braces() -> None:
    assert str(Text("Give {id}.")) == "Give {id}."


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        (None, "30 novembre 2026, 23:05 (UTC)"),
        ("Europe/Rome", "1 dicembre 2026, 00:05 (CET)"),
        ("America/Sao_Paulo", "30 novembre 2026, 20:05 (UTC-03)"),
        ("No/Where", "30 novembre 2026, 23:05 (UTC)"),
        ("../etc/passwd", "30 novembre 2026, 23:05 (UTC)"),
    ],
)
def test_an_instant_is_told_by_the_clock_of_the_readers_zone(zone: str | None, said: str) -> None:  # S40
    assert instant(EVENING, "it", zone) == said


def test_summer_has_its_own_time() -> None:  # S40
    assert instant(datetime(2026, 7, 1, 10, 0, tzinfo=UTC), "fr", "Europe/Paris") == "1 juillet 2026, 12:00 (CEST)"


def test_days_and_numbers_are_written_in_every_language() -> None:  # S40
    assert {each: day(date(2026, 3, 1), each) for each in LOCALES} == {
        "en": "March 1, 2026",
        "fr": "1 mars 2026",
        "it": "1 marzo 2026",
        "pt": "1 de março de 2026",
        "ru": "1 марта 2026 года",
    }
    assert {each: number(-64000, each) for each in LOCALES} == {
        "en": "-64,000",
        "fr": "-64\u202f000",
        "it": "-64.000",
        "pt": "-64\xa0000",
        "ru": "-64\xa0000",
    }


@pytest.mark.parametrize(
    ("tag", "found"),
    [
        ("it", "it"),
        ("it-CH", "it"),
        ("pt-BR", "pt"),
        ("RU", "ru"),
        ("en-GB", "en"),
        ("de", None),
        ("ita", None),
        ("", None),
        (None, None),
    ],
)
def test_a_tag_comes_to_a_shipped_language_or_to_none(tag: str | None, found: str | None) -> None:  # S42
    assert language(tag) == found


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("ru", "ru"),
        ("it-CH, fr;q=0.9, en;q=0.8", "it"),
        ("de-AT, de;q=0.9, fr;q=0.5, en;q=0.7", "en"),
        ("de", None),
        ("*", None),
        ("fr;q=0, it;q=0.1", "it"),
        ("it, fr", "it"),
        ("fr ; q = 0.3 , it ;q=0.4", "it"),
        ("ru;q=nonsense", "ru"),
        (",;,=", None),
        ("de," * 100 + "ru", None),
        ("", None),
    ],
)
def test_a_browser_wishes_for_languages(header: str, found: str | None) -> None:  # S42
    assert accepted(header) == found


def test_a_viewer_is_spoken_to_in_the_chosen_language_before_the_accepted_one() -> None:  # S42
    assert Viewer(locale="it-CH").accepting("ru", "fr").language == "it"
    assert Viewer(locale="de").accepting("ru", "fr").language == "ru"
    assert Viewer().accepting("de", "fr").language == "fr"
    assert Viewer().accepting(None, "fr").language == "fr"
    assert Viewer().language == "en"


def test_an_argument_asks_for_another_language() -> None:  # S42
    assert spoken("ru", "it") == "ru"
    assert spoken("pt-BR", "it") == "pt"
    assert spoken("de", "it") == "it"
    assert spoken(None, "it") == "it"


@pytest.mark.parametrize("tag", ["", "?", "русский", "en_GB", "en-", "x" * 20, "en\n", "a"])
def test_what_is_no_language_tag_is_refused_and_the_shipped_ones_are_named(tag: str) -> None:  # S42
    with pytest.raises(Invalid) as refusal:
        spoken(tag, "it")

    assert refusal.value.message == "A language is written like en or pt-BR. Texts are there in: en, fr, it, pt, ru."
    assert refusal.value.extensions == {"code": "INVALID", "field": ["locale"]}
