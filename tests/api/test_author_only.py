"""S07: a ticket for its author and support alone is not there for anybody else, whatever way one asks.

Each question is asked twice, about the hidden ticket and about one that never was. The two answers have to be equal to
the last letter, in data and in errors.
"""

from typing import Any
from uuid import UUID

import pytest

import models
from domain.enums import Confidentiality, MemberVisibility, ParticipantRole
from realtime.cursor import NO_EPOCH, Cursor
from tests.api.world import MEMBERS, STAFF, World, codes, gid, make_world, said
from tests.conftest import AsUser
from tests.factories import LONG_AGO

pytestmark = pytest.mark.anyio

NEVER = UUID(int=1)
OTHERS = [*(name for name in MEMBERS if name != "author"), "stranger"]
BEGINNING = str(Cursor(NO_EPOCH, 0))

BY_ID = {
    "ticket": "query($id: ID!) { ticket(id: $id) { subject } }",
    "escalation": "query($id: ID!) { escalation(id: $id) { stage } }",
    **dict.fromkeys(
        ("ticket node", "escalation node", "entry", "message", "event", "attachment", "participant", "feedback"),
        "query($id: ID!) { node(id: $id) { __typename id } nodes(ids: [$id]) { id } }",
    ),
}

BY_TEXT = {
    "ticketByReference": ("reference", "query($r: String!) { ticketByReference(reference: $r) { id } }"),
    "escalationByReference": ("escalation", "query($r: String!) { escalationByReference(reference: $r) { id } }"),
    "filter references": (
        "reference",
        "query($r: String!) { tickets(scope: ALL, filter: {references: [$r]}) { totalCount nodes { id } } }",
    ),
    "filter escalationReferences": (
        "escalation",
        "query($r: String!) "
        "{ tickets(scope: ALL, filter: {escalationReferences: [$r]}) { totalCount edges { cursor } } }",
    ),
}

STREAMS = {
    "ticket": "subscription($id: ID!, $a: Cursor) { ticket(ticketId: $id, after: $a) { __typename } }",
    "messages": "subscription($id: ID!, $a: Cursor) { messages(ticketId: $id, after: $a) { __typename } }",
    "escalationTimeline": "subscription($id: ID!, $a: Cursor) "
    "{ escalationTimeline(ticketId: $id, after: $a) { __typename } }",
    "escalation": "subscription($id: ID!, $a: Cursor) "
    "{ escalationTimeline(escalationId: $id, after: $a) { __typename } }",
}

LISTS = """query($o: ID!, $space: ID!) {
  all: tickets(scope: ALL, filter: null) { totalCount nodes { id } edges { cursor } pageInfo { startCursor } }
  mine: tickets(filter: null) { totalCount nodes { id } }
  filtered: tickets(scope: ALL, filter: {organizationIds: [$o], isEscalated: true}) { totalCount }
  negated: tickets(scope: ALL, filter: {not: {isEscalated: false}}) { totalCount }
  escalations { totalCount nodes { id } }
  room(id: $space) { tickets { totalCount nodes { id } edges { cursor } } }
}"""

MUTATIONS = {
    "ticketAssign": "ticketId: $t",
    "ticketResolve": "ticketId: $t",
    "ticketClose": "ticketId: $t",
    "ticketReopen": 'ticketId: $t, comment: "x"',
    "messageSend": 'ticketId: $t, clientMessageId: "1", message: {body: "x"}',
    "noteAdd": 'ticketId: $t, body: "x"',
    "escalationSubmit": 'ticketId: $t, issueDescription: "x"',
    "escalationAdvance": "escalationId: $e, stage: IN_REVIEW",
    "escalationSetEstimate": "escalationId: $e",
    "escalationConfirmResolution": "escalationId: $e",
    "escalationRejectResolution": 'escalationId: $e, comment: "x"',
}


async def make_hidden() -> World:
    """A ticket that is its author's alone, though the owner owns it and several take part in it."""
    world = await make_world(MemberVisibility.OPEN, Confidentiality.AUTHOR_ONLY)
    world.ticket.owner_id = world["owner"].id
    await world.ticket.save()
    for name in ("admin", "member", "stranger"):
        await models.Participant.create(
            ticket=world.ticket, user=world[name], role=ParticipantRole.CONTACT, added_at=LONG_AGO
        )
    return world


def hidden_and_never(world: World, what: str) -> tuple[str, str]:
    found = world.ids[what.removesuffix(" node")]
    return found, f"{found.partition('_')[0]}_{NEVER}"


async def test_by_id_it_is_like_a_ticket_that_never_was(as_user: AsUser) -> None:
    world = await make_hidden()

    for name in OTHERS:
        client = as_user(world[name])
        for what, document in BY_ID.items():
            hidden, never = [await client.answer(document, id=each) for each in hidden_and_never(world, what)]
            assert (hidden[0], said(hidden[1])) == (never[0], said(never[1])), (name, what)
            assert [each for each in hidden[0].values() if each not in (None, [None])] == [], (name, what)


