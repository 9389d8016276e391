"""Organizations, what they have chosen, and what can be asked of support."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from tortoise.exceptions import IntegrityError

from domain import organizing, policy
from domain.enums import HistoryAvailability, LifecyclePreset, MemberVisibility
from domain.errors import Duplicate, NotFound, StaleVersion
from domain.naming import line
from domain.words import Text
from engine.keyset import LazyPage, Order, PageArgs
from models import Organization, SupportProject
from resolvers.access import announce_access
from resolvers.catalog import LEFT_OUT
from resolvers.context import Context
from resolvers.reading import found, listing
from resolvers.transaction import Work, unit_of_work

BY_NAME = Order("organizations", "name", kind="text")

DECIDES_WHO_SEES = ("member_visibility", "history_availability", "history_starts_at")


@dataclass(frozen=True, slots=True)
class Choices:
    """An organization as it is to be; what is None or left out stays, or is the usual in a new one."""

    name: str
    domains: Sequence[str] | None = None
    member_visibility: MemberVisibility | None = None
    lifecycle_preset: LifecyclePreset | None = None
    history_availability: HistoryAvailability | None = None
    history_starts_on: date | None = LEFT_OUT
    partner_id: UUID | None = LEFT_OUT


async def get_organization(ctx: Context, organization_id: UUID) -> Organization | None:
    policy.check_authenticated(ctx.viewer)
    return await found(ctx, Organization, organization_id)


def list_organizations(ctx: Context, args: PageArgs) -> LazyPage[Organization]:
    """The viewer's own, by name; all of them for support staff (S10)."""
    policy.check_authenticated(ctx.viewer)
    return listing(ctx, Organization.filter(Organization.of_member(ctx.viewer)), BY_NAME, args)


async def list_support_projects(ctx: Context) -> list[SupportProject]:
    """By name (S16)."""
    policy.check_authenticated(ctx.viewer)
    return await SupportProject.shown_to(ctx.viewer).order_by("name", "id")


@unit_of_work
async def save_organization(
    work: Work, ctx: Context, organization_id: UUID | None, given: Choices, *, expected_version: int | None = None
) -> Organization:
    """Enter an organization, or change one. Whoever watches its tickets goes on with what they may see from now on.

    Raises:
        Forbidden: not for administrators of the desk.
        NotFound: no such organization, or no such partner.
        StaleVersion: somebody changed it since the viewer read it.
        Required, Invalid: the name or a domain is none, history would begin after today, or two would be each other's
            partner.
        Duplicate: another organization has that name.

    Source: S03, S08, S11, S12, S64, S65.
    """
    policy.check(ctx.viewer, policy.SAVE_ORGANIZATION, None)
    row = await _lock(organization_id) if organization_id else _new(work)
    if organization_id and expected_version not in (None, row.version):
        raise StaleVersion(row.version, CHANGED_MEANWHILE)
    before = {name: getattr(row, name) for name in row._meta.fields_db_projection}
    _choose(work, row, given)
    await _choose_partner(row, given.partner_id)
    if not organization_id or any(getattr(row, name) != value for name, value in before.items()):
        row.version += 1 if organization_id else 0
        await _store(row)
    if organization_id and any(getattr(row, name) != before[name] for name in DECIDES_WHO_SEES):
        announce_access(work, organization_id=row.id)
    return row


CHANGED_MEANWHILE = Text("Somebody changed this organization in the meantime. Load it again and repeat your change.")


async def _lock(organization_id: UUID) -> Organization:
    row = await Organization.select_for_update(no_key=True).get_or_none(id=organization_id)
    if row is None:
        raise NotFound("organization", field=("organizationId",))
    return row


def _new(work: Work) -> Organization:
    start = organizing.history_from(organizing.HISTORY_STARTS_ON, now=work.now)
    return Organization(created_at=work.now, history_starts_at=start)


def _choose(work: Work, row: Organization, given: Choices) -> None:
    row.name = line(given.name, field="name", limit=200)
    if given.domains is not None:
        row.domains = organizing.mail_domains(given.domains)
    if given.history_starts_on is not LEFT_OUT:
        row.history_starts_at = organizing.history_from(given.history_starts_on, now=work.now)
    for name in ("member_visibility", "lifecycle_preset", "history_availability"):
        chosen = getattr(given, name)
        if chosen is not None:
            setattr(row, name, chosen)


async def _choose_partner(row: Organization, partner_id: UUID | None) -> None:
    """What the organization's partner filed for it before stays the partner's."""
    if partner_id is LEFT_OUT or partner_id == row.partner_id:
        return
    if partner_id is not None:
        partner = await Organization.get_or_none(id=partner_id)
        if partner is None:
            raise NotFound("organization", field=("partnerId",))
        organizing.check_partner(row.id, partner_id=partner.id, partners_partner_id=partner.partner_id)
    row.partner_id = partner_id


async def _store(row: Organization) -> None:
    try:
        await row.save()
    except IntegrityError:
        raise Duplicate("There is an organization of this name already.", field=("name",)) from None
