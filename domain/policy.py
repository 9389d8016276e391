"""Who may do what, and nowhere else.

A `Policy` is a named question about a viewer and an object. A `Rule` is what an operation, a type or a field demands:
one of several combinations of policies (the outer list is OR, the inner AND), printed in the schema and enforced from
the same value. `allows` asks, `check` raises. What an object must tell is its `Facts`, plain values.

`models` holds the SQL form of `may_read_ticket`; a test compares the two over every case.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from domain.enums import Confidentiality, Described, MemberVisibility, OrganizationRole, Scope, StaffRole
from domain.errors import Forbidden, NotFound, Unauthenticated
from domain.words import Text
from domain.words.languages import SOURCE, accepted, language

MAY_NOT = Text("You may not do this.")
MAY_NOT_SEE = Text("You may not see this.")

TICKET_VIEWERS = frozenset({OrganizationRole.OWNER, OrganizationRole.ADMIN, OrganizationRole.SUPPORT_REQUEST_ADMIN})
"""Roles that always see their organization's requests; they manage them too (S03, S60)."""

LICENSE_MANAGERS = frozenset({OrganizationRole.OWNER, OrganizationRole.LICENSE_MANAGER})


@dataclass(frozen=True, slots=True)
class Membership:
    """A viewer's place in one organization, with the settings of it that decide."""

    organization_id: UUID
    role: OrganizationRole
    member_visibility: MemberVisibility = MemberVisibility.OPEN
    history_starts_at: datetime | None = None
    history_is_available: bool = True
    """False where a regulation forbids to show the organization's tickets to its people (S11)."""

    @property
    def is_above_read_only(self) -> bool:
        return self.role is not OrganizationRole.READ_ONLY

    @property
    def sees_all(self) -> bool:
        """Whether this member sees the organization's requests, not only the own ones (S03)."""
        if self.role in TICKET_VIEWERS:
            return True
        ordinary = self.role in (OrganizationRole.MEMBER, OrganizationRole.READ_ONLY)
        return ordinary and self.member_visibility is MemberVisibility.OPEN

    @property
    def manages(self) -> bool:
        return self.role in TICKET_VIEWERS


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. Made once a request or socket, from the database; holds no row and does no I/O.

    `locale` is the language that a person chose, `accepts` the shipped one that counts where there is none.
    """

    user_id: UUID | None = None
    staff_role: StaffRole | None = None
    memberships: tuple[Membership, ...] = ()
    scopes: frozenset[Scope] = frozenset(Scope)
    expires_at: datetime | None = None
    session_id: UUID | None = None
    locale: str | None = None
    accepts: str = SOURCE
    _by_organization: dict[UUID, Membership] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_organization", {m.organization_id: m for m in self.memberships})

    @property
    def is_authenticated(self) -> bool:
        return self.user_id is not None

    @property
    def is_staff(self) -> bool:
        return self.staff_role is not None

    @property
    def language(self) -> str:
        """The shipped language that this viewer is spoken to in (S42)."""
        return language(self.locale) or self.accepts

    def accepting(self, header: str | None, otherwise: str = SOURCE) -> "Viewer":
        """The viewer of a request with this `Accept-Language`: it counts for whoever has chosen no language."""
        accepts = (accepted(header) if header else None) or otherwise
        return self if accepts == self.accepts or language(self.locale) else replace(self, accepts=accepts)

    @property
    def audience(self) -> str:
        """Which of a ticket's streams and which of its sequences this viewer reads: staff also the internal ones."""
        return "staff" if self.is_staff else "public"

    @property
    def is_kept_from_history(self) -> bool:
        """Whether a regulation keeps some tickets from this viewer that could be read otherwise (S11)."""
        return not self.is_staff and not all(m.history_is_available for m in self.memberships)

    def membership_in(self, organization_id: UUID | None) -> Membership | None:
        return self._by_organization.get(organization_id) if organization_id else None


