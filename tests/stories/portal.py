"""A portal as its people use it: over HTTP and websocket, against the real application on either engine. Time is moved;
the sweep that a server makes by itself is made when it is due.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from mimetypes import guess_type
from pathlib import Path
from typing import Any

import httpx2
import pytest

import models
import server.app
from server.sweeps import Swept, sweep_once
from tests.api.world import gid
from tests.clock import Clock
from tests.databases import fresh_database
from tests.factories import make_organization
from tests.server.running import Served, Socket, Watch, ask, http, serving, settings_for

ERRORS = """errors { code field message ... on TicketClosedError { ticket { reference } offersLinkedTicket } }"""
UPLOAD = """mutation($name: String!, $type: String!, $size: Int!) { attachmentUploadCreate(input: {
  fileName: $name, mediaType: $type, sizeBytes: $size}) { upload { attachment { id } uploadUrl } errors { code } } }"""


@dataclass(slots=True)
class Portal:
    """An organization on a running desk. Whoever is in `people` opens the portal when first named."""

    served: Served
    clock: Clock
    stack: AsyncExitStack
    acme: models.Organization
    people: dict[str, models.User] = field(default_factory=dict)
    clients: dict[str, httpx2.AsyncClient] = field(default_factory=dict)

    def id(self, name: str) -> str:
        return gid(self.people[name])

    async def client(self, name: str) -> httpx2.AsyncClient:
        if name not in self.clients:
            opened = http(self.served.address, self.served.token(self.people[name]))
            self.clients[name] = await self.stack.enter_async_context(opened)
        return self.clients[name]

    # --- reading

    async def asks(self, name: str, document: str, /, **variables: Any) -> Any:
        return await ask(await self.client(name), document, **variables)

    async def refused(self, name: str, document: str, /, **variables: Any) -> str:
        """The code of the error that a question is answered with."""
        client = await self.client(name)
        answer = (await client.post("/graphql", json={"query": document, "variables": variables})).json()
        code: str = answer["errors"][0]["extensions"]["code"]
        return code

    async def watches(self, name: str, document: str, /, **variables: Any) -> Watch:
        """On a socket of its own, from the moment on that everything was told that had been."""
        return await (await self.follows(name, document, **variables)).caught_up()

    async def follows(self, name: str, document: str, /, **variables: Any) -> Watch:
        return await (await self.socket(name)).watch(document, **variables)

    async def socket(self, name: str) -> Socket:
        return await self.stack.enter_async_context(self.served.socket(self.people[name]))

    async def gets(self, name: str, url: str) -> httpx2.Response:
        """What a signed address of ours answers; it is made for the public one, and a test listens elsewhere."""
        return await (await self.client(name)).get(here(url))

    # --- writing

    async def does(self, name: str, mutation: str, selection: str = "", /, **given: Any) -> Any:
        kind = f"{mutation[0].upper()}{mutation[1:]}Input"
        document = f"mutation($i: {kind}!) {{ {mutation}(input: $i) {{ {selection} {ERRORS} }} }}"
        return (await self.asks(name, document, i=given))[mutation]

    async def did(self, name: str, mutation: str, selection: str = "", /, **given: Any) -> Any:
        payload = await self.does(name, mutation, selection, **given)
        assert payload["errors"] == [], (mutation, payload)
        return payload

    async def code(self, name: str, mutation: str, /, **given: Any) -> str:
        """The code that a mutation is refused with."""
        (error,) = (await self.does(name, mutation, **given))["errors"]
        code: str = error["code"]
        return code

    async def says(self, name: str, ticket: str, body: str, **given: Any) -> Any:
        message = {"body": body, **given}
        return await self.does(name, "messageSend", ticketId=ticket, clientMessageId=body, message=message)

    async def attaches(self, name: str, file_name: str, content: bytes) -> str:
        """Announce a file and send its bytes where the server says; its id."""
        given = {"name": file_name, "type": guess_type(file_name)[0], "size": len(content)}
        made = (await self.asks(name, UPLOAD, **given))["attachmentUploadCreate"]
        assert made["errors"] == []
        sent = await (await self.client(name)).put(here(made["upload"]["uploadUrl"]), content=content)
        assert sent.status_code == 201, sent.text
        id: str = made["upload"]["attachment"]["id"]
        return id

    async def opens(self, name: str, subject: str, **given: Any) -> str:
        values = {"organizationId": gid(self.acme), "requestTypeKey": "TECHNICAL", "description": "It stays black."}
        made = await self.did(name, "ticketCreate", "ticket { id }", subject=subject, **values | given)
        id: str = made["ticket"]["id"]
        return id

    # --- time

    async def sweeps(self, after: timedelta) -> Swept:
        """So much later, what is due by itself; nothing of the log is let go."""
        self.clock.now += after
        return await sweep_once(self.served.casewire.services, self.served.settings)


async def until(state: Watch, **expected: Any) -> Any:
    """The ticket as it is told, with one of the items of its timeline, once it is as expected."""
    while True:
        told = (await state.next())["ticket"]
        if {name: told[name] for name in expected} == expected:
            return told


def here(url: str) -> str:
    """The path of an address of ours."""
    return url.removeprefix("http://127.0.0.1:8000")


@asynccontextmanager
async def open_portal(
    engine: str, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = "Acme", **organization: Any
) -> AsyncIterator[Portal]:
    clock = Clock(datetime.now(UTC))
    monkeypatch.setattr(server.app, "utc_now", clock)
    async with (
        fresh_database(engine, folder) as url,
        serving(settings_for(url, folder)) as served,
        AsyncExitStack() as stack,
    ):
        yield Portal(served, clock, stack, await make_organization(name, **organization))
