"""The first hour of a newcomer (docs/first-hour.md), by the real commands and a real server."""

import asyncio
import csv
import re
import signal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.databases import ROOT
from tests.server.patient import Journal, send_all
from tests.server.processes import command, server_process, variables
from tests.server.running import PATIENCE, Socket, ask, http, open_socket, until

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

MAP = ROOT / "examples" / "customer_support_tickets.toml"
COLUMNS = [
    *("Ticket ID", "Customer Name", "Customer Email", "Customer Age", "Customer Gender", "Product Purchased"),
    *("Date of Purchase", "Ticket Type", "Ticket Subject", "Ticket Description", "Ticket Status", "Resolution"),
    *("Ticket Priority", "Ticket Channel", "First Response Time", "Time to Resolution", "Customer Satisfaction Rating"),
]

ORGANIZATIONS = "{ organizations(first: 100) { nodes { id name } } }"
LIST = """query($o: ID!, $after: Cursor) {
  tickets(scope: ORGANIZATION, organizationId: $o, filter: {}, orderBy: {field: REFERENCE, direction: ASC},
      first: 7, after: $after) {
    totalCount nodes { id reference status channel isImported requester { displayName } }
    pageInfo { hasNextPage endCursor } } }"""
OPEN = "query($t: ID!) { ticket(id: $t) { feedCursor messages(first: 100) { nodes { __typename body } } } }"
STAGES = """subscription($t: ID!, $after: Cursor) { escalationTimeline(ticketId: $t, after: $after) { __typename
  ... on EscalationTimelineChange { cursor entry { sequence stage note actor { displayName } } }
  ... on StreamCaughtUp { cursor } } }"""
SUBMIT = """mutation($t: ID!) { escalationSubmit(input: {ticketId: $t, issueDescription: "No picture"}) {
  escalation { id stage } errors { code } } }"""
ADVANCE = """mutation($e: ID!, $stage: EscalationStage!) {
  escalationAdvance(input: {escalationId: $e, stage: $stage, note: "On it"}) { errors { code } } }"""
CONFIRM = """mutation($e: ID!) { escalationConfirmResolution(input: {escalationId: $e, comment: "This works"}) {
  escalation { stage } errors { code } } }"""


def write_rows(path: Path, number: int) -> None:
    """A file as the public data set has it: open, waiting and closed tickets in turn."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for n in range(1, number + 1):
            status = ("Open", "Pending Customer Response", "Closed")[n % 3]
            answered = "" if status == "Open" else "2023-06-01 12:15:36"
            closed = {"Resolution": "Solved.", "Time to Resolution": "2023-06-01 18:05:38"} if n % 3 == 2 else {}
            row = {
                "Ticket ID": n,
                "Customer Name": f"Customer {n}",
                "Customer Email": f"customer{n}@example.com",
                "Product Purchased": "GoPro Hero",
                "Ticket Type": "Technical issue",
                "Ticket Subject": "Network problem",
                "Ticket Description": f"My {{product_purchased}} does not connect ({n}).",
                "Ticket Status": status,
                "Ticket Priority": "High",
                "Ticket Channel": "Chat",
                "First Response Time": answered,
                **closed,
            }
            writer.writerow(row)


async def all_tickets(client: httpx2.AsyncClient, organization: str) -> tuple[list[Any], int]:
    """The tickets of an organization page by page, and how many there are said to be."""
    (found,) = [o for o in (await ask(client, ORGANIZATIONS))["organizations"]["nodes"] if o["name"] == organization]
    nodes: list[Any] = []
    after = None
    while True:
        page = (await ask(client, LIST, o=found["id"], after=after))["tickets"]
        nodes += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return nodes, page["totalCount"]


async def signed_in(address: str, email: str) -> str:
    async with http(address) as client:
        given = {"grant_type": "password", "email": email, "password": "casewire-demo"}
        token: str = (await client.post("/auth/token", json=given)).json()["access_token"]
        return token


async def kill_in_the_middle(server: Any, sender: str, watcher: str, ticket: str, after: str) -> list[str]:
    """What a watcher sees of 40 messages while the server is killed and started again."""
    texts = [f"Number {number}" for number in range(40)]
    journal = Journal(server.address, watcher, ticket, after)
    tasks = [
        asyncio.create_task(journal.follow(texts[-1])),
        asyncio.create_task(send_all(server.address, sender, ticket, texts)),
    ]
    try:
        await until(lambda: len(journal.seen) >= 10)
        assert await server.kill() == -signal.SIGKILL
        await server.start()
        await asyncio.wait_for(asyncio.gather(*tasks), 3 * PATIENCE)
    finally:
        for task in tasks:
            task.cancel()
    assert journal.seen == texts
    return journal.seen


async def escalate(staff: httpx2.AsyncClient, customer: httpx2.AsyncClient, socket: Socket, ticket: str) -> list[Any]:
    """From support to engineering to the customer's word; returns the entries that a watcher was told."""
    watch = await (await socket.watch(STAGES, t=ticket)).caught_up()
    escalation = (await ask(staff, SUBMIT, t=ticket))["escalationSubmit"]["escalation"]["id"]
    for stage in ("IN_REVIEW", "ENGINEERING_IN_PROGRESS", "VERIFYING_RESOLUTION"):
        assert (await ask(staff, ADVANCE, e=escalation, stage=stage))["escalationAdvance"]["errors"] == []
    await ask(customer, CONFIRM, e=escalation)
    return [(await watch.next())["entry"] for _ in range(5)]


