"""What people are told of: once, in order, also after a break, and never what they may not read (J1, J4, J7)."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

import models
from domain.enums import (
    AppointmentStatus,
    ConferenceCallStatus,
    EscalationStage,
    NotificationKind,
    OrganizationRole,
)
from engine.instants import instant_text
from resolvers import news, notices
from resolvers.context import Services
from resolvers.notices import MOST_ATTEMPTS, TOGETHER
from resolvers.notification_texts import APPOINTMENTS, CALLS, KINDS, STAGES
from server.notifier import notify_for_ever
from tests.api.operations import mutate, note, on_ticket, refusal, reopen, send
from tests.api.told import LIST, Desk, make_desk
from tests.api.world import codes, gid, nothing_changes
from tests.client import Client, Stream
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import make_member, make_organization, make_participant, make_ticket

pytestmark = pytest.mark.anyio

STREAM = """subscription($after: Cursor) { notifications(after: $after) { __typename
  ... on NotificationChange { changeType cursor unreadCount notification { kind text readAt } }
  ... on StreamCaughtUp { cursor } ... on StreamReset { reason cursor } } }"""


@pytest.fixture
async def desk(services: Services) -> Desk:
    return await make_desk(services)


async def read(client: Client, **given: Any) -> Any:
    return await mutate(client, "notificationMarkRead", "unreadCount", **given)


async def next_of(stream: Stream) -> tuple[str, str | None, int]:
    change = await stream.next()
    told = change["notification"]
    return change["changeType"], told and told["text"], change["unreadCount"]


# --- what is told, and to whom


async def test_a_reply_is_told_to_everybody_on_the_ticket_but_who_wrote_it(desk: Desk, clock: Clock) -> None:
    await send(desk.ann, desk.ticket, "Still broken")

    assert await desk.told(desk.ann) == await desk.told(desk.pat) == []
    assert await desk.told(desk.bob) == await desk.told(desk.sam) == [("REPLIED", "Ann wrote on T-7.")]
    (told,) = (await desk.bob.ask(LIST))["viewer"]["notifications"]["nodes"]
    assert told["id"].startswith("Notification_")
    assert (told["createdAt"], told["readAt"]) == (instant_text(clock()), None)
    assert told["ticket"] == {"reference": "T-7"}


async def test_what_is_internal_is_told_to_staff_alone(desk: Desk) -> None:
    """J7: in no list, no count and no stream of a customer."""
    await make_participant(desk.ticket, desk.people["Pat"])
    async with desk.ann.watch(STREAM) as stream:
        await stream.next()
        await note(desk.sam, desk.ticket, "Between us", visibility="INTERNAL")
        await send(desk.sam, desk.ticket, "hidden", message={"visibility": "INTERNAL"})

        assert await desk.told(desk.pat) == [("REPLIED", "Sam wrote on T-7.")] * 2
        assert await desk.told(desk.ann) == await desk.told(desk.bob) == []
        await send(desk.sam, desk.ticket, "seen")
        await desk.tell()

        assert await next_of(stream) == ("ADDED", "Sam wrote on T-7.", 1), "the first that a customer is told"
    heads = {row.topic: row.head for row in await models.FeedStream.filter(topic__startswith="user:")}
    assert heads[f"user:{desk.people['Ann'].id}"] == 1


async def test_who_is_given_a_ticket_is_told_and_nobody_else(desk: Desk) -> None:  # S46
    await on_ticket(desk.sam, "ticketAssign", desk.ticket, assigneeId=gid(desk.people["Pat"]))

    assert await desk.told(desk.pat) == [("ASSIGNED", "Sam gave T-7 to you.")]
    assert await desk.told(desk.ann) == await desk.told(desk.sam) == []


async def test_who_takes_a_ticket_is_not_told_of_it(desk: Desk) -> None:
    await on_ticket(desk.pat, "ticketAssign", desk.ticket, assigneeId=gid(desk.people["Pat"]))

    assert await desk.told(desk.pat) == []


async def test_the_end_of_a_ticket_and_each_stage_of_its_escalation_are_told(desk: Desk) -> None:  # S61, S82
    escalation = "escalation { id }"
    made = await mutate(desk.sam, "escalationSubmit", escalation, ticketId=gid(desk.ticket), issueDescription="Broken")
    key = made["escalation"]["id"]
    await mutate(desk.pat, "escalationAdvance", escalation, escalationId=key, stage="IN_REVIEW")
    await on_ticket(desk.sam, "ticketResolve", desk.ticket)
    await reopen(desk.bob, desk.ticket)
    await on_ticket(desk.ann, "ticketClose", desk.ticket)

    assert await desk.told(desk.ann) == [
        ("REPLIED", "Bob wrote on T-7."),
        ("RESOLVED", "T-7 is resolved."),
        ("ESCALATION_STAGE", "The escalation of T-7 is in review."),
        ("ESCALATION_STAGE", "The escalation of T-7 is submitted."),
    ]
    assert (await desk.told(desk.bob))[0] == ("CLOSED", "T-7 is closed.")


async def test_who_may_not_read_the_ticket_when_it_is_told_is_not_told(desk: Desk) -> None:  # J4
    await send(desk.sam, desk.ticket, "one")
    await models.Membership.filter(user=desk.people["Bob"]).delete()
    await models.User.filter(id=desk.people["Sam"].id).update(is_active=False)
    await send(desk.ann, desk.ticket, "two")
    await desk.tell()

    assert {each.user_id for each in await models.Notification.all()} == {desk.people["Ann"].id}


async def test_who_may_no_longer_read_the_ticket_is_not_shown_what_was_told(desk: Desk) -> None:
    """J3, J4: in the list, its count, by id, in the stream, and when it is marked as read."""
    await send(desk.sam, desk.ticket, "one")
    (key,) = await desk.unread_ids(desk.bob)
    async with desk.bob.watch(STREAM) as stream:
        await stream.next()
        await send(desk.sam, desk.ticket, "two")
        await desk.tell()
        await models.Membership.filter(user=desk.people["Bob"]).update(organization=await make_organization("Other"))

        assert await desk.told(desk.bob) == []
        assert (await desk.bob.ask("query($id: ID!) { node(id: $id) { id } }", id=key))["node"] is None
        assert refusal(await read(desk.bob, notificationIds=[key])) == ("NOT_FOUND", ["input", "notificationIds"])
        assert (await read(desk.bob, all=True))["unreadCount"] == 0
        own = await make_ticket(await models.Organization.get(name="Other"), desk.people["Bob"], reference="T-8")
        await send(desk.pat, own, "three")
        await desk.tell()
        assert await next_of(stream) == ("ADDED", "Pat wrote on T-8.", 1), "what came before is passed over"
    assert await models.Notification.filter(read_at__isnull=False).count() == 0


async def test_who_follows_or_is_put_on_a_ticket_is_told_of_that_and_of_what_happens_then(desk: Desk) -> None:
    """S72, S83: one's own doing is no news; a follower by address has no account that could be told."""
    acme = await models.Organization.get(name="Acme")
    cleo, dan = await make_member(acme, name="Cleo"), await make_member(acme, name="Dan")
    emails = ["outside@example.org"]
    followers = {"userIds": [gid(cleo), gid(desk.people["Ann"])], "emails": emails}
    for name, given in (("ticketFollowersAdd", followers), ("ticketShare", {"userIds": [gid(dan)]})):
        payload = await mutate(desk.ann, name, "clientMutationId", ticketId=gid(desk.ticket), **given)
        assert payload["errors"] == []
    await send(desk.sam, desk.ticket, "one")

    assert await desk.told(Client(desk.services, cleo)) == [
        ("REPLIED", "Sam wrote on T-7."),
        ("FOLLOWING", "Ann made you a follower of T-7."),
    ]
    assert await desk.told(Client(desk.services, dan)) == [
        ("REPLIED", "Sam wrote on T-7."),
        ("ADDED", "Ann put you on T-7."),
    ]
    assert await desk.told(desk.ann) == [("REPLIED", "Sam wrote on T-7.")]
    counted = await Client(desk.services, cleo).ask("{ viewer { unreadTicketCount } }")
    assert counted["viewer"] == {"unreadTicketCount": 1}


