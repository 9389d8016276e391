"""The times that count for tickets, and which tickets they are over for."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tortoise.expressions import Q, RawSQL
from tortoise.queryset import QuerySet

from domain import lifecycle
from domain.enums import LifecyclePreset
from domain.lifecycle import PRESETS, Windows
from models import Organization, RequestType, Ticket

WINDOW_COLUMNS = ("organization_id", "request_type_id", "resolved_under")

_CHOSEN = {
    "organization_preset": 'SELECT "lifecycle_preset" FROM "organization" WHERE "id" = "ticket"."organization_id"',
    "request_type_preset": 'SELECT "lifecycle_preset" FROM "request_type" WHERE "id" = "ticket"."request_type_id"',
}


def with_windows(query: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """The same rows, each with what `windows_of` and `preset_now` need, in the same statement."""
    return query.annotate(**{name: RawSQL(f"({sql})") for name, sql in _CHOSEN.items()})


def windows_of(ticket: Ticket) -> Windows:
    """The times that count for a ticket that was read `with_windows`, such as every locked one."""
    return lifecycle.windows_of(
        organization=LifecyclePreset(ticket.organization_preset),
        request_type=_preset(ticket.request_type_preset),
        resolved_under=ticket.resolved_under,
    )


def preset_now(ticket: Ticket) -> LifecyclePreset:
    """What has been chosen by now for a ticket that was read `with_windows`."""
    return lifecycle.preset_of(
        organization=LifecyclePreset(ticket.organization_preset), request_type=_preset(ticket.request_type_preset)
    )


async def windows_of_many(rows: list[tuple[UUID, UUID | None, LifecyclePreset | None]]) -> list[Windows]:
    """As `windows_of`, for each row of `WINDOW_COLUMNS`: two statements at most, however many there are."""
    open_ones = [(organization, kind) for organization, kind, fixed in rows if fixed is None]
    organizations = await _presets(Organization, {organization for organization, _ in open_ones})
    kinds = await _presets(RequestType, {kind for _, kind in open_ones if kind})
    return [
        lifecycle.windows_of(
            # One that is fixed asks neither.
            organization=organizations.get(organization) or LifecyclePreset.WEEK,
            request_type=kinds.get(kind) if kind else None,
            resolved_under=fixed,
        )
        for organization, kind, fixed in rows
    ]


def over(column: str, waits: str, now: datetime, *, operator: str) -> Q:
    """Tickets whose time of the name `waits` has passed since `column`: each by the times that count for it."""
    lengths: dict[LifecyclePreset, timedelta] = {preset: getattr(PRESETS[preset], waits) for preset in PRESETS}

    def past(length: timedelta) -> Q:
        before: dict[str, Any] = {f"{column}__{operator}": now - length}
        return Q(**before)

    # Whatever counts, the shortest has passed: that narrows by the index of the column alone.
    shortest = past(min(lengths.values()))
    return shortest & Q(*(_under(preset) & past(length) for preset, length in lengths.items()), join_type=Q.OR)


def _under(preset: LifecyclePreset) -> Q:
    """Tickets that these times count for: `domain.lifecycle.windows_of` as SQL."""
    now = Q(request_type__lifecycle_preset=preset) | Q(
        request_type__lifecycle_preset__isnull=True, organization__lifecycle_preset=preset
    )
    return Q(resolved_under=preset) | (Q(resolved_under__isnull=True) & now)


async def _presets(model: Any, keys: Iterable[UUID]) -> dict[UUID, LifecyclePreset | None]:
    if not keys:
        return {}
    return dict(await model.filter(id__in=list(keys)).values_list("id", "lifecycle_preset"))


def _preset(stored: str | None) -> LifecyclePreset | None:
    return LifecyclePreset(stored) if stored else None
