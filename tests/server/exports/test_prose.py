"""What people wrote in Markdown is set in a document as it was meant: nothing is lost, and no mark is left (S72)."""

from datetime import datetime
from typing import Any

import pytest

from server.exports.prose import Line, lines_of_prose
from server.exports.sheet import Sheet
from server.exports.typesetting import lines_of, lines_of_runs
from tests.server.exports.test_drawn_documents import AT, head, message, pages

WRITTEN = """**Still** black, see [the page](https://example.com/help).
*Since* Monday

# Steps
1. Turn it **off**
2. Turn it on
   - wait
- `code --flag`

> as you said
> yesterday

```
def f():
    return **1**
```

| a | b |
|---|---|
| 1 | 2 |

Write to <ann@example.com>, ~~now~~ later"""


def told(lines: list[Line]) -> list[Any]:
    return [(each.depth, each.mark, each.runs) for each in lines]


def test_each_mark_becomes_what_it_means() -> None:
    assert told(lines_of_prose(WRITTEN)) == [
        (0, "", [("Still", "B"), (" black, see the page (https://example.com/help).", "")]),
        (0, "", [("Since", "I"), (" Monday", "")]),
        (0, "", [("Steps", "B")]),
        (1, "1.", [("Turn it ", ""), ("off", "B")]),
        (1, "2.", [("Turn it on", "")]),
        (2, "•", [("wait", "")]),
        (1, "•", [("code --flag", "")]),
        (1, "", [("as you said", "I")]),
        (1, "", [("yesterday", "I")]),
        (1, "", [("def f():", "")]),
        (1, "", [("    return **1**", "")]),
        (0, "", [("a", "B"), ("  |  ", ""), ("b", "B")]),
        (0, "", [("1  |  2", "")]),
        (0, "", [("Write to ann@example.com, ~~now~~ later", "")]),
    ]


def test_paragraphs_and_blocks_stand_apart_and_lines_of_one_do_not() -> None:
    lines = lines_of_prose("one\ntwo\n\nthree\n\n- a\n- b\n\nfour")

    assert [(each.runs[0][0], each.apart) for each in lines] == [
        ("one", False),
        ("two", False),
        ("three", True),
        ("a", False),
        ("b", False),
        ("four", True),
    ]


@pytest.mark.parametrize("written", ["Plain. As it is", "x\n\n\ny", "[" * 300, "> " * 30 + "deep", "*" * 20_000])
def test_what_has_no_marks_or_too_many_is_shown_as_it_was_written(written: str) -> None:
    shown = ["".join(text for text, _ in each.runs) for each in lines_of_prose(written)]

    assert [each for each in shown if each] == [each for each in written.split("\n") if each]


def test_no_mark_is_left_in_a_document_and_every_word_is_there() -> None:
    of = head(description="**As** described")
    stage = {"sequence": 1, "stage": "SUBMITTED", "enteredAt": AT, "actor": None, "note": "*With* engineering"}
    stage |= {"isOverride": False, "estimatedResolutionAt": None}
    escalation = {
        "reference": "CP-1",
        "stage": "SUBMITTED",
        "timeline": [stage],
        "submittedAt": AT,
        "submittedBy": None,
    }
    unknown = dict.fromkeys(("resolvedAt", "estimatedResolutionAt", "resolutionOverridden"))
    of["escalations"] = [{**unknown, **escalation, "issueDescription": "**Drops** the signal"}]

    text = " ".join(" ".join(pages(message(WRITTEN), of=of)).split())

    for part in (
        "As described",
        "Drops the signal",
        "With engineering",
        "Still black, see the page (https://example.com/help).",
        "1. Turn it off",
        "• wait",
        "return **1**",
        "a | b",
        "Write to ann@example.com",
    ):
        assert part in text, part
    assert [each for each in ("**As", "**Still", "*With", "`", "# Steps", "> as") if each in text] == []


SAMPLES = [
    "",
    "one",
    "word " * 200,
    "   indented and then some more of it, as far as the line goes and a little further than that",
    "x" * 500,
    "https://help.example/camera/reset/and/more/of/the/same/and/again/and/again " * 5,
    "Длиннофамильцев-Константинопольский " * 20,
    "a-" + "W" * 200 + " b",
]


@pytest.mark.parametrize("text", SAMPLES)
@pytest.mark.parametrize("width", [60.0, 200.0, 480.0])
def test_a_paragraph_of_one_style_ends_its_lines_where_one_without_styles_does(
    sheet: Sheet, text: str, width: float
) -> None:
    plain = [each for each in lines_of(text, sheet.faces[""], 10, width) if each]

    half = len(text) // 2
    runs: Any = [(text[:half], ""), (text[half:], "")]
    assert [piece for line in lines_of_runs(runs, sheet.faces, 10, width) for piece, _ in line] == plain


def test_a_line_in_several_styles_is_as_wide_as_they_are_together(sheet: Sheet) -> None:
    runs: Any = [("Wide ", "B"), ("and narrow, ", ""), ("and slanted ", "I")] * 40

    lines = list(lines_of_runs(runs, sheet.faces, 10, 300))

    assert (
        " ".join("".join(text for text, _ in line) for line in lines) == ("Wide and narrow, and slanted " * 40).strip()
    )
    wide = [sum(sheet.faces[style].width(text, 10) for text, style in line) for line in lines]
    assert [each for each in wide if each > 300] == []
    assert min(wide[:-1]) > 240
    assert {style for line in lines for _, style in line} == {"B", "", "I"}


@pytest.fixture
def sheet() -> Sheet:
    return Sheet(title="T-1", language="en", made_at=datetime.fromisoformat(AT))
