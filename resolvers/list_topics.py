"""The names of the streams that tell lists of tickets; what is on them: `resolvers.list_events`."""

from uuid import UUID

DESK = "desk"
"""All tickets, for support staff."""


def list_of_organization(organization_id: UUID, *, staff: bool) -> str:
    """The stream of an organization's tickets."""
    return f"org:{organization_id}" if staff else f"org:{organization_id}:pub"


def list_of_unclaimed(organization_id: UUID) -> str:
    """The stream of an organization's tickets that have no requester."""
    return f"org:{organization_id}:unclaimed"


def list_of_person(user_id: UUID) -> str:
    """The stream of the tickets that a person takes part in or follows."""
    return f"tickets:{user_id}"
