"""Replies on tickets that came by e-mail, and what stays to be read of any when it is closed (S51, S52, S59)."""

from typing import Any

import pytest

import models
from domain.enums import Confidentiality, MemberVisibility, TicketChannel, TicketStatus
from tests.api.operations import create, mutate, on_ticket, refusal, reopen, send
from tests.api.world import MEMBERS, World, gid, make_world, nothing_changes
from tests.conftest import AsUser
from tests.factories import make_file, make_message, make_ticket

pytestmark = pytest.mark.anyio

SHOWN = """query($t: ID!) { ticket(id: $t) { subject description status messages { totalCount nodes { __typename body
  visibility attachments { fileName } ... on EmailMessage { subject } } } } }"""
MAY = "query($t: ID!) { ticket(id: $t) { viewerPermissions { canReply replyBlockedReason } } }"

WRITERS = {"owner", "admin", "requests", "author"}
"""Of Acme's members: who opened it, and who manages its requests."""


async def by_mail(world: World, **given: Any) -> models.Ticket:
    return await make_ticket(
        world.acme, world["author"], subject="Camera stays black", channel=TicketChannel.EMAIL, **given
    )


async def test_the_submitter_and_the_managers_alone_reply_to_an_email(as_user: AsUser) -> None:  # S51, S52
    """Every role of an organization whose requests all of its members see; support besides."""
    world = await make_world(MemberVisibility.OPEN)
    ticket = await by_mail(world)

    for name in MEMBERS.keys() - {"licences", "helper"}:
        allowed = name in WRITERS
        before = (await as_user(world[name]).ask(MAY, t=gid(ticket)))["ticket"]["viewerPermissions"]
        if allowed:
            assert before == {"canReply": True, "replyBlockedReason": None}, name
            assert (await send(as_user(world[name]), ticket))["errors"] == [], name
            continue
        reason = "READ_ONLY_ROLE" if name == "reader" else "NOT_SUBMITTER_OR_ORG_ADMIN"
        assert before == {"canReply": False, "replyBlockedReason": reason}, name
        async with nothing_changes():
            assert refusal(await send(as_user(world[name]), ticket)) == ("FORBIDDEN", None), name
    assert (await send(as_user(world["agent"]), ticket))["errors"] == []


async def test_a_reply_stays_in_the_thread_with_its_marks_links_and_files(as_user: AsUser) -> None:  # S50, S51
    world = await make_world()
    ticket = await by_mail(world)
    await make_message(ticket, world["author"], "It is black.", kind="EMAIL", email_subject="Camera stays black")
    file = await make_file(world["author"])
    text = "**Still** black, see [the page](https://example.com/help)"

    await send(as_user(world["author"]), ticket, text, message={"attachmentIds": [gid(file)]})
    await send(as_user(world["agent"]), ticket, "Among us", message={"visibility": "INTERNAL"})
    shown = (await as_user(world["agent"]).ask(SHOWN, t=gid(ticket)))["ticket"]["messages"]["nodes"]

    subject = "Camera stays black"
    assert [(each["__typename"], each["body"], each.get("subject")) for each in shown] == [
        ("EmailMessage", "It is black.", subject),
        ("EmailMessage", text, subject),
        ("ChatMessage", "Among us", None),
    ]
    assert shown[1]["attachments"] == [{"fileName": "log.txt"}]


async def test_whatever_is_said_to_everybody_on_an_email_ticket_is_an_email_of_its_thread(as_user: AsUser) -> None:
    """S50, S51: what it begins with, a last word, why it is not over, and what goes on from it; a chat stays a chat."""
    world = await make_world()
    author, agent = as_user(world["author"]), as_user(world["agent"])
    kinds = {}

    for channel in ("EMAIL", "CHAT"):
        made = await create(author, world.acme, channel=channel, requestTypeKey=world.request_type.key)
        ticket = await models.Ticket.get(reference=made["ticket"]["reference"])
        await on_ticket(agent, "ticketResolve", ticket, message="Solved")
        await reopen(author, ticket, "No, it is back")
        await on_ticket(author, "ticketResolve", ticket, message="Never mind")
        more = {"sourceTicketId": gid(ticket), "body": "Once more"}
        linked = await mutate(author, "ticketCreateLinked", "ticket { id }", **more)
        shown = [
            (await agent.ask(SHOWN, t=id))["ticket"]["messages"]["nodes"]
            for id in (gid(ticket), linked["ticket"]["id"])
        ]
        kinds[channel] = [(each["__typename"], each["body"], each.get("subject")) for each in shown[0] + shown[1]]

    said = ["Since Monday.", "Solved", "No, it is back", "Never mind", "Once more"]
    assert kinds == {
        "EMAIL": [("EmailMessage", each, "No picture") for each in said],
        "CHAT": [("ChatMessage", each, None) for each in said],
    }


async def test_a_reply_changes_nothing_of_who_is_in_the_thread(as_user: AsUser) -> None:
    """S05, S51: who manages the organization answers and is in it no more than before."""
    world = await make_world()
    ticket = await by_mail(world, assignee=world["agent"])
    contact = {"ticketId": gid(ticket), "userId": gid(world["member"])}
    await mutate(as_user(world["agent"]), "ticketContactAdd", "participant { id }", **contact)
    before = await models.Participant.filter(ticket=ticket).values("user_id", "role", "in_email_thread")

    for name in ("author", "owner", "admin", "requests", "agent", "lead"):
        assert (await send(as_user(world[name]), ticket))["errors"] == [], name
    await on_ticket(as_user(world["owner"]), "ticketResolve", ticket, message="Thank you")
    await reopen(as_user(world["admin"]), ticket)

    assert await models.Participant.filter(ticket=ticket).values("user_id", "role", "in_email_thread") == before
    assert [(each["user_id"], each["in_email_thread"]) for each in before] == [(world["member"].id, True)]


@pytest.mark.parametrize("channel", TicketChannel)
async def test_what_was_said_stays_readable_when_a_ticket_is_closed(as_user: AsUser, channel: TicketChannel) -> None:
    """S59: title, description and conversation, by whoever could read them, and by nobody else."""
    world = await make_world(MemberVisibility.OWN)
    ticket = await make_ticket(world.acme, world["author"], channel=channel)
    await make_message(ticket, world["author"], "It is black")
    await make_message(ticket, world["agent"], "Is it on?")
    readers = ("author", "admin", "agent")
    before = [await as_user(world[name]).ask(SHOWN, t=gid(ticket)) for name in readers]

    ticket.status, ticket.closed_at = TicketStatus.CLOSED, ticket.created_at
    await ticket.save()
    after = [await as_user(world[name]).ask(SHOWN, t=gid(ticket)) for name in readers]

    for then, now in zip(before, after, strict=True):
        assert now["ticket"] == then["ticket"] | {"status": "CLOSED"}
        assert [each["body"] for each in now["ticket"]["messages"]["nodes"]] == ["It is black", "Is it on?"]
    for name in ("member", "stranger"):
        assert await as_user(world[name]).ask(SHOWN, t=gid(ticket)) == {"ticket": None}
    private = await make_ticket(
        world.acme, world["author"], status=TicketStatus.CLOSED, closed_at=ticket.created_at,
        confidentiality=Confidentiality.AUTHOR_ONLY,
    )  # fmt: skip
    assert await as_user(world["admin"]).ask(SHOWN, t=gid(private)) == {"ticket": None}
