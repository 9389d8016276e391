"""A ticket that is not a person's to see is not there, whatever way one asks (S07, S12, J3, J4).

It is its author's alone, or was filed before the organization's history begins, or its organization was left. Each
question is asked twice, about the hidden ticket and about one that never was. The two answers have to be equal to the
last letter, in data and in errors.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from graphql import build_schema

import models
from domain.enums import Confidentiality, MemberVisibility, ParticipantRole, TicketStatus, TimelineEventKind
from realtime.cursor import NO_EPOCH, Cursor
from schema.build import sdl
from schema.node import TABLES
from tests.api.test_nodes_and_scalars import one_of_everything
from tests.api.world import MEMBERS, STAFF, World, codes, gid, make_world, said
from tests.conftest import AsUser
from tests.factories import LONG_AGO, make_event, make_ticket

pytestmark = pytest.mark.anyio

NEVER = UUID(int=1)
BEGINNING = str(Cursor(NO_EPOCH, 0))
HISTORY = LONG_AGO + timedelta(microseconds=1)


@dataclass(slots=True)
class Hidden:
    """`ticket` is hidden from `people`; `near` is one that hangs together with it in every way, and hides nothing."""

    world: World
    ticket: models.Ticket
    near: models.Ticket
    ids: dict[str, str]
    """An id of every type that hangs on the ticket, its own among them."""
    people: list[str]

    @property
    def shown_to(self) -> list[str]:
        return [name for name in (*MEMBERS, *STAFF) if name not in self.people]

    @property
    def named(self) -> dict[str, str]:
        world = self.world
        return {
            "o": gid(world.acme),
            "space": gid(world.space),
            "device": gid(world.device),
            "near": gid(self.near),
        }


@pytest.fixture(params=["of its author alone", "before the history", "of an organization that was left"])
async def hidden(request: pytest.FixtureRequest, db: str) -> Hidden:
    """Though the owner owns it, and several take part in it, follow it and have been told of it."""
    author_only = request.param == "of its author alone"
    world = await make_world(
        MemberVisibility.OPEN, Confidentiality.AUTHOR_ONLY if author_only else Confidentiality.ORGANIZATION
    )
    ticket = world.ticket
    ticket.owner_id, ticket.status, ticket.resolved_at = world["owner"].id, TicketStatus.RESOLVED, LONG_AGO
    await ticket.save()
    for name in ("admin", "member", "stranger"):
        await models.Participant.create(
            ticket=ticket, user=world[name], role=ParticipantRole.CONTACT, added_at=LONG_AGO
        )
    for name in (*MEMBERS, "stranger"):
        told: dict[str, Any] = {"kind": "REPLIED", "visibility": "PUBLIC", "source": name, "created_at": LONG_AGO}
        await models.Notification.create(user=world[name], ticket=ticket, **told)
    near = await make_ticket(world.acme, world["author"], created_at=HISTORY, quotes=ticket, subject="Near")
    for kind, (source, target) in {
        "FOLLOW_UP_OF": (near, ticket),
        "RELATED_TO": (ticket, near),
        "MERGED_INTO": (near, ticket),
    }.items():
        link = await models.TicketLink.create(source=source, target=target, kind=kind, created_at=LONG_AGO)
        await make_event(near, TimelineEventKind.LINK, new_value="ADDED", link=link)
    ids = await on_it(world)
    if request.param == "before the history":
        await models.Organization.filter(id=world.acme.id).update(history_starts_at=HISTORY)
    elif not author_only:
        await models.Membership.filter(organization=world.acme).delete()
    people = [name for name in (*MEMBERS, "stranger") if not author_only or name != "author"]
    return Hidden(world, ticket, near, ids, people)


BY_ID = {
    "Ticket": "query($id: ID!) { ticket(id: $id) { subject } node(id: $id) { id } nodes(ids: [$id]) { id } }",
    "Escalation": "query($id: ID!) { escalation(id: $id) { stage } node(id: $id) { id } nodes(ids: [$id]) { id } }",
}
ANYTHING = "query($id: ID!) { node(id: $id) { __typename id } nodes(ids: [$id]) { id } }"

BY_TEXT = {
    "ticketByReference": ("T", "query($r: String!) { ticketByReference(reference: $r) { id } }"),
    "escalationByReference": ("CP", "query($r: String!) { escalationByReference(reference: $r) { id } }"),
    "search": ("T", "query($r: String!) { search(text: $r, kinds: [TICKET]) { totalCount nodes { node { id } } } }"),
    "search for escalations": ("CP", "query($r: String!) { search(text: $r) { totalCount nodes { score } } }"),
    "filter references": (
        "T",
        "query($r: String!) { tickets(scope: ALL, filter: {references: [$r]}) { totalCount nodes { id } } }",
    ),
    "filter escalationReferences": (
        "CP",
        "query($r: String!) "
        "{ tickets(scope: ALL, filter: {escalationReferences: [$r]}) { totalCount edges { cursor } } }",
    ),
    "filter text": (
        "T",
        "query($r: String!) { tickets(scope: ALL, filter: {text: $r}) { totalCount nodes { id } } }",
    ),
}

LISTS = """query($o: ID!, $space: ID!, $device: ID!, $near: ID!) {
  all: tickets(scope: ALL, filter: null) { totalCount nodes { id } edges { cursor } pageInfo { startCursor } }
  mine: tickets(filter: null) { totalCount nodes { id } }
  shared: tickets(scope: SHARED_WITH_ME, filter: null) { totalCount nodes { id } }
  following: tickets(scope: FOLLOWING, filter: null) { totalCount nodes { id } }
  organization: tickets(scope: ORGANIZATION, organizationId: $o, filter: null) { totalCount nodes { id } }
  filtered: tickets(scope: ALL, filter: {organizationIds: [$o], isEscalated: true}) { totalCount }
  negated: tickets(scope: ALL, filter: {not: {isEscalated: false}}) { totalCount }
  escalations { totalCount nodes { id } }
  room(id: $space) { tickets { totalCount nodes { id } edges { cursor } } }
  device(id: $device) { tickets { totalCount nodes { id } } }
  node(id: $o) { ... on Organization { tickets { totalCount nodes { id } } } }
  search(text: "camera black", kinds: [TICKET]) { totalCount nodes { node { id } } }
  suggestedSolutions(subject: "The camera stays black") { title }
  viewer { unreadTicketCount notifications { totalCount nodes { text ticket { id } } } }
  near: ticket(id: $near) {
    links { kind source { id } target { id } } followUpOf { id } followUps { id } mergedInto { id }
    quotedTicket { id } timeline { nodes { sequence ... on TicketLinkedEvent { change link { target { id } } } } } }
}"""

MUTATIONS = {
    "ticketAssign": "ticketId: $t",
    "ticketResolve": "ticketId: $t",
    "ticketClose": "ticketId: $t",
    "ticketReopen": 'ticketId: $t, comment: "x"',
    "messageSend": 'ticketId: $t, clientMessageId: "1", message: {body: "x"}',
    "noteAdd": 'ticketId: $t, body: "x"',
    "typingSet": "ticketId: $t, isTyping: true",
    "presenceSet": "ticketId: $t, state: VIEWING",
    "ticketMarkRead": "ticketId: $t, upToSequence: 1",
    "ticketFollow": "ticketId: $t",
    "ticketUnfollow": "ticketId: $t",
    "ticketClaim": "ticketId: $t",
    "ticketUpdate": "ticketId: $t, severity: CRITICAL",
    "ticketExport": "ticketId: $t",
    "ticketCreateLinked": 'sourceTicketId: $t, body: "x"',
    "feedbackSubmit": "ticketId: $t, rating: 5",
    "escalationSubmit": 'ticketId: $t, issueDescription: "x"',
    "escalationAdvance": "escalationId: $e, stage: IN_REVIEW",
    "escalationSetEstimate": "escalationId: $e",
    "escalationConfirmResolution": "escalationId: $e",
    "escalationRejectResolution": 'escalationId: $e, comment: "x"',
}
"""Of every mutation and everything that it names, tests/api/test_bad_input.py asks as the organization's owner."""


