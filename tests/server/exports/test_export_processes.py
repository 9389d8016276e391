"""Jobs of several server processes: asked for at one, followed at another, and finished though one is killed."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import models
from domain.enums import Visibility
from models.database import open_database
from server.auth import mint_access_token
from tests.api.world import gid
from tests.databases import ENGINES, fresh_database
from tests.factories import LONG_AGO, make_member, make_organization, make_ticket
from tests.server.exports.conftest import JOB, kept
from tests.server.processes import Server, server_process, variables
from tests.server.running import PATIENCE, Watch, ask, http, open_socket, settings_for

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

EXPORT = "mutation($t: ID!) { ticketExport(input: {ticketId: $t}) { job { id } errors { message } } }"
WATCH = "subscription($j: ID!) { job(jobId: $j) { status progress resultUrl } }"


@dataclass(slots=True)
class Desk:
    url: str
    folder: Path
    ticket: str
    token: str

    @asynccontextmanager
    async def server(self) -> AsyncIterator[Server]:
        """One more process, on the same store."""
        async with server_process(variables(self.url, self.folder), self.folder) as server:
            yield server


@pytest.fixture(params=ENGINES)
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    """Ann's ticket has so much said on it that a document of it takes a while."""
    async with fresh_database(request.param, tmp_path) as url:
        async with open_database(url):
            acme = await make_organization("Acme")
            ann = await make_member(acme, name="Ann")
            ticket = await make_ticket(acme, ann, last_sequence=2000, last_public_sequence=2000)
            said: dict[str, Any] = {"kind": "CHAT", "source": "PORTAL", "visibility": Visibility.PUBLIC}
            await models.Message.bulk_create(
                models.Message(
                    ticket=ticket,
                    actor=ann,
                    sequence=number,
                    public_sequence=number,
                    occurred_at=LONG_AGO,
                    body=f"{number}: " + "It does not work. " * 30,
                    **said,
                )
                for number in range(1, 2001)
            )
        yield Desk(url, tmp_path, gid(ticket), mint_access_token(settings_for(url, tmp_path), ann.id))


async def begin(desk: Desk, server: Server) -> str:
    async with http(server.address, desk.token) as client:
        made = await ask(client, EXPORT, t=desk.ticket)
    job: str = made["ticketExport"]["job"]["id"]
    return job


async def until_running(watch: Watch) -> None:
    while (await watch.next())["status"] != "RUNNING":
        pass


async def test_a_job_asked_for_at_one_process_is_followed_at_another_and_fetched_there(desk: Desk) -> None:  # S72
    async with desk.server() as one, desk.server() as two, open_socket(two.address, desk.token) as socket:
        job = await begin(desk, one)
        watch = await socket.watch(WATCH, j=job)
        told = [await watch.next()]
        async with asyncio.timeout(4 * PATIENCE):
            while told[-1]["status"] != "SUCCEEDED":
                told.append(await watch.next())
        assert (await watch.message())["type"] == "complete"
        async with http(two.address) as client:
            url = urlsplit(told[-1]["resultUrl"])
            answer = await client.get(f"{url.path}?{url.query}")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF-")
    progress = [each["progress"] for each in told]
    assert progress == sorted(progress)
    assert progress[-1] == 1


async def test_a_job_whose_process_is_killed_is_done_by_another_and_once(desk: Desk) -> None:
    async with desk.server() as one:
        async with open_socket(one.address, desk.token) as socket:
            job = await begin(desk, one)
            await asyncio.wait_for(until_running(await socket.watch(WATCH, j=job)), PATIENCE)
        assert await one.kill() == -signal.SIGKILL
    async with open_database(desk.url):
        # As if the half minute were over, in which whoever holds it could still be heard of.
        assert (
            await models.Job.filter(status="RUNNING").update(held_until=datetime.now(UTC) - timedelta(seconds=1)) == 1
        )

    async with desk.server() as two, http(two.address, desk.token) as client:
        async with asyncio.timeout(4 * PATIENCE):
            while (found := (await ask(client, JOB, j=job))["job"])["status"] in ("QUEUED", "RUNNING"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    assert (found["status"], found["progress"], found["failed"]) == ("SUCCEEDED", 1, [])
    assert kept(desk.folder) == [f"{job.partition('_')[2]}-2"]


async def test_a_process_that_ends_gives_its_job_back_at_once(desk: Desk) -> None:
    async with desk.server() as one:
        async with open_socket(one.address, desk.token) as socket:
            job = await begin(desk, one)
            await asyncio.wait_for(until_running(await socket.watch(WATCH, j=job)), PATIENCE)
        assert await one.kill(signal.SIGTERM) == -signal.SIGTERM

    async with open_database(desk.url):
        (row,) = await models.Job.all()
    assert (row.status, row.attempts, row.holder) == ("QUEUED", 0, None)
