"""Whom a note may mention."""

from collections.abc import Sequence
from uuid import UUID

from domain.enums import Visibility
from domain.errors import DomainError, Invalid
from domain.policy import TicketFacts, Viewer, may_read_ticket, sees_internal

FIELD = ("mentionUserIds",)
MOST_AT_ONCE = 20
"""People in one note."""


def wanted(user_ids: Sequence[UUID]) -> tuple[UUID, ...]:
    """The people to mention, each once, in the order given.

    Raises:
        Invalid: more than `MOST_AT_ONCE`.
    """
    people = tuple(dict.fromkeys(user_ids))
    if len(people) > MOST_AT_ONCE:
        raise Invalid("A note mentions at most {limit} people.", field=FIELD, limit=MOST_AT_ONCE)
    return people


def person(mentioned: Viewer, ticket: TicketFacts, visibility: Visibility) -> DomainError | None:
    """Why a note of this visibility cannot mention this person; None if it can. A mention opens nothing."""
    if may_read_ticket(mentioned, ticket) and (visibility is Visibility.PUBLIC or sees_internal(mentioned)):
        return None
    return Invalid("Somebody mentioned here could not read this note.", field=FIELD)
