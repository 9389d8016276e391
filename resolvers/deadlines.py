"""What would happen to tickets by itself, and when; and whom to ask first on the customer's side."""

from typing import Any
from uuid import UUID

from domain import lifecycle
from domain.enums import ParticipantRole, TicketStatus
from domain.lifecycle import Deadlines
from models import Participant, User
from resolvers.context import Context
from resolvers.reading import whole_rows
from resolvers.windows import WINDOW_COLUMNS, windows_of_many

DEADLINE_COLUMNS = (*WINDOW_COLUMNS, "status", "waiting_since", "status_changed_at", "resolved_at")


async def deadlines_of(ctx: Context, rows: list[tuple[Any, ...]]) -> list[Deadlines]:
    """For each row of `DEADLINE_COLUMNS`. Several fields that ask in one operation share the statements."""
    windows = await ctx.loaders.get("windows", windows_of_many).load_many([row[:3] for row in rows])
    return [
        lifecycle.deadlines(TicketStatus(status), waiting_since=waiting or changed, resolved_at=resolved, windows=found)
        for (*_, status, waiting, changed, resolved), found in zip(rows, windows, strict=True)
    ]


async def primary_contacts(ctx: Context, rows: list[tuple[UUID, UUID | None]]) -> list[User | None]:
    """For each (ticket id, requester's id), the contact that the agent added first, else who opened it."""
    contacts: Any = Participant.filter(role=ParticipantRole.CONTACT, ticket_id__in=[key for key, _ in rows])
    first: dict[UUID, UUID] = {}
    for ticket_id, user_id in await contacts.order_by("added_at", "id").values_list("ticket_id", "user_id"):
        first.setdefault(ticket_id, user_id)
    wanted = [first.get(ticket_id, requester_id) for ticket_id, requester_id in rows]
    people = {each.id: each for each in await whole_rows(ctx, User, list({key for key in wanted if key}))}
    return [people[key] if key else None for key in wanted]