ANONYMOUS = Viewer(scopes=frozenset())


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """What decides about a ticket: read from its row, and whether the viewer takes part in it."""

    organization_id: UUID
    requester_id: UUID | None
    confidentiality: Confidentiality
    created_at: datetime
    owner_id: UUID | None = None
    assignee_id: UUID | None = None
    is_participant: bool = False


@dataclass(frozen=True, slots=True)
class UserFacts:
    """What decides about a person: who it is, and which organizations it is a member of."""

    user_id: UUID
    organization_ids: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class OrganizationFacts:
    """What decides about an organization and its rooms, desks and devices."""

    organization_id: UUID


@dataclass(frozen=True, slots=True)
class TakingPart:
    """What decides about a thing on a ticket that the viewer is known to be shown: who takes part in the ticket."""

    takes_part: bool


Facts = TicketFacts | UserFacts | OrganizationFacts | TakingPart | None


class Policy(Described):
    """A named question about a viewer and an object; each is one function in the policy module."""

    TICKET_PARTICIPANT = "TICKET_PARTICIPANT", "Opened the ticket, owns it or takes part in it."
    TICKET_AUTHOR = "TICKET_AUTHOR", "Opened the ticket."
    TICKET_OWNER_OR_ORG_ADMIN = "TICKET_OWNER_OR_ORG_ADMIN", "Answers for the ticket, or manages its organization."
    ORG_TICKET_VIEWER = "ORG_TICKET_VIEWER", "Sees the requests of the organization."
    ORG_TICKET_MANAGER = "ORG_TICKET_MANAGER", "Manages the requests of the organization."
    ORG_ABOVE_READ_ONLY = "ORG_ABOVE_READ_ONLY", "Is a member of the organization with more than READ_ONLY."
    ORG_LICENSE_MANAGER = "ORG_LICENSE_MANAGER", "Assigns the organization's licences."
    STAFF = "STAFF", "Works in support."
    STAFF_ASSIGNED = "STAFF_ASSIGNED", "Is the ticket's assigned agent."
    STAFF_ENGINEERING = "STAFF_ENGINEERING", "Is an engineer."
    STAFF_ADMIN = "STAFF_ADMIN", "Runs the desk."
    SELF = "SELF", "Is the person the object is about."
    HISTORY_AVAILABLE = "HISTORY_AVAILABLE", "No regulation forbids to show the organization's tickets to its people."


@dataclass(frozen=True, slots=True)
class Rule:
    """One of `alternatives` must hold; each is a combination that must hold as a whole."""

    alternatives: tuple[tuple[Policy, ...], ...]

    @classmethod
    def any_of(cls, *alternatives: "Policy | tuple[Policy, ...]") -> "Rule":
        return cls(tuple(each if isinstance(each, tuple) else (each,) for each in alternatives))


WRITING_PARTICIPANT = (Policy.TICKET_PARTICIPANT, Policy.ORG_ABOVE_READ_ONLY)
"""Takes part in a ticket, and is not there to read only (S15)."""

