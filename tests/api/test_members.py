"""Members of an organization: inviting, roles, removing; who leaves loses its tickets at once (S03, S10, J3)."""

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import pytest

import models
from domain.enums import OrganizationRole, StaffRole
from models import FeedEvent, Membership
from schema.node import global_id
from tests.api.operations import mutate, refusal, send
from tests.api.test_access_changes import DOCUMENTS
from tests.api.test_live_lists import TICKETS
from tests.api.world import codes, gid, nothing_changes
from tests.client import Client, Stream
from tests.conftest import AsUser
from tests.factories import make_member, make_organization, make_staff, make_ticket, make_user

pytestmark = pytest.mark.anyio

OWNER, ADMIN, REQUESTS, LICENCES, MEMBER, READ_ONLY = OrganizationRole
PLACE = "membership { role user { displayName } organization { name } }"
MESSAGES = """subscription($t: ID!) { messages(ticketId: $t) { __typename
  ... on MessageChange { message { body } } } }"""
TICKET = "query($t: ID!) { ticket(id: $t) { subject } }"


async def invite(client: Client, organization: models.Organization, email: str, role: str = "MEMBER") -> Any:
    given = {"organizationId": gid(organization), "email": email, "role": role}
    return await mutate(client, "organizationMemberInvite", PLACE, **given)


async def set_role(client: Client, user: models.User, role: str) -> Any:
    return await mutate(client, "organizationMemberSetRole", PLACE, membershipId=await place(user), role=role)


async def remove(client: Client, user: models.User) -> Any:
    return await mutate(
        client, "organizationMemberRemove", "organization { name viewerRole }", membershipId=await place(user)
    )


async def place(user: models.User) -> str:
    return gid(await Membership.get(user=user))


async def access_events() -> list[Any]:
    rows = await FeedEvent.filter(topic="access").order_by("seq")
    return [json.loads(row.data) for row in rows]


async def test_an_address_that_nobody_has_becomes_an_account_without_a_password(as_user: AsUser) -> None:
    acme = await make_organization("Acme")
    owner = as_user(await make_member(acme, OWNER))

    answer = await invite(owner, acme, " New.Person@Example.com ", "READ_ONLY")

    assert answer["errors"] == []
    assert answer["membership"] == {
        "role": "READ_ONLY",
        "user": {"displayName": "new.person"},
        "organization": {"name": "Acme"},
    }
    user = await models.User.get(email="new.person@example.com")
    assert (user.password_hash, user.staff_role, user.is_active) == (None, None, True)


async def test_a_person_of_another_organization_joins_with_a_role_in_each(as_user: AsUser) -> None:  # S10
    acme, other = await make_organization("Acme"), await make_organization("Other")
    bob = await make_member(other, OWNER, "Bob")

    await invite(as_user(await make_member(acme, ADMIN)), acme, bob.email, "MEMBER")

    mine = "{ organizations { nodes { name viewerRole } } }"
    assert (await as_user(bob).ask(mine))["organizations"]["nodes"] == [
        {"name": "Acme", "viewerRole": "MEMBER"},
        {"name": "Other", "viewerRole": "OWNER"},
    ]


async def test_what_cannot_be_invited_is_refused_and_changes_nothing(as_user: AsUser) -> None:
    acme, other = await make_organization(), await make_organization()
    owner, bob = as_user(await make_member(acme, OWNER)), await make_member(acme)
    gone = await make_user(is_active=False)

    async with nothing_changes():
        assert refusal(await invite(owner, acme, bob.email)) == ("DUPLICATE", ["input", "email"])
        assert refusal(await invite(owner, acme, gone.email)) == ("CONFLICT", ["input", "email"])
        assert refusal(await invite(owner, other, "a@example.com")) == ("NOT_FOUND", ["input", "organizationId"])
        for wrong in ("nobody", "a@b", "a\x00@example.com", "a\ud800@example.com", "x" * 300 + "@example.com"):
            _, errors = await owner.answer(
                """mutation($o: ID!, $e: EmailAddress!) { organizationMemberInvite(
                  input: {organizationId: $o, email: $e, role: MEMBER}) { errors { code } } }""",
                o=gid(acme),
                e=wrong,
            )
            assert errors or wrong == "a@b", wrong