async def test_who_is_made_a_member_is_told_for_as_long_as_that_lasts(desk: Desk, as_user: AsUser) -> None:  # S10
    other = await make_organization("Other")
    owner = as_user(await make_member(other, OrganizationRole.OWNER, "Olga"))
    given = {"organizationId": gid(other), "email": desk.people["Bob"].email, "role": "MEMBER"}
    async with desk.bob.watch(STREAM) as stream:
        await stream.next()
        assert (await mutate(owner, "organizationMemberInvite", "membership { id }", **given))["errors"] == []
        assert await next_of(stream) == ("ADDED", "Olga made you a member of Other.", 1)
    assert await desk.told(desk.bob) == [("INVITED", "Olga made you a member of Other.")]

    await models.Membership.filter(user=desk.people["Bob"], organization=other).delete()

    assert await desk.told(desk.bob) == []


async def test_imported_history_is_no_news(desk: Desk) -> None:  # J10
    message = await send(desk.ann, desk.ticket, "old")
    await models.Message.filter(id=UUID(message["message"]["id"].partition("_")[2])).update(source="IMPORT")

    assert await desk.told(desk.sam) == []


# --- once, whatever happens to who tells


async def test_what_happened_while_nobody_told_is_told_later_and_once(desk: Desk) -> None:
    """J1: also when two processes come at once."""
    for text in "abc":
        await send(desk.ann, desk.ticket, text)
    assert await models.Notification.all().count() == 0

    counts = await asyncio.gather(desk.tell(), desk.tell(), desk.tell())

    assert sum(counts) == 3
    assert await desk.tell() == 0
    assert await desk.told(desk.bob) == [("REPLIED", "Ann wrote on T-7.")] * 3
    stream = await models.FeedStream.get(topic=f"user:{desk.people['Bob'].id}")
    assert stream.head == 3
    assert await models.PendingNotice.all().count() == 0


