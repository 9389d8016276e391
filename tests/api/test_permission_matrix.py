"""Every printed permission × every kind of viewer × every way to the object (S96, J4).

The expected answers are written down in `TABLE`, by hand. A guarded field that is not in it fails
`test_every_guard_that_the_schema_prints_is_in_the_table`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
)

import models
from domain.enums import MemberVisibility, OrganizationRole
from models.base import BaseModel
from realtime.cursor import NO_EPOCH, Cursor
from resolvers.context import Context, Services
from resolvers.streams import ESCALATION_ENTERED, TICKET_CHANGED, streams_of
from resolvers.transaction import Work, work_in_transaction
from schema.build import sdl
from schema.node import TABLES
from tests.api.world import VIEWERS, Json, World, codes, gid, make_world, objects
from tests.client import Client
from tests.conftest import AsUser
from tests.factories import LONG_AGO

pytestmark = pytest.mark.anyio

OPEN, OWN = MemberVisibility.OPEN, MemberVisibility.OWN

TABLE = """
                                             own adm req lic mem rea  aut hel  str  age lea eng chi  nob
open  Organization                           +   +   +   +   +   +    +   +    .    +   +   +   +    !
own   Organization                           +   +   +   +   +   +    +   +    .    +   +   +   +    !
open  Ticket                                 +   +   +   .   +   +    +   +    .    +   +   +   +    !
own   Ticket                                 +   +   +   .   .   .    +   +    .    +   +   +   +    !
open  Ticket.snoozedUntil                    -   -   -   .   -   -    -   -    .    +   +   +   +    !
own   Ticket.snoozedUntil                    -   -   -   .   .   .    -   -    .    +   +   +   +    !
open  Ticket.associatedUsernames             +   +   +   .   +   +    +   +    .    +   +   +   +    !
own   Ticket.associatedUsernames             +   +   +   .   .   .    -   -    .    +   +   +   +    !
open  EscalationTimelineEntry.internalNote   -   -   -   .   -   -    -   -    .    +   +   +   +    !
own   EscalationTimelineEntry.internalNote   -   -   -   .   .   .    -   -    .    +   +   +   +    !
open  Organization.members                   +   +   +   -   +   +    +   +    .    +   +   +   +    !
own   Organization.members                   +   +   +   -   -   -    -   -    .    +   +   +   +    !
open  Organization.licenses                  +   -   -   +   -   -    -   -    .    +   +   +   +    !
own   Organization.licenses                  +   -   -   +   -   -    -   -    .    +   +   +   +    !
open  Device.serialNumber                    +   +   +   +   +   +    +   +    .    +   +   +   +    !
own   Device.serialNumber                    +   +   +   +   +   -    +   -    .    +   +   +   +    !
open  Query.deviceBySerialNumber             +   +   +   +   +   +    +   +    .    +   +   +   +    !
own   Query.deviceBySerialNumber             +   +   +   +   +   -    +   -    .    +   +   +   +    !
open  Query.queueStats                       -   -   -   -   -   -    -   -    -    +   +   +   +    !
own   Query.queueStats                       -   -   -   -   -   -    -   -    -    +   +   +   +    !
open  Query.unclaimedTickets                 +   +   +   +   +   -    +   -    .    +   +   +   +    !
own   Query.unclaimedTickets                 +   +   +   +   +   -    +   -    .    +   +   +   +    !
open  TicketFollower.email                   +   +   +   .   -   -    -   -    .    +   +   +   +    !
own   TicketFollower.email                   +   +   +   .   .   .    -   -    .    +   +   +   +    !
open  ConferenceCall.joinUrl                 -   -   -   .   -   -    +   +    .    +   +   +   +    !
own   ConferenceCall.joinUrl                 -   -   -   .   .   .    +   +    .    +   +   +   +    !
open  ConferenceCall.passcode                -   -   -   .   -   -    +   +    .    +   +   +   +    !
own   ConferenceCall.passcode                -   -   -   .   .   .    +   +    .    +   +   +   +    !
open  User.username                          +   +   +   -   +   +    +   +    .    +   +   +   +    !
own   User.username                          +   +   +   -   -   -    +   -    .    +   +   +   +    !
open  User.email                             +   +   +   -   -   -    +   -    .    +   +   +   +    !
own   User.email                             +   +   +   -   -   -    +   -    .    +   +   +   +    !
open  User.notificationPreferences           -   -   -   -   -   -    +   -    .    -   -   -   -    !
own   User.notificationPreferences           -   -   -   -   -   -    +   -    .    -   -   -   -    !
"""
"""Whether a viewer sees it: `+` yes, `-` it is kept back, `.` there is no such object for this viewer, `!` sign in.

