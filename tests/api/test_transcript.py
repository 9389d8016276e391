"""What is kept of a conversation, by the way it was held."""

from typing import Any

import pytest

from domain.enums import MessageKind, TicketChannel
from tests.api.operations import send
from tests.api.world import gid
from tests.client import Client
from tests.conftest import AsUser
from tests.factories import make_member, make_message, make_organization, make_staff, make_ticket

pytestmark = pytest.mark.anyio

RECORD = """query($t: ID!) { ticket(id: $t) { emails { nodes { body } }
  transcript { availability messages { nodes { __typename body } } } } }"""


async def record(client: Client, ticket: Any) -> Any:
    return (await client.ask(RECORD, t=gid(ticket)))["ticket"]


@pytest.mark.parametrize("channel", TicketChannel)
async def test_only_a_phone_call_leaves_no_transcript(as_user: AsUser, channel: TicketChannel) -> None:  # S54
    acme = await make_organization()
    ann, sam = await make_member(acme), await make_staff()
    ticket = await make_ticket(acme, ann, channel=channel)

    told = {(await record(as_user(who), ticket))["transcript"]["availability"] for who in (ann, sam)}

    assert told == {"NOT_RECORDED_PHONE" if channel is TicketChannel.PHONE else "AVAILABLE"}


async def test_a_chat_keeps_its_transcript_and_its_emails(as_user: AsUser) -> None:  # S56
    acme = await make_organization()
    ann, sam = await make_member(acme), await make_staff()
    ticket = await make_ticket(acme, ann, channel=TicketChannel.CHAT)
    await send(as_user(ann), ticket, "Hello")
    await send(as_user(sam), ticket, "What is wrong?")
    await ticket.refresh_from_db()
    await make_message(ticket, sam, "As we said in the chat", kind=MessageKind.EMAIL)

    kept = await record(as_user(ann), ticket)

    assert kept["emails"]["nodes"] == [{"body": "As we said in the chat"}]
    assert [(each["__typename"], each["body"]) for each in kept["transcript"]["messages"]["nodes"]] == [
        ("ChatMessage", "Hello"),
        ("ChatMessage", "What is wrong?"),
        ("EmailMessage", "As we said in the chat"),
    ]
