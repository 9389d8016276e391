"""Who may become a follower, and who takes one off again (S83-S85)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domain import policy
from domain.enums import Confidentiality
from domain.errors import Conflict, DomainError, Forbidden, Invalid, Required
from domain.naming import email
from domain.policy import TicketFacts, Viewer

MOST_AT_ONCE = 50
"""People and addresses in one request."""

MOST_ADDRESSES = 50
"""Addresses without an account on one ticket: nobody mails the world through a ticket."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is to follow: people by id, the others by address in lower case; each once, in the order given."""

    user_ids: tuple[UUID, ...]
    addresses: tuple[str, ...]


def wanted(user_ids: Sequence[UUID], emails: Sequence[str]) -> Wanted:
    """
    Raises:
        Required: nobody is named.
        Invalid: more than `MOST_AT_ONCE`, or something that is no address.
    """
    if not user_ids and not emails:
        raise Required("Name people, or give e-mail addresses.", field=("userIds",))
    if len(user_ids) + len(emails) > MOST_AT_ONCE:
        raise Invalid("At most {limit} at a time.", field=("userIds" if user_ids else "emails",), limit=MOST_AT_ONCE)
    addresses = [email(each, field="emails") for each in emails]
    return Wanted(tuple(dict.fromkeys(user_ids)), tuple(dict.fromkeys(addresses)))


def person(follower: Viewer, ticket: TicketFacts) -> DomainError | None:
    """Why this person cannot follow a ticket; None if possible. Following opens nothing: who cannot read is refused.

    Source: S15, S83, S84.
    """
    if not policy.may_read_ticket(follower, ticket):
        return Invalid(
            "Somebody named here cannot see this ticket. Share it with that person first.", field=("userIds",)
        )
    if not policy.allows(follower, policy.FOLLOW_TICKET, ticket):
        return Invalid("Somebody named here has a role that only reads, and cannot follow.", field=("userIds",))
    return None


def address(ticket: TicketFacts, *, there: int) -> DomainError | None:
    """Why no more addresses can follow a ticket that has `there` of them already with the new ones (S07, S85)."""
    if ticket.confidentiality is Confidentiality.AUTHOR_ONLY:
        return Conflict("This request is for its author and support alone. No address can follow it.")
    if there > MOST_ADDRESSES:
        return Invalid("At most {limit} addresses follow a ticket.", field=("emails",), limit=MOST_ADDRESSES)
    return None


def removal(
    viewer: Viewer, ticket: TicketFacts, *, user_id: UUID | None, added_by_id: UUID | None
) -> DomainError | None:
    """Why the viewer cannot take a follower off: one's own following, whom one added, or anybody for who answers for
    the ticket, manages its organization, or works in support."""
    own = viewer.user_id is not None and viewer.user_id in (user_id, added_by_id)
    if policy.allows(viewer, policy.REMOVE_ANY_FOLLOWER, ticket):
        return None
    if own and policy.allows(viewer, policy.FOLLOW_TICKET, ticket):
        return None
    return Forbidden("You take off only yourself and whom you added. Who opened the ticket takes off anybody.")
