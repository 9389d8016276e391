"""Who may do what: each policy by examples, and what holds for every viewer and every object."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import policy
from domain.enums import Confidentiality, MemberVisibility, OrganizationRole, StaffRole
from domain.errors import Forbidden, NotFound, Unauthenticated
from domain.policy import (
    ANONYMOUS,
    HOLDS,
    Facts,
    Membership,
    OrganizationFacts,
    Policy,
    Rule,
    TicketFacts,
    UserFacts,
    Viewer,
    allows,
    as_if_history_were_available,
    check,
    check_belongs,
    check_may_read,
    conceivable,
    may_read_ticket,
    sees_internal,
)
from tests.domain.strategies import MIDNIGHT, facts, tickets, viewers

ACME, OTHER, ANN, BOB, SAM = (UUID(int=n) for n in range(1, 6))
OWNER, ADMIN, REQUEST_ADMIN, LICENSE_MANAGER, MEMBER, READ_ONLY = OrganizationRole
SEE_OPEN = {OWNER, ADMIN, REQUEST_ADMIN, MEMBER, READ_ONLY}
SEE_OWN = {OWNER, ADMIN, REQUEST_ADMIN}
MOMENT = timedelta(microseconds=1)

TICKET = TicketFacts(
    organization_id=ACME,
    requester_id=ANN,
    confidentiality=Confidentiality.ORGANIZATION,
    created_at=MIDNIGHT,
)
PRIVATE = replace(TICKET, confidentiality=Confidentiality.AUTHOR_ONLY)
UNCLAIMED = replace(TICKET, requester_id=None)


def member(
    role: OrganizationRole = MEMBER,
    *,
    who: UUID = BOB,
    visibility: MemberVisibility = MemberVisibility.OPEN,
    organization: UUID = ACME,
) -> Viewer:
    return Viewer(user_id=who, memberships=(Membership(organization, role, visibility),))


def regulated(role: OrganizationRole = MEMBER, *, who: UUID = BOB) -> Viewer:
    return Viewer(user_id=who, memberships=(Membership(ACME, role, history_is_available=False),))


def staff(role: StaffRole = StaffRole.AGENT, *, who: UUID = SAM) -> Viewer:
    return Viewer(user_id=who, staff_role=role)


RULES = {name: rule for name, rule in vars(policy).items() if isinstance(rule, Rule)}


@pytest.mark.parametrize("role", OrganizationRole)
@pytest.mark.parametrize(("visibility", "seeing"), [(MemberVisibility.OPEN, SEE_OPEN), (MemberVisibility.OWN, SEE_OWN)])
def test_a_role_sees_its_organizations_requests_or_its_own(
    role: OrganizationRole, visibility: MemberVisibility, seeing: set[OrganizationRole]
) -> None:
    """S01, S02, S03."""
    assert may_read_ticket(member(role, visibility=visibility), TICKET) is (role in seeing)
    assert may_read_ticket(member(role, who=ANN, visibility=visibility), TICKET)
    assert may_read_ticket(member(role, visibility=visibility), replace(TICKET, owner_id=BOB))
    assert may_read_ticket(member(role, visibility=visibility), replace(TICKET, is_participant=True))


@pytest.mark.parametrize("role", OrganizationRole)
def test_an_author_only_ticket_is_seen_by_its_author_and_by_staff(role: OrganizationRole) -> None:  # S07
    anything = replace(PRIVATE, owner_id=BOB, assignee_id=BOB, is_participant=True)

    assert not may_read_ticket(member(role), PRIVATE)
    assert not may_read_ticket(member(role), anything)
    assert not may_read_ticket(member(role), replace(anything, requester_id=None))
    assert may_read_ticket(member(role, who=ANN), PRIVATE)
    assert all(may_read_ticket(staff(each), PRIVATE) for each in StaffRole)


@pytest.mark.parametrize("role", OrganizationRole)
def test_nobody_of_another_organization_sees_it_whatever_the_part(role: OrganizationRole) -> None:
    """Who leaves an organization loses its tickets at once, one's own as well."""
    part = replace(TICKET, owner_id=ANN, is_participant=True)

    assert not may_read_ticket(member(role, who=ANN, organization=OTHER), part)
    assert not may_read_ticket(Viewer(user_id=ANN), part)
    assert not may_read_ticket(ANONYMOUS, part)


