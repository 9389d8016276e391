"""What is known of a ticket at one moment, as plain values: what rights, scopes and filters of live lists look at.

The facts of a moment are read in one statement, are the same text on either engine, and fit into an event of the log:
so it can be told later, for any viewer and filter, whether the ticket was in a list before it changed.
"""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise.expressions import RawSQL
from tortoise.queryset import QuerySet

from domain.enums import Confidentiality
from domain.policy import TicketFacts
from engine.instants import instant_text
from engine.statements import dialect_of
from models import Ticket

Facts = Mapping[str, Any]
"""By name: text, a truth value, None, or the members of a set. A name that is missing is not known."""

COLUMNS = (
    "organization_id",
    "on_behalf_of_id",
    "requester_id",
    "owner_id",
    "assignee_id",
    "confidentiality",
    "status",
    "is_escalated",
    "channel",
    "priority",
    "space_id",
    "product_id",
    "issue_type_id",
    "service_level",
    "last_activity_at",
)

FIXED = ("created_at", "reference")
"""Columns that never change: what is true of them now was true before."""

LOOKED_UP = {
    "request_type_key": 'SELECT "key" FROM "request_type" WHERE "id" = "ticket"."request_type_id"',
    "history_availability": 'SELECT "history_availability" FROM "organization" WHERE "id" = "ticket"."organization_id"',
    "history_starts_at": 'SELECT "history_starts_at" FROM "organization" WHERE "id" = "ticket"."organization_id"',
}

SETS = {
    "participant_ids": 'SELECT {} FROM "participant" WHERE "ticket_id" = "ticket"."id"',
    "follower_ids": 'SELECT {} FROM "follower" WHERE "ticket_id" = "ticket"."id"',
    "device_ids": 'SELECT {} FROM "ticket_device" WHERE "ticket_id" = "ticket"."id"',
    "escalation_references": 'SELECT {} FROM "escalation" WHERE "ticket_id" = "ticket"."id"',
}
"""What there may be several of. `{}` takes them all."""

_MEMBERS = {
    "participant_ids": "user_id",
    "follower_ids": "user_id",
    "device_ids": "device_id",
    "escalation_references": "reference",
}
_TOGETHER = {"sqlite": 'group_concat("{}")', "postgres": "string_agg(\"{}\"::text, ',')"}


def with_facts(query: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """The same rows, each with all that `facts_of` needs, in the same statement."""
    together = _TOGETHER[dialect_of(Ticket)]
    sets = {name: sql.format(together.format(_MEMBERS[name])) for name, sql in SETS.items()}
    return query.annotate(**{name: RawSQL(f"({sql})") for name, sql in (LOOKED_UP | sets).items()})


def facts_of(row: Ticket) -> dict[str, Any]:
    """The facts of a row that was read `with_facts`."""
    known = {name: as_fact(getattr(row, name)) for name in (*COLUMNS, *FIXED, *LOOKED_UP)}
    return known | {name: _members(getattr(row, name)) for name in SETS}


def as_fact(value: Any) -> Any:
    """A value of a column as it stands among facts: an id in 22 letters, an instant as text."""
    match value:
        case UUID():
            return base64.urlsafe_b64encode(value.bytes).decode().rstrip("=")
        case datetime():
            return instant_text(value)
        case str():
            return str(value)
        case _:
            return value


def as_id(fact: str | None) -> UUID | None:
    """The id that `as_fact` made a fact of."""
    return UUID(bytes=base64.urlsafe_b64decode(f"{fact}==")) if fact else None


RIGHTS = ("organization_id", "requester_id", "owner_id", "assignee_id", "confidentiality")
"""The columns that `rights_of` looks at, apart from those that never change."""


def rights_of(facts: Facts, user_id: UUID | None) -> TicketFacts:
    """What `domain.policy` decides about a viewer by.

    Whoever is not known to take part does: such facts are looked at only for people that the event was sent to.
    """
    organization_id = as_id(facts["organization_id"])
    assert organization_id is not None
    people = facts.get("participant_ids")
    return TicketFacts(
        organization_id=organization_id,
        requester_id=as_id(facts["requester_id"]),
        owner_id=as_id(facts["owner_id"]),
        assignee_id=as_id(facts["assignee_id"]),
        confidentiality=Confidentiality(facts["confidentiality"]),
        created_at=datetime.fromisoformat(facts["created_at"]),
        is_participant=people is None or as_fact(user_id) in people,
    )


def _members(found: str | None) -> list[str]:
    return sorted(_short(each) for each in found.split(",")) if found else []


def _short(member: str) -> str:
    return str(as_fact(UUID(member))) if len(member) == 36 else member
