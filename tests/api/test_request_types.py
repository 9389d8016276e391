"""Choosing what to ask for, and what that asks back (S16–S20, S31–S33)."""

from datetime import date, timedelta
from typing import Any

import pytest

import models
from domain.enums import CertificateKind, Confidentiality, OrganizationRole, StaffRole, TicketChannel
from resolvers.catalog import ship_request_types
from tests.api.operations import create, mutate, refusal
from tests.api.world import codes, gid, nothing_changes
from tests.client import Client
from tests.clock import Clock
from tests.conftest import AsUser
from tests.engine.desk import planned_desk, viewer_of
from tests.factories import make_member, make_organization, make_request_type, make_staff, make_ticket

pytestmark = pytest.mark.anyio

TODAY = date(2026, 3, 2)
DAY = timedelta(days=1)

PROJECTS = """{ supportProjects { name requestTypes { key handlerLabel requiredFields { key }
  classifications { name } issueTypes { name } } } }"""
LISTED = """query($o: ID!) { requestTypes(organizationId: $o) { key availability(organizationId: $o) }
  organization(id: $o) { requestTypes(includeAbsent: true) { key availability(organizationId: $o)
    availabilityReason(organizationId: $o) } } }"""


@pytest.fixture
async def acme(db: str) -> models.Organization:
    await ship_request_types()
    return await make_organization("Acme")


@pytest.fixture
async def ann(acme: models.Organization) -> models.User:
    return await make_member(acme, name="Ann")


async def certify(
    organization: models.Organization,
    kind: CertificateKind,
    *products: models.Product,
    starts_at: date = TODAY - 300 * DAY,
    ends_at: date = TODAY,
) -> models.ServiceCertificate:
    made = await models.ServiceCertificate.create(
        organization=organization, number=f"{organization.name} {kind} {ends_at}", kind=kind,
        starts_at=starts_at, ends_at=ends_at,
    )  # fmt: skip
    await made.products.add(*products)
    return made


async def make_product(name: str, *updates: str) -> tuple[models.Product, models.ProductVersion, Any]:
    product = await models.Product.create(name=name)
    version = await models.ProductVersion.create(product=product, name="1")
    made = [await models.ProductUpdate.create(version=version, name=update) for update in updates]
    return product, version, made[0] if made else None


async def availability(client: Client, organization: models.Organization) -> tuple[dict[str, str], dict[str, Any]]:
    """What is listed, and the reasons of everything that is not available."""
    found = await client.ask(LISTED, o=gid(organization))
    everything = found["organization"]["requestTypes"]
    return (
        {each["key"]: each["availability"] for each in found["requestTypes"]},
        {each["key"]: each["availabilityReason"] for each in everything if each["availability"] != "AVAILABLE"},
    )


async def test_a_new_installation_can_be_asked_for_four_things(as_user: AsUser, ann: models.User) -> None:
    """S16, S17: each with a handler of its own."""
    projects = (await as_user(ann).ask(PROJECTS))["supportProjects"]

    found = {each["key"]: each for project in projects for each in project["requestTypes"]}
    assert {key: each["handlerLabel"] for key, each in found.items()} == {
        "TECHNICAL": "Support engineer",
        "SERVICES": "Service manager",
        "COMMERCIAL": "Account manager",
        "PORTAL": "Portal support",
    }
    assert {key: [field["key"] for field in each["requiredFields"]][2:] for key, each in found.items()} == {
        "TECHNICAL": ["productId", "productVersionId", "productUpdateId", "certificateId"],
        "SERVICES": ["certificateId", "classificationId"],
        "COMMERCIAL": [],
        "PORTAL": [],
    }


async def test_what_is_shipped_is_entered_once_and_never_again(acme: models.Organization) -> None:  # S17
    await models.RequestType.filter(key="PORTAL").delete()

    async with nothing_changes():
        assert await ship_request_types() is False