async def test_by_reference_it_is_like_a_ticket_that_never_was(as_user: AsUser) -> None:
    world = await make_hidden()
    references = {
        "reference": (world.ticket.reference, "T-999999"),
        "escalation": (world.escalation.reference, "CP-99999"),
    }

    for name in OTHERS:
        client = as_user(world[name])
        for what, (kind, document) in BY_TEXT.items():
            hidden, never = [await client.answer(document, r=each) for each in references[kind]]
            assert (hidden[0], said(hidden[1])) == (never[0], said(never[1])), (name, what)


async def test_in_lists_and_counts_it_is_like_an_empty_desk(as_user: AsUser) -> None:
    """The same questions before and after the only ticket there is is gone for good."""
    world = await make_hidden()
    given = {"o": gid(world.acme), "space": gid(world.space)}
    lists = {name: await as_user(world[name]).answer(LISTS, **given) for name in OTHERS}

    await models.Ticket.filter(organization=world.acme).delete()

    for name in OTHERS:
        data, errors = await as_user(world[name]).answer(LISTS, **given)
        assert (lists[name][0], said(lists[name][1])) == (data, said(errors)), name
        assert data["all"]["totalCount"] == 0


async def test_its_streams_are_like_those_of_a_ticket_that_never_was(as_user: AsUser) -> None:
    world = await make_hidden()

    for name in OTHERS:
        for what, document in STREAMS.items():
            answers = []
            for each in hidden_and_never(world, "escalation" if what == "escalation" else "ticket"):
                async with as_user(world[name]).watch(document, id=each, a=BEGINNING) as stream:
                    answers.append(await stream.result())
            hidden, never = answers
            assert (hidden[0], said(hidden[1])) == (never[0], said(never[1])), (name, what)
            assert codes(hidden[1]) == ["NOT_FOUND"], (name, what)


async def test_no_mutation_tells_it_from_a_ticket_that_never_was(as_user: AsUser) -> None:
    world = await make_hidden()

    for name in OTHERS:
        for mutation, arguments in MUTATIONS.items():
            variables = "$t: ID!" if "$t" in arguments else "$e: ID!"
            selection = "errors { __typename code message field }"
            document = f"mutation({variables}) {{ {mutation}(input: {{{arguments}}}) {{ {selection} }} }}"
            kind = "t" if "$t" in arguments else "e"
            pair = hidden_and_never(world, {"t": "ticket", "e": "escalation"}[kind])
            hidden, never = [await as_user(world[name]).answer(document, **{kind: each}) for each in pair]
            assert (hidden[0], said(hidden[1])) == (never[0], said(never[1])), (name, mutation)
            assert hidden[0][mutation]["errors"][0]["code"] in ("NOT_FOUND", "FORBIDDEN"), (name, mutation)


async def test_it_is_there_for_its_author_and_for_support_on_every_way(as_user: AsUser) -> None:
    """The tests above would pass for a ticket that nobody can see."""
    world = await make_hidden()

    for name in ("author", *STAFF):
        client = as_user(world[name])
        for what, document in BY_ID.items():
            data = await client.ask(document, id=hidden_and_never(world, what)[0])
            assert None not in data.values(), (name, what)
        lists: Any = await client.ask(LISTS, o=gid(world.acme), space=gid(world.space))
        assert [lists[key]["totalCount"] for key in ("all", "filtered", "negated", "escalations")] == [1] * 4, name
        assert lists["room"]["tickets"]["totalCount"] == 1, name
        for key in ("reference", "escalation"):
            for kind, document in BY_TEXT.values():
                if kind == key:
                    text = world.ticket.reference if kind == "reference" else world.escalation.reference
                    (found,) = (await client.ask(document, r=text)).values()
                    assert found
                    assert found.get("totalCount", 1) == 1, (name, document)


async def test_a_category_makes_its_tickets_author_only(as_user: AsUser) -> None:
    """S07, S17: the request type's default, where the ticket does not say."""
    world = await make_world()
    world.request_type.default_confidentiality = Confidentiality.AUTHOR_ONLY
    await world.request_type.save()
    create = """mutation($o: ID!, $c: Confidentiality) { ticketCreate(input: {organizationId: $o, confidentiality: $c,
      requestTypeKey: "TECHNICAL", subject: "Bonus", description: "Mine"}) { ticket { id confidentiality } } }"""

    made = await as_user(world["author"]).ask(create, o=gid(world.acme))
    shared = await as_user(world["author"]).ask(create, o=gid(world.acme), c="ORGANIZATION")

    ticket = made["ticketCreate"]["ticket"]
    assert ticket["confidentiality"] == "AUTHOR_ONLY"
    assert shared["ticketCreate"]["ticket"]["confidentiality"] == "ORGANIZATION"
    find = "query($id: ID!) { ticket(id: $id) { id } }"
    assert await as_user(world["owner"]).ask(find, id=ticket["id"]) == {"ticket": None}
    assert await as_user(world["author"]).ask(find, id=ticket["id"]) == {"ticket": {"id": ticket["id"]}}


async def test_an_author_who_leaves_the_organization_loses_it(as_user: AsUser) -> None:
    world = await make_hidden()
    await models.Membership.filter(user=world["author"]).delete()

    assert await as_user(world["author"]).ask(BY_ID["ticket"], id=gid(world.ticket)) == {"ticket": None}