@pytest.mark.parametrize(("filed", "shown"), [(-MOMENT, False), (MOMENT * 0, True), (MOMENT, True)])
@pytest.mark.parametrize("role", OrganizationRole)
def test_what_was_filed_before_the_history_begins_is_not_shown(
    role: OrganizationRole, filed: timedelta, shown: bool
) -> None:
    """S12: not even to its author; staff sees it."""
    ticket = replace(TICKET, created_at=MIDNIGHT + filed)
    ann = Viewer(user_id=ANN, memberships=(Membership(ACME, role, history_starts_at=MIDNIGHT),))

    assert may_read_ticket(ann, ticket) is shown
    assert may_read_ticket(staff(), ticket)


@pytest.mark.parametrize("role", OrganizationRole)
def test_a_regulated_organizations_tickets_are_kept_from_its_people_and_not_from_staff(role: OrganizationRole) -> None:
    """S11: from the author too, and for that reason alone."""
    ann = regulated(role, who=ANN)

    assert not may_read_ticket(ann, TICKET)
    assert ann.is_kept_from_history
    assert may_read_ticket(as_if_history_were_available(ann), TICKET)
    assert not may_read_ticket(as_if_history_were_available(regulated(role)), PRIVATE)
    assert may_read_ticket(staff(), TICKET)
    assert not replace(staff(), memberships=ann.memberships).is_kept_from_history


@pytest.mark.parametrize("visibility", MemberVisibility)
@pytest.mark.parametrize("role", OrganizationRole)
def test_what_nobody_opened_is_shown_to_whoever_may_claim_it(
    role: OrganizationRole, visibility: MemberVisibility
) -> None:
    """S14: also where members see their own requests only; what is for an author alone waits for support."""
    bob = member(role, visibility=visibility)

    assert may_read_ticket(bob, UNCLAIMED) is (role is not READ_ONLY or visibility is MemberVisibility.OPEN)
    assert allows(bob, policy.CLAIM_TICKET, UNCLAIMED) is (role is not READ_ONLY)
    assert not may_read_ticket(bob, replace(UNCLAIMED, confidentiality=Confidentiality.AUTHOR_ONLY))
    assert not may_read_ticket(member(role, visibility=visibility, organization=OTHER), UNCLAIMED)


def test_each_membership_decides_for_its_own_organization() -> None:  # S10
    """An owner there is an ordinary member here."""
    here = Membership(ACME, MEMBER, MemberVisibility.OWN)
    there = Membership(OTHER, OWNER, MemberVisibility.OWN)
    bob = Viewer(user_id=BOB, memberships=(here, there))

    assert not may_read_ticket(bob, TICKET)
    assert may_read_ticket(bob, replace(TICKET, organization_id=OTHER))
    assert not allows(bob, policy.CLOSE_TICKET, TICKET)
    assert allows(bob, policy.CLOSE_TICKET, replace(TICKET, organization_id=OTHER))


