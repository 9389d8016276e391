"""The suite bites: a product with one safeguard taken out is found out. `make soak` does it to all of them."""

from pathlib import Path

import pytest

from tests.realtime.faults.mutants import MUTANTS
from tests.realtime.faults.runs import TRAPS

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

CHEAP = ("cursor_one_more", "doorbell_trusted", "floor_ignored")


@pytest.mark.parametrize("name", CHEAP)
async def test_a_safeguard_that_is_broken_is_noticed(name: str, tmp_path: Path) -> None:
    trap = TRAPS[name]

    verdict = await trap.run(tmp_path, None, name)

    assert verdict.wrong.keys() & set(trap.finds), str(verdict)


def test_every_mutant_has_its_trap() -> None:
    assert MUTANTS.keys() - {"stock"} == TRAPS.keys()
