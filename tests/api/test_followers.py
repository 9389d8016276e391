"""Followers are told of a ticket and see nothing by it (S83-S85)."""

from typing import Any

import pytest

import models
from domain.enums import Confidentiality, MemberVisibility, OrganizationRole
from tests.api.operations import mutate, refusal
from tests.api.world import codes, gid, nothing_changes
from tests.client import Refused
from tests.conftest import AsUser
from tests.factories import make_follower, make_member, make_organization, make_staff, make_ticket

pytestmark = pytest.mark.anyio

FOLLOWERS = """query($t: ID!) { ticket(id: $t) { viewerIsFollowing followers { totalCount nodes {
  kind user { displayName } addedBy { displayName } followedAt } } } }"""
CHANGES = """subscription($t: ID!) { ticket(ticketId: $t) { __typename ... on TicketChange { changedFields
  item { __typename ... on ParticipantChangedEvent { change actor { displayName } user { displayName }
    follower { kind } participant { role } } } } } }"""
LIST = "{ tickets(scope: FOLLOWING, filter: {}) { totalCount nodes { id viewerIsFollowing } } }"


async def test_the_author_adds_a_colleague_and_an_address_and_others_follow_themselves(as_user: AsUser) -> None:
    """S83, S85: an address becomes no account."""
    acme = await make_organization()
    ann, bob, eve = [await make_member(acme, name=name) for name in ("Ann", "Bob", "Eve")]
    ticket = await make_ticket(acme, ann)
    accounts = await models.User.all().count()

    emails = ["Boss@Elsewhere.example", "boss@elsewhere.example"]
    added = await add(as_user, ann, ticket, userIds=[gid(bob)], emails=emails)
    await mutate(as_user(eve), "ticketFollow", "follower { kind }", ticketId=gid(ticket))
    again = await mutate(as_user(eve), "ticketFollow", "ticket { viewerIsFollowing }", ticketId=gid(ticket))

    assert [each["kind"] for each in added["followers"]] == ["INTERNAL", "EXTERNAL_EMAIL_ONLY"]
    assert again["ticket"] == {"viewerIsFollowing": True}
    found = (await as_user(eve).ask(FOLLOWERS, t=gid(ticket)))["ticket"]
    people = [
        (each["user"] and each["user"]["displayName"], each["addedBy"]["displayName"])
        for each in found["followers"]["nodes"]
    ]
    assert people == [("Bob", "Ann"), (None, "Ann"), ("Eve", "Eve")]
    assert (await models.Follower.get(user_id=None)).email == "boss@elsewhere.example"
    assert await models.User.all().count() == accounts


async def test_following_makes_no_participant_and_moves_no_version(as_user: AsUser) -> None:  # S05
    acme = await make_organization()
    manager, author = await make_member(acme, OrganizationRole.ADMIN), await make_member(acme)
    ticket = await make_ticket(acme, author)

    await mutate(as_user(manager), "ticketFollow", "ticket { id }", ticketId=gid(ticket))

    row = await models.Ticket.get(id=ticket.id)
    assert await models.Participant.filter(ticket=ticket).count() == 0
    assert (row.version, row.updated_at, row.last_activity_at) == (1, ticket.updated_at, ticket.last_activity_at)


async def test_who_may_only_read_is_neither_follower_nor_made_one(as_user: AsUser) -> None:
    """S15, S84: but who became READ_ONLY may still stop."""
    acme = await make_organization()
    ann, reader = await make_member(acme), await make_member(acme, OrganizationRole.READ_ONLY)
    ticket, followed = await make_ticket(acme, ann), await make_ticket(acme, ann)
    await make_follower(followed, reader)

    async with nothing_changes():
        follow = await as_user(reader).answer(
            "mutation($t: ID!) { ticketFollow(input: {ticketId: $t}) { errors { code } } }", t=gid(ticket)
        )
        added = await add(as_user, ann, ticket, userIds=[gid(reader)])
    stopped = await mutate(as_user(reader), "ticketUnfollow", "ticket { viewerIsFollowing }", ticketId=gid(followed))

    assert follow[0]["ticketFollow"]["errors"] == [{"code": "FORBIDDEN"}]
    assert refusal(added) == ("INVALID", ["input", "userIds"])
    assert stopped["ticket"] == {"viewerIsFollowing": False}


async def test_nobody_is_made_a_follower_of_what_that_person_cannot_see(as_user: AsUser) -> None:
    """S07, S83, S85."""
    acme, other = await make_organization(member_visibility=MemberVisibility.OWN), await make_organization()
    ann, bob, stranger = await make_member(acme), await make_member(acme), await make_member(other)
    ticket = await make_ticket(acme, ann)
    private = await make_ticket(acme, ann, confidentiality=Confidentiality.AUTHOR_ONLY)
    agent = await make_staff()

    async with nothing_changes():
        found = [
            refusal(await add(as_user, *each[:2], **each[2]))
            for each in (
                (ann, ticket, {"userIds": [gid(bob)]}),
                (ann, ticket, {"userIds": [gid(stranger)]}),
                (agent, ticket, {"userIds": [gid(stranger)]}),
                (ann, private, {"emails": ["a@b.example"]}),
                (agent, private, {"emails": ["a@b.example"]}),
                (agent, private, {"userIds": [gid(bob)]}),
            )
        ]

    assert [code for code, _ in found] == ["INVALID", "NOT_FOUND", "INVALID", "CONFLICT", "CONFLICT", "INVALID"]


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "REQUIRED"),
    ({"userIds": [], "emails": []}, "REQUIRED"),
    ({"emails": [f"a{n}@b.example" for n in range(51)]}, "INVALID"),
    ({"userIds": ["garbage"]}, "INVALID"),
    ({"userIds": ["Ticket_00000000-0000-0000-0000-000000000001"]}, "INVALID"),
    ({"userIds": ["User_00000000-0000-0000-0000-000000000001"]}, "NOT_FOUND"),
]


