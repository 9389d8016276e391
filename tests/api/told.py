"""A ticket with people on it, and what each of them is told."""

from typing import Any

import models
from domain.policy import ANONYMOUS
from resolvers.context import Context, Services
from resolvers.notices import tell_pending
from tests.client import Client
from tests.factories import make_member, make_organization, make_participant, make_staff, make_ticket

LIST = """query($unread: Boolean, $first: Int, $after: Cursor) { viewer {
  notifications(unreadOnly: $unread, first: $first, after: $after) {
    totalCount pageInfo { endCursor } nodes { id kind text createdAt readAt ticket { reference } } } } }"""


class Desk:
    """Ann's ticket, in which Bob takes part; Sam handles it, Pat is from support too."""

    def __init__(self, services: Services, people: dict[str, models.User], ticket: models.Ticket) -> None:
        self.services, self.people, self.ticket = services, people, ticket
        self.ann, self.bob, self.sam, self.pat = (Client(services, each) for each in people.values())

    async def tell(self) -> int:
        """One round of the worker."""
        return await tell_pending(Context(ANONYMOUS, self.services))

    async def told(self, client: Client, **given: Any) -> list[tuple[str, str]]:
        """Kinds and texts, newest first."""
        await self.tell()
        found = (await client.ask(LIST, **given))["viewer"]["notifications"]
        assert found["totalCount"] == len(found["nodes"])
        return [(each["kind"], each["text"]) for each in found["nodes"]]

    async def unread_ids(self, client: Client) -> list[str]:
        await self.tell()
        nodes = (await client.ask(LIST, unread=True))["viewer"]["notifications"]["nodes"]
        return [each["id"] for each in nodes]


async def make_desk(services: Services) -> Desk:
    acme = await make_organization("Acme")
    people = {name: await make_member(acme, name=name) for name in ("Ann", "Bob")}
    people |= {name: await make_staff(name=name) for name in ("Sam", "Pat")}
    ticket = await make_ticket(acme, people["Ann"], assignee=people["Sam"], reference="T-7")
    await make_participant(ticket, people["Bob"])
    return Desk(services, people, ticket)