async def test_services_come_and_go_with_their_certificates(
    as_user: AsUser, acme: models.Organization, ann: models.User, clock: Clock
) -> None:
    """S18: the last day is one of its days, the day after is not; without a certificate it is not listed."""
    client = as_user(ann)
    none = await availability(client, acme)
    await certify(acme, CertificateKind.SERVICES, ends_at=TODAY)
    last_day = await availability(client, acme)
    clock.advance(hours=14, minutes=59, seconds=59)
    still = await availability(client, acme)
    clock.advance(seconds=1)
    day_after = await availability(client, acme)

    assert none[0].keys() == {"COMMERCIAL", "PORTAL"}
    assert none[1].keys() == {"TECHNICAL", "SERVICES"}
    assert last_day == still == (dict.fromkeys(["TECHNICAL", "SERVICES", "COMMERCIAL", "PORTAL"], "AVAILABLE"), {})
    assert day_after[0] == {
        "TECHNICAL": "INACTIVE",
        "SERVICES": "INACTIVE",
        "COMMERCIAL": "AVAILABLE",
        "PORTAL": "AVAILABLE",
    }
    assert day_after[1]["SERVICES"].endswith("ended on March 2, 2026. Renew it to ask for this.")


async def test_another_organizations_availability_is_nobodys_business(as_user: AsUser, ann: models.User) -> None:
    other = await make_organization("Other")

    for ask in (
        "query($o: ID!) { requestTypes(organizationId: $o) { key } }",
        "query($o: ID!) { supportProjects { requestTypes { availability(organizationId: $o) } } }",
    ):
        _, errors = await as_user(ann).answer(ask, o=gid(other))
        assert set(codes(errors)) == {"NOT_FOUND"}


async def test_a_technical_request_needs_product_version_update_and_certificate(
    as_user: AsUser, acme: models.Organization, ann: models.User, clock: Clock
) -> None:
    """S19, and each contradiction by its own field."""
    other = await make_organization("Other")
    bar, version, update = await make_product("Bar", "1.1")
    mic, mic_version, _ = await make_product("Mic")
    _, other_version, other_update = await make_product("Panel", "9.9")
    certificate = await certify(acme, CertificateKind.TECHNICAL_SUPPORT, bar)
    services = await certify(acme, CertificateKind.SERVICES)
    training = await certify(acme, CertificateKind.TRAINING)
    ended = await certify(acme, CertificateKind.TECHNICAL_SUPPORT, bar, ends_at=TODAY - DAY)
    theirs = await certify(other, CertificateKind.TECHNICAL_SUPPORT, bar)
    full = {
        "productId": gid(bar),
        "productVersionId": gid(version),
        "productUpdateId": gid(update),
        "certificateId": gid(certificate),
    }
    on_mic = {"productId": gid(mic), "productVersionId": gid(mic_version), "productUpdateId": None}
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({"productId": None, "productVersionId": None, "productUpdateId": None}, "REQUIRED", "productId"),
        ({"productVersionId": None, "productUpdateId": None}, "REQUIRED", "productVersionId"),
        ({"productUpdateId": None}, "REQUIRED", "productUpdateId"),
        ({"certificateId": None}, "CERTIFICATE_REQUIRED", "certificateId"),
        ({"productVersionId": gid(other_version)}, "NOT_FOUND", "productVersionId"),
        ({"productUpdateId": gid(other_update)}, "NOT_FOUND", "productUpdateId"),
        ({"certificateId": gid(theirs)}, "NOT_FOUND", "certificateId"),
        ({"certificateId": gid(training)}, "CERTIFICATE_REQUIRED", "certificateId"),
        ({"certificateId": gid(ended)}, "CERTIFICATE_INACTIVE", "certificateId"),
        (on_mic, "INVALID", "certificateId"),
    ]

    async with nothing_changes():
        found = [refusal(await create(as_user(ann), acme, **{**full, **given})) for given, _, _ in wrong]

    assert found == [(code, ["input", field]) for _, code, field in wrong]
    for given in (full, {**full, "certificateId": gid(services)}, {**full, **on_mic, "certificateId": gid(services)}):
        assert (await create(as_user(ann), acme, **given))["errors"] == []


