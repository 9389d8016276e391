"""Organizations entered and changed: what they choose counts at once, for what is watched too (S03, S11, S12)."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

import models
from domain.enums import MemberVisibility, OrganizationRole, StaffRole, TicketStatus
from models import Organization
from tests.api.bad_input import NEVER
from tests.api.operations import create, mutate, refusal, reopen, send
from tests.api.test_access_changes import DOCUMENTS
from tests.api.test_live_lists import TICKETS, told
from tests.api.test_members import access_events
from tests.api.world import codes, gid, nothing_changes
from tests.client import Client
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import make_escalation, make_member, make_organization, make_request_type, make_staff, make_ticket

pytestmark = pytest.mark.anyio

CHOSEN = "name domains version memberVisibility lifecyclePreset historyAvailability historyStartsAt"
TICKET = "query($t: ID!) { ticket(id: $t) { subject } }"


@pytest.fixture
async def chief(as_user: AsUser) -> Client:
    return as_user(await make_staff(StaffRole.ADMIN, "Chief"))


async def save(chief: Client, row: Organization | None, **given: Any) -> Any:
    wanted = {"name": row.name, "organizationId": gid(row), **given} if row else given
    return await mutate(chief, "organizationSave", f"organization {{ id {CHOSEN} }}", **wanted)


async def test_a_new_organization_has_what_is_usual_and_what_was_chosen(chief: Client) -> None:  # S12
    plain = await save(chief, None, name="  Acme   Hotels ")
    chosen = await save(
        chief,
        None,
        name="Bank",
        domains=["Bank.example"],
        memberVisibility="OWN",
        lifecyclePreset="HOURS_72",
        historyAvailability="UNAVAILABLE_REGULATORY",
        historyStartsAt=None,
    )

    assert plain["errors"] == chosen["errors"] == []
    assert {**plain["organization"], "id": None} == {
        "id": None,
        "name": "Acme Hotels",
        "domains": [],
        "version": 1,
        "memberVisibility": "OPEN",
        "lifecyclePreset": "WEEK",
        "historyAvailability": "AVAILABLE",
        "historyStartsAt": "2019-07-15",
    }
    assert {**chosen["organization"], "id": None} == {
        "id": None,
        "name": "Bank",
        "domains": ["bank.example"],
        "version": 1,
        "memberVisibility": "OWN",
        "lifecyclePreset": "HOURS_72",
        "historyAvailability": "UNAVAILABLE_REGULATORY",
        "historyStartsAt": None,
    }
    node = "query($id: ID!) { node(id: $id) { ... on Organization { name } } }"
    assert await chief.ask(node, id=plain["organization"]["id"]) == {"node": {"name": "Acme Hotels"}}
    assert await access_events() == []


async def test_what_is_left_out_stays_and_what_stays_the_same_is_no_change(chief: Client) -> None:
    acme = await make_organization("Acme", member_visibility=MemberVisibility.OWN, domains=["acme.example"])

    changed = await save(chief, acme, lifecyclePreset="HOURS_72")
    async with nothing_changes():
        again = await save(chief, acme, lifecyclePreset="HOURS_72", memberVisibility="OWN", clientMutationId="x")

    assert changed["organization"] == again["organization"]
    assert (changed["organization"]["version"], changed["organization"]["domains"]) == (2, ["acme.example"])
    assert changed["organization"]["memberVisibility"] == "OWN"
    assert await access_events() == []


async def test_two_who_change_it_at_once_do_not_overwrite_each_other(chief: Client) -> None:  # J8
    acme = await make_organization("Acme")
    first = await save(chief, acme, expectedVersion=1, lifecyclePreset="HOURS_72")

    async with nothing_changes():
        second = await save(chief, acme, expectedVersion=1, lifecyclePreset="WEEK")

    assert first["organization"]["version"] == 2
    assert second["organization"] is None
    assert second["errors"] == [
        {
            "__typename": "StaleVersionError",
            "message": "Somebody changed this organization in the meantime. Load it again and repeat your change.",
            "code": "STALE_VERSION",
            "field": ["input", "expectedVersion"],
            "currentVersion": 2,
        }
    ]


async def test_what_cannot_be_entered_is_refused_and_changes_nothing(chief: Client, clock: Clock) -> None:
    acme, _ = await make_organization("Acme"), await make_organization("Bank")
    tomorrow = (clock() + timedelta(days=1)).date().isoformat()

    async with nothing_changes():
        for row, given, expected in (
            (acme, {"name": "Bank"}, ("DUPLICATE", ["input", "name"])),
            (None, {"name": "Bank"}, ("DUPLICATE", ["input", "name"])),
            (None, {"name": " "}, ("REQUIRED", ["input", "name"])),
            (acme, {"historyStartsAt": tomorrow}, ("INVALID", ["input", "historyStartsAt"])),
            (acme, {"domains": ["acme"]}, ("INVALID", ["input", "domains"])),
            (
                None,
                {"name": "x", "organizationId": f"Organization_{NEVER}"},
                ("NOT_FOUND", ["input", "organizationId"]),
            ),
        ):
            assert refusal(await save(chief, row, **given)) == expected, given


async def test_one_name_entered_twice_at_once_is_one_organization(chief: Client) -> None:
    answers = await asyncio.gather(*(save(chief, None, name="Acme") for _ in range(3)))

    assert sorted(len(each["errors"]) for each in answers) == [0, 1, 1]
    assert {refusal(each)[0] for each in answers if each["errors"]} == {"DUPLICATE"}
    assert await Organization.filter(name="Acme").count() == 1


async def test_only_who_runs_the_desk_may(as_user: AsUser) -> None:
    """Not its owner either: what an organization is shown is agreed with the vendor."""
    acme = await make_organization("Acme")
    people = [await make_member(acme, OrganizationRole.OWNER), await make_staff(StaffRole.LEAD)]

    async with nothing_changes():
        for person in people:
            assert refusal(await save(as_user(person), acme, memberVisibility="OWN"))[0] == "FORBIDDEN"


async def test_a_chosen_window_counts_for_the_next_ticket_that_is_resolved(
    as_user: AsUser, chief: Client, clock: Clock
) -> None:
    """S64, S65: 4 days after it was resolved a reply reopens it under WEEK, and no longer under HOURS_72."""
    acme = await make_organization("Acme")
    ann, sam = await make_member(acme, name="Ann"), as_user(await make_staff())
    tickets = [await make_ticket(acme, ann) for _ in range(2)]
    resolve = "mutation($t: ID!) { ticketResolve(input: {ticketId: $t}) { errors { code } } }"

    await sam.ask(resolve, t=gid(tickets[0]))
    await save(chief, acme, lifecyclePreset="HOURS_72")
    await sam.ask(resolve, t=gid(tickets[1]))
    clock.advance(hours=96)

    assert (await reopen(as_user(ann), tickets[0]))["ticket"]["status"] == "OPEN"
    late = await reopen(as_user(ann), tickets[1])
    assert late["errors"][0]["code"] == "REOPEN_WINDOW_EXPIRED"
    assert (await models.Ticket.get(id=tickets[1].id)).status is TicketStatus.RESOLVED


async def test_members_who_see_their_own_alone_lose_what_they_watch_of_others(  # S03, J3
    as_user: AsUser, chief: Client
) -> None:
    """Every stream of a colleague's ticket ends; one's own, and an administrator's, go on."""
    acme = await make_organization("Acme")
    ann, bob = as_user(await make_member(acme, name="Ann")), await make_member(acme, name="Bob")
    boss, sam = as_user(await make_member(acme, OrganizationRole.ADMIN)), as_user(await make_staff())
    theirs, own = await make_ticket(acme, bob), await make_ticket(acme, ann.user)
    await make_escalation(theirs)
    async with AsyncExitStack() as stack:
        lost = [await stack.enter_async_context(ann.watch(each, t=gid(theirs))) for each in DOCUMENTS.values()]
        kept = [
            await stack.enter_async_context(client.watch(DOCUMENTS["messages"], t=gid(ticket)))
            for client, ticket in ((ann, own), (boss, theirs), (sam, theirs))
        ]
        for stream in (*lost, *kept):
            assert (await stream.next())["__typename"] == "StreamCaughtUp"

        assert (await save(chief, acme, memberVisibility="OWN"))["organization"]["memberVisibility"] == "OWN"
        for ticket in (theirs, own):
            await send(sam, ticket, "after")

        for stream in lost:
            data, errors = await stream.result()
            assert (data, codes(errors)) == (None, ["NOT_FOUND"])
        for stream in kept:
            assert (await stream.next())["message"] == {"body": "after"}
    assert await ann.ask(TICKET, t=gid(theirs)) == {"ticket": None}
    assert await access_events() == [{"organization": str(acme.id)}]


