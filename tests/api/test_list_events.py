"""What lists are told: every change once, with what was before, and to customers only what is theirs (S07, J7)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from uuid_utils.compat import uuid7

import models
from domain.enums import Confidentiality, HistoryAvailability, OrganizationRole, TicketChannel, TicketStatus
from realtime.log import MAX_DATA, Draft
from resolvers.list_events import list_drafts, public_lists
from resolvers.streams import TICKET_CHANGED, streams_of
from resolvers.ticket_facts import COLUMNS, RIGHTS, as_fact, facts_of, with_facts
from tests.api.operations import note, on_ticket, send
from tests.api.world import gid
from tests.conftest import AsUser
from tests.factories import (
    LONG_AGO,
    make_follower,
    make_member,
    make_organization,
    make_participant,
    make_staff,
    make_ticket,
)

pytestmark = pytest.mark.anyio


class Desk:
    def __init__(self, as_user: AsUser, acme: models.Organization, **people: models.User) -> None:
        self.acme, self.people = acme, people
        self.ann, self.sam = as_user(people["ann"]), as_user(people["sam"])

    async def told(self) -> dict[str, list[Any]]:
        """The data of the events of lists, by stream; people by their names."""
        names = {f"tickets:{person.id}": f"tickets of {name}" for name, person in self.people.items()}
        names |= {f"org:{self.acme.id}": "org", f"org:{self.acme.id}:pub": "org:pub"}
        found: dict[str, list[Any]] = {}
        for event in await models.FeedEvent.exclude(topic__startswith="ticket:").order_by("id"):
            found.setdefault(names.get(event.topic, event.topic), []).append(orjson.loads(event.data))
        return found


@pytest.fixture
async def desk(as_user: AsUser) -> Desk:
    acme = await make_organization("Acme")
    ann = await make_member(acme, name="Ann")
    bob = await make_member(acme, OrganizationRole.ADMIN, name="Bob")
    return Desk(as_user, acme, ann=ann, bob=bob, sam=await make_staff(name="Sam"))


async def test_a_change_is_told_once_with_what_was_before(desk: Desk) -> None:
    """A reply moves the status too: two announcements on the ticket's own streams, one event in each list."""
    ticket = await make_ticket(desk.acme, desk.people["ann"], status=TicketStatus.NEW)
    await make_participant(ticket, desk.people["bob"])

    await send(desk.sam, ticket, "one")

    told = await desk.told()
    assert told.keys() == {"desk", "org", "org:pub", "tickets of ann", "tickets of bob"}
    ((event,), *others) = told.values()
    assert others == [[event]] * 4
    assert event["ticket"] == str(ticket.id)
    assert {"status", "messages"} <= set(event["fields"])
    assert event["message"] == str((await models.Message.get()).id)
    assert event["was"]["status"] == "NEW"
    assert event["was"]["assignee_id"] is None
    assert event["was"]["requester_id"] == as_fact(desk.people["ann"].id)
    assert event["was"]["participant_ids"] == [as_fact(desk.people["bob"].id)]


async def test_what_is_internal_is_told_to_support_alone(desk: Desk) -> None:
    """J7: no event and no number of a customer's list tells of it."""
    ticket = await make_ticket(desk.acme, desk.people["ann"])

    await send(desk.sam, ticket, "hidden", message={"visibility": "INTERNAL"})
    await note(desk.sam, ticket, "aside", visibility="INTERNAL")

    assert {name: len(events) for name, events in (await desk.told()).items()} == {"desk": 2, "org": 2}


async def test_what_is_for_its_author_alone_is_told_to_the_author_and_support(desk: Desk) -> None:
    """S07: nobody counts the changes of what they may not know of, neither the owner nor a participant."""
    ticket = await make_ticket(
        desk.acme, desk.people["ann"], owner=desk.people["bob"], confidentiality=Confidentiality.AUTHOR_ONLY
    )
    await make_participant(ticket, desk.people["bob"])

    await send(desk.sam, ticket, "one")

    assert (await desk.told()).keys() == {"desk", "org", "tickets of ann"}


async def test_what_is_older_than_the_history_is_not_told_to_customers(desk: Desk) -> None:  # S12
    await desk.acme.update_from_dict({"history_starts_at": LONG_AGO}).save()
    older = await make_ticket(desk.acme, desk.people["ann"], created_at=LONG_AGO - timedelta(microseconds=1))

    await send(desk.sam, older, "one")
    assert (await desk.told()).keys() == {"desk", "org"}

    await send(desk.sam, await make_ticket(desk.acme, desk.people["ann"], created_at=LONG_AGO), "one")
    assert (await desk.told()).keys() == {"desk", "org", "org:pub", "tickets of ann"}


