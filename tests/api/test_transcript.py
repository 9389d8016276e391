"""What is kept of a conversation, by the way it was held."""

from typing import Any

import pytest
from graphql import GraphQLEnumType, GraphQLInterfaceType, build_schema

from domain.enums import MessageKind, MessageSource, TicketChannel
from schema.build import sdl
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


def test_nobody_but_people_and_the_desk_itself_has_a_voice_on_a_ticket() -> None:
    """S57: of what an assistant says nothing is kept, because there is nothing that it could be kept as. Whoever gives
    it a voice here decides that anew, and tells readers by a `TranscriptAvailability` of its own."""
    printed = build_schema(sdl())
    actor, availability = printed.type_map["Actor"], printed.type_map["TranscriptAvailability"]
    assert isinstance(actor, GraphQLInterfaceType)
    assert isinstance(availability, GraphQLEnumType)

    assert {each.name for each in printed.get_possible_types(actor)} == {"User", "SystemActor"}
    assert set(MessageSource) == {"PORTAL", "WIDGET", "EMAIL", "API", "AUTOMATION", "IMPORT"}
    assert set(MessageKind) == {"CHAT", "EMAIL", "NOTE"}
    assert set(TicketChannel) == {"EMAIL", "PHONE", "CHAT", "CONFERENCE_CALL", "PORTAL", "API", "IMPORT"}
    assert availability.values.keys() == {"AVAILABLE", "NOT_RECORDED_PHONE"}
