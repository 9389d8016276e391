"""What the desk says to people, in their languages: labels, notices, refusals, the texts of notifications and e-mails.

A text stands in the code in English, as `Text("{reference} is closed.", reference=…)`: that is also its key in the
catalogues. `Text` says nothing yet; `in_(locale)` does, when it is known who reads it. What people wrote (tickets,
messages, names) is no text of ours and is never looked up.
"""

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from domain.words.catalogues import catalogue
from domain.words.formats import day, instant, number
from domain.words.languages import SOURCE, language

__all__ = ["Text", "as_text"]

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Text:
    """Something to be said, in whatever language: an English sentence with `{names}`, and their values.

    A value is shown as the reader's language writes it: numbers grouped, days and instants (in UTC) in words, other
    texts in the same language, anything else as it is. `context` tells apart what is one word in English and several
    elsewhere.
    """

    __slots__ = ("context", "count", "english", "many", "values")

    def __init__(self, english: str, /, *, context: str | None = None, **values: Any) -> None:
        self.english = english
        self.context = context
        self.values: Mapping[str, Any] = values or NOTHING
        self.many: str | None = None
        self.count = 1

    @classmethod
    def counted(cls, one: str, many: str, /, *, count: int, **values: Any) -> "Text":
        """A text whose form depends on `count`, which is a value of it too: two forms in English, three in Russian."""
        found = cls(one, count=count, **values)
        found.many, found.count = many, count
        return found

    def of(self, **values: Any) -> "Text":
        """The same text with these values: for one that is written down before they are known."""
        return Text(self.english, context=self.context, **values)

    def in_(self, locale: str) -> str:
        """The text in the language of a tag (`it`, `it-CH`), or in English where it is not shipped."""
        spoken = language(locale) or SOURCE
        said = self._form(spoken)
        if not self.values:
            return said
        return said.format_map({name: shown(value, spoken) for name, value in self.values.items()})

    def _form(self, spoken: str) -> str:
        if spoken == SOURCE:
            return self.english if self.many is None or self.count == 1 else self.many
        known = catalogue(spoken)
        forms = known.forms.get((self.context, self.english))
        if forms is None:
            return self._form(SOURCE)
        return forms[0] if self.many is None else forms[known.form_for(self.count)]

    def __str__(self) -> str:
        return self.in_(SOURCE)

    def __repr__(self) -> str:
        return f"Text({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash((self.context, self.english))

    def _parts(self) -> tuple[Any, ...]:
        return self.context, self.english, self.many, self.count, dict(self.values)


def as_text(said: str | Text, values: Mapping[str, Any]) -> Text:
    """A text, or the English of one with its values, as a text."""
    return said if isinstance(said, Text) else Text(said, **values)


def shown(value: Any, spoken: str) -> str:
    """A value as a text of a shipped language shows it."""
    match value:
        case Text():
            return value.in_(spoken)
        case bool():
            return str(value)
        case int():
            return number(value, spoken)
        case datetime():
            return instant(value, spoken)
        case date():
            return day(value, spoken)
        case _:
            return str(value)
