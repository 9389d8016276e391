"""A ticket taken away as a file: what is in it, for whom, and who may still fetch it (S72, S07, J4)."""

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

import models
from domain.enums import (
    Confidentiality,
    EscalationStage,
    HistoryAvailability,
    MemberVisibility,
    MessageKind,
    TimelineEventKind,
    Visibility,
)
from resolvers.exported import EVENTS, MESSAGES
from schema.node import TABLES
from tests.api.operations import mutate, send
from tests.api.world import gid, make_world, nothing_changes
from tests.client import Client
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import LONG_AGO, make_file, make_message, make_ticket
from tests.server.exports.conftest import Fetch, Work, ask_for, state

pytestmark = pytest.mark.anyio


async def exported(client: Client, work: Work, fetch: Fetch, ticket: models.Ticket, **given: Any) -> Any:
    """The JSON file of a ticket."""
    job = await ask_for(client, ticket, format="JSON", **given)
    assert await work()
    answer = await fetch(client, job)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.content)


async def test_a_file_has_everything_of_the_ticket_that_its_reader_may_see(
    as_user: AsUser, work: Work, fetch: Fetch, clock: Clock
) -> None:  # S72, S34, S41
    world = await make_world()

    file = await exported(as_user(world["author"]), work, fetch, world.ticket)

    assert {name: file[name] for name in ("kind", "version", "exportedAt", "includesInternal")} == {
        "kind": "casewire.ticket",
        "version": 1,
        "exportedAt": clock().isoformat(timespec="microseconds").replace("+00:00", "Z"),  # S40
        "includesInternal": False,
    }
    author = {"id": gid(world["author"]), "displayName": "author", "isStaff": False}
    assert file["exportedBy"] == author
    ticket = file["ticket"]
    assert {name: ticket[name] for name in ("id", "reference", "subject", "status", "displayStatus", "createdAt")} == {
        "id": gid(world.ticket),
        "reference": world.ticket.reference,
        "subject": "The camera stays black",
        "status": "OPEN",
        "displayStatus": "ESCALATED",
        "createdAt": "2026-01-05T08:00:00.000000Z",
    }
    assert (ticket["requester"], ticket["organization"]["name"], ticket["space"]["name"]) == (author, "Acme", "Rome")
    assert [each["serialNumber"] for each in ticket["devices"]] == ["SN-1"]
    assert [each["user"]["displayName"] for each in file["participants"]] == ["helper"]
    (escalation,) = file["escalations"]
    assert (escalation["reference"], escalation["stage"]) == (world.escalation.reference, EscalationStage.SUBMITTED)
    assert [(each["stage"], each["note"]) for each in escalation["timeline"]] == [("SUBMITTED", "We are on it")]
    assert file["feedback"]["rating"] == 4
    assert [(item["type"], item["sequence"]) for item in file["timeline"]] == [
        ("ChatMessage", 1),
        ("EscalationStageChangedEvent", 2),
        ("ParticipantChangedEvent", 3),
        ("CallChangedEvent", 4),
    ]
    assert [each for each in ("joinUrl", "passcode", "meet.example") if each in json.dumps(file)] == []  # S55
    assert (file["timeline"][0]["body"], file["timeline"][0]["attachments"][0]["fileName"]) == (
        "It is broken",
        "log.txt",
    )


async def test_nothing_internal_is_in_a_customers_file_and_no_number_tells_of_it(
    as_user: AsUser, work: Work, fetch: Fetch
) -> None:  # J7
    world = await make_world()
    answer = await make_message(world.ticket, world["agent"], "On it", in_reply_to=world.internal)
    hidden = await make_file(world["agent"], "secret.txt", message=world.internal, ticket=world.ticket)
    await models.Attachment.filter(id=hidden.id).update(visibility=Visibility.INTERNAL)

    file = await exported(as_user(world["author"]), work, fetch, world.ticket)

    text = json.dumps(file)
    assert [
        each for each in ("upset", "Known defect", "secret.txt", "internalNote", str(world.internal.id)) if each in text
    ] == []
    assert [item["sequence"] for item in file["timeline"]] == [1, 2, 3, 4, 5]
    assert file["timeline"][-1]["id"] == gid(answer)
    assert file["timeline"][-1]["inReplyTo"] is None


async def test_support_gets_what_is_internal_only_where_it_is_asked_for(
    as_user: AsUser, work: Work, fetch: Fetch
) -> None:  # S72, J7
    world = await make_world()
    agent = as_user(world["agent"])

    plain = await exported(agent, work, fetch, world.ticket)
    whole = await exported(agent, work, fetch, world.ticket, includeInternal=True)

    assert [item.get("body") for item in plain["timeline"]] == ["It is broken", None, None, None]
    assert [item.get("body") for item in whole["timeline"]] == ["It is broken", "Customer is upset", None, None, None]
    assert [item["sequence"] for item in whole["timeline"]] == [1, 2, 3, 4, 5]
    assert "internalNote" not in plain["escalations"][0]["timeline"][0]
    assert whole["escalations"][0]["timeline"][0]["internalNote"] == "Known defect 17"


