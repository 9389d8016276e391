"""Whom a note mentions: people who may read it, and who are told (S48, J4)."""

from typing import Any

import pytest

import models
from resolvers.context import Services
from tests.api.operations import mutate, refusal
from tests.api.told import Desk, make_desk
from tests.api.world import gid, nothing_changes
from tests.client import Client
from tests.factories import make_member, make_organization, make_staff

pytestmark = pytest.mark.anyio

MENTIONS = "note { mentions { displayName } }"


@pytest.fixture
async def desk(services: Services) -> Desk:
    return await make_desk(services)


async def mention(client: Client, desk: Desk, *people: models.User, **given: Any) -> Any:
    values = {"ticketId": gid(desk.ticket), "body": "Please look", "mentionUserIds": list(map(gid, people)), **given}
    return await mutate(client, "noteAdd", MENTIONS, **values)


def names(payload: Any) -> list[str]:
    assert payload["errors"] == []
    return [each["displayName"] for each in payload["note"]["mentions"]]


async def test_who_is_mentioned_is_told_of_that_and_not_besides_that_somebody_wrote(desk: Desk) -> None:
    ann, bob, pat = (desk.people[name] for name in ("Ann", "Bob", "Pat"))

    assert names(await mention(desk.sam, desk, pat, bob, pat)) == ["Pat", "Bob"]

    assert await desk.told(desk.pat) == await desk.told(desk.bob) == [("MENTIONED", "Sam mentioned you on T-7.")]
    assert await desk.told(Client(desk.services, ann)) == [("REPLIED", "Sam wrote on T-7.")]
    listed = await desk.ann.ask(
        "query($t: ID!) { ticket(id: $t) { messages { nodes { ... on Note { mentions { id displayName } } } } } }",
        t=gid(desk.ticket),
    )
    (shown,) = listed["ticket"]["messages"]["nodes"]
    assert shown == {"mentions": [{"id": gid(each), "displayName": each.display_name} for each in (pat, bob)]}


async def test_a_note_without_mentions_has_none_and_oneself_is_not_told(desk: Desk) -> None:
    assert names(await mention(desk.sam, desk)) == []
    assert names(await mention(desk.sam, desk, desk.people["Sam"])) == ["Sam"]

    assert await desk.told(desk.sam) == []


async def test_customers_mention_their_own_people_and_who_stands_on_the_ticket(desk: Desk) -> None:
    ann, bob, sam = (desk.people[name] for name in ("Ann", "Bob", "Sam"))

    assert names(await mention(desk.bob, desk, ann, sam)) == ["Ann", "Sam"]

    assert await desk.told(desk.sam) == await desk.told(desk.ann) == [("MENTIONED", "Bob mentioned you on T-7.")]
    assert names(await mention(desk.ann, desk, bob)) == ["Bob"]


async def test_an_internal_note_mentions_staff_alone(desk: Desk) -> None:  # J7
    ann, pat = desk.people["Ann"], desk.people["Pat"]
    async with nothing_changes():
        refused = await mention(desk.sam, desk, pat, ann, visibility="INTERNAL")
    assert refusal(refused) == ("INVALID", ["input", "mentionUserIds"])

    assert names(await mention(desk.sam, desk, pat, visibility="INTERNAL")) == ["Pat"]

    assert await desk.told(desk.pat) == [("MENTIONED", "Sam mentioned you on T-7.")]
    assert await desk.told(desk.ann) == []


async def test_who_could_not_read_the_note_or_is_not_known_is_refused_and_nothing_is_written(
    desk: Desk,
) -> None:
    """J4: of strangers, of agents who are not on the ticket, and of nobody one hears the same."""
    acme = await models.Organization.get(name="Acme")
    stranger = await make_member(await make_organization("Other"), name="Stranger")
    gone = await make_member(acme, name="Gone")
    await models.User.filter(id=gone.id).update(is_active=False)
    agent = await make_staff(name="Agent")
    nobody = models.User(id="00000000-0000-0000-0000-000000000009")
    unknown = ("NOT_FOUND", ["input", "mentionUserIds"])
    many = [desk.people["Bob"], *[await make_member(acme) for _ in range(20)]]
    unreadable = ("INVALID", ["input", "mentionUserIds"])

    async with nothing_changes():
        for who in (stranger, gone, agent, nobody):
            assert refusal(await mention(desk.ann, desk, desk.people["Bob"], who)) == unknown, who.display_name
        assert refusal(await mention(desk.sam, desk, stranger)) == unreadable, "support knows everybody"
        assert refusal(await mention(desk.sam, desk, gone)) == refusal(await mention(desk.sam, desk, nobody)) == unknown
        assert refusal(await mention(desk.sam, desk, *many)) == unreadable
        assert refusal(await mention(desk.sam, desk, mentionUserIds=[gid(desk.ticket)])) == unreadable, "no person's id"
    assert await models.Mention.all().count() == 0


async def test_a_note_that_is_sent_again_mentions_once_and_with_other_people_is_another(desk: Desk) -> None:  # J2
    bob, pat = desk.people["Bob"], desk.people["Pat"]
    for _ in range(2):
        assert names(await mention(desk.sam, desk, bob, clientMessageId="1")) == ["Bob"]
    other = await mention(desk.sam, desk, bob, pat, clientMessageId="1")

    assert refusal(other) == ("IDEMPOTENCY_MISMATCH", ["input", "clientMessageId"])
    assert await models.Mention.all().count() == 1
    assert await desk.told(desk.bob) == [("MENTIONED", "Sam mentioned you on T-7.")]
    assert await desk.told(desk.pat) == []
