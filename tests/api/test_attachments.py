"""Files on messages, notes and tickets: how many, whose, which, and who sees them (S23, S48, S53, S07)."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

import models
from domain.attachments import MEDIA_TYPES
from domain.enums import Confidentiality, OrganizationRole, ScanState, TicketStatus, Visibility
from tests.api.operations import create, mutate, note, refusal, send
from tests.api.world import codes, gid, nothing_changes
from tests.client import Client
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import make_file, make_member, make_message, make_organization, make_staff, make_ticket
from tests.factories import make_request_type as make_kind

pytestmark = pytest.mark.anyio

NAMES = "attachments { fileName }"
FILES = """query($t: ID!) { ticket(id: $t) { attachments(first: 10) { totalCount nodes { fileName } }
  messages { nodes { attachments { fileName } } } } }"""
BY_ID = "query($f: ID!) { node(id: $f) { ... on Attachment { fileName downloadUrl } } }"


@pytest.fixture
async def acme(db: str) -> models.Organization:
    await make_kind()
    return await make_organization("Acme")


@pytest.fixture
async def ann(acme: models.Organization) -> models.User:
    return await make_member(acme, name="Ann")


async def announce(client: Client, **given: Any) -> Any:
    values = {"fileName": "log.txt", "mediaType": "text/plain", "sizeBytes": 5, **given}
    return await mutate(
        client,
        "attachmentUploadCreate",
        "upload { attachment { id fileName mediaType } uploadUrl expiresAt }",
        **values,
    )


async def delete(client: Client, file: models.Attachment) -> Any:
    return await mutate(client, "attachmentDelete", "attachmentId", attachmentId=gid(file))


async def waiting(owner: models.User, number: int) -> list[models.Attachment]:
    return [await make_file(owner, f"{place}.txt") for place in range(number)]


def ids(files: list[models.Attachment]) -> list[str]:
    return [gid(each) for each in files]


async def test_the_limits_can_be_read(as_user: AsUser, ann: models.User) -> None:
    """S53, J9."""
    limits = "{ maxFilesPerMessage maxFileSizeBytes allowedExtensions }"
    ask = "{ attachmentPolicy %s server { attachmentPolicy %s } }" % (limits, limits)  # noqa: UP031

    found = await as_user(ann).ask(ask)

    assert found["attachmentPolicy"] == found["server"]["attachmentPolicy"]
    assert found["attachmentPolicy"] == {
        "maxFilesPerMessage": 5,
        "maxFileSizeBytes": 512_000,
        "allowedExtensions": list(MEDIA_TYPES),
    }


async def test_a_file_is_announced_before_it_is_sent(as_user: AsUser, ann: models.User) -> None:  # S23
    made = await announce(as_user(ann), fileName="Plan.PDF", mediaType="text/html", sizeBytes=512_000)

    upload = made["upload"]
    assert made["errors"] == []
    assert upload["attachment"] | {"id": ""} == {"id": "", "fileName": "Plan.PDF", "mediaType": "application/pdf"}
    assert upload["expiresAt"] == "2026-03-02T09:15:00.000000Z"
    assert upload["uploadUrl"].startswith("http://127.0.0.1:8000/attachments/")


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"sizeBytes": 512_001}, "FILE_TOO_LARGE", "sizeBytes"),
    ({"sizeBytes": 0}, "INVALID", "sizeBytes"),
    ({"sizeBytes": -1}, "INVALID", "sizeBytes"),
    ({"fileName": "page.html"}, "FILE_TYPE_NOT_ALLOWED", "fileName"),
    ({"fileName": ""}, "REQUIRED", "fileName"),
    ({"fileName": "a\x00.txt"}, "INVALID", "fileName"),
    ({"fileName": "\ud800.txt"}, "INVALID", "fileName"),
    ({"fileName": "x" * 10_000_000 + ".txt"}, "INVALID", "fileName"),
    ({"checksum": "short"}, "INVALID", "checksum"),
]


async def test_a_file_that_may_not_be_is_refused_by_name(as_user: AsUser, ann: models.User) -> None:  # S53
    async with nothing_changes():
        found = [refusal(await announce(as_user(ann), **given)) for given, _, _ in REFUSED]

    assert found == [(code, ["input", field]) for _, code, field in REFUSED]


async def test_who_only_reads_announces_nothing(as_user: AsUser, acme: models.Organization) -> None:  # S15
    reader = await make_member(acme, OrganizationRole.READ_ONLY)

    async with nothing_changes():
        assert refusal(await announce(as_user(reader))) == ("FORBIDDEN", None)


async def test_nobody_fills_the_store_with_files_that_wait(as_user: AsUser, ann: models.User) -> None:
    await waiting(ann, 49)
    assert (await announce(as_user(ann)))["errors"] == []

    async with nothing_changes():
        assert refusal(await announce(as_user(ann))) == ("RATE_LIMITED", None)


async def test_files_go_on_a_new_ticket_a_message_a_note_and_a_comment(
    as_user: AsUser, acme: models.Organization, ann: models.User, clock: Clock
) -> None:
    """S23, S48: in the order given, and on the ticket as a whole."""
    client, files = as_user(ann), await waiting(ann, 5)

    made = await create(client, acme, attachmentIds=[gid(files[1]), gid(files[0])])
    ticket = await models.Ticket.get(reference=made["ticket"]["reference"])
    await send(client, ticket, message={"attachmentIds": [gid(files[2])]})
    await note(client, ticket, attachmentIds=[gid(files[3])])
    await models.Ticket.filter(id=ticket.id).update(status=TicketStatus.RESOLVED, resolved_at=clock())
    given = {"comment": "Again", "attachmentIds": [gid(files[4])]}
    await mutate(client, "ticketReopen", "ticket { id }", ticketId=gid(ticket), **given)

    found = (await client.ask(FILES, t=gid(ticket)))["ticket"]
    assert sorted(each["fileName"] for each in found["attachments"]["nodes"]) == [f"{n}.txt" for n in range(5)]
    assert found["attachments"]["totalCount"] == 5
    assert [sorted(f["fileName"] for f in each["attachments"]) for each in found["messages"]["nodes"]] == [
        ["0.txt", "1.txt"],
        ["2.txt"],
        ["3.txt"],
        ["4.txt"],
    ]


async def test_five_files_go_on_a_message_and_the_sixth_is_refused(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:  # S53
    client, ticket, files = as_user(ann), await make_ticket(acme, ann), await waiting(ann, 6)

    async with nothing_changes():
        refused = await send(client, ticket, message={"attachmentIds": ids(files)})
        created = await create(client, acme, attachmentIds=ids(files))
    sent = await send(client, ticket, message={"attachmentIds": ids(files[:5])})

    assert refusal(refused) == refusal(created) == ("TOO_MANY_FILES", ["input", "attachmentIds"])
    assert sent["errors"] == []
    assert await models.Attachment.filter(ticket_id=ticket.id).count() == 5


async def test_only_a_file_of_ones_own_that_waits_can_be_attached(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:
    ticket, ben = await make_ticket(acme, ann), await make_member(acme, OrganizationRole.OWNER)
    on_another = await make_file(ann, message=await make_message(ticket, ann), ticket=ticket, visibility="PUBLIC")
    cases = [
        (gid(await make_file(ben)), "NOT_FOUND"),
        (gid(on_another), "NOT_FOUND"),
        (f"Attachment_{UUID(int=1)}", "NOT_FOUND"),
        (gid(await make_file(ann, deleted_at=ann.created_at)), "NOT_FOUND"),
        (gid(ticket), "INVALID"),
        ("garbage", "INVALID"),
        (gid(await make_file(ann, stored_at=None)), "CONFLICT"),
        (gid(await make_file(ann, scan_state=ScanState.INFECTED)), "CONFLICT"),
    ]

    async with nothing_changes():
        found = [refusal(await send(as_user(ann), ticket, message={"attachmentIds": [f]})) for f, _ in cases]

    assert found == [(code, ["input", "attachmentIds"]) for _, code in cases]


async def test_a_retry_attaches_nothing_twice_and_other_files_are_no_retry(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:  # J2
    client, ticket, (one, two) = as_user(ann), await make_ticket(acme, ann), await waiting(ann, 2)
    message = {"attachmentIds": [gid(one)]}
    first = await send(client, ticket, clientMessageId="k", message=message)

    async with nothing_changes():
        again = await send(client, ticket, clientMessageId="k", message=message)
        other = await send(client, ticket, clientMessageId="k", message={"attachmentIds": [gid(two)]})

    assert again["message"]["id"] == first["message"]["id"]
    assert refusal(other) == ("IDEMPOTENCY_MISMATCH", ["input", "clientMessageId"])


async def test_a_file_that_two_messages_reach_for_at_once_goes_on_one(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:
    client, (file,) = as_user(ann), await waiting(ann, 1)
    tickets = [await make_ticket(acme, ann) for _ in range(4)]

    sent = await asyncio.gather(*(send(client, ticket, message={"attachmentIds": [gid(file)]}) for ticket in tickets))

    assert sorted(each["errors"][0]["code"] if each["errors"] else "" for each in sent) == ["", *["NOT_FOUND"] * 3]
    assert await models.Message.all().count() == 1


async def test_a_file_beside_an_internal_note_is_for_staff(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:  # J7
    agent, ticket = await make_staff(), await make_ticket(acme, ann)
    file = await make_file(agent, "trace.txt")

    await note(as_user(agent), ticket, visibility=Visibility.INTERNAL, attachmentIds=[gid(file)])

    customers = await as_user(ann).ask(FILES, t=gid(ticket))
    staffs = await as_user(agent).ask(FILES, t=gid(ticket))
    assert customers["ticket"]["attachments"] == {"totalCount": 0, "nodes": []}
    assert staffs["ticket"]["attachments"] == {"totalCount": 1, "nodes": [{"fileName": "trace.txt"}]}
    assert (await as_user(ann).ask(BY_ID, f=gid(file)))["node"] is None


async def test_a_file_that_waits_is_its_uploaders_alone(as_user: AsUser, acme: models.Organization) -> None:
    """Not even for support, nor for who runs the organization."""
    ann, owner, agent = await make_member(acme), await make_member(acme, OrganizationRole.OWNER), await make_staff()
    file = await make_file(ann)

    seen = [(await as_user(each).ask(BY_ID, f=gid(file)))["node"] for each in (ann, owner, agent)]

    assert [each and each["fileName"] for each in seen] == ["log.txt", None, None]
    async with nothing_changes():
        for each in (owner, agent):
            assert refusal(await delete(as_user(each), file)) == ("NOT_FOUND", ["input", "attachmentId"])


async def test_a_file_of_an_author_only_ticket_is_its_authors_and_supports(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:
    """S07: by id, through the ticket, by taking it off: as if it were not there."""
    owner, agent = await make_member(acme, OrganizationRole.OWNER), await make_staff()
    ticket = await make_ticket(acme, ann, confidentiality=Confidentiality.AUTHOR_ONLY)
    file = await make_file(ann)
    await send(as_user(ann), ticket, message={"attachmentIds": [gid(file)]})

    by_id = [(await as_user(each).ask(BY_ID, f=gid(file)))["node"] for each in (ann, agent, owner)]
    through = [(await as_user(each).ask(FILES, t=gid(ticket)))["ticket"] for each in (ann, agent, owner)]

    assert [each and each["downloadUrl"] is not None for each in by_id] == [True, True, None]
    assert [each and each["attachments"]["totalCount"] for each in through] == [1, 1, None]
    async with nothing_changes():
        assert refusal(await delete(as_user(owner), file)) == ("NOT_FOUND", ["input", "attachmentId"])


async def test_a_file_is_taken_off_by_its_author_or_by_support(
    as_user: AsUser, acme: models.Organization, ann: models.User
) -> None:
    agent, owner = await make_staff(), await make_member(acme, OrganizationRole.OWNER)
    ticket = await make_ticket(acme, ann)
    mine, theirs, last = await make_file(ann), await make_file(agent), await make_file(ann)
    for author, file in ((ann, mine), (agent, theirs), (ann, last)):
        await send(as_user(author), ticket, message={"attachmentIds": [gid(file)]})
    head = (await models.FeedStream.get(topic=f"ticket:{ticket.id}:pub")).head

    async with nothing_changes():
        assert refusal(await delete(as_user(ann), theirs)) == ("FORBIDDEN", None)
        assert refusal(await delete(as_user(owner), mine)) == ("FORBIDDEN", None)
    gone = [(await delete(as_user(each), file))["errors"] for each, file in ((ann, mine), (agent, theirs))]

    assert gone == [[], []]
    assert (await models.FeedStream.get(topic=f"ticket:{ticket.id}:pub")).head == head + 2
    assert (await as_user(ann).ask(FILES, t=gid(ticket)))["ticket"]["attachments"]["totalCount"] == 1
    assert (await as_user(ann).ask(BY_ID, f=gid(mine)))["node"] is None
    await models.Ticket.filter(id=ticket.id).update(status=TicketStatus.CLOSED, closed_at=ticket.created_at)
    async with nothing_changes():  # S66
        assert refusal(await delete(as_user(ann), last))[0] == "TICKET_CLOSED"
    assert (await delete(as_user(agent), last))["errors"] == []


async def test_an_address_is_good_for_what_was_asked_up_to_an_hour(as_user: AsUser, ann: models.User) -> None:
    file = await make_file(ann)
    ask = "query($f: ID!, $d: Duration) { node(id: $f) { ... on Attachment { downloadUrl(expiresIn: $d) } } }"

    async def until(span: str | None) -> timedelta:
        url: str = (await as_user(ann).ask(ask, f=gid(file), d=span))["node"]["downloadUrl"]
        expires = int(url.partition("expires=")[2].partition("&")[0])
        return timedelta(seconds=expires - 1_772_442_000)

    assert [await until(span) for span in (None, "PT1S", "PT1H")] == [
        timedelta(minutes=5),
        timedelta(seconds=1),
        timedelta(hours=1),
    ]
    for span in ("PT1H1S", "PT0S", "P9999D"):
        _, errors = await as_user(ann).answer(ask, f=gid(file), d=span)
        assert codes(errors) == ["INVALID"], span


async def test_what_has_no_bytes_or_bad_ones_has_no_address(as_user: AsUser, ann: models.User) -> None:
    for given in ({"stored_at": None}, {"scan_state": ScanState.INFECTED}):
        file = await make_file(ann, **given)
        assert (await as_user(ann).ask(BY_ID, f=gid(file)))["node"] == {"fileName": "log.txt", "downloadUrl": None}
