"""Who is in the demo world: three organizations, their people in every role, and the vendor's support staff."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from domain.enums import LifecyclePreset, MemberVisibility, OrganizationRole, StaffRole
from models import Membership, Organization, User

HOTELS = "Alpenglow Hotels"
PARTNER = "Brightside Integrators"
BANK = "Cobalt Bank"

STAFF_DOMAIN = "orba.example"


@dataclass(frozen=True, slots=True)
class Company:
    name: str
    domain: str
    member_visibility: MemberVisibility
    lifecycle_preset: LifecyclePreset
    partner: str | None = None


COMPANIES = (
    Company(HOTELS, "alpenglow.example", MemberVisibility.OPEN, LifecyclePreset.WEEK),
    Company(PARTNER, "brightside.example", MemberVisibility.OPEN, LifecyclePreset.HOURS_72),
    Company(BANK, "cobalt.example", MemberVisibility.OWN, LifecyclePreset.HOURS_72, partner=PARTNER),
)


@dataclass(frozen=True, slots=True)
class Person:
    """`handle` is the user name and the first half of the address. The first of `roles` is the person's own company."""

    handle: str
    name: str
    locale: str
    time_zone: str
    roles: dict[str, OrganizationRole] = field(default_factory=dict)
    staff_role: StaffRole | None = None

    @property
    def email(self) -> str:
        domains = {company.name: company.domain for company in COMPANIES}
        return f"{self.handle}@{domains[next(iter(self.roles))] if self.roles else STAFF_DOMAIN}"


OWNER, ADMIN, MEMBER = OrganizationRole.OWNER, OrganizationRole.ADMIN, OrganizationRole.MEMBER
READ_ONLY, LICENSES = OrganizationRole.READ_ONLY, OrganizationRole.LICENSE_MANAGER
REQUESTS = OrganizationRole.SUPPORT_REQUEST_ADMIN

PEOPLE = (
    Person("sam", "Sam Okafor", "en", "Europe/London", staff_role=StaffRole.AGENT),
    Person("lucia", "Lucia Romano", "it", "Europe/Rome", staff_role=StaffRole.AGENT),
    Person("nadia", "Nadia Haddad", "fr", "Europe/Paris", staff_role=StaffRole.LEAD),
    Person("kenji", "Kenji Mori", "en", "Asia/Tokyo", staff_role=StaffRole.ENGINEER),
    Person("ruth", "Ruth Adler", "en", "Europe/Zurich", staff_role=StaffRole.ADMIN),
    Person("greta", "Greta Lindqvist", "en", "Europe/Zurich", {HOTELS: OWNER}),
    Person("marco", "Marco Bianchi", "it", "Europe/Rome", {HOTELS: ADMIN}),
    Person("ines", "Inês Carvalho", "pt", "Europe/Lisbon", {HOTELS: REQUESTS}),
    Person("paul", "Paul Fournier", "fr", "Europe/Paris", {HOTELS: LICENSES}),
    Person("anna", "Anna Weber", "en", "Europe/Zurich", {HOTELS: MEMBER}),
    Person("tomas", "Tomás Azevedo", "pt", "Europe/Lisbon", {HOTELS: MEMBER}),
    Person("olga", "Olga Petrova", "ru", "Europe/Helsinki", {HOTELS: READ_ONLY}),
    Person("ben", "Ben Hartley", "en", "Europe/London", {PARTNER: OWNER}),
    Person("ivan", "Ivan Sokolov", "ru", "Europe/Riga", {PARTNER: REQUESTS}),
    Person("chloe", "Chloé Martin", "fr", "Europe/Brussels", {PARTNER: MEMBER, BANK: READ_ONLY}),
    Person("dora", "Dora Klein", "en", "Europe/Berlin", {BANK: OWNER}),
    Person("felix", "Felix Brandt", "en", "Europe/Berlin", {BANK: ADMIN}),
    Person("lena", "Lena Orlova", "ru", "Europe/Riga", {BANK: MEMBER}),
    Person("hugo", "Hugo Lambert", "fr", "Europe/Paris", {BANK: MEMBER}),
)

HISTORY_STARTS_AT = datetime(2019, 7, 15, tzinfo=UTC)


async def add_companies(now: datetime) -> dict[str, Organization]:
    """The organizations by name, customers since two years; a partner before its customers."""
    made: dict[str, Organization] = {}
    for company in COMPANIES:
        made[company.name] = await Organization.create(
            name=company.name,
            domains=[company.domain],
            partner=made[company.partner] if company.partner else None,
            member_visibility=company.member_visibility,
            lifecycle_preset=company.lifecycle_preset,
            history_starts_at=HISTORY_STARTS_AT,
            created_at=now - timedelta(days=730),
        )
    return made


async def add_people(companies: dict[str, Organization], password_hash: str, now: datetime) -> dict[str, User]:
    """The accounts by handle, all with the same password, with their roles."""
    made: dict[str, User] = {}
    for days, person in enumerate(PEOPLE):
        joined = now - timedelta(days=700 - days)
        made[person.handle] = user = await User.create(
            email=person.email,
            username=person.handle,
            display_name=person.name,
            password_hash=password_hash,
            locale=person.locale,
            time_zone=person.time_zone,
            staff_role=person.staff_role,
            created_at=joined,
        )
        for company, role in person.roles.items():
            await Membership.create(organization=companies[company], user=user, role=role, joined_at=joined)
    return made