EXAMPLES: dict[Policy, tuple[list[tuple[Viewer, Facts]], list[tuple[Viewer, Facts]]]] = {
    Policy.TICKET_PARTICIPANT: (
        [
            (member(who=ANN), TICKET),
            (member(), replace(TICKET, owner_id=BOB)),
            (member(), replace(TICKET, is_participant=True)),
            (member(READ_ONLY, visibility=MemberVisibility.OWN), replace(TICKET, is_participant=True)),
        ],
        [
            (member(OWNER), TICKET),
            (staff(), TICKET),
            (member(), replace(PRIVATE, is_participant=True)),
            (member(organization=OTHER), replace(TICKET, is_participant=True)),
            (member(), OrganizationFacts(ACME)),
            (member(), None),
        ],
    ),
    Policy.TICKET_AUTHOR: (
        [(member(who=ANN), TICKET), (member(who=ANN), PRIVATE)],
        [
            (member(OWNER), TICKET),
            (member(), replace(TICKET, owner_id=BOB)),
            (staff(), TICKET),
            (member(), replace(TICKET, requester_id=None)),
            (member(who=ANN), UserFacts(ANN)),
        ],
    ),
    Policy.TICKET_OWNER_OR_ORG_ADMIN: (
        [
            (member(who=ANN), TICKET),
            (member(), replace(TICKET, owner_id=BOB)),
            (member(OWNER), TICKET),
            (member(ADMIN), TICKET),
            (member(REQUEST_ADMIN), TICKET),
        ],
        [
            (member(), TICKET),
            (member(READ_ONLY), TICKET),
            (member(), replace(TICKET, is_participant=True)),
            (member(LICENSE_MANAGER), replace(TICKET, is_participant=True)),
            (member(OWNER), PRIVATE),
            (member(OWNER, organization=OTHER), TICKET),
            (staff(), TICKET),
        ],
    ),
    Policy.ORG_TICKET_VIEWER: (
        [
            *((member(role), TICKET) for role in SEE_OPEN),
            *((member(role, visibility=MemberVisibility.OWN), OrganizationFacts(ACME)) for role in SEE_OWN),
            (member(), UserFacts(SAM, frozenset({OTHER, ACME}))),
            (member(LICENSE_MANAGER, visibility=MemberVisibility.OWN), UNCLAIMED),
        ],
        [
            (member(LICENSE_MANAGER), TICKET),
            (member(READ_ONLY, visibility=MemberVisibility.OWN), UNCLAIMED),
            (member(visibility=MemberVisibility.OWN), OrganizationFacts(ACME)),
            (member(READ_ONLY, who=ANN, visibility=MemberVisibility.OWN), TICKET),
            (member(OWNER), PRIVATE),
            (member(OWNER), OrganizationFacts(OTHER)),
            (member(OWNER), UserFacts(SAM, frozenset({OTHER}))),
            (member(OWNER), UserFacts(SAM)),
            (member(OWNER), None),
            (staff(), OrganizationFacts(ACME)),
        ],
    ),
    Policy.ORG_TICKET_MANAGER: (
        [*((member(role), TICKET) for role in SEE_OWN), (member(OWNER), UserFacts(ANN, frozenset({ACME})))],
        [
            *((member(role), OrganizationFacts(ACME)) for role in (LICENSE_MANAGER, MEMBER, READ_ONLY)),
            (member(OWNER), PRIVATE),
            (member(OWNER, organization=OTHER), TICKET),
            (staff(), TICKET),
        ],
    ),
    Policy.ORG_ABOVE_READ_ONLY: (
        [(member(role), OrganizationFacts(ACME)) for role in OrganizationRole if role is not READ_ONLY],
        [
            (member(READ_ONLY), OrganizationFacts(ACME)),
            (member(OWNER), OrganizationFacts(OTHER)),
            (member(OWNER), PRIVATE),
            (staff(), OrganizationFacts(ACME)),
        ],
    ),
    Policy.ORG_LICENSE_MANAGER: (
        [(member(role), OrganizationFacts(ACME)) for role in (OWNER, LICENSE_MANAGER)],
        [
            *((member(role), OrganizationFacts(ACME)) for role in (ADMIN, REQUEST_ADMIN, MEMBER, READ_ONLY)),
            (member(LICENSE_MANAGER), OrganizationFacts(OTHER)),
            (staff(), OrganizationFacts(ACME)),
        ],
    ),
    Policy.STAFF: (
        [(staff(role), about) for role in StaffRole for about in (None, TICKET, OrganizationFacts(ACME))],
        [(member(OWNER), TICKET), (ANONYMOUS, None)],
    ),
    Policy.STAFF_ASSIGNED: (
        [(staff(), replace(TICKET, assignee_id=SAM)), (staff(StaffRole.ENGINEER), replace(PRIVATE, assignee_id=SAM))],
        [
            (staff(), replace(TICKET, assignee_id=BOB)),
            (staff(), TICKET),
            (member(), replace(TICKET, assignee_id=BOB)),
            (staff(), None),
        ],
    ),
    Policy.STAFF_ENGINEERING: (
        [(staff(StaffRole.ENGINEER), None)],
        [(staff(role), TICKET) for role in StaffRole if role is not StaffRole.ENGINEER],
    ),
    Policy.STAFF_ADMIN: (
        [(staff(StaffRole.ADMIN), None)],
        [*((staff(role), TICKET) for role in StaffRole if role is not StaffRole.ADMIN), (member(ADMIN), TICKET)],
    ),
    Policy.HISTORY_AVAILABLE: (
        [(member(), TICKET), (member(READ_ONLY), OrganizationFacts(ACME)), (staff(), TICKET), (staff(), None)],
        [
            (regulated(), OrganizationFacts(ACME)),
            (regulated(OWNER, who=ANN), TICKET),
            (member(), OrganizationFacts(OTHER)),
            (member(), None),
        ],
    ),
    Policy.SELF: (
        [
            (member(), UserFacts(BOB)),
            (staff(), UserFacts(SAM, frozenset({ACME}))),
            (Viewer(user_id=ANN), UserFacts(ANN)),
        ],
        [(member(OWNER), UserFacts(ANN, frozenset({ACME}))), (staff(), UserFacts(ANN)), (ANONYMOUS, None)],
    ),
}
"""For each policy, whom it holds for, and whom it does not."""


