"""Changing what a ticket says of itself: told field by field, and never over somebody else's change (J8, S66)."""

from typing import Any

import pytest

import models
from domain.enums import TicketStatus
from tests.api.operations import mutate, refusal
from tests.api.world import gid, nothing_changes
from tests.client import Client
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import make_member, make_organization, make_request_type, make_staff, make_ticket

pytestmark = pytest.mark.anyio


async def test_each_field_that_changes_is_told_in_words_and_the_version_grows_once(as_user: AsUser) -> None:  # J8
    acme, kind = await make_organization(), await make_request_type()
    ann = await make_member(acme)
    audio, video = [await models.IssueType.create(request_type=kind, name=name) for name in ("Audio", "Video")]
    sort = await models.Classification.create(request_type=kind, name="Trouble")
    ticket = await make_ticket(acme, ann, request_type=kind, issue_type=audio)
    given = {"subject": " No  sound ", "priority": "HIGH", "issueTypeId": gid(video), "classificationId": gid(sort)}

    changed = await update(as_user(ann), ticket, expectedVersion=1, **given)
    async with nothing_changes():
        again = await update(as_user(ann), ticket, **given)

    assert changed["errors"] == []
    assert changed["ticket"] == again["ticket"]
    assert changed["ticket"] == {
        "version": 2,
        "subject": "No sound",
        "priority": "HIGH",
        "severity": "UNKNOWN",
        "issueType": {"name": "Video"},
        "classification": {"name": "Trouble"},
    }
    told = await models.TimelineEvent.filter(ticket=ticket).order_by("sequence")
    assert [(each.field, each.old_value, each.new_value) for each in told] == [
        ("subject", "The camera stays black", "No sound"),
        ("priority", "NORMAL", "HIGH"),
        ("classification", None, "Trouble"),
        ("issueType", "Audio", "Video"),
    ]


async def test_what_cannot_be_changed_is_refused_as_a_whole(as_user: AsUser, clock: Clock) -> None:
    """J8, S66."""
    acme, kind, other = await make_organization(), await make_request_type(), await make_request_type("BILLING")
    ann, sam = await make_member(acme), await make_staff()
    foreign = await models.IssueType.create(request_type=other, name="Invoice")
    ticket = await make_ticket(acme, ann, request_type=kind, version=2)
    closed = await make_ticket(acme, ann, status=TicketStatus.CLOSED, closed_at=clock())

    async with nothing_changes():
        stale = await update(as_user(sam), ticket, severity="CRITICAL", expectedVersion=1)
        final = await update(as_user(sam), closed, severity="CRITICAL")
        wrong = await update(as_user(ann), ticket, severity="CRITICAL", issueTypeId=gid(foreign))
        texts = [await update(as_user(ann), ticket, subject=each) for each in (" ", "a\x00b", "x" * 301)]

    assert refusal(stale) == ("STALE_VERSION", ["input", "expectedVersion"])
    assert stale["errors"][0]["currentVersion"] == 2
    assert refusal(final)[0] == "TICKET_CLOSED"
    assert refusal(wrong) == ("NOT_FOUND", ["input", "issueTypeId"])
    assert [refusal(each) for each in texts] == [
        (code, ["input", "subject"]) for code in ("REQUIRED", "INVALID", "INVALID")
    ]


async def update(client: Client, ticket: models.Ticket, **given: Any) -> Any:
    selection = "ticket { version subject priority severity issueType { name } classification { name } }"
    return await mutate(client, "ticketUpdate", selection, ticketId=gid(ticket), **given)