`open` and `own` are the organization's `memberVisibility`. The person in the rows of `User` is the author. A row of a
type says who sees its objects at all: `Ticket` by S01, S02, S03, `Organization` who belongs to it, and support.
Sources: S09 (usernames), S14 (unclaimed tickets), S55 (calls), S85 (followers), S90, S91 (licences), J7 (internal
notes).
"""

KEPT_BACK = {
    "Ticket.snoozedUntil": "error",
    "Ticket.associatedUsernames": "empty",
    "EscalationTimelineEntry.internalNote": "silent",
    "Organization.members": "error",
    "Organization.licenses": "error",
    "Device.serialNumber": "error",
    "Query.deviceBySerialNumber": "error",
    "Query.queueStats": "error",
    "Query.unclaimedTickets": "error",
    "TicketFollower.email": "error",
    "ConferenceCall.joinUrl": "error",
    "ConferenceCall.passcode": "error",
    "User.username": "error",
    "User.email": "silent",
    "User.notificationPreferences": "error",
}
"""How: null with a FORBIDDEN error, an empty list, or null as if there were nothing."""

GUARDED_TYPES = {"Ticket", "TicketDraft", "Escalation", "Job"}
"""Types that print whom their objects are for."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to an object of `type`; whoever sees all of `through` gets there."""

    type: str
    through: tuple[str, ...]
    document: str


HERE, TICKET = ("Organization",), ("Organization", "Ticket")