@pytest.mark.parametrize(
    ("giver", "role", "code"),
    [
        (ADMIN, "OWNER", "FORBIDDEN"),
        (ADMIN, "ADMIN", "FORBIDDEN"),
        (REQUESTS, "SUPPORT_REQUEST_ADMIN", "FORBIDDEN"),
        (REQUESTS, "LICENSE_MANAGER", "FORBIDDEN"),
        (ADMIN, "SUPPORT_REQUEST_ADMIN", None),
        (REQUESTS, "MEMBER", None),
        (OWNER, "OWNER", None),
    ],
)
async def test_nobody_gives_a_role_above_their_own(  # S03
    as_user: AsUser, giver: OrganizationRole, role: str, code: str | None
) -> None:
    acme = await make_organization()
    client, bob = as_user(await make_member(acme, giver)), await make_member(acme)

    invited, changed = await invite(client, acme, "new@example.com", role), await set_role(client, bob, role)

    if code:
        assert refusal(invited) == refusal(changed) == (code, ["input", "role"])
        assert not await models.User.filter(email="new@example.com").exists()
    else:
        assert invited["membership"]["role"] == changed["membership"]["role"] == role


async def test_an_administrator_touches_no_owner_and_no_other_administrator(as_user: AsUser) -> None:
    acme = await make_organization()
    client = as_user(await make_member(acme, ADMIN))
    others = [await make_member(acme, OWNER), await make_member(acme, OWNER), await make_member(acme, ADMIN)]

    async with nothing_changes():
        for other in others:
            assert refusal(await set_role(client, other, "MEMBER"))[0] == "FORBIDDEN"
            assert refusal(await remove(client, other))[0] == "FORBIDDEN"


async def test_an_organization_keeps_an_owner(as_user: AsUser) -> None:
    acme = await make_organization()
    ann, chief = await make_member(acme, OWNER), await make_staff(StaffRole.ADMIN)

    for client in (as_user(ann), as_user(chief)):
        async with nothing_changes():
            assert refusal(await set_role(client, ann, "ADMIN")) == ("CONFLICT", None)
            assert refusal(await remove(client, ann)) == ("CONFLICT", None)

    bob = await make_member(acme)
    await set_role(as_user(ann), bob, "OWNER")
    assert (await set_role(as_user(ann), ann, "ADMIN"))["membership"]["role"] == "ADMIN"
    assert (await remove(as_user(ann), ann)) == {"organization": None, "errors": []}


async def test_an_owner_whose_account_is_switched_off_is_none_that_an_organization_keeps(as_user: AsUser) -> None:
    acme = await make_organization()
    ann, gone = await make_member(acme, OWNER), await make_member(acme, OWNER)
    await models.User.filter(id=gone.id).update(is_active=False)

    async with nothing_changes():
        assert refusal(await set_role(as_user(ann), ann, "ADMIN")) == ("CONFLICT", None)
        assert refusal(await remove(as_user(ann), ann)) == ("CONFLICT", None)
    assert (await remove(as_user(ann), gone))["errors"] == []


@pytest.mark.postgres
async def test_two_owners_who_remove_each_other_at_once_leave_one(as_user: AsUser) -> None:
    acme = await make_organization()
    ann, bob = await make_member(acme, OWNER), await make_member(acme, OWNER)

    answers = await asyncio.gather(remove(as_user(ann), bob), remove(as_user(bob), ann))

    assert await Membership.filter(organization=acme, role=OWNER).count() == 1
    assert sum(answer["errors"] == [] for answer in answers) == 1


async def test_one_address_invited_twice_at_once_is_one_member(as_user: AsUser) -> None:
    acme = await make_organization()
    client = as_user(await make_member(acme, OWNER))

    answers = await asyncio.gather(*(invite(client, acme, "new@example.com") for _ in range(4)))

    assert sorted(bool(answer["errors"]) for answer in answers) == [False, True, True, True]
    assert {refusal(answer)[0] for answer in answers if answer["errors"]} == {"DUPLICATE"}
    assert await models.User.filter(email="new@example.com").count() == 1