def streams() -> Iterator[tuple[str, str]]:
    """Every subscription that names a ticket or an escalation: the type of what it names, and the document."""
    subscription = build_schema(sdl()).subscription_type
    assert subscription
    for name, field in subscription.fields.items():
        after = ", after: $a" if "after" in field.args else ""
        declared = "$id: ID!, $a: Cursor" if after else "$id: ID!"
        for argument, kind in (("ticketId", "Ticket"), ("escalationId", "Escalation")):
            if argument in field.args:
                yield kind, f"subscription({declared}) {{ {name}({argument}: $id{after}) {{ __typename }} }}"


async def on_it(world: World) -> dict[str, str]:
    """An id of every type that hangs on its ticket."""
    rows = await one_of_everything(world)
    hanging = {
        name
        for name, table in TABLES.items()
        if table.model in (models.Ticket, models.EscalationEntry, models.TicketLink)
        or "ticket_id" in table.model._meta.fields_db_projection
    }
    assert len(hanging) >= 20
    return {name: gid(row) for name, row in rows.items() if name in hanging}


def never(id: str) -> str:
    return f"{id.partition('_')[0]}_{NEVER}"


async def test_by_id_it_is_like_a_ticket_that_never_was(as_user: AsUser, hidden: Hidden) -> None:
    for name in hidden.people:
        client = as_user(hidden.world[name])
        for kind, id in hidden.ids.items():
            document = BY_ID.get(kind, ANYTHING)
            it, nothing = [await client.answer(document, id=each) for each in (id, never(id))]
            assert (it[0], said(it[1])) == (nothing[0], said(nothing[1])), (name, kind)
            assert [each for each in it[0].values() if each not in (None, [None])] == [], (name, kind)