async def test_a_customer_who_asks_for_what_is_internal_is_refused_and_nothing_is_made(
    as_user: AsUser,
) -> None:  # S72, J7
    world = await make_world()

    for name in ("author", "owner", "helper"):
        async with nothing_changes():
            refusal = await refused(as_user(world[name]), world.ticket, includeInternal=True)
        assert (refusal["code"], refusal["field"]) == ("FORBIDDEN", ["input", "includeInternal"])
        assert "Leave `includeInternal` out" in refusal["message"]


async def refused(client: Client, ticket: models.Ticket, **given: Any) -> Any:
    made = await mutate(
        client, "ticketExport", "job { id } errors { code field message }", ticketId=gid(ticket), **given
    )
    assert made["job"] is None
    (error,) = made["errors"]
    return error


async def test_what_is_for_its_author_alone_is_exported_by_nobody_else(
    as_user: AsUser, work: Work, fetch: Fetch
) -> None:  # S07
    world = await make_world(confidentiality=Confidentiality.AUTHOR_ONLY)

    for name in ("owner", "admin", "requests", "member", "helper", "stranger"):
        async with nothing_changes():
            assert (await refused(as_user(world[name]), world.ticket))["code"] == "NOT_FOUND"

    for name in ("author", "agent"):
        file = await exported(as_user(world[name]), work, fetch, world.ticket)
        assert file["ticket"]["reference"] == world.ticket.reference


async def test_history_that_is_withheld_is_not_exported_either(as_user: AsUser) -> None:  # S11, S12
    world = await make_world()
    old = await make_ticket(world.acme, world["author"], created_at=LONG_AGO - timedelta(days=400))
    world.acme.history_starts_at = LONG_AGO
    await world.acme.save()

    assert (await refused(as_user(world["author"]), old))["code"] == "NOT_FOUND"
    world.acme.history_availability = HistoryAvailability.UNAVAILABLE_REGULATORY
    await world.acme.save()
    assert (await refused(as_user(world["author"]), world.ticket))["code"] == "HISTORY_UNAVAILABLE"


@pytest.mark.parametrize("name", ["reader", "helper", "member", "owner", "agent", "chief"])
async def test_whoever_may_read_a_ticket_may_take_it_away(
    as_user: AsUser, work: Work, fetch: Fetch, name: str
) -> None:  # S72, S15
    world = await make_world()

    file = await exported(as_user(world[name]), work, fetch, world.ticket)

    assert file["exportedBy"]["displayName"] == name
    seen = await as_user(world[name]).ask(
        "query($t: ID!) { ticket(id: $t) { viewerPermissions { canExport } } }", t=gid(world.ticket)
    )
    assert seen["ticket"]["viewerPermissions"] == {"canExport": True}


# --- rights that change


async def test_a_file_is_made_with_the_rights_of_when_it_is_made(as_user: AsUser, work: Work) -> None:  # S07, J3
    world = await make_world(MemberVisibility.OWN)
    job = await ask_for(as_user(world["helper"]), world.ticket)
    await models.Participant.filter(id=world.participant.id).delete()

    assert await work()

    found = await state(as_user(world["helper"]), job)
    assert (found["status"], found["resultUrl"]) == ("FAILED", None)
    (failure,) = found["failed"]
    assert failure == {
        "objectId": gid(world.ticket),
        "error": {"code": "NOT_FOUND", "message": "There is no such ticket."},
    }


async def test_a_file_is_handed_out_with_the_rights_of_when_it_is_fetched(
    as_user: AsUser, work: Work, fetch: Fetch
) -> None:  # S07, J4
    world = await make_world(MemberVisibility.OWN)
    helper = as_user(world["helper"])
    job = await ask_for(helper, world.ticket)
    assert await work()
    assert (await fetch(helper, job)).status_code == 200

    await models.Participant.filter(id=world.participant.id).delete()

    answer = await fetch(helper, job)
    assert (answer.status_code, answer.json()["error"]) == (404, "NOT_FOUND")


async def test_whoever_leaves_support_fetches_no_internal_file_any_more(
    as_user: AsUser, work: Work, fetch: Fetch
) -> None:  # J3, J7
    world = await make_world()
    agent = as_user(world["agent"])
    job = await ask_for(agent, world.ticket, includeInternal=True)
    assert await work()
    await models.Participant.create(ticket=world.ticket, user=world["agent"], role="PARTICIPANT", added_at=LONG_AGO)
    await models.Membership.create(organization=world.acme, user=world["agent"], role="MEMBER", joined_at=LONG_AGO)
    assert (await fetch(agent, job)).status_code == 200

    await models.User.filter(id=world["agent"].id).update(staff_role=None)

    assert (await fetch(agent, job)).status_code == 404
    public = await ask_for(agent, world.ticket)
    assert await work()
    assert (await fetch(agent, public)).status_code == 200


