"""How tickets hang together: which links may be made by hand, what may be merged, and who may be told of it."""

from datetime import datetime

from domain.enums import Confidentiality, TicketLinkKind, TicketStatus
from domain.errors import Conflict, Invalid, TicketClosed
from domain.policy import TicketFacts

CHAINS = frozenset({TicketLinkKind.BLOCKED_BY, TicketLinkKind.DUPLICATE_OF})
"""Kinds that lead somewhere: none of them leads back to where it began."""

SYMMETRIC = frozenset({TicketLinkKind.RELATED_TO})
"""Kinds that say the same of both tickets."""


def check_may_be_linked(kind: TicketLinkKind) -> None:
    """
    Raises:
        Invalid: a link of this kind is not made by hand.
    """
    if kind is TicketLinkKind.MERGED_INTO:
        raise Invalid("This kind tells of a merge. Use `ticketMerge`.", field=("kind",))
    if kind is TicketLinkKind.SPLIT_FROM:
        raise Invalid("This kind tells of a split. Use `ticketSplit`.", field=("kind",))


def check_two(same: bool, *, field: str = "targetTicketId") -> None:
    """
    Raises:
        Invalid: the two tickets are one.
    """
    if same:
        raise Invalid("Name another ticket: this one is the same.", field=(field,))


def check_may_be_taken_apart(kind: TicketLinkKind) -> None:
    """
    Raises:
        Conflict: the link tells what has happened, and stays.
    """
    if kind is TicketLinkKind.MERGED_INTO:
        raise Conflict("A merge cannot be taken back. Open a linked ticket instead.")


def check_may_be_merged(
    source: TicketFacts,
    target: TicketFacts,
    *,
    source_status: TicketStatus,
    target_status: TicketStatus,
    source_is_escalated: bool,
) -> None:
    """Whether one ticket may go on in another: nobody comes to see what was kept from the person by that.

    Raises:
        Invalid: the tickets are of two organizations, or one is for its author alone and the other somebody else's.
        TicketClosed: one of them is closed for good.
        Conflict: engineering is at work on the one that would be closed.
    """
    if source.organization_id != target.organization_id:
        raise Invalid("Tickets of two organizations cannot be merged.", field=("targetTicketId",))
    private = Confidentiality.AUTHOR_ONLY in (source.confidentiality, target.confidentiality)
    if private and (source.requester_id is None or source.requester_id != target.requester_id):
        raise Invalid(
            "A request for its author alone goes on only in one of the same author.", field=("targetTicketId",)
        )
    if source_status is TicketStatus.CLOSED:
        raise TicketClosed("This ticket is closed already.", field=("sourceTicketId",))
    if target_status is TicketStatus.CLOSED:
        raise TicketClosed("The other ticket is closed. Name an open one.", field=("targetTicketId",))
    if source_is_escalated:
        raise Conflict("An escalation of this ticket is under way. Merge the other one into it instead.")


def people_come_along(source: TicketFacts, target: TicketFacts) -> bool:
    """Whether who is on the one joins the other at a merge; what is for an author alone is joined by nobody."""
    return Confidentiality.AUTHOR_ONLY not in (source.confidentiality, target.confidentiality)


def seen_by_the_same(here: TicketFacts, there: TicketFacts, *, history_starts_at: datetime | None) -> bool:
    """Whether no customer sees `here` by role who does not see `there`. Who sees it by taking part is asked one by one.

    Only then may what happens between the two be told to everybody who watches `here` (S07).
    """
    if here.organization_id != there.organization_id:
        return False
    if there.confidentiality is Confidentiality.AUTHOR_ONLY:
        own = here.confidentiality is Confidentiality.AUTHOR_ONLY and here.requester_id == there.requester_id
        return own and here.requester_id is not None
    if history_starts_at is not None and there.created_at < history_starts_at <= here.created_at:
        return False
    # What nobody opened is shown to everybody who may claim it.
    return here.requester_id is not None or there.requester_id is None
