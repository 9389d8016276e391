"""Telling that who may see what has changed, so that running streams end or narrow before their next event (J3)."""

from typing import TYPE_CHECKING
from uuid import UUID

from domain.policy import Viewer
from realtime.access import ACCESS_CHANGE
from realtime.log import ACCESS

if TYPE_CHECKING:
    from resolvers.transaction import Work


def announce_access(
    work: "Work", *, user_id: UUID | None = None, organization_id: UUID | None = None, ticket_id: UUID | None = None
) -> None:
    """Announce a change of access, in the transaction that makes it. Name whom it is about; once for each.

    To be called by every write after which somebody who was there before may see or do something else than before it:

    - `user_id`: the person's staff role, a membership or its role, being switched off or on, being made a participant
      or a follower of an existing ticket or no longer being one;
    - `organization_id`: a setting of the organization that decides what its members see (`member_visibility`,
      `history_starts_at`, `history_availability`), or that it is gone;
    - `ticket_id`: whose an existing ticket is, or who sees it (requester, owner, organization, confidentiality).

    What is new needs none: nobody can be watching it yet. A change of what a ticket *says* needs none either. Everybody
    whom it concerns is asked about again, so name one person rather than an organization where one is meant.
    """
    named = {"user": user_id, "organization": organization_id, "ticket": ticket_id}
    about = {kind: str(of) for kind, of in named.items() if of is not None}
    assert about, "say whom the change is about"
    work.emit((ACCESS,), ACCESS_CHANGE, about)


def rests_on(viewer: Viewer, ticket_id: UUID | None = None) -> frozenset[str]:
    """The subjects whose changes may change what this viewer sees, of a ticket or at all: for the guard of a stream."""
    subjects = {f"user:{viewer.user_id}"}
    if not viewer.is_staff:
        subjects |= {f"organization:{membership.organization_id}" for membership in viewer.memberships}
        if ticket_id is not None:
            subjects.add(f"ticket:{ticket_id}")
    return frozenset(subjects)
