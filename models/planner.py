"""What SQLite's planner is told of the tables: how many rows there are, and how many of them are alike.

It is assumed, not counted: a desk of the size that plans matter for. Without it SQLite takes a column with six values
for a selective one, and sorts every active ticket for a page of twenty; with figures that were counted while the desk
was small it reads large tables through. Plans made from these are the same from the first ticket to the last
(docs/decisions/0014).
"""

from collections.abc import Iterator
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

TICKETS = 1_000_000

ROWS = {
    "ticket": TICKETS,
    "ticket_device": TICKETS,
    "participant": TICKETS // 2,
    "follower": TICKETS // 10,
    "read_mark": TICKETS,
    "message": 5 * TICKETS,
    "timeline_event": 5 * TICKETS,
    "notification": 5 * TICKETS,
    "search_document": 5 * TICKETS,
    "feed_stream": 2 * TICKETS,
    "feed_event": 10 * TICKETS,
    "escalation": TICKETS // 50,
    "escalation_entry": TICKETS // 10,
    "app_user": 20_000,
    "membership": 20_000,
    "organization": 500,
    "space": 20_000,
    "space_group": 2_000,
    "device": 40_000,
    "product": 200,
    "request_type": 50,
}
"""Of the others SQLite assumes a million rows, and ten that are alike in the first column of an index."""

ALIKE: dict[str, dict[str, int]] = {
    "ticket": {
        "organization_id": 50_000,
        "requester_id": 1_000,
        "opened_by_id": 1_000,
        "owner_id": 1_000,
        "assignee_id": 50_000,
        "space_id": 1_500,
        "status": TICKETS // 5,
        "channel": TICKETS // 5,
        "is_escalated": TICKETS // 2,
        "import_source": TICKETS // 2,
        "on_behalf_of_id": 2_000,
        "request_type_id": TICKETS // 20,
        "issue_type_id": TICKETS // 20,
        "service_level": TICKETS // 3,
        "sort_status": TICKETS // 5,
        "sort_priority": TICKETS // 4,
        "sort_service_level": TICKETS // 3,
        "sort_issue_type": TICKETS // 20,
        "sort_requester": 1_000,
    },
    "ticket_device": {"ticket_id": 2, "device_id": 2_000},
    "participant": {"ticket_id": 2, "user_id": 500},
    "follower": {"ticket_id": 2, "user_id": 500},
    "read_mark": {"ticket_id": 5, "user_id": 1_000},
    "message": {"ticket_id": 50, "actor_id": 5_000},
    "timeline_event": {"ticket_id": 50},
    "notification": {"user_id": 2_000, "ticket_id": 20},
    "search_document": {"label": 10},
    "feed_event": {"topic": 50},
    "escalation": {"ticket_id": 2, "stage": 2_000},
    "escalation_entry": {"escalation_id": 5, "actor_id": 1_000},
    "membership": {"organization_id": 40, "user_id": 2},
    "space": {"organization_id": 40, "group_id": 10, "kind": 10_000},
    "space_group": {"organization_id": 4},
    "device": {"organization_id": 80, "space_id": 2, "product_id": 200},
}
"""How many rows have the same value of a column; one, unless it is named, and then nothing would have to be sorted."""


PARTIAL = 50
"""One row in so many is in an index that has but some of them."""


async def assume_sizes(client: BaseDBAsyncClient) -> None:
    """Tell SQLite what is assumed; inside a transaction. Connections that are open heed it too.

    They read it when the schema has changed: so its table is made anew. ANALYZE makes it, of a table with few rows.
    """
    for table in ("sqlite_stat1", "sqlite_stat4"):
        await client.execute_query(f"DROP TABLE IF EXISTS {table}")
    await client.execute_query("ANALYZE tortoise_migrations")
    await client.execute_query("DELETE FROM sqlite_stat1")
    indexes = [index for table in ROWS for index in await _indexes(client, table)]
    await client.execute_many("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)", indexes)
    await client.execute_query("ANALYZE sqlite_schema")


async def _indexes(client: BaseDBAsyncClient, table: str) -> list[list[str]]:
    """Table, index and figures of each index."""
    found = await client.execute_query_dict(f"PRAGMA index_list({table})")
    figures = []
    for index in found:
        columns = await client.execute_query_dict(f"PRAGMA index_info({index['name']})")
        share = PARTIAL if index["partial"] else 1
        alike = map(str, _figures(table, [column["name"] for column in columns], share))
        # An index is never walked from one value of its first column to the next, in search of one of its second.
        figures.append([table, index["name"], " ".join([*alike, "noskipscan"])])
    return figures


def _figures(table: str, columns: list[Any], share: int) -> Iterator[int]:
    """The rows of an index, and how many of them are alike in its first column, in its first two, and so on."""
    alike = ROWS[table] // share
    yield alike
    for column in columns:
        alike = max(1, alike * ALIKE.get(table, {}).get(column, 1) // ROWS[table])
        yield alike
