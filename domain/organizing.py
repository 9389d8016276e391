"""What an organization may choose for itself, and what is chosen for a new one."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from uuid import UUID

from domain.errors import Invalid
from domain.naming import mail_domain

HISTORY_STARTS_ON = date(2019, 7, 15)
"""From when on a new organization's tickets are shown, unless another day is chosen (S12)."""

MOST_DOMAINS = 100


def history_from(day: date | None, *, now: datetime) -> datetime | None:
    """The instant from which on tickets are shown: the beginning of that day in UTC. None where all of them are.

    Raises:
        Invalid: that day has not begun, and nobody could see what they open today.

    Source: S12.
    """
    if day is None:
        return None
    begins = datetime.combine(day, time(), UTC)
    if begins > now:
        raise Invalid("History cannot begin after today.", field=("historyStartsAt",))
    return begins


def check_partner(organization_id: UUID, *, partner_id: UUID, partners_partner_id: UUID | None) -> None:
    """That an organization may be a customer of that partner.

    Raises:
        Invalid: they are one, or the partner is a customer of this organization.

    Source: S08.
    """
    if partner_id == organization_id:
        raise Invalid("No organization is its own partner. Name another one.", field=("partnerId",))
    if partners_partner_id == organization_id:
        raise Invalid("That one is a customer of this organization, and cannot be its partner.", field=("partnerId",))


def mail_domains(given: Sequence[str]) -> list[str]:
    """The domains of an organization's addresses as they are kept: each once, in the order given.

    Raises:
        Invalid: too many, or one that is none.
    """
    if len(given) > MOST_DOMAINS:
        raise Invalid("At most {limit} domains.", field=("domains",), limit=MOST_DOMAINS)
    return list(dict.fromkeys(mail_domain(each, field="domains") for each in given))
