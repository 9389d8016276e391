"""Rows that are asked for in the same turn are read together; each who asked gets its own, or the error."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from engine.batching import EventRows

pytestmark = pytest.mark.anyio


class Reading:
    """A run that says what it was asked for."""

    def __init__(self, found: dict[str, Any], error: Exception | None = None) -> None:
        self.found, self.error = found, error
        self.asked: list[list[str]] = []

    async def rows(self, row: Any, ids: list[str]) -> dict[str, Any]:
        self.asked.append(ids)
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        return {each: self.found[each] for each in ids if each in self.found}


async def ask(rows: EventRows, run: Any, *ids: str, key: str = "alike") -> list[Any]:
    reads = [rows.read(key, lambda: run, SimpleNamespace(), each) for each in ids]
    async with asyncio.timeout(2):
        return await asyncio.gather(*reads, return_exceptions=True)


async def test_those_who_ask_in_one_turn_share_a_statement_and_get_their_own_rows() -> None:
    run = Reading({"a": "A", "b": "B"})
    rows = EventRows()

    assert await ask(rows, run, "a", "b", "gone", "a") == ["A", "B", None, "A"]
    assert run.asked == [["a", "b", "gone"]]


async def test_later_and_unlike_questions_are_read_for_themselves() -> None:
    run, other = Reading({"a": "A"}), Reading({"a": "for others"})
    rows = EventRows()

    first, second = await asyncio.gather(ask(rows, run, "a"), ask(rows, other, "a", key="unlike"))
    again = await ask(rows, run, "a")

    assert (first, second, again) == (["A"], ["for others"], ["A"])
    assert (run.asked, other.asked) == ([["a"], ["a"]], [["a"]])


async def test_an_error_is_everybodys_and_the_next_question_is_asked_anew() -> None:
    failing, working = Reading({}, ValueError("no")), Reading({"a": "A"})
    rows = EventRows()

    errors = await ask(rows, failing, "a", "b")

    assert [str(error) for error in errors] == ["no", "no"]
    assert await ask(rows, working, "a") == ["A"]


async def test_whoever_stops_waiting_does_not_stop_the_others() -> None:
    run = Reading({"a": "A"})
    rows = EventRows()
    leaving = asyncio.create_task(rows.read("alike", lambda: run, SimpleNamespace(), "a"))  # type: ignore[arg-type]
    staying = asyncio.create_task(rows.read("alike", lambda: run, SimpleNamespace(), "a"))  # type: ignore[arg-type]
    await asyncio.sleep(0)

    leaving.cancel()

    async with asyncio.timeout(2):
        assert await staying == "A"
