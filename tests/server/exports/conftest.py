"""A worker, and the route that hands out what it has made."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from starlette.applications import Starlette

import models
from resolvers.context import Services
from server.jobs import Worker
from server.results import result_routes
from server.settings import Settings
from server.storage import Storage, storage_from
from tests.api.operations import mutate
from tests.api.world import gid
from tests.client import Client
from tests.server.running import settings_for

JOB = """query($j: ID!) { job(id: $j) { status progress total resultUrl expiresAt finishedAt createdAt
  failed { objectId error { code message } } } }"""

Work = Callable[[], Awaitable[bool]]
Fetch = Callable[[Client, str], Awaitable[httpx2.Response]]


@pytest.fixture
def settings(db: str, tmp_path: Path) -> Settings:
    return settings_for(db, tmp_path)


@pytest.fixture
def storage(settings: Settings) -> Storage:
    return storage_from(settings)


@pytest.fixture
def worker(services: Services, storage: Storage, settings: Settings) -> Worker:
    return Worker(services, storage, settings)


@pytest.fixture
def work(worker: Worker) -> Work:
    """Do the job that has waited longest."""

    async def once() -> bool:
        async with asyncio.timeout(30):
            return await worker.work()

    return once


@pytest.fixture
async def http(services: Services, storage: Storage) -> AsyncIterator[httpx2.AsyncClient]:
    app = Starlette(routes=[*result_routes(services, storage)])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), timeout=5) as client:
        yield client


@pytest.fixture
def fetch(http: httpx2.AsyncClient) -> Fetch:
    """What a job's `resultUrl` gives."""

    async def get(client: Client, job: str) -> httpx2.Response:
        return await http.get((await state(client, job))["resultUrl"])

    return get


async def ask_for(client: Client, ticket: models.Ticket, **given: Any) -> str:
    """The id of the job of an export that is not refused."""
    made = await mutate(client, "ticketExport", "job { id }", ticketId=gid(ticket), **given)
    job: str = made["job"]["id"]
    return job


async def state(client: Client, job: str) -> Any:
    return (await client.ask(JOB, j=job))["job"]


def kept(folder: Path) -> list[str]:
    """The results that are in the store."""
    results = folder / "attachments" / "results"
    return sorted(each.name for each in results.rglob("*") if each.is_file())


def path_of(url: str) -> str:
    return urlsplit(url).path