async def test_services_need_a_certificate_and_a_classification(
    as_user: AsUser, acme: models.Organization, ann: models.User, clock: Clock
) -> None:
    """S18, S20: with the certificate's last day on either side."""
    kind = await models.RequestType.get(key="SERVICES")
    training = await models.Classification.get(request_type_id=kind.id, name="Training")
    given = {"requestTypeKey": "SERVICES"}
    absent = refusal(await create(as_user(ann), acme, **given))
    certificate = await certify(acme, CertificateKind.SERVICES, ends_at=TODAY)
    full = {**given, "certificateId": gid(certificate), "classificationId": gid(training)}

    without = [refusal(await create(as_user(ann), acme, **{**full, k: None})) for k in list(full)[1:]]
    made = await create(as_user(ann), acme, **full)
    clock.advance(days=1)
    late = refusal(await create(as_user(ann), acme, **full))

    assert absent == ("CERTIFICATE_REQUIRED", ["input", "requestTypeKey"])
    assert without == [
        ("CERTIFICATE_REQUIRED", ["input", "certificateId"]),
        ("REQUIRED", ["input", "classificationId"]),
    ]
    assert made["errors"] == []
    assert late == ("CERTIFICATE_INACTIVE", ["input", "requestTypeKey"])


async def test_a_certificate_for_services_counts_from_its_first_day(
    as_user: AsUser, acme: models.Organization, ann: models.User, clock: Clock
) -> None:
    """S18: what begins tomorrow is there, and not in force."""
    client, kind = as_user(ann), await models.RequestType.get(key="SERVICES")
    training = await models.Classification.get(request_type_id=kind.id, name="Training")
    certificate = await certify(acme, CertificateKind.SERVICES, starts_at=TODAY + DAY, ends_at=TODAY + DAY)
    chosen = {"certificateId": gid(certificate), "classificationId": gid(training)}

    async def found() -> tuple[str, list[str]]:
        listed, _ = await availability(client, acme)
        made = await create(client, acme, requestTypeKey="SERVICES", **chosen)
        return listed["SERVICES"], [each["code"] for each in made["errors"]]

    clock.advance(hours=14, minutes=59, seconds=59)
    _, reasons = await availability(client, acme)
    assert reasons["SERVICES"].endswith("begins on March 3, 2026.")
    assert await found() == ("INACTIVE", ["CERTIFICATE_INACTIVE"])
    clock.advance(seconds=1)
    assert await found() == ("AVAILABLE", [])