async def test_a_worker_that_dies_half_way_leaves_nothing_half_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """J1: both are written and one is announced when it dies; then both are told, each once."""
    await send(desk.ann, desk.ticket, "one")
    announce, calls = notices.announce, []

    def die_at_the_second(*given: Any) -> None:
        calls.append(given)
        if len(calls) == 2:
            raise asyncio.CancelledError
        announce(*given)

    monkeypatch.setattr(notices, "announce", die_at_the_second)
    with pytest.raises(asyncio.CancelledError):
        await desk.tell()
    assert await models.Notification.all().count() == 0
    assert await models.FeedStream.filter(topic__startswith="user:").count() == 0

    assert await desk.told(desk.bob) == await desk.told(desk.sam) == [("REPLIED", "Ann wrote on T-7.")]


async def test_an_event_that_cannot_be_told_holds_nobody_up_and_is_given_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(desk.ann, desk.ticket, "bad")
    bad = await models.PendingNotice.get()
    happening = notices._happenings

    async def fail_for_bad(read: news.News, pending: models.PendingNotice, ticket: models.Ticket) -> Any:
        if pending.id == bad.id:
            raise RuntimeError("boom")
        return await happening(read, pending, ticket)

    monkeypatch.setattr(notices, "_happenings", fail_for_bad)
    for _ in range(MOST_ATTEMPTS + 2):
        await send(desk.ann, desk.ticket, "good")
        assert await desk.tell() == 1

    assert (await models.PendingNotice.get()).attempts == MOST_ATTEMPTS


async def test_what_decides_about_a_burst_of_messages_is_read_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """J4: it is asked of everybody, but not for every message of a chat anew."""
    asked: list[Any] = []
    load = news.load_viewer

    async def listening(user_id: Any) -> Any:
        asked.append(user_id)
        return await load(user_id)

    monkeypatch.setattr(news, "load_viewer", listening)
    for n in range(TOGETHER + 1):
        await send(desk.ann, desk.ticket, f"line {n}")

    assert await desk.tell() == TOGETHER + 1

    assert sorted(asked) == sorted([desk.people["Bob"].id, desk.people["Sam"].id] * 2)
    assert await models.Notification.filter(user=desk.people["Bob"]).count() == TOGETHER + 1
    assert await models.Notification.filter(user=desk.people["Sam"]).count() == TOGETHER + 1


async def test_the_server_tells_by_itself_soon_after(desk: Desk) -> None:
    worker = asyncio.create_task(notify_for_ever(desk.services))
    try:
        async with desk.bob.watch(STREAM) as stream:
            await stream.next()
            await send(desk.ann, desk.ticket, "one")
            assert await next_of(stream) == ("ADDED", "Ann wrote on T-7.", 1)
    finally:
        worker.cancel()
        await asyncio.wait({worker})


async def test_a_refused_write_puts_nothing_down(desk: Desk) -> None:
    async with nothing_changes():
        assert (await send(desk.ann, desk.ticket, "\x00"))["errors"]
    assert not desk.services.notices.is_set()


# --- reading it


