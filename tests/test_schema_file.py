"""schema.graphql is what clients are built against: the code's own print, complete, and on its way to the target."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from graphql import (
    DirectiveNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLType,
    GraphQLUnionType,
    build_schema,
    is_specified_directive,
    is_specified_scalar_type,
    print_ast,
)

from schema.build import sdl

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "schema.graphql"
TARGET = ROOT.parent / "shared" / "design" / "target.graphql"

APART_FROM_TARGET = {
    "arg Query.queueStats(teamId)": "comes with teams",
    "arg Query.tickets(filter)": "left out, it shows the active ones: S35",
    "arg Subscription.queueStats(teamId)": "comes with teams",
    "arg Subscription.tickets(filter)": "left out, it shows the active ones: S35",
    "enum value ErrorCode.HISTORY_UNAVAILABLE": "S11 wants a code of its own",
    "field EmailMessage.from": "null: an imported e-mail may not say who sent it",
    "field EmailMessage.messageId": "null: an imported e-mail may not say what it is called",
    "field Feedback.submittedBy": "null: the account may be gone",
    "field SharedResource.url": "null: an article is shared by itself, not by an address",
    "field TicketClosedError.ticket": "null: the refusal may be about an escalation",
    "field TicketLinkedEvent.link": "null: the link may be gone, or the other ticket not seen",
    "field Viewer.user": "null: nobody may be signed in",
    "input MessageInput.visibility": "null is refused: leaving it out takes the default",
    "input TicketCreateInput.channel": "null is refused: leaving it out takes the default",
    "input TicketCreateInput.description": "required: S22",
    "input TicketCreateInput.priority": "null is refused: leaving it out takes the default",
    "input TicketCreateInput.severity": "null is refused: leaving it out takes the default",
    "input TypingSetInput.visibility": "null is refused: leaving it out takes the default",
}
"""Where what exists in both differs for a client that was written against the target, and why."""


@cache
def ours() -> GraphQLSchema:
    return build_schema(sdl())


@cache
def target() -> GraphQLSchema:
    if not TARGET.exists():
        pytest.skip("the target schema is not beside this checkout")
    return build_schema(TARGET.read_text())


def test_the_file_is_what_the_code_prints() -> None:
    written = FILE.read_text() if FILE.exists() else ""

    assert written == sdl(), "schema.graphql does not say what the code does: run `make schema`"


def test_the_file_can_be_read_back_whole() -> None:
    again = ours()

    assert {root and root.name for root in (again.query_type, again.mutation_type, again.subscription_type)} == {
        "Query",
        "Mutation",
        "Subscription",
    }
    assert {"Ticket", "Escalation", "Message", "TicketClosedError"} <= again.type_map.keys()


def test_a_printed_permission_survives_the_reading() -> None:  # S96
    ticket = again_object("Ticket")
    assert ticket.ast_node is not None
    assert ticket.fields["snoozedUntil"].ast_node is not None

    assert names(ticket.ast_node.directives) == ["authenticated", "policy"]
    assert names(ticket.fields["snoozedUntil"].ast_node.directives) == ["policy"]


def test_everything_a_client_can_name_is_described() -> None:
    bare = [where for where, description in described(ours()) if not description]

    assert bare == []


def test_the_search_for_what_is_not_described_finds_every_kind() -> None:
    """The test above is worth nothing if it looks past something."""
    bare = build_schema(
        "type Query { a(b: Int): E } enum E { V } input I { f: Int } scalar S interface N { g: S } directive @d on ENUM"
    )

    found = {where for where, description in described(bare) if not description}

    assert found == {"Query", "Query.a", "Query.a(b)", "E", "E.V", "I", "I.f", "S", "N", "N.g", "@d"}


def test_what_exists_in_both_schemas_fits_a_client_of_the_target() -> None:
    found = set(differences(ours(), target()))

    assert found - APART_FROM_TARGET.keys() == set(), "new differences from the target"
    assert APART_FROM_TARGET.keys() - found == set(), "these are settled: take them out of the list"


def test_everything_that_the_target_does_not_have_is_known() -> None:
    """Names are decided in the target: whatever is added to it here is added knowingly."""
    here, there = set(coordinates(ours())), set(coordinates(target()))
    paging = {name for name in here if name.endswith(("(last)", "(before)"))}

    assert here - there - paging == ADDED


ADDED = {
    "ErrorCode.HISTORY_UNAVAILABLE",
    "DraftSaveInput.classificationId",
    "DraftSaveInput.issueTypeId",
    "DraftSaveInput.productUpdateId",
    "DraftSaveInput.channel",
    "DraftSaveInput.confidentiality",
    "DraftSaveInput.language",
    "DraftSaveInput.onBehalfOfOrganizationId",
    "DraftSaveInput.priority",
    "DraftSaveInput.referencesTicketId",
    "DraftSaveInput.severity",
    "TicketDraft.channel",
    "TicketDraft.confidentiality",
    "TicketDraft.language",
    "TicketDraft.onBehalfOf",
    "TicketDraft.priority",
    "TicketDraft.quotedTicket",
    "TicketDraft.severity",
    "TicketDraft.classification",
    "TicketDraft.issueType",
    "TicketDraft.productUpdate",
    "EscalationTimelineEntry.isOverride",
    "SuggestedSolution.ticket",
    "ParticipantChangedEvent.user",
    "AppointmentNotAvailableError",
    "AppointmentNotAvailableError.code",
    "AppointmentNotAvailableError.field",
    "AppointmentNotAvailableError.message",
    "AppointmentNotAvailableError.reason",
    "CallChangedEvent.appointmentStatus",
    "CallChangedEvent.callStatus",
    "ConferenceCall.scheduledBy",
    "LifecyclePreset",
    "LifecyclePreset.HOURS_72",
    "LifecyclePreset.WEEK",
    "NotificationPreferencesUpdateInput.unmuteTicketIds",
    "MemberVisibility",
    "MemberVisibility.OPEN",
    "MemberVisibility.OWN",
    "Organization.lifecyclePreset",
    "Organization.memberVisibility",
    "Organization.version",
    "OrganizationSaveInput.expectedVersion",
    "OrganizationSaveInput.lifecyclePreset",
    "OrganizationSaveInput.memberVisibility",
    "OrganizationSaveInput.partnerId",
    "Organization.partner",
    "RequestType.lifecyclePreset",
    "RequestTypeSaveInput.lifecyclePreset",
    "Ticket.quotedTicket",
    "TicketLinkedEvent.change",
    "TicketFilter.isOnBehalf",
    "TicketFilter.onBehalfOfOrganizationIds",
}
"""S11 wants a code of its own. S78 wants the override recorded. What S19, S20, S32
and S33 say of a request is kept in a draft too (S30). Who was taken off a ticket is told by name also later,
when there is no participant or follower any more. S08 wants what a partner files for others listed apart,
and somebody to say who is whose partner. S32 wants
what a ticket quotes shown.
S03, S64 and S65 are presets that somebody chooses, of an organization that two may change at once (J8); S94 wants the
reason given. What is muted can be heard again, and what became of a call, an appointment or a link then is not what it
is now.
"""


@pytest.mark.parametrize(
    ("here", "there", "found"),
    [
        ("type Query { a: Int! }", "type Query { a: Int }", set()),
        ("type Query { a: Int }", "type Query { a: Int! }", {"field Query.a"}),
        ("type Query { a: String }", "type Query { a: Int }", {"field Query.a"}),
        ("type Query { a(b: Int): Int }", "type Query { a(b: Int!): Int }", set()),
        ("type Query { a(b: Int!): Int }", "type Query { a(b: Int): Int }", {"arg Query.a(b)"}),
        ("type Query { a: Int }", "type Query { a(b: Int): Int }", {"arg Query.a(b)"}),
        ("type Query { a(b: Int = 2): Int }", "type Query { a(b: Int = 1): Int }", {"arg Query.a(b)"}),
        ("type Query { a: [Int!]! }", "type Query { a: [Int] }", set()),
        ("type Query { a: E } enum E { V W }", "type Query { a: E } enum E { V }", {"enum value E.W"}),
        ("type Query { a: E } scalar E", "type Query { a: E } enum E { V }", {"kind E"}),
        ("type Query { a: Int } input I { b: Int! }", "type Query { a: Int } input I { b: Int }", {"input I.b"}),
        ("type Query { a: Int } input I { c: Int! }", "type Query { a: Int } input I { b: Int }", {"input I.c"}),
    ],
)
def test_the_comparison_with_the_target_sees(here: str, there: str, found: set[str]) -> None:
    assert set(differences(build_schema(here), build_schema(there))) == found


def again_object(name: str) -> GraphQLObjectType:
    found = ours().type_map[name]
    assert isinstance(found, GraphQLObjectType)
    return found


def names(directives: tuple[DirectiveNode, ...] | None) -> list[str]:
    return [directive.name.value for directive in directives or ()]


def types_of(schema: GraphQLSchema) -> Iterator[GraphQLNamedType]:
    for name, each in schema.type_map.items():
        if not name.startswith("__") and not is_specified_scalar_type(each):
            yield each


def described(schema: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    """Everything that a client can name, with its description. Strawberry has none for a directive's arguments."""
    for each in types_of(schema):
        yield each.name, each.description
        if isinstance(each, GraphQLEnumType):
            yield from ((f"{each.name}.{name}", value.description) for name, value in each.values.items())
        if isinstance(each, GraphQLInputObjectType):
            yield from ((f"{each.name}.{name}", field.description) for name, field in each.fields.items())
        if isinstance(each, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in each.fields.items():
                yield f"{each.name}.{name}", field.description
                yield from ((f"{each.name}.{name}({arg})", node.description) for arg, node in field.args.items())
    for directive in schema.directives:
        if not is_specified_directive(directive):
            yield f"@{directive.name}", directive.description


def coordinates(schema: GraphQLSchema) -> Iterator[str]:
    return (where for where, _ in described(schema))


def differences(here: GraphQLSchema, there: GraphQLSchema) -> Iterator[str]:
    """What of `here` would surprise a client of `there`, among what both of them have."""
    for each in types_of(here):
        other = there.type_map.get(each.name)
        if other is None:
            continue
        if type(each) is not type(other):
            yield f"kind {each.name}"
        elif isinstance(each, GraphQLEnumType) and isinstance(other, GraphQLEnumType):
            yield from (f"enum value {each.name}.{value}" for value in each.values.keys() - other.values.keys())
        elif isinstance(each, GraphQLUnionType) and isinstance(other, GraphQLUnionType):
            extra = {member.name for member in each.types} - {member.name for member in other.types}
            yield from (f"member {each.name}.{name}" for name in extra)
        elif isinstance(each, GraphQLInputObjectType) and isinstance(other, GraphQLInputObjectType):
            yield from _inputs(f"input {each.name}.{{}}", each.fields, other.fields)
        elif isinstance(each, GraphQLObjectType | GraphQLInterfaceType):
            assert isinstance(other, GraphQLObjectType | GraphQLInterfaceType)
            yield from _fields(each, other)


def _fields(
    here: GraphQLObjectType | GraphQLInterfaceType, there: GraphQLObjectType | GraphQLInterfaceType
) -> Iterator[str]:
    lacking = {each.name for each in there.interfaces} - {each.name for each in here.interfaces}
    yield from (f"interface {here.name} & {name}" for name in lacking)
    for name in here.fields.keys() & there.fields.keys():
        mine, theirs = here.fields[name], there.fields[name]
        if not (_renamed(mine.type) or _at_least(mine.type, theirs.type)):
            yield f"field {here.name}.{name}"
        yield from _inputs(f"arg {here.name}.{name}({{}})", mine.args, theirs.args)
        yield from (f"arg {here.name}.{name}({arg})" for arg in theirs.args.keys() - mine.args.keys())


def _renamed(found: GraphQLType) -> bool:
    return str(found).strip("!") in ADDED


def _inputs(
    where: str,
    here: dict[str, GraphQLInputField] | dict[str, GraphQLArgument],
    there: dict[str, GraphQLInputField] | dict[str, GraphQLArgument],
) -> Iterator[str]:
    for name, mine in here.items():
        theirs = there.get(name)
        if theirs is None:
            if isinstance(mine.type, GraphQLNonNull) and _default(mine) == "null":
                yield where.format(name)
        elif not _at_least(theirs.type, mine.type) or _default(mine) != _default(theirs):
            yield where.format(name)


def _default(given: GraphQLInputField | GraphQLArgument) -> str:
    written = given.ast_node and given.ast_node.default_value
    return print_ast(written) if written else "null"


def _at_least(given: GraphQLType, wanted: GraphQLType) -> bool:
    """Whether everything of the type `given` is fit for `wanted`: the same, but for a promise of more."""
    if isinstance(given, GraphQLNonNull):
        inner = wanted.of_type if isinstance(wanted, GraphQLNonNull) else wanted
        return _at_least(given.of_type, inner)
    if isinstance(wanted, GraphQLNonNull):
        return False
    if hasattr(given, "of_type") and hasattr(wanted, "of_type"):
        return _at_least(given.of_type, wanted.of_type)
    return str(given) == str(wanted)
