"""Lists of tickets, shown live."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, cast

import strawberry
from strawberry import ID, Info

from domain.enums import TicketListScope
from realtime.hub import CaughtUp, Reset
from resolvers import live_lists, ticket_streams
from schema.access import signed_in
from schema.inputs import TicketFilter
from schema.node import global_id, key_or_none
from schema.query import ACTIVE
from schema.scalars import Cursor
from schema.streams import StreamCaughtUp, StreamReset, TicketChange, TicketStreamItem, marker, place


@strawberry.type
class TicketListSubscriptions:
    @strawberry.subscription(
        description="What comes into a list of tickets, changes in it and leaves it. Subscribe, load the list when "
        "StreamCaughtUp has come, and apply what comes by id.",
        directives=signed_in(),
    )
    async def tickets(
        self,
        info: Info,
        scope: Annotated[TicketListScope, strawberry.argument(description="Which list.")] = TicketListScope.FOLLOWING,
        organization_id: Annotated[ID | None, strawberry.argument(description="Only of this organization.")] = None,
        filter: Annotated[
            TicketFilter | None, strawberry.argument(description="What is shown of it; `{}` or null shows everything.")
        ] = ACTIVE,
        after: Annotated[
            Cursor | None,
            strawberry.argument(
                description="Only what came after this place: the last cursor received. Without it it begins now."
            ),
        ] = None,
    ) -> AsyncGenerator[TicketStreamItem, None]:
        watch = live_lists.watch_tickets(
            info.context,
            scope=scope,
            organization_id=key_or_none(organization_id, "Organization", field="organizationId"),
            filter=filter.plain() if filter else None,
            after=place(after),
        )
        async with aclosing(watch) as steps:
            async for step in steps:
                yield told(step)


def told(step: ticket_streams.TicketChange | CaughtUp | Reset) -> TicketChange | StreamCaughtUp | StreamReset:
    """A step of a stream of tickets, as it is sent."""
    if isinstance(step, CaughtUp | Reset):
        return marker(step)
    return TicketChange(
        change_type=step.change_type,
        cursor=Cursor(str(step.cursor)),
        ticket=cast(Any, step.ticket),
        removed_id=ID(global_id("Ticket", step.removed_id)) if step.removed_id else None,
        item=cast(Any, step.item),
        changed_fields=step.changed_fields,
    )
