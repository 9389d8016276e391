"""Lists shown live: what comes in, changes and goes, by each viewer's own rights and filter (S26, S99, J1, J3, J4, J6).

Whoever applies what is told has, at every moment that all is told, what the list itself would show.
"""

import asyncio
from contextlib import AsyncExitStack
from random import Random
from typing import Any

import pytest

import models
from domain.enums import Confidentiality, MemberVisibility, OrganizationRole, TicketListScope
from domain.errors import DomainError
from resolvers import ticket_lists
from resolvers.access import announce_access
from resolvers.context import Context, Services
from resolvers.live_lists import scope_question
from resolvers.ticket_facts import facts_of, with_facts
from resolvers.transaction import Work, work_in_transaction
from tests.api.operations import create, note, on_ticket, reopen, send
from tests.api.test_list_cost import counted
from tests.api.test_streams import Seconds, patient
from tests.api.world import codes, gid
from tests.client import Client, Stream
from tests.conftest import AsUser
from tests.factories import (
    make_follower,
    make_member,
    make_organization,
    make_participant,
    make_request_type,
    make_staff,
    make_ticket,
)

__all__ = ["patient"]  # a fixture

pytestmark = pytest.mark.anyio

TICKETS = """subscription($scope: TicketListScope!, $o: ID, $filter: TicketFilter, $after: Cursor) {
  tickets(scope: $scope, organizationId: $o, filter: $filter, after: $after) { __typename
  ... on TicketChange { changeType cursor removedId changedFields ticket { id status subject } item { __typename } }
  ... on StreamCaughtUp { cursor } ... on StreamReset { reason cursor } } }"""

LIST = """query($scope: TicketListScope!, $o: ID, $filter: TicketFilter) {
  tickets(scope: $scope, organizationId: $o, filter: $filter, first: 100) { nodes { id status } } }"""

ACTIVE = {"isActive": True}


class Desk:
    """Acme with Ann, who opens tickets, Bob, who manages, and Sam of support; and a stranger in another company."""

    def __init__(self, as_user: AsUser, acme: models.Organization, **people: models.User) -> None:
        self.acme, self.people, self.as_user = acme, people, as_user
        self.ann, self.bob, self.sam, self.eve = (as_user(people[name]) for name in ("ann", "bob", "sam", "eve"))


@pytest.fixture
async def desk(as_user: AsUser) -> Desk:
    acme, other = await make_organization("Acme"), await make_organization("Other")
    await make_request_type()
    return Desk(
        as_user,
        acme,
        ann=await make_member(acme, name="Ann"),
        bob=await make_member(acme, OrganizationRole.ADMIN, name="Bob"),
        sam=await make_staff(name="Sam"),
        eve=await make_member(other, OrganizationRole.OWNER, name="Eve"),
    )


def told(change: Any) -> tuple[str, str]:
    """What happened to which ticket."""
    return change["changeType"], change["removedId"] or change["ticket"]["id"]


async def begun(stream: Stream) -> Stream:
    assert (await stream.next())["__typename"] == "StreamCaughtUp"
    return stream


async def nothing_more(*streams: Stream) -> None:
    """What is told already is told before long; no stream has anything."""
    for stream in streams:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await stream.next()


async def test_a_new_ticket_is_at_once_in_the_lists_that_hold_it(desk: Desk) -> None:
    """S26, S99: the requester's, the organization's and the desk's; nobody else's."""
    acme = gid(desk.acme)
    watching = [
        (desk.ann, {"scope": "MINE"}),
        (desk.ann, {"scope": "ALL"}),
        (desk.bob, {"scope": "ORGANIZATION", "o": acme}),
        (desk.sam, {"scope": "ALL"}),
        (desk.sam, {"scope": "ORGANIZATION", "o": acme}),
    ]
    others = [(desk.bob, {"scope": "MINE"}), (desk.eve, {"scope": "ALL"}), (desk.sam, {"scope": "ASSIGNED_TO_ME"})]
    async with AsyncExitStack() as stack:
        streams = [
            await begun(await stack.enter_async_context(who.watch(TICKETS, filter=ACTIVE, **given)))
            for who, given in (*watching, *others)
        ]
        made = await create(desk.ann, desk.acme, subject="No picture")

        for stream in streams[: len(watching)]:
            change = await stream.next()
            assert told(change) == ("ADDED", made["ticket"]["id"])
            assert change["ticket"] == {"id": made["ticket"]["id"], "status": "NEW", "subject": "No picture"}
            assert change["item"] == {"__typename": "ChatMessage"}
        await nothing_more(*streams[len(watching) :])


