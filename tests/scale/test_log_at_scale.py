"""J5: the log that streams are read from is searched by its indexes, however much is in it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from models.database import is_sqlite, reader, writer
from realtime import log
from realtime.log import Draft
from tests.scale.conftest import explained

pytestmark = pytest.mark.anyio


@dataclass
class Listening:
    """The reading connection, and what it was asked."""

    sent: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def capabilities(self) -> Any:
        return reader().capabilities

    async def execute_query_dict(self, query: str, values: Any) -> Any:
        self.sent.append((query, values))
        return await reader().execute_query_dict(query, values)


@pytest.mark.parametrize("counted", ["never", "when it was small"])
async def test_the_log_is_read_by_its_indexes_whatever_the_planner_believes_of_it(db: str, counted: str) -> None:
    """J5: a look at where the watched streams stand costs what is watched, not what is there."""
    drafts = [Draft(f"t{number}", "kind", {}, "key") for number in range(10)]
    await log.append(writer(), drafts, at=datetime(2026, 3, 1, tzinfo=UTC))
    if counted == "when it was small":
        await writer().execute_query("ANALYZE")
    listening: Any = Listening()

    assert (await log.positions(listening, ["t1", "t1", "none"])).keys() == {"t1"}
    await log.read(listening, "t1", after=0, limit=4)
    await log.find(listening, "t1", ["key"])
    if is_sqlite(db):
        await log.recent(listening, 3, limit=4)
    await log.read_many(listening, {"t1": 0, "none": 0}, limit=4)

    assert len(listening.sent) == (6 if is_sqlite(db) else 4)
    for query, values in listening.sent:
        steps = await explained(db, query, values, index_only=True)
        assert any(step.startswith("SEARCH feed_") or "Index" in step for step in steps), steps
        assert not any(step.startswith(("SCAN feed_", "SCAN found", "Seq Scan")) for step in steps), steps