async def test_a_file_is_saved_and_never_shown(as_user: AsUser, work: Work, fetch: Fetch) -> None:  # S72
    world = await make_world()
    job = await ask_for(as_user(world["author"]), world.ticket, format="TXT")
    assert await work()

    answer = await fetch(as_user(world["author"]), job)

    assert {
        name: answer.headers[name] for name in ("content-type", "content-disposition", "x-content-type-options")
    } == {
        "content-type": "text/plain; charset=utf-8",
        "content-disposition": f"attachment; filename*=UTF-8''{world.ticket.reference}.txt",
        "x-content-type-options": "nosniff",
    }
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["cache-control"] == "private, no-store"
    assert int(answer.headers["content-length"]) == len(answer.content)


async def test_an_address_is_good_for_one_person_one_job_and_a_while(
    as_user: AsUser, work: Work, fetch: Fetch, http: Any, clock: Clock
) -> None:
    world = await make_world()
    first, second = [await ask_for(as_user(world["author"]), world.ticket) for _ in range(2)]
    assert await work()
    assert await work()
    url = (await state(as_user(world["author"]), first))["resultUrl"]

    async def status(address: str) -> int:
        return (await http.get(address)).status_code

    assert await status(url) == 200
    assert await status(url.replace(str(world["author"].id), str(world["owner"].id))) == 403
    assert await status(url.replace(first.partition("_")[2], second.partition("_")[2])) == 403
    assert await status(url.replace("/jobs/", "/attachments/")) == 404
    clock.advance(minutes=15)
    assert await status(url) == 403


async def test_unknown_languages_zones_and_formats_are_refused_with_what_to_do(as_user: AsUser) -> None:  # S40, S42
    world = await make_world()
    author = as_user(world["author"])
    wrong = [
        ({"locale": "xx"}, "locale", "en, fr, it, pt, ru"),
        ({"locale": "de"}, "locale", "en, fr, it, pt, ru"),
        ({"locale": ""}, "locale", "en, fr, it, pt, ru"),
        ({"locale": "\x00"}, "locale", "en, fr, it, pt, ru"),
        ({"timeZone": "Mars/Olympus"}, "timeZone", "Europe/Rome"),
        ({"timeZone": "../../etc/passwd"}, "timeZone", "Europe/Rome"),
        ({"timeZone": ""}, "timeZone", "Europe/Rome"),
        ({"timeZone": "x" * 5000}, "timeZone", "Europe/Rome"),
        ({"format": "CSV"}, "format", "PDF, JSON, TXT"),
    ]

    for given, field, hint in wrong:
        async with nothing_changes():
            refusal = await refused(author, world.ticket, **given)
        assert (refusal["code"], refusal["field"]) == ("INVALID", ["input", field]), given
        assert hint in refusal["message"]


async def test_a_file_is_in_ones_own_language_and_time_unless_others_are_asked_for(
    as_user: AsUser, work: Work, fetch: Fetch
) -> None:  # S40, S42
    world = await make_world()
    author = world["author"]
    author.locale, author.time_zone = "it-CH", "America/New_York"
    await author.save()

    async def text(**given: Any) -> str:
        job = await ask_for(as_user(author), world.ticket, format="TXT", **given)
        assert await work()
        return (await fetch(as_user(author), job)).text

    own, other = await text(), await text(locale="ru", timeZone="Europe/Moscow")

    assert ("Creato: 5 gen 2026, 03:00" in own, "America/New_York (UTC-05:00)" in own) == (True, True), own
    assert "Создано: 5 янв. 2026\u202fг., 11:00" in other, other
    assert ("It is broken" in own, "It is broken" in other) == (True, True)


async def test_what_comes_while_a_file_is_asked_for_is_in_it_and_everybody_gets_an_own_one(
    as_user: AsUser, work: Work, fetch: Fetch
) -> None:
    world = await make_world()
    names = ["author", "owner", "agent", "engineer"]
    jobs = [await ask_for(as_user(world[name]), world.ticket, format="JSON") for name in names]
    await send(as_user(world["author"]), world.ticket, "One more thing")

    for _ in jobs:
        assert await work()

    for name, job in zip(names, jobs, strict=True):
        file = json.loads((await fetch(as_user(world[name]), job)).content)
        assert (file["exportedBy"]["displayName"], file["timeline"][-1]["body"]) == (name, "One more thing")
    assert not await work()


def test_every_kind_of_item_has_its_type_s_name_in_the_api() -> None:  # S49
    named = {**MESSAGES, **EVENTS}

    assert named.keys() == {*MessageKind, *TimelineEventKind}
    for kind, name in named.items():
        assert TABLES[name].when(SimpleNamespace(kind=kind)), name
