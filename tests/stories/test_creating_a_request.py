"""Creating a request in a portal, from choosing what it is about to seeing it in the lists (S16–S33).

As a user of such a portal does it: over HTTP and a WebSocket, against the real application.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

import models
from domain.enums import CertificateKind, OrganizationRole, TicketStatus
from resolvers.catalog import ship_request_types
from tests.api.world import gid
from tests.databases import fresh_sqlite
from tests.factories import make_member, make_organization, make_ticket
from tests.server.running import Served, ask, http, serving, settings_for

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

DAY = timedelta(days=1)
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(2000)

PROJECTS = "{ supportProjects { id name requestTypes { key } } }"
TYPES = """query($o: ID!) { organization(id: $o) { requestTypes(includeAbsent: true) {
  key availability(organizationId: $o) requiredFields { key } classifications { id name } issueTypes { id name } }
  certificates { id number kind isActive } } }"""
PRODUCTS = """query($text: String) { products(text: $text, first: 5) { nodes { id name
  versions { id name updates { id name } } } } }"""
SUGGEST = """query($subject: String!, $p: ID) { suggestedSolutions(subject: $subject, productId: $p) { title } }"""
UPLOAD = """mutation($name: String!, $size: Int!) { attachmentUploadCreate(input: {
  fileName: $name, mediaType: "image/png", sizeBytes: $size}) {
  upload { attachment { id } uploadUrl } errors { code } } }"""
SAVE = "mutation($input: DraftSaveInput!) { draftSave(input: $input) { draft { id } errors { code field } } }"
DRAFTS = """{ viewer { drafts(first: 10) { nodes { id origin subject description requestType { key }
  product { id } productVersion { id } productUpdate { id } certificate { id }
  attachments { fileName sizeBytes } } } } }"""
SUBMIT = """mutation($d: ID!) { draftSubmit(input: {draftId: $d}) { ticket { id reference status
  attachments { nodes { downloadUrl } } } draft { id } errors { code field } } }"""
LIST = """subscription($o: ID, $scope: TicketListScope!) { tickets(scope: $scope, organizationId: $o) { __typename
  ... on TicketChange { changeType cursor ticket { reference subject } } ... on StreamCaughtUp { cursor } } }"""
OPEN = """query($t: ID!) { ticket(id: $t) { subject description requestType { key handlerLabel }
  productUpdate { name } certificate { number } messages { nodes { body attachments { fileName } } } } }"""


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(settings_for(await fresh_sqlite(tmp_path), tmp_path)) as served:
        await ship_request_types()
        yield served


async def put(client: httpx2.AsyncClient, name: str, content: bytes) -> str:
    """Attach a file: announce it, and send its bytes where the server says; returns its id."""
    made = (await ask(client, UPLOAD, name=name, size=len(content)))["attachmentUploadCreate"]
    assert made["errors"] == []
    sent = await client.put(here(client, made["upload"]["uploadUrl"]), content=content)
    assert sent.status_code == 201, sent.text
    file: str = made["upload"]["attachment"]["id"]
    return file


def here(client: httpx2.AsyncClient, address: str) -> str:
    """The server of a test listens on whatever port is free, which its public address cannot know."""
    return str(client.base_url).rstrip("/") + address.removeprefix("http://127.0.0.1:8000")


async def furnish(acme: models.Organization) -> None:
    """A product with an update, a certificate for it that is good for another while, and one that has ended."""
    product = await models.Product.create(name="Orba Bar 2")
    version = await models.ProductVersion.create(product=product, name="2.5")
    await models.ProductUpdate.create(version=version, name="2.5.1")
    today = datetime.now(UTC).date()
    for number, kind, last in (("TS-1", "TECHNICAL_SUPPORT", 30), ("TR-1", "TRAINING", -30)):
        certificate = await models.ServiceCertificate.create(
            organization=acme, number=number, kind=CertificateKind(kind),
            starts_at=today - 300 * DAY, ends_at=today + last * DAY,
        )  # fmt: skip
        await certificate.products.add(product)


async def fill_in(client: httpx2.AsyncClient, organization: str) -> dict[str, Any]:
    """Choose step by step what the portal offers; what is required and why comes from the server (S16–S20)."""
    projects = (await ask(client, PROJECTS))["supportProjects"]
    assert "TECHNICAL" in {each["key"] for project in projects for each in project["requestTypes"]}
    offer = (await ask(client, TYPES, o=organization))["organization"]
    types = {each["key"]: each for each in offer["requestTypes"]}
    assert {key: each["availability"] for key, each in types.items()} == {
        "TECHNICAL": "AVAILABLE",
        "SERVICES": "ABSENT",
        "COMMERCIAL": "AVAILABLE",
        "PORTAL": "AVAILABLE",
    }
    required = [each["key"] for each in types["TECHNICAL"]["requiredFields"]]
    (product,) = (await ask(client, PRODUCTS, text="bar"))["products"]["nodes"]
    (version,) = product["versions"]
    (certificate,) = [each for each in offer["certificates"] if each["isActive"]]
    form = {
        "subject": "The picture turns black",
        "description": "After ten minutes of a call, since Monday.",
        "productId": product["id"],
        "productVersionId": version["id"],
        "productUpdateId": version["updates"][0]["id"],
        "certificateId": certificate["id"],
    }
    assert required == list(form)
    return {"organizationId": organization, "requestTypeKey": "TECHNICAL", **form}


async def test_a_request_is_written_left_resumed_and_submitted(desk: Served) -> None:
    """S16–S19, S21–S26, S29, S48."""
    acme = await make_organization("Acme")
    ann, owner = await make_member(acme, name="Ann"), await make_member(acme, OrganizationRole.OWNER, "Olga")
    await furnish(acme)
    bar = await models.Product.get()
    await make_ticket(
        acme, owner, product=bar, subject="Black picture in long calls",
        status=TicketStatus.RESOLVED, resolved_at=datetime.now(UTC),
    )  # fmt: skip

    async with http(desk.address, desk.token(ann)) as client, http(desk.address, desk.token(owner)) as olga:
        form = await fill_in(client, gid(acme))
        suggested = (await ask(client, SUGGEST, subject="picture black", p=form["productId"]))["suggestedSolutions"]

        # Saved as it grows, with files, and put aside.
        first = {name: form[name] for name in ("organizationId", "requestTypeKey", "subject")}
        draft = (await ask(client, SAVE, input=first))["draftSave"]["draft"]["id"]
        files = [await put(client, f"photo {n}.png", PICTURE + bytes([n])) for n in range(2)]
        partly = {**form, "certificateId": None, "draftId": draft, "origin": "CANCELLED", "attachmentIds": files}
        await ask(client, SAVE, input=partly)

        # Resumed: by nobody else, and what is missing is told by its field.
        (resumed,) = (await ask(client, DRAFTS))["viewer"]["drafts"]["nodes"]
        assert (await ask(olga, DRAFTS))["viewer"]["drafts"]["nodes"] == []
        refused = (await ask(client, SUBMIT, d=draft))["draftSubmit"]
        await ask(client, SAVE, input={**partly, "certificateId": form["certificateId"]})

        # Submitted: it appears at once in Ann's list and in the organization's.
        async with desk.socket(ann) as hers, desk.socket(owner) as theirs:
            mine = await (await hers.watch(LIST, scope="MINE")).caught_up()
            organizations = await (await theirs.watch(LIST, scope="ORGANIZATION", o=gid(acme))).caught_up()
            opened = (await ask(client, SUBMIT, d=draft))["draftSubmit"]
            told = [await mine.next(), await organizations.next()]
        again = (await ask(client, SUBMIT, d=draft))["draftSubmit"]
        shown = (await ask(olga, OPEN, t=opened["ticket"]["id"]))["ticket"]
        left = (await ask(client, DRAFTS))["viewer"]["drafts"]["nodes"]
        url = opened["ticket"]["attachments"]["nodes"][0]["downloadUrl"]
        downloaded = await client.get(here(client, url))

    assert suggested == [{"title": "Black picture in long calls"}]
    assert (resumed["id"], resumed["origin"], resumed["subject"]) == (draft, "CANCELLED", "The picture turns black")
    assert resumed["attachments"] == [{"fileName": f"photo {n}.png", "sizeBytes": 2009} for n in range(2)]
    assert (refused["ticket"], refused["errors"]) == (
        None,
        [{"code": "CERTIFICATE_REQUIRED", "field": ["input", "certificateId"]}],
    )
    assert (opened["errors"], opened["draft"], left) == ([], None, [])
    assert again["ticket"]["reference"] == opened["ticket"]["reference"]
    expected = {"reference": opened["ticket"]["reference"], "subject": "The picture turns black"}
    assert [(each["changeType"], each["ticket"]) for each in told] == [("ADDED", expected)] * 2
    assert shown == {
        "subject": "The picture turns black",
        "description": "After ten minutes of a call, since Monday.",
        "requestType": {"key": "TECHNICAL", "handlerLabel": "Support engineer"},
        "productUpdate": {"name": "2.5.1"},
        "certificate": {"number": "TS-1"},
        "messages": {
            "nodes": [
                {
                    "body": "After ten minutes of a call, since Monday.",
                    "attachments": [{"fileName": "photo 0.png"}, {"fileName": "photo 1.png"}],
                }
            ]
        },
    }
    assert (downloaded.status_code, downloaded.content) == (200, PICTURE + b"\0")