READ_TICKET = Rule.any_of(
    (Policy.TICKET_PARTICIPANT, Policy.HISTORY_AVAILABLE),
    (Policy.ORG_TICKET_VIEWER, Policy.HISTORY_AVAILABLE),
    Policy.STAFF,
)
CREATE_TICKET = Rule.any_of(Policy.ORG_ABOVE_READ_ONLY, Policy.STAFF)
ASSIGN_TICKET = Rule.any_of(Policy.STAFF)
RESOLVE_TICKET = Rule.any_of(WRITING_PARTICIPANT, Policy.ORG_TICKET_MANAGER, Policy.STAFF)
CLOSE_TICKET = Rule.any_of(
    (Policy.TICKET_OWNER_OR_ORG_ADMIN, Policy.ORG_ABOVE_READ_ONLY), Policy.ORG_TICKET_MANAGER, Policy.STAFF
)
REOPEN_TICKET = Rule.any_of(WRITING_PARTICIPANT, Policy.ORG_TICKET_MANAGER, Policy.STAFF)
SEND_MESSAGE = Rule.any_of(
    WRITING_PARTICIPANT, (Policy.TICKET_OWNER_OR_ORG_ADMIN, Policy.ORG_ABOVE_READ_ONLY), Policy.STAFF
)
REQUEST_REPLY = Rule.any_of(Policy.STAFF)
SHOW_TYPING = SEND_MESSAGE
MARK_READ = Rule.any_of(Policy.TICKET_PARTICIPANT, Policy.ORG_TICKET_VIEWER, Policy.STAFF)
OWN_NOTIFICATIONS = Rule.any_of(Policy.SELF)
OWN_PREFERENCES = Rule.any_of(Policy.SELF)
BE_PRESENT = Rule.any_of(Policy.TICKET_PARTICIPANT, Policy.STAFF)
ADD_NOTE = Rule.any_of(WRITING_PARTICIPANT, Policy.ORG_TICKET_MANAGER, Policy.STAFF)
UPLOAD_FILE = Rule.any_of(Policy.ORG_ABOVE_READ_ONLY, Policy.STAFF)
DELETE_ATTACHMENT = Rule.any_of((Policy.TICKET_AUTHOR, Policy.ORG_ABOVE_READ_ONLY), Policy.STAFF)
FOLLOW_TICKET = Rule.any_of(Policy.ORG_ABOVE_READ_ONLY, Policy.STAFF)
UNFOLLOW_TICKET = Rule.any_of(Policy.ORG_ABOVE_READ_ONLY, Policy.STAFF, Policy.SELF)
REMOVE_ANY_FOLLOWER = Rule.any_of((Policy.TICKET_OWNER_OR_ORG_ADMIN, Policy.ORG_ABOVE_READ_ONLY), Policy.STAFF)
SEE_FOLLOWER_EMAIL = Rule.any_of(Policy.ORG_TICKET_MANAGER, Policy.STAFF)
SHARE_TICKET = Rule.any_of(WRITING_PARTICIPANT, Policy.ORG_TICKET_MANAGER, Policy.STAFF)
ADD_CONTACT = Rule.any_of(Policy.STAFF_ASSIGNED)
REMOVE_PARTICIPANT = Rule.any_of(Policy.STAFF_ASSIGNED, Policy.STAFF_ADMIN)
CLAIM_TICKET = Rule.any_of(Policy.ORG_ABOVE_READ_ONLY)
SEE_UNCLAIMED = Rule.any_of(Policy.ORG_ABOVE_READ_ONLY, Policy.STAFF)
SET_REQUESTER = Rule.any_of(Policy.STAFF)
HOLD_TICKET = Rule.any_of(Policy.STAFF)
SHARE_RESOURCE = Rule.any_of(Policy.STAFF)
SCHEDULE_CALL = Rule.any_of(Policy.STAFF)
ANSWER_CALL = Rule.any_of(WRITING_PARTICIPANT, Policy.STAFF)
JOIN_CALL = Rule.any_of(Policy.TICKET_PARTICIPANT, Policy.STAFF)
SCHEDULE_APPOINTMENT = Rule.any_of(WRITING_PARTICIPANT, Policy.STAFF)
UPDATE_TICKET = Rule.any_of((Policy.TICKET_OWNER_OR_ORG_ADMIN, Policy.ORG_ABOVE_READ_ONLY), Policy.STAFF)
SET_CONFIDENTIALITY = Rule.any_of((Policy.TICKET_AUTHOR, Policy.ORG_ABOVE_READ_ONLY), Policy.STAFF)
LOCK_TICKET = Rule.any_of(Policy.STAFF)
SEE_INTERNAL = Rule.any_of(Policy.STAFF)
SUBMIT_ESCALATION = Rule.any_of(Policy.STAFF)
ADVANCE_ESCALATION = Rule.any_of(Policy.STAFF, Policy.STAFF_ENGINEERING)
LINK_TICKETS = Rule.any_of(WRITING_PARTICIPANT, Policy.STAFF)
UNLINK_TICKETS = Rule.any_of(Policy.STAFF)
MERGE_TICKETS = Rule.any_of(Policy.STAFF)
SPLIT_TICKET = Rule.any_of(Policy.STAFF)
CREATE_LINKED_TICKET = Rule.any_of(WRITING_PARTICIPANT, Policy.ORG_TICKET_MANAGER, Policy.STAFF)
LEAVE_FEEDBACK = Rule.any_of(WRITING_PARTICIPANT)
DECIDE_RESOLUTION = Rule.any_of(WRITING_PARTICIPANT, Policy.ORG_TICKET_MANAGER)
SEE_ORGANIZATION = Rule.any_of(Policy.ORG_ABOVE_READ_ONLY, Policy.ORG_TICKET_VIEWER, Policy.STAFF)
SEE_ORGANIZATION_LIST = Rule.any_of(Policy.ORG_TICKET_VIEWER, Policy.STAFF)
SEE_MEMBERS = Rule.any_of(Policy.ORG_TICKET_VIEWER, Policy.STAFF)
MANAGE_MEMBERS = Rule.any_of(Policy.ORG_TICKET_MANAGER, Policy.STAFF_ADMIN)
MANAGE_INVENTORY = Rule.any_of(Policy.ORG_TICKET_MANAGER, Policy.STAFF_ADMIN)
ASSIGN_LICENSE = Rule.any_of(Policy.ORG_LICENSE_MANAGER, Policy.STAFF_ADMIN)
SAVE_ORGANIZATION = Rule.any_of(Policy.STAFF_ADMIN)
SEE_USERNAME = Rule.any_of(Policy.SELF, Policy.ORG_TICKET_VIEWER, Policy.STAFF)
SEE_EMAIL = Rule.any_of(Policy.SELF, Policy.ORG_TICKET_MANAGER, Policy.STAFF)
SEE_SERIAL_NUMBER = Rule.any_of(Policy.ORG_TICKET_VIEWER, Policy.ORG_ABOVE_READ_ONLY, Policy.STAFF)
SEE_LICENSES = Rule.any_of(Policy.ORG_LICENSE_MANAGER, Policy.STAFF)
SEE_ASSOCIATED_USERNAMES = Rule.any_of(Policy.ORG_TICKET_VIEWER, Policy.STAFF)
STAFF_ONLY = Rule.any_of(Policy.STAFF)
OWN_DRAFTS = Rule.any_of(Policy.SELF)
SEE_JOB = Rule.any_of(Policy.SELF, Policy.STAFF_ADMIN)
EXPORT_TICKET = Rule.any_of(Policy.TICKET_PARTICIPANT, Policy.ORG_TICKET_VIEWER, Policy.STAFF)
EXPORT_TICKETS = Rule.any_of(Policy.ORG_TICKET_MANAGER, Policy.STAFF)
MANAGE_CATALOG = Rule.any_of(Policy.STAFF_ADMIN)
SAVE_ARTICLE = Rule.any_of(Policy.STAFF)
RATE_ARTICLE = Rule.any_of(Policy.SELF)
IMPORT_TICKETS = Rule.any_of(Policy.STAFF_ADMIN)


