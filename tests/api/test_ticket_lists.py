"""Lists of tickets: which ones a scope holds, what each filter lets through, and in what order.

What a filter means is written here once more, as plain Python over the rows, and compared with what the list gives.
"""

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, build_schema

import models
from domain.enums import (
    ACTIVE_STATUSES,
    MemberVisibility,
    OrganizationRole,
    ServiceLevel,
    TicketChannel,
    TicketPriority,
    TicketStatus,
)
from schema.build import sdl
from schema.enums import TicketOrderField
from tests.api.world import codes, gid
from tests.client import Client
from tests.conftest import AsUser
from tests.factories import (
    LONG_AGO,
    make_escalation,
    make_member,
    make_organization,
    make_request_type,
    make_staff,
    make_ticket,
)

pytestmark = pytest.mark.anyio

LIST = """query($scope: TicketListScope!, $organizationId: ID, $filter: TicketFilter, $orderBy: TicketOrder) {
  tickets(scope: $scope, organizationId: $organizationId, filter: $filter, orderBy: $orderBy, first: 100) {
    totalCount nodes { id } } }"""

Keep = Callable[[models.Ticket], bool]


class Shelf:
    """Tickets that differ in everything a filter asks for."""

    def __init__(self, reader: Client, rows: list[models.Ticket], **things: Any) -> None:
        self.reader, self.rows, self.things = reader, rows, things

    async def listed(self, filter: Any, **given: Any) -> set[str]:
        found = (await self.reader.ask(LIST, scope="ALL", filter=filter, **given))["tickets"]
        assert found["totalCount"] == len(found["nodes"])
        return {each["id"] for each in found["nodes"]}

    def kept(self, keep: Keep) -> set[str]:
        return {gid(row) for row in self.rows if keep(row)}


