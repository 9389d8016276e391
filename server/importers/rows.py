"""What a record of the file says, in our words."""

from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.enums import Described, TicketChannel, TicketPriority, TicketStatus
from domain.errors import Invalid
from resolvers.imports import ImportedTicket
from server.importers.column_map import ColumnMap

Enum = TypeVar("Enum", bound=Described)


class RowReader:
    """Reads records by a column map, for one organization."""

    def __init__(self, column_map: ColumnMap, organization_id: UUID) -> None:
        self._map = column_map
        self._columns: dict[str, str | None] = column_map.columns.model_dump()
        self._zone = ZoneInfo(column_map.times.zone)
        self._organization_id = organization_id

    def ticket(self, values: dict[str, str]) -> ImportedTicket:
        """
        Raises:
            Invalid: a value has no meaning in the map, or is no time or rating.
        """
        status = self._choice(values, "status", TicketStatus)
        if status is None:
            raise Invalid('status: empty; say what that means with "" in [values.status]')
        return ImportedTicket(
            organization_id=self._organization_id,
            source=self._map.source.name,
            key=self._cell(values, "key") or "",
            subject=self._text(values, "subject") or "",
            description=self._text(values, "description") or "",
            status=status,
            channel=self._choice(values, "channel", TicketChannel) or TicketChannel.IMPORT,
            priority=self._choice(values, "priority", TicketPriority) or TicketPriority.NORMAL,
            requester_email=self._cell(values, "requester_email"),
            requester_name=self._cell(values, "requester_name"),
            product=self._cell(values, "product"),
            resolution=self._text(values, "resolution"),
            created_at=self._time(values, "created_at"),
            first_responded_at=self._time(values, "first_responded_at"),
            resolved_at=self._time(values, "resolved_at"),
            closed_at=self._time(values, "closed_at"),
            rating=self._rating(values),
            details=tuple((name, cell) for name in self._map.note if (cell := values[name].strip())),
        )

    def key(self, values: dict[str, str]) -> str:
        return values[self._map.columns.key].strip()

    def _cell(self, values: dict[str, str], field: str) -> str | None:
        """What the file says about a field, trimmed; None where it has no such column, or nothing in it."""
        column = self._columns[field]
        return (values[column].strip() or None) if column else None

    def _text(self, values: dict[str, str], field: str) -> str | None:
        text = self._cell(values, field)
        for placeholder, column in self._map.text.replace.items():
            if text and placeholder in text:
                text = text.replace(placeholder, values[column].strip())
        return text

    def _choice(self, values: dict[str, str], field: str, enum: type[Enum]) -> Enum | None:
        if self._columns[field] is None:
            return None
        value = self._cell(values, field) or ""
        known: dict[str, Enum] = getattr(self._map.values, field)
        if value in known:
            return known[value]
        if value in enum.__members__:
            return enum(value)
        if value:
            raise Invalid(f'{field}: "{value}" is not in [values.{field}]')
        return None

    def _time(self, values: dict[str, str], field: str) -> datetime | None:
        value = self._cell(values, field)
        if value is None:
            return None
        written = self._map.times.format
        try:
            moment = datetime.strptime(value, written) if written else datetime.fromisoformat(value)
            return (moment if moment.tzinfo else moment.replace(tzinfo=self._zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            expected = f"as {written}" if written else "like 2026-03-02 09:30:00"
            raise Invalid(f'{field}: "{value}" is no time; expected {expected}') from None

    def _rating(self, values: dict[str, str]) -> int | None:
        value = self._cell(values, "rating")
        try:
            return None if value is None else _whole(value)
        except ValueError:
            raise Invalid(f'rating: "{value}" is no whole number') from None


def _whole(value: str) -> int:
    """Spreadsheets write 3 as `3.0`."""
    number = float(value)
    if not number.is_integer():
        raise ValueError(value)
    return int(number)