def allows(viewer: Viewer, rule: Rule, facts: Facts) -> bool:
    """Whether the viewer satisfies the rule for the object of these facts."""
    return any(all(HOLDS[policy](viewer, facts) for policy in combination) for combination in rule.alternatives)


def conceivable(viewer: Viewer, rule: Rule) -> bool:
    """Whether there could be an object for which the rule holds: asked where no object is known yet."""
    return any(all(_could_hold(policy, viewer) for policy in combination) for combination in rule.alternatives)


def check(viewer: Viewer, rule: Rule, facts: Facts, english: str | Text = MAY_NOT) -> None:
    """
    Raises:
        Unauthenticated: nobody is signed in.
        Forbidden: the rule does not hold.
    """
    check_authenticated(viewer)
    if not allows(viewer, rule, facts):
        raise Forbidden(english)


def check_authenticated(viewer: Viewer) -> None:
    """
    Raises:
        Unauthenticated: nobody is signed in.
    """
    if not viewer.is_authenticated:
        raise Unauthenticated


def may_read_ticket(viewer: Viewer, ticket: TicketFacts) -> bool:
    """Whether the viewer may know of a ticket at all: in lists, counts, by id, in events and everywhere else.

    A customer must be a member of the ticket's organization, whatever the part in it: who leaves loses it at once.
    Following a ticket counts for nothing here.

    Source: S01, S02, S03, S07, S11, S12, S14.
    """
    if viewer.is_staff:
        return True
    if viewer.user_id is None:
        return False
    takes_part = _takes_part(viewer, ticket)
    membership = viewer.membership_in(ticket.organization_id)
    if membership is None:
        return False
    if not membership.history_is_available:
        return False
    if membership.history_starts_at and ticket.created_at < membership.history_starts_at:
        return False
    if ticket.confidentiality is Confidentiality.AUTHOR_ONLY:
        return ticket.requester_id == viewer.user_id
    return takes_part or _sees_as_member(membership, ticket)


