"""What an organization has, as it is entered: places in groups, devices in places, licences that cover a place."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from domain.errors import Conflict, Invalid
from domain.naming import line

MOST_SEATS = 100_000

MOST_LEVELS = 10
"""Groups inside of each other: a site, a building, a floor, and some more."""

MOST_OPEN_TICKETS = 100
"""Of a place that is deleted: each is told that it has no place any more, in the same moment."""


def seats(given: int | None) -> int | None:
    """
    Raises:
        Invalid: no room has so many, or so few.
    """
    if given is not None and not 1 <= given <= MOST_SEATS:
        raise Invalid("A room seats between 1 and {limit} people.", field=("capacity",), limit=MOST_SEATS)
    return given


def serial_number(given: str) -> str:
    """The number printed on a device as it is kept and looked up: in capitals (S27).

    Raises:
        Required, Invalid: there is none, or one of more than 100 characters, or that cannot be stored.
    """
    return line(given, field="serialNumber", limit=100).upper()


def check_may_be_inside(group_id: UUID | None, parents: Collection[UUID], *, levels: int = 1) -> None:
    """Decide whether a group may stand inside of another, whose own id and those of the ones around it are `parents`.
    With the groups inside of it, it is so many `levels` deep.

    Raises:
        Invalid: it would be inside of itself, or too deep.

    Source: S93.
    """
    if group_id in parents:
        raise Invalid("A group cannot be inside of itself.", field=("parentId",))
    if len(parents) + levels > MOST_LEVELS:
        raise Invalid("At most {limit} groups inside of each other.", field=("parentId",), limit=MOST_LEVELS)


def check_may_cover(ends_at: date, *, today: date) -> None:
    """Decide whether a licence may be assigned to a place. On its last day it may.

    Raises:
        Conflict: it has ended.

    Source: S90.
    """
    if ends_at < today:
        raise Conflict("This licence has ended. Assign one that is in force, or will be.", field=("licenseId",))


def check_may_be_deleted(open_tickets: int) -> None:
    """
    Raises:
        Conflict: too many tickets that are not closed are about the place.
    """
    if open_tickets > MOST_OPEN_TICKETS:
        raise Conflict(
            "More than {limit} requests about this place are not closed. Close some of them first.",
            field=("spaceId",),
            limit=MOST_OPEN_TICKETS,
        )
