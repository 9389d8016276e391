"""What the mutations of every noun have in common."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import strawberry
from strawberry import Info

import models
from domain.policy import Rule
from resolvers.reading import found
from schema.access import signed_in
from schema.errors import Refusable
from schema.node import key_of

GIVEN = strawberry.argument(description="What is asked for.")


def mutation(description: str, rule: Rule) -> Callable[[Any], Any]:
    """A mutation that only some may call; its refusals are data."""
    field: Callable[[Any], Any] = strawberry.mutation(
        description=description, directives=signed_in(rule), extensions=[Refusable()]
    )
    return field


def ticket_key(given: str) -> UUID:
    """The key of the ticket that an input names.

    Raises:
        Invalid: not an id, or not of a ticket.
    """
    return key_of(given, "Ticket", field="ticketId")


async def shown(info: Info, ticket: models.Ticket) -> Any:
    """The ticket as it is after the commit, with everything a shown ticket carries."""
    return await found(info.context, models.Ticket, ticket.id)
