"""The catalogues as files: read, compared with what the code says, and brought up to date."""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from domain.words.languages import LOCALES, SOURCE
from tests.test_layers import ROOT
from tests.words.messages import Said

FOLDER = ROOT / "domain" / "words"
TRANSLATED = tuple(each for each in LOCALES if each != SOURCE)
WIDTH = 110
UNSAID = tuple(
    f'"{each}:'
    for each in (
        "Report-Msgid-Bugs-To",
        "POT-Creation-Date",
        "PO-Revision-Date",
        "Last-Translator",
        "Language-Team",
        "Generated-By",
        "Project-Id-Version",
    )
)
"""Lines of a header that Babel fills with nothing."""


def file_of(language: str) -> Path:
    return FOLDER / f"{language}.po"


def read(language: str) -> Catalog:
    with file_of(language).open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def write(language: str, catalogue: Catalog) -> None:
    """Sorted by the English, without places in the code and dates: so that changes of two people seldom meet."""
    made = BytesIO()
    write_po(made, catalogue, width=WIDTH, no_location=True, sort_output=True, ignore_obsolete=True)
    lines = made.getvalue().decode().splitlines(keepends=True)
    file_of(language).write_text("".join(line for line in lines if not line.startswith(UNSAID)))


def updated(catalogue: Catalog, said: Iterable[Said]) -> tuple[list[str], list[str]]:
    """Add what the catalogue has not, untranslated, and drop what nobody says any more: both, by their English."""
    wanted = {each.key: each for each in said}
    had = {(each.context, english_of(each)): each for each in catalogue if each.id}
    new, gone = wanted.keys() - had.keys(), had.keys() - wanted.keys()
    for context, english in gone:
        catalogue.delete(english, context)
    for key in new:
        forms = wanted[key].english
        catalogue.add(forms if len(forms) > 1 else forms[0], context=key[0])
    return sorted(english for _, english in new), sorted(english for _, english in gone)


def english_of(message: object) -> str:
    found = message.id  # type: ignore[attr-defined]
    return found if isinstance(found, str) else found[0]
