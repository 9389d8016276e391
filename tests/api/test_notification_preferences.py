"""What somebody wants to be told of, and what is told whatever the preferences say."""

from typing import Any

import pytest

import models
from domain import notifying
from domain.enums import OrganizationRole
from resolvers.context import Services
from tests.api.operations import mutate, note, on_ticket, refusal, send
from tests.api.told import Desk, make_desk
from tests.api.world import codes, gid, nothing_changes
from tests.client import Client
from tests.conftest import AsUser
from tests.factories import make_member, make_organization, make_ticket

pytestmark = pytest.mark.anyio

SHOWN = "channels digest mutedTickets { totalCount nodes { reference } }"
MINE = f"{{ viewer {{ user {{ notificationPreferences {{ {SHOWN} }} }} }} }}"
DEFAULTS = {"channels": ["IN_APP", "EMAIL"], "digest": False, "mutedTickets": {"totalCount": 0, "nodes": []}}


@pytest.fixture
async def desk(services: Services) -> Desk:
    return await make_desk(services)


async def preferences(client: Client) -> Any:
    return (await client.ask(MINE))["viewer"]["user"]["notificationPreferences"]


async def prefer(client: Client, **given: Any) -> Any:
    return await mutate(client, "notificationPreferencesUpdate", f"preferences {{ {SHOWN} }}", **given)


async def test_preferences_are_kept_and_what_is_left_out_stays(desk: Desk) -> None:
    assert await preferences(desk.bob) == DEFAULTS

    changed = await prefer(desk.bob, channels=["EMAIL"], digest=True, muteTicketIds=[gid(desk.ticket)])
    muted = {"totalCount": 1, "nodes": [{"reference": "T-7"}]}
    assert changed == {"preferences": {"channels": ["EMAIL"], "digest": True, "mutedTickets": muted}, "errors": []}
    again = await prefer(desk.bob, channels=["EMAIL", "IN_APP", "IN_APP"], muteTicketIds=[gid(desk.ticket)])
    assert again["preferences"] == {"channels": ["IN_APP", "EMAIL"], "digest": True, "mutedTickets": muted}
    assert (await prefer(desk.bob, channels=[]))["preferences"]["channels"] == []

    assert await preferences(desk.bob) == {"channels": [], "digest": True, "mutedTickets": muted}
    assert await preferences(desk.ann) == await preferences(desk.sam) == DEFAULTS


async def test_nothing_is_told_to_who_does_not_want_it_in_the_application(desk: Desk) -> None:
    await prefer(desk.bob, channels=["EMAIL"])
    await send(desk.ann, desk.ticket, "one")

    assert await desk.told(desk.bob) == []
    assert await desk.told(desk.sam) == [("REPLIED", "Ann wrote on T-7.")]
    assert await models.FeedStream.filter(topic=f"user:{desk.people['Bob'].id}").count() == 0

    await prefer(desk.bob, channels=["IN_APP"])
    await send(desk.ann, desk.ticket, "two")
    assert await desk.told(desk.bob) == [("REPLIED", "Ann wrote on T-7.")]


async def test_a_muted_ticket_is_silent_and_no_other(desk: Desk) -> None:
    other = await make_ticket(await models.Organization.get(name="Acme"), desk.people["Bob"], reference="T-8")
    await prefer(desk.bob, muteTicketIds=[gid(desk.ticket)])
    await send(desk.ann, desk.ticket, "one")
    await note(desk.sam, desk.ticket, "@Bob", mentionUserIds=[gid(desk.people["Bob"])])
    await on_ticket(desk.sam, "ticketResolve", desk.ticket)
    await send(desk.sam, other, "two")

    assert await desk.told(desk.bob) == [("REPLIED", "Sam wrote on T-8.")]
    assert [kind for kind, _ in await desk.told(desk.ann)] == ["RESOLVED", "REPLIED"]

    unmuted = await prefer(desk.bob, unmuteTicketIds=[gid(desk.ticket), gid(other)])
    assert unmuted["preferences"]["mutedTickets"] == {"totalCount": 0, "nodes": []}
    await send(desk.sam, desk.ticket, "three")
    assert (await desk.told(desk.bob))[0] == ("REPLIED", "Sam wrote on T-7.")


