"""What the operations of every noun have in common."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import strawberry
from strawberry import ID, UNSET, Info
from tortoise.expressions import Q

import models
from domain.errors import NotFound
from domain.policy import Rule, Viewer
from engine.declare import Found
from models.base import BaseModel
from resolvers.catalog import LEFT_OUT
from resolvers.reading import found
from schema.access import signed_in
from schema.errors import Refusable
from schema.node import TABLES, key_of, key_or_none, sought_key, split_id

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


async def check_place(info: Info, given: ID | None) -> None:
    """That a `spaceId` names no desk as a room, or the other way round: both are rows of one table. What is not to be
    seen is left to the rule of what is done there.

    Raises:
        NotFound: it does.
    """
    if given:
        name, key = split_id(given, field="spaceId")
        space = await found(info.context, models.Space, key)
        if space is not None and not TABLES[name].when(space):
            raise NotFound("room or desk", field=("spaceId",))


def or_left_out(given: Any) -> Any:
    """What an input says, where leaving it out is one thing and null another."""
    return LEFT_OUT if given is UNSET else given


def key_or_left_out(given: Any, *names: str, field: str) -> Any:
    """As `or_left_out`, of an id.

    Raises:
        Invalid: not an id, or one of another type.
    """
    return LEFT_OUT if given is UNSET else key_or_none(given, *names, field=field)


async def shown(info: Info, ticket: models.Ticket) -> Any:
    """The ticket as it is after the commit, with everything a shown ticket carries."""
    return await found(info.context, models.Ticket, ticket.id)


async def just_opened(info: Info, ticket: models.Ticket) -> Any:
    """As `shown`. Who may not read the organization's history is shown it once all the same (S11, S25)."""
    return await shown(info, ticket) or ticket


def by_id(model: type[BaseModel], name: str, where: Q | None = None) -> Found:
    """A root field that finds a row by its id; one of those that `where` says, if it does."""

    def seen(viewer: Viewer) -> Q:
        shown = model.found_for(viewer)
        return shown & where if where else shown

    return Found(model, "id", lambda args: sought_key(args["id"], name), seen, is_told_why)


def is_told_why(viewer: Viewer) -> bool:
    """Whether what is not there may be withheld by a regulation, which is said (S11)."""
    return viewer.is_kept_from_history
