"""What people wrote in Markdown, as lines for a page: what is bold is bold, and a link is followed by its address."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from markdown_it.token import Token

from domain.rendering import Markdown
from server.exports.typesetting import Run, Style

BULLET = "•"


@dataclass(slots=True)
class Line:
    """Of a paragraph: as wide as its text. `depth` is how far it stands in, `mark` what stands before it."""

    runs: list[Run] = field(default_factory=list)
    depth: int = 0
    mark: str = ""
    apart: bool = False
    """Whether some space is left above it."""

    def add(self, text: str, style: Style) -> None:
        if self.runs and self.runs[-1][1] == style:
            text = self.runs.pop()[0] + text
        if text:
            self.runs.append((text, style))


def lines_of_prose(written: str) -> list[Line]:
    """Of a text without marks, or of one that is shown as it was written, the lines as they are."""
    blocks = _markdown().blocks_of(written)
    if blocks is None:
        return [Line([(each, "")] if each else []) for each in written.split("\n")]
    return list(_Prose().lines(blocks))


@lru_cache(maxsize=1)
def _markdown() -> Markdown:
    """One process makes one document."""
    return Markdown()


class _Prose:
    """Goes through the blocks and keeps in mind where it is."""

    def __init__(self) -> None:
        self.depth = 0
        self.mark = ""
        self.block_style: Style = ""
        self.apart = False
        self.row: Line | None = None

    def lines(self, blocks: Sequence[Token]) -> Iterator[Line]:
        for token in blocks:
            match token.type:
                case "inline":
                    yield from self.paragraph(token.children or [])
                case "fence" | "code_block":
                    for text in token.content.rstrip("\n").split("\n"):
                        yield self.line(1, [(text, "")] if text else [])
                    self.apart = True
                case "hr":
                    yield self.line(0, [("—" * 3, "")])
                case "tr_open":
                    self.row = self.line(0, [])
                case "tr_close" if self.row is not None:
                    yield self.row
                    self.row = None
                case _:
                    self.turn(token)

    def turn(self, token: Token) -> None:
        """What begins or ends."""
        match token.type:
            case "heading_open" | "th_open":
                self.block_style = "B"
            case "blockquote_open":
                self.depth, self.block_style, self.apart = self.depth + 1, "I", True
            case "blockquote_close":
                self.depth, self.block_style, self.apart = self.depth - 1, "", True
            case "bullet_list_open" | "ordered_list_open":
                self.depth += 1
            case "bullet_list_close" | "ordered_list_close":
                self.depth, self.apart = self.depth - 1, True
            case "list_item_open":
                self.mark = f"{token.info}{token.markup}" if token.info else BULLET
                self.apart = False
            case "heading_close":
                self.block_style, self.apart = "", True
            case "th_close":
                self.block_style = ""
            case "paragraph_close":
                self.apart = not token.hidden
            case "table_close":
                self.apart = True

    def line(self, deeper: int, runs: list[Run]) -> Line:
        made = Line(runs, self.depth + deeper, self.mark, self.apart)
        self.mark, self.apart = "", False
        return made

    def paragraph(self, tokens: Sequence[Token]) -> Iterator[Line]:
        """The lines of a paragraph; the cells of a row stand on one."""
        if self.row is not None:
            self.row.add("  |  " if self.row.runs else "", "")
            for line in self.told(tokens):
                for run in line.runs:
                    self.row.add(*run)
            return
        yield from self.told(tokens)

    def told(self, tokens: Sequence[Token]) -> Iterator[Line]:
        line = self.line(0, [])
        bold = italic = 0
        label, address = "", ""
        for token in tokens:
            style: Style = "B" if bold else "I" if italic else self.block_style
            match token.type:
                case "softbreak" | "hardbreak":
                    yield line
                    line = self.line(0, [])
                case "strong_open" | "strong_close":
                    bold += token.nesting
                case "em_open" | "em_close":
                    italic += token.nesting
                case "s_open" | "s_close":
                    line.add("~~", style)
                case "link_open":
                    label, address = "", str(token.attrs["href"]).removeprefix("mailto:")
                case "link_close":
                    is_told = token.markup in ("linkify", "autolink") or label == address
                    line.add("" if is_told else f" ({address})", style)
                case _:
                    label += token.content
                    line.add(token.content, style)
        yield line