async def test_services_take_a_certificate_for_services_and_a_classification_of_their_own(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:
    """S20: the organization's own, in force, and for the product if it names one; whoever may open a request."""
    kinds = {each.key: each for each in await models.RequestType.all()}
    training = await models.Classification.get(request_type_id=kinds["SERVICES"].id, name="Training")
    of_another = await models.Classification.filter(request_type_id=kinds["TECHNICAL"].id).first()
    assert of_another
    bar, version, update = await make_product("Bar", "1.1")
    mic, _, _ = await make_product("Mic")
    services = await certify(acme, CertificateKind.SERVICES, bar)
    support = await certify(acme, CertificateKind.TECHNICAL_SUPPORT)
    ended = await certify(acme, CertificateKind.SERVICES, ends_at=TODAY - DAY)
    later = await certify(acme, CertificateKind.SERVICES, starts_at=TODAY + DAY, ends_at=TODAY + 2 * DAY)
    theirs = await certify(await make_organization("Other"), CertificateKind.SERVICES)
    full = {"requestTypeKey": "SERVICES", "certificateId": gid(services), "classificationId": gid(training)}
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({"certificateId": gid(support)}, "CERTIFICATE_REQUIRED", "certificateId"),
        ({"certificateId": gid(ended)}, "CERTIFICATE_INACTIVE", "certificateId"),
        ({"certificateId": gid(later)}, "CERTIFICATE_INACTIVE", "certificateId"),
        ({"certificateId": gid(theirs)}, "NOT_FOUND", "certificateId"),
        ({"productId": gid(mic)}, "INVALID", "certificateId"),
        ({"classificationId": gid(of_another)}, "NOT_FOUND", "classificationId"),
    ]
    reader = as_user(await make_member(acme, OrganizationRole.READ_ONLY))
    licences = as_user(await make_member(acme, OrganizationRole.LICENSE_MANAGER))

    async with nothing_changes():
        found = [refusal(await create(as_user(ann), acme, **{**full, **given})) for given, _, _ in wrong]
        kept_out = refusal(await create(reader, acme, **full))

    assert found == [(code, ["input", field]) for _, code, field in wrong]
    assert kept_out[0] == "FORBIDDEN"
    about = {"productId": gid(bar), "productVersionId": gid(version), "productUpdateId": gid(update)}
    for client, given in ((as_user(ann), full), (as_user(ann), {**full, **about}), (licences, full)):
        made = await create(client, acme, **given)
        shown = "query($t: ID!) { ticket(id: $t) { certificate { number } classification { name } } }"
        assert (await client.ask(shown, t=made["ticket"]["id"]))["ticket"] == {
            "certificate": {"number": services.number},
            "classification": {"name": "Training"},
        }