@pytest.fixture
async def shelf(as_user: AsUser) -> Shelf:
    acme, other = await make_organization("Acme"), await make_organization("Other")
    ann, ben = await make_member(acme, name="Ann"), await make_member(acme, name="Ben")
    sam = await make_staff(name="Sam")
    kinds = [await make_request_type("TECHNICAL"), await make_request_type("COMMERCIAL")]
    troubles = [await models.IssueType.create(request_type=kinds[0], name=name) for name in ("sound", "Picture", "Net")]
    camera = await models.Product.create(name="Camera")
    room, desk = [await models.Space.create(organization=acme, kind=kind, name=kind.value) for kind in models.SpaceKind]
    device = await models.Device.create(organization=acme, product=camera, space=room, name="Camera", serial_number="1")
    rows = []
    cases = product(TicketStatus, ((acme, ann, sam, room), (acme, ben, None, desk), (other, None, None, None)), (0, 1))
    for n, (status, (organization, requester, assignee, space), odd) in enumerate(cases):
        at = LONG_AGO + timedelta(hours=n)
        row = await make_ticket(
            organization,
            requester,
            status=status,
            assignee=assignee,
            space=space,
            is_escalated=bool(odd),
            channel=list(TicketChannel)[n % 7],
            priority=list(TicketPriority)[n % 4],
            request_type=kinds[odd] if n % 3 else None,
            product=camera if n % 2 else None,
            issue_type=troubles[n % 3] if n % 5 else None,
            service_level=list(ServiceLevel)[n // 2 % 3],
            created_at=at,
            last_activity_at=LONG_AGO + timedelta(hours=-n),
            resolved_at=at,
            closed_at=at,
        )
        if odd:
            await make_escalation(row)
        if requester is ann:
            await row.devices.add(device)
        rows.append(row)
    escalation = await models.Escalation.get(ticket=rows[1])
    return Shelf(
        as_user(sam),
        rows,
        acme=acme,
        other=other,
        ann=ann,
        ben=ben,
        sam=sam,
        room=room,
        desk=desk,
        device=device,
        camera=camera,
        sound=troubles[0],
        troubles={each.id: each.name for each in troubles},
        technical=kinds[0],
        escalation=escalation,
    )


def cases(shelf: Shelf) -> list[tuple[Any, Keep]]:
    """Filters, and what they mean."""
    t = shelf.things
    escalated = [row.id for row in shelf.rows if row.is_escalated]
    hours = [row.created_at for row in shelf.rows]
    here, there, active = t["acme"].id, t["other"].id, set(ACTIVE_STATUSES)
    return [
        ({}, lambda row: True),
        (None, lambda row: True),
        ({"statuses": ["OPEN", "CLOSED"]}, lambda row: row.status in ("OPEN", "CLOSED")),
        ({"statuses": []}, lambda row: False),
        ({"isActive": True}, lambda row: row.status in active),  # S35
        ({"isActive": False}, lambda row: row.status not in active),
        ({"isEscalated": True}, lambda row: row.id in escalated),
        ({"isEscalated": False}, lambda row: row.id not in escalated),
        ({"displayStatuses": ["ESCALATED"]}, lambda row: row.is_escalated and row.status in active),  # S62
        ({"displayStatuses": ["OPEN"]}, lambda row: row.status == "OPEN" and not row.is_escalated),
        (
            {"displayStatuses": ["RESOLVED", "NEW"]},
            lambda row: row.status == "RESOLVED" or (row.status == "NEW" and not row.is_escalated),
        ),
        ({"displayStatuses": []}, lambda row: False),
        ({"channels": ["PHONE", "CHAT"]}, lambda row: row.channel in ("PHONE", "CHAT")),  # S43
        ({"priorities": ["URGENT"]}, lambda row: row.priority == "URGENT"),
        ({"organizationIds": [gid(t["other"])]}, lambda row: row.organization_id == there),
        ({"requesterIds": [gid(t["ann"]), gid(t["sam"])]}, lambda row: row.requester_id == t["ann"].id),
        ({"assigneeIds": [gid(t["sam"])]}, lambda row: row.assignee_id == t["sam"].id),
        ({"hasRequester": True}, lambda row: row.requester_id is not None),  # S14
        ({"hasRequester": False}, lambda row: row.requester_id is None),
        ({"spaceIds": [gid(t["room"]), gid(t["desk"])]}, lambda row: row.space_id is not None),  # S37, S39
        ({"roomIds": [gid(t["room"])]}, lambda row: row.space_id == t["room"].id),
        ({"deskIds": [gid(t["desk"])]}, lambda row: row.space_id == t["desk"].id),
        ({"roomIds": [gid(t["room"])], "deskIds": [gid(t["desk"])]}, lambda row: False),
        ({"roomIds": []}, lambda row: False),
        ({"deviceIds": [gid(t["device"])]}, lambda row: row.requester_id == t["ann"].id),
        ({"requestTypeKeys": ["TECHNICAL"]}, lambda row: row.request_type_id == t["technical"].id),
        ({"serviceLevels": ["SELECT"]}, lambda row: row.service_level == "SELECT"),
        ({"serviceLevels": []}, lambda row: False),
        ({"issueTypeIds": [gid(t["sound"])]}, lambda row: row.issue_type_id == t["sound"].id),
        ({"productIds": [gid(t["camera"])]}, lambda row: row.product_id is not None),
        (
            {"references": [f" {shelf.rows[0].reference.lower()} ", "T-0"]},
            lambda row: row.id == shelf.rows[0].id,
        ),  # S38
        ({"escalationReferences": [t["escalation"].reference.lower()]}, lambda row: row.id == shelf.rows[1].id),
        ({"createdAt": {"gte": instant(hours[5])}}, lambda row: row.created_at >= hours[5]),
        ({"createdAt": {"lt": instant(hours[5])}}, lambda row: row.created_at < hours[5]),
        ({"createdAt": {"gte": instant(hours[5]), "lt": instant(hours[7])}}, lambda row: row.created_at in hours[5:7]),
        ({"createdAt": {"gte": instant(hours[5]), "lt": instant(hours[5])}}, lambda row: False),
        ({"lastActivityAt": {"gte": "2026-01-05T09:00:00+01:00"}}, lambda row: row.last_activity_at >= LONG_AGO),
        (
            {"statuses": ["OPEN"], "isEscalated": True, "hasRequester": True},
            lambda row: row.status == "OPEN" and row.is_escalated and row.requester_id is not None,
        ),
        ({"and": [{"isEscalated": True}, {"statuses": ["NEW"]}]}, lambda row: row.is_escalated and row.status == "NEW"),
        ({"and": []}, lambda row: True),
        ({"or": [{"isEscalated": True}, {"statuses": ["NEW"]}]}, lambda row: row.is_escalated or row.status == "NEW"),
        ({"or": [{"statuses": ["NEW"]}]}, lambda row: row.status == "NEW"),
        ({"or": []}, lambda row: False),
        ({"not": {"isEscalated": True}}, lambda row: not row.is_escalated),
        ({"not": {"statuses": []}}, lambda row: True),
        (
            {"not": {"or": [{"statuses": ["NEW"]}, {"statuses": ["OPEN"]}]}, "organizationIds": [gid(t["acme"])]},
            lambda row: row.status not in ("NEW", "OPEN") and row.organization_id == here,
        ),
        (
            {"or": [{"and": [{"isEscalated": True}, {"isActive": True}]}, {"not": {"hasRequester": True}}]},
            lambda row: (row.is_escalated and row.status in active) or row.requester_id is None,
        ),
    ]


def negations(shelf: Shelf) -> list[tuple[Any, Keep]]:
    """Where there is nothing to compare with, SQL's answer is neither yes nor no."""
    t = shelf.things
    return [
        ({"not": {"assigneeIds": [gid(t["sam"])]}}, lambda row: row.assignee_id != t["sam"].id),
        ({"not": {"requesterIds": [gid(t["ann"])]}}, lambda row: row.requester_id != t["ann"].id),
        ({"not": {"spaceIds": [gid(t["room"])]}}, lambda row: row.space_id != t["room"].id),
        ({"not": {"requestTypeKeys": ["TECHNICAL"]}}, lambda row: row.request_type_id != t["technical"].id),
        ({"not": {"issueTypeIds": [gid(t["sound"])]}}, lambda row: row.issue_type_id != t["sound"].id),
        ({"not": {"productIds": [gid(t["camera"])]}}, lambda row: row.product_id is None),
        ({"not": {"deviceIds": [gid(t["device"])]}}, lambda row: row.requester_id != t["ann"].id),
    ]


TWICE: list[tuple[Any, Keep]] = [
    ({"not": {"not": {"isActive": True}}}, lambda row: row.status in ACTIVE_STATUSES),
    ({"not": {"isActive": False}}, lambda row: row.status in ACTIVE_STATUSES),
    (
        {"not": {"not": {"isActive": True}, "isEscalated": True}},
        lambda row: row.status in ACTIVE_STATUSES or not row.is_escalated,
    ),
    ({"not": {"not": {"not": {"isEscalated": True}}}}, lambda row: not row.is_escalated),
]

NO_CONDITION: list[tuple[Any, Keep]] = [
    ({"not": {}}, lambda row: False),
    ({"or": [{}, {"statuses": ["NEW"]}]}, lambda row: True),
    ({"or": [{"statuses": ["NEW"]}, {"not": {}}]}, lambda row: row.status == "NEW"),
    ({"and": [{}, {"statuses": ["NEW"]}]}, lambda row: row.status == "NEW"),
]
"""`{}` asks nothing, so everything meets it."""


async def test_every_filter_lets_through_what_it_says(shelf: Shelf) -> None:
    """S35, S37, S38, S39, S43, S62."""
    wrong = [filter for filter, keep in cases(shelf) if await shelf.listed(filter) != shelf.kept(keep)]

    assert wrong == []


async def test_no_filter_goes_untried(shelf: Shelf) -> None:
    """S37, S38: every field of the filter is here, or where what it asks for is at home."""
    declared = build_schema(sdl()).type_map["TicketFilter"]
    assert isinstance(declared, GraphQLInputObjectType)

    here = {name for filter, _ in cases(shelf) for name in filter or ()}

    assert here | ELSEWHERE == declared.fields.keys()
    assert here & ELSEWHERE == set()


ELSEWHERE = {
    "followerIds",  # tests/api/test_followers.py
    "isOnBehalf",  # tests/api/test_ticket_people.py
    "onBehalfOfOrganizationIds",
    "unreadOnly",  # tests/api/test_read_state.py
    "text",  # tests/api/test_search.py
}


async def test_a_negation_lets_through_exactly_the_rest(shelf: Shelf) -> None:
    wrong = [filter for filter, keep in negations(shelf) if await shelf.listed(filter) != shelf.kept(keep)]

    assert wrong == []


async def test_a_negation_of_a_negation_is_none(shelf: Shelf) -> None:
    wrong = [filter for filter, keep in TWICE if await shelf.listed(filter) != shelf.kept(keep)]

    assert wrong == []


async def test_a_filter_without_a_condition_is_met_by_everything_wherever_it_stands(shelf: Shelf) -> None:
    wrong = [filter for filter, keep in NO_CONDITION if await shelf.listed(filter) != shelf.kept(keep)]

    assert wrong == []


async def test_a_list_shows_what_is_active_unless_told_otherwise(shelf: Shelf) -> None:  # S35
    found = (await shelf.reader.ask("{ tickets(scope: ALL, first: 100) { nodes { id } } }"))["tickets"]["nodes"]

    assert {each["id"] for each in found} == shelf.kept(lambda row: row.status in ACTIVE_STATUSES)


async def test_every_scope_holds_what_it_says(shelf: Shelf, as_user: AsUser) -> None:
    """S01, S02, S10, S14: `MINE` of a person who belongs to two organizations, and of one of them."""
    t = shelf.things
    ann, acme, other = as_user(t["ann"]), gid(t["acme"]), gid(t["other"])

    async def listed(client: Client, scope: str, organization: str | None = None) -> set[str]:
        found = (await client.ask(LIST, scope=scope, organizationId=organization))["tickets"]
        assert found["totalCount"] == len(found["nodes"])
        return {each["id"] for each in found["nodes"]}

    def active(keep: Keep) -> set[str]:
        return shelf.kept(lambda row: row.status in ACTIVE_STATUSES and keep(row))

    assert await listed(ann, "MINE") == active(lambda row: row.requester_id == t["ann"].id)
    assert await listed(ann, "MINE", acme) == active(lambda row: row.requester_id == t["ann"].id)
    assert await listed(ann, "ORGANIZATION", acme) == active(lambda row: row.organization_id == t["acme"].id)
    assert await listed(ann, "ALL") == active(lambda row: row.organization_id == t["acme"].id)
    assert await listed(ann, "UNCLAIMED", acme) == set()
    assert await listed(shelf.reader, "UNCLAIMED", other) == active(lambda row: row.requester_id is None)
    assert await listed(shelf.reader, "ASSIGNED_TO_ME") == active(lambda row: row.assignee_id == t["sam"].id)
    assert await listed(shelf.reader, "ASSIGNED_TO_ME", other) == set()
    assert await listed(shelf.reader, "MINE") == set()
    assert await listed(shelf.reader, "ALL", other) == active(lambda row: row.organization_id == t["other"].id)


async def test_a_scope_that_is_not_the_viewers_says_why(shelf: Shelf, as_user: AsUser) -> None:
    """S03, S10."""
    t = shelf.things
    eve = await make_member(
        await make_organization("Own", member_visibility=MemberVisibility.OWN), OrganizationRole.MEMBER
    )
    own = (await models.Membership.get(user=eve)).organization_id
    ann, eves = as_user(t["ann"]), as_user(eve)
    for client, scope, organization, code in (
        (ann, "ORGANIZATION", None, "REQUIRED"),
        (ann, "UNCLAIMED", None, "REQUIRED"),
        (shelf.reader, "ORGANIZATION", None, "REQUIRED"),
        (ann, "ORGANIZATION", gid(t["other"]), "NOT_FOUND"),
        (ann, "MINE", gid(t["other"]), "NOT_FOUND"),
        (ann, "ASSIGNED_TO_ME", None, "FORBIDDEN"),
        (eves, "ORGANIZATION", f"Organization_{own}", "FORBIDDEN"),
        (ann, "ORGANIZATION", "garbage", "INVALID"),
        (as_user(None), "ALL", None, "UNAUTHENTICATED"),
    ):
        data, errors = await client.answer(LIST, scope=scope, organizationId=organization)
        assert (data, codes(errors)) == (None, [code]), (scope, organization)


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_a_list_is_in_the_order_asked_for(shelf: Shelf, direction: str) -> None:  # S36
    t = shelf.things
    names = {t["ann"].id: "ann", t["ben"].id: "ben", None: ""}
    troubles = {key: name.lower() for key, name in t["troubles"].items()} | {None: ""}
    places: dict[str, Callable[[models.Ticket], Any]] = {
        "CREATED_AT": lambda row: row.created_at,
        "UPDATED_AT": lambda row: row.updated_at,
        "LAST_ACTIVITY_AT": lambda row: row.last_activity_at,
        "REFERENCE": lambda row: row.number,
        "STATUS": lambda row: list(TicketStatus).index(row.status),
        "PRIORITY": lambda row: list(TicketPriority)[::-1].index(row.priority),
        "SERVICE_LEVEL": lambda row: list(ServiceLevel).index(row.service_level),
        "ISSUE_TYPE": lambda row: troubles[row.issue_type_id],
        "REQUESTER_NAME": lambda row: names[row.requester_id],
    }
    for field, place in places.items():
        order = {"field": field, "direction": direction}
        found = (await shelf.reader.ask(LIST, scope="ALL", filter=None, orderBy=order))["tickets"]["nodes"]

        rows = sorted(shelf.rows, key=lambda row: (place(row), row.id), reverse=direction == "DESC")
        assert [each["id"] for each in found] == [gid(row) for row in rows], field
    assert places.keys() == {each.value for each in TicketOrderField}


async def test_the_latest_activity_comes_first_unless_told_otherwise(shelf: Shelf) -> None:  # S36
    found = (await shelf.reader.ask(LIST, scope="ALL", filter=None))["tickets"]["nodes"]

    rows = sorted(shelf.rows, key=lambda row: (row.last_activity_at, row.id), reverse=True)
    assert [each["id"] for each in found] == [gid(row) for row in rows]


async def test_what_cannot_be_asked_of_a_list_is_refused_with_a_code(shelf: Shelf) -> None:
    deep: dict[str, Any] = {"isActive": True}
    for _ in range(6):
        deep = {"not": deep}
    for filter in (
        {"requesterIds": ["garbage"]},
        {"requesterIds": [gid(shelf.rows[0])]},
        {"roomIds": [gid(shelf.things["desk"])]},
        {"references": ["T-1"] * 101},
        {"statuses": ["NEW"] * 101},
        deep,
    ):
        data, errors = await shelf.reader.answer(LIST, scope="ALL", filter=filter)
        assert (data, codes(errors)) == (None, ["INVALID"]), filter


async def test_a_text_that_no_store_can_keep_is_found_nowhere(shelf: Shelf) -> None:
    """Such a question is answered: nothing has that reference, or it is refused with a code."""
    ask = """query($x: String!, $o: ID!) { a: ticketByReference(reference: $x) { id }
      b: escalationByReference(reference: $x) { id }
      c: deviceBySerialNumber(organizationId: $o, serialNumber: $x) { id } }"""
    unanswered: list[Any] = []
    for text in ("\ud800", "a\x00b"):
        for filter in ({"references": [text]}, {"escalationReferences": [text]}, {"requestTypeKeys": [text]}):
            data, errors = await shelf.reader.answer(LIST, scope="ALL", filter=filter)
            if data != {"tickets": {"totalCount": 0, "nodes": []}} and codes(errors) != ["INVALID"]:
                unanswered.append(filter)
        data, errors = await shelf.reader.answer(ask, x=text, o=gid(shelf.things["acme"]))
        if set(codes(errors)) - {"INVALID"} or set(data.values()) != {None}:
            unanswered.append(text)

    assert unanswered == []


def instant(at: Any) -> str:
    text: str = at.isoformat().replace("+00:00", "Z")
    return text
