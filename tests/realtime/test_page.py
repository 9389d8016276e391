"""docs/realtime.md says which test owns what: those tests are there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
NAMED = re.compile(r"`(test_\w+)`")
DEFINED = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)


def test_every_test_that_the_page_names_is_there() -> None:
    named = set(NAMED.findall((ROOT / "docs" / "realtime.md").read_text()))
    defined = {name for path in (ROOT / "tests").rglob("test_*.py") for name in DEFINED.findall(path.read_text())}

    assert len(named) > 40
    assert named - defined == set()