async def test_a_ticket_comes_and_goes_by_the_filter(desk: Desk) -> None:  # S35, S99
    ticket = await make_ticket(desk.acme, desk.people["ann"])
    async with (
        desk.bob.watch(TICKETS, scope="ORGANIZATION", o=gid(desk.acme), filter=ACTIVE) as active,
        desk.bob.watch(TICKETS, scope="ORGANIZATION", o=gid(desk.acme), filter={"statuses": ["RESOLVED"]}) as solved,
    ):
        await begun(active)
        await begun(solved)
        await send(desk.ann, ticket)
        changes = [await active.next()]
        await on_ticket(desk.ann, "ticketResolve", ticket)
        changes += [await active.next(), await solved.next()]
        await reopen(desk.ann, ticket)
        changes += [await active.next(), await solved.next()]

    assert {told(each)[1] for each in changes} == {gid(ticket)}
    assert [told(each)[0] for each in changes] == ["UPDATED", "REMOVED", "ADDED", "ADDED", "REMOVED"]
    statuses = [each["ticket"] and each["ticket"]["status"] for each in changes]
    assert statuses == ["OPEN", None, "RESOLVED", "OPEN", None]
    items = [each["item"] and each["item"]["__typename"] for each in changes]
    assert items == ["ChatMessage", None, "StatusChangedEvent", "ChatMessage", None]
    assert "status" in changes[2]["changedFields"]
    assert changes[1]["changedFields"] == []


async def test_an_agents_list_follows_the_assignment(desk: Desk) -> None:  # S46, S99
    ticket = await make_ticket(desk.acme, desk.people["ann"])
    async with desk.sam.watch(TICKETS, scope="ASSIGNED_TO_ME", filter=None) as stream:
        await begun(stream)
        await on_ticket(desk.sam, "ticketAssign", ticket, assigneeId=gid(desk.people["sam"]))
        assert told(await stream.next()) == ("ADDED", gid(ticket))
        await send(desk.ann, ticket)
        assert told(await stream.next()) == ("UPDATED", gid(ticket))
        await on_ticket(desk.sam, "ticketAssign", ticket, assigneeId=None)
        assert told(await stream.next()) == ("REMOVED", gid(ticket))
        await send(desk.ann, ticket)
        await nothing_more(stream)


async def test_a_list_of_what_one_follows_is_followed_by_following(desk: Desk) -> None:
    """S83, S26: it is the list that is watched unless another is named; following brings a ticket in, and it goes."""
    ticket = await make_ticket(desk.acme, desk.people["ann"])
    follow = "mutation($t: ID!) { ticketFollow(input: {ticketId: $t}) { errors { code } } }"
    unfollow = "mutation($t: ID!) { ticketUnfollow(input: {ticketId: $t}) { errors { code } } }"
    document = """subscription { tickets { __typename ... on TicketChange {
      changeType removedId ticket { id } cursor changedFields } } }"""
    async with desk.bob.watch(document) as stream, desk.sam.watch(document) as support:
        await begun(stream)
        await begun(support)
        assert (await desk.bob.ask(follow, t=gid(ticket)))["ticketFollow"] == {"errors": []}
        assert told(await stream.next()) == ("ADDED", gid(ticket))
        await send(desk.ann, ticket)
        assert told(await stream.next()) == ("UPDATED", gid(ticket))
        assert (await desk.bob.ask(unfollow, t=gid(ticket)))["ticketUnfollow"] == {"errors": []}
        assert told(await stream.next()) == ("REMOVED", gid(ticket))
        await send(desk.ann, ticket)
        await nothing_more(stream, support)


