"""A ticket's timeline: everything that was said and that happened, in one order."""

from typing import Annotated, Any

import strawberry
from strawberry import Info, Parent
from tortoise import Model
from tortoise.expressions import Q

import models
from domain.enums import MessageKind, TimelineEventKind, TimelineKind
from engine.declare import PLAN, Merged, Pages
from resolvers.reading import merged_children
from schema.paging import After, Before, First, Last, page_args
from schema.timeline import timeline_order

TABLES = (models.Message, models.TimelineEvent)

_ASSIGNED = Q(field="assignee")

KINDS: dict[TimelineKind, tuple[type[Model], Q]] = {
    TimelineKind.MESSAGES: (models.Message, Q(kind=MessageKind.CHAT)),
    TimelineKind.EMAILS: (models.Message, Q(kind=MessageKind.EMAIL)),
    TimelineKind.NOTES: (models.Message, Q(kind=MessageKind.NOTE)),
    TimelineKind.STATUS: (models.TimelineEvent, Q(kind=TimelineEventKind.STATUS)),
    TimelineKind.ASSIGNMENT: (models.TimelineEvent, Q(kind=TimelineEventKind.FIELD) & _ASSIGNED),
    TimelineKind.ESCALATION: (models.TimelineEvent, Q(kind=TimelineEventKind.ESCALATION)),
    TimelineKind.FOLLOWERS: (models.TimelineEvent, Q(kind=TimelineEventKind.PARTICIPANT)),
    TimelineKind.LINKS: (models.TimelineEvent, Q(kind=TimelineEventKind.LINK)),
    TimelineKind.CALLS: (models.TimelineEvent, Q(kind=TimelineEventKind.CALL, conference_call_id__isnull=False)),
    TimelineKind.APPOINTMENTS: (models.TimelineEvent, Q(kind=TimelineEventKind.CALL, appointment_id__isnull=False)),
    TimelineKind.FEEDBACK: (models.TimelineEvent, Q(kind=TimelineEventKind.FEEDBACK)),
    TimelineKind.RESOURCES: (models.TimelineEvent, Q(kind=TimelineEventKind.RESOURCE)),
    TimelineKind.FIELDS: (models.TimelineEvent, Q(kind=TimelineEventKind.FIELD) & ~_ASSIGNED),
}
"""Which rows are of a kind, and where they are."""


def narrow(table: type[Model], kinds: Any) -> Q | None:
    """The rows of a table that are of one of the kinds; None where none of its rows can be.

    Raises:
        ValueError: there is no such kind.
    """
    given = sorted({TimelineKind(each) for each in (kinds if isinstance(kinds, list) else [kinds])})
    wanted = [which for of, which in (KINDS[each] for each in given) if of is table]
    return Q(*wanted, join_type=Q.OR) if wanted else None


PLANNED = Merged(
    tuple(Pages(each, "ticket_id", timeline_order, each.shown_on_readable_ticket) for each in TABLES), "kinds", narrow
)


def timeline(
    root: Parent[models.Ticket],
    info: Info,
    kinds: Annotated[
        list[TimelineKind] | None, strawberry.argument(description="Only items of one of these kinds; null: all.")
    ] = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Any:
    viewer = info.context.viewer
    queries = []
    for table in TABLES:
        wanted = Q() if kinds is None else narrow(table, kinds)
        if wanted is not None:
            queries.append(table.filter(table.shown_on_readable_ticket(viewer)).filter(wanted))
    args = page_args(first, after, last, before)
    order = timeline_order(viewer)
    return merged_children(info.context, queries, "ticket_id", root.id, order, args, variant=str(kinds))


def the_timeline(description: str) -> Any:
    """The field of the ticket."""
    return strawberry.field(resolver=timeline, description=description, metadata={PLAN: PLANNED})
