"""Drafts: kept while one writes, resumed, submitted, and what is kept when something breaks (S24, S29, S30)."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from tortoise.exceptions import OperationalError

import models
from domain.enums import CertificateKind, DraftOrigin, OrganizationRole, StaffRole
from resolvers import transaction
from resolvers.catalog import ship_request_types
from resolvers.context import Services
from tests.api.operations import create, mutate, refusal
from tests.api.world import codes, gid, nothing_changes
from tests.client import Client
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import make_file, make_member, make_organization, make_staff, make_ticket

pytestmark = pytest.mark.anyio

SHOWN = """id origin failureReason subject description createdAt updatedAt requestType { key } organization { name }
  product { name } productVersion { name } productUpdate { name } classification { name } issueType { name }
  certificate { number } space { name } devices { name }
  attachments { fileName }"""
MINE = f"{{ viewer {{ drafts(first: 10) {{ totalCount nodes {{ {SHOWN} }} }} }} }}"
ONE = f"query($d: ID!) {{ draft(id: $d) {{ {SHOWN} }} node(id: $d) {{ id }} }}"
OPENED = "ticket { id reference subject attachments { nodes { fileName } } }"

EMPTY: dict[str, Any] = {
    "origin": "AUTOSAVE",
    "failureReason": None,
    "subject": None,
    "description": None,
    "requestType": None,
    "organization": None,
    "product": None,
    "productVersion": None,
    "productUpdate": None,
    "classification": None,
    "issueType": None,
    "certificate": None,
    "space": None,
    "devices": [],
    "attachments": [],
}

Break = Callable[[], None]


@pytest.fixture
async def acme(db: str) -> models.Organization:
    await ship_request_types()
    return await make_organization("Acme")


@pytest.fixture
async def ann(acme: models.Organization) -> models.User:
    return await make_member(acme, name="Ann")


@pytest.fixture
def break_once(monkeypatch: pytest.MonkeyPatch) -> Break:
    """`break_once()` lets the database fail in the last step of the next write, when everything else is written."""
    append: Callable[..., Awaitable[dict[str, int]]] = transaction._append

    def prepare() -> None:
        async def fail(connection: Any, work: Any) -> dict[str, int]:
            await append(connection, work)
            monkeypatch.setattr(transaction, "_append", append)
            raise OperationalError("the disk is full")

        monkeypatch.setattr(transaction, "_append", fail)

    return prepare


async def save(client: Client, **given: Any) -> Any:
    return await mutate(client, "draftSave", f"draft {{ {SHOWN} }}", **given)


async def submit(client: Client, draft_id: str) -> Any:
    return await mutate(client, "draftSubmit", f"{OPENED} draft {{ {SHOWN} }}", draftId=draft_id)


async def mine(client: Client) -> list[Any]:
    nodes: list[Any] = (await client.ask(MINE))["viewer"]["drafts"]["nodes"]
    return nodes


async def full_form(acme: models.Organization, ann: models.User) -> dict[str, Any]:
    """A technical request with everything that a draft can say."""
    product = await models.Product.create(name="Bar")
    version = await models.ProductVersion.create(product=product, name="2")
    update = await models.ProductUpdate.create(version=version, name="2.1")
    kind = await models.RequestType.get(key="TECHNICAL")
    sort = await models.Classification.get(request_type_id=kind.id, name="Malfunction")
    trouble = await models.IssueType.get(request_type_id=kind.id, name="Audio")
    certificate = await models.ServiceCertificate.create(
        organization=acme, number="TS-1", kind=CertificateKind.TECHNICAL_SUPPORT,
        starts_at="2026-01-01", ends_at="2026-12-31",
    )  # fmt: skip
    space = await models.Space.create(organization=acme, kind=models.SpaceKind.ROOM, name="Rome")
    device = await models.Device.create(
        organization=acme, product=product, space=space, name="Bar 1", serial_number="SN-1"
    )
    return {
        "organizationId": gid(acme),
        "requestTypeKey": "TECHNICAL",
        "subject": "No picture",
        "description": "Since Monday.",
        "productId": gid(product),
        "productVersionId": gid(version),
        "productUpdateId": gid(update),
        "classificationId": gid(sort),
        "issueTypeId": gid(trouble),
        "certificateId": gid(certificate),
        "spaceId": gid(space),
        "deviceIds": [gid(device)],
        "attachmentIds": [gid(await make_file(ann, "a.txt")), gid(await make_file(ann, "b.txt"))],
    }


FULL: dict[str, Any] = {
    "subject": "No picture",
    "description": "Since Monday.",
    "requestType": {"key": "TECHNICAL"},
    "organization": {"name": "Acme"},
    "product": {"name": "Bar"},
    "productVersion": {"name": "2"},
    "productUpdate": {"name": "2.1"},
    "classification": {"name": "Malfunction"},
    "issueType": {"name": "Audio"},
    "certificate": {"number": "TS-1"},
    "space": {"name": "Rome"},
    "devices": [{"name": "Bar 1"}],
    "attachments": [{"fileName": "a.txt"}, {"fileName": "b.txt"}],
}


def saying(draft: dict[str, Any]) -> dict[str, Any]:
    """What a draft says, without when and where."""
    return {name: value for name, value in draft.items() if name not in ("id", "createdAt", "updatedAt")}


async def test_a_form_is_saved_as_it_grows_and_may_miss_anything(
    as_user: AsUser, acme: models.Organization, ann: models.User, clock: Clock
) -> None:
    """S29: saved again by its id it is the same draft, and what is left out is empty."""
    client = as_user(ann)

    empty = (await save(client))["draft"]
    clock.advance(seconds=10)
    full = (await save(client, draftId=empty["id"], origin="CANCELLED", **await full_form(acme, ann)))["draft"]
    clock.advance(seconds=10)
    emptied = (await save(client, draftId=empty["id"], subject="  "))["draft"]

    assert saying(empty) == EMPTY
    assert saying(full) == {**EMPTY, **FULL, "origin": "CANCELLED"}
    assert (full["createdAt"], full["updatedAt"]) == ("2026-03-02T09:00:00.000000Z", "2026-03-02T09:00:10.000000Z")
    assert saying(emptied) == EMPTY
    assert [each["id"] for each in await mine(client)] == [empty["id"]]


EXTRAS = """channel language priority severity confidentiality quotedTicket { reference } onBehalfOf { name }"""
NO_EXTRAS = dict.fromkeys(
    ["channel", "language", "priority", "severity", "confidentiality", "quotedTicket", "onBehalfOf"]
)


async def extras(client: Client, draft: str) -> Any:
    return (await client.ask(f"query($d: ID!) {{ draft(id: $d) {{ {EXTRAS} }} }}", d=draft))["draft"]


async def test_what_is_chosen_beside_the_form_is_kept_and_becomes_the_tickets(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:
    """S07, S08, S24, S32, S33: left out it stays, null takes it back."""
    client, old = as_user(ann), await make_ticket(acme, ann)
    bank = await make_organization("Bank", partner=acme)
    form = {"organizationId": gid(acme), "requestTypeKey": "PORTAL", "subject": "s", "description": "d"}
    chosen = {
        "channel": "PHONE",
        "language": "it",
        "priority": "HIGH",
        "severity": "CRITICAL",
        "confidentiality": "AUTHOR_ONLY",
    }
    others = {"referencesTicketId": gid(old), "onBehalfOfOrganizationId": gid(bank)}

    draft = (await save(client))["draft"]["id"]
    before = await extras(client, draft)
    await save(client, draftId=draft, **form, **chosen, **others)
    full = await extras(client, draft)
    await save(client, draftId=draft, **form)
    stayed = await extras(client, draft)
    await save(client, draftId=draft, **form, severity=None, onBehalfOfOrganizationId=None)
    less = await extras(client, draft)
    opened = await submit(client, draft)

    assert before == NO_EXTRAS
    assert (
        full
        == stayed
        == {
            **chosen,
            "quotedTicket": {"reference": old.reference},
            "onBehalfOf": {"name": "Bank"},
        }
    )
    assert less == {**full, "severity": None, "onBehalfOf": None}
    ticket = await models.Ticket.get(reference=opened["ticket"]["reference"])
    assert (ticket.channel, ticket.language, ticket.priority) == ("PHONE", "it", "HIGH")
    assert (ticket.severity, ticket.confidentiality) == ("UNKNOWN", "AUTHOR_ONLY")
    assert (ticket.quotes_id, ticket.on_behalf_of_id) == (old.id, None)


async def test_a_draft_quotes_and_files_for_only_what_its_author_may_see(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:
    """S07, S08, S32: what is hidden later is shown no more, and has to be taken back before it is submitted."""
    client, bob, other = as_user(ann), await make_member(acme), await make_organization("Other")
    private = await make_ticket(acme, bob, confidentiality="AUTHOR_ONLY")
    quoted = await make_ticket(acme, bob)
    form = {"organizationId": gid(acme), "requestTypeKey": "PORTAL", "subject": "s", "description": "d"}
    draft = (await save(client, **form, referencesTicketId=gid(quoted)))["draft"]["id"]
    wrong = [
        ({"referencesTicketId": gid(private)}, "NOT_FOUND", "referencesTicketId"),
        ({"referencesTicketId": f"Ticket_{UUID(int=1)}"}, "NOT_FOUND", "referencesTicketId"),
        ({"referencesTicketId": ""}, "INVALID", "referencesTicketId"),
        ({"onBehalfOfOrganizationId": gid(other)}, "NOT_FOUND", "onBehalfOfOrganizationId"),
        ({"onBehalfOfOrganizationId": gid(quoted)}, "INVALID", "onBehalfOfOrganizationId"),
    ]

    async with nothing_changes():
        found = [refusal(await save(client, draftId=draft, **form, **given)) for given, _, _ in wrong]
    shown = (await extras(client, draft))["quotedTicket"]
    await models.Ticket.filter(id=quoted.id).update(confidentiality="AUTHOR_ONLY")
    hidden = (await extras(client, draft))["quotedTicket"]
    async with nothing_changes():
        refused = await submit(client, draft)
    await save(client, draftId=draft, **form, referencesTicketId=None)

    assert found == [(code, ["input", field]) for _, code, field in wrong]
    assert (shown, hidden) == ({"reference": quoted.reference}, None)
    assert refusal(refused) == ("NOT_FOUND", ["input", "referencesTicketId"])
    assert (await submit(client, draft))["errors"] == []


async def test_saving_the_same_again_changes_nothing(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:  # S29
    form = await full_form(acme, ann)
    draft = (await save(as_user(ann), **form))["draft"]

    async with nothing_changes():
        again = (await save(as_user(ann), draftId=draft["id"], **form))["draft"]

    assert again == draft


async def test_drafts_are_listed_and_resumed_by_their_author_alone(
    as_user: AsUser, acme: models.Organization, ann: models.User, clock: Clock
) -> None:
    """S30: the one last saved first; not by the organization's owner, nor by support."""
    first = (await save(as_user(ann), subject="One"))["draft"]
    clock.advance(seconds=1)
    second = (await save(as_user(ann), subject="Two", attachmentIds=[gid(await make_file(ann))]))["draft"]
    others = [
        await make_member(acme, OrganizationRole.OWNER),
        await make_staff(),
        await make_staff(StaffRole.ADMIN),
        None,
    ]

    assert [each["id"] for each in await mine(as_user(ann))] == [second["id"], first["id"]]
    assert (await as_user(ann).ask(ONE, d=first["id"]))["draft"]["subject"] == "One"
    for other in others:
        assert await mine(as_user(other)) == []
    for other in others[:3]:
        assert await as_user(other).ask(ONE, d=second["id"]) == {"draft": None, "node": None}
        async with nothing_changes():
            for refused in (
                await save(as_user(other), draftId=second["id"]),
                await mutate(as_user(other), "draftDiscard", "draftId", draftId=second["id"]),
                await submit(as_user(other), second["id"]),
            ):
                assert refusal(refused) == ("NOT_FOUND", ["input", "draftId"])
            if other and other.staff_role:
                answer = await create(as_user(other), acme, requestTypeKey="PORTAL", draftId=second["id"])
                assert refusal(answer) == ("NOT_FOUND", ["input", "draftId"])
    data, errors = await as_user(None).answer(ONE, d=second["id"])
    assert (data, set(codes(errors))) == ({"draft": None, "node": None}, {"UNAUTHENTICATED"})


