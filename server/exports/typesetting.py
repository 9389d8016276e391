"""Text made to fit: which characters the document's font has, how wide they are, where a line ends.

fpdf2's own cells take some twenty milliseconds for a message; this takes a half of one.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Literal

from fpdf.fonts import TTFFont

Style = Literal["", "B", "I"]
Run = tuple[str, Style]
"""Text of one style, without line ends."""

MISSING = "◊"
STAND_INS = {"→": "->", "←": "<-", "↔": "<->", "⇒": "=>", "✓": "√", "✔": "√", "✗": "×", "✘": "×", "\u202f": "\xa0"}
PICTURES = ((0x2600, 0x27BF), (0x1F000, 0x1FAFF))
"""Where emoji are: each is called by its name."""

JOINTS = "-/_.,;:&?=\\"
"""After one of them a long word or address is broken, before it is broken anywhere."""

UNSEEN = ((0x1F3FB, 0x1F3FF), (0xE0000, 0xE007F))
"""What only changes how the character before it looks."""


class Face:
    """A font in one style."""

    def __init__(self, font: TTFFont) -> None:
        self._font = font
        self.lacks = False
        self._shown = lru_cache(maxsize=4096)(self._stand_in)

    def shown(self, text: str) -> str:
        """The text in characters that the font has."""
        composed = unicodedata.normalize("NFC", text)
        return "".join(each if ord(each) in self._font.cmap else self._shown(each) for each in composed)

    def width(self, text: str, size: float) -> float:
        """In points, of text that is `shown`."""
        widths = self._font.cw
        return sum(widths[ord(each)] for each in text) * size / 1000

    def _stand_in(self, character: str) -> str:
        point = ord(character)
        if any(first <= point <= last for first, last in UNSEEN):
            return ""
        plain = STAND_INS.get(character) or unicodedata.normalize("NFKC", character)
        if self._has(plain):
            return plain
        if any(first <= point <= last for first, last in PICTURES):
            name = unicodedata.name(character, "").lower()
            return f"[{name}]" if name else MISSING
        base = unicodedata.normalize("NFKD", character)[:1]
        if unicodedata.combining(character) or base == " ":
            return base if base == " " else ""
        self.lacks = True
        return base if base != character and self._has(base) else MISSING

    def _has(self, text: str) -> bool:
        return bool(text) and all(ord(each) in self._font.cmap for each in text)


def lines_of(text: str, face: Face, size: float, width: float) -> Iterator[str]:
    """The lines of a text, each at most `width` points wide. They end between words; a wider word is broken."""
    for paragraph in text.split("\n"):
        yield from _broken(face.shown(paragraph.rstrip()), face, size, width)


def lines_of_runs(
    runs: Sequence[Run], faces: Mapping[Style, Face], size: float, width: float
) -> Iterator[list[tuple[str, Style]]]:
    """The lines of one paragraph in several styles, each at most `width` points wide, as `lines_of` makes them."""
    if len(runs) == 1:
        ((whole, style),) = runs
        yield from ([(each, style)] for each in lines_of(whole, faces[style], size, width))
        return
    shown = [(faces[style].shown(text), style) for text, style in runs]
    text = "".join(each for each, _ in shown)
    styles = [style for each, style in shown for _ in each]
    widths = [faces[style].width(sign, size) for sign, style in zip(text, styles, strict=True)]
    start = 0
    while start < len(text):
        end = _line_end(text, widths, start, width)
        yield _pieces(text, styles, start, start + len(text[start:end].rstrip()) or end)
        start = end
        while start < len(text) and text[start] == " ":
            start += 1


def _line_end(text: str, widths: Sequence[float], start: int, width: float) -> int:
    """Where the line that begins at `start` ends: after a word, or inside of one that is wider than the line."""
    filled, last_word = 0.0, start
    for here in range(start, len(text)):
        if text[here] == " " and here > start and text[here - 1] != " ":
            last_word = here
        filled += widths[here]
        if filled > width and text[here] != " ":
            if text[start:last_word].strip():
                return last_word
            joint = max(text.rfind(each, start, here) for each in JOINTS) + 1
            return joint if joint - start > (here - start) // 3 else max(here, start + 1)
    return len(text)


def _pieces(text: str, styles: Sequence[Style], start: int, end: int) -> list[tuple[str, Style]]:
    """The signs from `start` to `end`, those of one style together."""
    pieces: list[tuple[str, Style]] = []
    for here in range(start, end):
        if pieces and pieces[-1][1] == styles[here]:
            pieces[-1] = (pieces[-1][0] + text[here], styles[here])
        else:
            pieces.append((text[here], styles[here]))
    return pieces


def _broken(paragraph: str, face: Face, size: float, width: float) -> Iterator[str]:
    if face.width(paragraph, size) <= width:
        yield paragraph
        return
    line, filled = "", 0.0
    for word in _words(paragraph):
        wide = face.width(word, size)
        if line and filled + face.width(word.rstrip(), size) > width:
            yield line.rstrip()
            line, filled = "", 0.0
            word = word.lstrip() or ""
            wide = face.width(word, size)
        while face.width(word.rstrip(), size) > width:
            fitting = _end_of_line(word, face, size, width)
            yield word[:fitting]
            word = word[fitting:]
            wide = face.width(word, size)
        line, filled = line + word, filled + wide
    if line.strip():
        yield line.rstrip()


def _words(paragraph: str) -> Iterator[str]:
    """Each with the spaces after it; those at the beginning are a word."""
    start = 0
    for here in range(1, len(paragraph)):
        if paragraph[here] != " " and paragraph[here - 1] == " ":
            yield paragraph[start:here]
            start = here
    yield paragraph[start:]


def _fitting(word: str, face: Face, size: float, width: float) -> int:
    """How many characters fit; at least one."""
    filled = 0.0
    for count, character in enumerate(word):
        filled += face.width(character, size)
        if filled > width and count:
            return count
    return len(word)


def _end_of_line(word: str, face: Face, size: float, width: float) -> int:
    """Where a word that is too wide is broken: after the last of its joints, unless most of the line stayed empty."""
    fitting = _fitting(word, face, size, width)
    joint = max(word.rfind(each, 0, fitting) for each in JOINTS) + 1
    return joint if joint > fitting // 3 else fitting


def shortened(text: str, face: Face, size: float, width: float) -> str:
    """On one line, with an ellipsis where it is cut."""
    shown = face.shown(text)
    if face.width(shown, size) <= width:
        return shown
    return shown[: max(_fitting(shown, face, size, width - face.width("…", size)), 0)].rstrip() + "…"