WAYS = {
    # roots and lists
    "ticket": Way("Ticket", TICKET, "ticket(id: $ticket) { ...OnTicket }"),
    "ticketByReference": Way("Ticket", TICKET, "ticketByReference(reference: $reference) { ...OnTicket }"),
    "ticketNode": Way("Ticket", TICKET, "node(id: $ticket) { ...OnTicket }"),
    "ticketNodes": Way("Ticket", TICKET, "nodes(ids: [$ticket]) { ...OnTicket }"),
    "tickets": Way("Ticket", TICKET, "tickets(scope: ALL) { nodes { ...OnTicket } }"),
    "ticketEdges": Way("Ticket", TICKET, "tickets(scope: ALL) { edges { node { ...OnTicket } } }"),
    "entryNode": Way("EscalationTimelineEntry", TICKET, "node(id: $entry) { ...OnEntry }"),
    "escalation": Way("EscalationTimelineEntry", TICKET, "escalation(id: $escalation) { ...Stages }"),
    "escalationNode": Way("EscalationTimelineEntry", TICKET, "node(id: $escalation) { ...Stages }"),
    "escalationByReference": Way(
        "EscalationTimelineEntry", TICKET, "escalationByReference(reference: $escalationReference) { ...Stages }"
    ),
    "escalations": Way("EscalationTimelineEntry", TICKET, "escalations { nodes { ...Stages } }"),
    "organization": Way("Organization", HERE, "organization(id: $organization) { ...OnOrganization }"),
    "organizationNode": Way("Organization", HERE, "node(id: $organization) { ...OnOrganization }"),
    "organizations": Way("Organization", HERE, "organizations { nodes { ...OnOrganization } }"),
    "device": Way("Device", HERE, "device(id: $device) { ...OnDevice }"),
    "deviceNode": Way("Device", HERE, "node(id: $device) { ...OnDevice }"),
    "deviceBySerialNumber": Way(
        "Device",
        (*HERE, "Query.deviceBySerialNumber"),
        'deviceBySerialNumber(organizationId: $organization, serialNumber: "sn-1") { ...OnDevice }',
    ),
    "userNode": Way("User", HERE, "node(id: $author) { ...OnUser }"),
    "callNode": Way("ConferenceCall", TICKET, "node(id: $call) { ...OnCall }"),
    "followerNode": Way("TicketFollower", TICKET, "node(id: $follower) { ...OnFollower }"),
    # nested
    "ticketFollowers": Way("TicketFollower", TICKET, "ticket(id: $ticket) { followers { nodes { ...OnFollower } } }"),
    "listFollowers": Way(
        "TicketFollower", TICKET, "tickets(scope: ALL) { nodes { followers { edges { node { ...OnFollower } } } } }"
    ),
    "escalationFollowers": Way(
        "TicketFollower",
        TICKET,
        "escalation(id: $escalation) { ticket { followers { nodes { ...OnFollower } } } }",
    ),
    "changeFollower": Way(
        "TicketFollower",
        TICKET,
        "node(id: $change) { ... on ParticipantChangedEvent { follower { ...OnFollower } } }",
    ),
    "ticketCall": Way("ConferenceCall", TICKET, "ticket(id: $ticket) { conferenceCall { ...OnCall } }"),
    "listCall": Way("ConferenceCall", TICKET, "tickets(scope: ALL) { nodes { conferenceCall { ...OnCall } } }"),
    "calledCall": Way(
        "ConferenceCall", TICKET, "node(id: $called) { ... on CallChangedEvent { conferenceCall { ...OnCall } } }"
    ),
    "timelineCall": Way(
        "ConferenceCall",
        TICKET,
        "ticket(id: $ticket) "
        "{ timeline(kinds: [CALLS]) { nodes { ... on CallChangedEvent { conferenceCall { ...OnCall } } } } }",
    ),
    "changeTicket": Way("Ticket", TICKET, "node(id: $change) { ... on TimelineItem { ticket { ...OnTicket } } }"),
    "changeUser": Way("User", TICKET, "node(id: $change) { ... on ParticipantChangedEvent { user { ...OnUser } } }"),
    "roomTickets": Way("Ticket", TICKET, "room(id: $space) { tickets { nodes { ...OnTicket } } }"),
    "escalationTicket": Way("Ticket", TICKET, "escalation(id: $escalation) { ticket { ...OnTicket } }"),
    "escalationsTicket": Way("Ticket", TICKET, "escalations { nodes { ticket { ...OnTicket } } }"),
    "messageTicket": Way("Ticket", TICKET, "node(id: $message) { ... on Message { ticket { ...OnTicket } } }"),
    "eventTicket": Way("Ticket", TICKET, "node(id: $event) { ... on TimelineItem { ticket { ...OnTicket } } }"),
    "ticketEscalations": Way(
        "EscalationTimelineEntry", TICKET, "ticket(id: $ticket) { escalations { nodes { ...Stages } } }"
    ),
    "activeEscalation": Way(
        "EscalationTimelineEntry", TICKET, "ticket(id: $ticket) { activeEscalation { ...Stages } }"
    ),
    "eventEntry": Way(
        "EscalationTimelineEntry",
        TICKET,
        "node(id: $event) { ... on EscalationStageChangedEvent { entry { ...OnEntry } } }",
    ),
    "entryEscalation": Way(
        "EscalationTimelineEntry",
        TICKET,
        "node(id: $entry) { ... on EscalationTimelineEntry { escalation { ...Stages } } }",
    ),
    "ticketOrganization": Way("Organization", TICKET, "ticket(id: $ticket) { organization { ...OnOrganization } }"),
    "deviceOrganization": Way("Organization", HERE, "device(id: $device) { organization { ...OnOrganization } }"),
    "roomOrganization": Way("Organization", HERE, "room(id: $space) { organization { ...OnOrganization } }"),
    "organizationDevices": Way("Device", HERE, "organization(id: $organization) { devices { nodes { ...OnDevice } } }"),
    "roomDevices": Way("Device", HERE, "room(id: $space) { devices { edges { node { ...OnDevice } } } }"),
    "ticketDevices": Way("Device", TICKET, "ticket(id: $ticket) { devices { nodes { ...OnDevice } } }"),
    "requester": Way("User", TICKET, "ticket(id: $ticket) { requester { ...OnUser } owner { ...OnUser } }"),
    "messageActor": Way("User", TICKET, "ticket(id: $ticket) { messages { nodes { actor { ...OnUser } } } }"),
    "transcriptActor": Way(
        "User", TICKET, "ticket(id: $ticket) { transcript { messages { nodes { actor { ...OnUser } } } } }"
    ),
    "memberUser": Way(
        "User",
        (*HERE, "Organization.members"),
        "organization(id: $organization) { members { nodes { user { ...OnUser } } } }",
    ),
}

