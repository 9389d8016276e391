"""Astra's portal, creating a request: from choosing what it is about to seeing it in the lists (S16–S26, S29, S30)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import models
from domain.enums import CertificateKind, OrganizationRole, TicketStatus
from resolvers.catalog import ship_request_types
from tests.api.world import gid
from tests.factories import make_member, make_ticket
from tests.stories.portal import Portal, open_portal

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

DAY = timedelta(days=1)
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(2000)

PROJECTS = "{ supportProjects { name requestTypes { key } } }"
TYPES = """query($o: ID!) { organization(id: $o) { requestTypes(includeAbsent: true) {
  key availability(organizationId: $o) availabilityReason(organizationId: $o) requiredFields { key }
  classifications { id name } } certificates { id number isActive } } }"""
PRODUCTS = """query($text: String) { products(text: $text, first: 5) { nodes { id name
  versions { id name updates { id name } } } } }"""
SUGGEST = """query($subject: String!, $p: ID) { suggestedSolutions(subject: $subject, productId: $p) { title } }"""
DRAFTS = """{ viewer { drafts(first: 10) { nodes { id origin failureReason subject description requestType { key }
  attachments { fileName sizeBytes } } } } }"""
SUBMIT = "ticket { id reference status attachments { nodes { downloadUrl } } } draft { id }"
LIST = """subscription($o: ID, $scope: TicketListScope!) { tickets(scope: $scope, organizationId: $o) { __typename
  ... on TicketChange { changeType cursor ticket { reference subject } } ... on StreamCaughtUp { cursor } } }"""
OPEN = """query($t: ID!) { ticket(id: $t) { subject description requestType { key handlerLabel } classification { name }
  productUpdate { name } certificate { number } messages { nodes { body attachments { fileName } } } } }"""


@pytest.fixture
async def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Portal]:
    """Ann writes, Olga owns. There is a certificate for technical support, and none for services yet."""
    async with open_portal("sqlite", tmp_path, monkeypatch) as portal:
        await ship_request_types()
        portal.people["Ann"] = await make_member(portal.acme, name="Ann")
        portal.people["Olga"] = await make_member(portal.acme, OrganizationRole.OWNER, "Olga")
        version = await models.ProductVersion.create(product=await models.Product.create(name="Orba Bar 2"), name="2.5")
        await models.ProductUpdate.create(version=version, name="2.5.1")
        await certify(portal, "TS-1", CertificateKind.TECHNICAL_SUPPORT, days=30)
        await certify(portal, "TR-1", CertificateKind.TRAINING, days=-30)
        yield portal


async def certify(portal: Portal, number: str, kind: CertificateKind, days: int) -> str:
    """A certificate for the product, for so many days more; its id."""
    today = datetime.now(UTC).date()
    made = await models.ServiceCertificate.create(
        organization=portal.acme, number=number, kind=kind, starts_at=today - 300 * DAY, ends_at=today + days * DAY
    )
    await made.products.add(await models.Product.get())
    return gid(made)


async def types(portal: Portal) -> dict[str, Any]:
    """What may be asked for, by key."""
    offer = (await portal.asks("Ann", TYPES, o=gid(portal.acme)))["organization"]
    return {each["key"]: each for each in offer["requestTypes"]} | {"certificates": offer["certificates"]}


async def choose(portal: Portal) -> dict[str, Any]:
    """The form of a technical request, chosen step by step as it is offered (S16–S19)."""
    projects = (await portal.asks("Ann", PROJECTS))["supportProjects"]
    assert {project["name"]: [each["key"] for each in project["requestTypes"]] for project in projects} == {
        "Account and portal": ["PORTAL", "COMMERCIAL"],
        "Product support": ["TECHNICAL"],
        "Professional services": ["SERVICES"],
    }
    offer = await types(portal)
    assert {key: offer[key]["availability"] for key in ("TECHNICAL", "SERVICES", "COMMERCIAL", "PORTAL")} == {
        "TECHNICAL": "AVAILABLE",
        "SERVICES": "ABSENT",
        "COMMERCIAL": "AVAILABLE",
        "PORTAL": "AVAILABLE",
    }
    (product,) = (await portal.asks("Ann", PRODUCTS, text="bar"))["products"]["nodes"]
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
    assert [each["key"] for each in offer["TECHNICAL"]["requiredFields"]] == list(form)
    return {"organizationId": gid(portal.acme), "requestTypeKey": "TECHNICAL", **form}


async def drafts(portal: Portal, name: str = "Ann") -> Any:
    return (await portal.asks(name, DRAFTS))["viewer"]["drafts"]["nodes"]


async def test_a_request_is_written_left_resumed_and_submitted(portal: Portal) -> None:
    """S16–S19, S21–S26, S29, S48."""
    await make_ticket(
        portal.acme, portal.people["Olga"], product=await models.Product.get(), subject="Black picture in long calls",
        status=TicketStatus.RESOLVED, resolved_at=datetime.now(UTC),
    )  # fmt: skip
    form = await choose(portal)
    suggested = (await portal.asks("Ann", SUGGEST, subject="picture black", p=form["productId"]))["suggestedSolutions"]
    assert suggested == [{"title": "Black picture in long calls"}]  # S21

    # Saved as it grows, with files, and put aside.
    first = {name: form[name] for name in ("organizationId", "requestTypeKey", "subject")}
    draft = (await portal.did("Ann", "draftSave", "draft { id }", **first))["draft"]["id"]
    files = [await portal.attaches("Ann", f"photo {n}.png", PICTURE + bytes([n])) for n in range(2)]
    partly = {**form, "certificateId": None, "draftId": draft, "origin": "CANCELLED", "attachmentIds": files}
    await portal.did("Ann", "draftSave", **partly)

    # Resumed, by nobody else; looked through again, and what is missing is told by its field (S24, S29).
    (resumed,) = await drafts(portal)
    assert (resumed["id"], resumed["origin"], resumed["subject"]) == (draft, "CANCELLED", "The picture turns black")
    assert resumed["attachments"] == [{"fileName": f"photo {n}.png", "sizeBytes": 2009} for n in range(2)]
    assert await drafts(portal, "Olga") == []
    refused = await portal.does("Ann", "draftSubmit", SUBMIT, draftId=draft)
    told = [(each["code"], each["field"]) for each in refused["errors"]]
    assert (refused["ticket"], told) == (None, [("CERTIFICATE_REQUIRED", ["input", "certificateId"])])
    await portal.did("Ann", "draftSave", **{**partly, "certificateId": form["certificateId"], "description": None})
    assert await portal.code("Ann", "draftSubmit", draftId=draft) == "REQUIRED"  # S22
    await portal.did("Ann", "draftSave", **{**partly, "certificateId": form["certificateId"]})

    # A second one is thought better of.
    other = (await portal.did("Ann", "draftSave", "draft { id }", **first))["draft"]["id"]
    assert await portal.code("Olga", "draftDiscard", draftId=other) == "NOT_FOUND"
    await portal.did("Ann", "draftDiscard", draftId=other)
    assert [each["id"] for each in await drafts(portal)] == [draft]

    # Submitted: it appears at once in Ann's list and in the organization's.
    mine = await portal.watches("Ann", LIST, scope="MINE")
    organizations = await portal.watches("Olga", LIST, scope="ORGANIZATION", o=gid(portal.acme))
    opened = await portal.did("Ann", "draftSubmit", SUBMIT, draftId=draft)
    reference = opened["ticket"]["reference"]
    expected = {"reference": reference, "subject": "The picture turns black"}
    for watch in (mine, organizations):
        change = await watch.next()
        assert (change["changeType"], change["ticket"]) == ("ADDED", expected)  # S25, S26
    assert (opened["draft"], await drafts(portal)) == (None, [])
    again = await portal.does("Ann", "draftSubmit", SUBMIT, draftId=draft)
    assert again["ticket"]["reference"] == reference

    said = "After ten minutes of a call, since Monday."
    assert (await portal.asks("Olga", OPEN, t=opened["ticket"]["id"]))["ticket"] == {
        "subject": "The picture turns black",
        "description": said,
        "requestType": {"key": "TECHNICAL", "handlerLabel": "Support engineer"},
        "classification": None,
        "productUpdate": {"name": "2.5.1"},
        "certificate": {"number": "TS-1"},
        "messages": {
            "nodes": [{"body": said, "attachments": [{"fileName": "photo 0.png"}, {"fileName": "photo 1.png"}]}]
        },
    }
    downloaded = await portal.gets("Ann", opened["ticket"]["attachments"]["nodes"][0]["downloadUrl"])
    assert (downloaded.status_code, downloaded.content) == (200, PICTURE + b"\0")


async def test_services_are_offered_with_a_certificate_for_them_and_say_why_not_once_it_is_over(
    portal: Portal,
) -> None:
    """S17, S18, S20: technical support goes on with it, and needs one like every technical request (S19)."""
    certificate = await certify(portal, "SV-1", CertificateKind.SERVICES, days=40)
    services = (await types(portal))["SERVICES"]
    assert (services["availability"], services["availabilityReason"]) == ("AVAILABLE", None)
    assert [each["key"] for each in services["requiredFields"]][-2:] == ["certificateId", "classificationId"]
    (installation,) = [each["id"] for each in services["classifications"] if each["name"] == "Installation"]
    form = {"requestTypeKey": "SERVICES", "certificateId": certificate}

    created = {"organizationId": gid(portal.acme), "subject": "Two rooms", "description": "In May.", **form}
    assert await portal.code("Ann", "ticketCreate", **created) == "REQUIRED"
    ticket = await portal.opens("Ann", "Two rooms", classificationId=installation, **form)
    found = (await portal.asks("Ann", OPEN, t=ticket))["ticket"]
    assert (found["requestType"]["handlerLabel"], found["classification"], found["certificate"]) == (
        "Service manager",
        {"name": "Installation"},
        {"number": "SV-1"},
    )

    # After thirty days support of its own is over, and services stand for it; ten days later so are they.
    portal.clock.now += 31 * DAY
    assert (await types(portal))["TECHNICAL"]["availability"] == "AVAILABLE"
    portal.clock.now += 10 * DAY
    over = await types(portal)
    assert {key: over[key]["availability"] for key in ("TECHNICAL", "SERVICES", "PORTAL")} == {
        "TECHNICAL": "INACTIVE",
        "SERVICES": "INACTIVE",
        "PORTAL": "AVAILABLE",
    }
    assert over["SERVICES"]["availabilityReason"].startswith("Certificate SV-1 ended on ")
    late = {**created, "classificationId": installation}
    assert await portal.code("Ann", "ticketCreate", **late) == "CERTIFICATE_INACTIVE"


async def test_what_a_fault_of_ours_kept_from_being_stored_is_among_the_drafts_with_its_files(portal: Portal) -> None:
    """S30."""
    form = await choose(portal)
    file = await portal.attaches("Ann", "photo.png", PICTURE)
    database = models.Ticket._meta.db
    await database.execute_script(
        "CREATE TRIGGER disk_full AFTER INSERT ON ticket BEGIN INSERT INTO nowhere VALUES (1); END"
    )

    failed = await portal.does("Ann", "ticketCreate", "ticket { id } savedDraft { id }", **form, attachmentIds=[file])
    await database.execute_script("DROP TRIGGER disk_full")
    (kept,) = await drafts(portal)
    submitted = await portal.did("Ann", "draftSubmit", SUBMIT, draftId=kept["id"])

    assert (failed["ticket"], [each["code"] for each in failed["errors"]]) == (None, ["INTERNAL"])
    assert kept == {
        "id": failed["savedDraft"]["id"],
        "origin": "TECHNICAL_FAILURE",
        "failureReason": "It could not be stored for a fault on our side. Nothing is lost: "
        "submit it again from your drafts.",
        "subject": form["subject"],
        "description": form["description"],
        "requestType": {"key": "TECHNICAL"},
        "attachments": [{"fileName": "photo.png", "sizeBytes": 2008}],
    }
    shown = (await portal.asks("Ann", OPEN, t=submitted["ticket"]["id"]))["ticket"]
    assert [each["fileName"] for each in shown["messages"]["nodes"][0]["attachments"]] == ["photo.png"]
    assert await drafts(portal) == []
