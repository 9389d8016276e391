"""Groups of subscribers and changes of access: as `tests/api/test_access_changes.py`, for those without a task (J3)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import models
import server.transport.groups
from domain.errors import NotFound
from engine.running import Run
from models import FeedStream
from models.database import reader
from realtime.hub import Hub
from realtime.log import Event
from resolvers import escalations, messages
from resolvers.context import Context, Services
from resolvers.streams import streams_of
from resolvers.transaction import Work, work_in_transaction
from resolvers.viewers import load_viewer
from schema.node import global_id
from server.transport.groups import Member
from tests.access_changes import CHANGES, ENDS, MOVES, Scene
from tests.databases import ENGINES, fresh_database
from tests.factories import make_member, make_ticket
from tests.realtime.support import NOON
from tests.server.running import Served, Watch, serving, settings_for, until

pytestmark = pytest.mark.anyio

MARKERS = "__typename ... on StreamCaughtUp { cursor } ... on StreamReset { reason cursor }"
DOCUMENTS = {
    "messages": f"""subscription($t: ID!) {{ messages(ticketId: $t) {{ {MARKERS}
      ... on MessageChange {{ message {{ body }} }} }} }}""",
    "escalationTimeline": f"""subscription($t: ID!) {{ escalationTimeline(ticketId: $t) {{ {MARKERS}
      ... on EscalationTimelineChange {{ escalation {{ issueDescription }} }} }} }}""",
    "ticket": f"""subscription($t: ID!) {{ ticket(ticketId: $t) {{ {MARKERS}
      ... on TicketChange {{ item {{ ... on ChatMessage {{ body }} }} }} }} }}""",
}
TEXT = {
    "messages": ("message", "body"),
    "escalationTimeline": ("escalation", "issueDescription"),
    "ticket": ("item", "body"),
}


@dataclass(slots=True)
class Desk:
    """A server that hears only what it is rung for; all that happens, happens in another process."""

    served: Served
    stack: AsyncExitStack

    @property
    def hub(self) -> Hub:
        return self.served.casewire.services.hub

    @property
    def grouped(self) -> int:
        return sum(len(group.members) for group in self.served.fanout.groups.values())

    async def watch(self, user: models.User, scene: Scene, document: str) -> Watch:
        """A watcher without a task of its own."""
        before = self.grouped
        socket = await self.stack.enter_async_context(self.served.socket(user))
        watch = await (await socket.watch(DOCUMENTS[document], t=global_id("Ticket", scene.ticket.id))).caught_up()
        await until(lambda: self.grouped == before + 1)
        return watch

    async def elsewhere(self, scene: Scene) -> Context:
        viewer = await load_viewer(scene.colleague.id)
        assert viewer is not None
        return Context(viewer, Services(hub=Hub(reader)))

    async def change(self, scene: Scene, make: Any) -> None:
        async def body(work: Work) -> None:
            await make(work, scene)

        await work_in_transaction(await self.elsewhere(scene), body)

    async def happen(self, scene: Scene, document: str, text: str) -> None:
        self.hub.ring(await self.happen_unheard(scene, document, text))

    async def happen_unheard(self, scene: Scene, document: str, text: str) -> dict[str, int]:
        """What is to be rung."""
        context = await self.elsewhere(scene)
        if document != "escalationTimeline":
            await messages.send_message(context, scene.ticket.id, body=text, client_message_id=f"key of {text}")
        else:
            await escalations.submit_escalation(context, scene.ticket.id, issue_description=text)
        heads = await FeedStream.filter(topic__in=streams_of(scene.ticket.id)).values_list("topic", "head")
        return dict(heads)


def text_of(item: Any, document: str) -> str:
    row, field = TEXT[document]
    text: str = item[row][field]
    return text


@pytest.fixture(params=ENGINES)
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    async with (
        fresh_database(request.param, tmp_path) as url,
        serving(settings_for(url, tmp_path), quiet=True) as served,
        AsyncExitStack() as stack,
    ):
        yield Desk(served, stack)


async def begun(desk: Desk, name: str) -> Scene:
    """A scene whose streams have an event each, so that groups can form."""
    scene = await CHANGES[name].scene()
    context = await desk.elsewhere(scene)
    await messages.send_message(context, scene.ticket.id, body="first", client_message_id="the first")
    return scene


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("name", CHANGES)
async def test_a_member_of_a_group_gets_nothing_by_the_rights_of_before(  # J3
    desk: Desk, name: str, document: str
) -> None:
    change, scene = CHANGES[name], await begun(desk, name)
    hers, his = await desk.watch(scene.ann, scene, document), await desk.watch(scene.colleague, scene, document)

    await desk.change(scene, change.make)
    await desk.happen(scene, document, "after")

    assert text_of(await his.next(), document) == "after"
    if name.startswith("account"):  # the socket is closed besides, and may be before the stream is told why
        assert await hers.socket.closed() == 4401
        while (frame := hers.frames.get_nowait()) is not None:
            assert json.loads(frame)["type"] == "error"
    elif change.outcome == ENDS:
        assert await hers.refused() == [change.code]
    elif change.outcome == MOVES:
        item = await hers.next()
        assert (item["__typename"], item["reason"]) == ("StreamReset", "ACCESS_CHANGED")
        await until(lambda: desk.grouped == 2)
    else:
        assert text_of(await hers.next(), document) == "after"
    assert hers.frames.empty()


@pytest.mark.parametrize("desk", ["sqlite"], indirect=True)
async def test_a_member_who_came_to_see_another_stream_goes_on_in_it(desk: Desk) -> None:
    scene = await begun(desk, "staff role, of a member")
    watch = await desk.watch(scene.ann, scene, "messages")
    await desk.change(scene, CHANGES["staff role, of a member"].make)
    await desk.happen(scene, "messages", "meanwhile")
    assert (await watch.next())["reason"] == "ACCESS_CHANGED"
    await until(lambda: desk.grouped == 1)

    await desk.happen(scene, "messages", "later")

    assert text_of(await watch.next(), "messages") == "later"
    assert [group.stream.following.topic for group in desk.served.fanout.groups.values()] == [
        f"ticket:{scene.ticket.id}:pub"
    ]


@pytest.mark.parametrize("desk", ["sqlite"], indirect=True)
async def test_a_member_whom_a_change_hits_in_the_middle_of_an_event_gets_it_once(desk: Desk) -> None:
    """Half of the group has been written to when the change is heard of; those concerned may go on."""
    scene = await begun(desk, "role, of the author")
    watches = [await desk.watch(scene.ann, scene, "messages") for _ in range(4)]
    written = 0
    write = Member.write

    def write_and_change(member: Member, tail: bytes) -> bool:
        nonlocal written
        written += 1
        if written == 2:
            change = Event("access", 1, "acl", "key", {"user": str(scene.ann.id)}, NOON)
            asyncio.get_running_loop().call_soon(desk.hub.access._extend, [change])
        return write(member, tail)

    with (
        mock.patch.object(Member, "write", write_and_change),
        mock.patch.object(server.transport.groups, "WRITES_BEFORE_YIELD", 1),
    ):
        await desk.happen(scene, "messages", "after")
        assert [text_of(await watch.next(), "messages") for watch in watches] == ["after"] * 4
        await until(lambda: desk.grouped == 4)
        await desk.happen(scene, "messages", "later")

        assert [text_of(await watch.next(), "messages") for watch in watches] == ["later"] * 4


@pytest.mark.parametrize("desk", ["sqlite"], indirect=True)
async def test_the_others_of_a_group_are_not_asked_about(desk: Desk) -> None:
    scene = await begun(desk, "membership")
    others = [await desk.watch(await make_member(scene.organization), scene, "messages") for _ in range(20)]
    gone = await desk.watch(scene.ann, scene, "messages")

    with mock.patch("resolvers.streams.load_again", side_effect=NotFound("ticket")) as asked:
        await desk.change(scene, CHANGES["membership"].make)
        await desk.happen(scene, "messages", "after")
        assert [text_of(await watch.next(), "messages") for watch in others] == ["after"] * 20
        assert await gone.refused() == ["NOT_FOUND"]

    assert [call.args[0].user_id for call in asked.call_args_list] == [scene.ann.id]
    assert desk.grouped == 20
    assert desk.hub.access.interested == 20 + 1 + 1  # each of them, the organization, and the ticket


@pytest.mark.parametrize("desk", ["sqlite"], indirect=True)
async def test_nothing_is_remembered_of_members_who_have_gone(desk: Desk) -> None:
    scene = await begun(desk, "membership")
    watches = [await desk.watch(scene.ann, scene, "messages") for _ in range(3)]

    await watches[0].stop()
    watches[1].socket.connection.transport.abort()
    await desk.change(scene, CHANGES["membership"].make)
    await desk.happen(scene, "messages", "after")

    assert await watches[2].refused() == ["NOT_FOUND"]
    await until(lambda: desk.hub.access.interested == 0)


@pytest.mark.parametrize("desk", ["sqlite"], indirect=True)
async def test_what_groups_of_several_tickets_are_told_is_read_by_one_statement(desk: Desk) -> None:
    scene = await begun(desk, "membership")
    others = [replace(scene, ticket=await make_ticket(scene.organization, scene.ann)) for _ in range(2)]
    for each in others:
        await desk.happen(each, "messages", "first")
    scenes = [scene, *others]
    watches = [await desk.watch(scene.ann, scene, "messages") for scene in scenes]
    heads = [await desk.happen_unheard(scene, "messages", f"{number}") for number, scene in enumerate(scenes)]
    log_reads, executed = desk.hub.stats.reads, desk.served.fanout.executions

    with mock.patch.object(Run, "rows", autospec=True, side_effect=Run.rows) as read:
        desk.hub.ring({topic: head for each in heads for topic, head in each.items()})
        told = [text_of(await watch.next(), "messages") for watch in watches]

    assert told == ["0", "1", "2"]
    assert [len(call.args[2]) for call in read.call_args_list] == [3]
    assert desk.hub.stats.reads - log_reads == 1
    assert desk.served.fanout.executions - executed == len(desk.served.fanout.groups) == 3