def as_if_history_were_available(viewer: Viewer) -> Viewer:
    """The viewer without what a regulation forbids: what this one may read besides is withheld for that alone (S11)."""
    return replace(viewer, memberships=tuple(replace(m, history_is_available=True) for m in viewer.memberships))


def check_may_read(viewer: Viewer, ticket: TicketFacts) -> None:
    """
    Raises:
        NotFound: what one may not see answers like what does not exist (S07).
    """
    if not may_read_ticket(viewer, ticket):
        raise NotFound("ticket")


def check_belongs(viewer: Viewer, organization_id: UUID) -> None:
    """That the organization which somebody names to work in is one of the viewer's: all of them are support's (S10).

    Raises:
        NotFound: what is none of one's own answers like what does not exist.
    """
    if not viewer.is_staff and viewer.membership_in(organization_id) is None:
        raise NotFound("organization", field=("organizationId",))


def sees_internal(viewer: Viewer) -> bool:
    """Whether internal notes and events are shown."""
    return viewer.is_staff


def _could_hold(policy: Policy, viewer: Viewer) -> bool:
    match policy:
        case Policy.STAFF | Policy.STAFF_ENGINEERING | Policy.STAFF_ADMIN:
            return HOLDS[policy](viewer, None)
        case Policy.STAFF_ASSIGNED:
            return viewer.is_staff
        case Policy.TICKET_PARTICIPANT | Policy.TICKET_AUTHOR | Policy.TICKET_OWNER_OR_ORG_ADMIN | Policy.SELF:
            return viewer.is_authenticated
        case Policy.ORG_TICKET_VIEWER:
            return any(m.sees_all or m.is_above_read_only for m in viewer.memberships)
        case Policy.HISTORY_AVAILABLE:
            return viewer.is_staff or any(m.history_is_available for m in viewer.memberships)
        case _:
            return any(HOLDS[policy](viewer, OrganizationFacts(m.organization_id)) for m in viewer.memberships)


def _takes_part(viewer: Viewer, ticket: TicketFacts) -> bool:
    return viewer.user_id is not None and (
        viewer.user_id in (ticket.requester_id, ticket.owner_id) or ticket.is_participant
    )