async def test_bad_input_is_refused_and_leaves_no_trace(as_user: AsUser) -> None:
    acme = await make_organization()
    ann = await make_member(acme)
    ticket = await make_ticket(acme, ann)

    async with nothing_changes():
        found = [refusal(await add(as_user, ann, ticket, **given))[0] for given, _ in BAD]

    assert found == [code for _, code in BAD]


@pytest.mark.parametrize("address", ["no address", "a\x00@b.example", "\ud800@b.example", "x" * 10_000_000])
async def test_what_is_no_address_does_not_even_reach_the_ticket(as_user: AsUser, address: str) -> None:
    acme = await make_organization()
    ann = await make_member(acme)
    ticket = await make_ticket(acme, ann)

    async with nothing_changes():
        with pytest.raises(Refused, match="invalid value"):
            await add(as_user, ann, ticket, emails=[address])


async def test_one_takes_off_oneself_and_whom_one_added_and_the_author_anybody(as_user: AsUser) -> None:  # S83
    acme = await make_organization()
    ann, bob, eve = [await make_member(acme, name=name) for name in ("Ann", "Bob", "Eve")]
    ticket, elsewhere = await make_ticket(acme, ann), await make_ticket(acme, ann)
    mine, hers, other = [await make_follower(ticket, added_by=by) for by in (bob, eve, eve)]
    there = await make_follower(elsewhere, added_by=bob)

    async with nothing_changes():
        refused = [await remove(as_user, bob, *rows) for rows in ((hers,), (mine, hers), (mine, there), ())]
    own = await remove(as_user, bob, mine)
    by_author = await remove(as_user, ann, hers, other)

    assert [refusal(each)[0] for each in refused] == ["FORBIDDEN", "FORBIDDEN", "INVALID", "REQUIRED"]
    assert own["errors"] == by_author["errors"] == []
    assert await models.Follower.filter(ticket=ticket).count() == 0


async def test_the_list_of_what_one_follows_shows_what_one_may_still_see(as_user: AsUser) -> None:
    """S83, S85: who left the organization follows nothing there any more, whatever is still stored."""
    acme, left = await make_organization(), await make_organization()
    ann = await make_member(acme)
    followed, gone, plain = [await make_ticket(place, None) for place in (acme, left, acme)]
    for ticket in (followed, gone):
        await make_follower(ticket, ann)

    mine = (await as_user(ann).ask(LIST))["tickets"]
    by_filter = "query($u: ID!) { tickets(scope: ALL, filter: {followerIds: [$u]}) { nodes { id } } }"
    filtered = (await as_user(ann).ask(by_filter, u=gid(ann)))["tickets"]
    hidden, errors = await as_user(ann).answer(FOLLOWERS, t=gid(gone))

    assert mine == {"totalCount": 1, "nodes": [{"id": gid(followed), "viewerIsFollowing": True}]}
    assert filtered["nodes"] == [{"id": gid(followed)}]
    assert (hidden, codes(errors)) == ({"ticket": None}, [])
    assert plain.id != followed.id


async def test_watchers_are_told_who_began_and_who_stopped(as_user: AsUser) -> None:
    acme = await make_organization()
    ann, bob = await make_member(acme, name="Ann"), await make_member(acme, name="Bob")
    ticket = await make_ticket(acme, ann)

    async with as_user(ann).watch(CHANGES, t=gid(ticket)) as stream:
        assert (await stream.next())["__typename"] == "StreamCaughtUp"
        await mutate(as_user(bob), "ticketFollow", "ticket { id }", ticketId=gid(ticket))
        await mutate(as_user(bob), "ticketUnfollow", "ticket { id }", ticketId=gid(ticket))
        began, stopped = await stream.take(2)

    bob_did = {"__typename": "ParticipantChangedEvent", "actor": {"displayName": "Bob"}, "user": {"displayName": "Bob"}}
    assert began["changedFields"] == stopped["changedFields"] == ["followers", "lastSequence"]
    # As it is now: by the time it is told the follower is gone again, and the person is named all the same.
    assert [began["item"]["change"], stopped["item"]["change"]] == ["ADDED", "REMOVED"]
    assert {name: stopped["item"][name] for name in bob_did} == bob_did
    assert (stopped["item"]["follower"], stopped["item"]["participant"]) == (None, None)


async def add(as_user: AsUser, who: models.User, ticket: models.Ticket, **given: Any) -> Any:
    return await mutate(
        as_user(who), "ticketFollowersAdd", "followers { kind user { id } }", ticketId=gid(ticket), **given
    )


async def remove(as_user: AsUser, who: models.User, *followers: models.Follower) -> Any:
    ids = [gid(each) for each in followers]
    return await mutate(as_user(who), "ticketFollowersRemove", "ticket { id }", followerIds=ids)
