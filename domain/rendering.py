"""What people write in Markdown, as HTML that is safe on any page and as text without marks.

Both are made when somebody reads; what is stored is what was written. Nothing in it can run, load or send anything:
HTML that was typed is shown as it was typed, an image is a link to it, and links lead to web pages and people alone.
"""

import re
from collections.abc import Sequence
from html import escape

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from domain.addresses import is_web_address
from domain.naming import is_email

LONGEST_FORMATTED = 10_000
"""Characters; what is longer is shown as it was written: to make it out takes too long."""

MOST_MARKS = 200
"""Of each of `DEAR_MARKS`: every further one costs more than the one before. What has more is shown as written."""

DEAR_MARKS = ("[", "@", "://")

MOST_NESTED = 20
"""Quotes and lists inside of each other: of what has more the parser loses the rest, so it is shown as written."""

LINK_REL = "noopener noreferrer nofollow"
"""Another page neither learns where it was opened nor reaches back."""

_PLAIN_TAGS = "p br hr strong em s code pre blockquote ul li h1 h2 h3 h4 h5 h6 table thead tbody tr th td"

ALLOWED: dict[str, set[str]] = {**{tag: set() for tag in _PLAIN_TAGS.split()}, "ol": {"start"}, "a": {"href", "title"}}
"""Every element that there can be, with its attributes; links have `rel` and `target` besides."""

_UNMARKED = re.compile(r"(?:[^\W_]|[ \n,.;:!?()'\"%$€–—…-])+")
_MAY_BE_MARKS = re.compile(r"^[^\w\n]|^\d|[ ]$|\n{3}", re.MULTILINE)


class Markdown:
    """Makes out what was written. One for each thread: the parser notes down where it is while it looks for links."""

    def __init__(self) -> None:
        self._parser = _parser()

    def html_of(self, written: str) -> str:
        """The HTML of a text: elements of `ALLOWED`. A line end is one in HTML too."""
        if is_unmarked(written):
            return "".join("<p>{}</p>\n".format(each.replace("\n", "<br>\n")) for each in written.split("\n\n"))
        blocks = self._blocks(written)
        if blocks is None:
            return f"<pre>{escape(written, quote=False)}</pre>\n"
        return _CLEANER.clean(self._parser.renderer.render(blocks, self._parser.options, {}))

    def text_of(self, written: str) -> str:
        """The text without its marks, for notifications and previews. A link is followed by its address."""
        blocks = self.blocks_of(written)
        if blocks is None:
            return written
        return re.sub(r"\n{3,}", "\n\n", "".join(_told(blocks))).strip("\n")

    def blocks_of(self, written: str) -> list[Token] | None:
        """What a text is made of, for a page that is drawn; None where it is shown as it was written."""
        return None if is_unmarked(written) else self._blocks(written)

    def _blocks(self, written: str) -> list[Token] | None:
        """What it is made of; None where it is to be shown as it was written."""
        if len(written) > LONGEST_FORMATTED or any(written.count(mark) > MOST_MARKS for mark in DEAR_MARKS):
            return None
        found = self._parser.parse(written)
        return None if any(each.level >= MOST_NESTED - 1 for each in found) else found


def is_unmarked(written: str) -> bool:
    """Whether it is the same in Markdown as without it, as most of what is said is: letters in lines."""
    if not _UNMARKED.fullmatch(written) or written[0] == "\n" or written[-1] == "\n":
        return False
    return not _MAY_BE_MARKS.search(written)


def _may_be_linked(address: str) -> bool:
    kind, _, rest = address.partition(":")
    return is_email(rest) if kind.lower() == "mailto" else is_web_address(address)


def _parser() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "linkify": True, "breaks": True, "maxNesting": MOST_NESTED})
    made.enable(["linkify", "strikethrough", "table"])
    made.disable("reference")  # "[ERROR]: https://…" is no footnote that nobody has to see
    made.core.ruler.push("images_as_links", _link_images)
    made.validateLink = _may_be_linked  # type: ignore[assignment,method-assign]
    assert made.linkify is not None
    made.linkify.set({"fuzzy_link": False, "fuzzy_ip": False})  # main.py is a file, not a page in Paraguay
    for kind in ("ftp:", "//"):
        made.linkify.add(kind, None)
    return made


def _link_images(state: StateCore) -> None:
    """To load an image would tell its owner who reads, and when: it becomes a link. Inside of a link it is its name."""
    for block in state.tokens:
        made: list[Token] = []
        in_link = 0
        for token in block.children or []:
            in_link += token.nesting if token.type in ("link_open", "link_close") else 0
            made += [token] if token.type != "image" else _linked(token, in_link=bool(in_link))
        block.children = made


def _linked(image: Token, *, in_link: bool) -> list[Token]:
    address = str(image.attrs["src"])
    name = Token("text", "", 0, content="".join(_told_inline(image.children or [])).strip() or address)
    if in_link:
        return [name]
    return [Token("link_open", "a", 1, attrs={"href": address}), name, Token("link_close", "a", -1)]


_CLEANER = nh3.Cleaner(
    tags=set(ALLOWED),
    attributes=ALLOWED,
    link_rel=LINK_REL,
    set_tag_attribute_values={"a": {"target": "_blank"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
)
"""The parser lets nothing else through; that it does not is not left to it alone."""


def _told(tokens: Sequence[Token]) -> list[str]:
    """The text of blocks: paragraphs apart by an empty line, items of lists on lines of their own."""
    told: list[str] = []
    depth = 0
    for token in tokens:
        match token.type:
            case "inline":
                told += _told_inline(token.children or [])
            case "fence" | "code_block":
                told += [token.content, "\n"]
            case "bullet_list_open" | "ordered_list_open":
                depth += 1
            case "bullet_list_close" | "ordered_list_close":
                depth -= 1
                told += [] if depth else ["\n"]
            case "list_item_open":
                told.append("  " * (depth - 1) + (f"{token.info}{token.markup} " if token.info else "- "))
            case "list_item_close":
                told += [] if told[-1].endswith("\n") else ["\n"]
            case "paragraph_close" | "heading_close":
                told.append("\n" if depth else "\n\n")
            case "th_close" | "td_close":
                told.append("\t")
            case "tr_close":
                told[-1] = "\n"
            case "table_close":
                told.append("\n")
    return told


def _told_inline(tokens: Sequence[Token]) -> list[str]:
    told: list[str] = []
    begins, address = 0, ""
    for token in tokens:
        match token.type:
            case "softbreak" | "hardbreak":
                told.append("\n")
            case "link_open":
                begins, address = len(told), str(token.attrs["href"]).removeprefix("mailto:")
            case "link_close":
                is_told = token.markup in ("linkify", "autolink") or "".join(told[begins:]) == address
                told += [] if is_told else [f" ({address})"]
            case _:
                told.append(token.content)
    return told
