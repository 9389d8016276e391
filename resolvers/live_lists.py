"""Lists of tickets, shown live: for every event and every watcher, whether the ticket came in, changed or went.

Nothing is read for a watcher. The ticket is read once for an event and a process; the viewer's rights, the scope and
the filter are asked about facts in memory, of the ticket as it was before the event and as it is now.
"""

from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

from domain import policy
from domain.enums import ChangeType, StreamResetReason, TicketListScope
from domain.errors import NotFound, Required
from domain.live_lists import change_in_list
from domain.policy import OrganizationFacts, Viewer
from realtime.cursor import Cursor
from realtime.hub import CaughtUp, Delivered, Guard, Moved, Reset
from realtime.log import Event
from resolvers.access import rests_on
from resolvers.context import Context
from resolvers.list_topics import DESK, list_of_organization, list_of_person, list_of_unclaimed
from resolvers.shared_reads import TicketNow
from resolvers.ticket_facts import Facts, rights_of
from resolvers.ticket_filters import Question, TicketFilter, all_hold, among, negated, overlapping, question
from resolvers.ticket_lists import in_scope
from resolvers.ticket_streams import TicketChange
from resolvers.viewers import load_again


@dataclass(frozen=True, slots=True)
class LiveList:
    """What somebody watches: the stream that tells it, and the question that a ticket of the list answers with yes."""

    topic: str
    holds: Question


async def watch_tickets(
    ctx: Context,
    *,
    scope: TicketListScope,
    organization_id: UUID | None,
    filter: TicketFilter | None,
    after: Cursor | None,
) -> AsyncGenerator[TicketChange | CaughtUp | Reset, None]:
    """The changes of a list after `after`, in commit order, without end; as `watch_messages`.

    A `Reset` with ACCESS_CHANGED where the viewer's rights have become others: then the list has to be loaded again.

    Raises:
        Unauthenticated, Required, NotFound, Forbidden: as `list_tickets`; also as soon as it would raise it.
        Required: a customer who belongs to several organizations asks for ALL of them.
        Invalid: the filter asks for something that cannot be told from the ticket alone.

    Source: S26, S99, J1, J3, J4.
    """
    caught_up, lost = False, None
    while True:
        live = live_list(ctx, scope, organization_id, filter)
        guard = _watching(ctx, scope, organization_id)
        try:
            async with aclosing(ctx.services.hub.follow(live.topic, after, guard=guard, lost=lost)) as steps:
                async for step in steps:
                    match step:
                        case Delivered(event, cursor):
                            change = await change_for(ctx, live, event, cursor)
                            if change is not None:
                                ctx.refresh()
                                yield change
                        case CaughtUp() if caught_up:
                            continue
                        case _:
                            yield step
                            caught_up |= isinstance(step, CaughtUp)
            return
        except Moved:
            after, lost = None, StreamResetReason.ACCESS_CHANGED


def live_list(
    ctx: Context, scope: TicketListScope, organization_id: UUID | None, filter: TicketFilter | None
) -> LiveList:
    """
    Raises:
        as `watch_tickets`.
    """
    policy.check_authenticated(ctx.viewer)
    in_scope(ctx, scope, organization_id)
    asked = [question(filter)] if filter is not None else []
    topic = stream_of_list(ctx.viewer, scope, organization_id)
    return LiveList(topic, all_hold([scope_question(ctx.viewer, scope, organization_id), *asked]))


def stream_of_list(viewer: Viewer, scope: TicketListScope, organization_id: UUID | None) -> str:
    """The stream that tells all of a list, and to a customer no more than the customer may count.

    Raises:
        Required: it is told by several streams.
    """
    if viewer.is_staff:
        return DESK if organization_id is None else list_of_organization(organization_id, staff=True)
    assert viewer.user_id is not None
    if scope is TicketListScope.ALL and organization_id is None:
        if len(viewer.memberships) > 1:
            raise Required("Say which organization: you belong to several.", field=("organizationId",))
        organization_id = next((each.organization_id for each in viewer.memberships), None)
    if scope in _OF_ORGANIZATIONS and organization_id is not None:
        if policy.allows(viewer, policy.SEE_ORGANIZATION_LIST, OrganizationFacts(organization_id)):
            return list_of_organization(organization_id, staff=False)
        if scope is TicketListScope.UNCLAIMED:
            return list_of_unclaimed(organization_id)
    return list_of_person(viewer.user_id)