async def test_what_a_regulation_keeps_from_customers_is_not_told_to_them(desk: Desk) -> None:  # S11
    await desk.acme.update_from_dict({"history_availability": HistoryAvailability.UNAVAILABLE_REGULATORY}).save()

    await send(desk.sam, await make_ticket(desk.acme, desk.people["ann"]), "one")

    assert (await desk.told()).keys() == {"desk", "org"}


async def test_followers_are_told_and_whoever_may_claim_what_nobody_opened(desk: Desk) -> None:  # S14, S83
    ticket = await make_ticket(desk.acme, None)
    await make_follower(ticket, desk.people["bob"])

    await send(desk.sam, ticket, "one")

    lists = {"desk", "org", "org:pub", f"org:{desk.acme.id}:unclaimed", "tickets of bob"}
    assert (await desk.told()).keys() == lists


async def test_what_becomes_confidential_is_told_to_those_who_saw_it(desk: Desk) -> None:
    """Otherwise it would stay in their lists."""
    ticket = await make_ticket(desk.acme, desk.people["ann"], owner=desk.people["bob"])
    before = facts_of(await with_facts(models.Ticket.all()).get(id=ticket.id))
    after = {**before, "confidentiality": Confidentiality.AUTHOR_ONLY, "owner_id": None}

    lists = public_lists([before, after])

    assert lists == {f"org:{desk.acme.id}:pub", *(f"tickets:{desk.people[name].id}" for name in ("ann", "bob"))}
    assert public_lists([after]) == {f"tickets:{desk.people['ann'].id}"}


async def test_who_loses_a_ticket_is_told_of_the_change_that_took_it(desk: Desk) -> None:
    ticket = await make_ticket(desk.acme, desk.people["ann"])
    before = {ticket.id: facts_of(await with_facts(models.Ticket.all()).get(id=ticket.id))}
    await models.Ticket.filter(id=ticket.id).update(requester_id=desk.people["bob"].id, owner_id=None)

    drafts = await list_drafts(changed(ticket.id), before)

    people = {draft.topic for draft in drafts if draft.topic.startswith("tickets:")}
    assert people == {f"tickets:{desk.people[name].id}" for name in ("ann", "bob")}


async def test_a_refusal_tells_no_list(desk: Desk) -> None:
    ticket = await make_ticket(desk.acme, desk.people["ann"])

    await on_ticket(desk.sam, "ticketAssign", ticket, expectedVersion=99, assigneeId=gid(desk.people["sam"]))

    assert await desk.told() == {}


async def test_an_event_fits_the_log_however_much_there_is_to_tell(desk: Desk) -> None:
    """What does not fit is left out, as not known: sets before columns, never what decides about rights."""
    ticket = await make_ticket(desk.acme, desk.people["ann"], channel=TicketChannel.CONFERENCE_CALL)
    before = facts_of(await with_facts(models.Ticket.all()).get(id=ticket.id))
    everything = {name: as_fact(uuid7()) if name.endswith("_id") else before[name] for name in COLUMNS}
    members = {"participant_ids": [as_fact(uuid7())], "device_ids": [as_fact(uuid7()) for _ in range(40)]}
    full = {**before, **everything, "request_type_key": "TECHNICAL", **members}

    drafts = await list_drafts(changed(ticket.id, *FIELDS), {ticket.id: full})

    data = drafts[0].data
    assert len(orjson.dumps(data)) <= MAX_DATA
    assert data["fields"] == FIELDS
    known = {"request_type_key": "TECHNICAL", "participant_ids": full["participant_ids"]}
    assert data["was"] == everything | known | {"escalation_references": [], "follower_ids": []}

    (crowded, *_) = await list_drafts(changed(ticket.id, *(f"oneFieldOfMany{n}" for n in range(60))), {ticket.id: full})

    assert MAX_DATA - 100 < len(orjson.dumps(crowded.data)) <= MAX_DATA
    assert {name: crowded.data["was"][name] for name in RIGHTS} == {name: full[name] for name in RIGHTS}


FIELDS = [
    "status",
    "displayStatus",
    "statusChangedAt",
    "messages",
    "lastSequence",
    "lastActivityAt",
    "updatedAt",
    "version",
]


def changed(ticket_id: UUID, *fields: str) -> list[Draft]:
    return [Draft(topic, TICKET_CHANGED, {"fields": [*fields]}, "key") for topic in streams_of(ticket_id)]