async def test_a_project_that_is_named_has_the_request_type(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:  # S16
    portal = await models.RequestType.get(key="PORTAL")
    other = await models.SupportProject.create(name="Elsewhere")
    given = {"requestTypeKey": "PORTAL"}

    made = await create(as_user(ann), acme, **given, projectId=f"SupportProject_{portal.project_id}")
    refused = await create(as_user(ann), acme, **given, projectId=gid(other))

    assert made["errors"] == []
    assert refusal(refused) == ("NOT_FOUND", ["input", "projectId"])


@pytest.mark.parametrize(
    ("channel", "given", "subject"),
    [
        (TicketChannel.CONFERENCE_CALL, "", "Conference call – ann"),
        (TicketChannel.CONFERENCE_CALL, "About the bar", "Conference call – ann"),
        (TicketChannel.PHONE, "", "Phone call – ann"),
        (TicketChannel.PHONE, "About the bar", "About the bar"),
        (TicketChannel.PORTAL, "", None),
    ],
)
async def test_calls_have_subjects_of_their_own(
    as_user: AsUser, acme: models.Organization, ann: models.User, channel: str, given: str, subject: str | None
) -> None:  # S31
    made = await create(as_user(ann), acme, requestTypeKey="PORTAL", channel=channel, subject=given)

    assert (made["ticket"] and made["ticket"]["subject"]) == subject
    assert subject or refusal(made) == ("REQUIRED", ["input", "subject"])


async def test_an_old_ticket_can_be_quoted_by_who_may_read_it(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:  # S32
    old = await make_ticket(acme, ann)
    bens = await make_ticket(acme, await make_member(acme), confidentiality=Confidentiality.AUTHOR_ONLY)
    given = {"requestTypeKey": "PORTAL"}

    made = await create(as_user(ann), acme, **given, referencesTicketId=gid(old))
    async with nothing_changes():
        refused = await create(as_user(ann), acme, **given, referencesTicketId=gid(bens))

    shown = "query($t: ID!) { ticket(id: $t) { quotedTicket { id reference quotedTicket { id } } } }"
    assert (await as_user(ann).ask(shown, t=made["ticket"]["id"]))["ticket"]["quotedTicket"] == {
        "id": gid(old),
        "reference": old.reference,
        "quotedTicket": None,
    }
    assert refusal(refused) == ("NOT_FOUND", ["input", "referencesTicketId"])


async def test_what_a_ticket_quotes_is_shown_to_whom_the_quoted_one_is(
    as_user: AsUser, acme: models.Organization, ann: models.User, db: str
) -> None:
    """S32, S07, S12: its author quotes a request of the author alone; and later the history begins between the two."""
    private = await make_ticket(acme, ann, confidentiality=Confidentiality.AUTHOR_ONLY)
    await create(as_user(ann), acme, requestTypeKey="PORTAL", referencesTicketId=gid(private))
    owner, agent = await make_member(acme, OrganizationRole.OWNER), await make_staff()
    ask = "{ tickets(scope: ALL, filter: {channels: [PORTAL]}) { nodes { quotedTicket { id } } } }"

    async def shown(person: models.User) -> Any:
        (ticket,) = (await as_user(person).ask(ask))["tickets"]["nodes"]
        return ticket["quotedTicket"]

    assert [await shown(each) for each in (ann, agent)] == [{"id": gid(private)}] * 2
    assert await shown(owner) is None
    async with planned_desk(db) as desk:
        for person in (ann, owner, agent):
            assert await desk.agreed(ask, await viewer_of(person)) is not None
    acme.history_starts_at = private.created_at + DAY
    await acme.save()
    assert (await shown(ann), await shown(agent)) == (None, {"id": gid(private)})


async def test_issue_type_severity_and_priority_are_kept(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:  # S33
    kind = await models.RequestType.get(key="PORTAL")
    access = await models.IssueType.get(request_type_id=kind.id, name="Access")
    given = {"issueTypeId": gid(access), "severity": "CRITICAL", "priority": "URGENT"}

    made = await create(as_user(ann), acme, requestTypeKey="PORTAL", **given)

    shown = await as_user(ann).ask(
        "query($t: ID!) { ticket(id: $t) { issueType { name } severity priority requestType { key } } }",
        t=made["ticket"]["id"],
    )
    assert shown["ticket"] == {
        "issueType": {"name": "Access"},
        "severity": "CRITICAL",
        "priority": "URGENT",
        "requestType": {"key": "PORTAL"},
    }


async def test_products_are_found_by_part_of_their_name(as_user: AsUser, ann: models.User) -> None:  # S19
    for name in ("Bar 2", "Bar Mini", "Panel 100%"):
        await make_product(name, "1.1")
    ask = """query($text: String) { products(text: $text, first: 2) { totalCount
      nodes { name versions { name updates { name } } } } }"""

    found = [(await as_user(ann).ask(ask, text=text))["products"] for text in (None, " bAr ", "%", "none")]

    assert [(each["totalCount"], [node["name"] for node in each["nodes"]]) for each in found] == [
        (3, ["Bar 2", "Bar Mini"]),
        (2, ["Bar 2", "Bar Mini"]),
        (1, ["Panel 100%"]),
        (0, []),
    ]
    assert found[2]["nodes"][0]["versions"] == [{"name": "1", "updates": [{"name": "1.1"}]}]
    for text in ("x" * 201, "a\x00", "\ud800"):
        _, errors = await as_user(ann).answer(ask, text=text)
        assert codes(errors) == ["INVALID"]


# --- kept by administrators

CERTIFICATE = "certificate { id number kind startsAt endsAt isActive products { name } }"
TYPE = "requestType { id key name handlerLabel requiredCertificateKind requiredFields { key label required } }"


async def test_a_certificate_is_entered_and_prolonged(as_user: AsUser, acme: models.Organization) -> None:  # S18
    chief, (bar, _, _) = as_user(await make_staff(StaffRole.ADMIN)), await make_product("Bar")
    given = {
        "organizationId": gid(acme),
        "number": " SV-1 ",
        "kind": "SERVICES",
        "productIds": [gid(bar)],
        "startsAt": "2026-01-01",
        "endsAt": "2026-03-01",
    }
    made = (await mutate(chief, "certificateSave", CERTIFICATE, **given))["certificate"]
    changed = {**given, "certificateId": made["id"], "endsAt": "2026-03-02", "productIds": []}
    longer = (await mutate(chief, "certificateSave", CERTIFICATE, **changed))["certificate"]

    assert made | {"id": ""} == {
        "id": "",
        "number": "SV-1",
        "kind": "SERVICES",
        "startsAt": "2026-01-01",
        "endsAt": "2026-03-01",
        "isActive": False,
        "products": [{"name": "Bar"}],
    }
    assert longer == {**made, "endsAt": "2026-03-02", "isActive": True, "products": []}
    other = await make_organization("Other")
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({}, "DUPLICATE", "number"),
        ({"number": ""}, "REQUIRED", "number"),
        ({"number": "x" * 61}, "INVALID", "number"),
        ({"number": "2", "endsAt": "2025-12-31"}, "INVALID", "endsAt"),
        ({"number": "2", "productIds": [f"Product_{other.id}"]}, "NOT_FOUND", "productIds"),
        ({"number": "2", "organizationId": f"Organization_{bar.id}"}, "NOT_FOUND", "organizationId"),
        ({"number": "2", "certificateId": made["id"], "organizationId": gid(other)}, "NOT_FOUND", "certificateId"),
    ]
    async with nothing_changes():
        found = [refusal(await mutate(chief, "certificateSave", CERTIFICATE, **{**given, **w})) for w, _, _ in wrong]
    assert found == [(code, ["input", field]) for _, code, field in wrong]


async def test_a_request_type_is_made_and_changed_without_losing_the_rest(
    as_user: AsUser, acme: models.Organization
) -> None:  # S16
    chief, project = as_user(await make_staff(StaffRole.ADMIN)), await models.SupportProject.all().first()
    assert project
    given: dict[str, Any] = {"key": "SITE_VISIT", "projectId": gid(project), "name": "Visit"}
    more = {"handlerLabel": "Engineer", "requiredCertificateKind": "SERVICES", "requiredFields": ["spaceId"]}

    without_handler = refusal(await mutate(chief, "requestTypeSave", TYPE, **given))
    made = (await mutate(chief, "requestTypeSave", TYPE, **given, **more))["requestType"]
    renamed = (await mutate(chief, "requestTypeSave", TYPE, **{**given, "name": "Site visit"}))["requestType"]
    freed = (await mutate(chief, "requestTypeSave", TYPE, **given, requiredCertificateKind=None))["requestType"]

    assert without_handler == ("REQUIRED", ["input", "handlerLabel"])
    assert made["requiredFields"][2:] == [{"key": "spaceId", "label": "Room or desk", "required": True}]
    assert (made["handlerLabel"], made["requiredCertificateKind"]) == ("Engineer", "SERVICES")
    assert renamed == {**made, "name": "Site visit"}
    assert freed == {**made, "requiredCertificateKind": None}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"key": "lower"}, "key"),
        ({"key": "A" * 41}, "key"),
        ({"requiredFields": ["password"]}, "requiredFields"),
        ({"name": "a\x00"}, "name"),
    ]
    async with nothing_changes():
        for given_wrong, field in wrong:
            payload = await mutate(chief, "requestTypeSave", TYPE, **{**given, **given_wrong})
            assert refusal(payload) == ("INVALID", ["input", field])


async def test_only_administrators_of_the_desk_keep_the_catalog(as_user: AsUser, acme: models.Organization) -> None:
    owner, agent = await make_member(acme, OrganizationRole.OWNER), await make_staff()
    await make_request_type("EXTRA")

    async with nothing_changes():
        for each in (owner, agent):
            payload = await mutate(
                as_user(each), "requestTypeSave", TYPE, key="EXTRA", projectId=f"SupportProject_{acme.id}", name="x"
            )
            assert refusal(payload) == ("FORBIDDEN", None)
