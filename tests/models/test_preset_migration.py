"""The migration that fixes the times of tickets that are resolved already."""

from importlib import import_module
from typing import Any

import pytest

import models
from domain.enums import LifecyclePreset, TicketStatus
from models.database import open_database
from tests.models import rows
from tests.models.test_migrations import execute

pytestmark = pytest.mark.anyio

migration: Any = import_module("models.migrations.0006_lifecycle_presets")


async def test_a_ticket_that_is_resolved_already_keeps_what_its_organization_has_chosen(url: str) -> None:  # S65
    async with open_database(url):
        ticket = await rows.ticket(status=TicketStatus.RESOLVED, resolved_at=rows.NOW)
        await rows.ticket(status=TicketStatus.OPEN)
        await models.Organization.filter(id=ticket.organization_id).update(lifecycle_preset=LifecyclePreset.HOURS_72)

    await execute(url, migration.FIXED)

    found = await execute(url, "SELECT resolved_under FROM ticket ORDER BY number")
    assert [row["resolved_under"] for row in found] == ["HOURS_72", None]
