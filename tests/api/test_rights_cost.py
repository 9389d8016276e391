"""What it costs to ask whether one row may be seen: never a look at all the tickets that the viewer sees."""

from typing import Any

import pytest

import models
from models.base import BaseModel
from models.database import is_sqlite, reader
from resolvers.viewers import load_viewer
from tests.factories import make_member, make_organization

pytestmark = pytest.mark.anyio

HUNG_ON_TICKETS = (
    models.Message,
    models.TimelineEvent,
    models.Attachment,
    models.Participant,
    models.Follower,
    models.Feedback,
    models.Escalation,
    models.EscalationEntry,
    models.TicketLink,
    models.Notification,
)


@pytest.mark.parametrize("model", HUNG_ON_TICKETS, ids=lambda model: model.__name__)
async def test_of_a_row_that_is_known_by_its_key_no_ticket_but_its_own_is_looked_at(
    db: str, model: type[BaseModel]
) -> None:
    if not is_sqlite(db):
        pytest.skip("SQLite alone lists what a subquery finds before it asks of the first row")
    member = await make_member(await make_organization("Acme"))
    viewer = await load_viewer(member.id)
    assert viewer is not None
    query = model.filter(model.seen_by(viewer), id=member.id)

    query._choose_db_if_not_chosen()
    query._make_query()
    sql, values = query.query.get_parameterized_sql()
    plan: list[dict[str, Any]] = await reader().execute_query_dict(f"EXPLAIN QUERY PLAN {sql}", values)

    looks = [step["detail"] for step in plan if " ticket USING" in step["detail"] or "SCAN" in step["detail"]]
    assert looks
    assert all("(id=?)" in look for look in looks), plan
