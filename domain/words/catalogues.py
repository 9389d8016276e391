"""The translations, one gettext catalogue for each language but English: `it.po`, `ru.po`, …

They are read where they stand, in the form that translators edit; nothing is compiled to disk. A catalogue is a
constant of the program that is written in another notation than Python's: like a module it is read when it is first
needed, at most once, and then never changes. So it is no input of a decision, and a start reads none of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from gettext import c2py
from pkgutil import get_data

Key = tuple[str | None, str]
"""A message's context, if it has one, and its English."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`forms` are what is said for a message: one, or one for each of the language's plural forms.

    `form_for` says which of them belongs to a number.
    """

    forms: Mapping[Key, tuple[str, ...]]
    form_for: Callable[[int], int]


@cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of a shipped language: a complete one, as the tests see to."""
    from babel.messages.pofile import read_po  # half of the time that a first text takes; English needs none of it

    written = get_data(__package__, f"{language}.po")
    assert written is not None, f"{language}.po is shipped"
    read = read_po(written.decode().splitlines(), locale=language)
    forms: dict[Key, tuple[str, ...]] = {}
    for message in read:
        english = message.id if isinstance(message.id, str) else message.id[0]
        if english and message.string and not message.fuzzy:
            said = (message.string,) if isinstance(message.string, str) else tuple(message.string)
            forms[message.context, english] = said
    return Catalogue(forms, c2py(read.plural_expr))
