"""What the database itself refuses, whoever writes and however."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from tortoise import Model
from tortoise.exceptions import IntegrityError

from domain.enums import EscalationStage, FollowerKind, TicketStatus, Visibility
from models.database import is_sqlite, open_database
from tests.models import rows
from tests.models.rows import NOW

pytestmark = pytest.mark.anyio

Given = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    name: str
    make: Callable[..., Awaitable[Model]]
    accepted: list[Given]
    refused: list[Given]


NUMBERED = {"visibility": Visibility.PUBLIC, "public_sequence": 1}
HIDDEN = {"visibility": Visibility.INTERNAL, "public_sequence": None}
LEAKED = {"visibility": Visibility.INTERNAL, "public_sequence": 1}
LOST = {"visibility": Visibility.PUBLIC, "public_sequence": None}
ONE_DAY = {"starts_at": date(2026, 5, 1), "ends_at": date(2026, 5, 1)}
BACKWARDS = {"starts_at": date(2026, 5, 2), "ends_at": date(2026, 5, 1)}

RULES = [
    Rule(
        "ticket_resolved_has_time",
        rows.ticket,
        accepted=[{"status": TicketStatus.RESOLVED, "resolved_at": NOW}, {"status": TicketStatus.OPEN}],
        refused=[{"status": TicketStatus.RESOLVED}, {"status": TicketStatus.RESOLVED, "closed_at": NOW}],
    ),
    Rule(
        "ticket_closed_has_time",
        rows.ticket,
        accepted=[{"status": TicketStatus.CLOSED, "closed_at": NOW}],
        refused=[{"status": TicketStatus.CLOSED}, {"status": TicketStatus.CLOSED, "resolved_at": NOW}],
    ),
    Rule("ticket_version_from_one", rows.ticket, accepted=[{"version": 1}], refused=[{"version": 0}]),
    Rule(
        "ticket_sequences_in_order",
        rows.ticket,
        accepted=[{"last_sequence": 2, "last_public_sequence": 2}, {"last_sequence": 2, "last_public_sequence": 0}],
        refused=[{"last_sequence": 2, "last_public_sequence": 3}, {"last_sequence": 2, "last_public_sequence": -1}],
    ),
    Rule("message_public_is_numbered", rows.message, accepted=[NUMBERED, HIDDEN], refused=[LEAKED, LOST]),
    Rule("timeline_event_public_is_numbered", rows.timeline_event, accepted=[NUMBERED, HIDDEN], refused=[LEAKED, LOST]),
    Rule(
        "escalation_resolved_has_time",
        rows.escalation,
        accepted=[{"stage": EscalationStage.RESOLVED, "resolved_at": NOW}, {"stage": EscalationStage.IN_REVIEW}],
        refused=[{"stage": EscalationStage.RESOLVED}],
    ),
    Rule(
        "follower_person_or_address",
        rows.follower,
        accepted=[
            {"kind": FollowerKind.EXTERNAL_EMAIL_ONLY, "user": None, "email": "ann@example.com"},
            {"kind": FollowerKind.INTERNAL},
        ],
        refused=[
            {"kind": FollowerKind.EXTERNAL_EMAIL_ONLY},
            {"kind": FollowerKind.INTERNAL, "email": "ann@example.com"},
            {"kind": FollowerKind.INTERNAL, "user": None},
            {"kind": FollowerKind.INTERNAL, "user": None, "email": "ann@example.com"},
        ],
    ),
    Rule(
        "feedback_rating_in_range",
        rows.feedback,
        accepted=[{"rating": 1}, {"rating": 5}],
        refused=[{"rating": 0}, {"rating": 6}],
    ),
    Rule("attachment_size_not_negative", rows.attachment, accepted=[{"size_bytes": 0}], refused=[{"size_bytes": -1}]),
    Rule("service_license_dates_in_order", rows.service_license, accepted=[ONE_DAY], refused=[BACKWARDS]),
    Rule("service_certificate_dates_in_order", rows.service_certificate, accepted=[ONE_DAY], refused=[BACKWARDS]),
    Rule("notification_is_about_one_thing", rows.notification, accepted=[{}], refused=[{"ticket": None}]),
    Rule(
        "read_mark_sequences_in_order",
        rows.read_mark,
        accepted=[{"sequence": 3, "public_sequence": 3}, {}],
        refused=[{"sequence": 3, "public_sequence": 4}, {"sequence": 3, "public_sequence": -1}],
    ),
    Rule(
        "app_user_email_lower_case",
        rows.user,
        accepted=[{"email": "ann@example.com"}],
        refused=[{"email": "Ann@example.com"}],
    ),
    Rule(
        "feed_stream_floor_below_head",
        rows.feed_stream,
        accepted=[{"head": 3, "floor": 3}, {"head": 0, "floor": 0}],
        refused=[{"head": 3, "floor": 4}, {"head": 3, "floor": -1}],
    ),
]


async def test_rows_that_break_a_rule_are_refused_and_rows_at_its_edge_go_in(url: str) -> None:
    async with open_database(url):
        for rule in RULES:
            for given in rule.accepted:
                await rule.make(**given)
            for given in rule.refused:
                with pytest.raises(IntegrityError, match=rule.name):
                    await rule.make(**given)


async def test_a_row_cannot_be_changed_into_one_that_breaks_a_rule(url: str) -> None:
    async with open_database(url):
        ticket = await rows.ticket()

        with pytest.raises(IntegrityError, match="ticket_closed_has_time"):
            await type(ticket).filter(id=ticket.id).update(status=TicketStatus.CLOSED)

        assert (await type(ticket).get(id=ticket.id)).status is TicketStatus.NEW


async def test_a_ticket_has_one_active_escalation_and_any_number_of_resolved_ones(url: str) -> None:
    async with open_database(url):
        ticket, other = await rows.ticket(), await rows.ticket()
        await rows.escalation(ticket=ticket, stage=EscalationStage.RESOLVED, resolved_at=NOW)
        await rows.escalation(ticket=ticket, stage=EscalationStage.RESOLVED, resolved_at=NOW)
        active = await rows.escalation(ticket=ticket)
        await rows.escalation(ticket=other)

        refusal = "escalation.ticket_id" if is_sqlite(url) else "escalation_one_active"
        with pytest.raises(IntegrityError, match=refusal):
            await rows.escalation(ticket=ticket, stage=EscalationStage.IN_REVIEW)

        active.stage, active.resolved_at = EscalationStage.RESOLVED, NOW
        await active.save()
        await rows.escalation(ticket=ticket)
