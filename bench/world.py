"""The support desk that is measured on: how much of everything there is, and under which ids.

Everything follows from the sizes, so that two runs, and two engines, measure the same rows.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

BEGIN = datetime(2026, 6, 1, 8, 0, 0, 137_000, tzinfo=UTC)

KINDS = (
    "organization",
    "user",
    "membership",
    "group",
    "space",
    "product",
    "project",
    "request_type",
    "device",
    "ticket",
    "message",
    "escalation",
    "entry",
    "participant",
)


_FIRST = {kind: (int(BEGIN.timestamp() * 1000) + n << 80) | (0x7 << 76) | (0b10 << 62) for n, kind in enumerate(KINDS)}


def key(kind: str, number: int) -> UUID:
    """A UUIDv7 of a fixed instant per kind, so that keys of one kind sort by number."""
    return UUID(int=_FIRST[kind] | number)


@dataclass(frozen=True)
class World:
    """Sizes. Organization 0 has every fifth ticket; its user 0 manages its requests. Tickets below `busy` have a
    conversation of `conversation` messages and an escalation under way with five entries."""

    tickets: int = 10_000
    organizations: int = 20
    agents: int = 10
    users_each: int = 40
    spaces_each: int = 30
    products: int = 12
    busy: int = 20
    conversation: int = 60

    @property
    def people(self) -> int:
        return self.agents + self.organizations * self.users_each

    def agent(self, number: int) -> UUID:
        return key("user", number % self.agents)

    def member_number(self, organization: int, number: int) -> int:
        return self.agents + organization * self.users_each + number % self.users_each

    def member(self, organization: int, number: int) -> UUID:
        return key("user", self.member_number(organization, number))

    @property
    def manager(self) -> UUID:
        return self.member(0, 0)

    def organization_of(self, ticket: int) -> int:
        return 0 if ticket % 5 == 0 else 1 + ticket % (self.organizations - 1)

    def active_at(self, ticket: int) -> datetime:
        """Last activity; scattered, so that a page's rows do not lie side by side in the table."""
        scattered = ticket * 7_919 % self.tickets
        return BEGIN + timedelta(days=90) * (scattered / self.tickets) + timedelta(microseconds=scattered % 977 + 1)

    def watched(self, number: int) -> UUID:
        """The `number`-th ticket that fan-out watches: of organization 0, seen by all its members, without a past."""
        return key("ticket", self.watched_number(number))

    def watched_number(self, number: int) -> int:
        return (self.busy // 5 + 1 + number) * 5

    def is_watched(self, ticket: int) -> bool:
        return ticket % 5 == 0 and ticket > self.busy
