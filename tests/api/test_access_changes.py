"""Running streams and changes of access: nothing committed after a change reaches whom it concerns unasked (J3).

The server here hears nothing of the change itself, which another process makes: it is rung for the ticket's streams
alone, and has to find out with the events. Each change is announced in the transaction that makes it.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from unittest import mock

import pytest

from domain.enums import OrganizationRole
from domain.errors import NotFound
from models import FeedStream, Membership
from models.database import reader
from realtime.hub import Hub
from resolvers import escalations, messages
from resolvers.access import announce_access
from resolvers.context import Context, Services
from resolvers.streams import streams_of
from resolvers.transaction import Work, settle, work_in_transaction
from tests.access_changes import CHANGES, ENDS, MOVES, Scene
from tests.api.world import codes, gid
from tests.client import Client, Stream
from tests.clock import Clock
from tests.factories import make_member

pytestmark = pytest.mark.anyio

MARKERS = "__typename ... on StreamCaughtUp { cursor } ... on StreamReset { reason cursor }"
STREAMS = {
    "messages": f"messages(ticketId: $t) {{ {MARKERS} ... on MessageChange {{ message {{ body }} }} }}",
    "escalationTimeline": f"""escalationTimeline(ticketId: $t) {{ {MARKERS}
      ... on EscalationTimelineChange {{ escalation {{ issueDescription }} }} }}""",
    "ticket": f"ticket(ticketId: $t) {{ {MARKERS} ... on TicketChange {{ changedFields }} }}",
}
DOCUMENTS = {name: f"subscription($t: ID!) {{ {field} }}" for name, field in STREAMS.items()}


@dataclass(slots=True)
class Processes:
    """`here` is watched on, and hears only what it is rung for; `there` is where things happen."""

    here: Services
    there: Services

    async def change(self, scene: Scene, make: Any) -> None:
        context = Context(await Client(self.there, scene.colleague).viewer(), self.there)

        async def body(work: Work) -> None:
            await make(work, scene)

        await work_in_transaction(context, body)

    async def happen(self, scene: Scene, text: str) -> None:
        """Something on every stream of the ticket, rung for here."""
        context = Context(await Client(self.there, scene.colleague).viewer(), self.there)
        await messages.send_message(context, scene.ticket.id, body=text, client_message_id=f"key of {text}")
        if text == "after":
            await escalations.submit_escalation(context, scene.ticket.id, issue_description=text)
        heads = await FeedStream.filter(topic__in=streams_of(scene.ticket.id)).values_list("topic", "head")
        self.here.hub.ring(dict(heads))


@pytest.fixture
async def processes(db: str, clock: Clock) -> AsyncIterator[Processes]:
    quiet = Hub(reader, sweep_every=3600, sweep_every_when_deaf=3600, poll=3600)
    await quiet.start()
    try:
        yield Processes(Services(hub=quiet, clock=clock), Services(hub=Hub(reader), clock=clock))
    finally:
        await settle()
        await quiet.stop()


async def watching(stack: AsyncExitStack, client: Client, scene: Scene, document: str) -> Stream:
    stream = await stack.enter_async_context(client.watch(document, t=gid(scene.ticket)))
    assert (await stream.next())["__typename"] == "StreamCaughtUp"
    return stream


def text_of(item: Any) -> str:
    text: str = (item.get("message") or {}).get("body") or (item.get("escalation") or {}).get("issueDescription")
    return text


@pytest.mark.parametrize("name", CHANGES)
async def test_no_event_after_a_change_of_access_is_delivered_by_the_rights_of_before(  # J3
    processes: Processes, name: str
) -> None:
    change = CHANGES[name]
    scene = await change.scene()
    ann, colleague = Client(processes.here, scene.ann), Client(processes.here, scene.colleague)
    async with AsyncExitStack() as stack:
        hers = [await watching(stack, ann, scene, each) for each in DOCUMENTS.values()]
        his = [await watching(stack, colleague, scene, each) for each in DOCUMENTS.values()]
        await processes.happen(scene, "before")
        assert [text_of(await hers[0].next()), text_of(await his[0].next())] == ["before", "before"]
        assert {item["__typename"] for item in await hers[2].take(2)} == {"TicketChange"}

        await processes.change(scene, change.make)
        await processes.happen(scene, "after")

        assert [text_of(await stream.next()) for stream in his[:2]] == ["after", "after"]
        for stream in hers:
            if change.outcome == ENDS:
                data, errors = await stream.result()
                assert (data, codes(errors)) == (None, [change.code])
            elif change.outcome == MOVES:
                item = await stream.next()
                assert (item["__typename"], item["reason"]) == ("StreamReset", "ACCESS_CHANGED")
            else:
                assert (await stream.next())["__typename"] in (
                    "MessageChange",
                    "EscalationTimelineChange",
                    "TicketChange",
                )


async def test_who_came_to_see_another_stream_goes_on_in_it(processes: Processes) -> None:
    """Once support, now a customer: from the cursor of the reset on, what customers see, and each once."""
    change = CHANGES["staff role, of a member"]
    scene = await change.scene()
    async with AsyncExitStack() as stack:
        stream = await watching(stack, Client(processes.here, scene.ann), scene, DOCUMENTS["messages"])
        await processes.happen(scene, "before")
        assert text_of(await stream.next()) == "before"
        await processes.change(scene, change.make)
        await processes.happen(scene, "meanwhile")

        reset = await stream.next()
        public = await FeedStream.get(topic=streams_of(scene.ticket.id)[1])
        page = "query($t: ID!) { ticket(id: $t) { feedCursor } }"
        place = (await Client(processes.here, scene.ann).ask(page, t=gid(scene.ticket)))["ticket"]["feedCursor"]
        assert reset == {"__typename": "StreamReset", "reason": "ACCESS_CHANGED", "cursor": place}
        assert public.head == 3  # two messages and a change of status: internal ones have no number here

        await processes.happen(scene, "later")
        assert text_of(await stream.next()) == "later"


async def test_an_idle_stream_ends_as_soon_as_the_change_is_heard_of(processes: Processes) -> None:
    scene = await CHANGES["membership"].scene()
    async with AsyncExitStack() as stack:
        stream = await watching(stack, Client(processes.here, scene.ann), scene, DOCUMENTS["messages"])

        await processes.change(scene, CHANGES["membership"].make)
        processes.here.hub.ring({"access": 1})

        assert codes((await stream.result())[1]) == ["NOT_FOUND"]


async def test_whom_a_change_does_not_concern_is_not_asked_about(processes: Processes) -> None:
    scene = await CHANGES["membership"].scene()
    watchers = [Client(processes.here, await make_member(scene.organization)) for _ in range(20)]
    async with AsyncExitStack() as stack:
        streams = [await watching(stack, each, scene, DOCUMENTS["messages"]) for each in watchers]
        gone = await watching(stack, Client(processes.here, scene.ann), scene, DOCUMENTS["messages"])

        with mock.patch("resolvers.streams.load_again", side_effect=NotFound("ticket")) as asked:
            await processes.change(scene, CHANGES["membership"].make)
            await processes.happen(scene, "after")
            assert [text_of(await stream.next()) for stream in streams] == ["after"] * 20
            await gone.result()

    assert [call.args[0].user_id for call in asked.call_args_list] == [scene.ann.id]


async def test_a_change_that_is_rolled_back_ends_nothing(processes: Processes) -> None:
    scene = await CHANGES["membership"].scene()

    async def leave_and_fail(work: Work, scene: Scene) -> None:
        await CHANGES["membership"].make(work, scene)
        raise ArithmeticError

    async with AsyncExitStack() as stack:
        stream = await watching(stack, Client(processes.here, scene.ann), scene, DOCUMENTS["messages"])
        with pytest.raises(ArithmeticError):
            await processes.change(scene, leave_and_fail)
        await processes.happen(scene, "after")

        assert text_of(await stream.next()) == "after"
    assert not await FeedStream.filter(topic="access").exists()


async def test_a_narrower_role_goes_on_with_the_rights_it_has_now(processes: Processes) -> None:
    """The stream is the same; the e-mail address of its people is not shown any more."""
    document = """subscription($t: ID!) { messages(ticketId: $t) { __typename
      ... on MessageChange { message { body ticket { requester { email } } } } } }"""
    scene = await CHANGES["role"].scene()
    await Membership.filter(user=scene.ann).update(role=OrganizationRole.ADMIN)

    async def demote(work: Work, scene: Scene) -> None:
        await Membership.filter(user=scene.ann).update(role=OrganizationRole.MEMBER)
        announce_access(work, user_id=scene.ann.id)

    async with AsyncExitStack() as stack:
        stream = await watching(stack, Client(processes.here, scene.ann), scene, document)
        await processes.happen(scene, "before")
        shown = (await stream.next())["message"]["ticket"]["requester"]["email"]
        await processes.change(scene, demote)
        await processes.happen(scene, "after")
        item = await stream.next()

    assert shown is not None
    assert item["message"] == {"body": "after", "ticket": {"requester": {"email": None}}}
