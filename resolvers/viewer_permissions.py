"""What the viewer may do with tickets, for many at once: a few statements, however many there are."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tortoise.expressions import Q

from domain.actions import Asked, TicketState
from domain.enums import ACTIVE_STATUSES, EscalationStage, TicketStatus
from domain.lifecycle import DEFAULT_WINDOWS, Windows
from domain.policy import TicketFacts
from models import Escalation, Feedback, Follower, IssueType, Participant
from models.base import BaseModel
from resolvers.context import Context
from resolvers.windows import WINDOW_COLUMNS, windows_of_many

PERMISSION_COLUMNS = (
    *("id", "organization_id", "requester_id", "owner_id", "assignee_id", "confidentiality", "created_at"),
    *("status", "locked", "is_escalated", "resolved_at", "request_type_id", "resolved_under", "issue_type_id"),
)


async def are_followed(ctx: Context, rows: list[tuple[UUID]]) -> list[bool]:
    """For each (ticket id,), whether the viewer follows it."""
    followed = await _with_viewer(ctx, Follower, [ticket_id for (ticket_id,) in rows])
    return [ticket_id in followed for (ticket_id,) in rows]


async def asked_of(ctx: Context, rows: list[tuple[Any, ...]]) -> list[Asked]:
    """For each row of `PERMISSION_COLUMNS`, what the functions of `domain.actions` decide by, as it stands now."""
    known = [dict(zip(PERMISSION_COLUMNS, row, strict=True)) for row in rows]
    taking_part = await _with_viewer(ctx, Participant, [row["id"] for row in known])
    windows = await _windows([row for row in known if row["status"] is TicketStatus.RESOLVED])
    stages = await _stages([row["id"] for row in known if row["is_escalated"]])
    judged = await _with_feedback([row["id"] for row in known if row["status"] not in ACTIVE_STATUSES])
    offering = await _offering_appointments({row["issue_type_id"] for row in known} - {None})
    now = ctx.now()
    found = []
    for row in known:
        state = TicketState(
            status=row["status"],
            locked=row["locked"],
            resolved_at=row["resolved_at"],
            windows=windows.get(row["id"], DEFAULT_WINDOWS),
            stage=stages.get(row["id"]),
            has_feedback=row["id"] in judged,
            offers_appointments=row["issue_type_id"] in offering,
        )
        found.append(Asked(ctx.viewer, _facts(row, is_participant=row["id"] in taking_part), state, now))
    return found


def _facts(row: dict[str, Any], *, is_participant: bool) -> TicketFacts:
    return TicketFacts(
        organization_id=row["organization_id"],
        requester_id=row["requester_id"],
        owner_id=row["owner_id"],
        assignee_id=row["assignee_id"],
        confidentiality=row["confidentiality"],
        created_at=row["created_at"],
        is_participant=is_participant,
    )


async def _with_viewer(ctx: Context, model: type[BaseModel], ticket_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the tickets that have a row in the table for the viewer."""
    if ctx.viewer.user_id is None:
        return set()
    rows: Any = model.filter(user_id=ctx.viewer.user_id, ticket_id__in=list(set(ticket_ids)))
    return set(await rows.values_list("ticket_id", flat=True))


async def _windows(resolved: list[dict[str, Any]]) -> dict[UUID, Windows]:
    """The times that count for tickets, by ticket."""
    windows = await windows_of_many([(*(row[name] for name in WINDOW_COLUMNS),) for row in resolved])
    return dict(zip((row["id"] for row in resolved), windows, strict=True))


async def _stages(ticket_ids: Sequence[UUID]) -> dict[UUID, EscalationStage]:
    """The stages of the escalations under way, by ticket."""
    if not ticket_ids:
        return {}
    active = Escalation.filter(~Q(stage=EscalationStage.RESOLVED), ticket_id__in=list(ticket_ids))
    return {each.ticket_id: each.stage for each in await active}


async def _offering_appointments(issue_type_ids: set[UUID]) -> set[UUID]:
    """Those of the issue types that offer appointments."""
    if not issue_type_ids:
        return set()
    rows: Any = IssueType.filter(id__in=list(issue_type_ids), appointments_available=True)
    return set(await rows.values_list("id", flat=True))


async def _with_feedback(ticket_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the tickets that have feedback."""
    if not ticket_ids:
        return set()
    rows: Any = Feedback.filter(ticket_id__in=list(ticket_ids))
    return set(await rows.values_list("ticket_id", flat=True))
