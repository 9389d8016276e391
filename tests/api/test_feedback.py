"""What customers think of the support they got: once, at the end, and told to whoever watches (S71)."""

from typing import Any

import pytest

import models
from domain.enums import TicketStatus
from tests.api.operations import mutate, refusal
from tests.api.world import gid, nothing_changes
from tests.client import Client
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import make_member, make_organization, make_ticket

pytestmark = pytest.mark.anyio

GIVEN = "feedback { rating comment submittedAt submittedBy { displayName } }"
WATCH = """subscription($t: ID!) { ticket(ticketId: $t) { ... on StreamCaughtUp { cursor } ... on TicketChange {
  changedFields ticket { version feedback { rating } viewerPermissions { canLeaveFeedback } }
  item { __typename sequence actor { displayName } ... on FeedbackSubmittedEvent { feedback { rating comment } } } } }
}"""


@pytest.mark.parametrize("status", [TicketStatus.RESOLVED, TicketStatus.CLOSED])
async def test_feedback_is_left_once_after_the_end_and_stands_on_the_timeline(
    as_user: AsUser, clock: Clock, status: TicketStatus
) -> None:  # S71
    acme = await make_organization()
    ann = await make_member(acme, name="Ann")
    ticket = await make_ticket(acme, ann, status=status, resolved_at=clock(), closed_at=clock())

    async with as_user(ann).watch(WATCH, t=gid(ticket)) as stream:
        assert "cursor" in await stream.next()
        left = await submit(as_user(ann), ticket, 4, comment="Fast.\r\nThanks")
        told = await stream.next()
    async with nothing_changes():
        again = await submit(as_user(ann), ticket, 5)

    assert left["errors"] == []
    assert left["feedback"] == {
        "rating": 4,
        "comment": "Fast.\nThanks",
        "submittedAt": "2026-03-02T09:00:00.000000Z",
        "submittedBy": {"displayName": "Ann"},
    }
    assert told == {
        "changedFields": ["feedback", "lastSequence"],
        "ticket": {"version": 1, "feedback": {"rating": 4}, "viewerPermissions": {"canLeaveFeedback": False}},
        "item": {
            "__typename": "FeedbackSubmittedEvent",
            "sequence": 1,
            "actor": {"displayName": "Ann"},
            "feedback": {"rating": 4, "comment": "Fast.\nThanks"},
        },
    }
    assert refusal(again) == ("FEEDBACK_ALREADY_SUBMITTED", None)


@pytest.mark.parametrize("status", ["NEW", "OPEN", "PENDING_CUSTOMER", "ON_HOLD"])
async def test_there_is_no_feedback_before_the_end(as_user: AsUser, status: str) -> None:  # S71
    acme = await make_organization()
    ann = await make_member(acme)
    ticket = await make_ticket(acme, ann, status=status)

    async with nothing_changes():
        refused = await submit(as_user(ann), ticket, 5)

    assert refusal(refused) == ("CONFLICT", None)


async def test_a_rating_is_from_one_to_five_and_a_comment_can_be_stored(as_user: AsUser, clock: Clock) -> None:  # S71
    acme = await make_organization()
    ann = await make_member(acme)
    low, high = [await make_ticket(acme, ann, status=TicketStatus.CLOSED, closed_at=clock()) for _ in range(2)]

    async with nothing_changes():
        ratings = [await submit(as_user(ann), low, rating) for rating in (0, 6, -1, 2**31 - 1)]
        comments = [await submit(as_user(ann), low, 1, comment=each) for each in ("a\x00b", "x" * 64_001)]
    worst, best = await submit(as_user(ann), low, 1, comment=" \n"), await submit(as_user(ann), high, 5)

    assert [refusal(each) for each in ratings] == [("INVALID", ["input", "rating"])] * 4
    assert [refusal(each) for each in comments] == [("INVALID", ["input", "comment"])] * 2
    assert [(each["feedback"]["rating"], each["feedback"]["comment"]) for each in (worst, best)] == [
        (1, None),
        (5, None),
    ]


async def submit(client: Client, ticket: models.Ticket, rating: int, **given: Any) -> Any:
    return await mutate(client, "feedbackSubmit", GIVEN, ticketId=gid(ticket), rating=rating, **given)