EVENTS = {
    "ticketEvent": Way(
        "Ticket", TICKET, "ticket(ticketId: $ticket, after: $after) { ... on TicketChange { ticket { ...OnTicket } } }"
    ),
    "itemTicket": Way(
        "Ticket",
        TICKET,
        "ticket(ticketId: $ticket, after: $after) { ... on TicketChange { item { ticket { ...OnTicket } } } }",
    ),
    "stageEvent": Way(
        "EscalationTimelineEntry",
        TICKET,
        "escalationTimeline(ticketId: $ticket, after: $after) "
        "{ ... on EscalationTimelineChange { entry { ...OnEntry } } }",
    ),
    "followerEvent": Way(
        "TicketFollower",
        TICKET,
        "ticket(ticketId: $ticket, after: $after) "
        "{ ... on TicketChange { ticket { followers { nodes { ...OnFollower } } } } }",
    ),
    "callEvent": Way(
        "ConferenceCall",
        TICKET,
        "ticket(ticketId: $ticket, after: $after) { ... on TicketChange { ticket { conferenceCall { ...OnCall } } } }",
    ),
    "eventRequester": Way(
        "User",
        TICKET,
        "ticket(ticketId: $ticket, after: $after) { ... on TicketChange { ticket { requester { ...OnUser } } } }",
    ),
}
"""Ways through an event that is on the ticket's stream."""


@pytest.mark.parametrize("preset", [OPEN, OWN])
async def test_every_way_to_an_object_answers_as_the_table_says(as_user: AsUser, preset: MemberVisibility) -> None:
    """J4, S96."""
    world = await make_world(preset)
    wrong: list[str] = []

    for name in VIEWERS:
        data, errors = await as_user(world.people[name]).answer(document(WAYS.keys()), **variables(world))
        if name == "nobody":
            assert data is None
            assert set(codes(errors)) == {"UNAUTHENTICATED"}
            continue
        for way in WAYS:
            wrong += differences(world, preset, name, way, WAYS[way], (data or {}).get(way), errors)

    assert wrong == []


@pytest.mark.parametrize("preset", [OPEN, OWN])
async def test_every_event_answers_as_the_table_says(
    as_user: AsUser, services: Services, preset: MemberVisibility
) -> None:
    """J3, J4, S96: what comes over a stream is guarded like what is asked for."""
    world = await make_world(preset)
    await announce(as_user(world["agent"]), services, world)
    wrong: list[str] = []

    for name in VIEWERS:
        for alias, way in EVENTS.items():
            data, errors = await first_event(as_user(world.people[name]), world, alias)
            if name == "nobody":
                assert codes(errors) == ["UNAUTHENTICATED"]
                continue
            wrong += differences(world, preset, name, alias, way, data, errors)

    assert wrong == []


@pytest.mark.parametrize("preset", [OPEN, OWN])
async def test_what_one_does_not_see_is_not_counted(as_user: AsUser, preset: MemberVisibility) -> None:
    """S03, S07, J4."""
    world = await make_world(preset)
    counts = """query($space: ID!) {
      all: tickets(scope: ALL) { totalCount } mine: tickets { totalCount } escalations { totalCount }
      room(id: $space) { tickets { totalCount } } }"""

    found = {
        name: await as_user(world.people[name]).ask(counts, space=gid(world.space))
        for name in VIEWERS
        if name != "nobody"
    }

    assert found == {
        name: {
            "all": {"totalCount": int(cell == "+")},
            "mine": {"totalCount": int(name == "author")},
            "escalations": {"totalCount": int(cell == "+")},
            "room": None if name == "stranger" else {"tickets": {"totalCount": int(cell == "+")}},
        }
        for name, cell in expected(preset)["Ticket"].items()
        if name != "nobody"
    }


