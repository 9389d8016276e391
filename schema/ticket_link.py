"""How tickets hang together, and what a closed one says."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import lazy

import models
from domain import lifecycle
from domain.enums import ClosureReason, TicketLinkKind, TicketStatus
from schema.node import Node, entity
from schema.relations import to_one

if TYPE_CHECKING:
    from schema.ticket import Ticket


@entity(models.TicketLink, description="How two tickets hang together; seen by whoever may see both.")
class TicketLink(Node):
    kind: TicketLinkKind = strawberry.field(description="What the source is to the target.")
    source: Annotated["Ticket", lazy("schema.ticket")] = to_one(
        "source", "The ticket that it is said of; the later one, where one came from the other.", implied=True
    )
    target: Annotated["Ticket", lazy("schema.ticket")] = to_one("target", "The ticket it refers to.", implied=True)
    created_at: datetime = strawberry.field(description="Since when they are linked.")


@strawberry.type(description="What a closed ticket says, and the way on from it.")
class TicketNotice:
    text: str = strawberry.field(description="For people.")
    offers_linked_ticket: bool = strawberry.field(description="Whether `ticketCreateLinked` is the way on.")
    reference_to_quote: str = strawberry.field(description="What to quote in a new ticket.")


def notice(language: str, status: str, reference: str, closure_reason: str | None) -> TicketNotice | None:
    """The notice of a ticket in a language, from the ticket's columns."""
    found = lifecycle.notice_of(TicketStatus(status), reference, is_merged=closure_reason == ClosureReason.MERGED)
    if found is None:
        return None
    return TicketNotice(
        text=found.text.in_(language),
        offers_linked_ticket=found.offers_linked_ticket,
        reference_to_quote=found.reference_to_quote,
    )