async def test_the_stream_of_notifications_resumes_where_it_was_left(desk: Desk) -> None:
    """J1: nothing lost, nothing doubled; a place of another stream says so."""
    async with desk.bob.watch(STREAM) as stream:
        assert (await stream.next())["__typename"] == "StreamCaughtUp"
        await send(desk.ann, desk.ticket, "one")
        await desk.tell()
        first = await stream.next()
    for _ in "ab":
        await send(desk.sam, desk.ticket, "more")
    await desk.tell()

    async with desk.bob.watch(STREAM, after=first["cursor"]) as stream:
        assert [await next_of(stream), await next_of(stream)] == [("ADDED", "Sam wrote on T-7.", 3)] * 2
        assert (await stream.next())["__typename"] == "StreamCaughtUp"
    async with desk.sam.watch(STREAM, after=first["cursor"]) as stream:
        assert (await stream.next())["reason"] == "CURSOR_INVALID"


async def test_what_is_read_is_read_in_every_window(desk: Desk, clock: Clock) -> None:
    for _ in range(3):
        await send(desk.ann, desk.ticket)
    newest, *others = await desk.unread_ids(desk.bob)
    async with desk.bob.watch(STREAM) as stream:
        await stream.next()
        clock.advance(minutes=5)
        assert await read(desk.bob, notificationIds=[newest]) == {"unreadCount": 2, "errors": []}
        change = await stream.next()
        assert (change["changeType"], change["unreadCount"]) == ("UPDATED", 2)
        assert change["notification"]["readAt"] == instant_text(clock())
        assert (await read(desk.bob, notificationIds=[newest]))["unreadCount"] == 2, "again changes nothing"
        assert await desk.unread_ids(desk.bob) == others
        assert (await read(desk.bob, all=True))["unreadCount"] == 0

        assert await next_of(stream) == ("UPDATED", None, 0)
    assert len(await desk.told(desk.bob)) == 3
    assert len(await desk.unread_ids(desk.sam)) == 3, "everybody reads for oneself"


async def test_notifications_come_in_pages_newest_first(desk: Desk, clock: Clock) -> None:
    for _ in range(3):
        clock.advance(seconds=1)
        await send(desk.ann, desk.ticket)
        await desk.tell()

    first = (await desk.bob.ask(LIST, first=2))["viewer"]["notifications"]
    rest = (await desk.bob.ask(LIST, first=2, after=first["pageInfo"]["endCursor"]))["viewer"]["notifications"]

    times = [each["createdAt"] for each in [*first["nodes"], *rest["nodes"]]]
    assert times == sorted(times, reverse=True)
    assert (len(times), first["totalCount"]) == (3, 3)


async def test_what_cannot_be_marked_as_read_is_refused(desk: Desk) -> None:
    await send(desk.ann, desk.ticket)
    (sams,) = await desk.unread_ids(desk.sam)
    (bobs,) = await desk.unread_ids(desk.bob)
    async with nothing_changes():
        for given in ({}, {"all": False}, {"all": True, "notificationIds": [bobs]}, {"notificationIds": [bobs] * 101}):
            assert refusal(await read(desk.bob, **given)) == ("INVALID", ["input", "notificationIds"])
        for bad in ("", "garbage", gid(desk.ticket)):
            assert refusal(await read(desk.bob, notificationIds=[bad])) == ("INVALID", ["input", "notificationIds"])
        payload = await read(desk.bob, notificationIds=[bobs, sams])
        assert refusal(payload) == ("NOT_FOUND", ["input", "notificationIds"]), "all or none"


def test_every_kind_and_stage_has_its_words() -> None:
    by_what = {NotificationKind.ESCALATION_STAGE, NotificationKind.CALL, NotificationKind.APPOINTMENT}
    assert KINDS.keys() == set(NotificationKind) - by_what
    assert STAGES.keys() == set(EscalationStage)
    # That one is over is told by nobody, and to nobody.
    assert CALLS.keys() == set(ConferenceCallStatus) - {ConferenceCallStatus.COMPLETED}
    assert APPOINTMENTS.keys() == set(AppointmentStatus) - {AppointmentStatus.COMPLETED}


async def test_nobody_is_told_of_nothing(desk: Desk, as_user: AsUser) -> None:
    nobody = as_user(None)
    assert (await nobody.ask(LIST))["viewer"]["notifications"]["nodes"] == []
    async with nobody.watch(STREAM) as stream:
        assert codes((await stream.result())[1]) == ["UNAUTHENTICATED"]
    stranger = as_user(await make_member(await make_organization("Other"), OrganizationRole.OWNER))
    await send(desk.ann, desk.ticket)
    assert await desk.told(stranger) == []