async def test_by_reference_and_by_what_it_says_it_is_like_a_ticket_that_never_was(
    as_user: AsUser, hidden: Hidden
) -> None:
    references = {"T": (hidden.ticket.reference, "T-999999"), "CP": (hidden.world.escalation.reference, "CP-99999")}

    for name in hidden.people:
        client = as_user(hidden.world[name])
        for what, (kind, document) in BY_TEXT.items():
            it, nothing = [await client.answer(document, r=each) for each in references[kind]]
            assert (it[0], said(it[1])) == (nothing[0], said(nothing[1])), (name, what)


async def test_lists_and_counts_and_what_hangs_together_with_it_are_as_if_it_were_not_there(
    as_user: AsUser, hidden: Hidden
) -> None:
    """The same questions before and after it is gone for good."""
    lists = {name: await as_user(hidden.world[name]).answer(LISTS, **hidden.named) for name in hidden.people}

    await models.Ticket.filter(id=hidden.ticket.id).delete()

    for name in hidden.people:
        data, errors = await as_user(hidden.world[name]).answer(LISTS, **hidden.named)
        assert (lists[name][0], said(lists[name][1])) == (data, said(errors)), name
        assert gid(hidden.ticket) not in json.dumps(lists[name][0]), name


async def test_its_streams_are_like_those_of_a_ticket_that_never_was(as_user: AsUser, hidden: Hidden) -> None:
    ids = {"Ticket": gid(hidden.ticket), "Escalation": gid(hidden.world.escalation)}
    documents = list(streams())
    assert len(documents) >= 7

    for name in hidden.people:
        for kind, document in documents:
            answers = []
            given = {"a": BEGINNING} if "$a" in document else {}
            for each in (ids[kind], never(ids[kind])):
                async with as_user(hidden.world[name]).watch(document, id=each, **given) as stream:
                    answers.append(await stream.result())
            it, nothing = answers
            assert (it[0], said(it[1])) == (nothing[0], said(nothing[1])), (name, document)
            assert codes(it[1]) == ["NOT_FOUND"], (name, document)


async def test_no_mutation_tells_it_from_a_ticket_that_never_was(as_user: AsUser, hidden: Hidden) -> None:
    ids = {"t": gid(hidden.ticket), "e": gid(hidden.world.escalation)}

    for name in hidden.people:
        for mutation, arguments in MUTATIONS.items():
            kind = "t" if "$t" in arguments else "e"
            selection = "errors { __typename code message field }"
            document = f"mutation(${kind}: ID!) {{ {mutation}(input: {{{arguments}}}) {{ {selection} }} }}"
            pair = (ids[kind], never(ids[kind]))
            it, nothing = [await as_user(hidden.world[name]).answer(document, **{kind: each}) for each in pair]
            assert (it[0], said(it[1])) == (nothing[0], said(nothing[1])), (name, mutation)
            assert it[0][mutation]["errors"][0]["code"] in ("NOT_FOUND", "FORBIDDEN"), (name, mutation)


async def test_it_is_there_for_those_from_whom_it_is_not_hidden_on_every_way(as_user: AsUser, hidden: Hidden) -> None:
    """The tests above would pass for a ticket that nobody can see."""
    of_an_agent = {"Job", "Notification"}
    references = {"T": hidden.ticket.reference, "CP": hidden.world.escalation.reference}

    for name in hidden.shown_to:
        client = as_user(hidden.world[name])
        for kind, id in hidden.ids.items():
            data = await client.ask(BY_ID.get(kind, ANYTHING), id=id)
            assert None not in data.values() or kind in of_an_agent, (name, kind)
        lists: Any = await client.ask(LISTS, **hidden.named)
        assert [lists[key]["totalCount"] for key in ("filtered", "negated", "escalations")] == [1] * 3, name
        assert [lists[key]["tickets"]["totalCount"] for key in ("room", "device")] == [1, 1], name
        for key in ("all", "organization", "search"):
            assert gid(hidden.ticket) in json.dumps(lists[key]), (name, key)
        assert lists["suggestedSolutions"] == [{"title": hidden.ticket.subject}]
        near = lists["near"]
        assert near["quotedTicket"] == near["followUpOf"] == near["mergedInto"] == {"id": gid(hidden.ticket)}
        assert len(near["links"]) == len([each for each in near["timeline"]["nodes"] if each["link"]]) == 3
        for kind, document in BY_TEXT.values():
            (found,) = (await client.ask(document, r=references[kind])).values()
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
