"""Asking for a ticket as a file, and whether a file may still be handed out."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from domain import actions, policy
from domain.enums import ExportFormat, JobKind
from domain.errors import Forbidden, Invalid, NotFound
from domain.exporting import OF_A_TICKET, check_format, locale_of, zone_of
from domain.words.languages import SOURCE
from models import Job, Ticket, User
from resolvers.context import Context
from resolvers.jobs import ask_for
from resolvers.tickets import get_ticket
from resolvers.transaction import Work, unit_of_work
from resolvers.viewer_permissions import PERMISSION_COLUMNS, asked_of


async def export_ticket(
    ctx: Context,
    ticket_id: UUID,
    *,
    format: ExportFormat,
    locale: str | None = None,
    time_zone: str | None = None,
    include_internal: bool = False,
    client_mutation_id: str | None = None,
) -> Job:
    """Have a ticket made into a file, in the viewer's language and time zone unless others are given (S72, S40, S42).

    Raises:
        NotFound, HistoryUnavailable: as for every ticket that is not shown to the viewer (S07, S11).
        Forbidden: a customer asks for what is internal.
        Invalid: a format that is not offered of a ticket, a language that is not shipped, a zone that there is none of.
        RateLimited, IdempotencyMismatch: see `resolvers.jobs.ask_for`.
    """
    policy.check_authenticated(ctx.viewer)
    check_format(format, OF_A_TICKET)
    chosen = await manner_of(ctx, locale, time_zone)
    given = {**chosen, "format": format.value, "include_internal": include_internal}
    job = await _ask_for_ticket(ctx, ticket_id, given, client_mutation_id)
    ctx.services.jobs.set()
    return job


@unit_of_work
async def _ask_for_ticket(
    work: Work, ctx: Context, ticket_id: UUID, given: dict[str, Any], client_mutation_id: str | None
) -> Job:
    ticket = await get_ticket(ctx, ticket_id)
    if ticket is None:
        raise NotFound("ticket", field=("ticketId",))
    (asked,) = await asked_of(ctx, [tuple(getattr(ticket, name) for name in PERMISSION_COLUMNS)])
    actions.check(actions.export, asked)
    if given["include_internal"]:
        check_may_see_internal(ctx)
    return await ask_for(
        work, ctx, JobKind.TICKET_EXPORT, given, ticket_id=ticket.id, client_mutation_id=client_mutation_id
    )


def check_may_see_internal(ctx: Context) -> None:
    """
    Raises:
        Forbidden: internal notes are for support staff.
    """
    if not policy.sees_internal(ctx.viewer):
        message = "Only support staff export what is internal. Leave `includeInternal` out."
        raise Forbidden(message, field=("includeInternal",))


async def manner_of(ctx: Context, locale: str | None, time_zone: str | None) -> dict[str, str]:
    """The language and the time zone of a file: those asked for, or else the viewer's own.

    Raises:
        Invalid: what is asked for cannot be used.
    """
    viewer = await User.get(id=ctx.user_id)
    return {
        "locale": locale_of(locale) if locale is not None else _own(locale_of, viewer.locale, SOURCE),
        "time_zone": zone_of(time_zone) if time_zone is not None else _own(zone_of, viewer.time_zone, "UTC"),
    }


def _own(check: Callable[[str], str], chosen: str | None, otherwise: str) -> str:
    """What a person has chosen, where it can be used here."""
    try:
        return check(chosen) if chosen else otherwise
    except Invalid:
        return otherwise


async def is_still_shown(ctx: Context, job: Job) -> bool:
    """Whether the viewer still sees all that is in the file of one ticket."""
    if job.given["include_internal"] and not policy.sees_internal(ctx.viewer):
        return False
    return await Ticket.visible_to(ctx.viewer).filter(id=job.ticket_id).exists()
