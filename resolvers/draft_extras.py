"""What a draft says that it has no column for: how urgent it is, who is to see it, what it quotes, for whom it is."""

import json
from asyncio import gather
from collections.abc import Mapping
from dataclasses import fields
from typing import Any
from uuid import UUID

from domain.enums import Confidentiality, TicketChannel, TicketPriority, TicketSeverity
from domain.errors import NotFound
from domain.naming import locale
from models import Organization, Ticket, TicketDraft
from models.base import BaseModel
from resolvers.context import Context
from resolvers.reading import related
from resolvers.ticket_creation import NewTicket

Extras = dict[str, Any]

IN_COLUMNS = {"request_type_key", "subject", "description", "client_mutation_id", "draft_id"}
IN_COLUMNS |= {name for name in TicketDraft._meta.fields_db_projection if name.endswith("_id")}
EXTRAS = tuple(
    each.name for each in fields(NewTicket) if each.name not in IN_COLUMNS | {"device_ids", "attachment_ids"}
)
"""What a new ticket says and a draft has no column for."""

AS_ENUM = {
    "channel": TicketChannel,
    "priority": TicketPriority,
    "severity": TicketSeverity,
    "confidentiality": Confidentiality,
}


def extras_of(new: NewTicket) -> Extras:
    """What a ticket that could not be opened says, as it is kept."""
    return _stored({name: getattr(new, name) for name in EXTRAS})


def told(kept: Any, name: str) -> Any:
    """One of them, from what is kept, as rows hold it or as text; None where the draft does not say it."""
    known = json.loads(kept) if isinstance(kept, str) else kept
    value = (known or {}).get(name)
    if value is None:
        return None
    if name in AS_ENUM:
        return AS_ENUM[name](value)
    return UUID(value) if name.endswith("_id") else value


def all_told(kept: Any) -> Extras:
    """Every one of them that the draft says."""
    found = {name: told(kept, name) for name in EXTRAS}
    return {name: value for name, value in found.items() if value is not None}


async def changed(ctx: Context, kept: Extras | None, given: Mapping[str, Any]) -> Extras | None:
    """What is kept once more is `given`: None takes something back, what is not given stays.

    Raises:
        NotFound: a quoted ticket or a customer that the viewer cannot see.
        Invalid: the language is none.
    """
    await _check_seen(ctx, Ticket, given.get("quotes_id"), "ticket", "referencesTicketId")
    on_behalf_of = given.get("on_behalf_of_id")
    await _check_seen(ctx, Organization, on_behalf_of, "customer organization", "onBehalfOfOrganizationId")
    wanted = dict(given)
    if wanted.get("language") is not None:
        wanted["language"] = locale(wanted["language"], field="language")
    left = {name: value for name, value in (kept or {}).items() if name not in given}
    return {**left, **_stored(wanted)} or None


async def quoted_by(ctx: Context, rows: list[tuple[UUID]]) -> list[Ticket | None]:
    """For each draft, by (id,), the ticket that it quotes, if the viewer may see it."""
    return await _other_ends(ctx, rows, Ticket, "quotes_id")


async def filed_for(ctx: Context, rows: list[tuple[UUID]]) -> list[Organization | None]:
    """For each draft, by (id,), the customer that a partner files it for."""
    return await _other_ends(ctx, rows, Organization, "on_behalf_of_id")


async def _other_ends(ctx: Context, rows: list[tuple[UUID]], model: type[BaseModel], name: str) -> list[Any]:
    drafts = TicketDraft.shown_to(ctx.viewer).filter(id__in=[draft_id for (draft_id,) in rows])
    kept: dict[UUID, Any] = dict(await drafts.values_list("id", "more"))
    return await gather(*(related(ctx, model, told(kept.get(draft_id), name)) for (draft_id,) in rows))


async def _check_seen(ctx: Context, model: type[BaseModel], row_id: UUID | None, what: str, field: str) -> None:
    if row_id is not None and not await model.filter(model.seen_by(ctx.viewer), id=row_id).exists():
        raise NotFound(what, field=(field,))


def _stored(given: Mapping[str, Any]) -> Extras:
    plain = {name: str(value) if isinstance(value, UUID) else value for name, value in given.items()}
    return {name: value for name, value in plain.items() if value is not None}
