"""What a list costs: statements do not grow with the page, and what is not asked for is not read (J5)."""

import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from uuid_utils.compat import uuid7

import models
from domain.enums import EscalationStage, OrganizationRole
from models.database import writer
from tests.api.world import gid
from tests.client import Client
from tests.conftest import AsUser
from tests.factories import (
    LONG_AGO,
    make_member,
    make_organization,
)

pytestmark = pytest.mark.anyio


OF_THE_HUB = (
    "SELECT topic, ",
    "SELECT max(id) AS place",
    "SELECT id AS place",
    "SELECT found.topic",
    "PRAGMA data_version",
)


class Statements(logging.Handler):
    """Every statement that is sent to the database, as its client logs it, but for the hub's looks at its streams."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.sent: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        sent = record.getMessage()
        if (record.args or "SELECT" in sent) and not sent.lstrip().startswith(OF_THE_HUB):
            self.sent.append(sent)


@contextmanager
def counted() -> Iterator[list[str]]:
    client = logging.getLogger("tortoise.db_client")
    counter, level = Statements(), client.level
    client.addHandler(counter)
    client.setLevel(logging.DEBUG)
    try:
        yield counter.sent
    finally:
        client.removeHandler(counter)
        client.setLevel(level)


GRAPH = """query($first: Int) { tickets(scope: ALL, first: $first) {
  totalCount pageInfo { hasNextPage } nodes {
    subject feedCursor associatedUsernames requester { displayName username email memberships { role } }
    owner { displayName } assignee { displayName } organization { name viewerRole } space { name serviceLevel }
    participants(first: 3) { totalCount nodes { role user { displayName } } }
    devices { nodes { name serialNumber product { name } } }
    messages(last: 2) { totalCount nodes { body sequence actor { displayName } attachments { fileName } } }
    escalations { nodes { stage timeline { totalCount nodes { stage actor { displayName } } } } }
    activeEscalation { reference } feedback { rating } } } }"""


@pytest.fixture
async def reader(as_user: AsUser) -> Client:
    """Somebody who sees fifty tickets, each with something of everything."""
    acme = await make_organization("Acme")
    owner, ann = await make_member(acme, OrganizationRole.OWNER), await make_member(acme)
    await fill(acme, owner, ann, 50)
    return as_user(owner)


async def fill(acme: models.Organization, owner: models.User, ann: models.User, count: int) -> None:
    product = await models.Product.create(name="Camera")
    of: dict[str, Any] = {"organization_id": acme.id}
    times = dict.fromkeys(("created_at", "updated_at", "last_activity_at", "status_changed_at"), LONG_AGO)
    said: dict[str, Any] = {"actor_id": ann.id, "visibility": "PUBLIC", "occurred_at": LONG_AGO, "kind": "CHAT"}
    rows: dict[type[Any], list[Any]] = defaultdict(list)

    def make(model: type[Any], **values: Any) -> Any:
        rows[model].append(model(id=uuid7(), **values))
        return rows[model][-1].id

    for n in range(count):
        space = make(models.Space, **of, kind=models.SpaceKind.ROOM, name=f"Room {n}")
        make(models.Device, **of, product_id=product.id, space_id=space, name=f"{n}", serial_number=f"{n}")
        about: dict[str, Any] = {"subject": "x", "description": "x", "channel": "CHAT", "status": "OPEN", **times}
        people = {"requester_id": ann.id, "owner_id": ann.id, "space_id": space}
        ticket = make(models.Ticket, **of, **about, **people, number=n, reference=f"T-{n}", is_escalated=True)
        make(models.Participant, ticket_id=ticket, user_id=owner.id, role="PARTICIPANT", added_at=LONG_AGO)
        for m in (1, 2, 3):
            make(models.Message, **said, ticket_id=ticket, sequence=m, public_sequence=m, source="PORTAL", body=f"{m}")
        when: dict[str, Any] = {"issue_description": "x", "submitted_at": LONG_AGO, "updated_at": LONG_AGO}
        escalation = make(models.Escalation, ticket_id=ticket, number=n, reference=f"CP-{n}", **when)
        entered: dict[str, Any] = {"sequence": 1, "entered_at": LONG_AGO, "stage": EscalationStage.SUBMITTED}
        make(models.EscalationEntry, escalation_id=escalation, actor_id=ann.id, **entered)
    for model, made in rows.items():
        await model.bulk_create(made)
    pairs = [f"('{t.id}', '{d.id}')" for t, d in zip(rows[models.Ticket], rows[models.Device], strict=True)]
    await writer().execute_script(f"INSERT INTO ticket_device (ticket_id, device_id) VALUES {', '.join(pairs)}")


async def test_a_page_of_fifty_takes_as_many_statements_as_one_of_five(reader: Client) -> None:  # J5, S100
    taken: dict[int, list[str]] = {}
    for first in (5, 50):
        with counted() as sent:
            data = await reader.ask(GRAPH, first=first)
        assert len(data["tickets"]["nodes"]) == first
        assert [len(each["messages"]["nodes"]) for each in data["tickets"]["nodes"]] == [2] * first
        taken[first] = sent

    assert len(taken[5]) == len(taken[50]), [each[:200] for each in taken[50]]
    assert len(taken[50]) <= 30, "one for each relation of each level, not more"


async def test_only_what_is_selected_is_read_and_counted(reader: Client) -> None:  # J5
    async def statements(selection: str) -> list[str]:
        with counted() as sent:
            await reader.ask(f"{{ tickets(scope: ALL, first: 5) {{ {selection} }} }}")
        return [each for each in sent if 'FROM "ticket"' in each]

    rows = await statements("nodes { subject }")
    counts = await statements("totalCount")
    both = await statements("totalCount nodes { subject }")
    neither = await statements("__typename")

    assert [is_count(each) for each in rows] == [False]
    assert [is_count(each) for each in counts] == [True]
    assert sorted(is_count(each) for each in both) == [False, True]
    assert neither == []


async def test_a_page_is_read_once_for_its_nodes_edges_and_place(reader: Client) -> None:
    """J5: and so they agree with each other, whatever is written meanwhile."""
    with counted() as sent:
        await reader.ask(
            "{ tickets(scope: ALL, first: 5) { nodes { id } edges { cursor } pageInfo { hasNextPage } totalCount } }"
        )

    assert sorted(is_count(each) for each in sent if 'FROM "ticket"' in each) == [False, True]


async def test_a_list_inside_a_list_is_counted_only_when_it_is_asked_for(reader: Client) -> None:  # J5
    async def statements(selection: str) -> list[str]:
        with counted() as sent:
            await reader.ask(f"{{ tickets(scope: ALL, first: 20) {{ nodes {{ messages {{ {selection} }} }} }} }}")
        return [each for each in sent if 'FROM "message"' in each]

    assert [is_count(each) for each in await statements("totalCount")] == [True]
    assert [is_count(each) for each in await statements("nodes { body }")] == [False]


async def test_the_same_row_is_read_once_for_all_who_refer_to_it(reader: Client) -> None:
    document = "{ tickets(scope: ALL, first: 50) { nodes { organization { name } requester { displayName } } } }"

    with counted() as sent:
        await reader.ask(document)

    assert len([each for each in sent if 'FROM "organization"' in each]) == 1
    assert len([each for each in sent if 'FROM "app_user"' in each]) == 2, "one is the viewer"


async def test_a_page_far_behind_is_read_from_its_cursor_not_from_the_beginning(reader: Client) -> None:  # J5
    first = await reader.ask("{ tickets(scope: ALL, first: 40) { pageInfo { endCursor } } }")
    page = "query($after: Cursor) { tickets(scope: ALL, first: 5, after: $after) { nodes { id } } }"

    with counted() as sent:
        data = await reader.ask(page, after=first["tickets"]["pageInfo"]["endCursor"])

    (statement,) = [each for each in sent if 'FROM "ticket"' in each]
    assert "OFFSET" not in statement
    assert statement.endswith(", 6]"), "five rows, and one that says whether there is more"
    assert len(data["tickets"]["nodes"]) == 5


async def test_the_counter_counts_what_is_sent(reader: Client) -> None:
    """The tests above would pass with a counter that counts nothing."""
    with counted() as sent:
        await models.Organization.all()
        await models.Ticket.all().count()
        await models.Organization.create(name="Another", created_at=LONG_AGO)
    quiet: list[Any] = list(sent)
    await models.Organization.all()

    assert len(sent) == len(quiet) == 3
    assert gid(await models.Organization.get(name="Another")).startswith("Organization_")


def is_count(statement: str) -> bool:
    return "COUNT(" in statement.upper()
