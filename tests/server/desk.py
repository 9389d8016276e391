"""A ticket with people on both sides of it, on a running server: what the tests of the fan-out follow."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import models
from schema.node import global_id
from tests.databases import fresh_database
from tests.factories import make_member, make_organization, make_staff, make_ticket
from tests.server.running import Served, Socket, Watch, serving, settings_for, until

MESSAGES = """subscription($t: ID!, $after: Cursor) { messages(ticketId: $t, after: $after) { __typename
  ... on MessageChange { changeType cursor message { body sequence visibility actor { displayName } } }
  ... on StreamCaughtUp { cursor } ... on StreamReset { reason cursor } } }"""


@dataclass(slots=True)
class Desk:
    served: Served
    ticket: models.Ticket
    organization: models.Organization
    ann: models.User
    bob: models.User
    sam: models.User
    kim: models.User
    stack: AsyncExitStack

    @property
    def id(self) -> str:
        return global_id("Ticket", self.ticket.id)

    async def socket(self, user: models.User, **given: Any) -> Socket:
        return await self.stack.enter_async_context(self.served.socket(user, **given))

    async def watch(self, user: models.User, document: str = MESSAGES, **variables: Any) -> Watch:
        """A socket of its own that follows the ticket."""
        return await (await self.socket(user)).watch(document, t=self.id, **variables)

    async def members(self, user: models.User, number: int, document: str = MESSAGES, **variables: Any) -> list[Watch]:
        """So many watchers that have caught up, and that no task of their own is left for."""
        before = self.grouped
        watches = [await (await self.watch(user, document, **variables)).caught_up() for _ in range(number)]
        await until(lambda: self.grouped == before + number)
        return watches

    @property
    def grouped(self) -> int:
        return sum(len(group.members) for group in self.served.fanout.groups.values())

    async def say(self, *texts: str) -> None:
        """Sam answers the customer."""
        await self.served.say(self.sam, self.ticket, *texts)

    async def whisper(self, *texts: str) -> None:
        """Sam writes for support alone."""
        await self.served.whisper(self.sam, self.ticket, *texts)


@asynccontextmanager
async def running_desk(
    engine: str, folder: Path, *, settings: dict[str, Any] | None = None, **given: Any
) -> AsyncIterator[Desk]:
    """Ann and Bob are customers of one organization, Sam and Kim are agents; the ticket's stream has begun."""
    async with (
        fresh_database(engine, folder) as url,
        serving(settings_for(url, folder, **(settings or {})), **given) as served,
        AsyncExitStack() as stack,
    ):
        acme = await make_organization("Acme")
        ann, bob = await make_member(acme, name="Ann"), await make_member(acme, name="Bob")
        sam, kim = await make_staff(name="Sam"), await make_staff(name="Kim")
        desk = Desk(served, await make_ticket(acme, ann), acme, ann, bob, sam, kim, stack)
        await served.say(ann, desk.ticket, "It is broken")
        yield desk
