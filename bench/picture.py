"""The goals as a picture: how far each measured figure is from what it must be. Plain SVG, written as text."""

from html import escape
from math import log2
from pathlib import Path

from bench.goals import Goal
from bench.records import Ratio

PICTURE = Path(__file__).with_name("table.svg")

ROW, TOP, LEFT, MIDDLE, WIDTH = 26, 54, 16, 600, 860
DOUBLING = 30
"""Pixels for a factor of two."""
COLOURS = {"stretch": "#1a7f37", "must": "#57a773", "missed": "#c4432b"}


def draw(measured: list[tuple[Goal, Ratio]], caption: str) -> None:
    """The line in the middle is the must: a bar to the left of it is better, to the right worse."""
    height = TOP + ROW * len(measured) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        'font-size="13" role="img">',
        f"<title>{escape(caption)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        text(LEFT, 22, caption, size=15),
        text(LEFT, 42, "goal", fill="#666666"),
        text(330, 42, "must", fill="#666666", anchor="end"),
        text(400, 42, "measured", fill="#666666", anchor="end"),
        text(MIDDLE, 42, "better  ◂  must  ▸  worse, by factors of two", fill="#666666", anchor="middle"),
    ]
    for n, (goal, value) in enumerate(measured):
        parts += row(TOP + ROW * n, goal, value)
    bottom = TOP + ROW * len(measured)
    parts.append(f'<line x1="{MIDDLE}" y1="{TOP - 6}" x2="{MIDDLE}" y2="{bottom}" stroke="#333333"/>')
    parts.append(
        text(LEFT, bottom + 24, "dark green: stretch reached · green: must reached · red: missed", fill="#666666")
    )
    PICTURE.write_text("\n".join([*parts, "</svg>", ""]))


def row(y: int, goal: Goal, value: Ratio) -> list[str]:
    verdict = goal.verdict(value)
    distance = log2(max(value.median, 1e-3) / goal.must) * (-1 if goal.more_is_better else 1)
    length = max(-190.0, min(240.0, distance * DOUBLING))
    bar = (
        f'<rect x="{MIDDLE + min(0.0, length):.1f}" y="{y}" width="{max(2.0, abs(length)):.1f}" height="16" '
        f'fill="{COLOURS[verdict]}"/>'
    )
    return [
        text(LEFT, y + 13, goal.name),
        text(330, y + 13, f"{goal.sign} {goal.must:g}", anchor="end"),
        text(400, y + 13, f"{value.median:.3g}", anchor="end"),
        bar,
    ]


def text(x: int, y: int, content: str, *, size: int = 13, fill: str = "#222222", anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{fill}" text-anchor="{anchor}">{escape(content)}</text>'
