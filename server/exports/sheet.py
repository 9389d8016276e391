"""Pages to draw on: a cursor that goes down, and a new page where one is full. Lengths are in points."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import BinaryIO, Literal

import fontpkg  # type: ignore[import-untyped]
from fpdf import FPDF
from fpdf.fonts import TTFFont

from server.exports.prose import lines_of_prose
from server.exports.typesetting import Face, Style, lines_of, lines_of_runs, shortened

Colour = tuple[int, int, int]

FAMILY = "PT Sans"
INK, QUIET, FAINT = (28, 33, 40), (98, 106, 117), (216, 220, 226)
ACCENT, AMBER = (20, 84, 140), (176, 108, 0)
PALE_AMBER: Colour = (255, 247, 229)
LEFT, RIGHT, TOP, BOTTOM = 56.0, 56.0, 62.0, 64.0
STEP = 16.0
"""How far in the items of a list and what is quoted stand."""

BASELINE = 0.9
"""How far below the top of a line its letters stand, as a part of their size."""


class Sheet:
    def __init__(self, *, title: str, language: str, made_at: datetime) -> None:
        self.pdf = FPDF(unit="pt", format="A4")
        self.pdf.set_auto_page_break(False)
        self.pdf.set_title(title)
        self.pdf.set_creator("Casewire")
        self.pdf.set_lang(language)
        self.pdf.set_creation_date(made_at)
        for style, weight, slant in (("", 400, "normal"), ("B", 700, "normal"), ("I", 400, "italic")):
            self.pdf.add_font(FAMILY, style, fontpkg.path(FAMILY, weight=weight, style=slant))
        self.faces: dict[Style, Face] = {}
        self.pdf.add_page()
        for each in ("", "B", "I"):
            self.pdf.set_font(FAMILY, each, 10)
            assert isinstance(self.pdf.current_font, TTFFont)
            self.faces[each] = Face(self.pdf.current_font)
        self.y = TOP
        self.width = self.pdf.w - LEFT - RIGHT

    @property
    def lacks_signs(self) -> bool:
        return any(face.lacks for face in self.faces.values())

    @property
    def floor(self) -> float:
        return self.pdf.h - BOTTOM

    def room_for(self, height: float) -> None:
        """Go on to a new page where less than this is left."""
        if self.y + height > self.floor:
            self.pdf.add_page()
            self.y = TOP

    def skip(self, height: float) -> None:
        """Leave some space; none at the top of a page."""
        if self.y > TOP:
            self.y += height

    def put(self, text: str, x: float, y: float, *, size: float, style: Style = "", colour: Colour = INK) -> None:
        """One line that is `shown` and fits, its top at `y`."""
        self.pdf.set_font(FAMILY, style, size)
        self.pdf.set_text_color(*colour)
        self.pdf.text(x, y + size * BASELINE, text)

    def line(
        self,
        text: str,
        x: float,
        y: float,
        width: float,
        *,
        size: float,
        style: Style = "",
        colour: Colour = INK,
        align: Literal["left", "right"] = "left",
    ) -> float:
        """One line, cut where it does not fit; returns its width."""
        face = self.faces[style]
        fitting = shortened(text, face, size, width)
        wide = face.width(fitting, size)
        self.put(fitting, x + width - wide if align == "right" else x, y, size=size, style=style, colour=colour)
        return wide

    def wide(self, text: str, *, size: float, style: Style = "") -> float:
        """How wide a text is on one line."""
        face = self.faces[style]
        return face.width(face.shown(text), size)

    def broken(self, text: str, *, size: float, width: float, style: Style = "") -> list[str]:
        """The lines of a text."""
        return list(lines_of(text, self.faces[style], size, width))

    def paragraph(
        self,
        text: str,
        *,
        size: float = 10,
        leading: float = 1.4,
        style: Style = "",
        colour: Colour = INK,
        indent: float = 0,
        bar: Colour | None = None,
        shade: Colour | None = None,
    ) -> None:
        """Lines one under the other, over as many pages as it takes; `bar` stands before them, `shade` behind.

        No page begins with an empty line.
        """
        height = size * leading
        for each in lines_of(text, self.faces[style], size, self.width - indent):
            if each:
                self.room_for(height)
            elif self.y == TOP or self.y + height > self.floor:
                continue
            self.decorate(height, bar, shade)
            if each:
                self.put(each, LEFT + indent, self.y, size=size, style=style, colour=colour)
            self.y += height

    def prose(
        self,
        written: str,
        *,
        size: float = 10,
        colour: Colour = INK,
        indent: float = 0,
        bar: Colour | None = None,
        shade: Colour | None = None,
    ) -> None:
        """What somebody wrote in Markdown, as `paragraph` draws what has no marks."""
        height = size * 1.4
        for line in lines_of_prose(written):
            if line.apart and self.y > TOP and self.y + 2 * height <= self.floor:
                self.decorate(height / 2, bar, shade)
                self.y += height / 2
            inset = indent + line.depth * STEP
            told = list(lines_of_runs(line.runs, self.faces, size, self.width - inset)) if line.runs else [[]]
            for number, pieces in enumerate(told):
                if pieces:
                    self.room_for(height)
                elif self.y == TOP or self.y + height > self.floor:
                    continue
                self.decorate(height, bar, shade)
                if line.mark and number == 0:
                    self.line(line.mark, LEFT + inset - STEP, self.y, STEP, size=size, colour=colour)
                x = LEFT + inset
                for text, style in pieces:
                    self.put(text, x, self.y, size=size, style=style, colour=colour)
                    x += self.faces[style].width(text, size)
                self.y += height

    def decorate(self, height: float, bar: Colour | None, shade: Colour | None) -> None:
        """What stands behind and before a line of this height."""
        if shade:
            self.box(LEFT, self.y, self.width, height + 0.4, shade)
        if bar:
            self.box(LEFT, self.y, 2, height + 0.4, bar)

    def box(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        self.pdf.set_fill_color(*colour)
        self.pdf.rect(x, y, width, height, style="F")

    def rule(self, y: float, colour: Colour = FAINT, thickness: float = 0.6) -> None:
        self.box(LEFT, y, self.width, thickness, colour)

    def pages(self) -> Iterator[tuple[int, int]]:
        """Every page once more, by its number of how many, to write at its edges."""
        total = self.pdf.page
        for number in range(1, total + 1):
            with self._turned_to(number):
                yield number, total

    @contextmanager
    def _turned_to(self, number: int) -> Iterator[None]:
        self.pdf.page = number
        # fpdf2 writes down what changes; on a page that was left it must not think that it has.
        self.pdf.current_font_is_set_on_page = False
        self.pdf.set_fill_color(0, 0, 0)
        yield

    def save(self, out: BinaryIO) -> None:
        self.pdf.output(out)
