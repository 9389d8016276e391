"""Every text is there in every language, whole and right (S42)."""

import ast
from collections import Counter
from gettext import c2py
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from domain.words.languages import LOCALES
from domain.words.things import THERE_IS_NO
from tests.test_layers import MAY_IMPORT, ROOT, modules, write
from tests.words.catalogues import FOLDER, TRANSLATED, english_of, read, updated
from tests.words.messages import Unreadable, names_in, said_in

PLURAL_RULES = {
    "fr": [(0, 0), (1, 0), (2, 1), (5, 1), (21, 1), (1000, 1)],
    "it": [(0, 1), (1, 0), (2, 1), (5, 1), (21, 1), (1000, 1)],
    "pt": [(0, 1), (1, 0), (2, 1), (5, 1), (21, 1), (1000, 1)],
    "ru": [(0, 2), (1, 0), (2, 1), (5, 2), (11, 2), (12, 2), (21, 0), (22, 1), (111, 2), (1000, 2)],
}
"""Which form belongs to a number."""


@pytest.fixture(params=TRANSLATED)
def language(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def catalogue(language: str) -> Catalog:
    return read(language)


def test_every_shipped_language_but_english_has_its_catalogue() -> None:  # S42
    assert sorted(each.stem for each in FOLDER.glob("*.po")) == sorted(TRANSLATED)
    assert set(LOCALES) == {"en", *TRANSLATED}
    assert PLURAL_RULES.keys() == set(TRANSLATED)


def test_a_catalogue_has_what_the_code_says_and_nothing_else(catalogue: Catalog) -> None:  # S42
    """If it fails: `make words` puts in what is new and takes out what is gone; then translate what it names."""
    new, gone = updated(catalogue, said_in(ROOT))

    assert (new, gone) == ([], [])


def test_everything_is_translated_and_nothing_is_a_guess(catalogue: Catalog) -> None:  # S42
    waiting = [english_of(each) for each in catalogue if each.id and not complete(each.string)]
    guessed = [english_of(each) for each in catalogue if each.id and each.fuzzy]

    assert (waiting, guessed) == ([], [])


def test_a_translation_has_the_values_of_its_english(catalogue: Catalog) -> None:  # S42
    wrong = []
    for message in catalogue:
        if not message.id:
            continue
        plural = not isinstance(message.id, str)
        wanted = Counter(names_in(message.id[-1] if plural else message.id))
        for number, said in enumerate(message.string if plural else [message.string]):
            # Where the first form is for the number one alone, it may write the number out.
            may_leave_out = (
                Counter({"count": 1}) if plural and number == 0 and catalogue.num_plurals == 2 else Counter()
            )
            found = Counter(names_in(said))
            if found not in (wanted, wanted - may_leave_out):
                wrong.append(said)
    assert wrong == []


def test_a_catalogue_has_as_many_plural_forms_as_its_language(language: str, catalogue: Catalog) -> None:  # S42
    form_for = c2py(catalogue.plural_expr)
    counted = [each for each in catalogue if each.id and not isinstance(each.id, str)]

    assert [(number, form_for(number)) for number, _ in PLURAL_RULES[language]] == PLURAL_RULES[language]
    assert {len(each.string) for each in counted} <= {max(form for _, form in PLURAL_RULES[language]) + 1}


def test_a_translation_ends_and_begins_as_its_english(catalogue: Catalog) -> None:
    """A full stop that is missing, or white space at an end, is a slip of the translator."""
    wrong = []
    for message in catalogue:
        if message.id:
            pairs = zip(
                [message.id] if isinstance(message.id, str) else message.id, forms(message.string), strict=False
            )
            wrong += [said for english, said in pairs if ends(english) != ends(said) or said != said.strip()]
    assert wrong == []


def test_what_the_code_says_is_given_the_values_that_it_names() -> None:
    """A text without any values is written down before they are known: `Text.of` gives them. A refusal is not."""
    wrong = [
        each.where
        for each in said_in(ROOT)
        if each.given is not None and {name for form in each.english for name in names_in(form)} != each.given
    ]

    assert wrong == []


def test_everything_that_may_be_missing_has_a_sentence_of_its_own() -> None:
    """`NotFound("ticket")`: its noun is one of `domain.words.things`."""
    calls = (node for package in MAY_IMPORT for _, tree in modules(ROOT, package) for node in ast.walk(tree))
    nouns = {
        call.args[0].value
        for call in calls
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "NotFound" and call.args
        if isinstance(call.args[0], ast.Constant)
    }

    assert nouns - THERE_IS_NO.keys() == set()
    assert "ticket" in nouns


def test_one_english_text_has_one_form() -> None:
    """Counted in one place and plain in another, it would be two messages of one key."""
    forms: dict[tuple[str | None, str], set[tuple[str, ...]]] = {}
    for each in said_in(ROOT):
        forms.setdefault(each.key, set()).add(each.english)

    assert [key for key, found in forms.items() if len(found) > 1] == []


def test_a_text_is_found_however_it_is_written_and_never_put_together(tmp_path: Path) -> None:
    write(
        tmp_path,
        "resolvers/a.py",
        "from domain import words\nfrom domain.words import Text\n\n"
        'A = Text("One" " text.", context="here")\n'
        "def f(n: int) -> Text:\n"
        '    return words.Text.counted("{count} file", "{count} files", count=n, of=Text("Two"))\n',
    )

    found = {(each.context, each.english, each.given) for each in said_in(tmp_path)}

    assert found == {
        ("here", ("One text.",), None),
        (None, ("{count} file", "{count} files"), frozenset({"count", "of"})),
        (None, ("Two",), None),
    }

    write(tmp_path / "other", "domain/b.py", 'from domain.words import Text\nB = Text(f"{1} text")\n')
    with pytest.raises(Unreadable, match=r"domain/b.py:2"):
        list(said_in(tmp_path / "other"))


def complete(string: str | tuple[str, ...] | None) -> bool:
    return bool(string) and all(forms(string))


def forms(string: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (string or "",) if isinstance(string, str | None) else string


def ends(text: str) -> str:
    return text[-1:] if text[-1:] in ".:?!…" else ""