async def test_who_was_away_is_told_what_went_meanwhile(desk: Desk) -> None:
    """J1: two changes that only together tell why a ticket is no longer in the list; the row is read after both."""
    ticket = await make_ticket(desk.acme, desk.people["ann"], assignee=desk.people["sam"])
    filter = {"statuses": ["OPEN"], "assigneeIds": [gid(desk.people["sam"])]}
    async with desk.sam.watch(TICKETS, scope="ALL", filter=filter) as stream:
        await begun(stream)
        await send(desk.ann, ticket)
        place = (await stream.next())["cursor"]

    await on_ticket(desk.ann, "ticketResolve", ticket)
    await on_ticket(desk.sam, "ticketAssign", ticket, assigneeId=None)

    async with desk.sam.watch(TICKETS, scope="ALL", filter=filter, after=place) as stream:
        assert told(await stream.next()) == ("REMOVED", gid(ticket))
        assert (await stream.next())["__typename"] == "StreamCaughtUp"


async def test_what_is_not_a_customers_to_know_is_told_to_none(desk: Desk) -> None:
    """S07, J7: neither what is internal nor what is its author's alone; what follows has the next number."""
    secret = await make_ticket(desk.acme, desk.people["ann"], confidentiality=Confidentiality.AUTHOR_ONLY)
    ticket = await make_ticket(desk.acme, desk.people["ann"])
    async with (
        desk.bob.watch(TICKETS, scope="ORGANIZATION", o=gid(desk.acme), filter=None) as manager,
        desk.ann.watch(TICKETS, scope="MINE", filter=None) as author,
        desk.sam.watch(TICKETS, scope="ALL", filter=None) as support,
    ):
        for stream in (manager, author, support):
            await begun(stream)
        await send(desk.sam, secret, "yours alone")
        await note(desk.sam, ticket, "aside", visibility="INTERNAL")
        await send(desk.sam, ticket, "seen")

        assert [told(await manager.next())] == [("UPDATED", gid(ticket))]
        assert [told(await author.next()) for _ in range(2)] == [("UPDATED", gid(secret)), ("UPDATED", gid(ticket))]
        assert [told(await support.next())[1] for _ in range(3)] == [gid(secret), gid(ticket), gid(ticket)]
        await nothing_more(manager, author)
    heads = {row.topic: row.head for row in await models.FeedStream.all()}
    assert heads[f"org:{desk.acme.id}:pub"] == 1


async def test_who_takes_part_follows_those_tickets_where_others_are_not_shown(desk: Desk) -> None:  # S03
    await desk.acme.update_from_dict({"member_visibility": MemberVisibility.OWN}).save()
    cleo = await make_member(desk.acme, name="Cleo")
    shared, other = [await make_ticket(desk.acme, desk.people["ann"]) for _ in range(2)]
    await make_participant(shared, cleo)
    async with desk.as_user(cleo).watch(TICKETS, scope="ALL", filter=None) as stream:
        await begun(stream)
        await send(desk.ann, other)
        await send(desk.ann, shared)

        assert told(await stream.next()) == ("UPDATED", gid(shared))
    assert {row.head for row in await models.FeedStream.filter(topic=f"tickets:{cleo.id}")} == {1}