async def test_a_list_that_is_being_watched_is_narrowed_and_widened_at_once(  # S03, S26, J3
    as_user: AsUser, chief: Client
) -> None:
    acme = await make_organization("Acme")
    ann, bob = await make_member(acme, name="Ann"), await make_member(acme, name="Bob")
    sam = as_user(await make_staff())
    theirs, own = await make_ticket(acme, bob), await make_ticket(acme, ann)
    async with (
        as_user(ann).watch(TICKETS, scope="ALL", filter=None) as everything,
        as_user(ann).watch(TICKETS, scope="ORGANIZATION", o=gid(acme), filter=None) as organizations,
    ):
        for stream in (everything, organizations):
            assert (await stream.next())["__typename"] == "StreamCaughtUp"
        await save(chief, acme, memberVisibility="OWN")

        item = await everything.next()
        assert (item["__typename"], item["reason"]) == ("StreamReset", "ACCESS_CHANGED")
        assert codes((await organizations.result())[1]) == ["FORBIDDEN"]
        await send(sam, theirs)
        await send(sam, own)
        assert told(await everything.next()) == ("UPDATED", gid(own))

        await save(chief, acme, memberVisibility="OPEN")
        assert (await everything.next())["reason"] == "ACCESS_CHANGED"
        await send(sam, theirs)
        assert told(await everything.next()) == ("UPDATED", gid(theirs))