async def test_what_cannot_be_kept_is_refused_and_the_draft_stays_as_it_was(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:
    other = await make_organization("Other")
    theirs = await models.Space.create(organization=other, kind=models.SpaceKind.DESK, name="Theirs")
    draft = (await save(as_user(ann), subject="One"))["draft"]["id"]
    never = UUID(int=1)
    files = [gid(await make_file(ann)) for _ in range(6)]
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({"subject": "x" * 301}, "INVALID", "subject"),
        ({"subject": "a\x00"}, "INVALID", "subject"),
        ({"description": "a\ud800"}, "INVALID", "description"),
        ({"description": "x" * 10_000_000}, "INVALID", "description"),
        ({"organizationId": gid(other)}, "NOT_FOUND", "organizationId"),
        ({"spaceId": gid(theirs)}, "NOT_FOUND", "spaceId"),
        ({"productId": f"Product_{never}"}, "NOT_FOUND", "productId"),
        ({"productId": gid(other)}, "INVALID", "productId"),
        ({"deviceIds": [f"Device_{never}"]}, "NOT_FOUND", "deviceIds"),
        ({"requestTypeKey": "NO_SUCH"}, "NOT_FOUND", "requestTypeKey"),
        ({"requestTypeKey": "\x00"}, "NOT_FOUND", "requestTypeKey"),
        ({"attachmentIds": [gid(await make_file(await make_member(acme)))]}, "NOT_FOUND", "attachmentIds"),
        ({"attachmentIds": files}, "TOO_MANY_FILES", "attachmentIds"),
        ({"origin": "TECHNICAL_FAILURE"}, "INVALID", "origin"),
        ({"draftId": f"TicketDraft_{never}"}, "NOT_FOUND", "draftId"),
    ]

    async with nothing_changes():
        found = [refusal(await save(as_user(ann), **{"draftId": draft, **given})) for given, _, _ in wrong]

    assert found == [(code, ["input", field]) for _, code, field in wrong]


