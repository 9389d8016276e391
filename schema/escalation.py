"""Escalations and the entries of their stages."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import lazy
from tortoise.expressions import Q

import models
from domain import policy
from domain.enums import EscalationStage
from domain.escalation import requires_customer_action
from engine.keyset import Order
from schema.access import guarded
from schema.enums import DeniedBehavior
from schema.node import Node, entity
from schema.paging import Connection
from schema.people import Actor, actor_of
from schema.relations import derived, pages_of, to_one
from schema.scalars import Cursor, Markdown

if TYPE_CHECKING:
    from schema.ticket import Ticket

BY_SEQUENCE = Order("escalation timeline", "sequence", kind="int")


@entity(models.EscalationEntry, description="A stage that an escalation entered.")
class EscalationTimelineEntry(Node):
    escalation: Annotated["Escalation", lazy("schema.escalation")] = to_one(
        "escalation", "The escalation.", implied=True
    )
    stage: EscalationStage = strawberry.field(description="The stage entered.")
    entered_at: datetime = strawberry.field(description="When.")
    actor: Actor | None = actor_of("Who moved it there; null once the account is gone.")
    sequence: int = strawberry.field(description="1, 2, 3 … within the escalation.")
    cursor: Cursor = derived(
        ("sequence", "id"),
        lambda sequence, key: BY_SEQUENCE.cursor_at(sequence, str(key)),
        "Its place in the escalation's timeline.",
    )
    note: Markdown | None = strawberry.field(description="What was said about it.")
    is_override: bool = strawberry.field(description="Whether support resolved it for a silent customer.")
    estimated_resolution_at: datetime | None = strawberry.field(description="The estimate at that time.")
    internal_note: Markdown | None = strawberry.field(
        description="What staff noted about it for staff.",
        directives=guarded(policy.STAFF_ONLY, DeniedBehavior.NULL_SILENT),
    )


@entity(models.Escalation, description="A ticket's way through engineering, stage by stage.")
class Escalation(Node):
    reference: str = strawberry.field(description="What people quote: `CP-…`.")
    ticket: Annotated["Ticket", lazy("schema.ticket")] = to_one("ticket", "The ticket it belongs to.", implied=True)
    issue_description: Markdown = strawberry.field(description="The issue, as it was handed to engineering.")
    stage: EscalationStage = strawberry.field(description="How far it has come.")
    submitted_at: datetime = strawberry.field(description="When it was submitted.")
    submitted_by: Actor | None = actor_of("Who submitted it; null once the account is gone.", "submitted_by_id")
    estimated_resolution_at: datetime | None = strawberry.field(
        description="When a solution may be there; null: unknown."
    )
    estimate_is_guaranteed: bool = derived((), lambda: False, "Always false: an estimate is never a promise.")
    requires_customer_action: bool = derived(
        "stage",
        lambda stage: requires_customer_action(EscalationStage(stage)),
        "Whether the customer is asked to confirm or reject a solution.",
    )
    timeline: Connection[EscalationTimelineEntry] = pages_of(
        models.EscalationEntry,
        "escalation_id",
        BY_SEQUENCE,
        "Every stage it entered, first one first.",
        seen=lambda viewer: Q(),
    )
    resolved_at: datetime | None = strawberry.field(description="When it was over; null while it is under way.")
    created_at: datetime = derived("submitted_at", lambda moment: moment, "The same as `submittedAt`.")
    updated_at: datetime = strawberry.field(description="When anything of it last changed.")