async def test_who_is_removed_loses_the_tickets_at_once(as_user: AsUser) -> None:  # J3
    """Also what they opened themselves, and the stream that they follow right now."""
    acme = await make_organization("Acme")
    owner, ann = as_user(await make_member(acme, OWNER)), await make_member(acme)
    ticket, sam = await make_ticket(acme, ann), as_user(await make_staff())
    async with as_user(ann).watch(MESSAGES, t=gid(ticket)) as stream, owner.watch(MESSAGES, t=gid(ticket)) as other:
        for each in (stream, other):
            assert (await each.next())["__typename"] == "StreamCaughtUp"

        assert await remove(owner, ann) == {"organization": {"name": "Acme", "viewerRole": "OWNER"}, "errors": []}
        await send(sam, ticket, "after")

        assert codes((await stream.result())[1]) == ["NOT_FOUND"]
        assert (await other.next())["message"] == {"body": "after"}
    assert await as_user(ann).ask(TICKET, t=gid(ticket)) == {"ticket": None}
    assert await access_events() == [{"user": str(ann.id)}]


PASSING = {
    "typing": ("typingSet", {"isTyping": True}, {"isTyping": False}),
    "presence": ("presenceSet", {"state": "VIEWING"}, {"state": "IDLE"}),
    "readState": ("ticketMarkRead", {"upToSequence": 1}, {"upToSequence": 2}),
}
"""What passes on a ticket: the mutation that it tells of, and what somebody does before and after the removal."""


async def test_every_stream_of_who_is_removed_ends_or_goes_on_without_its_tickets(as_user: AsUser) -> None:
    """S26, J3: of a ticket, of what passes on it, of the organization's list; one's own list is to be loaded again."""
    acme = await make_organization("Acme")
    owner, ann, sam = as_user(await make_member(acme, OWNER)), await make_member(acme), as_user(await make_staff())
    ticket = await make_ticket(acme, ann, assignee=sam.user)
    for body in ("one", "two"):
        await send(sam, ticket, body)

    async def happens(moment: int) -> None:
        for mutation, *given in PASSING.values():
            assert (await mutate(sam, mutation, "__typename", ticketId=gid(ticket), **given[moment]))["errors"] == []

    await happens(0)
    async with AsyncExitStack() as stack:

        async def watch(document: str, **given: Any) -> Stream:
            return await stack.enter_async_context(as_user(ann).watch(document, **given))

        of_ticket = [await watch(each, t=gid(ticket)) for each in DOCUMENTS.values()]
        of_list = await watch(TICKETS, scope="ORGANIZATION", o=gid(acme), filter=None)
        mine = await watch(TICKETS, scope="MINE", filter=None)
        for stream in (*of_ticket, of_list, mine):
            assert (await stream.next())["__typename"] == "StreamCaughtUp"
        passing = [
            await watch(f"subscription($t: ID!) {{ {name}(ticketId: $t) {{ __typename }} }}", t=gid(ticket))
            for name in PASSING
        ]
        for stream in passing:
            await stream.next()

        assert (await remove(owner, ann))["errors"] == []
        await send(sam, ticket, "after")
        await happens(1)

        for stream in (*of_ticket, of_list, *passing):
            data, errors = await stream.result()
            assert (data, codes(errors)) == (None, ["NOT_FOUND"])
        item = await mine.next()
        assert (item["__typename"], item["reason"]) == ("StreamReset", "ACCESS_CHANGED")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await mine.next()


async def test_a_role_that_stays_the_same_is_not_announced(as_user: AsUser) -> None:
    acme = await make_organization()
    owner, bob = as_user(await make_member(acme, OWNER)), await make_member(acme, MEMBER)

    await set_role(owner, bob, "MEMBER")
    assert await access_events() == []

    await set_role(owner, bob, "READ_ONLY")
    assert await access_events() == [{"user": str(bob.id)}]


async def test_a_membership_that_is_none_of_yours_is_not_there(as_user: AsUser) -> None:
    acme, other = await make_organization(), await make_organization()
    client, stranger = as_user(await make_member(acme, OWNER)), await make_member(other)

    async with nothing_changes():
        assert refusal(await set_role(client, stranger, "MEMBER")) == ("NOT_FOUND", ["input", "membershipId"])
        assert refusal(await remove(client, stranger)) == ("NOT_FOUND", ["input", "membershipId"])
        for wrong in ("nonsense", gid(acme), global_id("OrganizationMembership", acme.id)):
            answer = await mutate(client, "organizationMemberRemove", "organization { name }", membershipId=wrong)
            assert refusal(answer)[0] in ("INVALID", "NOT_FOUND"), wrong
