"""What a record says, by the map."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.enums import TicketChannel, TicketPriority, TicketStatus
from domain.errors import Invalid
from resolvers.imports import ImportedTicket
from server.importers.column_map import read_column_map
from server.importers.rows import RowReader
from tests.server.importers.files import CLOSED, OPEN, example_map

ACME = UUID(int=7)


def read(**given: str) -> ImportedTicket:
    return RowReader(example_map(), ACME).ticket(CLOSED | given)


def by_map(row: dict[str, str], **parts: Any) -> ImportedTicket:
    columns = {"key": "No", "subject": "Subject", "description": "Text", "status": "State", "created_at": "At"}
    column_map = read_column_map({"source": {"name": "x"}, "columns": columns, **parts})
    usual = {"No": "1", "Subject": "One", "Text": "Text", "State": "OPEN", "At": ""}
    return RowReader(column_map, ACME).ticket(usual | row)


def test_a_record_becomes_a_ticket_of_ours() -> None:
    assert read() == ImportedTicket(
        organization_id=ACME,
        source="customer-support-tickets",
        key="1",
        subject="Product setup",
        description='My GoPro Hero says "no", and then\n\nnothing.',
        status=TicketStatus.CLOSED,
        channel=TicketChannel.IMPORT,
        priority=TicketPriority.URGENT,
        requester_email="ann@example.com",
        requester_name="Ann Example",
        product="GoPro Hero",
        resolution="Turn the GoPro Hero on.",
        first_responded_at=datetime(2023, 6, 1, 7, 29, 40, tzinfo=UTC),
        resolved_at=datetime(2023, 6, 1, 1, 57, 40, tzinfo=UTC),
        rating=3,
        details=(("Ticket Type", "Technical issue"), ("Date of Purchase", "2021-03-22")),
    )


def test_empty_cells_say_nothing() -> None:
    ticket = RowReader(example_map(), ACME).ticket(OPEN | {"Ticket Type": " ", "Ticket Priority": ""})

    assert (ticket.resolution, ticket.first_responded_at, ticket.rating) == (None, None, None)
    assert ticket.details == (("Date of Purchase", "2021-03-22"),)
    assert ticket.priority is TicketPriority.NORMAL


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Ticket Status": "Parked"}, 'status: "Parked" is not in [values.status]'),
        ({"Ticket Status": ""}, 'status: empty; say what that means with "" in [values.status]'),
        ({"Ticket Channel": "Pigeon"}, 'channel: "Pigeon" is not in [values.channel]'),
        (
            {"Time to Resolution": "yesterday"},
            'resolved_at: "yesterday" is no time; expected like 2026-03-02 09:30:00',
        ),
        ({"Customer Satisfaction Rating": "3.5"}, 'rating: "3.5" is no whole number'),
        ({"Customer Satisfaction Rating": "good"}, 'rating: "good" is no whole number'),
        ({"Customer Satisfaction Rating": "inf"}, 'rating: "inf" is no whole number'),
    ],
)
def test_a_value_without_a_meaning_is_named(given: dict[str, str], message: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(**given)

    assert refused.value.message == message


def test_our_own_words_need_no_entry_and_the_empty_one_may_have_one() -> None:
    assert by_map({"State": "ON_HOLD"}).status is TicketStatus.ON_HOLD
    assert by_map({"State": ""}, values={"status": {"": "NEW"}}).status is TicketStatus.NEW


def test_times_are_read_in_the_zone_and_format_of_the_map() -> None:
    rome = {"zone": "Europe/Rome"}
    noon = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)

    assert by_map({"At": "2026-01-05 13:00"}, times=rome).created_at == noon
    assert by_map({"At": "2026-01-05T12:00:00Z"}, times=rome).created_at == noon
    assert by_map({"At": "05/01/26 13h00"}, times=rome | {"format": "%d/%m/%y %Hh%M"}).created_at == noon
    with pytest.raises(Invalid, match="no time"):
        by_map({"At": "0001-01-01T00:00:00+05:00"})
