"""People and other actors, organizations and who belongs to them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry
from strawberry import ID, Info, Parent, lazy
from tortoise.expressions import Q

import models
from domain import policy
from domain.enums import HistoryAvailability, LifecyclePreset, MemberVisibility, OrganizationRole, StaffRole
from engine.declare import PLAN, Doer
from engine.keyset import Order
from resolvers.context import Context
from resolvers.entitlements import request_types_for
from resolvers.reading import related
from schema import organization_lists
from schema.access import guarded
from schema.enums import DeniedBehavior
from schema.node import Node, entity
from schema.paging import Connection
from schema.preferences import NotificationPreferences
from schema.relations import all_of, batched, computed, derived, pages_of, same_row, to_one
from schema.scalars import URL, EmailAddress, Locale, TimeZone

if TYPE_CHECKING:
    from schema.catalog import RequestType, ServiceCertificate
    from schema.inventory import Desk, Device, Room, ServiceLicense, Space, SpaceGroup
    from schema.ticket import Ticket

SYSTEM_ID = ID("SystemActor_casewire")
BY_NAME = Order("spaces", "name", kind="text")


@strawberry.interface(description="Somebody or something that acts: a person, or the desk itself.")
class Actor(Node):
    display_name: str = strawberry.field(description="The name to show.")
    avatar_url: URL | None = strawberry.field(description="A picture; null where there is none.")


@strawberry.type(description="What somebody is in support.")
class StaffProfile:
    role: StaffRole = strawberry.field(description="What this person does there.")


@entity(models.User, description="A person: a customer, somebody from support, or both.")
class User(Actor, Node):
    username: str | None = strawberry.field(
        description="The short name in lists.", directives=guarded(policy.SEE_USERNAME)
    )
    email: EmailAddress | None = strawberry.field(
        description="The address this person signs in with.",
        directives=guarded(policy.SEE_EMAIL, DeniedBehavior.NULL_SILENT),
    )
    locale: Locale | None = strawberry.field(description="The language this person chose.")
    time_zone: TimeZone | None = strawberry.field(description="The time zone this person chose.")
    staff_profile: StaffProfile | None = computed(
        "staff_role",
        lambda role: StaffProfile(role=role) if role else None,
        "What this person is in support; null for customers.",
    )
    memberships: list["OrganizationMembership"] = all_of(
        models.Membership,
        "user_id",
        "joined_at",
        "The organizations this person belongs to, as far as you may see them.",
    )
    notification_preferences: NotificationPreferences | None = same_row(
        "Where this person is told of things; your own alone.", directives=guarded(policy.OWN_PREFERENCES)
    )


@dataclass(frozen=True, slots=True)
class SystemRow:
    """What acts where no person does; see `actor_of`."""

    id: UUID | None = None
    display_name: str = "Casewire"
    avatar_url: None = None


@strawberry.type(description="The desk itself, where something happened without anybody doing it.")
class SystemActor(Actor, Node):
    id: ID = strawberry.field(resolver=lambda: SYSTEM_ID, description="Opaque and stable; the same everywhere.")

    @classmethod
    def is_type_of(cls, value: object, info: object) -> bool:
        return isinstance(value, cls | SystemRow)


SYSTEM = SystemRow()


def actor_of(description: str, column: str = "actor_id") -> Any:
    """Who did it: a person, the desk itself, or null once the account is gone."""

    def resolve(root: Parent[Any], info: Info) -> Any:
        if getattr(root, "automatic", False):
            return SYSTEM
        key = getattr(root, column)
        return related(info.context, models.User, key) if key else None

    planned = Doer(
        relation=column.removesuffix("_id"),
        automatic="automatic" if column == "actor_id" else None,
        constant_type="SystemActor",
        constant={"id": SYSTEM_ID, "displayName": SYSTEM.display_name, "avatarUrl": None},
    )
    return strawberry.field(resolver=resolve, description=description, metadata={PLAN: planned})


@entity(models.Membership, description="A person's role in one organization.")
class OrganizationMembership(Node):
    user: User = to_one("user", "The member.", implied=True)
    organization: "Organization" = to_one("organization", "The organization.", implied=True)
    role: OrganizationRole = strawberry.field(description="What the member may do there.")
    joined_at: datetime = strawberry.field(description="Since when.")


def _roles(ctx: Context, rows: list[tuple[UUID]]) -> list[OrganizationRole | None]:
    memberships = [ctx.viewer.membership_in(key) for (key,) in rows]
    return [membership.role if membership else None for membership in memberships]


@entity(models.Organization, description="A customer of the vendor, or a partner that files for customers of its own.")
class Organization(Node):
    name: str = strawberry.field(description="Its name.")
    domains: list[str] = strawberry.field(description="The e-mail domains of its people.")
    version: int = strawberry.field(description="Grows with every change of what it is called or has chosen.")
    member_visibility: MemberVisibility = strawberry.field(
        description="Whether its ordinary members see each other's requests."
    )
    lifecycle_preset: LifecyclePreset = strawberry.field(
        description="How long its tickets wait for whom, unless their request type says otherwise."
    )
    history_availability: HistoryAvailability = strawberry.field(description="Whether its ticket history is shown.")
    history_starts_at: date | None = derived(
        "history_starts_at",
        lambda start: start and (start if isinstance(start, datetime) else datetime.fromisoformat(start)).date(),
        "Tickets filed before this day are not shown; null where all are.",
    )
    members: Connection[OrganizationMembership] | None = organization_lists.members(
        Order("members", "joined_at"), "Who belongs to it, in the order of joining."
    )
    groups: list[Annotated["SpaceGroup", lazy("schema.inventory")]] = all_of(
        models.SpaceGroup, "organization_id", "name", "Its groups of rooms and desks, by name."
    )
    spaces: Connection[Annotated["Space", lazy("schema.inventory")]] = organization_lists.places(
        BY_NAME, "Its rooms and desks, by name."
    )
    rooms: Connection[Annotated["Room", lazy("schema.inventory")]] = organization_lists.places(
        BY_NAME, "Its rooms, by name.", Q(kind=models.SpaceKind.ROOM)
    )
    desks: Connection[Annotated["Desk", lazy("schema.inventory")]] = organization_lists.places(
        BY_NAME, "Its desks, by name.", Q(kind=models.SpaceKind.DESK)
    )
    devices: Connection[Annotated["Device", lazy("schema.inventory")]] = organization_lists.devices(
        Order("devices", "name", kind="text"), "Its devices, by name."
    )
    tickets: Connection[Annotated["Ticket", lazy("schema.ticket")]] = organization_lists.tickets(
        "Its tickets that you may see."
    )
    licenses: Connection[Annotated["ServiceLicense", lazy("schema.inventory")]] | None = pages_of(
        models.ServiceLicense,
        "organization_id",
        Order("licenses", "created_at"),
        "Its service plans, in the order of their arrival.",
        directives=guarded(policy.SEE_LICENSES),
    )
    customers: Connection[Annotated["Organization", lazy("schema.people")]] = pages_of(
        models.Organization,
        "partner_id",
        Order("customers", "name", kind="text"),
        "The organizations that it files for, by name; only a partner has some.",
    )
    partner: Annotated["Organization", lazy("schema.people")] | None = to_one(
        "partner", "The organization that files requests for it; null without one that you may see."
    )
    certificates: list[Annotated["ServiceCertificate", lazy("schema.catalog")]] = organization_lists.certificates(
        "Its certificates, those that end first first."
    )

    viewer_role: OrganizationRole | None = batched(_roles, "Your role in it; null where you are no member.")

    @strawberry.field(description="What it can ask of support, by name.")
    @staticmethod
    async def request_types(
        root: Parent[models.Organization],
        info: Info,
        include_absent: Annotated[
            bool | None, strawberry.argument(description="Also what it has no certificate for.")
        ] = False,
    ) -> list[Annotated["RequestType", lazy("schema.catalog")]]:
        found: Any = await request_types_for(info.context, root.id, include_absent=bool(include_absent))
        return found  # type: ignore[no-any-return]
