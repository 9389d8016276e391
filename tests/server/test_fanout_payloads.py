"""The two ways of a subscription, direct and through graphql-core, send the same bytes for the same events."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import models
from domain.enums import EscalationStage, Visibility
from models.feed import FeedEvent, FeedStream
from realtime.cursor import NO_EPOCH, Cursor
from resolvers import escalations, messages, tickets
from resolvers.context import Context
from resolvers.viewers import load_viewer
from schema.node import global_id
from tests.databases import ENGINES
from tests.server.desk import MESSAGES, Desk, running_desk
from tests.server.running import Watch, until

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    async with running_desk(getattr(request, "param", "sqlite"), tmp_path) as desk:
        yield desk


MARKERS = "... on StreamCaughtUp { cursor } ... on StreamReset { reason cursor }"

SELECTIONS: dict[str, str] = {
    "names and markers": f"__typename ... on MessageChange {{ cursor changeType message {{ id }} }} {MARKERS}",
    "nothing of the markers": "... on MessageChange { message { __typename body } }",
    "only markers": MARKERS,
    "only __typename": "__typename",
    "aliases": """kind: __typename ... on StreamCaughtUp { place: cursor name: __typename }
      ... on MessageChange { at: cursor what: changeType it: message { text: body n: sequence } }""",
    "selected twice": "... on MessageChange { message { body } } ... on MessageChange { cursor message { id } }",
    "fragments": "...Whole ... on MessageChange { message { ...Said } }",
    "kinds of messages": """... on MessageChange { message { ... on Note { __typename } ... on ChatMessage { source }
      ... on EmailMessage { subject from } } }""",
    "interfaces": """... on MessageChange { message { ... on Node { id } ... on TimelineItem { occurredAt visibility
      actor { __typename id displayName avatarUrl } } } }""",
    "conditions": """... on StreamCaughtUp @skip(if: $no) { cursor } ... on MessageChange @include(if: $yes) {
      message { body @skip(if: $yes) language @include(if: $no) sequence @include(if: $yes) } }""",
    "as HTML and as text": "... on MessageChange { message { body bodyHtml bodyText } }",
    "the answered message": "... on MessageChange { message { body inReplyTo { id body inReplyTo { body } } } }",
    "files": "... on MessageChange { message { attachments { fileName sizeBytes uploadedBy { displayName } } } }",
    "the ticket": """... on MessageChange { message { cursor clientMessageId deliveryState editedAt deletedAt
      ticket { id reference subject organization { name } requester { displayName } } } }""",
    "nested pages": """... on MessageChange { message { ticket { messages(first: $few) {
      totalCount nodes { body sequence } pageInfo { hasNextPage endCursor } } } } }""",
    "addresses": "... on MessageChange { message { actor { ... on User { email } } } }",
    "memberships": """... on MessageChange { message { actor { ... on User {
      memberships { role organization { name } } } } } }""",
}

FRAGMENTS = {
    "fragments": "fragment Whole on MessageStreamItem { __typename ... on MessageChange { cursor } } "
    "fragment Said on Message { body ... on Node { id } }"
}


NESTED = """subscription($t: ID!, $a: Boolean!, $b: Boolean!) { messages(ticketId: $t) { __typename
  ... on MessageChange @include(if: $a) { changeType message { body @include(if: $b) sequence @skip(if: $b) } } } }"""


def document(name: str) -> str:
    given = {"$yes": "Boolean = true", "$no": "Boolean = false", "$few": "Int = 2"}
    more = "".join(f", {variable}: {kind}" for variable, kind in given.items() if variable in SELECTIONS[name])
    head = f"subscription($t: ID!, $after: Cursor{more})"
    return f"{head} {{ messages(ticketId: $t, after: $after) {{ {SELECTIONS[name]} }} }} {FRAGMENTS.get(name, '')}"


@contextmanager
def ordinary(desk: Desk) -> Iterator[None]:
    """Subscriptions that begin meanwhile are executed by graphql-core."""
    direct = desk.served.fanout
    desk.served.endpoint.fanout = None
    try:
        yield
    finally:
        desk.served.endpoint.fanout = direct


async def history(desk: Desk) -> int:
    """Events of several kinds; returns how many messages customers have seen by now."""
    served, ticket = desk.served, desk.ticket
    (asked,) = await served.say(desk.ann, ticket, "Why?")
    await served.say(desk.sam, ticket, "Because “ünïcode” \\ and \u2028 …", in_reply_to_id=asked.id)
    await served.whisper(desk.sam, ticket, "He is upset")
    context = await context_of(desk, desk.sam)
    await messages.add_note(context, ticket.id, body="Beside it", visibility=Visibility.PUBLIC)
    escalation, _ = await escalations.submit_escalation(context, ticket.id, issue_description="Look at it")
    await escalations.advance_escalation(context, escalation.id, stage=EscalationStage.IN_REVIEW, note="On it")
    await served.say(desk.ann, ticket, "Thanks")
    return 5


async def watches(desk: Desk, user: models.User) -> dict[str, Watch]:
    """Each selection followed from the beginning, all on one socket."""
    socket = await desk.socket(user)
    beginning = str(Cursor(NO_EPOCH, 0))
    return {name: await socket.watch(document(name), id=name, t=desk.id, after=beginning) for name in SELECTIONS}


async def frames(watches: dict[str, Watch], number: int) -> dict[str, list[str]]:
    return {name: [await watch.frame() for _ in range(number)] for name, watch in watches.items()}


@pytest.mark.parametrize("desk", ENGINES, indirect=True)
async def test_every_selection_gives_the_same_bytes_both_ways(desk: Desk) -> None:
    """Stored events, which each reads alone; the marker; and a live one, which a group is told at once."""
    for_customers = await history(desk)
    for user, told in ((desk.ann, for_customers), (desk.sam, for_customers + 1)):
        directly = await watches(desk, user)
        stored = await frames(directly, told + 1)
        with ordinary(desk):
            by_the_book = await watches(desk, user)
            assert stored == await frames(by_the_book, told + 1)
        await until(lambda: desk.grouped == len(SELECTIONS))

        await desk.served.say(desk.ann, desk.ticket, "Live")

        assert await frames(directly, 1) == await frames(by_the_book, 1)
        await directly["names and markers"].socket.connection.close()
        await until(lambda: desk.served.fanout.groups == {})
        for_customers += 1
    assert [reason for reason in desk.served.fanout.engine.stats if reason.startswith("unplanned")] == []


async def test_a_lost_place_is_told_in_the_same_bytes(desk: Desk) -> None:
    elsewhere = str(Cursor("0badbeef", 7))
    directly = await desk.watch(desk.ann, after=elsewhere)
    told = [await directly.frame() for _ in range(2)]
    with ordinary(desk):
        by_the_book = await desk.watch(desk.ann, after=elsewhere)

        assert told == [await by_the_book.frame() for _ in range(2)]
    assert json.loads(told[0])["payload"]["data"]["messages"]["reason"] == "CURSOR_INVALID"


@pytest.mark.parametrize("wrong", [{"after": "nonsense"}, {"t": "Ticket_nonsense"}, {"t": f"Ticket_{UUID(int=7)}"}])
async def test_a_refusal_is_told_in_the_same_bytes(desk: Desk, wrong: dict[str, Any]) -> None:
    variables = {"t": desk.id, **wrong}
    directly = await (await desk.socket(desk.ann)).watch(MESSAGES, **variables)
    told = await directly.frame()
    with ordinary(desk):
        by_the_book = await (await desk.socket(desk.ann)).watch(MESSAGES, **variables)

        assert told == await by_the_book.frame()
    assert json.loads(told)["type"] == "error"


async def test_conditions_inside_of_conditions_are_each_asked(desk: Desk) -> None:
    """The first to come leaves the inner condition unseen; it must count for those who come later."""
    cases = [(False, True), (True, True), (True, False), (False, False)]
    following = [await desk.watch(desk.ann, NESTED, a=a, b=b) for a, b in cases]
    for watch in following:
        await watch.frame()
    await desk.say("Live")

    told = [await watch.next() for watch in following]

    sequence = {"changeType": "ADDED", "message": {"sequence": 3}}
    body = {"changeType": "ADDED", "message": {"body": "Live"}}
    name = {"__typename": "MessageChange"}
    assert told == [name, {**name, **body}, {**name, **sequence}, name]


TICKET_SELECTIONS = {
    "everything": """__typename ... on TicketChange { changeType cursor changedFields removedId
      ticket { id subject status version lastSequence feedCursor assignee { displayName } devices { totalCount } }
      item { __typename id sequence visibility actor { displayName } ticket { reference }
        ... on Message { body attachments { fileName } } ... on StatusChangedEvent { from to reason }
        ... on FieldChangedEvent { field oldValue newValue }
        ... on EscalationStageChangedEvent { entry { stage escalation { reference } } } } }""",
    "only the item": "... on TicketChange { item { ... on Node { id } ... on Note { body } } }",
    "only what changed": "... on TicketChange { changedFields }",
    "only markers": MARKERS,
    "messages below": "... on TicketChange { ticket { messages(last: 1) { totalCount nodes { body } } } }",
}


def ticket_document(name: str) -> str:
    head = "subscription($t: ID!, $after: Cursor)"
    return f"{head} {{ ticket(ticketId: $t, after: $after) {{ {TICKET_SELECTIONS[name]} {MARKERS} }} }}"


@pytest.mark.parametrize("desk", ENGINES, indirect=True)
async def test_a_ticket_is_told_of_in_the_same_bytes_both_ways(desk: Desk) -> None:
    """Its items are of two tables, and customers are told less than support."""
    await history(desk)
    context = await context_of(desk, desk.sam)
    await tickets.assign_ticket(context, desk.ticket.id, assignee_id=desk.kim.id)
    for user in (desk.ann, desk.sam):
        beginning = {"t": desk.id, "after": str(Cursor(NO_EPOCH, 0))}
        socket = await desk.socket(user)
        directly = {name: await socket.watch(ticket_document(name), id=name, **beginning) for name in TICKET_SELECTIONS}
        heads = await FeedStream.filter(topic__startswith=f"ticket:{desk.ticket.id}").values_list("topic", "head")
        stored = dict(heads)[f"ticket:{desk.ticket.id}{'' if user is desk.sam else ':pub'}"]
        passed_over = await escalation_events(desk)
        told = await frames(directly, stored - passed_over + 1)
        with ordinary(desk):
            book = await desk.socket(user)
            by_the_book = {name: await book.watch(ticket_document(name), id=name, **beginning) for name in directly}
            assert told == await frames(by_the_book, stored - passed_over + 1)
        await until(lambda: desk.grouped == len(TICKET_SELECTIONS))

        await desk.served.say(desk.ann, desk.ticket, "Live")

        assert await frames(directly, 1) == await frames(by_the_book, 1)
        for each in (socket, book):
            await each.connection.close()
        await until(lambda: desk.served.fanout.groups == {})
    assert [reason for reason in desk.served.fanout.engine.stats if reason.startswith("unplanned")] == []


async def test_a_group_that_follows_a_ticket_reads_each_event_once(desk: Desk) -> None:
    document = ticket_document("everything")
    watches = await desk.members(desk.ann, 3, document)
    before = desk.served.fanout.executions

    await desk.served.say(desk.ann, desk.ticket, "Live")

    items = [await watch.next() for watch in watches]
    assert [each["item"]["body"] for each in items] == ["Live"] * 3
    assert desk.served.fanout.executions - before == 1


async def escalation_events(desk: Desk) -> int:
    """Those that are told to whoever follows escalations, and not to whoever follows the ticket."""
    return await FeedEvent.filter(topic=f"ticket:{desk.ticket.id}:pub", kind__startswith="escalation.").count()


ESCALATIONS = """subscription($t: ID, $e: ID, $after: Cursor) {
  escalationTimeline(ticketId: $t, escalationId: $e, after: $after) { __typename
  ... on EscalationTimelineChange { changeType cursor escalation { reference stage estimatedResolutionAt }
    entry { sequence stage note actor { displayName } } } ... on StreamCaughtUp { cursor } } }"""


async def test_escalations_are_told_in_the_same_bytes_by_ticket_and_by_escalation(desk: Desk) -> None:
    """Of two escalations, the second is followed by its id: what happened to the first is passed over."""
    context = await context_of(desk, desk.sam)
    first, _ = await escalations.submit_escalation(context, desk.ticket.id, issue_description="Look at it")
    for stage in list(EscalationStage)[1:]:
        await escalations.advance_escalation(context, first.id, stage=stage)
    second, _ = await escalations.submit_escalation(context, desk.ticket.id, issue_description="Once more")
    by_ticket, by_id = {"t": desk.id}, {"e": global_id("Escalation", second.id)}

    for variables, stored in ((by_ticket, len(EscalationStage) + 1), (by_id, 2)):
        beginning = {**variables, "after": str(Cursor(NO_EPOCH, 0))}
        directly = await (await desk.socket(desk.ann)).watch(ESCALATIONS, **beginning)
        told = [await directly.frame() for _ in range(stored + 1)]
        with ordinary(desk):
            by_the_book = await (await desk.socket(desk.ann)).watch(ESCALATIONS, **beginning)
            assert told == [await by_the_book.frame() for _ in range(stored + 1)]
        await until(lambda: desk.grouped == 1)

        await escalations.set_estimate(context, second.id, estimate=context.now() + timedelta(days=stored))

        live = await directly.frame()
        assert live == await by_the_book.frame()
        change = json.loads(live)["payload"]["data"]["escalationTimeline"]
        assert (change["changeType"], change["entry"]) == ("UPDATED", None)
        await directly.socket.connection.close()
        await until(lambda: desk.grouped == 0)


async def context_of(desk: Desk, user: models.User) -> Context:
    viewer = await load_viewer(user.id)
    assert viewer is not None
    return Context(viewer, desk.served.casewire.services)
