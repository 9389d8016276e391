"""Opening a ticket: what has to be given, what may be chosen, and that a retry opens no second one."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

import models
from domain.enums import OrganizationRole
from tests.api.operations import create, mutate, refusal
from tests.api.test_list_cost import counted
from tests.api.world import gid, nothing_changes
from tests.client import Refused
from tests.conftest import AsUser
from tests.factories import make_member, make_organization, make_request_type, make_staff

pytestmark = pytest.mark.anyio

NEVER = UUID(int=1)


@pytest.fixture
async def acme(db: str) -> models.Organization:
    await make_request_type()
    return await make_organization("Acme")


async def test_a_ticket_opens_as_a_conversation_with_support(as_user: AsUser, acme: models.Organization) -> None:
    """S25, S26, S58: a reference, the description as the first message, the author on board, in the list at once."""
    ann = as_user(await make_member(acme, name="Ann"))

    made = await create(ann, acme, subject="  No\n picture ", description="Since Monday.\r\nStill.")

    assert made["errors"] == []
    assert made["ticket"] | {"id": "", "reference": ""} == {
        "id": "",
        "reference": "",
        "subject": "No picture",
        "status": "NEW",
        "displayStatus": "NEW",
        "version": 1,
        "resolutionReason": None,
        "closureReason": None,
        "resolvedAt": None,
        "closedAt": None,
        "lastSequence": 1,
    }
    shown = await ann.ask(
        """{ tickets { nodes { reference channel priority severity confidentiality createdAt requester { displayName }
          owner { displayName } participants { nodes { role user { displayName } } }
          messages { nodes { __typename body sequence actor { displayName } } } } } }"""
    )
    assert shown["tickets"]["nodes"] == [
        {
            "reference": made["ticket"]["reference"],
            "channel": "PORTAL",
            "priority": "NORMAL",
            "severity": "UNKNOWN",
            "confidentiality": "ORGANIZATION",
            "createdAt": "2026-03-02T09:00:00.000000Z",
            "requester": {"displayName": "Ann"},
            "owner": {"displayName": "Ann"},
            "participants": {"nodes": [{"role": "SUBMITTER", "user": {"displayName": "Ann"}}]},
            "messages": {
                "nodes": [
                    {
                        "__typename": "ChatMessage",
                        "body": "Since Monday.\nStill.",
                        "sequence": 1,
                        "actor": {"displayName": "Ann"},
                    }
                ]
            },
        }
    ]


async def test_references_count_up_and_a_refusal_takes_none(as_user: AsUser, acme: models.Organization) -> None:  # S25
    ann = as_user(await make_member(acme))
    before = (await create(ann, acme))["ticket"]["reference"]

    refused = await create(ann, acme, subject=" ")
    after = (await create(ann, acme))["ticket"]["reference"]

    assert refusal(refused) == ("REQUIRED", ["input", "subject"])
    assert int(after.removeprefix("T-")) == int(before.removeprefix("T-")) + 1


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"subject": ""}, "REQUIRED", "subject"),
    ({"description": " \n"}, "REQUIRED", "description"),  # S22
    ({"subject": "a\x00b"}, "INVALID", "subject"),
    ({"subject": "\ud800"}, "INVALID", "subject"),
    ({"subject": "x" * 301}, "INVALID", "subject"),
    ({"description": "a\x00b"}, "INVALID", "description"),
    ({"description": "a\udfffb"}, "INVALID", "description"),
    ({"description": "x" * 10_000_000}, "INVALID", "description"),
    ({"requestTypeKey": "NO_SUCH"}, "NOT_FOUND", "requestTypeKey"),
    ({"organizationId": "garbage"}, "INVALID", "organizationId"),
    ({"organizationId": f"User_{NEVER}"}, "INVALID", "organizationId"),
    ({"organizationId": f"Organization_{NEVER}"}, "NOT_FOUND", "organizationId"),
    ({"clientMutationId": "x" * 101}, "INVALID", "clientMutationId"),
    ({"clientMutationId": "a\x00"}, "INVALID", "clientMutationId"),
    ({"productId": f"Product_{NEVER}"}, "NOT_FOUND", "productId"),
    ({"productVersionId": f"ProductVersion_{NEVER}"}, "INVALID", "productId"),
    ({"productUpdateId": f"ProductUpdate_{NEVER}"}, "INVALID", "productVersionId"),
    ({"spaceId": f"Room_{NEVER}"}, "NOT_FOUND", "spaceId"),
    ({"spaceId": f"Device_{NEVER}"}, "INVALID", "spaceId"),
    ({"deviceIds": [f"Device_{NEVER}"]}, "NOT_FOUND", "deviceIds"),
    ({"certificateId": f"ServiceCertificate_{NEVER}"}, "NOT_FOUND", "certificateId"),
    ({"classificationId": f"Classification_{NEVER}"}, "NOT_FOUND", "classificationId"),
    ({"issueTypeId": f"IssueType_{NEVER}"}, "NOT_FOUND", "issueTypeId"),
    ({"onBehalfOfOrganizationId": f"Organization_{NEVER}"}, "NOT_FOUND", "onBehalfOfOrganizationId"),
]


async def test_what_cannot_be_used_is_refused_by_name_and_leaves_no_trace(
    as_user: AsUser, acme: models.Organization
) -> None:
    ann = as_user(await make_member(acme))
    await make_organization("Customer", partner=acme)

    async with nothing_changes():
        found = [refusal(await create(ann, acme, **given)) for given, _, _ in REFUSED]

    assert found == [(code, ["input", field]) for _, code, field in REFUSED]


async def test_no_text_reaches_the_database_unchecked(as_user: AsUser, acme: models.Organization) -> None:
    ann = as_user(await make_member(acme))
    unchecked: list[Any] = []

    async with nothing_changes():
        for field, text in (
            ("language", "x" * 17),
            ("language", "e\x00n"),
            ("language", "\ud800"),
            ("requestTypeKey", "\ud800"),
            ("requestTypeKey", "a\x00"),
        ):
            try:
                code, where = refusal(await create(ann, acme, **{field: text}))
                assert (code in ("INVALID", "NOT_FOUND"), where) == (True, ["input", field])
            except Refused:
                unchecked.append((field, text))

    assert unchecked == []


async def test_a_text_at_its_limit_is_kept_whole(as_user: AsUser, acme: models.Organization) -> None:
    ann = as_user(await make_member(acme))

    made = await create(ann, acme, subject="é" * 300, description="🙂" * 64_000)

    row = await models.Ticket.get(reference=made["ticket"]["reference"])
    assert (row.subject, row.description) == ("é" * 300, "🙂" * 64_000)


async def test_what_belongs_to_another_organization_cannot_be_chosen(
    as_user: AsUser, acme: models.Organization
) -> None:
    """S27: nor a device that stands in another room."""
    ann = as_user(await make_member(acme))
    other = await make_organization("Other")
    camera = await models.Product.create(name="Camera")
    theirs, here, there = [
        await models.Space.create(organization=of, kind=models.SpaceKind.ROOM, name=name)
        for of, name in ((other, "Theirs"), (acme, "Here"), (acme, "There"))
    ]
    device = await models.Device.create(
        organization=acme, product=camera, space=there, name="Camera", serial_number="1"
    )

    async with nothing_changes():
        for given, field in (
            ({"spaceId": gid(theirs)}, "spaceId"),
            ({"spaceId": gid(here), "deviceIds": [gid(device)]}, "deviceIds"),
        ):
            assert refusal(await create(ann, acme, **given)) == ("NOT_FOUND", ["input", field])

    made = await create(ann, acme, spaceId=gid(there), deviceIds=[gid(device)])
    row = await models.Ticket.get(reference=made["ticket"]["reference"])
    assert row.space_id == there.id
    assert [each.id for each in await row.devices.all()] == [device.id]


async def test_a_partner_files_for_its_customers_and_for_nobody_else(
    as_user: AsUser, acme: models.Organization
) -> None:  # S08
    ann = as_user(await make_member(acme))
    customer, other = await make_organization("Customer", partner=acme), await make_organization("Other")

    made = await create(ann, acme, onBehalfOfOrganizationId=gid(customer))
    refused = await create(ann, acme, onBehalfOfOrganizationId=gid(other))
    no_partner = await create(as_user(await make_member(other)), other, onBehalfOfOrganizationId=gid(customer))

    row = await models.Ticket.get(reference=made["ticket"]["reference"])
    assert (row.organization_id, row.on_behalf_of_id) == (acme.id, customer.id)
    assert refusal(refused) == ("NOT_FOUND", ["input", "onBehalfOfOrganizationId"])
    assert refusal(no_partner) == ("FORBIDDEN", ["input", "onBehalfOfOrganizationId"])


async def test_what_support_opens_waits_for_a_requester(as_user: AsUser, acme: models.Organization) -> None:  # S14
    agent = as_user(await make_staff())

    made = await create(agent, acme)

    row = await models.Ticket.get(reference=made["ticket"]["reference"])
    assert (row.requester_id, row.owner_id) == (None, None)
    assert await models.Participant.all().count() == 0


async def test_a_retry_gives_the_ticket_of_the_first_time(as_user: AsUser, acme: models.Organization) -> None:  # J2
    ann, ben = as_user(await make_member(acme)), as_user(await make_member(acme))
    first = await create(ann, acme, clientMutationId="one")

    async with nothing_changes():
        again = await create(ann, acme, clientMutationId="one")
    another = await create(ann, acme, clientMutationId="two")
    bens = await create(ben, acme, clientMutationId="one")

    assert again["ticket"] == first["ticket"]
    assert again["clientMutationId"] == "one"
    assert len({made["ticket"]["id"] for made in (first, another, bens)}) == 3


async def test_a_retry_of_support_opens_no_second_ticket_either(as_user: AsUser, acme: models.Organization) -> None:
    """J2."""
    agent = as_user(await make_staff())

    first = await create(agent, acme, clientMutationId="one")
    again = await create(agent, acme, clientMutationId="one")

    assert again["ticket"]["id"] == first["ticket"]["id"]


async def test_retries_at_the_same_time_open_one_ticket(as_user: AsUser, acme: models.Organization) -> None:  # J2
    ann = as_user(await make_member(acme, OrganizationRole.OWNER))

    made = await asyncio.gather(*(create(ann, acme, clientMutationId="one") for _ in range(5)))

    assert [each["errors"] for each in made] == [[]] * 5
    assert len({each["ticket"]["id"] for each in made}) == 1
    assert await models.Ticket.all().count() == 1
    assert await models.Message.all().count() == 1
    heads = sorted((row.topic.partition(":")[0], row.head) for row in await models.FeedStream.all())
    assert heads == [("desk", 1), ("org", 1), ("org", 1), ("ticket", 2), ("ticket", 2), ("tickets", 1)]


async def test_a_key_used_again_for_another_ticket_is_refused(as_user: AsUser, acme: models.Organization) -> None:
    """J2: the retry of one ticket must not swallow another."""
    ann = as_user(await make_member(acme))
    await create(ann, acme, clientMutationId="k1", subject="The camera stays black")

    async with nothing_changes():
        answer = await create(ann, acme, clientMutationId="k1", subject="Another matter")

    assert refusal(answer) == ("IDEMPOTENCY_MISMATCH", ["input", "clientMutationId"])


async def test_whether_there_is_one_already_is_asked_once(as_user: AsUser, acme: models.Organization) -> None:  # J2
    ann = as_user(await make_member(acme))

    with counted() as sent:
        made = await create(ann, acme, clientMutationId="1")

    assert made["errors"] == []
    asked = [each for each in sent if "SELECT" in each and '"client_mutation_id"=' in each.partition("WHERE")[2]]
    assert len(asked) == 1, asked


async def test_a_retry_gives_nothing_that_is_not_the_openers_to_see_any_more(
    as_user: AsUser, acme: models.Organization
) -> None:
    """S07, S14, J2, J3: another person's by now, or of an organization that was left; neither its draft gives it."""
    ann, ben = await make_member(acme, name="Ann"), await make_member(acme, name="Ben")
    form = {"organizationId": gid(acme), "requestTypeKey": "TECHNICAL", "subject": "s", "description": "d"}
    draft = (await mutate(as_user(ann), "draftSave", "draft { id }", **form))["draft"]["id"]
    private = {"confidentiality": "AUTHOR_ONLY", "clientMutationId": "one"}
    made = (await create(as_user(ann), acme, **private))["ticket"]["id"]
    submitted = await mutate(as_user(ann), "draftSubmit", "ticket { id }", draftId=draft)
    assert submitted["errors"] == []

    await mutate(as_user(await make_staff()), "ticketSetRequester", "ticket { id }", ticketId=made, userId=gid(ben))
    async with nothing_changes():
        anothers = await create(as_user(ann), acme, **private)
    await models.Membership.filter(user=ann).delete()
    async with nothing_changes():
        left = await mutate(as_user(ann), "draftSubmit", "ticket { id }", draftId=draft)

    assert refusal(anothers) == ("NOT_FOUND", ["input", "clientMutationId"])
    assert refusal(left) == ("NOT_FOUND", ["input", "draftId"])