@pytest.mark.parametrize("preset", [OPEN, OWN])
async def test_the_organizations_list_opens_for_whom_it_should(as_user: AsUser, preset: MemberVisibility) -> None:
    """S02, S03, S14, S15: with a reason for a member whose role shows the own requests only."""
    world = await make_world(preset)
    ask = """query($o: ID!, $scope: TicketListScope!) { tickets(scope: $scope, organizationId: $o) { totalCount } }"""

    async def answer(name: str, scope: str) -> str:
        data, errors = await as_user(world.people[name]).answer(ask, o=gid(world.acme), scope=scope)
        return str(codes(errors)[0] if errors else data["tickets"]["totalCount"])

    own_only = {"licences"} if preset is OPEN else {"licences", "member", "reader", "author", "helper"}
    for scope, count, closed in (("ORGANIZATION", "1", own_only), ("UNCLAIMED", "0", {"reader", "helper"})):
        found = {name: await answer(name, scope) for name in VIEWERS}
        assert found == {
            name: "FORBIDDEN" if name in closed else count for name in VIEWERS if name not in ("stranger", "nobody")
        } | {"stranger": "NOT_FOUND", "nobody": "UNAUTHENTICATED"}


async def test_a_role_in_one_organization_opens_nothing_in_another(as_user: AsUser) -> None:
    """S10: at the root it is enough that a rule could hold somewhere; the resolver must ask where."""
    world = await make_world(OWN)
    await models.Membership.create(
        organization=world.other, user=world["reader"], role=OrganizationRole.MEMBER, joined_at=LONG_AGO
    )
    find = """query($o: ID!) { deviceBySerialNumber(organizationId: $o, serialNumber: "SN-1") { id } }"""

    data, errors = await as_user(world["reader"]).answer(find, o=gid(world.acme))

    assert (data, codes(errors)) == ({"deviceBySerialNumber": None}, ["FORBIDDEN"])


def test_every_guard_that_the_schema_prints_is_in_the_table() -> None:  # S96
    schema = build_schema(sdl())
    guards = {
        where for where, _ in guarded_fields(schema) if where.partition(".")[0] not in ("Mutation", "Subscription")
    }

    assert guards == KEPT_BACK.keys()
    assert {name for name, each in object_types(schema) if "policy" in directives(each)} == GUARDED_TYPES
    for preset in MemberVisibility:
        assert {where for where in expected(preset) if "." in where} == guards


def test_every_guarded_type_is_reached_in_every_manner() -> None:
    """From the root, by `node(id:)`, from a list, nested, and, where it comes in one, in an event."""
    for type_name in {where.partition(".")[0] for where in KEPT_BACK} - {"Query"}:
        ways = [way.document for way in WAYS.values() if way.type == type_name]
        assert any("node(id:" in way for way in ways), type_name
        assert any("nodes {" in way or "edges {" in way for way in ways), type_name
        assert len(ways) >= 5, type_name
    assert {way.type for way in EVENTS.values()} == {
        "Ticket",
        "EscalationTimelineEntry",
        "TicketFollower",
        "ConferenceCall",
        "User",
    }


def test_every_guard_can_be_answered_without_losing_its_parent() -> None:  # S96
    for where, field in guarded_fields(build_schema(sdl())):
        if where.partition(".")[0] in ("Query", "Mutation", "Subscription"):
            continue
        a_list = isinstance(field.type, GraphQLNonNull) and isinstance(field.type.of_type, GraphQLList)
        assert not isinstance(field.type, GraphQLNonNull) or (a_list and KEPT_BACK[where] == "empty"), where


OPEN_TO_ALL = {"Query.viewer": "says nothing but who asks", "Query.server": "limits that a client needs first"}