async def test_a_list_that_is_not_the_viewers_says_why(desk: Desk) -> None:
    """S03, S10: as the list itself; and a customer of two organizations names one."""
    both = await make_member(desk.acme)
    await models.Membership.create(
        organization=await make_organization(), user=both, role=OrganizationRole.OWNER, joined_at=desk.acme.created_at
    )
    own = await make_organization("Own", member_visibility=MemberVisibility.OWN)
    cleo = desk.as_user(await make_member(own))
    deep: dict[str, Any] = {"isActive": True}
    for _ in range(6):
        deep = {"not": deep}
    for client, given, code in (
        (desk.ann, {"scope": "ORGANIZATION"}, "REQUIRED"),
        (desk.eve, {"scope": "ORGANIZATION", "o": gid(desk.acme)}, "NOT_FOUND"),
        (desk.eve, {"scope": "MINE", "o": gid(desk.acme)}, "NOT_FOUND"),
        (desk.ann, {"scope": "ASSIGNED_TO_ME"}, "FORBIDDEN"),
        (cleo, {"scope": "ORGANIZATION", "o": gid(own)}, "FORBIDDEN"),
        (desk.as_user(both), {"scope": "ALL"}, "REQUIRED"),
        (desk.ann, {"scope": "MINE", "o": gid(desk.people["ann"])}, "INVALID"),
        (desk.ann, {"scope": "MINE", "filter": deep}, "INVALID"),
        (desk.ann, {"scope": "MINE", "filter": {"references": ["T-1"] * 101}}, "INVALID"),
        (desk.ann, {"scope": "MINE", "after": "\x00"}, "INVALID"),
        (desk.as_user(None), {"scope": "MINE"}, "UNAUTHENTICATED"),
    ):
        async with client.watch(TICKETS, **given) as stream:
            _, errors = await stream.result()
        assert codes(errors) == [code], given