async def test_from_nothing_to_a_desk_whose_chat_survives_a_killed_server(tmp_path: Path) -> None:
    environment = variables(f"sqlite://{tmp_path}/desk.db", tmp_path)
    rows = tmp_path / "tickets.csv"
    write_rows(rows, 20)
    importing = ("import", "csv", str(rows), "--organization", "Bluebird Gadgets", "--map", str(MAP))

    demo = await command(environment, tmp_path, "demo")
    first, again = [await command(environment, tmp_path, *importing) for _ in range(2)]
    customers_token = await command(environment, tmp_path, "token", "--user", "customer3@example.com", "--ttl", "8h")

    assert "The demo world is loaded." in demo.output
    assert "Bluebird Gadgets (a new organization): 20 imported, 0 there already" in first.output
    assert "Bluebird Gadgets: 0 imported, 20 there already\nNothing was changed." in again.output
    assert [done.code for done in (demo, first, again, customers_token)] == [0, 0, 0, 0]
    customer = customers_token.output.strip()

    async with server_process(environment, tmp_path) as server:
        sam = await signed_in(server.address, "sam@orba.example")
        async with http(server.address, sam) as client:
            tickets, total = await all_tickets(client, "Bluebird Gadgets")
            (theirs,) = [each for each in tickets if each["requester"]["displayName"] == "Customer 3"]
            page = (await ask(client, OPEN, t=theirs["id"]))["ticket"]
        assert total == len({each["id"] for each in tickets}) == 20
        assert all(each["isImported"] and re.fullmatch(r"T-\d{6}", each["reference"]) for each in tickets)
        assert (theirs["status"], theirs["channel"]) == ("OPEN", "CHAT")
        assert [node["__typename"] for node in page["messages"]["nodes"]] == ["ChatMessage", "Note"]

        seen = await kill_in_the_middle(server, customer, sam, theirs["id"], page["feedCursor"])

        async with (
            http(server.address, sam) as staff,
            http(server.address, customer) as other_side,
            open_socket(server.address, customer) as socket,
        ):
            stored = (await ask(staff, OPEN, t=theirs["id"]))["ticket"]["messages"]["nodes"]
            entries = await escalate(staff, other_side, socket, theirs["id"])

    assert [node["body"] for node in stored][2:] == seen
    assert [(entry["sequence"], entry["stage"], entry["actor"]["displayName"]) for entry in entries] == [
        (1, "SUBMITTED", "Sam Okafor"),
        (2, "IN_REVIEW", "Sam Okafor"),
        (3, "ENGINEERING_IN_PROGRESS", "Sam Okafor"),
        (4, "VERIFYING_RESOLUTION", "Sam Okafor"),
        (5, "RESOLVED", "Customer 3"),
    ]