async def test_what_gives_work_or_rights_is_told_all_the_same(desk: Desk, as_user: AsUser) -> None:  # S10, S46
    for client in (desk.pat, desk.bob):
        await prefer(client, channels=[], muteTicketIds=[gid(desk.ticket)])
    other = await make_organization("Other")
    owner = as_user(await make_member(other, OrganizationRole.OWNER, "Olga"))

    await on_ticket(desk.sam, "ticketAssign", desk.ticket, assigneeId=gid(desk.people["Pat"]))
    given = {"organizationId": gid(other), "email": desk.people["Bob"].email, "role": "MEMBER"}
    await mutate(owner, "organizationMemberInvite", "membership { id }", **given)

    assert await desk.told(desk.pat) == [("ASSIGNED", "Sam gave T-7 to you.")]
    assert await desk.told(desk.bob) == [("INVITED", "Olga made you a member of Other.")]


async def test_a_ticket_that_was_lost_is_not_shown_and_can_be_unmuted(desk: Desk) -> None:  # J4
    await prefer(desk.bob, muteTicketIds=[gid(desk.ticket)])
    await models.Membership.filter(user=desk.people["Bob"]).delete()

    assert (await preferences(desk.bob))["mutedTickets"] == {"totalCount": 0, "nodes": []}
    refused = await prefer(desk.bob, muteTicketIds=[gid(desk.ticket)])
    assert refusal(refused) == ("NOT_FOUND", ["input", "muteTicketIds"])
    assert await models.MutedTicket.all().count() == 1
    assert (await prefer(desk.bob, unmuteTicketIds=[gid(desk.ticket)]))["errors"] == []
    assert await models.MutedTicket.all().count() == 0


async def test_a_ticket_that_one_may_not_see_cannot_be_muted_and_nothing_else_is_changed(desk: Desk) -> None:  # J4
    other = await make_organization("Other")
    hidden = await make_ticket(other, await make_member(other))
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({"muteTicketIds": [gid(desk.ticket), gid(hidden)]}, "NOT_FOUND", "muteTicketIds"),
        ({"muteTicketIds": ["Ticket_00000000-0000-0000-0000-000000000009"]}, "NOT_FOUND", "muteTicketIds"),
        ({"muteTicketIds": [gid(desk.people["Ann"])]}, "INVALID", "muteTicketIds"),
        ({"muteTicketIds": [gid(desk.ticket)] * 101}, "INVALID", "muteTicketIds"),
        ({"unmuteTicketIds": [gid(desk.ticket)] * 101}, "INVALID", "unmuteTicketIds"),
        (
            {"muteTicketIds": [gid(desk.ticket)], "unmuteTicketIds": [gid(desk.ticket)]},
            "INVALID",
            "unmuteTicketIds",
        ),
    ]
    async with nothing_changes():
        for given, code, field in wrong:
            assert refusal(await prefer(desk.bob, digest=True, **given)) == (code, ["input", field]), given

    assert await preferences(desk.bob) == DEFAULTS
    assert await models.MutedTicket.all().count() == 0


async def test_more_tickets_than_anybody_follows_cannot_be_muted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    acme = await models.Organization.get(name="Acme")
    tickets = [await make_ticket(acme, desk.people["Ann"]) for _ in range(4)]
    monkeypatch.setattr(notifying, "MOST_MUTED", 3)
    await prefer(desk.bob, muteTicketIds=list(map(gid, tickets[:2])))

    assert (await prefer(desk.bob, muteTicketIds=list(map(gid, tickets[1:3]))))["errors"] == []
    refused = await prefer(desk.bob, muteTicketIds=[gid(tickets[3])])

    assert refusal(refused) == ("INVALID", ["input", "muteTicketIds"])
    assert "You have muted 3 tickets, and 3 is the most." in refused["errors"][0]["message"]
    assert await models.MutedTicket.all().count() == 3


async def test_preferences_are_ones_own_alone(desk: Desk) -> None:  # S96
    ask = f"query($id: ID!) {{ node(id: $id) {{ ... on User {{ notificationPreferences {{ {SHOWN} }} }} }} }}"
    for client in (desk.ann, desk.sam):
        data, errors = await client.answer(ask, id=gid(desk.people["Bob"]))
        assert (data["node"], codes(errors)) == ({"notificationPreferences": None}, ["FORBIDDEN"])
    assert (await desk.bob.ask(ask, id=gid(desk.people["Bob"])))["node"] == {"notificationPreferences": DEFAULTS}
