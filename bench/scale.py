"""What a list costs when there are a hundred times as many tickets: its first page, its tenth, one from the middle, a
filtered one, its count, and a search."""

import random
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from bench.contestants import CASEWIRE, FLOOR, start
from bench.data import sqlite_database
from bench.documents import LIST, Query
from bench.queries import measure_one, queries_of
from bench.records import Record
from bench.servers.floor_queries import cursor
from bench.world import World, key

PLACE = """
    SELECT id, last_activity_at FROM ticket WHERE organization_id = ?{} ORDER BY last_activity_at DESC, id DESC
    LIMIT 1 OFFSET {}"""
MIDDLE = PLACE.format("", "(SELECT count(*) / 2 FROM ticket WHERE organization_id = ?1)")
TENTH = PLACE.format(" AND status NOT IN ('RESOLVED', 'CLOSED')", "9 * 50 - 1")

AFTER = {"tenth page": TENTH, "middle page": MIDDLE}
"""The statements that find the row before a page."""

FILTERED = LIST.replace("$after: Cursor)", "$after: Cursor, $filter: TicketFilter)").replace(
    "first: 50,", "filter: $filter, first: 50,"
)
COUNT = """\
query Count($organization: ID!) {
  tickets(scope: ORGANIZATION, organizationId: $organization) { totalCount }
}"""
SEARCH = """\
query Search($organization: ID!, $text: String!) {
  search(text: $text, kinds: [TICKET, MESSAGE], organizationId: $organization, first: 20) {
    nodes { kind score highlights node { id } }
    pageInfo { hasNextPage endCursor }
  }
}"""


def measure_scale(
    small: World, large: World, *, rounds: int, seconds: float, say: Callable[[str], None]
) -> list[Record]:
    """One record per server, size, page and round; the job names size and page. The floor has the plain pages only."""
    dice = random.Random()
    records = []
    with ExitStack() as stack:
        cells = []
        for world in (small, large):
            say(f"  {world.tickets} tickets")
            path = sqlite_database(world)
            for each in (CASEWIRE, FLOOR):
                process = start(each, f"sqlite://{path}")
                stack.callback(process.stop)
                asked = pages(world, path) if each is FLOOR else pages(world, path) + questions(world)
                cells += [(world, each, process, name, query) for name, query in asked]
        for turn in range(rounds):
            for world, each, process, name, query in dice.sample(cells, len(cells)):
                record = measure_one(each, process, query, "sqlite://", seconds)
                record.suite, record.round = "scale", turn
                record.job, record.server = f"{name}, {world.tickets} tickets", each.name
                records.append(record)
            say(f"  round {turn + 1} of {rounds}")
    return records


def pages(world: World, path: Path) -> list[tuple[str, Query]]:
    listing, first = listed(world)
    organization = str(key("organization", 0))
    with closing(sqlite3.connect(path)) as connection:
        found = {name: connection.execute(sql, (organization,)).fetchone() for name, sql in AFTER.items()}
    places = {name: cursor("tickets by activity:desc", active, row_id) for name, (row_id, active) in found.items()}
    return [
        ("first page", Query("list", listing.document, listing.viewer, [first])),
        *(
            (name, Query("list", listing.document, listing.viewer, [{**first, "after": place}]))
            for name, place in places.items()
        ),
    ]


def questions(world: World) -> list[tuple[str, Query]]:
    """What the floor has no answer to."""
    listing, first = listed(world)
    narrow = {"statuses": ["OPEN"], "priorities": ["NORMAL"]}
    of = {"organization": first["organization"]}
    return [
        ("filtered page", Query("filtered", FILTERED, listing.viewer, [{**first, "filter": narrow}])),
        ("page of what few have", Query("few", FILTERED, listing.viewer, [{**first, "filter": {"isEscalated": True}}])),
        ("count", Query("count", COUNT, listing.viewer, [of])),
        ("search, common word", Query("search", SEARCH, listing.viewer, [{**of, "text": "camera"}])),
        ("search, rare word", Query("search", SEARCH, listing.viewer, [{**of, "text": f"T-{world.tickets - 4}"}])),
    ]


def listed(world: World) -> tuple[Query, dict[str, Any]]:
    listing = queries_of(world)[0]
    return listing, listing.variables[0]
