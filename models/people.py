"""Who there is: people, the organizations they belong to, and the tokens that keep them signed in."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.expressions import Q, Subquery
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint

from domain.enums import HistoryAvailability, LifecyclePreset, MemberVisibility, OrganizationRole, StaffRole
from domain.policy import HOLDS, SEE_MEMBERS, Facts, OrganizationFacts, Policy, Rule, UserFacts, Viewer, allows
from engine.statements import ALWAYS, MARK, NEVER, Dialect, Fragment, all_of, any_of, stored
from models.base import BaseModel, Choice, Instant, anyone_signed_in, member_of, nothing


class Organization(BaseModel):
    """A customer, or a partner that files for its own customers (S08). `version` grows with every change (J8)."""

    version = fields.IntField(default=1, db_default=1)
    name = fields.CharField(200, unique=True)
    domains: list[str] = fields.JSONField(default=list)
    partner: fields.ForeignKeyNullableRelation["Organization"] = fields.ForeignKeyField(
        "casewire.Organization", related_name="customers", null=True, on_delete=fields.SET_NULL
    )
    partner_id: UUID | None
    member_visibility: MemberVisibility = Choice(MemberVisibility, max_length=8, default=MemberVisibility.OPEN)
    lifecycle_preset: LifecyclePreset = Choice(LifecyclePreset, max_length=16, default=LifecyclePreset.WEEK)
    history_availability: HistoryAvailability = Choice(
        HistoryAvailability, max_length=24, default=HistoryAvailability.AVAILABLE
    )
    history_starts_at: datetime | None = Instant(null=True)
    created_at: datetime = Instant()

    class Meta:
        app = "casewire"
        table = "organization"
        indexes = [Index(fields=("partner_id", "name", "id"), name="organization_partner_by_name")]

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        """Its own people, and those of the partner that files for it: what else is told of it is guarded (S08)."""
        if viewer.is_staff or not viewer.memberships:
            return member_of(viewer, "id")
        return member_of(viewer, "id") | member_of(viewer, "partner_id")

    @classmethod
    def of_member(cls, viewer: Viewer) -> Q:
        """The viewer's own organizations; all of them for support staff (S10)."""
        return member_of(viewer, "id")

    fact_columns = ("id",)

    @classmethod
    async def facts_by_columns(cls, keys: set[tuple[Any, ...]], viewer: Viewer, read: Any) -> dict[Any, Facts]:
        return {key: OrganizationFacts(UUID(key[0])) for key in keys}

    def facts(self) -> OrganizationFacts:
        return OrganizationFacts(self.id)


class User(BaseModel):
    """A person: a customer, somebody from support, or both."""

    email = fields.CharField(254, unique=True, description="lower case")
    username = fields.CharField(100)
    display_name = fields.CharField(200)
    avatar_url = fields.CharField(500, null=True)
    password_hash = fields.CharField(200, null=True)
    locale = fields.CharField(16, null=True)
    time_zone = fields.CharField(64, null=True)
    staff_role: StaffRole | None = Choice(StaffRole, max_length=16, null=True)
    is_active = fields.BooleanField(default=True)
    notify_in_app = fields.BooleanField(default=True, db_default=True)
    notify_by_email = fields.BooleanField(default=True, db_default=True)
    email_digest = fields.BooleanField(default=False, db_default=False, description="one e-mail for many")
    created_at: datetime = Instant()

    class Meta:
        app = "casewire"
        table = "app_user"
        constraints = [CheckConstraint(check="email = lower(email)", name="app_user_email_lower_case")]
        indexes = [Index(fields=("display_name", "id"), name="app_user_by_name")]

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        """Whoever stands on something visible may be named; what else is told of a person is guarded field by field."""
        return anyone_signed_in(viewer)

    @classmethod
    def found_by(cls, viewer: Viewer) -> Q:
        if viewer.is_staff:
            return Q()
        if viewer.user_id is None:
            return nothing()
        colleagues = Membership.filter(member_of(viewer)).values("user_id")
        return Q(id=viewer.user_id) | Q(id__in=Subquery(colleagues))

    shared_organization_ids: frozenset[UUID] = frozenset()
    """Which of the viewer's organizations this person belongs to; set by whoever loads the row for a viewer."""

    decides_in_sql = True

    @classmethod
    def allowed_sql(cls, viewer: Viewer, rule: Rule, dialect: Dialect) -> Fragment:
        return any_of(
            *[all_of(*[_holds(policy, viewer, dialect) for policy in combination]) for combination in rule.alternatives]
        )

    def facts(self) -> UserFacts:
        return UserFacts(self.id, self.shared_organization_ids)


class Membership(BaseModel):
    """A person's role in one organization (S03, S10)."""

    organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "casewire.Organization", related_name="memberships", on_delete=fields.CASCADE
    )
    organization_id: UUID
    user: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="memberships", on_delete=fields.CASCADE
    )
    user_id: UUID
    role: OrganizationRole = Choice(OrganizationRole, max_length=24)
    joined_at: datetime = Instant()

    class Meta:
        app = "casewire"
        table = "membership"
        unique_together = (("organization", "user"),)
        indexes = [
            Index(fields=("user_id",), name="membership_user"),
            Index(fields=("organization_id", "joined_at", "id"), name="membership_by_joined"),
        ]

    @classmethod
    def seen_by(cls, viewer: Viewer) -> Q:
        if viewer.is_staff:
            return Q()
        if viewer.user_id is None:
            return nothing()
        seen = [
            m.organization_id
            for m in viewer.memberships
            if allows(viewer, SEE_MEMBERS, OrganizationFacts(m.organization_id))
        ]
        own = Q(user_id=viewer.user_id)
        return own | Q(organization_id__in=seen) if seen else own


def _holds(policy: Policy, viewer: Viewer, dialect: Dialect) -> Fragment:
    """The people for whom a policy holds: the viewer, everybody, or the members of some of the viewer's places."""
    if policy is Policy.SELF and viewer.user_id is not None:
        return Fragment(f'"app_user"."id" = {MARK}', (stored(viewer.user_id, dialect),))
    if HOLDS[policy](viewer, None):
        return ALWAYS
    places = [
        m.organization_id for m in viewer.memberships if HOLDS[policy](viewer, OrganizationFacts(m.organization_id))
    ]
    if not places:
        return NEVER
    marks = ", ".join([MARK] * len(places))
    return Fragment(
        'EXISTS (SELECT 1 FROM "membership" "m" '
        f'WHERE "m"."user_id" = "app_user"."id" AND "m"."organization_id" IN ({marks}))',
        tuple(stored(each, dialect) for each in places),
    )


class RefreshToken(BaseModel):
    """One link of a chain of refresh tokens; only a hash is kept. A used one that comes back ends its family."""

    user: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "casewire.User", related_name="refresh_tokens", on_delete=fields.CASCADE
    )
    user_id: UUID
    family = fields.UUIDField()
    token_hash = fields.CharField(64, unique=True)
    issued_at: datetime = Instant()
    expires_at: datetime = Instant()
    used_at: datetime | None = Instant(null=True)
    revoked_at: datetime | None = Instant(null=True)

    class Meta:
        app = "casewire"
        table = "refresh_token"
        indexes = [
            Index(fields=("family",), name="refresh_token_family"),
            Index(fields=("user_id",), name="refresh_token_user"),
            Index(fields=("expires_at",), name="refresh_token_expiry"),
        ]