async def test_a_discarded_draft_takes_its_files_with_it(as_user: AsUser, ann: models.User) -> None:  # S29
    file = await make_file(ann)
    draft = (await save(as_user(ann), attachmentIds=[gid(file)]))["draft"]["id"]

    gone = await mutate(as_user(ann), "draftDiscard", "draftId", draftId=draft)

    assert (gone["draftId"], gone["errors"], await mine(as_user(ann))) == (draft, [], [])
    assert (await models.Attachment.get(id=file.id)).deleted_at is not None
    async with nothing_changes():
        again = await mutate(as_user(ann), "draftDiscard", "draftId", draftId=draft)
    assert refusal(again) == ("NOT_FOUND", ["input", "draftId"])


async def test_a_draft_is_reviewed_and_becomes_the_ticket(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:
    """S24, S25: and submitting it again, when the answer was lost, opens no second one (J2)."""
    client = as_user(ann)
    draft = (await save(client, **await full_form(acme, ann)))["draft"]["id"]

    opened = await submit(client, draft)
    async with nothing_changes():
        again = await submit(client, draft)

    assert (opened["errors"], opened["draft"], await mine(client)) == ([], None, [])
    assert opened["ticket"]["subject"] == "No picture"
    assert opened["ticket"]["attachments"]["nodes"] == [{"fileName": "a.txt"}, {"fileName": "b.txt"}]
    assert again["ticket"] == opened["ticket"]
    (ticket,) = await models.Ticket.all().prefetch_related("devices", "product", "product_version", "certificate")
    assert (ticket.product.name, ticket.product_version.name, ticket.certificate.number) == ("Bar", "2", "TS-1")
    assert [device.name for device in ticket.devices] == ["Bar 1"]


async def test_an_incomplete_draft_is_refused_and_stays(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:  # S22, S29
    given: dict[str, Any] = {}
    wanted = [
        ("organizationId", gid(acme), "REQUIRED"),
        ("requestTypeKey", "PORTAL", "REQUIRED"),
        ("subject", "No picture", "REQUIRED"),
        ("description", "Since Monday.", "REQUIRED"),
    ]
    draft = (await save(as_user(ann)))["draft"]["id"]

    for field, value, code in wanted:
        async with nothing_changes():
            assert refusal(await submit(as_user(ann), draft)) == (code, ["input", field])
        given[field] = value
        await save(as_user(ann), draftId=draft, **given)

    assert (await submit(as_user(ann), draft))["errors"] == []


async def test_a_new_ticket_takes_the_place_of_the_draft_it_names(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:  # S24
    kept, dropped = await make_file(ann, "kept.txt"), await make_file(ann, "dropped.txt")
    draft = (await save(as_user(ann), attachmentIds=[gid(kept), gid(dropped)]))["draft"]["id"]
    given = {"requestTypeKey": "PORTAL", "draftId": draft, "attachmentIds": [gid(kept)], "clientMutationId": "k"}

    async with nothing_changes():
        refused = await create(as_user(ann), acme, **{**given, "subject": ""})
    made = await create(as_user(ann), acme, **given)
    async with nothing_changes():
        again = await create(as_user(ann), acme, **given)

    assert refusal(refused) == ("REQUIRED", ["input", "subject"])
    assert (made["errors"], await mine(as_user(ann)), again["ticket"]) == ([], [], made["ticket"])
    assert {f.file_name: f.deleted_at is None for f in await models.Attachment.all()} == {
        "kept.txt": True,
        "dropped.txt": False,
    }


async def test_when_the_database_fails_everything_is_kept_as_a_draft(
    as_user: AsUser, acme: models.Organization, ann: models.User, break_once: Break
) -> None:
    """S30: files included, and what is chosen beside the form; and the next try succeeds."""
    client, form, old = as_user(ann), await full_form(acme, ann), await make_ticket(acme, ann)
    more = {
        "priority": "HIGH",
        "severity": "CRITICAL",
        "channel": "PHONE",
        "language": "it",
        "referencesTicketId": gid(old),
    }
    break_once()

    selection = f"{OPENED} savedDraft {{ {SHOWN} }}"
    failed = await mutate(client, "ticketCreate", selection, **form, **more, clientMutationId="k")
    count = await models.Ticket.all().count()
    resumed = await mine(client)
    beside = await extras(client, resumed[0]["id"])
    opened = await submit(client, resumed[0]["id"])

    assert (failed["ticket"], count) == (None, 1)
    given = {name: more[name] for name in ("channel", "language", "priority", "severity")}
    assert beside == {**NO_EXTRAS, **given, "quotedTicket": {"reference": old.reference}}
    assert [(each["code"], each["field"]) for each in failed["errors"]] == [("INTERNAL", None)]
    assert resumed == [failed["savedDraft"]]
    reason = "It could not be stored for a fault on our side. Nothing is lost: submit it again from your drafts."
    assert saying(resumed[0]) == {**FULL, "origin": DraftOrigin.TECHNICAL_FAILURE, "failureReason": reason}
    assert (opened["errors"], await mine(client)) == ([], [])
    ticket = await models.Ticket.get(reference=opened["ticket"]["reference"])
    assert (ticket.priority, ticket.severity, ticket.channel, ticket.language) == ("HIGH", "CRITICAL", "PHONE", "it")
    assert ticket.quotes_id == old.id
    assert opened["ticket"]["attachments"]["nodes"] == [{"fileName": "a.txt"}, {"fileName": "b.txt"}]


@pytest.mark.parametrize("by", ["ticketCreate", "draftSubmit"])
async def test_what_fails_when_the_ticket_is_stored_leaves_no_draft_of_it(
    as_user: AsUser,
    services: Services,
    acme: models.Organization,
    ann: models.User,
    monkeypatch: pytest.MonkeyPatch,
    by: str,
) -> None:
    """S30, J2: after the commit something breaks; the ticket is the answer, and there is one of it."""
    client, form = as_user(ann), {"requestTypeKey": "PORTAL", "subject": "s", "description": "d"}
    draft = (await save(client, organizationId=gid(acme), **form))["draft"]["id"]

    def fail(heads: Any) -> None:
        monkeypatch.undo()
        raise OSError("the doorbell is gone")

    monkeypatch.setattr(type(services.hub), "ring", lambda hub, heads: fail(heads))
    if by == "draftSubmit":
        opened = await submit(client, draft)
    else:
        opened = await create(client, acme, **form, draftId=draft, clientMutationId="k")

    assert opened["errors"] == []
    (ticket,) = await models.Ticket.all()
    assert opened["ticket"]["reference"] == ticket.reference
    assert await mine(client) == []


async def test_a_retry_that_succeeds_leaves_no_draft_of_the_failure(
    as_user: AsUser, acme: models.Organization, ann: models.User, break_once: Break
) -> None:
    """S30, J2: nor do two failures leave two drafts."""
    client, form = as_user(ann), {"requestTypeKey": "PORTAL", "clientMutationId": "k"}
    for _ in range(2):
        break_once()
        assert (await create(client, acme, **form))["errors"][0]["code"] == "INTERNAL"
    drafts = await mine(client)

    made = await create(client, acme, **form)

    assert len(drafts) == 1
    assert (made["errors"], await mine(client), await models.Ticket.all().count()) == ([], [], 1)


async def test_a_draft_that_could_not_be_submitted_stays_the_same_draft(
    as_user: AsUser, acme: models.Organization, ann: models.User, break_once: Break
) -> None:  # S30
    client = as_user(ann)
    draft = (await save(client, **await full_form(acme, ann)))["draft"]["id"]
    break_once()

    failed = await submit(client, draft)

    assert (failed["ticket"], failed["draft"]["id"]) == (None, draft)
    assert failed["draft"]["origin"] == "TECHNICAL_FAILURE"
    assert failed["draft"]["attachments"] == FULL["attachments"]
    assert (await submit(client, draft))["ticket"]["subject"] == "No picture"


async def test_who_only_reads_keeps_a_draft_and_submits_none(as_user: AsUser, acme: models.Organization) -> None:
    """S15, S30: it waits for the day on which its author may open requests."""
    reader = await make_member(acme, OrganizationRole.READ_ONLY)
    form = {"organizationId": gid(acme), "requestTypeKey": "PORTAL", "subject": "s", "description": "d"}
    draft = (await save(as_user(reader), **form))["draft"]["id"]

    async with nothing_changes():
        refused = await submit(as_user(reader), draft)
    await models.Membership.filter(user=reader).update(role=OrganizationRole.MEMBER)
    opened = await submit(as_user(reader), draft)

    assert refusal(refused)[0] == "FORBIDDEN"
    assert (opened["errors"], opened["ticket"]["subject"]) == ([], "s")


async def test_a_refusal_keeps_no_draft(as_user: AsUser, acme: models.Organization, ann: models.User) -> None:
    """S30: what the person can mend is an error of the form, which the person still has before the eyes."""
    async with nothing_changes():
        refused = await create(as_user(ann), acme, requestTypeKey="TECHNICAL")

    assert refusal(refused)[0] == "CERTIFICATE_REQUIRED"


async def test_nobody_has_more_drafts_than_can_be_looked_through(as_user: AsUser, ann: models.User) -> None:
    at = ann.created_at
    await models.TicketDraft.bulk_create(
        [models.TicketDraft(author_id=ann.id, origin="AUTOSAVE", created_at=at, updated_at=at) for _ in range(99)]
    )
    assert (await save(as_user(ann)))["errors"] == []

    async with nothing_changes():
        assert refusal(await save(as_user(ann))) == ("RATE_LIMITED", None)
