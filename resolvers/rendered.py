"""What people wrote in Markdown as HTML and as text: made when it is read, and kept for the next who read it."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from domain.rendering import Markdown

MOST_KEPT = 2_000_000
"""Characters of texts and of what was made of them that are kept, of each kind."""

AT_ONCE = 4_000
"""Characters that are made out while everybody else waits: some milliseconds. More is left to a thread."""

_THREAD = ThreadPoolExecutor(1, thread_name_prefix="rendering")
"""One, whatever is asked for: several would leave the others hardly anything of the processor."""


class Kept:
    """What was made of texts, by the text alone: the same text gives the same, whoever wrote it and whoever reads it.

    What was not asked for the longest goes first.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self.most, self.size = most, 0
        self._made: OrderedDict[str, str] = OrderedDict()

    def get(self, text: str) -> str | None:
        if text in self._made:
            self._made.move_to_end(text)
        return self._made.get(text)

    def add(self, text: str, made: str) -> None:
        if text not in self._made:
            self.size += len(text) + len(made)
        self._made[text] = made
        while self.size > self.most:
            old, result = self._made.popitem(last=False)
            self.size -= len(old) + len(result)


class Rendering:
    """A field of many rows at once: for each (text,), what is made of it."""

    def __init__(self, here: Callable[[str], str], beside: Callable[[str], str]) -> None:
        self._here, self._beside = here, beside
        self.kept = Kept()

    def __call__(self, rows: Sequence[tuple[str]]) -> list[str] | Awaitable[list[str]]:
        known = {text: self.kept.get(text) for (text,) in rows}
        new = [text for text, made in known.items() if made is None]
        if sum(map(len, new)) > AT_ONCE:
            return self._in_thread(rows, known, new)
        return self._answer(rows, known | {text: self._here(text) for text in new})

    async def _in_thread(self, rows: Sequence[tuple[str]], known: dict[str, str | None], new: list[str]) -> list[str]:
        loop = asyncio.get_running_loop()
        # One by one: others who wait for the thread get their turn in between.
        made = {text: await loop.run_in_executor(_THREAD, self._beside, text) for text in new}
        return self._answer(rows, known | made)

    def _answer(self, rows: Sequence[tuple[str]], known: Mapping[str, str | None]) -> list[str]:
        found = [known[text] or "" for (text,) in rows]
        for (text,), made in zip(rows, found, strict=True):
            self.kept.add(text, made)
        return found


_HERE, _BESIDE = Markdown(), Markdown()

as_html = Rendering(_HERE.html_of, _BESIDE.html_of)
as_text = Rendering(_HERE.text_of, _BESIDE.text_of)
