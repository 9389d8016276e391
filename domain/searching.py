"""What a person's words are when they are searched for: how text is folded, compared and shown.

The databases fold what they index in the same way (`models/migrations/0005_search.py`).
"""

import html
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from domain.naming import line

LONGEST_SEARCH = 200
"""Characters of what is searched for."""

MOST_WORDS = 12
LONGEST_WORD = 60

_WORD = re.compile(r"[^\W_]+")
_MARKS = re.compile("([a-z])[\u0300-\u036f]+")
_SPELLINGS = str.maketrans({"ё": "е", "œ": "oe"})
_COMMON_WORDS = """
a an and are as at be but by can do does for from has have how i if in is it its my no not of on or our so that the then
there this to was we what when where which why will with you your
al alla che chi ci come con da dal dei del della di e ed gli ha ho il io la le lo ma mi nel nella non per piu si sono su
un una
au aux avec ce ces dans de des du elle en est et il ils je la le les ma mais mon ne nous on ou par pas plus pour que qui
sa se son sur un une vous
ao aos as com como da das do dos e em eu foi la mais mas meu minha na nao nas no nos o os para por que se sem sua um uma
а без бы был в вот все вы да для до его если есть еще же за и из или их к как когда ли мне мы на не нет ни но о он она
они от по при с так то у уже что это я
"""
COMMON = frozenset(_COMMON_WORDS.split())
"""Said of everything, so they say nothing of a problem; folded. English, Italian, French, Portuguese, Russian."""


def folded(text: str) -> str:
    """Text as it is compared: lower case, Latin letters without their marks, ё as е, œ as oe.

    Й and the letters of other alphabets keep their marks: without them they would be other letters.
    """
    plain = _MARKS.sub(r"\1", unicodedata.normalize("NFD", text.lower()))
    return unicodedata.normalize("NFC", plain).translate(_SPELLINGS)


_folded_word = lru_cache(maxsize=8192)(folded)
"""Of the words of a text few are new."""


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text, folded, each once: the first `MOST_WORDS`, the first `LONGEST_WORD` letters of each."""
    found = (word[:LONGEST_WORD] for word in _WORD.findall(folded(text)))
    return tuple(dict.fromkeys(found))[:MOST_WORDS]


def searched(text: str, *, field: str = "text") -> tuple[str, ...]:
    """The words that somebody searches for; empty where there are only signs. No sign has a meaning of its own.

    Raises:
        Required, Invalid: nothing, too much, or what no store can keep.
    """
    return words_of(line(text, field=field, limit=LONGEST_SEARCH))


def telling(text: str) -> tuple[str, ...]:
    """The words of a subject that say what it is about: at least three letters, and not said of everything."""
    return tuple(word for word in words_of(text) if len(word) > 2 and word not in COMMON)


def begins(word: str, wanted: Iterable[str]) -> bool:
    """Whether a word of a text is found: it begins with one that is wanted. A single letter must be the whole word."""
    return any(word == each if len(each) == 1 else word.startswith(each) for each in wanted)


def likeness(wanted: tuple[str, ...], title: str, body: str) -> float:
    """How much of what is wanted stands in a text, from 0 to 1; what stands in the title counts twice."""
    if not wanted:
        return 0.0
    heading, text = (set(_WORD.findall(folded(each))) for each in (title, body))

    def stands(word: str, among: set[str]) -> bool:
        return any(each.startswith(word) for each in among)

    points = sum(2 * stands(word, heading) or stands(word, text) for word in wanted)
    return round(points / (2 * len(wanted)), 4)


def highlights(texts: Iterable[str], wanted: tuple[str, ...], *, most: int = 3, length: int = 160) -> list[str]:
    """Pieces of the texts around what was found, for HTML: escaped, each found word in `<mark>…</mark>`.

    At most `most` pieces of some `length` characters, of words that stand apart. Single letters are marked only where
    nothing longer is wanted: they stand everywhere.
    """
    found: list[str] = []
    wanted = tuple(each for each in wanted if len(each) > 1) or wanted
    for text in texts:
        plain = " ".join(unicodedata.normalize("NFC", text).split())
        hits = [each.span() for each in _WORD.finditer(plain) if begins(_folded_word(each.group()), wanted)]
        while hits and len(found) < most:
            start, end = _window(plain, hits[0][0], length)
            found.append(_marked(plain, start, end, [hit for hit in hits if hit[1] <= end]))
            hits = [hit for hit in hits if hit[1] > end]
    return found


def excerpt(text: str, wanted: tuple[str, ...], *, length: int = 200) -> str:
    """A piece of a text around the first word found, or its beginning; plain text."""
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    first = next((each.start() for each in _WORD.finditer(plain) if begins(_folded_word(each.group()), wanted)), 0)
    start, end = _window(plain, first, length)
    return ("… " if start else "") + plain[start:end] + (" …" if end < len(plain) else "")


def _window(text: str, at: int, length: int) -> tuple[int, int]:
    """Where a piece around a place begins and ends: between words, unless one is longer than the piece."""
    start = max(0, at - length // 3)
    start = text.rfind(" ", 0, start) + 1 if start else 0
    start = start if at - start <= length // 2 else at
    end = start + length
    if end >= len(text):
        return start, len(text)
    last = text.rfind(" ", at, end)
    return start, last if last > at else end


def _marked(text: str, start: int, end: int, hits: list[tuple[int, int]]) -> str:
    pieces, at = ["… "] if start else [], start
    for first, last in hits:
        pieces += [html.escape(text[at:first]), "<mark>", html.escape(text[first:last]), "</mark>"]
        at = last
    return "".join([*pieces, html.escape(text[at:end]), " …" if end < len(text) else ""])