NO_ROWS_OF_THEIR_OWN = {
    "EdgeOrConnection": "a page of rows that are seen anyway",
    "Payload": "what a mutation made, shown to who made it",
    "FieldError": "a refusal",
    "TicketClosedError": "a refusal; its ticket is loaded as the viewer sees it",
    "AppointmentNotAvailableError": "a refusal, given to who may ask for an appointment",
    "StaleVersionError": "a refusal, given to who may change the ticket",
    "PageInfo": "the edges of a page",
    "Viewer": "whoever asks, about itself",
    "ServerInfo": "public limits",
    "AttachmentPolicy": "public limits",
    "AttachmentUpload": "a file just announced, shown to who announced it",
    "FormField": "part of a request type",
    "StaffProfile": "part of a person",
    "SystemActor": "the desk itself",
    "ServiceCoverage": "part of a room or desk",
    "Transcript": "part of a ticket",
    "JobFailure": "part of a job",
    "QueueStats": "numbers of the desk, for support staff alone",
    "SearchHit": "its node is shown to whom it is shown, and found by nobody else",
    "SuggestedSolution": "told of rows that the viewer is shown",
    "Presence": "part of a ticket, cut to what the viewer is told",
    "PresenceEvent": "an event of a stream that is guarded as a whole",
    "NotificationPreferences": "part of a person, shown to that person alone",
    "NotificationChange": "an event of one's own stream",
    "ReadReceipt": "cut to what the viewer is told",
    "ReadStateEvent": "an event of a stream that is guarded as a whole",
    "TypingEvent": "an event of a stream that is guarded as a whole",
    "TicketNotice": "made from a ticket's status and reference",
    "TicketViewerPermissions": "what the viewer may do, of a ticket that the viewer sees",
    "MessageChange": "an event of a stream that is guarded as a whole",
    "TicketChange": "an event of a stream that is guarded as a whole",
    "EscalationTimelineChange": "an event of a stream that is guarded as a whole",
    "StreamCaughtUp": "an event of a stream that is guarded as a whole",
    "StreamReset": "an event of a stream that is guarded as a whole",
}


def test_every_field_is_guarded_or_on_a_row_that_is_shown_to_some_or_known_to_be_harmless() -> None:  # J4, S96
    schema = build_schema(sdl())
    unguarded = [
        f"{name}.{field}"
        for name in ("Query", "Mutation", "Subscription")
        for field, definition in root(schema, name).fields.items()
        if "authenticated" not in directives(definition)
    ]
    harmless = set()
    unknown = []
    for name, _ in object_types(schema):
        if name in ("Query", "Mutation", "Subscription") or name in TABLES:
            continue
        kind = "Payload" if name.endswith("Payload") else name
        kind = "EdgeOrConnection" if name.endswith(("Edge", "Connection")) else kind
        (harmless.add(kind) if kind in NO_ROWS_OF_THEIR_OWN else unknown.append(name))

    assert set(unguarded) == OPEN_TO_ALL.keys()
    assert unknown == []
    assert harmless == NO_ROWS_OF_THEIR_OWN.keys()


def test_every_table_that_is_shown_says_to_whom() -> None:  # J4
    """A table that does not is shown to nobody, which would be noticed; this says which it is."""
    inherited = [name for name, table in TABLES.items() if table.model.seen_by.__func__ is BaseModel.seen_by.__func__]  # type: ignore[attr-defined]

    assert inherited == []


def expected(preset: MemberVisibility) -> dict[str, dict[str, str]]:
    """The table's rows of one preset: viewer → cell, by what the row is about."""
    rows = [line.split() for line in TABLE.splitlines() if line.startswith(("open ", "own "))]
    return {row[1]: dict(zip(VIEWERS, row[2:], strict=True)) for row in rows if row[0] == preset.lower()}


def differences(
    world: World, preset: MemberVisibility, viewer: str, alias: str, way: Way, answer: Any, errors: list[Any]
) -> Iterator[str]:
    """Where an answer is not what the table says."""
    table = expected(preset)
    arrives = all(table[step][viewer] == "+" for step in way.through)
    found = [(path, each) for path, each in objects(answer) if each.get("about") == about(world)[way.type]]
    forbidden = {tuple(e.path) for e in errors if codes([e]) == ["FORBIDDEN"]}
    where = f"{viewer} by {alias}"
    if bool(found) != arrives:
        yield f"{where}: found {len(found)}, expected {'one' if arrives else 'none'}; {[e.message for e in errors]}"
    for path, each in found if arrives else []:
        for field in (name for name in KEPT_BACK if name.startswith(f"{way.type}.")):
            value = each[field.partition(".")[2]]
            got = outcome(value, forbidden=(alias, *path, field.partition(".")[2]) in forbidden)
            wanted = "seen" if table[field][viewer] == "+" else KEPT_BACK[field]
            if got != wanted:
                yield f"{where}: {field} {got}, expected {wanted}"


def outcome(value: Any, *, forbidden: bool) -> str:
    if value == []:
        return "empty"
    if value is None:
        return "error" if forbidden else "silent"
    return "seen"