def _memberships(viewer: Viewer, facts: Facts) -> Iterable[Membership]:
    """The viewer's memberships that the object is about."""
    if isinstance(facts, UserFacts):
        return [m for m in viewer.memberships if m.organization_id in facts.organization_ids]
    if isinstance(facts, TicketFacts | OrganizationFacts):
        membership = viewer.membership_in(facts.organization_id)
        return [membership] if membership else []
    return []


def _ticket(question: Callable[[Viewer, TicketFacts], bool]) -> Callable[[Viewer, Facts], bool]:
    """A question that only a ticket can answer with yes, and only to somebody who may read it."""

    def holds(viewer: Viewer, facts: Facts) -> bool:
        return isinstance(facts, TicketFacts) and may_read_ticket(viewer, facts) and question(viewer, facts)

    return holds


def _member(question: Callable[[Membership], bool]) -> Callable[[Viewer, Facts], bool]:
    """A question about the viewer's place in the object's organization; a ticket must be readable besides."""

    def holds(viewer: Viewer, facts: Facts) -> bool:
        if isinstance(facts, TicketFacts) and not may_read_ticket(viewer, facts):
            return False
        return any(question(membership) for membership in _memberships(viewer, facts))

    return holds


def _owner_or_manager(viewer: Viewer, ticket: TicketFacts) -> bool:
    membership = viewer.membership_in(ticket.organization_id)
    return viewer.user_id in (ticket.requester_id, ticket.owner_id) or bool(membership and membership.manages)


def _sees_as_member(membership: Membership, ticket: TicketFacts) -> bool:
    """Whether a member with no part in a ticket is shown it; what nobody opened, to all who may claim it (S14)."""
    return membership.sees_all or (ticket.requester_id is None and membership.is_above_read_only)


def _sees_requests(viewer: Viewer, facts: Facts) -> bool:
    if isinstance(facts, TicketFacts):
        membership = viewer.membership_in(facts.organization_id)
        return membership is not None and may_read_ticket(viewer, facts) and _sees_as_member(membership, facts)
    return any(membership.sees_all for membership in _memberships(viewer, facts))


_history_is_shown = _member(lambda membership: membership.history_is_available)


_is_on_readable_ticket = _ticket(_takes_part)


def _is_on_ticket(viewer: Viewer, facts: Facts) -> bool:
    return facts.takes_part if isinstance(facts, TakingPart) else _is_on_readable_ticket(viewer, facts)


def _is_self(viewer: Viewer, facts: Facts) -> bool:
    return isinstance(facts, UserFacts) and viewer.user_id == facts.user_id


HOLDS: dict[Policy, Callable[[Viewer, Facts], bool]] = {
    Policy.TICKET_PARTICIPANT: _is_on_ticket,
    Policy.TICKET_AUTHOR: _ticket(lambda viewer, ticket: viewer.user_id == ticket.requester_id),
    Policy.TICKET_OWNER_OR_ORG_ADMIN: _ticket(_owner_or_manager),
    Policy.ORG_TICKET_VIEWER: _sees_requests,
    Policy.ORG_TICKET_MANAGER: _member(lambda membership: membership.manages),
    Policy.ORG_ABOVE_READ_ONLY: _member(lambda membership: membership.is_above_read_only),
    Policy.ORG_LICENSE_MANAGER: _member(lambda membership: membership.role in LICENSE_MANAGERS),
    Policy.STAFF: lambda viewer, _: viewer.is_staff,
    Policy.STAFF_ASSIGNED: _ticket(lambda viewer, ticket: viewer.is_staff and viewer.user_id == ticket.assignee_id),
    Policy.STAFF_ENGINEERING: lambda viewer, _: viewer.staff_role is StaffRole.ENGINEER,
    Policy.STAFF_ADMIN: lambda viewer, _: viewer.staff_role is StaffRole.ADMIN,
    Policy.SELF: _is_self,
    Policy.HISTORY_AVAILABLE: lambda viewer, facts: viewer.is_staff or _history_is_shown(viewer, facts),
}