def cases() -> Iterator[object]:
    for each, (yes, no) in EXAMPLES.items():
        yield from (
            pytest.param(each, viewer, about, True, id=f"{each}-yes-{n}") for n, (viewer, about) in enumerate(yes)
        )
        yield from (
            pytest.param(each, viewer, about, False, id=f"{each}-no-{n}") for n, (viewer, about) in enumerate(no)
        )


def test_every_policy_has_examples() -> None:
    assert EXAMPLES.keys() == set(Policy)


@pytest.mark.parametrize(("each", "viewer", "about", "holds"), list(cases()))
def test_a_policy_holds_for_whom_it_should(each: Policy, viewer: Viewer, about: Facts, holds: bool) -> None:
    """S03, S04, S07, S15, S60, S84, S91."""
    assert HOLDS[each](viewer, about) is holds
    assert allows(viewer, Rule.any_of(each), about) is holds
    assert conceivable(viewer, Rule.any_of(each)) or not holds


def test_a_rule_is_one_of_several_combinations() -> None:
    rule = Rule(((Policy.STAFF, Policy.STAFF_ENGINEERING), (Policy.TICKET_AUTHOR,)))

    assert allows(staff(StaffRole.ENGINEER), rule, TICKET)
    assert allows(member(who=ANN), rule, TICKET)
    assert not allows(staff(StaffRole.AGENT), rule, TICKET)
    assert not allows(staff(StaffRole.ADMIN), Rule(()), TICKET)


def test_a_check_says_first_that_nobody_is_signed_in() -> None:
    with pytest.raises(Unauthenticated):
        check(ANONYMOUS, policy.STAFF_ONLY, None)
    with pytest.raises(Forbidden, match="Only support"):
        check(member(OWNER), policy.STAFF_ONLY, None, "Only support does this.")
    check(staff(), policy.STAFF_ONLY, None)


def test_what_one_may_not_see_is_not_there() -> None:  # S07
    with pytest.raises(NotFound, match=r"^There is no such ticket\.$"):
        check_may_read(member(OWNER), PRIVATE)
    check_may_read(member(who=ANN), PRIVATE)


def test_who_names_an_organization_to_work_in_belongs_to_it() -> None:  # S10
    for viewer in (*(member(role) for role in OrganizationRole), staff()):
        check_belongs(viewer, ACME)
    for viewer in (*(member(role, organization=OTHER) for role in OrganizationRole), ANONYMOUS):
        with pytest.raises(NotFound) as refused:
            check_belongs(viewer, ACME)
        assert refused.value.field == ("organizationId",)