async def test_every_scope_means_the_same_in_memory_and_in_sql(desk: Desk, services: Services) -> None:
    """J4: for everybody who may watch it, apart from the viewer's rights, which `policy` decides for both."""
    other = (await models.Membership.get(user=desk.people["eve"])).organization_id
    for n in range(24):
        organization = desk.acme if n % 3 else await models.Organization.get(id=other)
        requester = [None, desk.people["ann"], desk.people["sam"], desk.people["bob"]][n % 4]
        row = await make_ticket(organization, requester, assignee=[None, desk.people["sam"]][n // 2 % 2])
        for m, name in enumerate(("ann", "bob", "sam")):
            if n >> m & 1:
                await make_participant(row, desk.people[name])
            if (n + m) % 5 == 0:
                await make_follower(row, desk.people[name])
        await make_follower(row)
    facts = {row.id: facts_of(row) for row in await with_facts(models.Ticket.all())}
    compared: list[int] = []

    for scope in TicketListScope:
        for client in (desk.sam, desk.ann, desk.bob):
            for organization_id in (None, desk.acme.id):
                context = Context(await client.viewer(), services)
                try:
                    rows = set(
                        await ticket_lists.in_scope(context, scope, organization_id).values_list("id", flat=True)
                    )
                except DomainError:
                    continue
                holds = scope_question(context.viewer, scope, organization_id)
                seen = set(await models.Ticket.visible_to(context.viewer).values_list("id", flat=True))
                assert {each for each in seen if holds(facts[each])} == rows, (scope, context.viewer)
                compared.append(len(rows))

    assert len(compared) >= 28
    assert len([size for size in compared if 0 < size < len(facts)]) >= 20


class Watcher:
    """A client that keeps what it is shown, by the rules of docs/clients.md; it goes away and comes back at random."""

    def __init__(self, client: Client, given: Any) -> None:
        self.client, self.given = client, given
        self.rows: dict[str, str] = {}
        self.after: str | None = None

    async def fresh(self) -> dict[str, str]:
        found = (await self.client.ask(LIST, **self.given))["tickets"]["nodes"]
        return {each["id"]: each["status"] for each in found}

    async def begin(self) -> None:
        async with self.client.watch(TICKETS, **self.given) as stream:
            self.after = (await stream.next())["cursor"]
        self.rows = await self.fresh()

    async def catch_up(self) -> int:
        """Apply all that was told since; returns how much that was."""
        async with self.client.watch(TICKETS, **self.given, after=self.after) as stream:
            for applied in range(1000):
                item = await stream.next()
                self.after = item["cursor"]
                if item["__typename"] == "StreamCaughtUp":
                    return applied
                assert item["__typename"] == "TicketChange"
                if item["changeType"] == "REMOVED":
                    self.rows.pop(item["removedId"], None)
                else:
                    self.rows[item["ticket"]["id"]] = item["ticket"]["status"]
        raise AssertionError("it never ends")


async def test_whoever_applies_what_is_told_has_what_the_list_shows(desk: Desk) -> None:
    """J1, S99: for many filters and viewers, over random changes, coming back after one change or after many."""
    random = Random(4)
    people = desk.people
    rows = [await make_ticket(desk.acme, random.choice([people["ann"], people["bob"], None])) for _ in range(5)]
    rows.append(await make_ticket(desk.acme, people["ann"], confidentiality=Confidentiality.AUTHOR_ONLY))
    sam, acme = gid(people["sam"]), gid(desk.acme)
    filters: list[Any] = [
        None,
        ACTIVE,
        {"statuses": ["OPEN"], "assigneeIds": [sam]},
        {"not": {"assigneeIds": [sam]}},
        {"or": [{"statuses": ["RESOLVED"]}, {"hasRequester": False}]},
    ]
    watching = [
        Watcher(client, {**given, "filter": filter})
        for client, given in (
            (desk.sam, {"scope": "ALL"}),
            (desk.sam, {"scope": "ASSIGNED_TO_ME"}),
            (desk.bob, {"scope": "ORGANIZATION", "o": acme}),
            (desk.ann, {"scope": "MINE"}),
        )
        for filter in filters
    ]
    for watcher in watching:
        await watcher.begin()

    changes = 0
    for _ in range(8):
        for _ in range(random.randint(1, 6)):
            await change(random, desk, random.choice(rows))
            changes += 1
        if random.random() < 0.3:
            await create(random.choice([desk.ann, desk.bob]), desk.acme)
        for watcher in random.sample(watching, k=8):
            await watcher.catch_up()
    applied = [await watcher.catch_up() for watcher in watching]

    wrong = [each.given for each in watching if each.rows != await each.fresh()]
    assert wrong == []
    assert changes >= 20
    assert sum(applied) > 0


async def change(random: Random, desk: Desk, ticket: models.Ticket) -> None:
    """Something that somebody does; refused or not."""
    match random.randrange(6):
        case 0:
            await send(desk.sam, ticket)
        case 1:
            await send(desk.ann, ticket) if ticket.requester_id == desk.people["ann"].id else None
        case 2:
            await on_ticket(desk.sam, "ticketResolve", ticket)
        case 3:
            await reopen(desk.sam, ticket)
        case 4:
            await on_ticket(desk.sam, "ticketAssign", ticket, assigneeId=gid(desk.people["sam"]))
        case _:
            await on_ticket(desk.sam, "ticketAssign", ticket, assigneeId=None)


async def test_an_event_costs_the_same_for_one_watcher_as_for_fifty(desk: Desk, services: Services) -> None:
    """J6, S99: one read of the ticket and one of what its timeline tells; none for a watcher."""
    ticket = await make_ticket(desk.acme, desk.people["ann"])
    taken: dict[int, list[str]] = {}
    for watchers in (1, 50):
        async with AsyncExitStack() as stack:
            filters = [{"statuses": ["OPEN", "PENDING_CUSTOMER"]}, {"isActive": True}, None]
            streams = [
                await begun(
                    await stack.enter_async_context(desk.sam.watch(TICKETS, scope="ALL", filter=filters[n % 3]))
                )
                for n in range(watchers)
            ]
            before = services.shared.reads
            with counted() as sent:
                waiting = [asyncio.ensure_future(stream.next()) for stream in streams]
                await send(desk.ann, ticket)
                changes = await asyncio.gather(*waiting)
            assert [told(each) for each in changes] == [("UPDATED", gid(ticket))] * watchers
            assert services.shared.reads - before == 2
            taken[watchers] = [each for each in sent if "feed_" not in each and "PRAGMA" not in each]

    assert len(taken[50]) == len(taken[1]), taken[50]


async def lose_the_role(bob: models.User) -> None:
    await models.Membership.filter(user=bob).update(role=OrganizationRole.MEMBER)
    await models.Organization.filter(name="Acme").update(member_visibility=MemberVisibility.OWN)


async def leave(bob: models.User) -> None:
    await models.Membership.filter(user=bob).delete()


async def be_switched_off(bob: models.User) -> None:
    await models.User.filter(id=bob.id).update(is_active=False)


@pytest.mark.parametrize(
    ("change", "code"), [(lose_the_role, "FORBIDDEN"), (leave, "NOT_FOUND"), (be_switched_off, "NOT_FOUND")]
)
async def test_who_loses_the_list_is_told_nothing_more_of_it(
    patient: tuple[Services, Seconds], change: Any, code: str
) -> None:
    """J3: the stream ends before the next event, as the list itself would refuse."""
    services, seconds = patient
    acme = await make_organization("Acme")
    ann, bob = await make_member(acme), await make_member(acme, OrganizationRole.ADMIN)
    ticket = await make_ticket(acme, ann)
    async with Client(services, bob).watch(TICKETS, scope="ORGANIZATION", o=gid(acme), filter=None) as stream:
        await begun(stream)
        await change(bob)
        seconds.now += 30
        await send(Client(services, ann), ticket)

        data, errors = await stream.result()
        assert (data, codes(errors)) == (None, [code])


@pytest.mark.parametrize("scope", ["ORGANIZATION", "MINE"])
async def test_who_sees_another_part_of_the_list_loads_it_again(patient: tuple[Services, Seconds], scope: str) -> None:
    """J3: then it goes on; of what is no longer shown nothing is told."""
    services, seconds = patient
    acme, other = await make_organization("Acme"), await make_organization("Other")
    bob = await make_member(acme, OrganizationRole.ADMIN)
    await models.Membership.create(user=bob, organization=other, role="MEMBER", joined_at=acme.created_at)
    gone, kept = await make_ticket(other, bob), await make_ticket(acme, bob)
    given = {"scope": scope, "o": gid(acme) if scope == "ORGANIZATION" else None, "filter": None}
    async with Client(services, bob).watch(TICKETS, **given) as stream:
        await begun(stream)
        await models.Membership.filter(user=bob, organization=other).delete()
        seconds.now += 30
        await send(Client(services, await make_staff()), gone)

        reset = await stream.next()
        assert (reset["__typename"], reset["reason"]) == ("StreamReset", "ACCESS_CHANGED")
        await send(Client(services, await make_staff()), gone)
        await send(Client(services, bob), kept)
        assert told(await stream.next()) == ("UPDATED", gid(kept))


async def test_a_change_of_access_is_known_before_what_was_committed_after_it(desk: Desk, services: Services) -> None:
    """J3: as soon as it is announced; a colleague's list goes on."""
    ticket = await make_ticket(desk.acme, desk.people["ann"])
    cleo = await make_member(desk.acme, OrganizationRole.ADMIN)
    given = {"scope": "ORGANIZATION", "o": gid(desk.acme), "filter": None}
    async with (
        desk.bob.watch(TICKETS, **given) as stream,
        desk.as_user(cleo).watch(TICKETS, **given) as other,
    ):
        await begun(stream)
        await begun(other)

        async def remove(work: Work) -> None:
            await leave(desk.people["bob"])
            announce_access(work, user_id=desk.people["bob"].id)

        await work_in_transaction(Context(await desk.sam.viewer(), services), remove)
        await send(desk.ann, ticket)

        assert codes((await stream.result())[1]) == ["NOT_FOUND"]
        assert told(await other.next()) == ("UPDATED", gid(ticket))
