"""The bytes of attachments: what is taken, what is handed out to whom, and what is swept (S53, S07, J4)."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import models
from domain.enums import Confidentiality, OrganizationRole
from resolvers.context import Services
from server.settings import Settings
from server.storage import Storage, storage_from
from server.sweeps import sweep_once
from server.uploads import attachment_routes
from tests.api.operations import mutate, send
from tests.api.world import gid
from tests.client import Client
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import make_file, make_member, make_organization, make_staff, make_ticket
from tests.server.running import settings_for

pytestmark = pytest.mark.anyio

HELLO = b"hello"
URL = "query($f: ID!) { node(id: $f) { ... on Attachment { downloadUrl } } }"


@pytest.fixture
def settings(db: str, tmp_path: Path) -> Settings:
    return settings_for(db, tmp_path)


@pytest.fixture
def storage(settings: Settings) -> Storage:
    return storage_from(settings)


@pytest.fixture
async def http(services: Services, storage: Storage) -> AsyncIterator[httpx2.AsyncClient]:
    app = Starlette(routes=[*attachment_routes(services, storage)])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), timeout=5) as client:
        yield client


@pytest.fixture
async def ann(db: str) -> models.User:
    return await make_member(await make_organization("Acme"), name="Ann")


async def announce(client: Client, name: str = "log.txt", content: bytes = HELLO, **given: Any) -> tuple[str, str]:
    """The id of a file that is to be sent, and the address to send it to."""
    values = {"fileName": name, "mediaType": "x", "sizeBytes": len(content), **given}
    made = await mutate(client, "attachmentUploadCreate", "upload { attachment { id } uploadUrl }", **values)
    return made["upload"]["attachment"]["id"], made["upload"]["uploadUrl"]


def kept(folder: Path) -> list[str]:
    """What is in the store: names of files, half-written ones too."""
    return sorted(each.name for each in (folder / "attachments").rglob("*") if each.is_file())


async def test_what_is_sent_is_handed_out_again_to_be_saved(
    as_user: AsUser, ann: models.User, http: httpx2.AsyncClient, tmp_path: Path
) -> None:  # S23, S48
    content = bytes(range(32, 127)) * 5000
    file, address = await announce(as_user(ann), "Büro, 2. Stock.txt", content)

    put = await http.put(address, content=content)
    got = await http.get((await as_user(ann).ask(URL, f=file))["node"]["downloadUrl"])

    checksum = sha256(content).hexdigest()
    assert (put.status_code, put.json()) == (201, {"sizeBytes": 475_000, "checksum": checksum})
    assert (got.status_code, got.content) == (200, content)
    assert {name: got.headers[name] for name in ("content-type", "content-length", "content-disposition")} == {
        "content-type": "text/plain; charset=utf-8",
        "content-length": "475000",
        "content-disposition": "attachment; filename*=UTF-8''B%C3%BCro%2C%202.%20Stock.txt",
    }
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert kept(tmp_path) == [f"{file.removeprefix('Attachment_')}-{checksum}"]


@pytest.mark.parametrize(
    ("name", "announced", "sent", "status", "code"),
    [
        ("a.txt", 512_000, b"x" * 512_001, 413, "FILE_TOO_LARGE"),
        ("a.txt", 5, b"hello!", 413, "FILE_TOO_LARGE"),
        ("a.txt", 5, b"hell", 400, "INVALID"),
        ("a.txt", 5, b"", 400, "INVALID"),
        ("a.pdf", 5, b"hello", 415, "FILE_TYPE_NOT_ALLOWED"),
        ("a.csv", 6, b"<html>", 415, "FILE_TYPE_NOT_ALLOWED"),
        ("a.png", 8, b"\x89PNG\r\n\x1a\x00", 415, "FILE_TYPE_NOT_ALLOWED"),
    ],
)
async def test_bytes_that_are_not_what_was_announced_are_not_kept(
    as_user: AsUser,
    ann: models.User,
    http: httpx2.AsyncClient,
    tmp_path: Path,
    name: str,
    announced: int,
    sent: bytes,
    status: int,
    code: str,
) -> None:  # S53
    file, address = await announce(as_user(ann), name, sizeBytes=announced)

    answer = await http.put(address, content=sent)

    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert kept(tmp_path) == []
    assert (await as_user(ann).ask(URL, f=file))["node"]["downloadUrl"] is None


async def test_a_file_of_512000_bytes_is_kept_whole(
    as_user: AsUser, ann: models.User, http: httpx2.AsyncClient, storage: Storage
) -> None:  # S53
    content = b"x" * 512_000
    _, address = await announce(as_user(ann), content=content)

    assert (await http.put(address, content=content)).status_code == 201

    row = await models.Attachment.get()
    assert b"".join([piece async for piece in await storage.read(row.blob_key)]) == content


async def test_a_body_without_end_is_cut_off_where_the_file_should_end(
    as_user: AsUser, ann: models.User, http: httpx2.AsyncClient, tmp_path: Path
) -> None:
    _, address = await announce(as_user(ann))
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while read < 100_000_000:
            read += 1000
            yield b"x" * 1000

    answer = await http.put(address, content=endless())

    # ASGITransport hands over each piece as it is asked for: nothing after the first too many was.
    assert (answer.status_code, kept(tmp_path)) == (413, [])
    assert read < 100_000


async def test_an_announced_checksum_is_held_to(
    as_user: AsUser, ann: models.User, http: httpx2.AsyncClient, tmp_path: Path
) -> None:
    _, address = await announce(as_user(ann), checksum=sha256(b"hullo").hexdigest())

    refused = await http.put(address, content=HELLO)
    taken = await http.put(address, content=b"hullo")

    assert (refused.status_code, taken.status_code) == (400, 201)
    assert len(kept(tmp_path)) == 1


async def test_a_file_is_sent_once_and_a_retry_changes_nothing(
    as_user: AsUser, ann: models.User, http: httpx2.AsyncClient, tmp_path: Path
) -> None:
    file, address = await announce(as_user(ann))

    sent = await asyncio.gather(*(http.put(address, content=each) for each in (HELLO, b"hullo", HELLO, b"hullo")))

    row = await models.Attachment.get()
    statuses = sorted(each.status_code for each in sent)
    assert statuses == [201, 201, 409, 409]
    assert kept(tmp_path) == [row.blob_key]
    got = await http.get((await as_user(ann).ask(URL, f=file))["node"]["downloadUrl"])
    assert sha256(got.content).hexdigest() == row.checksum


async def test_an_address_is_good_until_it_expires_and_for_what_it_was_made(
    as_user: AsUser, ann: models.User, http: httpx2.AsyncClient, clock: Clock
) -> None:
    (file, address), (_, second) = await announce(as_user(ann)), await announce(as_user(ann))
    await http.put(address, content=HELLO)
    download = (await as_user(ann).ask(URL, f=file))["node"]["downloadUrl"]

    forged = {
        "of another file": urlsplit(address)._replace(query=urlsplit(second).query).geturl(),
        "later": address.replace("expires=1", "expires=2"),
        "for reading": download.replace("signature=", "signature=0"),
        "by others": address.replace("viewer=0", "viewer=1"),
        "unsigned": address.partition("?")[0],
        "no number": address.replace("expires=1", "expires=x"),
        "endless": address.replace("expires=1", f"expires={'9' * 30}"),
        "no id": address.replace(file.removeprefix("Attachment_"), "etc"),
    }
    for how, each in forged.items():
        assert (await http.put(each, content=HELLO)).status_code == 403, how
        assert (await http.get(each)).status_code == 403, how
    assert (await http.put(download, content=HELLO)).status_code == 403
    assert (await http.get(address)).status_code == 403

    clock.advance(minutes=4, seconds=59)
    assert (await http.get(download)).status_code == 200
    clock.advance(seconds=1)
    assert (await http.get(download)).status_code == 403
    clock.advance(minutes=9, seconds=59)
    assert (await http.put(second, content=HELLO)).status_code == 201
    clock.advance(seconds=1)
    assert (await http.put(second, content=HELLO)).status_code == 403


async def test_an_address_ends_with_the_right_to_see_the_file(
    as_user: AsUser, ann: models.User, http: httpx2.AsyncClient
) -> None:
    """S07, S11, S12, J4: what was handed out yesterday is asked about today."""
    acme = await models.Organization.get(name="Acme")
    owner, agent = await make_member(acme, OrganizationRole.OWNER), await make_staff()
    ticket = await make_ticket(acme, ann)
    file, address = await announce(as_user(ann))
    await http.put(address, content=HELLO)
    await send(as_user(ann), ticket, message={"attachmentIds": [file]})
    urls = {each.id: (await as_user(each).ask(URL, f=file))["node"]["downloadUrl"] for each in (ann, owner, agent)}

    async def statuses() -> list[int]:
        return [(await http.get(urls[each.id])).status_code for each in (ann, owner, agent)]

    assert await statuses() == [200, 200, 200]
    await models.Organization.filter(id=acme.id).update(history_starts_at=ticket.created_at + timedelta(microseconds=1))
    assert await statuses() == [404, 404, 200]  # S12
    await models.Organization.filter(id=acme.id).update(history_starts_at=ticket.created_at)
    assert await statuses() == [200, 200, 200]
    await models.Organization.filter(id=acme.id).update(history_availability="UNAVAILABLE_REGULATORY")
    assert await statuses() == [404, 404, 200]  # S11
    await models.Organization.filter(id=acme.id).update(history_availability="AVAILABLE")
    await models.Ticket.filter(id=ticket.id).update(confidentiality=Confidentiality.AUTHOR_ONLY)
    assert await statuses() == [200, 404, 200]
    await models.Membership.filter(user_id=ann.id).delete()
    assert await statuses() == [404, 404, 200]
    await models.User.filter(id=agent.id).update(is_active=False)
    assert await statuses() == [404, 404, 403]


async def test_a_file_that_is_not_in_the_store_is_not_found(
    as_user: AsUser, ann: models.User, http: httpx2.AsyncClient
) -> None:
    file = await make_file(ann)

    got = await http.get((await as_user(ann).ask(URL, f=gid(file)))["node"]["downloadUrl"])

    assert (got.status_code, got.json()["error"]) == (404, "NOT_FOUND")


async def test_what_nobody_attaches_within_a_day_is_swept_with_its_bytes(
    as_user: AsUser,
    services: Services,
    settings: Settings,
    ann: models.User,
    http: httpx2.AsyncClient,
    clock: Clock,
    tmp_path: Path,
) -> None:
    """S23: and what is on a ticket stays; what was taken back goes at once."""
    ticket = await make_ticket(await models.Organization.get(name="Acme"), ann)
    files = [await announce(as_user(ann)) for _ in range(4)]
    for _, address in files[:3]:
        await http.put(address, content=HELLO)
    await send(as_user(ann), ticket, message={"attachmentIds": [files[0][0]]})
    await mutate(as_user(ann), "attachmentDelete", "attachmentId", attachmentId=files[1][0])
    assert len(kept(tmp_path)) == 3

    swept = [(await sweep_once(services, settings)).files_deleted]
    clock.advance(hours=24)
    swept += [(await sweep_once(services, settings)).files_deleted]
    assert len(kept(tmp_path)) == 2
    clock.advance(seconds=1)
    swept += [(await sweep_once(services, settings)).files_deleted for _ in range(2)]

    assert swept == [1, 0, 2, 0]
    (left,) = await models.Attachment.all()
    assert (gid(left), kept(tmp_path)) == (files[0][0], [left.blob_key])


async def test_bytes_that_a_copy_shares_stay_until_the_last_of_them_goes(
    as_user: AsUser,
    services: Services,
    settings: Settings,
    ann: models.User,
    http: httpx2.AsyncClient,
    tmp_path: Path,
) -> None:
    """A message that was split off has the files of the one it copies."""
    ticket, agent = await make_ticket(await models.Organization.get(name="Acme"), ann), as_user(await make_staff())
    file, address = await announce(as_user(ann))
    await http.put(address, content=HELLO)
    sent = await send(as_user(ann), ticket, message={"attachmentIds": [file]})
    given = {"ticketId": gid(ticket), "messageIds": [sent["message"]["id"]], "subject": "Of its own"}
    assert (await mutate(agent, "ticketSplit", "ticket { id }", **given))["errors"] == []
    copy = gid(await models.Attachment.get(copy_of__isnull=False))

    left = []
    for each in (file, copy):
        url = (await as_user(ann).ask(URL, f=copy))["node"]["downloadUrl"]
        assert (await http.get(url)).content == HELLO
        await mutate(agent, "attachmentDelete", "attachmentId", attachmentId=each)
        left += [((await sweep_once(services, settings)).files_deleted, len(kept(tmp_path)))]

    assert left == [(1, 1), (1, 0)]


# --- a bucket instead of a folder


@asynccontextmanager
async def bucket() -> AsyncIterator[tuple[str, dict[str, bytes]]]:
    """The part of S3 that is used, over real HTTP: its address, and what is in it by path."""
    blobs: dict[str, bytes] = {}

    async def answer(request: Request) -> Response:
        path = request.url.path
        assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=key/")
        if request.method == "PUT":
            blobs[path] = await request.body()
            return Response(headers={"ETag": '"1"'})
        if request.method == "POST":
            (key,) = re.findall("<Key>(.+?)</Key>", (await request.body()).decode())
            blobs.pop(f"{path}/{key}", None)
            return Response(f"<DeleteResult><Deleted><Key>{key}</Key></Deleted></DeleteResult>")
        if path not in blobs:
            return Response("<Error><Code>NoSuchKey</Code></Error>", 404)
        modified = {"ETag": '"1"', "Last-Modified": "Mon, 02 Mar 2026 09:00:00 GMT"}
        return Response(blobs[path], headers=modified)

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "PUT", "POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off"))
    running = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(5):
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event to wait for
                await asyncio.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"s3://desk/files?endpoint=http://127.0.0.1:{port}&region=eu-south-1", blobs
    finally:
        server.should_exit = True
        await running


async def test_files_can_be_kept_in_a_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    async with bucket() as (url, blobs):
        storage = storage_from(settings_for("sqlite://unused", tmp_path, attachments_url=url))
        await storage.put("one", HELLO)
        there = dict(blobs)
        read = b"".join([piece async for piece in await storage.read("one")])
        await storage.delete("one")
        await storage.delete("one")
        with pytest.raises(FileNotFoundError):
            await storage.read("one")

    assert (there, read, blobs) == ({"/desk/files/one": HELLO}, HELLO, {})


async def test_an_address_begins_where_clients_reach_the_server(as_user: AsUser, ann: models.User) -> None:
    _, address = await announce(as_user(ann))

    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc) == ("http", "127.0.0.1:8000")
    assert parse_qs(parts.query).keys() == {"viewer", "expires", "signature"}