@pytest.mark.parametrize(
    ("chosen", "code"),
    [
        ({"historyStartsAt": "2026-01-06"}, "NOT_FOUND"),
        ({"historyAvailability": "UNAVAILABLE_REGULATORY"}, "HISTORY_UNAVAILABLE"),
    ],
)
async def test_what_is_kept_from_an_organization_ends_the_streams_of_its_people(  # S11, S12, J3
    as_user: AsUser, chief: Client, chosen: dict[str, str], code: str
) -> None:
    acme = await make_organization("Acme")
    ann, sam = await make_member(acme, OrganizationRole.OWNER), as_user(await make_staff())
    ticket = await make_ticket(acme, ann)
    async with (
        as_user(ann).watch(DOCUMENTS["messages"], t=gid(ticket)) as stream,
        as_user(ann).watch(TICKETS, scope="MINE", filter=None) as mine,
        sam.watch(DOCUMENTS["messages"], t=gid(ticket)) as support,
    ):
        for each in (stream, mine, support):
            assert (await each.next())["__typename"] == "StreamCaughtUp"

        assert (await save(chief, acme, **chosen))["errors"] == []
        await send(sam, ticket, "after")

        assert codes((await stream.result())[1]) == [code]
        assert (await support.next())["message"] == {"body": "after"}
        if code == "NOT_FOUND":
            assert (await mine.next())["reason"] == "ACCESS_CHANGED"
        else:
            assert codes((await mine.result())[1]) == [code]


async def test_a_partner_files_for_the_customers_that_it_was_given(as_user: AsUser, chief: Client) -> None:
    """S08: until they are taken from it; what it filed before stays its own. Its customers do not see who it is."""
    partner, bank = await make_organization("Partner"), await make_organization("Bank")
    ann, teller = as_user(await make_member(partner)), as_user(await make_member(bank, OrganizationRole.OWNER))
    await make_request_type()
    customers = "query($o: ID!) { organization(id: $o) { partner { name } customers { nodes { name } } } }"

    async def filed() -> str | None:
        made = await create(ann, partner, onBehalfOfOrganizationId=gid(bank))
        return made["errors"][0]["code"] if made["errors"] else None

    before = await filed()
    given = await save(chief, bank, partnerId=gid(partner))
    kept = await save(chief, bank, memberVisibility="OWN")
    during = await filed()
    shown = [await chief.ask(customers, o=gid(each)) for each in (partner, bank)]
    of_teller = await teller.ask(customers, o=gid(bank))
    taken = await save(chief, bank, partnerId=None)
    after = await filed()

    assert (before, during, after) == ("FORBIDDEN", None, "FORBIDDEN")
    assert [each["organization"]["version"] for each in (given, kept, taken)] == [2, 3, 4]
    assert [each["organization"] for each in shown] == [
        {"partner": None, "customers": {"nodes": [{"name": "Bank"}]}},
        {"partner": {"name": "Partner"}, "customers": {"nodes": []}},
    ]
    assert of_teller["organization"]["partner"] is None
    (ticket,) = await models.Ticket.all()
    assert (ticket.organization_id, ticket.on_behalf_of_id) == (partner.id, bank.id)


async def test_no_two_organizations_are_each_others_partner(chief: Client) -> None:  # S08
    partner = await make_organization("Partner")
    bank = await make_organization("Bank", partner=partner)

    async with nothing_changes():
        found = [
            refusal(await save(chief, row, partnerId=given))
            for row, given in (
                (bank, gid(bank)),
                (partner, gid(bank)),
                (bank, f"Organization_{NEVER}"),
                (bank, f"User_{NEVER}"),
            )
        ]

    assert found == [(code, ["input", "partnerId"]) for code in ("INVALID", "INVALID", "NOT_FOUND", "INVALID")]
