"""A database with a few tickets, people on both sides of them, and what its log says in the end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import models
from models.database import open_database, reader
from realtime.reader import patiently
from resolvers.streams import MESSAGE_ADDED, streams_of
from resolvers.viewers import load_viewer
from schema.node import global_id
from server.auth import mint_access_token
from tests.factories import make_member, make_organization, make_staff, make_ticket
from tests.server.running import PATIENCE, settings_for

AGENTS, MEMBERS = 4, 6
TOKEN_TTL = timedelta(hours=23)


@dataclass(frozen=True)
class Person:
    id: UUID
    token: str
    staff: bool


@dataclass(frozen=True)
class Logged:
    """An event of the log; `body` and `sequence` are of the message that it announces, if it announces one."""

    seq: int
    kind: str
    body: str | None
    sequence: int | None


@dataclass
class Desk:
    """Tickets by their database ids. `agents` see both streams of a ticket, `members` the public one."""

    url: str
    tickets: list[UUID]
    agents: list[Person]
    members: list[Person]
    folder: Path
    kept: dict[str, list[Logged]] = field(default_factory=dict)

    @property
    def people(self) -> list[Person]:
        return self.agents + self.members

    @property
    def topics(self) -> list[str]:
        return [topic for ticket in self.tickets for topic in streams_of(ticket)]

    @property
    def requester(self) -> Person:
        """The customer whose tickets these are: the others may read them."""
        return self.members[0]

    async def read_log(self) -> dict[str, list[Logged]]:
        """The whole log by topic, in order."""
        rows = await _rows(_EVENTS)
        messages = {str(row["id"]): row for row in await _rows(_MESSAGES)}
        log: dict[str, list[Logged]] = {topic: [] for topic in self.topics}
        for row in rows:
            told = json.loads(row["data"]).get("message") if row["kind"] == MESSAGE_ADDED else None
            message = messages.get(str(UUID(told)), {}) if told else {}
            log.setdefault(row["topic"], []).append(
                Logged(row["seq"], row["kind"], message.get("body"), message.get("sequence"))
            )
        return log

    async def positions(self) -> dict[str, tuple[int, int]]:
        """Head and floor by topic."""
        return {row["topic"]: (row["head"], row["floor"]) for row in await _rows(_STREAMS)}

    async def bodies(self) -> list[tuple[UUID, str, bool]]:
        """Ticket, text and whether customers see it, of every message there is."""
        return [
            (UUID(str(row["ticket_id"])), row["body"], row["visibility"] == "PUBLIC") for row in await _rows(_MESSAGES)
        ]


@asynccontextmanager
async def furnished(url: str, folder: Path, *, tickets: int) -> AsyncIterator[Desk]:
    """A desk on an empty, migrated database, which stays open for looking into."""
    async with open_database(url):
        acme = await make_organization("Acme")
        members = [await make_member(acme) for _ in range(MEMBERS)]
        agents = [await make_staff() for _ in range(AGENTS)]
        made = [await make_ticket(acme, members[0]) for _ in range(tickets)]
        settings = settings_for(url, folder)

        def person(user: models.User, staff: bool) -> Person:
            return Person(user.id, mint_access_token(settings, user.id, TOKEN_TTL), staff)

        yield Desk(
            url,
            sorted(ticket.id for ticket in made),
            [person(user, True) for user in agents],
            [person(user, False) for user in members],
            folder,
        )


def gid(ticket: UUID) -> str:
    return global_id("Ticket", ticket)


async def viewer_of(user: UUID) -> Any:
    viewer = await load_viewer(user)
    assert viewer is not None
    return viewer


async def _rows(query: str) -> list[dict[str, Any]]:
    """Asked again where a connection of the pool was cut since it was used last."""

    async def ask() -> list[dict[str, Any]]:
        return await reader().execute_query_dict(query)

    async with asyncio.timeout(PATIENCE):
        return await patiently(ask)


_EVENTS = "SELECT topic, seq, kind, data FROM feed_event ORDER BY topic, seq"
_STREAMS = "SELECT topic, head, floor FROM feed_stream"
_MESSAGES = "SELECT id, ticket_id, sequence, body, visibility FROM message"