def scope_question(viewer: Viewer, scope: TicketListScope, organization_id: UUID | None) -> Question:
    """Whether a ticket is in a scope: what `ticket_lists.in_scope` asks in SQL, apart from the viewer's rights."""
    here = [among("organization_id", [organization_id])] if organization_id is not None else []
    return all_hold([*here, _SCOPES[scope](viewer)])


_OF_ORGANIZATIONS = frozenset({TicketListScope.ORGANIZATION, TicketListScope.UNCLAIMED, TicketListScope.ALL})

_SCOPES: dict[TicketListScope, Callable[[Viewer], Question]] = {
    TicketListScope.MINE: lambda viewer: among("requester_id", [viewer.user_id]),
    TicketListScope.ORGANIZATION: lambda viewer: all_hold([]),
    TicketListScope.FOLLOWING: lambda viewer: overlapping("follower_ids", [viewer.user_id]),
    TicketListScope.SHARED_WITH_ME: lambda viewer: all_hold(
        [overlapping("participant_ids", [viewer.user_id]), negated(among("requester_id", [viewer.user_id]))]
    ),
    TicketListScope.UNCLAIMED: lambda viewer: among("requester_id", [None]),
    TicketListScope.ASSIGNED_TO_ME: lambda viewer: among("assignee_id", [viewer.user_id]),
    TicketListScope.ALL: lambda viewer: all_hold([]),
}


async def change_for(ctx: Context, live: LiveList, event: Event, cursor: Cursor) -> TicketChange | None:
    """What a viewer is told of an event; None where it is no concern of the list."""
    reads, viewer = ctx.services.shared, ctx.viewer
    now = await reads.ticket(event)
    change = change_type(viewer, live.holds, event, now)
    if change is None:
        return None
    if change is ChangeType.REMOVED:
        return TicketChange(change, cursor, None, None, [], removed_id=UUID(event.data["ticket"]))
    item = await reads.item(event)
    return TicketChange(change, cursor, now.shown_to(viewer), item, list(event.data["fields"]))


def change_type(viewer: Viewer, holds: Question, event: Event, now: TicketNow) -> ChangeType | None:
    """How an event concerns a list; decided in memory."""
    facts = now.facts
    return change_in_list(
        was_there=_was_there(viewer, holds, now),
        is_there=facts is not None and holds(facts) is True and _may_read(viewer, facts),
        something_shown=bool(event.data["fields"]),
    )


def _was_there(viewer: Viewer, holds: Question, now: TicketNow) -> bool | None:
    """Whether the list held the ticket before the event; None where it may have, for all that is known."""
    if now.before is None:
        return False
    held = holds(now.before)
    if held is False:
        return False
    known = now.before or now.facts
    return held if known is not None and _may_read(viewer, known) else False


def _may_read(viewer: Viewer, facts: Facts) -> bool:
    return policy.may_read_ticket(viewer, rights_of(facts, viewer.user_id))


def rights(viewer: Viewer) -> tuple[object, ...]:
    """What of a viewer decides which tickets are shown, apart from who it is."""
    return viewer.staff_role, viewer.memberships


def _watching(ctx: Context, scope: TicketListScope, organization_id: UUID | None) -> Guard:
    """The guard of a running list. It makes the viewer anew, from the database, each time it is asked.

    It raises as `in_scope` once the list is not the viewer's any more. A viewer who may see another part of it than
    when this guard was made is Moved.
    """
    before = rights(ctx.viewer)

    async def check() -> Collection[str]:
        viewer = await load_again(ctx.viewer)
        if viewer is None:
            raise NotFound("list")
        ctx.viewer = viewer
        in_scope(ctx, scope, organization_id)
        if rights(viewer) != before:
            raise Moved
        return rests_on(viewer)

    return check