def about(world: World) -> dict[str, str]:
    return {
        "Ticket": gid(world.ticket),
        "EscalationTimelineEntry": gid(world.entry),
        "Organization": gid(world.acme),
        "Device": gid(world.device),
        "TicketFollower": gid(world.follower),
        "ConferenceCall": gid(world.call),
        "User": gid(world["author"]),
    }


FRAGMENTS = """
fragment OnTicket on Ticket { about: id snoozedUntil associatedUsernames }
fragment OnEntry on EscalationTimelineEntry { about: id internalNote }
fragment Stages on Escalation { timeline { nodes { ...OnEntry } } }
fragment OnOrganization on Organization { about: id members { totalCount } licenses { totalCount } }
fragment OnDevice on Device { about: id serialNumber }
fragment OnFollower on TicketFollower { about: id email }
fragment OnCall on ConferenceCall { about: id joinUrl passcode }
fragment OnUser on User { about: id username email notificationPreferences { channels } }
"""

NAMED = [
    *("$organization: ID!", "$author: ID!", "$space: ID!", "$device: ID!", "$ticket: ID!", "$message: ID!"),
    *("$follower: ID!", "$change: ID!", "$call: ID!", "$called: ID!"),
    *("$event: ID!", "$escalation: ID!", "$entry: ID!", "$reference: String!", "$escalationReference: String!"),
]


def document(ways: Any) -> str:
    """All ways in one operation: each is a field of its own, so none can hide behind another."""
    fields = "\n".join(f"{alias}: {WAYS[alias].document}" for alias in ways)
    return f"query({', '.join(NAMED)}) {{ {fields} }} {used(fields)}"


def used(text: str) -> str:
    """The fragments that a document needs: unused ones are not allowed."""
    whole = text
    for fragment in reversed(FRAGMENTS.strip().splitlines()):
        if f"...{fragment.split()[1]}" in whole or (fragment.split()[1] == "OnEntry" and "...Stages" in whole):
            whole += "\n" + fragment
    return whole[len(text) :]


def variables(world: World) -> Json:
    names = {declared.strip("$").partition(":")[0] for declared in NAMED}
    given = {name: value for name, value in world.ids.items() if name in names}
    return {**given, "reference": world.ticket.reference, "escalationReference": world.escalation.reference}


async def announce(agent: Client, services: Services, world: World) -> None:
    """An event of every kind on the ticket's streams, as the resolvers write them."""

    async def body(work: Work) -> None:
        topics = streams_of(world.ticket.id)
        item = {"fields": ["status"], "item": str(world.event.id)}
        work.emit(topics, TICKET_CHANGED, item)
        work.emit(topics, ESCALATION_ENTERED, {"escalation": str(world.escalation.id), "entry": str(world.entry.id)})

    await work_in_transaction(Context(await agent.viewer(), services), body)


async def first_event(client: Client, world: World, alias: str) -> tuple[Any, list[Any]]:
    """The data and errors of the first event that this way goes through."""
    selection = EVENTS[alias].document
    text = f"subscription($ticket: ID!, $after: Cursor) {{ {alias}: {selection} }} {used(selection)}"
    async with client.watch(text, ticket=gid(world.ticket), after=str(Cursor(NO_EPOCH, 0))) as stream:
        data, errors = await stream.result()
    return (data or {}).get(alias), errors


def guarded_fields(schema: GraphQLSchema) -> Iterator[tuple[str, GraphQLField]]:
    for name, each in object_types(schema):
        for field, definition in each.fields.items():
            if {"policy", "requiresScopes"} & set(directives(definition)):
                yield f"{name}.{field}", definition


def object_types(schema: GraphQLSchema) -> Iterator[tuple[str, GraphQLObjectType]]:
    for name, each in schema.type_map.items():
        if isinstance(each, GraphQLObjectType) and not name.startswith("__"):
            yield name, each


def directives(definition: GraphQLField | GraphQLObjectType | GraphQLInterfaceType) -> list[str]:
    node = definition.ast_node
    return [directive.name.value for directive in node.directives or ()] if node else []


def root(schema: GraphQLSchema, name: str) -> GraphQLObjectType:
    found = get_named_type(schema.type_map[name])
    assert isinstance(found, GraphQLObjectType)
    return found