rules = st.sampled_from(sorted(RULES)).map(RULES.__getitem__) | st.lists(
    st.lists(st.sampled_from(Policy), max_size=3).map(tuple), max_size=3
).map(lambda alternatives: Rule(tuple(alternatives)))


@given(viewers, rules, facts)
def test_what_is_allowed_was_conceivable(viewer: Viewer, rule: Rule, about: Facts) -> None:
    """The question at the root of an operation, where no object is known yet, never refuses what would be allowed."""
    if allows(viewer, rule, about):
        assert conceivable(viewer, rule)


@given(viewers)
def test_what_is_conceivable_of_an_organization_is_allowed_in_one(viewer: Viewer) -> None:
    """And it does refuse: a READ_ONLY member, or one of no organization, cannot so much as ask to open a ticket."""
    places: list[Facts] = [OrganizationFacts(m.organization_id) for m in viewer.memberships]
    for rule in (policy.CREATE_TICKET, policy.SEE_LICENSES, policy.SEE_UNCLAIMED):
        assert conceivable(viewer, rule) is any(allows(viewer, rule, place) for place in [None, *places])


@given(viewers, tickets)
def test_the_rule_that_a_ticket_prints_is_the_one_that_it_is_read_by(viewer: Viewer, ticket: TicketFacts) -> None:
    """S96: `Ticket` prints READ_TICKET."""
    assert allows(viewer, policy.READ_TICKET, ticket) is may_read_ticket(viewer, ticket)


@given(viewers, tickets, rules)
def test_nothing_may_be_done_to_a_ticket_by_who_may_not_read_it(
    viewer: Viewer, ticket: TicketFacts, rule: Rule
) -> None:
    """S07. Combinations of no policy at all are not rules."""
    if not may_read_ticket(viewer, ticket):
        assert not allows(viewer, Rule(tuple(each for each in rule.alternatives if each)), ticket)


@given(facts, rules)
def test_nobody_may_nothing(about: Facts, rule: Rule) -> None:
    real = Rule(tuple(each for each in rule.alternatives if each))

    assert not allows(ANONYMOUS, real, about)
    assert not conceivable(ANONYMOUS, real)


@given(viewers, tickets)
def test_more_of_a_part_in_a_ticket_never_shows_less(viewer: Viewer, ticket: TicketFacts) -> None:
    if may_read_ticket(viewer, ticket):
        assert may_read_ticket(viewer, replace(ticket, is_participant=True))
        assert may_read_ticket(viewer, replace(ticket, confidentiality=Confidentiality.ORGANIZATION))
        assert may_read_ticket(viewer, replace(ticket, created_at=ticket.created_at + timedelta(days=1)))


@given(viewers)
def test_internal_things_are_for_staff(viewer: Viewer) -> None:  # J7
    assert sees_internal(viewer) is (viewer.staff_role is not None)
    assert viewer.audience == ("staff" if sees_internal(viewer) else "public")
    assert allows(viewer, policy.SEE_INTERNAL, None) is sees_internal(viewer)


READ_ONLY_MAY_NOT = [
    "CREATE_TICKET",
    "RESOLVE_TICKET",
    "CLOSE_TICKET",
    "REOPEN_TICKET",
    "SUBMIT_ESCALATION",
    "SEND_MESSAGE",
    "ADD_NOTE",
    "DECIDE_RESOLUTION",
    "FOLLOW_TICKET",
    "REMOVE_ANY_FOLLOWER",
    "SHARE_TICKET",
    "CLAIM_TICKET",
]


@pytest.mark.parametrize("name", READ_ONLY_MAY_NOT)
def test_a_read_only_member_who_takes_part_manages_nothing(name: str) -> None:  # S15
    invited = member(READ_ONLY)

    assert may_read_ticket(invited, TICKET)
    assert not allows(invited, RULES[name], replace(TICKET, is_participant=True))
    assert not allows(invited, RULES[name], replace(TICKET, requester_id=BOB, owner_id=BOB))
